"""Pictures and sound of a session as the draft of BIDS for them (BEP047) has them.

A stream of pictures is a Matroska file of the very JPEGs that were recorded, at their times to the
millisecond; a stream of sound a WAV file, silent where nothing came. All of them begin with the
session, so that the onsets of its events hold in them. The draft is open (pull request 2231 of
bids-standard/bids-specification), so validators are told in `.bidsignore` to pass over them.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from affetti.analyzer.exports import Source, new_file
from affetti.analyzer.exports.sound import pieces
from affetti.core.clock import NS_PER_S
from affetti.core.recording.pictures import jpeg_size_px
from affetti.core.recording.stored import Audio, Frames

IGNORED: Final = ("*_video.mkv", "*_video.json", "*_audio.wav", "*_audio.json")
_TICKS: Final = 1000  # a second: Matroska counts milliseconds
_BLOCK_S: Final = 10
_MAX_WAV_BYTES: Final = 0xF000_0000  # of samples; more takes RF64

Facts = dict[str, Any]
Name = Callable[[str, str], Path]  # of a stream and its suffix


def write_media(source: Source, name: Name) -> Iterator[tuple[Path, Facts]]:
    """Write each stream of pictures and of sound that holds something; yield file and sidecar.

    Parameters
    ----------
    source
        The session.
    name
        Gives the path of a stream's file, by the stream's name and its suffix.
    """
    session = source.session
    for label, frames in session.video.items():
        if len(frames):
            yield _video(source, frames, name(label, "video.mkv"))
    for label, stream in session.streams.items():
        if stream.kind == "audio" and session.audio(label).samples:
            yield _audio(source, session.audio(label), name(label, "audio.wav"))


def _video(source: Source, frames: Frames, path: Path) -> tuple[Path, Facts]:
    width_px, height_px = _size_px(frames)
    with new_file(path) as file, av.open(file, "w", format="matroska") as film:
        stream = film.add_mux_stream("mjpeg", width=width_px, height=height_px)
        stream.time_base = Fraction(1, _TICKS)
        before = -1
        for done in range(len(frames)):
            before = max(before + 1, round(frames.t_ns[done] * _TICKS / NS_PER_S))
            packet = av.Packet(frames[done].jpeg)
            packet.stream, packet.time_base = stream, Fraction(1, _TICKS)
            packet.pts = packet.dts = before
            packet.is_keyframe = True
            film.mux(packet)
            source.progress(done + 1, len(frames))
    facts: Facts = {"VideoCodec": "mjpeg", "VideoFrameCount": len(frames)}
    span_s = (frames.t_ns[-1] - frames.t_ns[0]) / NS_PER_S
    if span_s > 0:
        facts["VideoFrameRate"] = round((len(frames) - 1) / float(span_s), 3)
    return path, {"RecordingDuration": before / _TICKS, **facts, **_sides(width_px, height_px)}


def _sides(width_px: int, height_px: int) -> Facts:
    return {"ImageWidth": width_px, "ImageHeight": height_px} if width_px else {}


def _size_px(frames: Frames) -> tuple[int, int]:
    """Return width and height of the first picture that says; zeros where none does."""
    sizes = (jpeg_size_px(frames[i].jpeg) for i in range(len(frames)))
    return next(filter(None, sizes), (0, 0))


def _audio(source: Source, audio: Audio, path: Path) -> tuple[Path, Facts]:
    count = round(source.span_s[1] * audio.rate_hz)
    large = 2 * count * audio.channels > _MAX_WAV_BYTES
    with (
        new_file(path) as file,
        soundfile.SoundFile(
            file,
            "w",
            audio.rate_hz,
            audio.channels,
            "PCM_16",
            format="RF64" if large else "WAV",
        ) as wav,
    ):
        for block in _laid(audio, count):
            wav.write(block)
    return path, {
        "RecordingDuration": round(count / audio.rate_hz, 3),
        "AudioCodec": "pcm_s16le",
        "AudioSampleRate": audio.rate_hz,
        "AudioChannelCount": audio.channels,
        "AudioBitDepth": 16,
    }


def _laid(audio: Audio, count: int) -> Iterator[NDArray[np.int16]]:
    """Yield the session's sound from its beginning, int16 [n, channels]: `count` samples in all."""
    placed = list(pieces(audio))
    step = _BLOCK_S * audio.rate_hz
    for start in range(0, count, step):
        block = np.zeros((min(step, count - start), audio.channels), np.int16)
        for at, row, length in placed:
            begin, end = max(at, start), min(at + length, start + len(block))
            if begin < end:
                samples = audio.read_samples(row + begin - at, row + end - at)
                block[begin - start : begin - start + len(samples)] = samples
        yield block
