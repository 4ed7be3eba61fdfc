"""Labelled faces: FER2013 with the FER+ votes, a folder of pictures, or an .npz."""

import io
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.core.emotions import EXPRESSIONS, Expression
from affetti.core.errors import AffettiError, DataError
from affetti.core.language import text

FACE_PX: Final = 48
UNLABELLED: Final = -1
TRAINING, PUBLIC, PRIVATE = 0, 1, 2  # the parts of FER2013

# FER+'s columns (Barsoum et al. 2016). Contempt is none of the seven: it folds into disgust.
_VOTE_COLUMNS: Final = (
    Expression.NEUTRAL,
    Expression.HAPPY,
    Expression.SURPRISE,
    Expression.SAD,
    Expression.ANGRY,
    Expression.DISGUST,
    Expression.FEAR,
    Expression.DISGUST,
)
_SHEETS: Final = ("train.png", "public.png", "private.png")
_PICTURES: Final = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm"}
# What reading a damaged archive, or one of something else, may raise.
BROKEN: Final = (
    OSError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
    cv2.error,
)
# The words that data sets use for the seven, AffectNet's among them.
WORDS: Final[dict[str, Expression]] = {
    **{expression.value: expression for expression in EXPRESSIONS},
    "anger": Expression.ANGRY,
    "disgusted": Expression.DISGUST,
    "fearful": Expression.FEAR,
    "afraid": Expression.FEAR,
    "happiness": Expression.HAPPY,
    "joy": Expression.HAPPY,
    "sadness": Expression.SAD,
    "surprised": Expression.SURPRISE,
    "neutrality": Expression.NEUTRAL,
}
# None of the seven: left out, and counted.
OTHER_WORDS: Final = ("contempt", "contemptuous", "other", "none", "unknown", "uncertain")
LEFT_OUT: Final = -2


@dataclass(frozen=True)
class Faces:
    """Faces that were cropped already, and what they express.

    Attributes
    ----------
    images
        uint8 [N, 48, 48], grey levels.
    labels
        int64 [N], positions in `EXPRESSIONS`; `UNLABELLED` where there is none.
    targets
        float32 [N, 7], the distribution to learn, each row in the order of `EXPRESSIONS`.
    subjects
        str [N], whose face it is, where that is known.
    left_out
        How many more there were that are labelled as none of the seven.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    targets: NDArray[np.float32]
    subjects: NDArray[np.str_] | None = None
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def chosen(self, mask: NDArray[np.bool_]) -> "Faces":
        """Return the faces where `mask` is true."""
        subjects = None if self.subjects is None else self.subjects[mask]
        chosen = self.images[mask], self.labels[mask], self.targets[mask]
        return Faces(*chosen, subjects, self.left_out)

    @property
    def labelled(self) -> "Faces":
        """The faces that have a label."""
        return self.chosen(self.labels != UNLABELLED)


@dataclass(frozen=True)
class Fer2013:
    """FER2013 (Goodfellow et al. 2013) under its own labels and under FER+'s votes.

    Attributes
    ----------
    images
        uint8 [N, 48, 48].
    usage
        uint8 [N]: 0 training, 1 public test, 2 private test.
    own_labels
        int64 [N], positions in `EXPRESSIONS`.
    votes
        uint8 [N, 10], ten annotators' votes in FER+'s columns.
    """

    images: NDArray[np.uint8]
    usage: NDArray[np.uint8]
    own_labels: NDArray[np.int64]
    votes: NDArray[np.uint8]

    def ferplus(self, usage: int) -> Faces:
        """Return one part under FER+: the vote shares, and the label most voted for.

        A face that most annotators called unknown, or no face, has no label. Where two labels
        have equally many votes, the earlier of FER+'s columns is taken.
        """
        part = self.usage == usage
        labels, targets = ferplus_truth(self.votes[part])
        return Faces(self.images[part], labels, targets)

    def fer2013(self, usage: int) -> Faces:
        """Return one part under FER2013's own labels."""
        part = self.usage == usage
        labels = self.own_labels[part]
        return Faces(self.images[part], labels, one_hot(labels))

    def copied_from_training(self, usage: int) -> NDArray[np.bool_]:
        """Return which faces of one part are exact copies of training faces, bool [n]."""
        training = {face.tobytes() for face in self.images[self.usage == 0]}
        return np.array([face.tobytes() in training for face in self.images[self.usage == usage]])


