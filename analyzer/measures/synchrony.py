"""How late pictures are against sound: flashes that a camera saw, beeps that a microphone heard.

A beep is placed to a millisecond, a flash only between two pictures. Each pair therefore says no
more than that the offset lies in an interval as wide as a picture lasts; flashes that fall
everywhere between pictures leave a narrow one in common.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.recording.session import Session
from affetti.core.streams import ROOM
from affetti.core.synchrony import MAX_LATE_NS, Synchrony

FloatArray = NDArray[np.float64]

MIN_PAIRS: Final = 5
_MIN_RISE: Final = 4.0  # grey levels, of the mean of a picture
_HALF: Final = 0.5  # of the usual rise
_WINDOW_S: Final = 0.001
_ABOVE_NOISE: Final = 6.0  # times
_QUIET_S: Final = 0.08  # before an onset
_SHARE: Final = 0.5  # of flashes and beeps that must be pairs
_IN_STEP: Final = 0.1  # of a picture's length; by chance it is 0.29


@dataclass(frozen=True)
class Onset:
    """When something that was seen or heard began: between two moments, in seconds."""

    after_s: float
    by_s: float


@dataclass(frozen=True)
class Measured:
    """How late pictures are against sound.

    Attributes
    ----------
    late_s
        Positive where the picture is stamped later than the sound of the same moment.
    spread_s
        How far off that may be, either way.
    pairs
        Flashes with their beeps.
    flashes, beeps
        How many there were.
    """

    late_s: float
    spread_s: float
    pairs: int
    flashes: int
    beeps: int

    def synchrony(self, measured: str) -> Synchrony:
        """Return it as recordings carry it; `measured` is the wall clock, ISO 8601 with offset."""
        late_ns, spread_ns = round(self.late_s * NS_PER_S), round(self.spread_s * NS_PER_S)
        return Synchrony(late_ns=late_ns, spread_ns=spread_ns, pairs=self.pairs, measured=measured)


@dataclass(frozen=True)
class Unmeasured:
    """Why nothing can be said: "no_flashes", "no_beeps" or "no_pairs"."""

    why: str
    flashes: int
    beeps: int


def measure(session: Session) -> Measured | Unmeasured:
    """Measure how late the pictures of a recording are against the sound of its room."""
    times_s, greys = brightness(session)
    flashes = flash_onsets(times_s, greys)
    beeps = beep_onsets(session)
    camera = session.state.streams[next(iter(session.video))] if session.video else None
    film = camera is not None and camera.device is None
    return offset(flashes, beeps, seen_from_stamp=film)


def brightness(session: Session) -> tuple[FloatArray, FloatArray]:
    """Return when each frame was captured, seconds [n], and its mean grey level [n]."""
    greys = []
    for frame in session.frames:
        data = np.frombuffer(frame.jpeg, np.uint8)
        small = cv2.imdecode(data, cv2.IMREAD_REDUCED_GRAYSCALE_8)
        greys.append(np.nan if small is None else float(small.mean()))
    t_s = session.frames.t_ns.astype(np.float64) / NS_PER_S
    known = ~np.isnan(np.array(greys, np.float64))
    return t_s[known], np.array(greys, np.float64)[known]


def flash_onsets(times_s: FloatArray, greys: FloatArray) -> list[Onset]:
    """Return when the picture became bright: after a dark one, by the first that is brighter.

    Parameters
    ----------
    times_s, greys
        Of each frame, as `brightness` returns them.
    """
    if len(greys) < 3:
        return []
    rises = np.diff(greys)
    # Two frames share a flash that begins within the first of them.
    both = rises + np.append(np.maximum(rises[1:], 0), 0) * (rises > 0)
    large = np.sort(both[both > _MIN_RISE])
    if not len(large):
        return []
    least = max(_MIN_RISE, _HALF * float(np.median(large[-max(3, len(large) // 2) :])))
    found: list[Onset] = []
    last = -2
    for i in np.flatnonzero((both >= least) & (rises > _MIN_RISE / 2)):
        if i > last + 1:
            found.append(Onset(float(times_s[i]), float(times_s[i + 1])))
        last = int(i)
    return found


def beep_onsets(session: Session) -> list[Onset]:
    """Return when sounds began that rise out of quiet, in the sound of the room."""
    if ROOM not in session.state.audio:
        return []
    audio = session.audio(ROOM)
    samples = audio.read().astype(np.float64).mean(axis=1)
    onsets = sound_onsets(samples, audio.rate_hz)
    return [Onset(t, t) for t in (_session_s(audio.blocks, audio.rate_hz, i) for i in onsets)]


def sound_onsets(samples: FloatArray, rate_hz: int) -> list[int]:
    """Return the samples at which sound rises out of quiet, of samples [n]."""
    hop = max(1, round(rate_hz * _WINDOW_S))
    count = len(samples) // hop
    if count < 200:
        return []
    # Differences leave out what hums and rumbles below a few hundred hertz.
    sharp = np.diff(samples[: count * hop], prepend=samples[:1])
    level = np.sqrt(np.mean(sharp.reshape(count, hop) ** 2, axis=1)) + 1e-9
    noise, peak = float(np.median(level)), float(np.quantile(level, 0.999))
    least = max(noise * _ABOVE_NOISE, 0.1 * peak)
    quiet, found = round(_QUIET_S / _WINDOW_S), []
    loud = level > least
    last = -quiet
    for i in np.flatnonzero(loud):
        if i - last > quiet:
            found.append(_within(sharp, int(i) * hop, hop, least))
        last = int(i)
    return found


def _within(sharp: FloatArray, at: int, hop: int, least: float) -> int:
    """Return where in a window, or in the one before it, the sound begins."""
    begin = max(0, at - hop)
    above = np.flatnonzero(np.abs(sharp[begin : at + hop]) > least / 2)
    return begin + int(above[0]) if len(above) else at


def _session_s(blocks: NDArray[np.void], rate_hz: int, row: int) -> float:
    """Return the session time of a row of samples, by the stamps of the blocks around it.

    A line through a second of blocks: single stamps jitter.
    """
    at = int(np.searchsorted(blocks["row"], row, side="right")) - 1
    around = blocks[max(0, at - 20) : at + 21]
    t_s = around["t_ns"].astype(np.float64) / NS_PER_S
    lag = np.median(t_s - around["row"].astype(np.float64) / rate_hz)
    return float(row / rate_hz + lag)


def offset(
    flashes: list[Onset], beeps: list[Onset], *, seen_from_stamp: bool = False
) -> Measured | Unmeasured:
    """Return how late flashes are against beeps.

    Parameters
    ----------
    flashes, beeps
        In the order of time; not every one needs its fellow.
    seen_from_stamp
        Whether a picture is seen from its stamp on, as one of a film is; a camera's was taken in
        the time before it.
    """
    few = "no_flashes" if len(flashes) < MIN_PAIRS else "no_beeps"
    if min(len(flashes), len(beeps)) < MIN_PAIRS:
        return Unmeasured(few, len(flashes), len(beeps))
    pairs = _paired(flashes, beeps)
    if len(pairs) < max(MIN_PAIRS, _SHARE * min(len(flashes), len(beeps))):
        return Unmeasured("no_pairs", len(flashes), len(beeps))
    late_s, spread_s = _common(pairs, seen_from_stamp)
    return Measured(late_s, spread_s, len(pairs), len(flashes), len(beeps))


def _paired(flashes: list[Onset], beeps: list[Onset]) -> list[tuple[Onset, Onset]]:
    """Return the flashes with their beeps, by the offset that the most of them share.

    Of offsets that as many share, as where all come in one rhythm, the smallest is taken.
    """
    lengths = [flash.by_s - flash.after_s for flash in flashes]
    near_s = 1.5 * float(np.median(lengths))
    apart = np.array([[f.by_s - b.by_s for b in beeps] for f in flashes])
    candidates = apart[np.abs(apart) <= MAX_LATE_NS / NS_PER_S]
    if not len(candidates):
        return []

    def shared(offset_s: float) -> tuple[int, float]:
        return int((np.abs(apart - offset_s).min(axis=1) <= near_s / 2).sum()), -abs(offset_s)

    best_s = max((float(each) for each in candidates), key=shared)
    close = np.abs(apart - best_s)
    nearest = close.argmin(axis=1)
    return [
        (flash, beeps[j])
        for i, (flash, j) in enumerate(zip(flashes, nearest, strict=True))
        if close[i, j] <= near_s and close[:, j].argmin() == i
    ]


def _common(pairs: list[tuple[Onset, Onset]], seen_from_stamp: bool) -> tuple[float, float]:
    """Return the middle and half the width of what the most of the intervals have in common."""
    lows = np.array([flash.after_s - beep.by_s for flash, beep in pairs])
    highs = np.array([flash.by_s - beep.by_s for flash, beep in pairs])
    length = float(np.median(highs - lows))
    edges = np.unique(np.concatenate([lows, highs]))
    middles = (edges[:-1] + edges[1:]) / 2
    inside = np.array([((lows < m) & (m < highs)).sum() for m in middles])
    best = np.flatnonzero(inside == inside.max())
    low, high = float(edges[best[0]]), float(edges[best[-1] + 1])
    half = (high - low) / 2
    if seen_from_stamp and float(np.std(highs)) < _IN_STEP * length:
        # Flashes in step with the pictures of a film: each is seen from the stamp of its first.
        return float(np.median(highs)), float(np.std(highs))
    jitter = length / np.sqrt(12 * len(pairs)) if inside.max() < len(pairs) else 0.0
    return (low + high) / 2, max(half, float(jitter))
