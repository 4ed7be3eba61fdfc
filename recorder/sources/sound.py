"""Sound files: what they are found to hold, and their samples, whatever their headers say.

Uncompressed files are read by libsndfile. Compressed ones are read by FFmpeg (PyAV), packet by
packet: of those libsndfile believes a header's length, and ends at the first damage. What could
not be decoded is counted, and whether a file breaks off is known from its own structure.
"""

import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from affetti.core.events import SoundLoss
from affetti.recorder.sources.lengths import breaks_off
from affetti.recorder.sources.pyav import pyav

Samples = NDArray[np.int16]  # [n, channels]

# How uncompressed files begin; of others libsndfile would be asked in vain, and aloud.
_PLAIN: Final = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b".snd", b"caff")
_DECODED_AT_ONCE: Final = 8192  # samples
# libsndfile turns these into int16 without scaling, or wraps what is louder than full scale.
_FLOATING: Final = frozenset({"FLOAT", "DOUBLE"})
_HEAD_BYTES: Final = 64 << 10
_PAGE_END: Final = 64 << 10  # the longest page of an Ogg file
_FIRST_PAGE: Final = 2  # a flag of a page's header
_LAST_PAGE: Final = 4  # another
_BOXES: Final = frozenset({b"ftyp", b"mdat", b"wide", b"free", b"skip"})  # that an MP4 begins with
# Formats whose header states how long the sound is; of others FFmpeg makes a guess.
_STATING: Final = frozenset({"mov", "asf", "wv", "tta", "ape"})
# Everything that has its sound within itself: no list of other files, and nothing in a network.
_FORMATS: Final = (
    "mp3,wav,w64,flac,aac,ac3,eac3,aiff,au,caf,amr,ape,wv,tta,dts,dtshd,truehd,mlp,aa,loas,oma,"
    "ogg,mov,matroska,asf,xwma,avi,flv,mpeg,mpegts,voc,dsf,iff,tak,mpc,mpc8,shn,ircam,sox,rm,nut"
)
_XING: Final = (b"Xing", b"Info")  # in the first frame of an MP3: how many follow
_PADDERS: Final = (b"LAME", b"Lavf", b"Lavc", b"GOGO")  # who say how much they padded
_PLANES: Final = 8  # of a frame; PyAV looks for their end, and of so many finds none
_UNHEARD_S: Final = 0.1  # less is the padding of an encoder
# A file that claims more holds none of it: a pipe's length, or a slip of a header.
_MAX_SAMPLES: Final = 1 << 36


class UndecodableError(Exception):
    """Nothing can be decoded from a file.

    Parameters
    ----------
    why
        "undecodable", "empty", "no_sound", "no_index" or "unreadable".
    """

    def __init__(self, why: str = "undecodable") -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Found:
    """What a sound file holds, as far as that is known before it is decoded."""

    rate_hz: int
    channels: int
    samples: int  # in each channel
    stated: int | None  # how many it says that there are
    cut_off: bool  # whether it is seen to break off
    plain: bool  # not compressed
    title: str
    ended: bool = False  # whether its end is there


@dataclass
class Decoded:
    """What has become of a file so far."""

    samples: int = 0
    undecodable: int = 0  # packets
    failing: bool = False  # the latest of them was
    reached_s: float = 0.0  # the time in the file up to which something was

    def fail(self) -> None:
        """Count a packet that could not be decoded."""
        self.undecodable += 1
        self.failing = True

    def loss(self, found: Found) -> SoundLoss | None:
        """Return what was lost of a file that was read to its end; None where nothing was."""
        stated = found.samples if found.stated is None else found.stated
        missing_s = (stated - self.samples) / found.rate_hz
        if not found.cut_off and missing_s <= _UNHEARD_S:
            return None
        return SoundLoss(
            undecodable=self.undecodable,
            cut_off=found.cut_off or self._broke_off(found, stated),
            decoded_s=self.samples / found.rate_hz,
            stated_s=stated / found.rate_hz if missing_s > _UNHEARD_S else None,
        )

    def _broke_off(self, found: Found, stated: int) -> bool:
        """Whether what is missing is its end, as far as that can be told."""
        short_s = stated / found.rate_hz - self.reached_s
        return not found.ended and (self.failing or (not self.undecodable and short_s > _UNHEARD_S))


