"""What a sealed file holds of each stream, read piece by piece: frames, sound, signals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias, overload

import h5py
import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.events import AudioFormat, Columns
from affetti.core.language import text
from affetti.core.recording import layout
from affetti.core.recording.pictures import decoded
from affetti.core.recording.signals import texts_of, times_s
from affetti.core.streams import TEXT, SourceClock, Stream

_SLAB_BYTES: Final = 4 << 20

Compare: TypeAlias = Callable[[NDArray[Any]], None]  # of records, by `seq`, that they are as sealed


def _take(seqs: NDArray[Any]) -> None:
    """Take records for what was sealed."""


class StoredBytes:
    """Reads slices of a long one-dimensional data set a slab at a time."""

    def __init__(self, path: Path, dataset: h5py.Dataset, at_once: int = _SLAB_BYTES) -> None:
        self._path = path
        self._dataset = dataset
        self._at_once = at_once
        self._start = self._stop = 0
        self._slab = b""

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` to `stop`, exclusive."""
        if not self._start <= start <= stop <= self._stop:
            self._start = start
            self._stop = min(max(stop, start + self._at_once), self._dataset.shape[0])
            with layout.reading(self._path, self._dataset):
                self._slab = self._dataset[start : self._stop].tobytes()
        return self._slab[start - self._start : stop - self._start]


