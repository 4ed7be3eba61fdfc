"""A sealed file that grows while its recording goes on, so that little is left to do at its end.

A thread reads what the running log has on the disk, record by record, as sealing does, and takes
it into a draft. Whatever keeps it from that, a disk with little room say, only means that all is
done at the end; the draft is gone then. Nothing is removed and nothing gets its name here.
"""

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from affetti.core import logbook, system
from affetti.core.errors import AffettiError
from affetti.core.recording.draft import Draft
from affetti.core.recording.names import DAMAGE, parts_of
from affetti.core.recording.survey import Tail

BEGIN_S: Final = 60.0  # a recording that is shorter is sealed at once
_EVERY_S: Final = 1.0
_PAUSE_S: Final = 0.001  # after each record: whatever records has the right of way
_LEAST_ROOM: Final = 1 << 30  # that is left on the disk


class Ahead:
    """Seals a running recording as far as it has come; `seal` makes use of it at its end.

    Whoever has no use for it any more closes it.

    Parameters
    ----------
    target
        The sealed file that the recording will become; its log has been begun.
    begin_s
        After how many seconds it begins.
    """

    def __init__(self, target: Path, begin_s: float = BEGIN_S) -> None:
        self.tails: dict[Path, Tail] = {}  # by part: what was read of each
        self._target = target
        self._begin_s = begin_s
        self._draft: Draft | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="seal ahead", daemon=True)
        self._thread.start()

    @property
    def size(self) -> int:
        """How much of the log is in the draft, in bytes."""
        draft = self._draft
        return 0 if draft is None else draft.size

    def close(self) -> None:
        """Stop, and leave nothing behind."""
        self._stop()
        self._give_up()

    def take(self) -> Draft | None:
        """Stop, and hand out what was made so far, which `tails` belong to; None: nothing was."""
        self._stop()
        draft, self._draft = self._draft, None
        return draft

    def _stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            if self._over.wait(self._begin_s):
                return
            self._draft = Draft(self._target)
            while not self._over.is_set():
                with suppress(FileNotFoundError):  # a part that was only reserved, and given back
                    self._follow(self._draft)
                if self._draft.error is not None or self._lacks_room():
                    self._give_up()
                    return
                self._over.wait(_EVERY_S)
        except Exception as error:  # all is done at the end then, and what it is will be told
            logbook.note("not sealed ahead", error)
            self._give_up()

    def _follow(self, draft: Draft) -> None:
        for path in parts_of(self._target):
            if path not in self.tails:  # the part before is whole: there are hundreds in an hour
                for whole in self.tails.values():
                    whole.rows.pack()
            tail = self.tails.get(path) or Tail.of(path)
            if tail is None:  # it has only just begun
                return
            self.tails[path] = tail
            for heading, record in tail.more():
                draft.see(heading, record)
                if self._over.is_set():
                    return
                time.sleep(_PAUSE_S)

    def _lacks_room(self) -> bool:
        free = system.free_bytes(self._target.parent)
        return free is not None and free < _LEAST_ROOM

    def _give_up(self) -> None:
        draft, self._draft = self._draft, None
        self.tails.clear()
        if draft is not None:
            with suppress(*DAMAGE, AffettiError):
                draft.close()
