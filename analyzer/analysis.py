"""Everything the analyzer finds in one session, as one object.

with Session.open("sub-P07_ses-20261124T101500.h5") as session:
    analysis = analyze(session, replayed(session))
analysis.windows["fused"].emotions
analysis.tracks[0].response_s
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from affetti.analyzer.measures.congruence import Congruence, congruence_of
from affetti.analyzer.measures.segments import (
    MODALITIES,
    Estimates,
    ModalityName,
    Summary,
    Windows,
    estimates_of,
    expected_ns,
    period_ns,
    summary_of,
    windows_of,
)
from affetti.analyzer.measures.tracks import TrackResult, track_result
from affetti.analyzer.measures.transitions import Change, States, StickyChain, changes_of, smoothed
from affetti.analyzer.replay import EstimateTables
from affetti.core.clock import NS_PER_S
from affetti.core.recording.info import SessionInfo
from affetti.core.recording.session import Session
from affetti.core.state import SessionState

Positive = Annotated[float, Meta(gt=0)]


class Parameters(msgspec.Struct, frozen=True):
    """What the researcher may choose; it is written beside every result."""

    window_s: Positive = 5.0
    chain: StickyChain = StickyChain()
    lasting_s: float = 2.0  # how long a new state of the face must last to be a response
    mixed_margin: float = 0.1  # two emotions closer than this are mixed


@dataclass(frozen=True)
class Analysis:
    """The results of one session.

    Attributes
    ----------
    info, state
        What the recording says of itself.
    parameters
        What the results depend on.
    tables
        The estimates as columns, with where they come from.
    estimates, summaries, windows, states, changes
        By modality: "face", "music" and "fused". States are those of ticks as long as the
        fusion's period.
    tracks
        One result a playing of a track.
    congruence
        Of face and music over the whole session.
    """

    info: SessionInfo
    state: SessionState
    parameters: Parameters
    tables: EstimateTables
    estimates: dict[ModalityName, Estimates]
    summaries: dict[ModalityName, Summary]
    windows: dict[ModalityName, Windows]
    states: dict[ModalityName, States]
    changes: dict[ModalityName, list[Change]]
    tracks: list[TrackResult]
    congruence: Congruence


def analyze(
    session: Session, tables: EstimateTables, parameters: Parameters | None = None
) -> Analysis:
    """Analyze a session from its estimates.

    Parameters
    ----------
    session
        The recording.
    tables
        Its estimates: `analyzer.replay.replayed(session)`, or `completed(session)`.
    parameters
        By default their defaults.
    """
    parameters = parameters or Parameters()
    state, settings = session.state, session.started.perception
    end_ns = state.now_ns
    estimates: dict[ModalityName, Estimates] = {
        name: estimates_of(
            getattr(tables, name), expected_ns(state, settings, name), period_ns(settings, name)
        )
        for name in MODALITIES
    }
    # Music is free to change when a track begins; a face is not.
    onsets = [track.start_ns for track in state.tracks]
    states = {
        name: _states(
            each,
            settings.fusion_period_ns,
            end_ns,
            parameters.chain,
            onsets if name == "music" else [],
        )
        for name, each in estimates.items()
    }
    changes = {name: changes_of(each) for name, each in states.items()}
    fused = estimates["fused"]
    return Analysis(
        info=session.info,
        state=state,
        parameters=parameters,
        tables=tables,
        estimates=estimates,
        summaries={
            name: summary_of(each, [(0, end_ns + 1)], parameters.mixed_margin)
            for name, each in estimates.items()
        },
        windows={
            name: windows_of(each, round(parameters.window_s * NS_PER_S), end_ns)
            for name, each in estimates.items()
        },
        states=states,
        changes=changes,
        tracks=[
            track_result(
                track,
                estimates,
                tables.fused,
                tables.music,
                changes["face"],
                settings=settings,
                end_ns=end_ns,
                margin=parameters.mixed_margin,
                lasting_s=parameters.lasting_s,
            )
            for track in state.tracks
        ],
        congruence=congruence_of(
            tables.fused, np.ones(len(fused.t_ns), bool), len(fused.expected_ns)
        ),
    )


def _states(
    estimates: Estimates, tick_ns: int, end_ns: int, chain: StickyChain, onsets_ns: list[int]
) -> States:
    ticks = windows_of(estimates, tick_ns, end_ns)
    beginnings = [onset_ns // tick_ns for onset_ns in onsets_ns]
    return smoothed(ticks.emotions, tick_ns / NS_PER_S, chain, beginnings)
