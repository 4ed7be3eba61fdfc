"""The sound that a film brings along, in step with its pictures by its own time stamps."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.events import AudioFormat
from affetti.recorder.sources.container import nanoseconds, opened
from affetti.recorder.sources.pyav import pyav
from affetti.recorder.sources.sound import samples_of
from affetti.recorder.sources.stream import BLOCK
from affetti.recorder.sources.track import Converter, form_for, mixed

_JITTER_NS: Final = 2_000_000  # by which stamps are rounded
_GAP_NS: Final = 50_000_000  # from here on sound is missing, and not merely stamped roughly
_PADDING: Final = 4096  # samples that an encoder may have added at the end, at most
_UNREAD_NS: Final = 200_000_000  # by which a header may promise too much
_PERSISTENCE: Final = 20  # reads that fail in a row before the rest counts as lost


@dataclass(frozen=True)
class Heard:
    """Sound, int16 [n, channels], whose first sample is heard at `t_ns` from the film's start."""

    samples: NDArray[np.int16]
    t_ns: int


@dataclass(frozen=True)
class Missing:
    """Sound that is not there before `t_ns`, or at the end behind it."""

    t_ns: int
    samples: int  # as far as known
    undecodable: bool


class Soundtrack:
    """The first stream of sound in a film that can be decoded.

    Its samples are kept as they are at the file's own rate; a rate outside 8,000 to 192,000 Hz
    becomes 44,100 or 48,000 Hz. More than two channels are averaged into one, which both then
    carry. Made by `Soundtrack.of`.

    Attributes
    ----------
    form
        Of the samples that it yields.
    end_ns
        How far it was read, from the film's start.
    """

    def __init__(self, file: Any, stream: Any) -> None:
        self._file = file
        self._stream = stream
        self._start_ns = None if file.start_time is None else file.start_time * 1000
        self.form: AudioFormat = form_for([(stream.rate, stream.channels)])
        self._line = _Line(self.form)
        self._failed = False
        self.end_ns = 0

    @classmethod
    def of(cls, path: Path) -> "Soundtrack | None":
        """Open the sound of a film; None where it has none that can be decoded."""
        try:
            file = opened(path)
        except (pyav().FFmpegError, ValueError, OSError):
            return None  # what is wrong with it, its pictures say
        for stream in file.streams.audio:
            if stream.codec_context is not None and stream.rate and stream.channels:
                return cls(file, stream)
        file.close()
        return None

    def items(self) -> Iterator[Heard | Missing]:
        """Yield the sound in blocks, and before a block what is missing."""
        for item in _unpadded(self._items(), self._stated_end_ns(), self.form):
            length = len(item.samples) if isinstance(item, Heard) else 0
            self.end_ns = item.t_ns + length * NS_PER_S // self.form.rate_hz
            yield item

    def _items(self) -> Iterator[Heard | Missing]:
        for frame in self._frames():
            stamp_ns = self._stamp_ns(frame)
            rate_hz, samples = frame.sample_rate, samples_of(frame)
            gap_ns = self._line.gap_ns(stamp_ns, rate_hz)
            if gap_ns:
                yield from self._line.rest()
                yield self._missing(gap_ns)
            yield from self._line.heard(samples, rate_hz, stamp_ns)
        yield from self._line.rest()
        unread = self._unread_ns() * self.form.rate_hz // NS_PER_S
        if self._failed or unread:
            yield Missing(self._line.now_ns, unread, undecodable=True)

    def _unread_ns(self) -> int:
        """Return how much less was found than the sound's own track says that there is."""
        end_ns = self._stated_end_ns() if self._stream.duration else None
        missing_ns = (end_ns or 0) - self._line.now_ns
        return missing_ns if missing_ns > _UNREAD_NS else 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _stated_end_ns(self) -> int | None:
        length, first = self._stream.duration, self._stream.start_time
        if length and self._start_ns is not None:
            end_ns = round((length + (first or 0)) * self._stream.time_base * NS_PER_S)
            return int(end_ns - self._start_ns)
        return int(self._file.duration) * 1000 if self._file.duration else None

    def _missing(self, gap_ns: int) -> Missing:
        undecodable, self._failed = self._failed, False
        count = gap_ns * self.form.rate_hz // NS_PER_S
        return Missing(self._line.now_ns + gap_ns, count, undecodable)

    def _frames(self) -> Iterator[Any]:
        av = pyav()
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self._failed = True
                continue
            yield from (frame for frame in frames if frame.samples)

    def _packets(self) -> Iterator[Any]:
        av, failures = pyav(), 0
        while failures < _PERSISTENCE:
            try:
                for packet in self._file.demux(self._stream):
                    failures = 0
                    yield packet
            except av.FFmpegError:
                failures += 1
            else:
                return
        self._failed = True

    def _stamp_ns(self, frame: Any) -> int | None:
        if frame.pts is None:
            return None
        stamp_ns = nanoseconds(frame.pts, frame.time_base)
        if self._start_ns is None:
            self._start_ns = stamp_ns
        return stamp_ns - int(self._start_ns)


