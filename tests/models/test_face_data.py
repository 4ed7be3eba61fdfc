from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from affetti.core.emotions import EXPRESSIONS
from affetti.core.errors import AffettiError, ExitCode
from affetti.models.evaluation.face.data import UNLABELLED, ferplus_truth, load_faces, load_fer2013


def test_votes_become_shares_and_contempt_counts_as_disgust():
    # neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, not a face
    votes = np.array([[1, 0, 0, 0, 0, 3, 0, 5, 1, 0], [0, 0, 0, 2, 0, 0, 0, 0, 1, 7]], np.uint8)
    labels, shares = ferplus_truth(votes)

    assert EXPRESSIONS[labels[0]] == "disgust"
    assert labels[1] == UNLABELLED
    np.testing.assert_allclose(shares[0, EXPRESSIONS.index("disgust")], 8 / 9)
    np.testing.assert_allclose(shares[0, EXPRESSIONS.index("neutral")], 1 / 9)
    np.testing.assert_allclose(shares[1, EXPRESSIONS.index("sad")], 1)


def test_fer2013_sheets_are_cut_into_faces_in_their_order(write_fer2013: Callable[..., Path]):
    images = np.random.default_rng(0).integers(0, 256, (230, 48, 48), np.uint8)
    usage = np.repeat(np.array([0, 1, 0, 2], np.uint8), [60, 30, 90, 50])
    images[-1] = images[0]
    data = load_fer2013(write_fer2013(images, usage))

    np.testing.assert_array_equal(data.images, images)
    assert len(data.ferplus(1)) == 30
    assert data.copied_from_training(2).tolist() == [False] * 49 + [True]


def test_a_folder_of_pictures_is_read_by_the_names_of_its_subfolders(tmp_path: Path):
    for name, level in (("happy", 200), ("Neutral", 90)):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "one.png"), np.full((96, 72, 3), level, np.uint8))
    (tmp_path / "happy" / "notes.txt").write_text("no picture")
    (tmp_path / "elsewhere").mkdir()
    faces = load_faces(tmp_path)

    assert [EXPRESSIONS[label] for label in faces.labels] == ["happy", "neutral"]
    assert faces.images.shape == (2, 48, 48)
    assert faces.images.mean(axis=(1, 2)).tolist() == [200, 90]


@pytest.mark.parametrize("labels", [np.array([3, 6]), np.array(["happy", "neutral"])])
def test_an_npz_may_have_numbers_or_names_for_labels(tmp_path: Path, labels: np.ndarray):
    path = tmp_path / "faces.npz"
    np.savez(path, images=np.zeros((2, 48, 48), np.uint8), labels=labels)

    assert load_faces(path).labels.tolist() == [3, 6]


def _missing(folder: Path) -> Path:
    return folder / "nowhere.npz"


def _empty_folder(folder: Path) -> Path:
    return folder


def _text(folder: Path) -> Path:
    path = folder / "faces.npz"
    path.write_text("not an archive")
    return path


def _empty_file(folder: Path) -> Path:
    path = folder / "faces.npz"
    path.touch()
    return path


def _wrong_size(folder: Path) -> Path:
    path = folder / "faces.npz"
    np.savez(path, images=np.zeros((2, 64, 64), np.uint8), labels=np.zeros(2, int))
    return path


def _wrong_label(folder: Path) -> Path:
    path = folder / "faces.npz"
    np.savez(path, images=np.zeros((2, 48, 48), np.uint8), labels=np.array([0, 7]))
    return path


def _unknown_name(folder: Path) -> Path:
    path = folder / "faces.npz"
    np.savez(path, images=np.zeros((1, 48, 48), np.uint8), labels=np.array(["glee"]))
    return path


def _no_labels(folder: Path) -> Path:
    path = folder / "faces.npz"
    np.savez(path, images=np.zeros((2, 48, 48), np.uint8))
    return path


def _objects(folder: Path) -> Path:
    path = folder / "faces.npz"
    np.savez(path, images=np.zeros((1, 48, 48), np.uint8), labels=np.array([{}], object))
    return path


def _one_label(folder: Path) -> Path:
    path = folder / "faces.npz"
    np.savez(path, images=np.zeros((1, 48, 48), np.uint8), labels=3)
    return path


def _broken_picture(folder: Path) -> Path:
    (folder / "sad").mkdir()
    (folder / "sad" / "face.png").write_bytes(b"\x89PNG and nothing after it")
    return folder


@pytest.mark.parametrize(
    "data",
    [
        _missing,
        _empty_folder,
        _text,
        _empty_file,
        _wrong_size,
        _wrong_label,
        _unknown_name,
        _no_labels,
        _objects,
        _one_label,
        _broken_picture,
    ],
)
def test_other_data_is_refused_with_what_would_do(data, tmp_path: Path):
    with pytest.raises(AffettiError) as raised:
        load_faces(data(tmp_path))

    assert raised.value.code == ExitCode.DATA
    assert "angry, disgust" in raised.value.hint


@pytest.mark.parametrize("contents", [b"", b"PK\x05\x06" + bytes(18)])
def test_a_zip_that_is_not_fer2013_is_refused(tmp_path: Path, contents: bytes):
    path = tmp_path / "other.zip"
    path.write_bytes(contents)

    with pytest.raises(AffettiError) as raised:
        load_fer2013(path)
    assert raised.value.code == ExitCode.DATA


def test_the_words_of_other_data_sets_are_known(tmp_path: Path):
    words = ["Anger", "happiness", "contempt", "sadness", "surprised", "joy"]
    np.savez(tmp_path / "f.npz", images=np.zeros((6, 48, 48), np.uint8), labels=np.array(words))
    found = load_faces(tmp_path / "f.npz")
    assert found.labels.tolist() == [0, 3, 4, 5, 3]
    assert found.left_out == 1


def test_positions_in_a_list_of_ones_own_are_known(tmp_path: Path):
    affectnet = ["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"]
    np.savez(
        tmp_path / "f.npz",
        images=np.zeros((8, 48, 48), np.uint8),
        labels=np.arange(8),
        names=np.array(affectnet),
    )
    found = load_faces(tmp_path / "f.npz")
    assert found.labels.tolist() == [6, 3, 4, 5, 2, 1, 0]
    assert found.left_out == 1


@pytest.mark.parametrize("labels", [np.array(["glad"]), np.array([7]), np.array([1.5])])
def test_a_word_that_names_no_expression_is_named(tmp_path: Path, labels: np.ndarray):
    np.savez(tmp_path / "f.npz", images=np.zeros((1, 48, 48), np.uint8), labels=labels)
    with pytest.raises(AffettiError, match=r"glad|0 to 6|numbers or words"):
        load_faces(tmp_path / "f.npz")


def test_persons_have_to_be_named(tmp_path: Path):
    np.savez(tmp_path / "f.npz", images=np.zeros((1, 48, 48), np.uint8), labels=np.array([6]))
    with pytest.raises(AffettiError, match="subjects"):
        load_faces(tmp_path / "f.npz", persons=True)
    with pytest.raises(AffettiError, match="person"):
        load_faces(tmp_path, persons=True)
