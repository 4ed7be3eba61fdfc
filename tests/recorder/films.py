"""Small films and pieces of sound, made on the spot for tests that record."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import soundfile
from av.codec.context import Flags
from numpy.typing import NDArray

from affetti.core.recording.session import Session


def moving_film(
    path: Path,
    seconds: float = 4.0,
    per_s: int = 25,
    size: tuple[int, int] = (160, 120),
    grain: int = 0,
) -> Path:
    """Write a film of a bright square that wanders, with no face in it, and grain on it."""
    width, height = size
    chance = np.random.default_rng(1)
    grains = chance.integers(0, grain + 1, (16, height, width, 3), np.uint8)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), per_s, size)
    for i in range(round(seconds * per_s)):
        picture = np.full((height, width, 3), 40, np.uint8)
        cv2.rectangle(picture, (i % 130, 40), (i % 130 + 30, 70), (200, 220, 240), -1)
        writer.write(cv2.add(picture, grains[i % len(grains)]))
    writer.release()
    return path


def face_film(path: Path, session: Path, seconds: float, size: tuple[int, int], per_s: int) -> Path:
    """Write a film of the face in a recording, over and over for as long as wanted."""
    kind = "mp4v" if path.suffix == ".mp4" else "MJPG"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*kind), per_s, size)
    with Session.open(session) as recording:
        pictures = [frame.image() for frame in recording.frames[:60]]
    there_and_back = pictures + pictures[-2:0:-1]
    for i in range(round(seconds * per_s)):
        writer.write(cv2.resize(there_and_back[i % len(there_and_back)], size))
    writer.release()
    return path


def tone(
    path: Path,
    seconds: float = 2.0,
    rate_hz: int = 44_100,
    channels: int = 2,
    pitch_hz: float = 440,
) -> Path:
    """Write a tone whose every channel and moment differs, so that a shift would show."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    parts = [
        0.4 * np.sin(2 * np.pi * (pitch_hz + 30 * channel) * time * (1 + time / 20))
        for channel in range(channels)
    ]
    soundfile.write(path, np.stack(parts, axis=1), rate_hz)
    return path


def encoded_film(
    path: Path,
    pictures: Sequence[NDArray[np.uint8]],
    codec: str = "mpeg4",
    *,
    stamps: Sequence[int] | None = None,
    interlaced: bool = False,
    pixel: Fraction = Fraction(1),
    turn_deg: float = 0,
    sound_s: float = 0,
    per_s: int = 25,
    **options: str,
) -> Path:
    """Write a film of BGR pictures, each at its stamp, which counts in frames.

    Sound, where wanted, begins at 0. `options` are those of the container.
    """
    height_px, width_px = pictures[0].shape[:2]
    with av.open(str(path), "w", options=options) as film:
        stream: Any = film.add_stream(codec, rate=per_s)
        stream.width, stream.height, stream.bit_rate = width_px, height_px, 4_000_000
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.sample_aspect_ratio = pixel
        stream.codec_context.gop_size = 5
        if interlaced:
            stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        if turn_deg:
            stream.set_display_rotation(turn_deg)
        sound: Any = film.add_stream("mp2", rate=48_000) if sound_s else None
        if sound is not None:
            sound.layout = "mono"
            _add_silence(film, sound, sound_s)
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = i if stamps is None else stamps[i]
            frame.time_base = Fraction(1, per_s)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path


def _add_silence(film: Any, sound: Any, seconds: float) -> None:
    for block in range(round(seconds * 48_000 / 1152)):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), layout="mono")
        frame.rate, frame.pts = 48_000, block * 1152
        film.mux(sound.encode(frame))
    film.mux(sound.encode(None))


def squares(count: int, width_px: int = 160, height_px: int = 120) -> list[NDArray[np.uint8]]:
    """Return pictures of a bright square that wanders to the right, over a dark red ground."""
    pictures = []
    for i in range(count):
        picture = np.full((height_px, width_px, 3), (20, 20, 90), np.uint8)
        left = 4 * i % (width_px - 40)
        picture[40:80, left : left + 40] = (200, 220, 240)
        pictures.append(picture)
    return pictures
