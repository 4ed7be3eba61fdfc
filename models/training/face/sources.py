"""Faces from several sources, each labelled by other people in another style."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.models.evaluation.face.data import (
    BROKEN,
    FACE_PX,
    PRIVATE,
    PUBLIC,
    TRAINING,
    Faces,
    find_fer2013,
    load_fer2013,
    one_hot,
    unreadable,
)

Images = NDArray[np.uint8]

FERPLUS: Final = "ferplus"
SHEETS: Final = ("faces30k", "faces12k")
SOURCES: Final = (FERPLUS, *SHEETS)
CUT_OUT: Final = ("faces30k",)  # black around the face

PUBLIC_SHARE, PRIVATE_SHARE = 0.06, 0.12
SHEET_FACE_PX: Final = 64
_ACROSS: Final = 32  # faces in a row of a sheet
_PRINT_PX: Final = 16
# At .98 a pair is the same picture cut or compressed otherwise; at .95 many are two people.
_COPIED_FROM: Final = 0.98
_COMPARED_AT_ONCE: Final = 1024


@dataclass(frozen=True)
class Source:
    """One data set in three parts that share no picture.

    Attributes
    ----------
    name
        One of `SOURCES`.
    training, public, private
        What is learned from, what is chosen by, and what is scored at the end.
    copied
        bool [n]: which private faces lay, copied, in the source's training part. The copies are
        left out of `training` here; a network that was trained before may have seen them.
    """

    name: str
    training: Faces
    public: Faces
    private: Faces
    copied: NDArray[np.bool_]


def load_sources(folder: Path, names: Iterable[str] = SOURCES) -> tuple[Source, ...]:
    """Read data sets from a folder with `fer2013.zip`, `faces30k.zip` and `faces12k.zip`.

    The latter two may lie in a folder `faces`. FER2013 (under FER+'s votes) has its own three
    parts; of the others a face belongs where the hash of its picture says, always the same.
    Training faces that are copies of a public or private face of any source are left out.

    Raises
    ------
    AffettiError
        A file is missing or cannot be read.
    """
    return without_copies([_loaded(folder, name) for name in names])


def _loaded(folder: Path, name: str) -> Source:
    if name == FERPLUS:
        data = load_fer2013(find_fer2013(folder) or folder)
        parts = [data.ferplus(usage).labelled for usage in (TRAINING, PUBLIC, PRIVATE)]
        return _source(name, parts)
    nested = folder / "faces" / f"{name}.zip"
    return divided(name, load_sheets(nested if nested.exists() else folder / f"{name}.zip"))


def divided(name: str, faces: Faces) -> Source:
    """Divide faces into three parts by the hash of each picture, so that copies stay together."""
    usage = part_of(faces.images)
    return _source(name, [faces.chosen(usage == part) for part in (TRAINING, PUBLIC, PRIVATE)])


def _source(name: str, parts: Sequence[Faces]) -> Source:
    training, public, private = parts
    return Source(name, training, public, private, np.zeros(len(private), np.bool_))


def part_of(images: Images) -> NDArray[np.uint8]:
    """Return the part of each picture, uint8 [N]: `TRAINING`, `PUBLIC` or `PRIVATE`."""
    place = np.array([_place(image) for image in images])
    usage = np.full(len(images), TRAINING, np.uint8)
    usage[place < PUBLIC_SHARE + PRIVATE_SHARE] = PUBLIC
    usage[place < PRIVATE_SHARE] = PRIVATE
    return usage


def _place(image: Images) -> float:
    digest = hashlib.blake2b(image.tobytes(), digest_size=8, key=b"affetti").digest()
    return float(int.from_bytes(digest, "big") / 2**64)


def without_copies(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Leave out training faces that are copies of a public or private face of any source."""
    parts = [part for source in sources for part in (source.public, source.private)]
    kept = np.concatenate([fingerprints(part.images) for part in parts])
    return tuple(_without_copies(source, kept) for source in sources)


def _without_copies(source: Source, kept: NDArray[np.float32]) -> Source:
    prints = fingerprints(source.training.images)
    copied = resembles(fingerprints(source.private.images), prints)
    training = source.training.chosen(~resembles(prints, kept))
    return Source(source.name, training, source.public, source.private, copied)


def fingerprints(images: Images) -> NDArray[np.float32]:
    """Return what tells pictures apart, whatever their light and contrast, float32 [N, 256]."""
    if not len(images):
        return np.empty((0, _PRINT_PX**2), np.float32)
    small = [cv2.resize(image, (_PRINT_PX,) * 2, interpolation=cv2.INTER_AREA) for image in images]
    grey = np.stack(small).reshape(len(images), -1).astype(np.float32)
    grey -= grey.mean(axis=1, keepdims=True)
    return np.asarray(grey / (np.linalg.norm(grey, axis=1, keepdims=True) + 1e-6), np.float32)


def resembles(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which of some fingerprints, [N, 256], have a copy among others: bool [N]."""
    if not len(others):
        return np.zeros(len(some), np.bool_)
    pieces = [some[i : i + _COMPARED_AT_ONCE] for i in range(0, len(some), _COMPARED_AT_ONCE)]
    found = [(piece @ others.T).max(axis=1) >= _COPIED_FROM for piece in pieces]
    return np.concatenate(found) if found else np.zeros(0, np.bool_)


def load_sheets(path: Path) -> Faces:
    """Read faces from a zip with WebP sheets of 32 faces of 64 pixels a row, and `labels.npy`.

    Raises
    ------
    AffettiError
        The file is missing, or is not that zip.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            labels = np.load(io.BytesIO(archive.read("labels.npy")), allow_pickle=False)
            names = sorted(name for name in archive.namelist() if name.endswith(".webp"))
            images = np.concatenate([_sheet(archive.read(name)) for name in names])[: len(labels)]
        labels = labels.astype(np.int64)
        if len(images) != len(labels):
            raise ValueError(f"{len(labels)} labels for {len(images)} faces")
        return Faces(images, labels, one_hot(labels))
    except BROKEN as error:
        raise unreadable(path, str(error)) from error


def _sheet(webp: bytes) -> Images:
    sheet = cv2.imdecode(np.frombuffer(webp, np.uint8), cv2.IMREAD_GRAYSCALE)
    if sheet is None:
        raise ValueError("a sheet of faces is not a picture")
    grid = sheet.reshape(-1, SHEET_FACE_PX, _ACROSS, SHEET_FACE_PX).swapaxes(1, 2)
    faces = grid.reshape(-1, SHEET_FACE_PX, SHEET_FACE_PX)
    size = (FACE_PX, FACE_PX)
    return np.stack([cv2.resize(face, size, interpolation=cv2.INTER_AREA) for face in faces])
