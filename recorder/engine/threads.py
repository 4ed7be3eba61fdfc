"""Threads that end before their time: whoever depends on them is told."""

import os
import threading
from collections.abc import Callable

from affetti.core import logbook
from affetti.core.errors import AffettiError


class ThreadWatch:
    """Tells of every thread of this process that an exception ends, until it is closed.

    Parameters
    ----------
    tell
        Takes the error, in the thread that ends.
    """

    def __init__(self, tell: Callable[[AffettiError], object]) -> None:
        self._tell = tell
        self._before = threading.excepthook
        threading.excepthook = self._hear

    def close(self) -> None:
        """Tell no more."""
        if threading.excepthook == self._hear:
            threading.excepthook = self._before

    def _hear(self, ended: threading.ExceptHookArgs) -> None:
        if os.environ.get("AFFETTI_DEBUG"):
            self._before(ended)
        name = ended.thread.name if ended.thread is not None else "unknown"
        self._tell(unexpected("thread", ended.exc_value, name=name))


def unexpected(id: str, error: BaseException | None, **values: object) -> AffettiError:
    """Return the error that tells a person of a defect of ours, or of what we did not foresee.

    Its sentence is `error.unexpected.ID` of the catalogue, which is given the error and its kind.
    """
    if isinstance(error, AffettiError):
        return error
    logbook.note("not foreseen", error)
    kind = type(error).__name__
    told = AffettiError(f"unexpected.{id}", kind=kind, error=error, **values)
    told.__cause__ = error
    return told
