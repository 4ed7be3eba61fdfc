import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("torch")

from affetti.models.face.covers import CoverNetwork
from affetti.models.manifest import ModelFile
from affetti.models.training.face import covers
from affetti.models.training.face.covers import COVERED, OPEN, covered, export, train


def oval() -> np.ndarray:
    """Landmarks of a drawn face: all on its outline, but for eyes, nose and mouth."""
    turns = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    points = np.stack([32 + 22 * np.sin(turns), 32 + 26 * np.cos(turns)], axis=1)
    for left, eye in zip((18, 38), covers._EYES, strict=True):
        corners = np.stack([left + np.array([0, 8, 4, 4, 2, 2, 6, 6]), [25] * 8], axis=1)
        points[list(eye)] = corners + np.array([[0, 0], [0, 0], *[[0, -2], [0, 2]] * 3])
    points[list(covers._MOUTH)] = [
        *((24, 46), (40, 46), (32, 43), (32, 49)),
        *((28, 44), (36, 44), (28, 48), (36, 48)),
    ]
    points[list(covers._NOSE)] = (32, 36)
    return points


def drawn(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(60, 200, (count, 64, 64), dtype=np.uint8)


def test_what_is_drawn_covers_mouths_and_eyes_and_leaves_others_bare():
    chance, faces = np.random.default_rng(0), drawn(4)
    made = [covered(faces[0], oval(), faces, chance) for _ in range(200)]
    assert {each.face.shape for each in made} == {(48, 48)}
    mouths, eyes = (np.array([getattr(each, part) for each in made]) for part in ("mouth", "eyes"))
    assert 0.3 < (mouths >= COVERED).mean() < 0.8
    assert 0.03 < (eyes >= COVERED).mean() < 0.4
    assert (mouths <= OPEN).mean() > 0.2


def test_the_same_chance_draws_the_same():
    faces = drawn(3)
    once, again = (covered(faces[1], oval(), faces, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(once.face, again.face)
    assert once[1:] == again[1:]


def test_what_was_trained_is_read_as_the_shipped_one_is(tmp_path: Path):
    faces = drawn(8)
    network = train(faces, np.stack([oval()] * 8), rounds=1, passes=1)
    export(network, tmp_path / "mine.onnx")
    written = (tmp_path / "mine.onnx").read_bytes()
    mine = ModelFile(
        name="mine",
        file="mine.onnx",
        sha256=hashlib.sha256(written).hexdigest(),
        size_bytes=len(written),
        task="face cover",
        summary="",
        card="",
        licence="",
        folder=str(tmp_path),
    )
    seen = CoverNetwork(msgspec.structs.replace(mine, pinned=mine.digest)).of(faces[0, :48, :48])
    assert all(0 < share < 1 for share in seen)