def ferplus_truth(
    votes: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the majority labels, int64 [N], and the vote shares, float32 [N, 7], of FER+ votes.

    Parameters
    ----------
    votes
        [N, 10] in FER+'s columns: the eight expressions, unknown, not a face.
    """
    column_label = np.array([*map(EXPRESSIONS.index, _VOTE_COLUMNS), UNLABELLED, UNLABELLED])
    labels = column_label[votes.argmax(axis=1)]
    shares = np.zeros((len(votes), len(EXPRESSIONS)), np.float32)
    for column, expression in enumerate(_VOTE_COLUMNS):
        shares[:, EXPRESSIONS.index(expression)] += votes[:, column]
    return labels, shares / np.maximum(shares.sum(axis=1, keepdims=True), 1)


def one_hot(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return certain distributions, float32 [N, 7], for labels, int64 [N]."""
    return np.eye(len(EXPRESSIONS), dtype=np.float32)[labels]


def find_fer2013(path: Path) -> Path | None:
    """Return FER2013's zip if `path` is one, or a folder that holds `fer2013.zip`."""
    inside = path / "fer2013.zip"
    if inside.is_file():
        return inside
    return path if path.suffix.lower() == ".zip" else None


def load_fer2013(path: Path) -> Fer2013:
    """Read FER2013 from a zip with PNG sheets of a hundred faces a row and `meta.npz`.

    Raises
    ------
    AffettiError
        The file is missing, or is not that zip.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            meta = dict(np.load(io.BytesIO(archive.read("meta.npz")), allow_pickle=False))
            sheets = [_sheet(archive.read(name)) for name in _SHEETS]
        usage = meta["usage"]
        images = np.empty((len(usage), FACE_PX, FACE_PX), np.uint8)
        for number, faces in enumerate(sheets):
            part = usage == number
            images[part] = faces[: part.sum()]
        votes = meta["ferplus_votes"].reshape(len(usage), 10)
        return Fer2013(images, usage, meta["labels"].astype(np.int64), votes)
    except BROKEN as error:
        raise unreadable(path, str(error)) from error


def _sheet(png: bytes) -> NDArray[np.uint8]:
    sheet = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if sheet is None:
        raise ValueError("a sheet of faces is not a picture")
    rows = sheet.shape[0] // FACE_PX
    grid = sheet.reshape(rows, FACE_PX, -1, FACE_PX).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(grid.reshape(-1, FACE_PX, FACE_PX))


def load_faces(path: Path, persons: bool = False) -> Faces:
    """Read labelled faces from a folder with a subfolder for each expression, or from an .npz.

    Expressions may go by any of `WORDS`; what is labelled as none of the seven (`OTHER_WORDS`)
    is left out and counted.

    Parameters
    ----------
    path
        A folder with subfolders named after expressions (any may be missing) that hold pictures
        of cropped faces, or an .npz with `images`, uint8 [N, 48, 48], and `labels`: words,
        positions in `EXPRESSIONS`, or positions in an array `names` of words.
    persons
        Whose face each is has to be known: the folder holds such folders, one a person, or the
        .npz an array `subjects`, [N].

    Raises
    ------
    AffettiError
        It is neither, holds no face, or holds something that cannot be read.
    """
    if path.is_dir():
        found = _of_persons(path) if persons else _from_folder(path)
    else:
        found = _from_npz(path, persons)
    kept = found.chosen(found.labels != LEFT_OUT)
    if not len(kept):
        raise unreadable(path, text("faces.no_labelled_face"))
    return replace(kept, left_out=len(found) - len(kept))


def _faces(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    subjects: NDArray[np.str_] | None = None,
) -> Faces:
    return Faces(images, labels, one_hot(np.maximum(labels, 0)), subjects)


def _of_persons(folder: Path) -> Faces:
    """Return the faces in a folder of persons' folders."""
    persons = [child for child in sorted(folder.iterdir()) if child.is_dir()]
    parts = [(person.name, _from_folder(person)) for person in persons]
    parts = [(name, part) for name, part in parts if len(part)]
    if not parts:
        raise unreadable(folder, text("faces.no_persons_folder_labelled"))
    subjects = np.concatenate([np.full(len(part), name) for name, part in parts])
    images = np.concatenate([part.images for _, part in parts])
    return _faces(images, np.concatenate([part.labels for _, part in parts]), subjects)


def _from_folder(folder: Path) -> Faces:
    named = [(_label_of(child.name), child) for child in folder.iterdir() if child.is_dir()]
    known = sorted((label, child) for label, child in named if label is not None)
    images, labels = [], []
    for label, child in known:
        for file in sorted(child.rglob("*")):
            if file.suffix.lower() in _PICTURES:
                images.append(_picture(file))
                labels.append(label)
    stacked = np.stack(images) if images else np.empty((0, FACE_PX, FACE_PX), np.uint8)
    return _faces(stacked, np.array(labels, np.int64))


def _label_of(word: str) -> int | None:
    """Return the label that a word stands for, `LEFT_OUT` for none of the seven; or None."""
    word = word.strip().lower()
    if word in OTHER_WORDS:
        return LEFT_OUT
    return EXPRESSIONS.index(WORDS[word]) if word in WORDS else None


def _picture(file: Path) -> NDArray[np.uint8]:
    # Not cv2.imread: it writes to the terminal when it fails.
    grey = None
    data = np.frombuffer(file.read_bytes(), np.uint8)
    if len(data):
        grey = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise unreadable(file, text("faces.not_picture"))
    if grey.shape == (FACE_PX, FACE_PX):
        return np.asarray(grey, np.uint8)
    shrinks = min(grey.shape) > FACE_PX
    resampling = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (FACE_PX, FACE_PX), interpolation=resampling), np.uint8)


