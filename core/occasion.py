"""When in a session a person is asked how it is for them."""

from affetti.core.events.moments import AFTER, BEFORE, BETWEEN
from affetti.core.state import SessionState


def occasion_of(state: SessionState) -> tuple[str, int | None]:
    """Return when in a session the person is asked now, and after which track.

    Returns
    -------
    before, between or after the tracks; the position of the track heard last, None before it.
    """
    if not state.tracks:
        return BEFORE, None
    last = state.tracks[-1]
    titles = len(state.started.playlist) if state.started is not None else 0
    over = last.end_ns is not None and last.number + 1 >= titles
    return AFTER if over else BETWEEN, last.number
