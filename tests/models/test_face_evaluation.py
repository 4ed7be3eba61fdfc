from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from affetti.core.emotions import EXPRESSIONS
from affetti.core.errors import AffettiError, ExitCode
from affetti.models.evaluation.face.accuracy import (
    accuracy,
    calibration_error,
    evaluate_face,
    own_neutral,
    scores,
)
from affetti.models.evaluation.face.data import Faces, load_faces, one_hot


def _faces(*labels: str) -> Faces:
    positions = np.array([EXPRESSIONS.index(label) for label in labels])
    return Faces(np.zeros((len(labels), 48, 48), np.uint8), positions, one_hot(positions))


def _sure(*labels: str) -> np.ndarray:
    return one_hot(_faces(*labels).labels).astype(np.float64)


def test_four_classes_leave_out_the_other_labels_and_the_other_answers():
    read = _sure("angry", "surprise", "surprise", "neutral")
    read[1] = [0.1, 0, 0, 0.2, 0.3, 0.4, 0]  # surprise first, sad the strongest of the four
    found = scores(read, _faces("angry", "sad", "fear", "happy"), 1.0)

    assert (found.n, found.accuracy7) == (4, 0.25)
    assert found.n4 == 3
    assert found.accuracy4 == pytest.approx(2 / 3)


def test_recall_precision_and_f1_by_expression():
    found = scores(
        _sure("happy", "happy", "sad", "happy"), _faces("happy", "happy", "happy", "neutral"), 1.0
    )

    assert found.recall7["happy"] == pytest.approx(2 / 3)
    assert found.precision7["happy"] == pytest.approx(2 / 3)
    assert found.f1_7["happy"] == pytest.approx(2 / 3)
    assert found.recall7["neutral"] == 0
    assert found.recall7["fear"] is None
    assert found.balanced_accuracy7 == pytest.approx(1 / 3)
    assert np.sum(found.confusion7) == 4


def test_copies_of_training_faces_are_scored_with_and_without():
    copies = np.array([True, False])
    found = scores(_sure("happy", "sad"), _faces("happy", "happy"), 1.0, copies)

    assert found.accuracy7 == 0.5
    assert found.without_copies7 is not None
    assert (found.without_copies7.n, found.without_copies7.accuracy) == (1, 0)


def test_the_interval_is_the_bootstraps():
    right = np.arange(400) % 4 > 0
    found = accuracy(right)
    chance = np.random.default_rng(1)
    resampled = [right[chance.integers(0, 400, 400)].mean() for _ in range(4000)]

    np.testing.assert_allclose(found.interval, np.quantile(resampled, [0.025, 0.975]), atol=0.005)


def test_a_forecaster_who_is_right_as_often_as_it_says_is_calibrated():
    expressions = np.tile([0.75, 0.25, 0, 0, 0, 0, 0], (400, 1))
    right = np.arange(400) % 4 > 0

    assert calibration_error(expressions, right) == pytest.approx(0, abs=1e-12)
    assert calibration_error(expressions, np.zeros(400, bool)) == pytest.approx(0.75)


@pytest.mark.campaign
def test_a_folder_and_an_npz_of_the_same_faces_score_the_same(tmp_path: Path):
    images = np.random.default_rng(0).integers(0, 256, (14, 48, 48), np.uint8)
    labels = np.arange(14) // 2
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        (tmp_path / EXPRESSIONS[label]).mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / EXPRESSIONS[label] / f"{i:02}.png"), image)
    np.savez(tmp_path / "faces.npz", images=images, labels=labels)
    told: list[tuple[int, int, str]] = []
    folder = evaluate_face(tmp_path, progress=lambda *step: told.append(step)).data
    npz = evaluate_face(tmp_path / "faces.npz").data

    assert folder is not None
    assert npz is not None
    assert folder.n == 14
    assert told[-1][:2] == (14, 14)
    assert msgspec.structs.replace(folder, ms_per_face=0) == msgspec.structs.replace(
        npz, ms_per_face=0
    )


@pytest.mark.campaign
def test_fer2013_is_scored_under_both_labellings(write_fer2013: Callable[..., Path]):
    images = np.random.default_rng(0).integers(0, 256, (90, 48, 48), np.uint8)
    path = write_fer2013(images, np.repeat(np.array([0, 1, 2], np.uint8), 30))
    found = msgspec.to_builtins(evaluate_face(path))

    assert found.keys() == {
        "network",
        "sha256",
        "ms_per_face",
        "ferplus_private",
        "fer2013_private",
    }
    for name in ("ferplus_private", "fer2013_private"):
        assert found[name]["n"] == 30
        assert set(found[name]["recall7"]) == set(EXPRESSIONS)
        assert {"accuracy7", "accuracy4", "ece", "ms_per_face"} <= found[name].keys()
    assert found["ms_per_face"] > 0


def test_what_cannot_be_read_is_refused(tmp_path: Path):
    with pytest.raises(AffettiError) as raised:
        evaluate_face(tmp_path / "nothing.zip")

    assert raised.value.code == ExitCode.DATA


def pictures_of_persons(folder: Path) -> Path:
    """Write three persons' pictures: two with three neutral ones, one with a single neutral one."""
    chance = np.random.default_rng(3)
    for person, words in {
        "anna": ["neutral", "neutral", "neutral", "happiness", "contempt"],
        "ben": ["neutral", "neutral", "neutral", "anger"],
        "cleo": ["neutral", "sad"],
    }.items():
        for i, word in enumerate(words):
            (folder / person / word).mkdir(parents=True, exist_ok=True)
            picture = chance.integers(0, 256, (48, 48), np.uint8)
            assert cv2.imwrite(str(folder / person / word / f"{i}.png"), picture)
    return folder


@pytest.mark.campaign
def test_a_face_is_read_against_its_persons_other_neutral_ones(tmp_path: Path):
    found = evaluate_face(pictures_of_persons(tmp_path), persons=True)
    assert found.data is not None
    assert found.against_own_neutral is not None
    assert found.data.n == found.against_own_neutral.n == 9
    assert found.without_own_neutral == 1  # Cleo's only neutral picture
    assert found.left_out == 1  # contempt
    assert found.data.confusion7 != found.against_own_neutral.confusion7 or (
        found.data.ece != found.against_own_neutral.ece
    )


def test_the_tested_face_is_never_its_own_reference(tmp_path: Path):
    faces = load_faces(pictures_of_persons(tmp_path), persons=True)
    features = np.arange(len(faces), dtype=np.float32)[:, np.newaxis]
    for i, reference in enumerate(own_neutral(faces, features)):
        others = [
            j
            for j in range(len(faces))
            if j != i and faces.labels[j] == 6 and faces.subjects[j] == faces.subjects[i]
        ]
        assert (reference is None) == (not others)
        assert reference is None or reference[0] == pytest.approx(np.mean(others))


def test_a_network_without_features_reads_nobody_against_their_own(tmp_path: Path):
    with pytest.raises(AffettiError, match="neutral face of their own"):
        evaluate_face(pictures_of_persons(tmp_path), "face_expression_fer2013", persons=True)
