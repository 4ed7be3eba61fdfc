from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from affetti.core.errors import AffettiError, ExitCode
from affetti.models.runtime import onnxruntime
from affetti.models.training.face.augmentation import HARMS, Augmentation
from affetti.models.training.face.conditions import moved

torch = pytest.importorskip("torch")

from affetti.models.training.face.training import RECIPES, train_face  # noqa: E402


class Interrupted(Exception):  # noqa: N818  it is no error
    """Raised where a person would press Ctrl+C."""


@pytest.fixture
def data(write_fer2013: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """32 drawn faces to learn from and 16 to choose by; the training folder is a new one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    chance = np.random.default_rng(0)
    faces = np.stack([_drawn(i % 8, chance) for i in range(56)])
    return write_fer2013(faces, np.repeat(np.array([0, 1, 2], np.uint8), [32, 16, 8]))


def _drawn(mouth: int, chance: np.random.Generator) -> np.ndarray:
    face = np.full((48, 48), chance.integers(60, 120), np.uint8)
    cv2.circle(face, (16, 18), 3, 20, -1)
    cv2.circle(face, (32, 18), 3, 20, -1)
    cv2.ellipse(face, (24, 36), (3 + mouth, 1 + mouth % 4), 0, 0, 180 + 20 * mouth, 20, -1)
    return face


def test_an_interrupted_training_goes_on_where_it_was(data: Path, tmp_path: Path):
    seen: list[int] = []

    def interrupt(done: int, total: int, what: str) -> None:
        seen.append(done)
        if done == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        train_face(data, "paper", tmp_path / "face.onnx", interrupt)
    outcome = train_face(data, "paper", tmp_path / "face.onnx", lambda d, t, w: seen.append(d))

    assert seen == list(range(1, outcome.epochs + 1))
    assert outcome.epochs <= RECIPES["paper"].epochs
    assert outcome.best_epoch >= outcome.epochs - RECIPES["paper"].patience


def test_the_written_network_reads_distributions(data: Path, tmp_path: Path):
    path = tmp_path / "face.onnx"
    outcome = train_face(data, "paper", path, lambda done, total, what: None)
    network = onnxruntime().InferenceSession(path, providers=["CPUExecutionProvider"])
    faces = np.random.default_rng(1).integers(0, 256, (3, 1, 48, 48)).astype(np.float32)
    (expressions,) = network.run(["expressions"], {"faces": faces})
    (brighter,) = network.run(["expressions"], {"faces": faces / 2 + 100})

    assert expressions.shape == (3, 7)
    np.testing.assert_allclose(expressions.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(expressions, brighter, atol=0.02)  # standardised inside
    assert outcome.public_loss > 0


def test_a_teacher_is_trained_once_and_asked_from_then_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    teacher = replace(RECIPES["paper"], epochs=1)
    monkeypatch.setitem(RECIPES, "teacher", teacher)
    monkeypatch.setitem(RECIPES, "pupil", replace(teacher, teachers=("teacher",)))
    losses: list[str] = []

    def listen(done: int, total: int, what: str) -> None:
        losses.append(what.split(",", maxsplit=1)[0])

    for _ in range(2):
        train_face(data, "pupil", tmp_path / "face.onnx", listen)

    alone, taught, again = losses
    assert taught == again != alone


def test_the_network_that_a_recipe_begins_with_is_asked_for_at_once(data: Path, tmp_path: Path):
    begun: list[int] = []
    with pytest.raises(AffettiError, match=r"dlib_face_recognition\S+dat") as raised:
        train_face(data, "best", tmp_path / "face.onnx", lambda d, t, w: begun.append(d))

    assert raised.value.code == ExitCode.FILE_MISSING
    assert not begun


def test_an_unknown_recipe_is_refused_with_the_known_ones(data: Path, tmp_path: Path):
    with pytest.raises(AffettiError, match="cake") as raised:
        train_face(data, "cake", tmp_path / "face.onnx", lambda done, total, what: None)

    assert raised.value.code == ExitCode.USAGE
    assert "paper" in raised.value.hint


def test_no_change_leaves_a_face_as_it_is():
    face = _drawn(3, np.random.default_rng(0))

    np.testing.assert_array_equal(moved(face), face)
    np.testing.assert_array_equal(moved(face, mirrored=True), face[:, ::-1])


def test_augmentation_is_decided_by_its_chance_alone():
    faces = np.stack([_drawn(i, np.random.default_rng(i)) for i in range(8)])
    change = Augmentation(rotation_deg=20, scale=0.15, shift_px=4, harmed=0.5)
    first, again = (change(faces, np.random.default_rng(5)) for _ in range(2))

    np.testing.assert_array_equal(first, again)
    assert first.shape == faces.shape
    assert first.dtype == np.uint8
    assert (first != change(faces, np.random.default_rng(6))).any()


@pytest.mark.parametrize("harm", HARMS)
def test_each_harm_changes_a_face_and_keeps_its_form(harm):
    face = _drawn(3, np.random.default_rng(0))
    harmed = harm(face, np.random.default_rng(4))

    assert harmed.shape == (48, 48)
    assert harmed.dtype == np.uint8
    assert (harmed != face).any()