def _unpadded(
    items: Iterator[Heard | Missing], end_ns: int | None, form: AudioFormat
) -> Iterator[Heard | Missing]:
    """Yield what is heard up to where the film says that it ends, but for a few samples more.

    Those an encoder added to fill its last block. A film that has more than that is believed, and
    not its header.
    """
    held: list[Heard] = []
    for item in items:
        within = end_ns is None or not isinstance(item, Heard) or _left(item, end_ns, form) < 1
        if within:
            yield from held
            held = []
            yield item
        elif isinstance(item, Heard):
            held.append(item)
        if sum(len(each.samples) for each in held) > _PADDING:
            yield from held
            held, end_ns = [], None
    for item in held:
        if keep := len(item.samples) - _left(item, end_ns or 0, form):
            yield Heard(item.samples[:keep], item.t_ns)


def _left(item: Heard, end_ns: int, form: AudioFormat) -> int:
    """Return how many of the samples of a block begin at or after a moment."""
    before = -(-(end_ns - item.t_ns) * form.rate_hz // NS_PER_S)
    return len(item.samples) - min(max(before, 0), len(item.samples))


class _Line:
    """Where sound lies in the time of its film: by its stamps, and between them by its samples."""

    def __init__(self, form: AudioFormat) -> None:
        self._form = form
        self._converter = Converter(form)
        self._anchor_ns: int | None = None  # of the present stretch
        self._rate_hz = form.rate_hz
        self._taken = self._given = 0  # samples of it, in and out
        self._shift_ns = 0  # added to stamps, since they went back
        self._last_ns = -1

    @property
    def now_ns(self) -> int:
        """When what was taken so far is over."""
        return (self._anchor_ns or 0) + self._taken * NS_PER_S // self._rate_hz

    def gap_ns(self, stamp_ns: int | None, rate_hz: int) -> int:
        """Return how much is missing before a frame; 0 where it follows on what was taken."""
        if stamp_ns is None or self._anchor_ns is None:
            return 0
        off_ns = stamp_ns + self._shift_ns - self.now_ns
        return off_ns if off_ns > _GAP_NS else 0

    def heard(
        self, samples: NDArray[np.int16], rate_hz: int, stamp_ns: int | None
    ) -> Iterator[Heard]:
        """Take in the samples of a frame, and yield what is ready."""
        if rate_hz != self._rate_hz and self._taken:
            yield from self.rest()
        self._place(stamp_ns)
        self._rate_hz = rate_hz
        self._taken += len(samples)
        for block in self._converter.converted(mixed(samples, self._form.channels), rate_hz):
            yield from self._blocks(block)

    def rest(self) -> Iterator[Heard]:
        """Yield what is left of the present stretch; what comes next begins another."""
        for block in self._converter.rest():
            yield from self._blocks(block)
        if self._anchor_ns is not None:
            self._anchor_ns = self.now_ns
        self._taken = self._given = 0

    def _place(self, stamp_ns: int | None) -> None:
        if self._anchor_ns is None:
            self._anchor_ns = max(0, stamp_ns or 0)
        elif stamp_ns is not None:
            off_ns = stamp_ns + self._shift_ns - self.now_ns
            if off_ns < -_GAP_NS:  # where two films were joined: time goes on
                self._shift_ns -= off_ns
            elif abs(off_ns) > _JITTER_NS:
                self._anchor_ns += off_ns

    def _blocks(self, samples: NDArray[np.int16]) -> Iterator[Heard]:
        for first in range(0, len(samples), BLOCK):
            block = samples[first : first + BLOCK]
            t_ns = (self._anchor_ns or 0) + self._given * NS_PER_S // self._form.rate_hz
            self._last_ns = max(t_ns, self._last_ns + 1)
            self._given += len(block)
            yield Heard(block, self._last_ns)
