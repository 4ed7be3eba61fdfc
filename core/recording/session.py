"""A sealed recording, to be read: `Session.open(path)`, and everything is an attribute.

with Session.open("sub-P07_ses-20261124T101500.h5") as session:
    session.info.duration_s
    session.frames.at(12.5).image()
    session.audio("room").read(10.0, 20.0)
    session.estimates.fused["happiness"]
"""

import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, overload

import h5py
import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    ESTIMATE_TABLES,
    AnyEvent,
    AudioCaptured,
    AudioFormat,
    Columns,
    FrameCaptured,
    MarkerAdded,
    NoteAdded,
    SessionStarted,
    UnknownEvent,
    columns,
    decode,
    estimate_kind,
    major,
)
from affetti.core.events.estimates import MODALITY_PATTERN
from affetti.core.recording import layout
from affetti.core.recording.info import SessionInfo, describe
from affetti.core.recording.records import Record
from affetti.core.state import SessionState, Track

MAX_SESSION_NS: Final = 14 * 24 * 3600 * NS_PER_S  # ticks are counted up to the end
_SLAB_BYTES: Final = 4 << 20


@dataclass(frozen=True)
class Frame:
    """One camera frame."""

    frame: int
    t_ns: int
    jpeg: bytes = field(repr=False)

    @property
    def t_s(self) -> float:
        """When it was captured, in seconds of session time."""
        return self.t_ns / NS_PER_S

    def image(self) -> NDArray[np.uint8]:
        """Return the picture, uint8 [height, width, 3], blue-green-red as OpenCV has it.

        Raises
        ------
        ValueError
            The JPEG is damaged.
        """
        import cv2  # noqa: PLC0415  heavy, and most readers never look at a picture

        picture = cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f"frame {self.frame} is no readable JPEG")
        return np.asarray(picture, np.uint8)


class Frames(Sequence[Frame]):
    """The frames of a session: a lazy sequence, read one by one.

    Attributes
    ----------
    t_ns
        int64 [n], when each frame was captured.
    """

    def __init__(self, jpeg: "_Bytes | None", index: NDArray[Any]) -> None:
        self._jpeg = jpeg
        self._index = index
        self.t_ns: NDArray[np.int64] = index["t_ns"]

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, item: int) -> Frame: ...
    @overload
    def __getitem__(self, item: slice) -> "Frames": ...
    def __getitem__(self, item: int | slice) -> "Frame | Frames":
        if isinstance(item, slice):
            return Frames(self._jpeg, self._index[item])
        row = self._index[item]
        if self._jpeg is None:
            raise IndexError(item)
        start, length = int(row["offset"]), int(row["length"])
        return Frame(int(row["frame"]), int(row["t_ns"]), self._jpeg.read(start, start + length))

    def at(self, t_s: float) -> Frame:
        """Return the frame on view at `t_s`: the last one captured by then, else the first.

        Raises
        ------
        IndexError
            There are no frames.
        """
        found = int(np.searchsorted(self.t_ns, round(t_s * NS_PER_S), side="right")) - 1
        return self[max(found, 0)]


