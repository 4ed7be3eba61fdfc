"""A film file, opened: what can be decoded from it, what cannot, and whether all of it is there."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from affetti.core.clock import NS_PER_S
from affetti.core.errors import AffettiError, FileMissing, MediaError
from affetti.core.language import text
from affetti.recorder.sources.frames import Picture
from affetti.recorder.sources.lengths import breaks_off
from affetti.recorder.sources.pictures import Aspect, Deinterlacer, Upright, aspect
from affetti.recorder.sources.pyav import pyav

# Everything that has its pictures or sound within itself: no list of other files, no text that
# could be drawn, no single picture.
_FORMATS: Final = (
    "mov,matroska,avi,flv,live_flv,asf,mpeg,mpegts,mpegvideo,m4v,h261,h263,h264,hevc,vvc,vc1,av1,"
    "obu,ivf,mjpeg,mpjpeg,dv,ogg,mxf,gxf,nut,nsv,rm,wtv,gif,apng,yuv4mpegpipe,dirac,cavsvideo,"
    "mp3,wav,w64,flac,aac,ac3,eac3,aiff,au,caf,amr,ape,wv,tta,dts,aa,loas,oma"
)
# Those whose header states how long they are; in others FFmpeg makes an estimate.
_STATING: Final = frozenset({"mov", "matroska", "avi", "flv", "asf", "mxf"})
# Those without any time stamps: frame after frame, at a rate that the frames may state.
_BARE: Final = frozenset(
    {"mpegvideo", "m4v", "h261", "h263", "h264", "hevc", "vvc", "vc1", "obu", "mjpeg", "mpjpeg"}
    | {"dirac", "cavsvideo"}
)
# Single pictures in boxes like those of an MP4, without its index.
_STILLS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"jxl ", b"crx "})
_TRANSPORT_PACKETS: Final = (188, 192, 204)  # bytes
_SYNC: Final = 0x47  # with which the 188 of each begin
_ENDS: Final = {188: {0}, 192: {0, 188}, 204: {0}}  # what is left behind the last mark when whole
_SYNCED: Final = 8  # packets at the end that are looked at
_SLACK_S: Final = 0.2  # by which a header may promise too much
_PERSISTENCE: Final = 20  # reads that fail in a row before the rest counts as lost
_BEGINNING: Final = 4096  # bytes, in which a film says what it is, and how long
_MAX_HEAD: Final = 4096  # bytes between one packet and the next where nothing is missing
_TAIL: Final = 1 << 20  # bytes at the end of an MP4 in which its index is looked for
_HOPELESS: Final = 1000  # frames that cannot be decoded before a film is refused
_OUTPUT_CORRUPT: Final = 1 << 3  # a decoder's flag: deliver what is damaged, and say that it is


@dataclass(frozen=True)
class Decoded:
    """A picture of the film."""

    stamp_ns: int | None  # from the film's start, not that of its picture
    duration_ns: int | None
    picture: Picture


@dataclass(frozen=True)
class Undecoded:
    """A frame that cannot be decoded, or only in part."""

    stamp_ns: int | None


def opened(path: Path) -> Any:
    """Open a film file, and nothing that it names; PyAV's errors where it cannot be read."""
    return pyav().open(
        # A name with a colon would be taken for an address, and one with % for many files.
        f"file:{path.absolute()}",
        options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"},
        metadata_errors="replace",
    )


