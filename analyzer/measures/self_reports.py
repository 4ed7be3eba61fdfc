"""What the person said of themselves, beside what face and music expressed meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from affetti.analyzer.measures.estimates import Estimates, ModalityName
from affetti.analyzer.measures.summary import Summary, summary_of
from affetti.core.clock import NS_PER_S
from affetti.core.events import Moment, SelfReported
from affetti.core.interruptions import Stretch
from affetti.core.state import SessionState, Track

AROUND_NS: Final = NS_PER_S * 5 // 2  # a moment is described by what is this far before and after


@dataclass(frozen=True)
class Said:
    """A self-report.

    Attributes
    ----------
    report
        As it was answered.
    track
        The playing that it is of: the one that was heard last; None before the first.
    stretch_ns
        What it is compared with: that playing, or the seconds around the answer.
    summaries
        What face, music and both expressed in that stretch.
    """

    report: SelfReported
    track: Track | None
    stretch_ns: Stretch
    summaries: Mapping[ModalityName, Summary]


def said_in(state: SessionState, estimates: Mapping[ModalityName, Estimates]) -> list[Said]:
    """Return the self-reports of a session in order of time, each with what was expressed."""
    return [
        _said(report, state, estimates)
        for report in sorted(state.self_reports, key=lambda report: report.t_ns)
    ]


def track_of(report: SelfReported, state: SessionState) -> Track | None:
    """Return the playing that a self-report is of; None where it is of none."""
    before = [track for track in state.tracks if track.start_ns <= report.t_ns]
    return next((track for track in reversed(before) if track.number == report.track), None)


def stretch_about(moment: Moment, state: SessionState) -> Stretch:
    """Return the stretch that a moment is compared with: of a self-report its track's."""
    track = track_of(moment, state) if isinstance(moment, SelfReported) else None
    if track is not None:
        return track.start_ns, state.now_ns if track.end_ns is None else track.end_ns
    return max(moment.t_ns - AROUND_NS, 0), min(moment.t_ns + AROUND_NS, state.now_ns)


def _said(
    report: SelfReported, state: SessionState, estimates: Mapping[ModalityName, Estimates]
) -> Said:
    stretch = stretch_about(report, state)
    summaries = {name: summary_of(each, [stretch]) for name, each in estimates.items()}
    return Said(report, track_of(report, state), stretch, summaries)
