"""The sound of the room: a microphone, or a sound file that stands in for one."""

import os
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S, SessionClock
from affetti.core.errors import AffettiError
from affetti.core.events import AudioFormat, GapCause
from affetti.core.paths import typed
from affetti.core.settings import Settings
from affetti.core.streams import ROOM, Stream, audio_stream
from affetti.recorder.sources import AudioSource, Sink
from affetti.recorder.sources.pace import FILE_PATIENCE_S, begin_ns, wait_until
from affetti.recorder.sources.portaudio import (
    HOLE_NS,
    QUEUED_BLOCKS,
    SILENT_S,
    CardClock,
    CardStream,
)
from affetti.recorder.sources.sound import Decoded
from affetti.recorder.sources.stream import BLOCK, StreamLog
from affetti.recorder.sources.track import (
    SUFFIXES,
    Converter,
    Track,
    common_format,
    decode,
    mixed,
    open_track,
)


def open_microphone(name: str) -> AudioSource:
    """Return the source that `name` means; it is not open yet.

    Parameters
    ----------
    name
        A device's name or a part of it, "" for the system's default, or the path of a sound
        file, which is then heard in real time.
    """
    if not name:
        return Microphone(name)
    path = typed(name)
    if path.suffix.lower() in SUFFIXES or os.path.isfile(path):
        return SoundFile(path)
    return Microphone(name)


def microphone_source(name: str, settings: Settings) -> AudioSource:
    """Return the source of `microphone:NAME`."""
    return open_microphone(name)


class SoundFile:
    """A sound file heard in real time, as stream "room".

    Its samples are kept as they are, at the file's own rate; a rate outside 8,000 to 192,000 Hz
    becomes 44,100 or 48,000 Hz. More than two channels are averaged into one, which both
    channels then carry.
    """

    finite = True
    scope = ROOM

    def __init__(self, path: Path) -> None:
        self._path = path
        self._track: Track | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.ended = threading.Event()
        self.begin_ns: int | None = None  # when its time begins; None: when it is started
        self.format = AudioFormat(rate_hz=44100, channels=1)

    @property
    def description(self) -> str:
        """The file's name, without its folder."""
        return self._path.name

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The sound of the room."""
        return (audio_stream(ROOM, self.format, source=self.description),)

    def open(self) -> None:
        """Check the file; AffettiError when it is missing or cannot be decoded."""
        self._track = open_track(self._path)
        self.format = common_format([self._track])

    def start(self, sink: Sink) -> None:
        """Begin to hear it."""
        if self._track is None:
            raise RuntimeError("a source is opened before it is started")
        self._thread = threading.Thread(
            target=self._run,
            args=(self._track, sink, begin_ns(self.begin_ns, sink)),
            name="hear",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, track: Track, sink: Sink, start_ns: int) -> None:
        stream = StreamLog(ROOM, self.format, sink, FILE_PATIENCE_S)
        heard, decoded = 0, Decoded()
        try:
            for block in _blocks(track, self.format, decoded):
                t_ns = start_ns + heard * NS_PER_S // self.format.rate_hz
                heard += len(block)
                end_ns = start_ns + heard * NS_PER_S // self.format.rate_hz
                if not wait_until(end_ns, sink, self._stopping):
                    break
                stream.keep(block, t_ns)
            else:
                self._tell_missing(track, decoded, heard, stream, sink)
        except AffettiError:
            self._tell_missing(track, decoded, heard, stream, sink)
        stream.tell_losses(sink.clock.now_ns())
        self.ended.set()

    def _tell_missing(
        self, track: Track, decoded: Decoded, heard: int, stream: StreamLog, sink: Sink
    ) -> None:
        """Tell of what the file should have held, by its own word, and did not."""
        loss = decoded.loss(track.found)
        if loss is not None:
            stated = round((loss.stated_s or loss.decoded_s) * self.format.rate_hz)
            stream.gap(max(0, stated - heard), "undecodable", sink.clock.now_ns())


def _blocks(track: Track, form: AudioFormat, decoded: Decoded) -> Iterator[NDArray[np.int16]]:
    """Cut a track into blocks as small as a sound card's."""
    for block in decode(track, form, decoded):
        for first in range(0, len(block), BLOCK):
            yield block[first : first + BLOCK]


@dataclass(frozen=True)
class _Heard:
    """What the sound card brought in one callback."""

    samples: NDArray[np.int16]
    t_ns: int  # when the first sample was captured
    form: AudioFormat
    overflow: bool  # sound before it was lost in the card
    lost: int  # samples that found no room on the way to the log


