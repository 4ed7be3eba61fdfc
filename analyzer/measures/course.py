"""Everything that is measured of one session, from its state and its estimates.

What the screen shows of a session that has just ended and what a report says of it later is this
very object, so that they cannot differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.congruence import Congruence
from affetti.analyzer.measures.counts import Count, counts_in_session
from affetti.analyzer.measures.estimates import (
    LABELS,
    MODALITIES,
    Estimates,
    ModalityName,
    estimates_of,
    expected_ns,
    period_ns,
    synchronous,
    withheld,
)
from affetti.analyzer.measures.heard import Heard, heard_of
from affetti.analyzer.measures.looks import Looks, looks_in
from affetti.analyzer.measures.neutral import neutral_outcome
from affetti.analyzer.measures.responses import (
    FaceCourse,
    Quiet,
    face_course,
    quiet_of,
    quiet_stretches,
)
from affetti.analyzer.measures.segments import Segments, segments_of
from affetti.analyzer.measures.stretches import without
from affetti.analyzer.measures.summary import MIXED_MARGIN, Summary, summary_of
from affetti.analyzer.measures.together import Together, together_in
from affetti.analyzer.measures.tracks import TrackResult, congruence_in, track_result
from affetti.analyzer.measures.transitions import Change, States, StickyChain, changes_of, smoothed
from affetti.analyzer.measures.unseen import Unseen, unseen_of
from affetti.core.choices import Chosen, bounded
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import FloatArray
from affetti.core.events import Columns, PerceptionSettings
from affetti.core.numbers import MAX_S, SEGMENT_S
from affetti.core.state import SessionState
from affetti.models.face.reference import Outcome


class Parameters(Chosen, frozen=True):
    """What the researcher may choose; it is written beside every result."""

    segment_s: Annotated[float, bounded(SEGMENT_S)] = 5.0
    chain: StickyChain = StickyChain()
    # How long a new state of the face must last to count as one.
    lasting_s: Annotated[float, bounded((0.0, MAX_S))] = 2.0
    # Two labels closer than this are mixed.
    mixed_margin: Annotated[float, bounded((0.0, 1.0))] = MIXED_MARGIN


@dataclass(frozen=True)
class Course:
    """The measures of one session.

    Attributes
    ----------
    state
        What the recording says of itself.
    parameters
        What the results depend on.
    estimates, summaries, segments, states, changes
        By modality: "face", "music" and "fused". States are those of ticks as long as the
        fusion's period.
    face, quiet
        The face over the session, and without music.
    tracks
        One result a playing of a track.
    congruence
        Of face and music over the whole session.
    together
        What the fused estimates rest on.
    looks
        What the face showed beside its expression.
    heard
        What kinds of sound were heard, by stream.
    counts
        What was marked and heard, how often and how long.
    unseen
        What could not be seen or heard, when and why.
    neutral
        What became of the latest neutral reference; None without one.
    """

    state: SessionState
    parameters: Parameters
    estimates: dict[ModalityName, Estimates]
    summaries: dict[ModalityName, Summary]
    segments: dict[ModalityName, Segments]
    states: dict[ModalityName, States]
    changes: dict[ModalityName, list[Change]]
    face: FaceCourse
    quiet: Quiet
    tracks: list[TrackResult]
    congruence: Congruence
    together: Together
    looks: Looks
    heard: dict[str, Heard]
    counts: list[Count]
    unseen: list[Unseen]
    neutral: Outcome | None


def course_of(
    state: SessionState,
    settings: PerceptionSettings,
    tables: Mapping[str, Columns],
    parameters: Parameters | None = None,
) -> Course:
    """Measure a session.

    Parameters
    ----------
    state
        After its last event.
    settings
        Of its perception.
    tables
        Its estimates as columns, by modality.
    parameters
        By default their defaults.
    """
    parameters = parameters or Parameters()
    tables = synchronous(tables, state)
    whole = [(0, state.now_ns + 1)]
    estimates: dict[ModalityName, Estimates] = {
        name: estimates_of(
            tables[name],
            expected_ns(state, settings, name),
            period_ns(settings, name),
            LABELS[name],
        )
        for name in MODALITIES
    }
    ticks = {
        name: segments_of(each, settings.fusion_period_ns, state.now_ns).shares
        for name, each in estimates.items()
    }
    states = {
        name: _states(name, ticks[name], state, settings, parameters.chain) for name in MODALITIES
    }
    changes = {name: changes_of(each) for name, each in states.items()}
    face = face_of(states["face"], ticks["face"], changes["face"], parameters)
    quiet = quiet_of(face, quiet_stretches(state, settings, tables["music"]))
    heard = heard_of(tables.get("heard", {}), state, whole)
    both = without(whole, [*withheld(state, "face"), *withheld(state, "music")])
    return Course(
        state=state,
        parameters=parameters,
        estimates=estimates,
        summaries={
            name: summary_of(each, whole, parameters.mixed_margin)
            for name, each in estimates.items()
        },
        segments={
            name: segments_of(each, round(parameters.segment_s * NS_PER_S), state.now_ns)
            for name, each in estimates.items()
        },
        states=states,
        changes=changes,
        face=face,
        quiet=quiet,
        tracks=[
            track_result(
                track,
                state,
                settings,
                estimates,
                tables,
                face,
                quiet,
                margin=parameters.mixed_margin,
            )
            for track in state.tracks
        ],
        congruence=congruence_in(estimates["fused"], tables["fused"], both),
        together=together_in(tables["fused"], whole),
        looks=looks_in(tables["face"], whole),
        heard=heard,
        counts=counts_in_session(state, heard),
        unseen=unseen_of(state, tables["face"]),
        neutral=neutral_outcome(state, tables["face"]),
    )


def face_of(
    states: States, ticks: FloatArray, changes: list[Change], parameters: Parameters
) -> FaceCourse:
    """Return the face over a session, of whose changes those count that last."""
    lasting = [change for change in changes if change.dwell_s >= parameters.lasting_s]
    return face_course(states, ticks, lasting)


def _states(
    name: ModalityName,
    ticks: FloatArray,
    state: SessionState,
    settings: PerceptionSettings,
    chain: StickyChain,
) -> States:
    tick_ns = settings.fusion_period_ns
    # Music is free to change when a track begins; a face is not.
    onsets = [track.start_ns // tick_ns for track in state.tracks] if name == "music" else []
    held = _held(len(ticks), tick_ns, withheld(state, name))
    return smoothed(ticks, tick_ns / NS_PER_S, chain, onsets, held, labels=LABELS[name])


def _held(count: int, tick_ns: int, stretches: list[tuple[int, int]]) -> NDArray[np.bool_]:
    """Return which ticks touch any of some stretches, bool [count]."""
    begins = np.arange(count, dtype=np.int64) * tick_ns
    held = np.zeros(count, bool)
    for start, stop in stretches:
        held |= (begins < stop) & (begins + tick_ns > start)
    return held
