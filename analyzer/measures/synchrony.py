"""How late pictures are against sound: flashes that a camera saw, beeps that a microphone heard.

A beep is placed to a millisecond, a flash only between two pictures. Each pair therefore says no
more than that the offset lies in an interval as wide as a picture lasts; flashes that fall
everywhere between pictures leave a narrow one in common.

Without a screen it is claps: hands that move and then rest. Where between two pictures they met is
told by how far they still moved, against the picture before; hands that speed up until they meet
make that late, by a quarter of a picture's length at most of what was tried.
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
MAX_CLAP_SPREAD_S: Final = 0.015
_FAST: Final = 0.4  # of the fastest movement: hands that are about to meet
_SLOWER: Final = 0.6  # than the picture before: they slow down by themselves
_AT_REST: Final = 0.15  # of the movement before
_REST: Final = 2  # pictures in a row
_MIN_MOVED: Final = 0.5  # grey levels, of the mean of a picture
_ABOVE_STILL: Final = 5.0  # times how far pictures at rest differ from each other
_CLOSE: Final = 0.4  # hands that part are below 0
_UNKNOWN: Final = 0.25  # of a picture's length, for how hands move before they meet


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
    """Why nothing can be said: "no_flashes", "no_beeps" or "no_pairs".

    Of claps "no_claps_seen", "no_claps_heard", "no_claps_paired", or "claps_unclear" where they
    leave more than `MAX_CLAP_SPREAD_S` open; `flashes` is then how many were seen, and `beeps`
    how many were heard.
    """

    why: str
    flashes: int
    beeps: int


def measure(session: Session, *, claps: bool = False) -> Measured | Unmeasured:
    """Measure how late the pictures of a recording are against the sound of its room.

    Parameters
    ----------
    session
        The recording.
    claps
        Whether claps are looked for, and not flashes with beeps.
    """
    if claps:
        return clap_offset(clap_onsets(*motion(session)), beep_onsets(session))
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


def motion(session: Session) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return when each frame was captured, and how it differs from the one before.

    Returns
    -------
    times_s
        Seconds of session time, [n].
    moved
        The mean difference of grey levels, [n]; 0 of the first.
    closing
        How far what moves comes together, -1 (apart) to 1, [n].
    """
    times_s, moved, closing = [], [], []
    before: NDArray[np.uint8] | None = None
    for frame, t_ns in zip(session.frames, session.frames.t_ns, strict=True):
        data = np.frombuffer(frame.jpeg, np.uint8)
        small = cv2.imdecode(data, cv2.IMREAD_REDUCED_GRAYSCALE_4)
        if small is None:
            continue
        if before is None or before.shape != small.shape:
            before = small
        moved.append(float(cv2.absdiff(small, before).mean()))
        closing.append(_closing(before, small) if moved[-1] > _MIN_MOVED else 0.0)
        times_s.append(t_ns / NS_PER_S)
        before = small
    return np.array(times_s), np.array(moved), np.array(closing)


def _closing(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> float:
    """Return how far what moves comes together, -1 (apart) to 1, by its flow.

    The flow is that of Farneback (2003), against the middle of all that moves.
    """
    flow = cv2.calcOpticalFlowFarneback(before, now, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    fast = np.hypot(flow[..., 0], flow[..., 1])
    rows, columns = np.nonzero(fast > max(0.5, float(fast.max()) / 4))
    if not len(rows):
        return 0.0
    place = np.stack([columns, rows], axis=1).astype(np.float64)
    outward = place - place.mean(axis=0)
    moving = flow[rows, columns].astype(np.float64)
    whole = float((np.linalg.norm(outward, axis=1) * fast[rows, columns]).sum())
    return -float((outward * moving).sum()) / whole if whole else 0.0


def clap_onsets(times_s: FloatArray, moved: FloatArray, closing: FloatArray) -> list[Onset]:
    """Return when hands that moved met and rested, each in the middle of a picture's length.

    Parameters
    ----------
    times_s, moved, closing
        Of each frame, as `motion` returns them.
    """
    if len(moved) < 2 * _REST + 2:
        return []
    still = float(np.median(np.sort(moved)[: max(3, len(moved) // 3)]))
    over = np.maximum(moved - still, 0)
    fast = max(_FAST * float(np.quantile(over, 0.98)), _ABOVE_STILL * (still - float(moved.min())))
    found: list[Onset] = []
    at = 2
    while at + 1 + _REST < len(over):
        if closing[at] > _CLOSE and _meet(over[at - 1 : at + 2 + _REST], fast):
            length_s = times_s[at + 1] - times_s[at]
            met_s = float(times_s[at] + length_s * over[at + 1] / over[at])
            found.append(Onset(met_s - length_s / 2, met_s + length_s / 2))
            at += _REST
        at += 1
    return found


def _meet(over: FloatArray, fast: float) -> bool:
    """Whether hands that were fast meet, of movements: before, fast, the last, and at rest."""
    before, now, last, *rest = map(float, over)
    return now > max(fast, _SLOWER * before, 0.0) and last <= now and max(rest) < _AT_REST * now


def clap_offset(seen: list[Onset], heard: list[Onset]) -> Measured | Unmeasured:
    """Return how late claps that were seen are against those that were heard.

    Parameters
    ----------
    seen, heard
        In the order of time; not every one needs its fellow.
    """
    counts = len(seen), len(heard)
    if min(counts) < MIN_PAIRS:
        few = "no_claps_seen" if len(seen) < MIN_PAIRS else "no_claps_heard"
        return Unmeasured(few, *counts)
    pairs = _paired(seen, heard)
    if len(pairs) < max(MIN_PAIRS, _SHARE * min(counts)):
        return Unmeasured("no_claps_paired", *counts)
    apart = np.array([(hands.after_s + hands.by_s) / 2 - sound.by_s for hands, sound in pairs])
    length_s = float(np.median([hands.by_s - hands.after_s for hands, _ in pairs]))
    late_s = float(np.median(apart))
    chance_s = 2 * 1.4826 * float(np.median(np.abs(apart - late_s))) / np.sqrt(len(pairs))
    spread_s = float(max(_UNKNOWN * length_s, chance_s))
    if spread_s > MAX_CLAP_SPREAD_S:
        return Unmeasured("claps_unclear", *counts)
    return Measured(late_s, spread_s, len(pairs), *counts)


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
