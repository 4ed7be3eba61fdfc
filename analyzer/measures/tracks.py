"""What each track met with: what face and music expressed while it played."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.congruence import Congruence, congruence_of
from affetti.analyzer.measures.segments import Estimates, ModalityName, Summary, summary_of, within
from affetti.analyzer.measures.transitions import Change
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS
from affetti.core.events import WORD_SEPARATOR, Columns, PerceptionSettings
from affetti.core.state import Track

Stretch = tuple[int, int]  # begin and end (exclusive), ns of session time


MOST_REASONS: Final = 3
LEAST_REASON: Final = 0.25  # share of the estimates; what is rarer does not describe the track


@dataclass(frozen=True)
class Reason:
    """A quality of the sound that spoke for the music's strongest emotion."""

    word: str
    share: float  # of the music estimates that said something


@dataclass(frozen=True)
class TrackResult:
    """One playing of a track.

    Attributes
    ----------
    number, title
        Its position in the playlist, from 0, and its title.
    start_s, stop_s
        Session time.
    played_s
        How long it was heard, pauses taken out.
    end_reason
        As the recorder gave it; None where the recording broke off in it.
    summaries
        What face, music and fused expressed in it; see `track_result` for which estimates count.
    congruence
        Of face and music.
    reasons
        What of the sound spoke for what the music expressed, the most frequent first.
    response
        The first lasting change of the face's expression after onset, or None.
    response_s
        How long after onset that was; NaN without one.
    """

    number: int
    title: str
    start_s: float
    stop_s: float
    played_s: float
    end_reason: str | None
    summaries: dict[ModalityName, Summary]
    congruence: Congruence
    reasons: tuple[Reason, ...]
    response: Change | None

    @property
    def response_s(self) -> float:
        """Time to first response in seconds; NaN without one."""
        return np.nan if self.response is None else self.response.t_s - self.start_s


def track_result(
    track: Track,
    estimates: dict[ModalityName, Estimates],
    fused: Columns,
    music: Columns,
    face_changes: list[Change],
    *,
    settings: PerceptionSettings,
    end_ns: int,
    margin: float = 0.1,
    lasting_s: float = 2.0,
) -> TrackResult:
    """Summarize one track.

    The face counts from onset. Music, fused and congruence count from `music_minimum_s` after
    it: until then no window of this track's sound is long enough, and a fused estimate may
    still hold the music before it. While the track is paused nothing counts.

    *Time to first response* is the time from onset to the first change of the face's smoothed
    state (`analyzer.measures.transitions`) within the track whose new state lasts at least
    `lasting_s`. It is as coarse as the model's tick, half a second.

    Parameters
    ----------
    track
        As the session's state has it.
    estimates
        Of all three modalities.
    fused
        Columns of `EmotionFused`, for the divergence.
    music
        Columns of `MusicEstimated`, for the reasons.
    face_changes
        Changes of the face's state in the whole session.
    settings
        Of the recording's perception.
    end_ns
        Of the session; a track that is still open ends there.
    margin
        By less than this the two strongest emotions count as mixed.
    lasting_s
        How long a new state must last to be a response.
    """
    stop_ns = end_ns if track.end_ns is None else track.end_ns
    played = played_stretches(track, stop_ns)
    settled = after(played, track.start_ns + settings.music_minimum_s * NS_PER_S)
    inside = _within(fused, settled)
    summaries: dict[ModalityName, Summary] = {
        "face": summary_of(estimates["face"], played, margin),
        "music": summary_of(estimates["music"], settled, margin),
        "fused": summary_of(estimates["fused"], settled, margin),
    }
    return TrackResult(
        number=track.number,
        title=track.title,
        start_s=track.start_s,
        stop_s=stop_ns / NS_PER_S,
        played_s=track.played_s(stop_ns),
        end_reason=track.reason,
        summaries=summaries,
        congruence=congruence_of(fused, inside, summaries["fused"].expected),
        reasons=reasons_of(music, settled),
        response=first_response(face_changes, track.start_s, stop_ns / NS_PER_S, lasting_s),
    )


def played_stretches(track: Track, stop_ns: int) -> list[Stretch]:
    """Return the stretches in which a track was heard."""
    begin = track.start_ns
    stretches = []
    for pause in track.pauses:
        stretches.append((begin, min(pause.start_ns, stop_ns)))
        begin = stop_ns if pause.end_ns is None else pause.end_ns
    stretches.append((begin, stop_ns))
    return [(start, stop) for start, stop in stretches if start < stop]


def after(stretches: list[Stretch], begin_ns: int) -> list[Stretch]:
    """Return what of some stretches lies at or after a moment."""
    return [(max(start, begin_ns), stop) for start, stop in stretches if stop > begin_ns]


def first_response(
    changes: list[Change], start_s: float, stop_s: float, lasting_s: float
) -> Change | None:
    """Return the first change after `start_s` and before `stop_s` that lasted, if any."""
    for change in changes:
        if start_s < change.t_s < stop_s and change.dwell_s >= lasting_s:
            return change
    return None


def reasons_of(music: Columns, stretches: list[Stretch]) -> tuple[Reason, ...]:
    """Return what of the sound spoke most often for the strongest emotion in some stretches.

    Parameters
    ----------
    music
        Columns of `MusicEstimated`.
    stretches
        Those that count.
    """
    if "reasons" not in music:
        return ()
    said = _within(music, stretches) & ~np.isnan(music[EMOTIONS[0]])
    # A recording made before reasons were given has none.
    given = [reasons for reasons in music["reasons"][said] if isinstance(reasons, str)]
    words = Counter(word for reasons in given if reasons for word in reasons.split(WORD_SEPARATOR))
    shares = [(word, count / said.sum()) for word, count in words.most_common(MOST_REASONS)]
    return tuple(Reason(word, share) for word, share in shares if share >= LEAST_REASON)


def _within(table: Columns, stretches: list[Stretch]) -> NDArray[np.bool_]:
    return within(np.asarray(table.get("t_ns", np.empty(0)), np.int64), stretches)