class Microphone:
    """A microphone, as stream "room", with one or two channels at the device's own rate.

    Parameters
    ----------
    name
        The device's name or a part of it; "" is the system's default.
    """

    finite = False
    scope = ROOM

    def __init__(self, name: str) -> None:
        self._stopping = threading.Event()
        self._card = CardStream("input", name, self._callback, self._stopping)
        self._heard: queue.SimpleQueue[_Heard | None] = queue.SimpleQueue()
        self._unqueued = 0  # samples the callback could not hand over
        self._clock = CardClock(SessionClock())
        self._thread: threading.Thread | None = None
        self.ended = threading.Event()
        self.format = self._card.form

    @property
    def description(self) -> str:
        """The device's name, as it was asked for."""
        return self._card.name or "default"

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The sound of the room."""
        device = self._card.device
        return (audio_stream(ROOM, self.format, source=self.description, device=device),)

    def open(self) -> None:
        """Open the device.

        Raises
        ------
        AffettiError
            There is no such microphone, it is refused, or PortAudio is not installed.
        """
        self.format = self._card.open(None, 2)

    def start(self, sink: Sink) -> None:
        """Begin to listen."""
        self._clock = CardClock(sink.clock)
        self._thread = threading.Thread(
            target=self._record, args=(sink,), name="microphone", daemon=True
        )
        self._thread.start()
        self._card.start()

    def stop(self) -> None:
        """End the thread and close the device."""
        self._stopping.set()
        self._card.close()
        if self._thread is not None:
            self._heard.put(None)
            self._thread.join()

    def _callback(self, samples: NDArray[np.int16], count: int, times: Any, status: Any) -> None:
        form = self._card.form_now
        block_ns = count * NS_PER_S // form.rate_hz
        heard_ns = self._clock.stamp_ns(times.currentTime, times.inputBufferAdcTime, -block_ns)
        if self._heard.qsize() >= QUEUED_BLOCKS:
            self._unqueued += count
            return
        lost, self._unqueued = self._unqueued, 0
        self._heard.put(_Heard(samples.copy(), heard_ns, form, status.input_overflow, lost))

    def _record(self, sink: Sink) -> None:
        stream, former = StreamLog(ROOM, self.format, sink), _Former(self.format)
        heard_ns = sink.clock.now_ns()  # until when there is sound
        gap: GapCause | None = None  # why there is none from then on
        while True:
            try:
                heard = self._heard.get(timeout=SILENT_S)
            except queue.Empty:
                gap = "device_lost"
                if not self._card.reopen(sink, heard_ns):
                    break
                continue
            if heard is None:
                break
            if self._card.take_interrupted():
                gap = "device_lost"
            unsaid = stream.sample > 0 and not heard.lost and heard.t_ns - heard_ns > HOLE_NS
            if heard.overflow or unsaid:
                gap = gap or "overflow"
            if gap:
                former = _Former(self.format)
            samples, t_ns = former.formed(heard)
            if not len(samples):
                continue
            if gap:
                missing = (t_ns - heard_ns) * self.format.rate_hz // NS_PER_S
                stream.gap(max(0, missing), gap, t_ns)
                gap = None
            stream.lose(heard.lost)
            stream.keep(samples, t_ns)
            heard_ns = t_ns + stream.duration_ns(len(samples))
        stream.lose(self._unqueued)
        stream.tell_losses(sink.clock.now_ns())


class _Former:
    """Brings what a device delivers into the form that the stream was declared with.

    Parameters
    ----------
    form
        That form.
    """

    def __init__(self, form: AudioFormat) -> None:
        self._form = form
        self._converter = Converter(form)
        self._ahead_ns = 0  # by how much more came out than went in: what is still inside

    def formed(self, heard: _Heard) -> tuple[NDArray[np.int16], int]:
        """Return the samples that are ready, of shape (samples, channels), and their time."""
        if heard.form == self._form:
            return heard.samples, heard.t_ns
        block = mixed(heard.samples, self._form.channels)
        ready = list(self._converter.converted(block, heard.form.rate_hz))
        samples = np.concatenate(ready) if ready else block[:0]
        t_ns = heard.t_ns + self._ahead_ns
        self._ahead_ns += len(samples) * NS_PER_S // self._form.rate_hz
        self._ahead_ns -= len(block) * NS_PER_S // heard.form.rate_hz
        return samples, t_ns