class StoredSamples:
    """Reads rows of a data set of numbers, [n] or [n, channels], a slab at a time."""

    def __init__(self, path: Path, dataset: h5py.Dataset) -> None:
        self._path = path
        self._dataset = dataset
        self._start = self._stop = 0
        row_bytes = dataset.dtype.itemsize * max(1, int(np.prod(dataset.shape[1:])))
        self._rows = max(1, _SLAB_BYTES // row_bytes)
        self._slab: NDArray[Any] = np.empty(0, dataset.dtype)

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes of rows `start` to `stop`, exclusive."""
        if not self._start <= start <= stop <= self._stop:
            self._start = start
            self._stop = min(max(stop, start + self._rows), self._dataset.shape[0])
            with layout.reading(self._path, self._dataset):
                self._slab = self._dataset[start : self._stop]
        return self._slab[start - self._start : stop - self._start].tobytes()


@dataclass(frozen=True)
class Frame:
    """One frame of a video stream."""

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
        picture = decoded(self.jpeg)
        if picture is None:
            raise ValueError(f"frame {self.frame} is no readable JPEG")
        return picture


class Frames(Sequence[Frame]):
    """The frames of a video stream: a lazy sequence, read one by one.

    One that is not what was sealed raises `Damaged`; so do sound and signals.

    Attributes
    ----------
    t_ns
        int64 [n], when each frame was captured.
    """

    def __init__(
        self, jpeg: "StoredBytes | None", index: NDArray[Any], *, compare: Compare = _take
    ) -> None:
        self._jpeg = jpeg
        self._compare = compare
        self._index = index
        self.t_ns: NDArray[np.int64] = index["t_ns"]

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        if not len(self):
            return "<Frames: none>"
        first_s, last_s = self.t_ns[0] / NS_PER_S, self.t_ns[-1] / NS_PER_S
        return f"<Frames: {len(self)}, from {first_s:.3f} to {last_s:.3f} s>"

    @overload
    def __getitem__(self, item: int) -> Frame: ...
    @overload
    def __getitem__(self, item: "slice | Sequence[int] | NDArray[Any]") -> "Frames": ...
    def __getitem__(self, item: "int | slice | Sequence[int] | NDArray[Any]") -> "Frame | Frames":
        if isinstance(item, slice):
            return Frames(self._jpeg, self._index[item], compare=self._compare)
        if not isinstance(item, int | np.integer):
            chosen = np.asarray(item)
            rows = self._index[chosen if len(chosen) else slice(0)]
            return Frames(self._jpeg, rows, compare=self._compare)
        row = self._index[item]
        if self._jpeg is None:
            raise IndexError(item)
        start, length = int(row["offset"]), int(row["length"])
        self._compare(row["seq"].reshape(1))
        return Frame(int(row["frame"]), int(row["t_ns"]), self._jpeg.read(start, start + length))

    @property
    def rows(self) -> NDArray[Any]:
        """A row a frame, `core.recording.layout.FRAME_ROW` [n]."""
        return self._index

    @property
    def size(self) -> int:
        """How many bytes they have, as they are encoded."""
        return int(self._index["length"].sum(dtype=np.int64))

    def between(self, start_s: float, stop_s: float) -> "Frames":
        """Return the frames captured from `start_s` to `stop_s` (exclusive) of session time."""
        bounds_ns = [start_s * NS_PER_S, stop_s * NS_PER_S]
        first, last = np.searchsorted(self.t_ns, bounds_ns)
        return self[int(first) : max(int(first), int(last))]

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
        self,
        path: Path,
        samples: h5py.Dataset | None,
        blocks: NDArray[Any],
        form: AudioFormat,
        *,
        compare: Compare = _take,
    ) -> None:
        self._path = path
        self._compare = compare
        self._samples = samples
        self.blocks = blocks
        self.rate_hz = form.rate_hz
        self.channels = form.channels
        self.samples = 0 if samples is None else int(samples.shape[0])

    def __repr__(self) -> str:
        form = f"{self.rate_hz} Hz, channels: {self.channels}"
        return f"<Audio: {self.samples / self.rate_hz:.3f} s, {form}>"

    def between(self, start_s: float, stop_s: float) -> NDArray[np.int16]:
        """Return what was heard between two moments of session time, as `read` does."""
        return self.read(start_s, stop_s)

    def read_samples(self, start: int, stop: int) -> NDArray[np.int16]:
        """Return samples `start` to `stop` (exclusive), int16 [n, channels], clipped to range."""
        if self._samples is None:
            return np.empty((0, self.channels), np.int16)
        start, stop = max(start, 0), max(min(stop, self.samples), 0)
        ends = self.blocks["row"] + self.blocks["count"]
        self._compare(self.blocks["seq"][(ends > start) & (self.blocks["row"] < stop)])
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


class Signal:
    """A signal of a session.

    Attributes
    ----------
    stream
        As it was declared: its channels with their units, its rate, where it came from.
    blocks
        `core.recording.layout.SIGNAL_ROW` [n]: which samples came when.
    clocks
        What was measured of the clock that stamped it, one for each time its source was there,
        with the `seq` from which it holds.
    """

    def __init__(
        self,
        path: Path,
        stream: Stream,
        data: "tuple[h5py.Dataset, h5py.Dataset] | None",
        blocks: NDArray[Any],
        clocks: list[tuple[int, SourceClock]],
        *,
        compare: Compare = _take,
    ) -> None:
        self._compare = compare
        self._path = path
        self._data = data  # values, stamps
        self.stream = stream
        self.blocks = blocks
        self.clocks = clocks

    def __len__(self) -> int:
        return 0 if self._data is None else int(self._data[1].shape[0])

    def __repr__(self) -> str:
        channels = ", ".join(
            f"{each.name} ({each.unit})" if each.unit else each.name
            for each in self.stream.channels
        )
        return f"<Signal {self.stream.name}: {len(self)} samples of {channels}>"

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(channel.name for channel in self.stream.channels)

    @cached_property
    def stamps_s(self) -> NDArray[np.float64]:
        """The stamps as its source gave them, seconds [n]."""
        if self._data is None:
            return np.empty(0)
        self._compare(self.blocks["seq"])
        with layout.reading(self._path, self._data[1]):
            return np.asarray(self._data[1][:], np.float64)

    @cached_property
    def t_s(self) -> NDArray[np.float64]:
        """When each sample was taken, seconds of session time [n]."""
        return times_s(self.blocks, self.stamps_s, self.clocks)

    @property
    def stored_t_s(self) -> NDArray[np.float64]:
        """The same as the file has it for other programs: nothing here rests on it."""
        name = f"signals/{self.stream.name}/t_s"
        if self._data is None:
            return np.empty(0)
        stored = layout.table(self._path, self._data[0].file, name, np.dtype("<f8"))
        if len(stored) != len(self):
            raise layout.damaged(self._path, text("damage.another_length_than_samples", name=name))
        return np.asarray(stored, np.float64)

    @cached_property
    def offsets(self) -> Columns:
        """What was measured of its clock: `t_s` of the session, and `source_s` by that clock."""
        anchors = [anchor for _, clock in self.clocks for anchor in clock.anchors]
        return {
            "t_s": np.array([t_ns / NS_PER_S for _, t_ns in anchors]),
            "source_s": np.array([source_s for source_s, _ in anchors]),
        }

    @cached_property
    def values(self) -> NDArray[Any]:
        """The samples [n, channels]: numbers of the declared type, or texts as dtype object."""
        shape = len(self), len(self.stream.channels)
        if self._data is None:
            return np.empty(shape, object)
        self._compare(self.blocks["seq"])
        with layout.reading(self._path, self._data[0]):
            stored = self._data[0][:]
        if self.stream.encoding != TEXT:
            return np.asarray(stored)
        texts = np.empty(shape, object)
        for block in self.blocks:
            row, count, at = int(block["row"]), int(block["count"]), int(block["offset"])
            data = stored[at : at + int(block["length"])].tobytes()
            texts[row : row + count] = self._texts(data, count)
        return texts

    def _texts(self, data: bytes, count: int) -> list[list[str]]:
        with layout.reading(self._path):
            rows = texts_of(data)
        if len(rows) != count or any(len(row) != len(self.stream.channels) for row in rows):
            raise layout.damaged(
                self._path, text("damage.signals_other_texts", stream=self.stream.name)
            )
        return rows
