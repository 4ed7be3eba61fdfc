"""The calls by which a process changes what is on the disk: counted, stopped before, written down.

All of Affetti's go through `os`, those of HDF5 among them, which writes into files of ours. So a
process that is killed before one of them is a child that ends there, without a last word.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

NAMES: Final = (
    "pwrite",
    "write",
    "fsync",
    "ftruncate",
    "link",
    "rename",
    "replace",
    "unlink",
    "mkdir",
    "rmdir",
    "posix_fallocate",
    "utime",
)


@contextmanager
def watched(
    before: Callable[[str, tuple[Any, ...]], object],
    made: Callable[[Any, int], object] = lambda path, fd: None,
) -> Iterator[None]:
    """Call `before` with the name and the arguments of each changing call, before it is made.

    `made` is called with the path and the descriptor of a file that was made.
    """
    true = {name: getattr(os, name) for name in (*NAMES, "open")}

    def through(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            before(name, arguments)
            return true[name](*arguments, **named)

        return call

    def opened(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & os.O_CREAT:
            before("open", (path, flags))
        fd = int(true["open"](path, flags, *more, **named))
        if flags & os.O_CREAT:
            made(path, fd)
        return fd

    for name in NAMES:
        setattr(os, name, through(name))
    os.open = opened  # type: ignore[assignment]
    try:
        yield
    finally:
        for name, call in true.items():
            setattr(os, name, call)


def count(action: Callable[[], object]) -> int:
    """Return how many changing calls an action makes."""
    made = 0

    def one(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal made
        made += 1

    with watched(one):
        action()
    return made


def killed_before(call: int, action: Callable[[], object]) -> bool:
    """Do something in a child that is killed before its n-th changing call, from 0.

    Returns
    -------
    False where it came to its end before.
    """
    child = os.fork()
    if child:
        return bool(os.waitpid(child, 0)[1])
    with suppress(BaseException):
        made = 0

        def one(name: str, arguments: tuple[Any, ...]) -> None:
            nonlocal made
            if made == call:
                os.kill(os.getpid(), signal.SIGKILL)
            made += 1

        with watched(one):
            action()
        os._exit(0)
    os._exit(1)
