"""A data set in FER2013's form, of drawn faces: the real one may not be passed on."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def write_fer2013(tmp_path: Path) -> Callable[..., Path]:
    """Write images, uint8 [N, 48, 48], and usage, [N], as fer2013.zip; labels go round."""

    def write(images: np.ndarray, usage: np.ndarray) -> Path:
        n = len(images)
        votes = np.zeros((n, 10), np.uint8)
        votes[np.arange(n), np.arange(n) % 8] = 10
        meta = io.BytesIO()
        np.savez(meta, labels=np.arange(n, dtype=np.uint8) % 7, usage=usage, ferplus_votes=votes)
        path = tmp_path / "fer2013.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("meta.npz", meta.getvalue())
            for number, name in enumerate(("train", "public", "private")):
                archive.writestr(f"{name}.png", _sheet(images[usage == number]))
        return path

    return write


def _sheet(faces: np.ndarray) -> bytes:
    sheet = np.zeros((48 * max(1, -(-len(faces) // 100)), 4800), np.uint8)
    for i, face in enumerate(faces):
        row, column = divmod(i, 100)
        sheet[48 * row : 48 * row + 48, 48 * column : 48 * column + 48] = face
    return cv2.imencode(".png", sheet)[1].tobytes()