def _from_npz(path: Path, persons: bool) -> Faces:
    try:
        with np.load(path, allow_pickle=False) as archive:
            images, labels = archive["images"], archive["labels"]
            names = np.atleast_1d(archive["names"]) if "names" in archive else None
            subjects = archive["subjects"].astype(np.str_) if "subjects" in archive else None
    except BROKEN as error:
        raise unreadable(path, str(error)) from error
    if labels.ndim != 1:
        raise unreadable(path, text("faces.labels_shape", list=list(labels.shape)))
    if images.dtype != np.uint8 or images.shape != (len(labels), FACE_PX, FACE_PX):
        raise unreadable(path, text("faces.images", dtype=images.dtype, list=list(images.shape)))
    if persons and (subjects is None or subjects.shape != labels.shape):
        raise unreadable(path, text("faces.not_say_whose_face"))
    return _faces(images, _labels_in(path, labels, names), subjects)


def _labels_in(path: Path, labels: NDArray[Any], names: NDArray[Any] | None) -> NDArray[np.int64]:
    """Return the labels of an .npz as positions in `EXPRESSIONS`."""
    count = len(EXPRESSIONS) if names is None else len(names)
    if labels.dtype.kind in "iu" and ((labels < 0) | (labels >= count)).any():
        raise unreadable(path, text("faces.labels_must_0_words", count=count - 1))
    if labels.dtype.kind in "iu" and names is None:
        return labels.astype(np.int64)
    words = names[labels] if names is not None and labels.dtype.kind in "iu" else labels
    if words.dtype.kind != "U":
        raise unreadable(path, text("faces.labels_must_numbers_words"))
    found = {str(word): _label_of(str(word)) for word in np.unique(words)}
    strange = sorted(word for word, label in found.items() if label is None)
    if strange:
        raise unreadable(path, text("faces.names_no_expression", strange=strange[0]))
    return np.array([found[str(word)] for word in words], np.int64)


def unreadable(path: Path, detail: str) -> AffettiError:
    """Return the error for data that cannot be read as labelled faces."""
    if not path.exists():
        detail = text("faces.missing")
    return DataError("faces.unreadable", path=path, what=detail)
