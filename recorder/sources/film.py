"""A film file that stands in for a camera."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, Literal

from affetti.core.clock import NS_PER_S
from affetti.core.events import DeviceLost, FilmLoss, FramesDropped, Hole
from affetti.core.settings import Settings, VideoSettings
from affetti.core.streams import (
    CAMERA,
    ROOM,
    VIDEO,
    Stream,
    audio_stream,
    stream_name,
    video_stream,
)
from affetti.recorder.sources import Sink
from affetti.recorder.sources.container import Container, Decoded, Undecoded, first_decoded
from affetti.recorder.sources.frames import FrameLog
from affetti.recorder.sources.pace import FILE_PATIENCE_S, begin_ns, wait_until
from affetti.recorder.sources.soundtrack import Heard, Soundtrack
from affetti.recorder.sources.stream import StreamLog
from affetti.recorder.sources.timeline import due_times

_MAX_LATE_NS: Final = 2 * NS_PER_S
_TURN_S: Final = 0.1
_REORDERED: Final = 16  # frames that may be shown before one that was decoded first


@dataclass(frozen=True)
class FilmEnd:
    """How the reading of a film ended."""

    reason: Literal["finished", "cut_off", "stopped"]
    at_ns: int  # where, from the film's start
    stated_ns: int | None  # how long the film says it is
    holes: tuple[Hole, ...]
    late_ns: int = 0  # by how much it took longer than it lasts

    def loss(self, name: str) -> FilmLoss | None:
        """Return what could not be recorded of the film of that name; None where all was."""
        cut_off = self.reason == "cut_off"
        if not (cut_off or self.holes or self.late_ns):
            return None
        return FilmLoss(
            file_name=name,
            holes=self.holes,
            cut_off_ns=self.at_ns if cut_off else None,
            stated_ns=self.stated_ns if cut_off else None,
            late_ns=self.late_ns,
        )


class Film:
    """A film seen in real time, upright, every frame at its own size and its own time stamp.

    The film's clock starts with `start`: a picture that begins later than the film does comes
    that much later. A machine that stalls catches up; where it falls too far behind, the film is
    held up, so that what is seen and what is heard and noted meanwhile have one time. A frame
    that cannot be decoded is told as `FramesDropped` where it was, a film that is cut off as
    `DeviceLost` where it ends.

    Parameters
    ----------
    path
        The file.
    settings
        Of which the quality of the JPEGs counts.
    stream
        The name of the video stream that it delivers.
    """

    finite = True
    scope = VIDEO

    def __init__(self, path: Path, settings: VideoSettings, stream: str = CAMERA) -> None:
        self.stream = stream
        self._path = path
        self._settings = settings
        self._container: Container | None = None
        self._items: Iterator[Decoded | Undecoded] = iter(())
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.began = threading.Event()
        self.ended = threading.Event()
        self.start_ns = 0  # of the film, in session time, once it began; later if it is held up
        self.end: FilmEnd | None = None  # known once it is over
        self.begin_ns: int | None = None  # when its time begins; None: when it is started
        self.description = path.name
        self.size_px = (0, 0)  # of the first frame
        self.frames_per_s = float(settings.frames_per_s)

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The film, as JPEGs."""
        rate_hz = self.frames_per_s
        return (video_stream(self.stream, rate_hz=rate_hz, source=self.description),)

    def open(self) -> None:
        """Open the file and decode its first frame.

        Raises
        ------
        AffettiError
            It is missing, or is not a film that can be decoded.
        """
        self._container = Container(self._path)
        try:
            failed, first, rest = first_decoded(self._container, self._path.name)
        except BaseException:
            self._container.close()
            raise
        self._items = chain(failed, [first], rest)
        self.size_px = (first.picture.shape[1], first.picture.shape[0])
        self.frames_per_s = self._container.frames_per_s or self.frames_per_s

    def own_sound(self) -> "FilmSound | None":
        """Return the sound that the film brings along, open; None where it has none."""
        track = Soundtrack.of(self._path)
        return None if track is None else FilmSound(self, track)

    def start(self, sink: Sink) -> None:
        """Begin to show the film."""
        arguments = (sink, begin_ns(self.begin_ns, sink))
        self._thread = threading.Thread(target=self._run, args=arguments, name="film", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the file."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._container is not None:
            self._container.close()

    def _run(self, sink: Sink, start_ns: int) -> None:
        try:
            self._show(sink, start_ns)
        finally:
            self.ended.set()
            self.began.set()  # nobody waits for a film that failed

    def _show(self, sink: Sink, start_ns: int) -> None:
        log = FrameLog(sink, self._settings.jpeg_quality, FILE_PATIENCE_S, self.stream)
        self.start_ns = start_ns
        holes = Holes(sink, self.stream, self.start_ns)
        self.began.set()
        nominal_ns = round(NS_PER_S / self.frames_per_s)
        over_ns = late_ns = 0
        for item, due_ns in due_times(in_order(self._items), nominal_ns):
            if not wait_until(holes.start_ns + due_ns, sink, self._stopping):
                break
            late_ns += holes.catch_up(due_ns)
            self.start_ns = holes.start_ns
            if isinstance(item, Undecoded):
                holes.widen(due_ns)
                over_ns = due_ns + nominal_ns
            else:
                holes.close(due_ns)
                log.keep(item.picture, holes.start_ns + due_ns)
                over_ns = due_ns + (item.duration_ns or nominal_ns)
        holes.close(over_ns)
        wait_until(holes.start_ns + over_ns, sink, self._stopping)  # the last frame has its time
        self.end = self._end(over_ns, holes.closed, late_ns)
        if self.end.reason == "cut_off":
            self._tell_cut_off(sink)
        log.tell_losses()

    def _tell_cut_off(self, sink: Sink) -> None:
        t_ns, name = sink.clock.now_ns(), self.description
        sink.put(
            DeviceLost(
                t_ns=t_ns, device=self.stream, stream=self.stream, cause="cut_off", name=name
            )
        )

    def _end(self, over_ns: int, holes: list[Hole], late_ns: int) -> FilmEnd:
        container = self._container
        assert container is not None  # noqa: S101  it was opened
        reason: Literal["finished", "cut_off", "stopped"] = "finished"
        if self._stopping.is_set():
            reason = "stopped"
        elif container.cut_off:
            reason = "cut_off"
        return FilmEnd(reason, over_ns, container.stated_ns, tuple(holes), late_ns)


class FilmSound:
    """The sound of a film that stands in for a camera, in step with its pictures; stream "room".

    Parameters
    ----------
    film
        Which; it is started as well, and this goes by its time.
    track
        What it brings along.
    """

    finite = True
    scope = ROOM

    def __init__(self, film: Film, track: Soundtrack) -> None:
        self._film = film
        self._track = track
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.ended = threading.Event()
        self.format = track.form
        self.description = film.description

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The sound of the room."""
        return (audio_stream(ROOM, self.format, source=self.description),)

    def open(self) -> None:
        """Do nothing: it is open."""

    def start(self, sink: Sink) -> None:
        """Begin to hear it, once the film begins."""
        self._thread = threading.Thread(
            target=self._run, args=(sink,), name="film sound", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the file."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._track.close()

    def _run(self, sink: Sink) -> None:
        try:
            self._hear(sink)
        finally:
            self.ended.set()

    def _hear(self, sink: Sink) -> None:
        log = StreamLog(ROOM, self.format, sink, FILE_PATIENCE_S)
        while not self._film.began.wait(_TURN_S):
            if self._stopping.is_set():
                return
        for item in self._track.items():
            lasts_ns = log.duration_ns(len(item.samples)) if isinstance(item, Heard) else 0
            if not wait_until(self._film.start_ns + item.t_ns + lasts_ns, sink, self._stopping):
                break
            t_ns = self._film.start_ns + item.t_ns
            if isinstance(item, Heard):
                log.keep(item.samples, t_ns)
            else:
                log.gap(item.samples, "undecodable" if item.undecodable else "unknown", t_ns)
        log.tell_losses(sink.clock.now_ns())


def film_source(name: str, settings: Settings) -> Film:
    """Return the source of `film:FILE`; its stream is named after the file."""
    return Film(Path(name), settings.video, stream_name(Path(name).stem))


class Holes:
    """Gathers frames in a row that could not be decoded, and tells of them."""

    def __init__(self, sink: Sink, stream: str, start_ns: int) -> None:
        self.start_ns = start_ns  # of the film, in session time
        self.closed: list[Hole] = []
        self._sink = sink
        self._stream = stream
        self._since_ns = 0
        self._count = 0

    def catch_up(self, due_ns: int) -> int:
        """Hold the film up where it is too late to catch up; return by how much."""
        late_ns = self._sink.clock.now_ns() - self.start_ns - due_ns
        if late_ns <= _MAX_LATE_NS:
            return 0
        self.close(due_ns)  # its place is before
        self.start_ns += late_ns
        return late_ns

    def widen(self, due_ns: int) -> None:
        """Take in a frame that was due then."""
        self._since_ns = self._since_ns if self._count else due_ns
        self._count += 1

    def close(self, due_ns: int) -> None:
        """Tell of the hole, if there is one: a picture is due again."""
        if self._count:
            self.closed.append(Hole(self._since_ns, due_ns, self._count))
            t_ns = self.start_ns + self._since_ns
            self._sink.put(FramesDropped(t_ns=t_ns, stream=self._stream, count=self._count))
            self._count = 0


def in_order(items: Iterator[Decoded | Undecoded]) -> Iterator[Decoded | Undecoded]:
    """Put what cannot be decoded where it was: a decoder notices before it shows."""
    early: list[Undecoded] = []
    passed_by = 0
    for item in items:
        if isinstance(item, Undecoded):
            early.append(item)
            early.sort(key=lambda each: each.stamp_ns or 0)
            continue
        while early and (passed_by >= _REORDERED or _precedes(early[0], item)):
            yield early.pop(0)
            passed_by = 0
        passed_by = passed_by + 1 if early else 0
        yield item
    yield from early


def _precedes(undecoded: Undecoded, item: Decoded) -> bool:
    first, then = undecoded.stamp_ns, item.stamp_ns
    return first is None or then is None or first <= then
