"""A screen that comes back: what one that a defect of ours closed leaves to the next.

The recording is made in a process of its own, which takes no notice. The first time the same
screens open again; where they fail again soon, a plain one does that can do little wrong; and
where that fails too, there is none.
"""

from dataclasses import dataclass
from typing import Final

from affetti.recorder.engine.messages import Note
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.link import EngineLink
from affetti.recorder.tui.screens.live import LiveScreen
from affetti.recorder.tui.screens.plain import PlainScreen
from affetti.recorder.tui.view import RecordingView

RESTED_S: Final = 30.0  # a screen that lasted this long failed for a reason of its own
SAME_AGAIN: Final = 1  # failures in a row after which the same screens open
AT_MOST: Final = 3  # failures in a row after which any do


@dataclass
class Left:
    """What a screen left to the next.

    Parameters
    ----------
    link
        To the engine, with what was not heard yet.
    view
        The recording.
    draft
        What was set up.
    kind
        Of the exception; never its words, which may be about a person.
    failures
        How many screens in a row failed soon after they had opened, this one included.
    live
        The screen of the running recording as it was; None where another was open.
    note
        What was being typed; None where nothing was.
    """

    link: EngineLink
    view: RecordingView
    draft: Draft
    kind: str
    failures: int
    live: LiveScreen | PlainScreen | None = None
    note: Note | None = None

    @property
    def plain(self) -> bool:
        """Whether the plain screen opens."""
        return self.failures > SAME_AGAIN

    @property
    def over(self) -> bool:
        """Whether none opens any more."""
        return self.failures > AT_MOST


def failures_in_a_row(before: int, lasted_s: float) -> int:
    """Return how many screens in a row failed, with one that lasted so long."""
    return 1 if lasted_s > RESTED_S else before + 1