class _Straight(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A sound file that is read straight on.

    `SoundFile.read` seeks to where it already is after every block, which in some files is
    somewhere else, and is heard as a click.
    """

    def seekable(self) -> bool:
        return False


def look(path: Path) -> Found:
    """Return what a sound file holds.

    Raises
    ------
    UndecodableError
        It is no sound file, or nothing can be decoded from it.
    OSError
        It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return _plain(path, head) or _compressed(path, head)


def blocks(path: Path, found: Found, decoded: Decoded) -> Iterator[tuple[Samples, int]]:
    """Yield the samples of a file from its beginning, each block with its rate in Hz.

    Full scale is that of int16. The rate is that of the file, unless it changes in the middle.

    Parameters
    ----------
    path
        The file.
    found
        What `look` says of it.
    decoded
        Filled in as it is read.

    Raises
    ------
    UndecodableError
        It cannot be decoded from here on.
    """
    read = _plain_blocks(path, found) if found.plain else _packets(path, decoded)
    for samples, rate_hz in read:
        decoded.samples += round(len(samples) * found.rate_hz / rate_hz)
        yield samples, rate_hz


def _plain(path: Path, head: bytes) -> Found | None:
    """Return what an uncompressed file holds; None where it is no such file, or says nonsense."""
    if not head.startswith(_PLAIN):
        return None
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            if not 0 < file.frames < _MAX_SAMPLES or len(file.read(1)) != 1:
                return None
            title = (file.title or "").strip()
            return Found(
                file.samplerate,
                file.channels,
                file.frames,
                None,
                breaks_off(path, head),
                plain=True,
                title=title,
            )
    except soundfile.SoundFileError:
        return None


def _plain_blocks(path: Path, found: Found) -> Iterator[tuple[Samples, int]]:
    try:
        with _Straight(os.fsencode(path)) as file:
            while len(block := _read(file)):
                yield block, found.rate_hz
    except soundfile.SoundFileError as error:
        raise UndecodableError from error


def _read(file: soundfile.SoundFile) -> Samples:
    if file.subtype not in _FLOATING:
        return np.asarray(file.read(_DECODED_AT_ONCE, dtype="int16", always_2d=True))
    return _scaled(file.read(_DECODED_AT_ONCE, dtype="float32", always_2d=True))


def _scaled(block: NDArray[np.floating[Any]]) -> Samples:
    if not np.isfinite(block).all():
        block = np.nan_to_num(block, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
    scaled = block * np.float32(32767)
    np.rint(scaled, out=scaled)
    np.clip(scaled, -32768, 32767, out=scaled)
    return scaled.astype(np.int16)


def _compressed(path: Path, head: bytes) -> Found:
    """Return what FFmpeg finds in a file: its length is the sum of its packets."""
    links = [_listed(link, head) for link in _links(path)]
    first = links[0]
    if not (first.rate_hz and first.channels):
        raise UndecodableError
    samples = round(sum(link.samples * first.rate_hz / (link.rate_hz or 1) for link in links))
    if not 0 < samples < _MAX_SAMPLES:
        raise UndecodableError("no_sound")
    try:
        next(_packets(path, Decoded()))
    except StopIteration as error:
        raise UndecodableError from error
    stated, cut_off = _stated(path, head, first.rate_hz)
    short = breaks_off(path, head)
    cut_off = cut_off or first.broken or short
    ended = head[:4] == b"OggS" and not cut_off
    samples = max(1, samples - _padding(head))
    if first.stated > samples and not short:  # of which FFmpeg guesses again
        stated = first.stated
    return Found(
        first.rate_hz,
        first.channels,
        samples,
        stated,
        cut_off,
        plain=False,
        title=first.title,
        ended=ended,
    )


@dataclass(frozen=True)
class _Listed:
    """What the packets of a file say, undecoded."""

    rate_hz: int
    channels: int
    samples: int
    stated: int  # by the header; 0 where it only guesses
    broken: bool  # whether reading ended with an error
    title: str


def _listed(source: Path | BinaryIO, head: bytes) -> _Listed:
    av = pyav()
    try:
        with _opened(source) as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None or stream.codec_context is None:
                raise UndecodableError("no_sound" if stream is None else "undecodable")
            rate_hz, channels = stream.rate, stream.channels
            title = str({**container.metadata, **stream.metadata}.get("title", "")).strip()
            lengths, broken = _lengths(container, stream)
            ticks, stated_ticks = sum(lengths), stream.duration or 0
            if 0 < ticks - stated_ticks < max(lengths, default=0):
                ticks = stated_ticks  # the last packet is not heard to its end
            if head[:4] == b"OggS":  # whose packets need not say how long they are
                ticks = max(ticks, stated_ticks)
            samples = round(ticks * stream.time_base * rate_hz)
            states = _STATING & set(container.format.name.split(","))
            stated = round(stated_ticks * stream.time_base * rate_hz) if states else 0
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise UndecodableError(_why(head)) from error
    return _Listed(rate_hz, channels, samples, stated, broken, title)


def _lengths(container: Any, stream: Any) -> tuple[list[int], bool]:
    """Return how long each packet is, and whether reading them ended with an error."""
    lengths: list[int] = []
    try:
        lengths.extend(packet.duration or 0 for packet in container.demux(stream) if packet.size)
    except pyav().FFmpegError:
        return lengths, True
    return lengths, False


def _why(head: bytes) -> str:
    """Return why nothing of a file can be read at all."""
    if not head:
        return "empty"
    return "no_index" if head[4:8] in _BOXES and b"moov" not in head else "unreadable"


def _links(path: Path) -> list[Path | BinaryIO]:
    """Return the pieces of a chained Ogg file, which may differ in their form; else the file.

    FFmpeg reads on only where the next piece is of the same form as the first.
    """
    begins = _beginnings(path)
    if len(begins) < 2:
        return [path]
    whole = path.read_bytes()
    ends = [*begins[1:], len(whole)]
    return [io.BytesIO(whole[begin:end]) for begin, end in zip(begins, ends, strict=True)]


def _beginnings(path: Path) -> list[int]:
    """Return where the pieces of an Ogg file begin, one after another; [] where it is none."""
    found: list[int] = []
    with path.open("rb") as file:
        at, size, inside = 0, path.stat().st_size, True
        while at < size:
            file.seek(at)
            head = file.read(27 + 255)
            if head[:4] != b"OggS" or len(head) < 27:
                return found  # damage, behind which no piece is looked for
            begins = bool(head[5] & _FIRST_PAGE)
            if begins and (inside or not found):
                found.append(at)
            inside = not begins  # streams that lie beside each other begin together
            at += 27 + head[26] + sum(head[27 : 27 + head[26]])
    return found


def _opened(source: Path | BinaryIO) -> Any:
    """Open a sound file, and nothing that it names."""
    # A name with a colon would be taken for an address, and one with % for many files.
    named = f"file:{source.absolute()}" if isinstance(source, Path) else source
    options = {"format_whitelist": _FORMATS}
    if isinstance(source, Path):
        options["protocol_whitelist"] = "file"
    return pyav().open(named, options=options, metadata_errors="replace")


def _stated(path: Path, head: bytes, rate_hz: int) -> tuple[int | None, bool]:
    """Return how many samples a file says it has, and whether it is seen to break off."""
    if head[:4] == b"fLaC" and len(head) >= 26:
        total = int.from_bytes(head[21:26], "big") & ((1 << 36) - 1)
        return total or None, False
    if head[:4] == b"OggS":
        return None, not _has_last_page(path)
    return _xing(path, head, rate_hz)


def _xing(path: Path, head: bytes, rate_hz: int) -> tuple[int | None, bool]:
    """Return what the first frame of an MP3 says of those that follow, as `_stated` does.

    Source: the "Xing" header, as encoders have written it since 1998: a word, flags, and where
    they say so the number of frames and of bytes.
    """
    at = max(head.find(word) for word in _XING)
    if at < 0 or len(head) < at + 16 or head[at + 7] & 3 != 3:
        return None, False
    frames, size = struct.unpack_from(">II", head, at + 8)
    per_frame = 1152 if rate_hz >= 32_000 else 576
    return max(1, frames * per_frame - _padding(head)), path.stat().st_size < size


def _padding(head: bytes) -> int:
    """Return how many samples an MP3's encoder added before and behind; 0 where it does not say.

    Source: the extension of the "Xing" header by LAME, which FFmpeg's encoders write as well: two
    numbers of 12 bits, 141 bytes from its word.
    """
    at = max(head.find(word) for word in _XING)
    if at < 0 or len(head) < at + 144 or head[at + 7] & 15 != 15:
        return 0
    numbers = int.from_bytes(head[at + 141 : at + 144], "big")
    before, behind = numbers >> 12, numbers & 0xFFF
    return before + behind if head[at + 120 : at + 124] in _PADDERS else 0


def _has_last_page(path: Path) -> bool:
    """Whether an Ogg file ends with a page that says that it is the last, and is whole."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _PAGE_END - 282))
        tail = file.read()
    at = tail.rfind(b"OggS")
    head = tail[at : at + 27]
    if at < 0 or len(head) < 27 or not head[5] & _LAST_PAGE:
        return False
    lengths = tail[at + 27 : at + 27 + head[26]]
    return at + 27 + head[26] + sum(lengths) <= len(tail)


def _packets(path: Path, decoded: Decoded) -> Iterator[tuple[Samples, int]]:
    before_s = 0.0
    for link in _links(path):
        for frame in _frames_of(link, decoded):
            samples, rate_hz = samples_of(frame), frame.sample_rate
            begin_s = 0.0 if frame.pts is None else float(frame.pts * frame.time_base)
            end_s = before_s + begin_s + len(samples) / rate_hz
            decoded.reached_s = max(decoded.reached_s, end_s)
            yield samples, rate_hz
        before_s = decoded.reached_s


def _frames_of(source: Path | BinaryIO, decoded: Decoded) -> Iterator[Any]:
    av = pyav()
    try:
        with _opened(source) as container:
            stream = container.streams.audio[0]
            for packet in container.demux(stream):
                yield from _frames(packet, decoded, av)
    except av.FFmpegError:
        decoded.fail()  # from here on nothing more of it is found


def _frames(packet: Any, decoded: Decoded, av: Any) -> Iterator[Any]:
    try:
        frames = packet.decode()
    except av.FFmpegError:
        decoded.fail()
        return
    for frame in frames:
        if frame.samples:
            decoded.failing = False
            yield frame


def _packed(frame: Any) -> Any:
    """Return a frame with its channels in one plane; values stay as they are."""
    packer = pyav().AudioResampler(frame.format.packed, frame.layout, frame.sample_rate)
    (packed,) = packer.resample(frame)
    return packed


def samples_of(frame: Any) -> Samples:
    """Return a frame as int16 [n, channels], whatever its own type."""
    channels = len(frame.layout.channels)
    if frame.format.is_planar and channels >= _PLANES:
        frame = _packed(frame)
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(-1, channels)
    if values.dtype.kind == "f":
        return _scaled(values)
    if values.dtype.itemsize == 4:
        values = values >> 16
    elif values.dtype.kind == "u":
        values = (values.astype(np.int16) - 128) << 8
    return np.asarray(values, np.int16)
