"""Films with a flash and a beep at the same moments, by which their step can be measured."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from affetti.core.recording.session import Session

AT_S: Final = (0.4, 1.2)
LASTS_S: Final = 0.1
SECONDS: Final = 2.0


def clap_film(
    path: Path,
    codec: str = "mpeg4",
    sound: str | None = "aac",
    *,
    per_s: int = 25,
    rate_hz: int = 48_000,
    stamps_s: Sequence[float] | None = None,
    turn_deg: float = 0,
    made: str | None = None,
) -> Path:
    """Write a film that flashes and beeps, of which the left half is dark always."""
    with av.open(str(path), "w") as film:
        if made is not None:
            film.metadata["creation_time"] = made
        picture: Any = film.add_stream(codec, rate=per_s)
        picture.width, picture.height = 96, 64
        picture.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if turn_deg:
            picture.set_display_rotation(turn_deg)
        if sound is not None:
            _add_beeps(film, film.add_stream(sound, rate=rate_hz), rate_hz)
        stamps = stamps_s if stamps_s else [i / per_s for i in range(round(SECONDS * per_s))]
        for t_s in stamps:
            shade = 255 if _claps(t_s) else 10
            bgr = np.full((64, 96, 3), shade, np.uint8)
            bgr[:, :48] = 10
            frame = av.VideoFrame.from_ndarray(bgr, format="bgr24")
            frame.time_base = Fraction(1, per_s)
            frame.pts = round(t_s * per_s)
            film.mux(picture.encode(frame))
        film.mux(picture.encode(None))
    return path


def _add_beeps(film: Any, sound: Any, rate_hz: int) -> None:
    sound.layout = "stereo"
    t_s = np.arange(round(SECONDS * rate_hz)) / rate_hz
    loud = np.array([_claps(each) for each in t_s])
    wave = np.where(loud, 0.8 * np.sin(2 * np.pi * 1000 * t_s), 0).astype(np.float32)
    for first in range(0, len(wave), 1024):
        block = np.tile(wave[first : first + 1024], (2, 1))
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.rate, frame.pts, frame.time_base = rate_hz, first, Fraction(1, rate_hz)
        film.mux(sound.encode(frame))
    film.mux(sound.encode(None))


def _claps(t_s: float) -> bool:
    return any(at_s - 1e-9 <= t_s < at_s + LASTS_S for at_s in AT_S)


def flashes_s(session: Session) -> list[float]:
    """Return when a recording of such a film becomes bright."""
    bright = [frame.image().max() > 128 for frame in session.frames]
    found = [i for i in range(1, len(bright)) if bright[i] and not bright[i - 1]]
    return [session.frames.t_ns[i] / 1e9 for i in found]


def beeps_s(session: Session, stream: str = "room") -> list[float]:
    """Return when it becomes loud."""
    audio = session.audio(stream)
    loud = np.flatnonzero(np.abs(audio.read_samples(0, audio.samples)[:, 0].astype(int)) > 4000)
    first = loud[np.r_[True, np.diff(loud) > audio.rate_hz // 5]] if len(loud) else loud
    rows = audio.blocks["row"]
    blocks = audio.blocks[np.searchsorted(rows, first, side="right") - 1]
    return list(blocks["t_ns"] / 1e9 + (first - blocks["row"]) / audio.rate_hz)
