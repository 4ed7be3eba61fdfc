"""An old recording as the screens see one."""

import time
from collections.abc import Callable
from pathlib import Path

from affetti.core.events import UnknownEvent
from affetti.core.recording.session import Session
from affetti.recorder.engine.messages import Recorded, Sealed
from affetti.recorder.tui.view import RecordingView


def reopened(path: Path, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> RecordingView:
    """Return a view of a sealed recording, as it was at its end.

    Raises
    ------
    AffettiError
        It cannot be read, or was altered.
    """
    view = RecordingView(monotonic_ns)
    with Session.open(path) as session:
        known = [event for event in session.events if not isinstance(event, UnknownEvent)]
        ended = session.state.ended
    view.path = str(path)
    view.hear(Recorded(tuple(known)))
    view.hear(Sealed(str(path), ended.reason if ended is not None else "failed"))
    return view