class Audio:
    """An audio stream of a session.

    Attributes
    ----------
    rate_hz, channels
        Its form.
    samples
        How many samples each channel has.
    blocks
        `core.recording.layout.BLOCK_ROW` [n]: which sample was heard when.
    """

    def __init__(
        self, path: Path, samples: h5py.Dataset | None, blocks: NDArray[Any], form: AudioFormat
    ) -> None:
        self._path = path
        self._samples = samples
        self.blocks = blocks
        self.rate_hz = form.rate_hz
        self.channels = form.channels
        self.samples = 0 if samples is None else int(samples.shape[0])

    def read_samples(self, start: int, stop: int) -> NDArray[np.int16]:
        """Return samples `start` to `stop` (exclusive), int16 [n, channels], clipped to range."""
        if self._samples is None:
            return np.empty((0, self.channels), np.int16)
        start, stop = max(start, 0), max(min(stop, self.samples), 0)
        with layout.reading(self._path, self._samples):
            return np.asarray(self._samples[start : max(start, stop)], np.int16)

    def read(self, start_s: float = 0.0, stop_s: float = float("inf")) -> NDArray[np.int16]:
        """Return what was heard from `start_s` to `stop_s` of session time.

        Returns
        -------
        int16 [n, channels]. Where sound is missing the result is shorter than the time asked
        for; `blocks` says where.
        """
        return self.read_samples(self.row_at(start_s), self.row_at(stop_s))

    def row_at(self, t_s: float) -> int:
        """Return the first sample heard at or after session time `t_s`."""
        if not len(self.blocks) or t_s == float("inf"):
            return self.samples
        t_ns = round(t_s * NS_PER_S)
        i = int(np.searchsorted(self.blocks["t_ns"], t_ns, side="right")) - 1
        if i < 0:
            return 0
        block = self.blocks[i]
        inside = -(-(t_ns - int(block["t_ns"])) * self.rate_hz // NS_PER_S)
        return int(block["row"]) + min(inside, int(block["count"]))


class Estimates(Mapping[str, Columns]):
    """The live estimates by modality, as columns; see `core.events.columns` for their names."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._read: dict[str, Columns] = {}

    def __getitem__(self, modality: str) -> Columns:
        if modality not in self._names:
            raise KeyError(modality)
        if modality not in self._read:
            self._read[modality] = self._session.estimate_columns(modality)
        return self._read[modality]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        found = self._session.modalities()
        return tuple(ESTIMATE_TABLES) + tuple(n for n in found if n not in ESTIMATE_TABLES)

    @property
    def face(self) -> Columns:
        """Columns of `FaceEstimated`."""
        return self["face"]

    @property
    def music(self) -> Columns:
        """Columns of `MusicEstimated`."""
        return self["music"]

    @property
    def fused(self) -> Columns:
        """Columns of `EmotionFused`."""
        return self["fused"]


class _Bytes:
    """Reads slices of a long one-dimensional data set a slab at a time."""

    def __init__(self, path: Path, dataset: h5py.Dataset) -> None:
        self._path = path
        self._dataset = dataset
        self._start = self._stop = 0
        self._slab = b""

    def read(self, start: int, stop: int) -> bytes:
        if not self._start <= start <= stop <= self._stop:
            self._start = start
            self._stop = min(max(stop, start + _SLAB_BYTES), self._dataset.shape[0])
            with layout.reading(self._path, self._dataset):
                self._slab = self._dataset[start : self._stop].tobytes()
        return self._slab[start - self._start : stop - self._start]


class _Samples:
    """Reads blocks of an audio data set a slab at a time."""

    def __init__(self, path: Path, dataset: h5py.Dataset) -> None:
        self._path = path
        self._dataset = dataset
        self._start = self._stop = 0
        self._slab = np.empty((0, 0), np.int16)

    def read(self, start: int, stop: int) -> bytes:
        if not self._start <= start <= stop <= self._stop:
            rows = _SLAB_BYTES // (2 * self._dataset.shape[1])
            self._start = start
            self._stop = min(max(stop, start + rows), self._dataset.shape[0])
            with layout.reading(self._path, self._dataset):
                self._slab = self._dataset[start : self._stop]
        return self._slab[start - self._start : stop - self._start].tobytes()


class Session:
    """A sealed recording. Made by `Session.open`; use it in a `with` block, or `close` it."""

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        self.schema_version = layout.text_attribute(file, "schema_version")
        major(self.schema_version)
        self.log_sha256 = layout.text_attribute(file, "log_sha256")
        self._index = layout.table(path, file, "events/index", layout.EVENT_ROW)
        self._json = layout.dataset(path, file, "events/json", np.uint8)
        self._refuse_outside(self._index, self._json.shape[0], "events/index")
        t_ns = self._index["t_ns"]
        if len(t_ns) and not -MAX_SESSION_NS <= t_ns.min() <= t_ns.max() <= MAX_SESSION_NS:
            raise layout.damaged(path, "it claims to last for weeks")
        self.estimates = Estimates(self)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a sealed recording.

        Raises
        ------
        AffettiError
            It is missing, damaged, unsealed, of a later version, or another program's.
        """
        path = Path(path)
        file = layout.open_sealed(path)
        try:
            with layout.reading(path):
                return cls(path, file)
        except BaseException:
            file.close()
            raise

    def close(self) -> None:
        """Close the file; what was read stays."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        return f"<Session {self.path.name}: {self.duration_s:.1f} s, {len(self)} events>"

    @cached_property
    def events(self) -> list[AnyEvent | UnknownEvent]:
        """Every event in order, without blobs."""
        reader = _Bytes(self.path, self._json)
        return [decode(self._json_of(reader, row), self.schema_version) for row in self._index]

    @cached_property
    def state(self) -> SessionState:
        """The fold over all events."""
        state = SessionState()
        for event in self.events:
            state.apply(event)
        return state

    @cached_property
    def started(self) -> SessionStarted:
        """The first event."""
        started = self.state.started
        if started is None:
            raise layout.damaged(self.path, "it does not say how the session started")
        return started

    @property
    def session_id(self) -> str:
        """The id of the session, read without its events.

        Raises
        ------
        AffettiError
            The recording is damaged.
        """
        return layout.text_attribute(self._file, "session_id")

    @cached_property
    def info(self) -> SessionInfo:
        """The recording in brief."""
        _ = self.started
        return describe(self.state, sealed=True, log_sha256=self.log_sha256)

    @property
    def duration_s(self) -> float:
        """Length of the session in seconds."""
        return self.state.duration_s

    @property
    def tracks(self) -> list[Track]:
        """What was played, in order."""
        return self.state.tracks

    @property
    def markers(self) -> list[MarkerAdded]:
        """The therapist's markers, in order."""
        return self.state.markers

    @property
    def notes(self) -> list[NoteAdded]:
        """The therapist's notes, in order."""
        return self.state.notes

    @cached_property
    def frames(self) -> Frames:
        """The frames, read lazily."""
        if not self._has("video"):
            return Frames(None, np.empty(0, layout.FRAME_ROW))
        index = layout.table(self.path, self._file, "video/index", layout.FRAME_ROW)
        jpeg = layout.dataset(self.path, self._file, "video/jpeg", np.uint8)
        self._refuse_outside(index, jpeg.shape[0], "video/index")
        return Frames(_Bytes(self.path, jpeg), index)

    def audio(self, stream: str) -> Audio:
        """Return an audio stream, "room" or "playback"; an empty one where it was not recorded.

        Raises
        ------
        KeyError
            There is no stream of that name in any recording.
        """
        if stream not in layout.STREAMS:
            raise KeyError(f"streams are {' and '.join(layout.STREAMS)}, not {stream!r}")
        if stream not in self._audio:
            form = self.started.streams.get(stream, AudioFormat(44_100, 1))
            self._audio[stream] = self._open_audio(stream, form)
        return self._audio[stream]

    @cached_property
    def _audio(self) -> dict[str, Audio]:
        return {}

    def _open_audio(self, stream: str, form: AudioFormat) -> Audio:
        name = f"audio/{stream}"
        if not self._has("audio", stream):
            return Audio(self.path, None, np.empty(0, layout.BLOCK_ROW), form)
        samples = layout.dataset(self.path, self._file, f"{name}/samples", np.dtype("<i2"), ndim=2)
        blocks = layout.table(self.path, self._file, f"{name}/blocks", layout.BLOCK_ROW)
        fits = 1 <= form.channels <= layout.MAX_CHANNELS and 1 <= form.rate_hz <= layout.MAX_RATE_HZ
        if not fits or samples.shape[1] != form.channels:
            raise layout.damaged(self.path, f"/{name} has not the form its session says")
        ends = blocks["row"] + blocks["count"]
        if len(blocks) and (blocks["row"].min() < 0 or ends.max() > samples.shape[0]):
            raise layout.damaged(self.path, f"/{name}/blocks points outside its samples")
        return Audio(self.path, samples, blocks, form)

    def modalities(self) -> list[str]:
        """Return the modalities that the file has columns of, in order of their names."""
        if not self._has("estimates"):
            return []
        with layout.reading(self.path):
            return sorted(n for n in self._file["estimates"] if re.match(MODALITY_PATTERN, n))

    def estimate_columns(self, name: str) -> Columns:
        """Return the columns of /estimates/`name`, a modality."""
        group = f"estimates/{name}"
        if not self._has("estimates", name):
            return {}
        with layout.reading(self.path):
            found = list(self._file[group])
        table = {
            column: layout.table(self.path, self._file, f"{group}/{column}", None)
            for column in found
        }
        if len({len(values) for values in table.values()}) > 1:
            raise layout.damaged(self.path, f"/{group} has columns of different length")
        rows = len(next(iter(table.values()), ()))
        # What an earlier minor version did not know of is not known of its recordings.
        unknown = {
            column: np.full(rows, np.nan)
            for column in columns(estimate_kind(name), [])
            if column not in table
        }
        return unknown | {
            column: np.char.decode(values, "utf-8").astype(object)
            if values.dtype.kind == "S"
            else values
            for column, values in table.items()
        }

    def records(self) -> Iterator[Record]:
        """Yield every event as it is stored, with its blob, in order.

        Raises
        ------
        AffettiError
            A blob is missing.
        """
        blobs = _Blobs(self)
        reader = _Bytes(self.path, self._json)
        for row in self._index:
            seq = int(row["seq"])
            kind = bytes(row["kind"]).decode("ascii", "replace")
            yield Record(
                seq=seq,
                t_ns=int(row["t_ns"]),
                kind=kind,
                json=self._json_of(reader, row),
                blob=blobs(seq, kind),
                crc32=int(row["crc32"]),
            )

    def verified_records(self) -> Iterator[Record]:
        """Yield every event like `records`, compared with its check sum, and at last the log's.

        Raises
        ------
        AffettiError
            A record, or the log as a whole, is not what was written.
        """
        digest = hashlib.sha256()
        for record in self.records():
            if zlib.crc32(record.blob, zlib.crc32(record.json)) != record.crc32:
                raise layout.damaged(self.path, f"event {record.seq} was altered")
            digest.update(record.json)
            digest.update(record.blob)
            yield record
        if digest.hexdigest() != self.log_sha256:
            raise layout.damaged(self.path, "its log is not the one that was sealed")

    def verify_digest(self) -> None:
        """Read everything and compare it with its check sums.

        Raises
        ------
        AffettiError
            A record, or the log as a whole, is not what was written.
        """
        for _ in self.verified_records():
            pass

    def _has(self, *steps: str) -> bool:
        """Whether the file has a group of its own at a path."""
        group: Any = self._file
        for step in steps:
            with layout.reading(self.path, self._file):
                if not isinstance(group.get(step, getlink=True), h5py.HardLink):
                    return False
                group = group[step]
            if not isinstance(group, h5py.Group):
                raise layout.damaged(self.path, f"/{'/'.join(steps)} is no group")
        return True

    def _json_of(self, reader: _Bytes, row: Any) -> bytes:
        start = int(row["offset"])
        return reader.read(start, start + int(row["length"]))

    def _refuse_outside(self, index: NDArray[Any], size: int, name: str) -> None:
        if not len(index):
            return
        offsets, lengths = index["offset"], index["length"].astype(np.uint64)
        if offsets.max() > size or (offsets + lengths).max() > size:
            raise layout.damaged(self.path, f"/{name} points outside its data")


class _Blobs:
    """Finds the blob of a record by its `seq`, best in rising order."""

    def __init__(self, session: Session) -> None:
        self._path = session.path
        frames = session.frames
        self._frames = frames
        self._frame_of = {int(seq): i for i, seq in enumerate(frames._index["seq"])}
        self._sound: dict[int, tuple[_Samples, int, int]] = {}
        for name in layout.STREAMS:
            audio = session.audio(name)
            if audio._samples is None:
                continue
            reader = _Samples(session.path, audio._samples)
            for row in audio.blocks:
                start, count = int(row["row"]), int(row["count"])
                self._sound[int(row["seq"])] = (reader, start, start + count)

    def __call__(self, seq: int, kind: str) -> bytes:
        if kind == FrameCaptured.__name__ and seq in self._frame_of:
            return self._frames[self._frame_of[seq]].jpeg
        if kind == AudioCaptured.__name__ and seq in self._sound:
            reader, start, stop = self._sound[seq]
            return reader.read(start, stop)
        if kind in (FrameCaptured.__name__, AudioCaptured.__name__):
            raise layout.damaged(self._path, f"event {seq} has lost its {kind} data")
        return b""