class Container:
    """A film file and its first stream of pictures.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    AffettiError
        It cannot be read, is no film, or has none of its pictures in a form that can be decoded.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = _checked_size(path)
        with path.open("rb") as file:
            self._head = file.read(_BEGINNING)
        self._file = self._open()
        self._stream = self._stream_of_pictures()
        self._time_base = self._stream.time_base  # which PyAV makes anew at each look
        self._codec = self._stream.codec_context
        # With more, FFmpeg cannot conceal damage in the slices of a frame.
        self._codec.thread_count = 1
        self._codec.flags |= _OUTPUT_CORRUPT
        if self._stream.codec.intra_only:
            # Their decoders do not mark damage, and leave unwritten what came behind it.
            self._codec.options = {"err_detect": "explode"}
        self._stated_pixel = self._stream.sample_aspect_ratio
        self._follows_codec = self._stated_pixel in (None, self._codec.sample_aspect_ratio)
        start_us = self._file.start_time
        self._start_ns = None if start_us is None else start_us * 1000  # else that of a picture
        self._reached_ns = 0  # by any packet
        self._last_torn = False
        self._torn = False  # whether the latest packet was read only in part
        self._last_stamp: int | None = None  # of the last picture, once it was read
        self._read_to = 0  # bytes, up to the end of the latest packet
        self._behind_skipped: set[int] = set()  # where packets begin before which some are missing
        self._broken = False  # whether reading was given up

    @property
    def frames_per_s(self) -> float | None:
        """The nominal rate, if the film has one."""
        rate = self._stream.guessed_rate or self._stream.average_rate
        return float(rate) if rate else None

    @property
    def stated_ns(self) -> int | None:
        """How long the film says it is; None where it does not."""
        length = self._file.duration
        if not length or not _STATING & set(self._file.format.name.split(",")):
            return None
        # Counted from 0, wherever the first of its pictures and sounds begins.
        return max(0, int(length) * 1000 - max(0, self._file.start_time or 0) * 1000)

    @property
    def pictures_end_ns(self) -> int | None:
        """When the last picture is over, as the film says, from its start; None where it does not.

        That is known once something was decoded.
        """
        length, first = self._stream.duration, self._stream.start_time
        return None if not length else self._from_start(length + (first or 0), self._time_base)

    @property
    def made(self) -> str | None:
        """When it was made, as it says: ISO 8601 with offset; None where it does not say."""
        said = {**self._file.metadata, **self._stream.metadata}.get("creation_time", "")
        try:
            moment = datetime.fromisoformat(said.strip())
        except ValueError:
            return None
        # Cameras without a clock say the beginning of an epoch.
        return moment.astimezone().isoformat() if moment.tzinfo and moment.year > 1970 else None

    @property
    def reached_ns(self) -> int:
        """How far any packet that was read so far reaches, from the film's start."""
        return self._reached_ns

    @property
    def cut_off(self) -> bool:
        """Whether the end of the file is missing, as far as is known after all was read."""
        if self._torn or self._broken:
            return True
        slack_s = max(_SLACK_S, 2 / (self.frames_per_s or 25))
        short_ns = (self.stated_ns or 0) - self._reached_ns
        return short_ns > slack_s * NS_PER_S or self._ends_within_a_packet()

    def items(self) -> Iterator[Decoded | Undecoded]:
        """Yield the pictures in the order of presentation, and what cannot be decoded.

        The latter comes where the decoder found out, which may be some frames too early.
        """
        weaver, upright = Deinterlacer(), Upright()
        for found in self._frames():
            if isinstance(found, Undecoded):
                yield found
            else:
                yield from _pictures(weaver.push(*found), upright, found[1].stamp_ns)
        yield from _pictures(weaver.flush(), upright, None)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _frames(self) -> Iterator[tuple[Any, Aspect] | Undecoded]:
        av, failed = pyav(), set[int]()
        before: Any = None
        for packet in self._packets():
            yield from self._skipped(before, packet)
            before = packet
            try:
                frames = self._codec.decode(packet)
            except av.FFmpegError:
                yield from self._failed(_stamp(packet), failed)
            else:
                yield from self._judged(frames, failed)
        for frames in self._remaining():
            yield from self._judged(frames, failed)

    def _skipped(self, before: Any, packet: Any) -> Iterator[Undecoded]:
        """Yield what was in bytes that the container's reader silently passed over.

        How many frames those were follows from how long the one before lasts.
        """
        if before is None or packet.pos not in self._behind_skipped or not before.duration:
            return
        begin, end = (p.dts if p.dts is not None else p.pts for p in (before, packet))
        for stamp in range(begin + before.duration, end - before.duration // 2, before.duration):
            yield Undecoded(self._ns(stamp))

    def _failed(self, stamp: int | None, failed: set[int]) -> Iterator[Undecoded]:
        """Yield a frame as undecodable, once, unless the end of the file cut it in two."""
        if stamp is None:
            yield Undecoded(None)
        elif stamp == self._last_stamp and (self._last_torn or self.stated_ns is None):
            self._torn = True  # it belongs to what is missing
        elif stamp not in failed:
            failed.add(stamp)
            yield Undecoded(self._ns(stamp))

    def _judged(
        self, frames: list[Any], failed: set[int]
    ) -> Iterator[tuple[Any, Aspect] | Undecoded]:
        for frame in frames:
            stamp = _stamp(frame)
            torn = self._last_torn and stamp is not None and stamp == self._last_stamp
            if frame.is_corrupt or torn:
                yield from self._failed(stamp, failed)
            else:
                yield frame, self._aspect(frame, stamp)

    def _packets(self) -> Iterator[Any]:
        """Yield the packets of the pictures, going on behind damage as long as there is hope."""
        last, skipped = None, False
        for packet in self._all_packets():
            self._torn = packet.is_corrupt
            stamp = _stamp(packet)
            if stamp is not None and packet.time_base is not None:
                end_ns = self._from_start(stamp + (packet.duration or 0), packet.time_base)
                self._reached_ns = max(self._reached_ns, end_ns)
            skipped = self._passes_over(packet) or skipped
            if packet.stream_index == self._stream.index:
                if skipped:
                    self._behind_skipped.add(packet.pos)
                skipped = False
                if last is not None:
                    yield last
                last = packet
        if last is not None:
            self._last_stamp = _stamp(last)
            self._last_torn = last.is_corrupt and self._torn
            yield last

    def _passes_over(self, packet: Any) -> bool:
        """Whether bytes before a packet were skipped; only Matroska has them close together."""
        if "matroska" not in self._file.format.name or packet.pos is None:
            return False
        skipped = bool(0 < self._read_to < packet.pos - _MAX_HEAD)
        self._read_to = packet.pos + packet.size
        return skipped

    def _all_packets(self) -> Iterator[Any]:
        av, failures = pyav(), 0
        while failures < _PERSISTENCE:
            try:
                for packet in self._file.demux():
                    failures = 0
                    if packet.size:  # one without is a repeated frame, or the end
                        yield packet
            except av.FFmpegError:
                failures += 1
            else:
                return
        self._broken = True

    def _remaining(self) -> Iterator[list[Any]]:
        """Yield what the decoder still has when the file is over."""
        av = pyav()
        for _ in range(_PERSISTENCE):
            try:
                yield self._codec.decode(None)
            except av.error.EOFError:
                return
            except av.FFmpegError:
                continue

    def _aspect(self, frame: Any, stamp: int | None) -> Aspect:
        pixel = self._codec.sample_aspect_ratio if self._follows_codec else self._stated_pixel
        length_ns = nanoseconds(frame.duration, self._time_base) if frame.duration else None
        return aspect(frame, self._ns(stamp), length_ns, pixel)

    def _ns(self, stamp: int | None) -> int | None:
        return None if stamp is None else self._from_start(stamp, self._time_base)

    def _from_start(self, stamp: int, time_base: Fraction) -> int:
        t_ns = nanoseconds(stamp, time_base)
        if self._start_ns is None:
            self._start_ns = t_ns
        return t_ns - self._start_ns

    def _ends_within_a_packet(self) -> bool:
        name = self._file.format.name
        if name == "mpegts":
            return _torn_transport(self._path, self._size)
        if breaks_off(self._path, self._head):
            return True
        return name.startswith("mov") and _box_end(self._path, b"") > self._size

    def _open(self) -> Any:
        try:
            return opened(self._path)
        except (pyav().FFmpegError, ValueError) as error:
            raise self._refusal() from error

    def _refusal(self) -> AffettiError:
        begins_as_film = self._head[4:8] in {b"ftyp", b"mdat", b"wide", b"free", b"skip"}
        if begins_as_film and self._head[8:12] not in _STILLS and not self._has_index():
            return MediaError("film.no_index", path=self._path.name)
        return MediaError("film.unreadable", path=self._path.name)

    def _has_index(self) -> bool:
        """Whether an MP4 file has its index, if not where it should be."""
        if _box_end(self._path, b"moov") >= 0:
            return True
        with self._path.open("rb") as file:
            file.seek(max(0, self._size - _TAIL))
            return b"moov" in file.read()

    def _stream_of_pictures(self) -> Any:
        still = pyav().stream.Disposition
        covers = still.attached_pic | still.timed_thumbnails | still.still_image
        films = [s for s in self._file.streams.video if not s.disposition & covers]
        if not films:
            self._refuse("film.no_picture")
        decodable = [s for s in films if s.codec_context is not None]
        if not decodable:
            self._refuse("film.undecodable")
        self._refuse_without_times(decodable[0])
        return decodable[0]

    def _refuse_without_times(self, stream: Any) -> None:
        if self._file.format.name in _BARE and not stream.codec_context.framerate:
            self._refuse("film.no_times")

    def _refuse(self, id: str) -> None:
        self._file.close()
        raise MediaError(id, path=self._path.name)


def _pictures(
    woven: Iterator[tuple[Any, Aspect]], upright: Upright, stamp_ns: int | None
) -> Iterator[Decoded | Undecoded]:
    """Yield frames as pictures, or that the one of that stamp cannot become one."""
    try:
        for frame, shown in woven:
            yield Decoded(shown.stamp_ns, shown.duration_ns, upright.picture(frame, shown))
    except pyav().FFmpegError:
        yield Undecoded(stamp_ns)


def first_decoded(
    container: Container, name: str
) -> tuple[list[Undecoded], Decoded, Iterator[Decoded | Undecoded]]:
    """Return what cannot be decoded at the beginning, the first picture, and all the rest.

    Raises
    ------
    AffettiError
        There is no picture in all of the film, or in a long stretch at its beginning.
    """
    failed: list[Undecoded] = []
    rest = container.items()
    for item in rest:
        if isinstance(item, Decoded):
            return failed, item, rest
        failed.append(item)
        if len(failed) >= _HOPELESS:
            break
    what = text("film.none_of_first" if failed else "film.no_frame", frames=len(failed))
    cut = text("film.and_cut_off") if container.cut_off else ""
    raise MediaError("film.begins", path=name, what=what, cut=cut)


def _checked_size(path: Path) -> int:
    """Return the size of a file; AffettiError when it is none, is empty or cannot be read."""
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            path.open("rb").close()
    except OSError as error:
        raise FileMissing("container.video_cannot_read", path=path, error=error.strerror) from error
    if not stat.S_ISREG(found.st_mode):
        folder = stat.S_ISDIR(found.st_mode)
        raise MediaError("film.a_folder" if folder else "film.a_pipe", path=path)
    if not found.st_size:
        raise MediaError("film.empty", path=path.name)
    return found.st_size


def _box_end(path: Path, wanted: bytes) -> int:
    """Return where the box of that kind ends in an MP4 file, or the last box for `b""`.

    -1 where there is none of that kind.
    """
    with path.open("rb") as file:
        end = 0
        while len(head := file.read(8)) == 8:
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            if not kind.isascii() and kind[:1] != b"\xa9":
                return -1 if wanted else end  # what stands behind the film is none of it
            if size == 1:
                size = int.from_bytes(file.read(8), "big")
            end = end + size if size >= 8 else path.stat().st_size
            if kind == wanted:
                return end
            file.seek(end)
    return -1 if wanted else end + len(head)


def _torn_transport(path: Path, size: int) -> bool:
    """Whether a transport stream ends within a packet, wherever its first begins."""
    longest = max(_TRANSPORT_PACKETS)
    with path.open("rb") as file:
        file.seek(max(0, size - _SYNCED * longest))
        tail = file.read()
    for length in _TRANSPORT_PACKETS:
        for first in range(min(length, len(tail))):
            marks = tail[first::length]
            if len(marks) > 1 and set(marks) == {_SYNC}:
                return (len(tail) - first) % length not in _ENDS[length]
    return bool(size)


def _stamp(timed: Any) -> int | None:
    stamp: int | None = timed.pts if timed.pts is not None else timed.dts
    return stamp


def nanoseconds(stamp: int, time_base: Fraction) -> int:
    """Return a time stamp in nanoseconds, rounded half to even, without making fractions."""
    whole, rest = divmod(stamp * time_base.numerator * NS_PER_S, time_base.denominator)
    half = 2 * rest - time_base.denominator
    return whole + (half > 0 or (half == 0 and whole % 2))
