"""Everything the analyzer finds in one session, as one object.

with Session.open("sub-P07_ses-20261124T101500.h5") as session:
    analysis = analyze(session, replayed(session))
analysis.segments["fused"].emotions
analysis.tracks[0].response_s
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.course import Course, Parameters, course_of
from affetti.analyzer.replay import EstimateTables
from affetti.core.recording.info import SessionInfo
from affetti.core.recording.session import Session

__all__ = ["Analysis", "Parameters", "analyze"]


@dataclass(frozen=True)
class SignalTable:
    """The samples of a signal, as they were recorded.

    Attributes
    ----------
    channels, units
        Their names, and what they are measured in; a unit may be empty.
    t_s, stamps_s
        When each sample was taken, seconds of session time, and its raw stamp, seconds [n].
    values
        [n, channels]: numbers, or texts.
    """

    channels: tuple[str, ...]
    units: tuple[str, ...]
    t_s: NDArray[np.float64]
    stamps_s: NDArray[np.float64]
    values: NDArray[Any]


@dataclass(frozen=True)
class Analysis(Course):
    """The results of one session: its measures, and what they rest on.

    Attributes
    ----------
    info
        The recording in brief.
    tables
        The estimates as columns, with where they come from.
    signals
        The samples of each signal, by its name.
    """

    info: SessionInfo
    tables: EstimateTables
    signals: dict[str, SignalTable] = field(default_factory=dict)


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
    course = course_of(session.state, session.started.perception, tables.all(), parameters)
    signals = {
        name: SignalTable(
            each.channels,
            tuple(channel.unit for channel in each.stream.channels),
            each.t_s,
            each.stamps_s,
            each.values,
        )
        for name, each in session.signals.items()
    }
    return Analysis(**vars(course), info=session.info, tables=tables, signals=signals)
