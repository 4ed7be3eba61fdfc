"""What of a running log is on the disk, known by the thread that makes sure of it.

One thread appends to the log, and this one has the disk take what was appended: at least once in
a period, and at once where that is asked for. So a disk that is slow delays only what is known
to be safe, and how long that has been is known, too.
"""

import threading
import time
from collections.abc import Callable


class Durability:
    """Makes sure of a log, from a thread of its own, until it is closed or fails.

    Parameters
    ----------
    make_sure
        Has the disk take all that was appended so far; called in the thread.
    period_s
        How often at least.

    Attributes
    ----------
    error
        What ended it before it was closed; None so far. Nothing more is known to be safe then.
    """

    def __init__(self, make_sure: Callable[[], None], period_s: float) -> None:
        self.error: Exception | None = None
        self._make_sure = make_sure
        self._period_s = period_s
        self._changed = threading.Condition()
        self._wanted = self._closing = self._over = False
        self._appended = self._safe = 0
        self._since: float | None = None  # of the first that nothing made sure of yet
        self._under_way: float | None = None  # of the first that is being made sure of
        self._thread = threading.Thread(target=self._run, name="sync log", daemon=True)
        self._thread.start()

    @property
    def safe(self) -> int:
        """How many of those that were appended are known to be on the disk."""
        return self._safe

    @property
    def unsafe_s(self) -> float:
        """For how long the first that is not known to be on the disk has been so, in seconds."""
        with self._changed:
            waiting = [t for t in (self._under_way, self._since) if t is not None]
            return time.monotonic() - min(waiting) if waiting else 0.0

    def count(self, urgent: bool) -> None:
        """Take note that one more was appended, and of an urgent one make sure at once."""
        with self._changed:
            self._appended += 1
            if self._since is None:
                self._since = time.monotonic()
            if urgent:
                self._want()

    def want(self) -> None:
        """Ask for it to be made sure of at once."""
        with self._changed:
            self._want()

    def wait_for(self, happened: Callable[[], bool]) -> None:
        """Wait for something that happens while it makes sure of the disk, or for its end."""
        with self._changed:
            self._want()
            self._changed.wait_for(lambda: happened() or self._over)

    def close(self) -> None:
        """End the thread, once it has done what it is doing."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def settle(self) -> None:
        """Take note, once it is closed, that all of it is on the disk."""
        self._safe, self._under_way, self._since = self._appended, None, None

    def _want(self) -> None:
        self._wanted = True
        self._changed.notify_all()

    def _run(self) -> None:
        try:
            while self._is_due():
                self._once()
        except Exception as error:  # whoever appends is told
            self.error = error
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _is_due(self) -> bool:
        """Wait until it is time; False once it was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._closing, self._period_s)
            self._wanted = False
            return not self._closing

    def _once(self) -> None:
        with self._changed:
            covered = self._appended
            self._under_way, self._since = self._since, None
        self._make_sure()
        with self._changed:
            self._safe, self._under_way = covered, None
            self._changed.notify_all()
