"""What commands that remove something say of copies elsewhere, which they do not reach."""

from collections.abc import Callable, Iterable
from pathlib import Path

from affetti.core import terminal
from affetti.core.custody.exports import Exported, legible, out_of_reach
from affetti.core.errors import AffettiError
from affetti.core.language import text


class Copies:
    """What was noted of copies of recordings: what a file says is read before it is gone.

    Parameters
    ----------
    complain
        Given what is wrong with a list of copies that is damaged: it keeps nothing from going.
    """

    def __init__(self, complain: Callable[[AffettiError], object]) -> None:
        self._complain = complain
        self._noted: list[Exported] = []
        self.damaged = False  # whether one of the lists was

    def read(self, place: Path) -> None:
        """Read what was noted beside a recording."""
        noted, error = legible(place)
        self._noted += noted
        if error is not None:
            self._complain(error)
            self.damaged = True

    def tell(self, gone: Iterable[Path]) -> None:
        """Say which copies stay, now that some files are gone."""
        for copy in out_of_reach(self._noted, gone):
            terminal.say(text("withdraw.exported", name=copy.name, target=copy.target))
        terminal.say(text("withdraw.copies"))
