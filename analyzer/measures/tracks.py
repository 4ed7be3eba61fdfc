"""What each track met with: what face and music expressed while it played."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.congruence import Congruence, congruence_of
from affetti.analyzer.measures.counts import Count, counts_in_track
from affetti.analyzer.measures.estimates import Estimates, ModalityName, withheld
from affetti.analyzer.measures.heard import Heard, heard_of
from affetti.analyzer.measures.looks import Looks, looks_in
from affetti.analyzer.measures.responses import FaceCourse, Quiet, Response, response_of
from affetti.analyzer.measures.stretches import after, joined, within, without
from affetti.analyzer.measures.summary import MIXED_MARGIN, Summary, summary_of
from affetti.analyzer.measures.together import Together, together_in
from affetti.analyzer.measures.transitions import Change
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS
from affetti.core.events import WORD_SEPARATOR, Columns, PerceptionSettings
from affetti.core.interruptions import Stretch
from affetti.core.state import SessionState, Track

MAX_REASONS: Final = 3
MIN_REASON: Final = 0.25  # share of the estimates; what is rarer does not describe the track


@dataclass(frozen=True)
class Reason:
    """A quality of the sound that spoke for the music's strongest emotion, by its code."""

    code: str
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
        How long it was heard: its samples, pauses taken out.
    duration_s
        Of the file.
    expected
        The emotion that the playlist expects of it; None where it does not say.
    end_reason
        As the recorder gave it; None where the recording broke off in it.
    summaries
        What face, music and fused expressed in it; see `track_result` for which estimates count.
    together
        What the fused estimates rest on.
    congruence
        Of face and music.
    reasons
        What of the sound spoke for what the music expressed, the most frequent first.
    looks
        What the face showed beside its expression.
    heard
        What kinds of sound were heard while it played, by stream.
    counts
        What was marked and heard while it played, how often and how long.
    face
        Whether the face responded.
    response, response_s
        The response, and how long after onset it was; None and NaN without one.
    """

    number: int
    title: str
    start_s: float
    stop_s: float
    played_s: float
    duration_s: float
    expected: str | None
    end_reason: str | None
    summaries: dict[ModalityName, Summary]
    together: Together
    congruence: Congruence
    reasons: tuple[Reason, ...]
    looks: Looks
    heard: dict[str, Heard]
    counts: list[Count]
    face: Response

    @property
    def response(self) -> Change | None:
        """The response of the face; None where none is claimed."""
        return self.face.change

    @property
    def response_s(self) -> float:
        """Time to first response in seconds; NaN without one."""
        return np.nan if self.response is None else self.response.t_s - self.start_s


def track_result(  # noqa: PLR0917  what a track is measured by
    track: Track,
    state: SessionState,
    settings: PerceptionSettings,
    estimates: Mapping[ModalityName, Estimates],
    tables: Mapping[str, Columns],
    face: FaceCourse,
    quiet: Quiet,
    *,
    margin: float = MIXED_MARGIN,
) -> TrackResult:
    """Summarize one track.

    The face counts from onset. Music, fused and congruence count from `music_minimum_s` after
    it: until then no window of this track's sound is long enough, and a fused estimate may
    still hold the music before it. While the track is paused, or its speaker gone, nothing
    counts.

    Parameters
    ----------
    track
        As the session's state has it; one that is still open ends with the session.
    state, settings
        Of the session.
    estimates
        Of all three modalities.
    tables
        Columns of the fused estimates, for the divergence, of the music, for the reasons, of the
        face, for the looks, and of what was heard.
    face, quiet
        The face over the session, and without music.
    margin
        By less than this the two strongest count as mixed.
    """
    stop_ns = state.now_ns if track.end_ns is None else track.end_ns
    played = heard_stretches(track, state, stop_ns)
    settled = after(played, track.start_ns + settings.music_minimum_s * NS_PER_S)
    summaries: dict[ModalityName, Summary] = {
        "face": summary_of(estimates["face"], played, margin),
        "music": summary_of(estimates["music"], settled, margin),
        "fused": summary_of(estimates["fused"], settled, margin),
    }
    unwatched = withheld(state, "face")
    heard = heard_of(tables.get("heard", {}), state, played)
    return TrackResult(
        number=track.number,
        title=track.title,
        start_s=track.start_s,
        stop_s=stop_ns / NS_PER_S,
        played_s=track.played_s(stop_ns),
        duration_s=track.duration_s,
        expected=track.expected,
        end_reason=track.reason,
        summaries=summaries,
        together=together_in(tables["fused"], settled),
        congruence=congruence_in(estimates["fused"], tables["fused"], without(settled, unwatched)),
        reasons=reasons_of(tables["music"], settled),
        looks=looks_in(tables["face"], played),
        heard=heard,
        counts=counts_in_track(state, (track.start_ns, stop_ns), played, heard),
        face=response_of(face, _from_onset(track, without(played, unwatched)), quiet),
    )


def congruence_in(estimates: Estimates, fused: Columns, stretches: Sequence[Stretch]) -> Congruence:
    """Return the congruence of face and music in some stretches."""
    expected = int(within(estimates.expected_ns, stretches).sum())
    return congruence_of(fused, _within(fused, stretches), expected)


def heard_stretches(track: Track, state: SessionState, stop_ns: int) -> list[Stretch]:
    """Return the stretches in which a track was heard: not paused, and its speaker there."""
    silent = [
        each.stretch(stop_ns)
        for each in state.interruptions
        if (each.cause, each.what) == ("lost", "speaker")
    ]
    return without(played_stretches(track, stop_ns), joined(silent))


def _from_onset(track: Track, heard: list[Stretch]) -> list[Stretch]:
    """Return what was heard, led by an empty stretch where the onset was not."""
    begins = bool(heard) and heard[0][0] <= track.start_ns
    return heard if begins else [(track.start_ns, track.start_ns), *heard]


def played_stretches(track: Track, stop_ns: int) -> list[Stretch]:
    """Return the stretches in which a track was heard."""
    begin = track.start_ns
    stretches = []
    for pause in track.pauses:
        stretches.append((begin, min(pause.start_ns, stop_ns)))
        begin = stop_ns if pause.end_ns is None else pause.end_ns
    stretches.append((begin, stop_ns))
    return [(start, stop) for start, stop in stretches if start < stop]


def reasons_of(music: Columns, stretches: Sequence[Stretch]) -> tuple[Reason, ...]:
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
    codes = Counter(code for reasons in given if reasons for code in reasons.split(WORD_SEPARATOR))
    shares = [(code, count / said.sum()) for code, count in codes.most_common(MAX_REASONS)]
    return tuple(Reason(code, share) for code, share in shares if share >= MIN_REASON)


def _within(table: Columns, stretches: Sequence[Stretch]) -> NDArray[np.bool_]:
    return within(np.asarray(table.get("t_ns", np.empty(0)), np.int64), stretches)
