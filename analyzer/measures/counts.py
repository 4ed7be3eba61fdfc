"""What was counted: how often, how long and how soon, by marker, and by what was heard.

A marker that is pressed counts each time; one with start and end counts as a stretch. What was
heard in the room counts in stretches, too: singing in the room, and never whose.

Time in which nothing of the person was to be kept, a pause or consent that ended, is taken out:
of the time that counts, and of what was marked meanwhile, which is told as left out. Consent that
ended for a part of what was recorded alone leaves the therapist's own markers as they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from affetti.analyzer.measures.heard import PLAYBACK, Heard
from affetti.analyzer.measures.stretches import common, joined, total_ns, without
from affetti.core.clock import NS_PER_S
from affetti.core.events import marked_stretches
from affetti.core.events.moments import PRESS, STRETCH
from affetti.core.heard import KINDS, Kind
from affetti.core.interruptions import Stretch
from affetti.core.state import SessionState

CountForm: TypeAlias = Literal["press", "stretch", "heard"]
HEARD: CountForm = "heard"
_MINUTE_S = 60


@dataclass(frozen=True)
class Marked:
    """Something that was marked once.

    Attributes
    ----------
    label, form
        The therapist's word for it, "" where none was given; press or stretch.
    start_ns, stop_ns
        Session time; of a press the same moment.
    still_open
        Whether it was not ended: then it ends with the session.
    """

    label: str
    form: CountForm
    start_ns: int
    stop_ns: int
    still_open: bool = False


@dataclass(frozen=True)
class Count:
    """How often something was marked or heard, in a session or in one playing of a track.

    Attributes
    ----------
    label
        The therapist's word for it, "" where none was given; or the kind of sound.
    form
        press, stretch, or heard.
    stream
        Where it was heard; "" of a marker.
    times
        How often; a stretch that began before the track, and goes on in it, counts.
    counted_s
        The time that counts: for what is heard, the seconds that were listened to; else the
        session, or the track while it was heard, pauses taken out.
    total_s, mean_s, longest_s
        How long in all, on average, and at most; NaN of a press, and of what never was. What
        overlaps counts once in all; of what was heard, pauses up to 2 s are in a stretch and are
        not in the total.
    time_share
        total_s / counted_s, 0 to 1; NaN of a press.
    latency_s
        From the track's start to the first, pauses taken out; 0 where it goes on from before;
        NaN of a session, and of what never was.
    left_out
        How often it was marked in time that does not count.
    still_open
        How many were not ended.
    """

    label: str
    form: CountForm
    stream: str
    times: int
    counted_s: float
    total_s: float
    mean_s: float
    longest_s: float
    time_share: float
    latency_s: float
    left_out: int = 0
    still_open: int = 0

    @property
    def rate_per_min(self) -> float:
        """How often a minute; NaN where no time counts."""
        return self.times / self.counted_s * _MINUTE_S if self.counted_s else np.nan


def marked_in(state: SessionState) -> list[Marked]:
    """Return everything that was marked in a session, in order of time."""
    presses = [
        Marked(marker.label, PRESS, marker.t_ns, marker.t_ns)
        for marker in state.markers
        if marker.edge is None
    ]
    stretches = [
        Marked(
            each.label,
            STRETCH,
            each.start_ns,
            state.now_ns if each.end_ns is None else each.end_ns,
            each.end_ns is None,
        )
        for each in marked_stretches(state.markers)
    ]
    return sorted([*presses, *stretches], key=lambda each: each.start_ns)


def counts_in_session(state: SessionState, heard: Mapping[str, Heard]) -> list[Count]:
    """Return what was counted in a session.

    Parameters
    ----------
    state
        After the last event.
    heard
        What was heard in the session, by stream.
    """
    end_ns = state.now_ns
    return _counts(state, (0, end_ns), without([(0, end_ns)], unkept(state)), heard, None)


def counts_in_track(
    state: SessionState, span: Stretch, played: Sequence[Stretch], heard: Mapping[str, Heard]
) -> list[Count]:
    """Return what was counted in one playing of a track.

    Parameters
    ----------
    state
        After the last event.
    span
        From its start to its end.
    played
        The stretches in which it was heard.
    heard
        What was heard meanwhile, by stream.
    """
    return _counts(state, span, without(played, unkept(state)), heard, span[0])


def unkept(state: SessionState) -> list[Stretch]:
    """Return the stretches in which nothing of the person was to be kept, in order."""
    scopes = sorted({stream.scope for stream in state.streams.values() if stream.scope})
    found = joined(state.interruptions.withheld(scopes[0] if scopes else "", state.now_ns))
    for scope in scopes[1:]:
        found = common(found, state.interruptions.withheld(scope, state.now_ns))
    return found


def _counts(
    state: SessionState,
    span: Stretch,
    counted: list[Stretch],
    heard: Mapping[str, Heard],
    onset_ns: int | None,
) -> list[Count]:
    marked = marked_in(state)
    of_markers = [
        _count(label, form, [m for m in marked if (m.label, m.form) == (label, form)],
               state.now_ns, span, counted, onset_ns)
        for label, form in _labels(state, marked)
    ]  # fmt: skip
    of_sound = [
        _heard(kind, sound, counted, onset_ns)
        for sound in heard.values()
        if sound.stream != PLAYBACK and sound.listened_s
        for kind in KINDS
    ]
    return [*of_markers, *of_sound]


def _labels(state: SessionState, marked: Iterable[Marked]) -> list[tuple[str, CountForm]]:
    """Return what is counted: what was to be, whether it was or not, and what was beside it."""
    started = state.started
    meant = [] if started is None else [(key.label, key.form) for key in started.markers]
    return list(dict.fromkeys([*meant, *((each.label, each.form) for each in marked)]))


def _count(  # noqa: PLR0917  one count, and all that it rests on
    label: str,
    form: CountForm,
    marked: list[Marked],
    end_ns: int,
    span: Stretch,
    counted: list[Stretch],
    onset_ns: int | None,
) -> Count:
    there = [each for each in marked if _meets(each, [span], end_ns)]
    within = [each for each in there if _meets(each, counted, end_ns)]
    pieces = [common(counted, [(each.start_ns, each.stop_ns)]) for each in within]
    lasted_s = [total_ns(each) / NS_PER_S for each in pieces]
    counted_s = total_ns(counted) / NS_PER_S
    lasts = form == STRETCH
    total_s = total_ns(part for each in pieces for part in each) / NS_PER_S if lasts else np.nan
    first_ns = min((each.start_ns for each in within), default=None)
    return Count(
        label=label,
        form=form,
        stream="",
        times=len(within),
        counted_s=counted_s,
        total_s=total_s,
        mean_s=_mean(lasted_s) if lasts else np.nan,
        longest_s=max(lasted_s, default=np.nan) if lasts else np.nan,
        time_share=_share(total_s, counted_s),
        latency_s=_latency_s(first_ns, onset_ns, counted),
        left_out=len(there) - len(within),
        still_open=sum(each.still_open for each in within),
    )


def _meets(marked: Marked, stretches: Sequence[Stretch], end_ns: int) -> bool:
    """Whether something lies in stretches, or a part of it; the last moment of a session counts."""
    if marked.start_ns == marked.stop_ns:
        t_ns = marked.start_ns
        return any(a <= t_ns < b or t_ns == b == end_ns for a, b in stretches)
    return any(marked.start_ns < b and marked.stop_ns > a for a, b in stretches)


def _heard(kind: Kind, sound: Heard, counted: list[Stretch], onset_ns: int | None) -> Count:
    stretches = sound.stretches[kind]
    lasted_s = [(stop - start) / NS_PER_S for start, stop in stretches]
    total_s = float(sound.seconds[kind])
    return Count(
        label=kind,
        form=HEARD,
        stream=sound.stream,
        times=len(stretches),
        counted_s=float(sound.listened_s),
        total_s=total_s,
        mean_s=_mean(lasted_s),
        longest_s=max(lasted_s, default=np.nan),
        time_share=_share(total_s, sound.listened_s),
        latency_s=_latency_s(min((a for a, _ in stretches), default=None), onset_ns, counted),
    )


def _latency_s(first_ns: int | None, onset_ns: int | None, counted: list[Stretch]) -> float:
    if first_ns is None or onset_ns is None:
        return np.nan
    return total_ns(common(counted, [(onset_ns, first_ns)])) / NS_PER_S


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else np.nan


def _share(part: float, whole: float) -> float:
    return part / whole if whole else np.nan
