"""How fine the figures of a page are: as fine as a line of it can show."""

from typing import Final

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.measures.estimates import ModalityName
from affetti.analyzer.measures.segments import Segments, segments_of
from affetti.core.clock import NS_PER_S

MAX_SEGMENTS: Final = 240  # more than a line of the page can show
_RESOLUTIONS_S: Final = (1, 2, 5, 10, 15, 30, 60)


def resolution_s(analysis: Analysis) -> int:
    """Return how long the segments of the timeline are, in seconds."""
    for seconds in _RESOLUTIONS_S:
        if analysis.info.duration_s / seconds <= MAX_SEGMENTS:
            return seconds
    return _RESOLUTIONS_S[-1] * -(-int(analysis.info.duration_s) // (60 * MAX_SEGMENTS))


def fine(analysis: Analysis) -> dict[ModalityName, Segments]:
    """Return the segments that figures draw."""
    length_ns = resolution_s(analysis) * NS_PER_S
    return {
        name: segments_of(each, length_ns, analysis.state.now_ns)
        for name, each in analysis.estimates.items()
    }
