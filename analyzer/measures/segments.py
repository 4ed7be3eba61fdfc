"""What was expressed in stretches of a session, and how much of each stretch was covered.

Every figure stands beside its coverage: the share of the estimates that were to be expected in
a stretch that said something. A face that is turned away, a silence, a camera that was lost:
each lowers coverage, and none of them is filled with a guess.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, Emotion, FloatArray, arousal_of, valence_of
from affetti.core.events import Columns, PerceptionSettings
from affetti.core.state import SessionState

ModalityName: TypeAlias = Literal["face", "music", "fused"]
MODALITIES: Final[tuple[ModalityName, ...]] = ("face", "music", "fused")

IntArray: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Estimates:
    """The estimates of one modality, in order of the moment they are about.

    Attributes
    ----------
    t_ns
        int64 [n].
    emotions
        float64 [n, 4], in the order of `EMOTIONS`; NaN where an estimate says nothing.
    expected_ns
        int64 [m], when perception was due to speak, the recording's pauses taken out.
    period_ns
        How far apart that is.
    """

    t_ns: IntArray
    emotions: FloatArray
    expected_ns: IntArray
    period_ns: int

    @property
    def said(self) -> NDArray[np.bool_]:
        """Bool [n], which estimates say something."""
        return ~np.isnan(self.emotions[:, 0])


def estimates_of(table: Columns, expected_ns: IntArray, period_ns: int) -> Estimates:
    """Return the rows of a table of estimates as `Estimates`.

    Parameters
    ----------
    table
        Columns of face, music or fused estimates; may be empty.
    expected_ns, period_ns
        When they were due.
    """
    t_ns = np.asarray(table.get("t_ns", np.empty(0)), np.int64)
    missing = np.full(len(t_ns), np.nan)
    emotions = np.column_stack([table.get(name, missing) for name in EMOTIONS])
    order = np.argsort(t_ns, kind="stable")
    return Estimates(t_ns[order], emotions[order].astype(np.float64), expected_ns, period_ns)


def period_ns(settings: PerceptionSettings, modality: ModalityName) -> int:
    """Return how far apart the estimates of a modality are due."""
    return {
        "face": settings.face_period_ns,
        "music": settings.music_period_s * NS_PER_S,
        "fused": settings.fusion_period_ns,
    }[modality]


def expected_ns(
    state: SessionState, settings: PerceptionSettings, modality: ModalityName
) -> IntArray:
    """Return the moments at which a modality was due to speak, int64 [n].

    From the beginning to the end of the session, whether or not there was a camera or music;
    pauses of the recording are taken out.
    """
    period = period_ns(settings, modality)
    # A face may be read at once; a window of music or a tick has to have passed.
    first = 0 if modality == "face" else period
    late = settings.fusion_lateness_ns if modality == "fused" else 0
    due = np.arange(first, max(state.now_ns - late, 0), period, dtype=np.int64)
    paused = np.zeros(len(due), bool)
    for pause in state.pauses:
        end = state.now_ns if pause.end_ns is None else pause.end_ns
        paused |= (due >= pause.start_ns) & (due < end)
    return due[~paused]


@dataclass(frozen=True)
class Windows:
    """Windows of equal length, one row each.

    Attributes
    ----------
    start_s, stop_s
        float64 [n]; the last window ends with the session.
    expected, said
        int64 [n]: how many estimates were due, and how many said something.
    coverage
        float64 [n], 0 to 1; NaN where none was due, as in a pause.
    covered_s
        float64 [n], seconds that the estimates which said something stand for. For the face:
        the time with a face seen.
    emotions
        float64 [n, 4], the mean of the estimates that said something; NaN where none did.
    """

    start_s: FloatArray
    stop_s: FloatArray
    expected: IntArray
    said: IntArray
    coverage: FloatArray
    covered_s: FloatArray
    emotions: FloatArray

    def __len__(self) -> int:
        return len(self.start_s)


def windows_of(estimates: Estimates, window_ns: int, duration_ns: int) -> Windows:
    """Summarize the estimates of one modality in windows from the session's beginning.

    Parameters
    ----------
    estimates
        Of one modality.
    window_ns
        Length of a window, above 0.
    duration_ns
        Length of the session; 0 gives no windows.
    """
    count = -(-duration_ns // window_ns)
    start_ns = np.arange(count, dtype=np.int64) * window_ns
    stop_ns = np.minimum(start_ns + window_ns, duration_ns)
    # Estimates about the very end belong to the last window.
    row = np.clip(estimates.t_ns // window_ns, 0, max(count - 1, 0))
    row, emotions = (row, estimates.emotions) if count else (row[:0], estimates.emotions[:0])
    said = ~np.isnan(emotions[:, 0])
    made = np.bincount(row, minlength=count)
    spoken = np.bincount(row[said], minlength=count)
    due = np.bincount(estimates.expected_ns // window_ns, minlength=count)[:count]
    sums = np.column_stack(
        [np.bincount(row[said], emotions[said, i], minlength=count) for i in range(len(EMOTIONS))]
    )
    expected = np.maximum(due, made)
    coverage = _ratio(spoken, expected)
    length_s = (stop_ns - start_ns) / NS_PER_S
    return Windows(
        start_s=start_ns / NS_PER_S,
        stop_s=stop_ns / NS_PER_S,
        expected=expected,
        said=spoken,
        coverage=coverage,
        covered_s=np.minimum(spoken * estimates.period_ns / NS_PER_S, length_s),
        emotions=_ratio(sums, spoken[:, np.newaxis]),
    )


def _ratio(above: NDArray[Any], below: IntArray) -> FloatArray:
    """Divide; NaN where `below` is 0."""
    ratio = np.full(above.shape, np.nan)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio


@dataclass(frozen=True)
class Summary:
    """What one modality expressed in one stretch of a session.

    Attributes
    ----------
    expected, said
        How many estimates were due, and how many said something.
    coverage
        Their ratio, 0 to 1; NaN where none was due.
    emotions
        float64 [4], the mean of what was said; NaN where nothing was.
    dominant
        The emotion that was the strongest most often; None where nothing was said.
    dominant_share
        In which share of what was said it was the strongest.
    strongest_shares
        float64 [4], how often each was the strongest.
    mixed_share
        Share of what was said in which the strongest led the second by less than `margin`.
    """

    expected: int
    said: int
    coverage: float
    emotions: FloatArray
    dominant: Emotion | None
    dominant_share: float
    strongest_shares: FloatArray
    mixed_share: float

    @property
    def valence(self) -> float:
        """Mean valence, -1 unpleasant to 1 pleasant; NaN where nothing was said."""
        return float(valence_of(self.emotions))

    @property
    def arousal(self) -> float:
        """Mean arousal, -1 calm to 1 activated; NaN where nothing was said."""
        return float(arousal_of(self.emotions))


def summary_of(
    estimates: Estimates, stretches_ns: list[tuple[int, int]], margin: float = 0.1
) -> Summary:
    """Summarize the estimates about moments in any of some stretches.

    Parameters
    ----------
    estimates
        Of one modality.
    stretches_ns
        Begin and end (exclusive) of each; they must not overlap.
    margin
        By less than this the two strongest emotions count as mixed.
    """
    inside = within(estimates.t_ns, stretches_ns)
    spoken = estimates.emotions[inside & estimates.said]
    made, said = int(inside.sum()), len(spoken)
    expected = max(int(within(estimates.expected_ns, stretches_ns).sum()), made)
    coverage = said / expected if expected else np.nan
    if not said:
        nothing = np.full(len(EMOTIONS), np.nan)
        return Summary(expected, 0, coverage, nothing, None, np.nan, nothing, np.nan)
    mean = spoken.mean(axis=0)
    strongest = np.bincount(spoken.argmax(axis=1), minlength=len(EMOTIONS))
    dominant = int(np.lexsort((mean, strongest))[-1])
    return Summary(
        expected=expected,
        said=said,
        coverage=coverage,
        emotions=mean,
        dominant=EMOTIONS[dominant],
        dominant_share=float(strongest[dominant] / said),
        strongest_shares=strongest / said,
        mixed_share=float(np.mean(is_mixed(spoken, margin))),
    )


def is_mixed(emotions: FloatArray, margin: float) -> NDArray[np.bool_]:
    """Return where the strongest emotion leads the second by less than `margin`.

    Parameters
    ----------
    emotions
        float64 [n, 4]; rows of NaN are not mixed.
    """
    ordered = np.sort(emotions, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2] < margin)


def within(t_ns: IntArray, stretches_ns: list[tuple[int, int]]) -> NDArray[np.bool_]:
    """Return which moments, int64 [n], lie in any of some stretches, begin to end (exclusive)."""
    inside = np.zeros(len(t_ns), bool)
    for start, stop in stretches_ns:
        inside |= (t_ns >= start) & (t_ns < stop)
    return inside
