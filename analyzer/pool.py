"""The same work on many files, in processes of their own.

They live no longer than who started them; one that dies costs the file that it was at work on,
and no other.
"""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from affetti.core import system
from affetti.core.custody import keys
from affetti.core.errors import AffettiError, UsageError
from affetti.core.recording.box import unlock

T = TypeVar("T")


@dataclass(frozen=True)
class Attempt(Generic[T]):
    """Work that raises nothing: what it finds, or why it found nothing, as the one of a tuple."""

    work: Callable[[Path], T]
    failed: str  # the error that says that it failed for a reason that nobody foresaw

    def __call__(self, path: Path) -> tuple[T | AffettiError]:
        """Do the work on a file."""
        try:
            return (self.work(path),)
        except AffettiError as error:
            return (error,)
        except Exception as error:
            name = type(error).__name__
            return (AffettiError(self.failed, path=path.name, name=name, error=error),)


class Executor(Protocol):
    """Carries out the same work on many files: in processes here, or wherever else."""

    def carried_out(
        self, work: Attempt[T], paths: Sequence[Path]
    ) -> Iterator[tuple[Path, tuple[T | AffettiError] | None]]:
        """Yield each file with what work found of it, as it is done; None where its process died.

        Whoever stops asking stops the work.
        """
        ...


def attempted(
    work: Callable[[Path], T],
    paths: Sequence[Path],
    jobs: int | None = None,
    said: str = "pool",
    executor: Executor | None = None,
) -> Iterator[tuple[Path, T | AffettiError]]:
    """Yield each file with what work found of it, or with why it found nothing, as it is done.

    Parameters
    ----------
    work
        What to do, as something that can be pickled; what it raises is the error of that file.
    paths
        The files.
    jobs
        How many processes; by default one a processor.
    said
        Whose errors say that it failed for a reason that nobody foresaw, `said.failed`, or that
        its process died, `said.died`.
    executor
        What carries it out; by default `jobs` processes here.
    """
    executor = executor or Processes(jobs)
    for path, found in executor.carried_out(Attempt(work, f"{said}.failed"), paths):
        yield path, AffettiError(f"{said}.died", path=path.name) if found is None else found[0]


def refuse_one_target(targets: Mapping[Path, Path], said: str) -> None:
    """Refuse, by the error `said`, files of which two would become the same one.

    Parameters
    ----------
    targets
        By file, what becomes of it.

    Raises
    ------
    AffettiError
        Two have one target.
    """
    taken: dict[Path, Path] = {}
    for path, target in targets.items():
        other = taken.setdefault(target, path)
        if other != path:
            raise UsageError(said, other=other, path=path)


@dataclass(frozen=True)
class Processes:
    """Carries out work in processes of this computer.

    Parameters
    ----------
    jobs
        How many; by default one a processor.
    """

    jobs: int | None = None

    def carried_out(
        self, work: Callable[[Path], T], paths: Sequence[Path]
    ) -> Iterator[tuple[Path, T | None]]:
        """Yield each file with what work found of it, as it is done; None where its process died.

        Parameters
        ----------
        work
            What to do, as something that can be pickled; it raises nothing.
        paths
            The files.
        """
        unlock_all(paths)
        done = set()
        for path, found in _pooled(work, paths, processes_for(self.jobs, paths)):
            done.add(path)
            yield path, found
        # A worker that dies takes the pool with it; what it left undone gets a process each.
        for path in [path for path in paths if path not in done]:
            yield next(_pooled(work, [path], 1), (path, None))


def processes_for(jobs: int | None, paths: Sequence[Path]) -> int:
    """Return how many processes some files get where `jobs` are asked for, None for all."""
    return max(min(jobs or os.cpu_count() or 1, len(paths)), 1)


def unlock_all(paths: Sequence[Path]) -> None:
    """Open what may read some files, those that are encrypted, before processes are to read them.

    Of what cannot be opened its own process tells.
    """
    for path in paths:
        with suppress(AffettiError, OSError):
            unlock(path)


def _pooled(
    work: Callable[[Path], T], paths: Sequence[Path], jobs: int
) -> Iterator[tuple[Path, T]]:
    """Yield what was found as it comes, until all is there or a worker has died."""
    # Spawned, not forked: the libraries underneath have threads of their own.
    context = multiprocessing.get_context("spawn")
    tether, ours = context.Pipe(duplex=False)
    with (
        suppress(BrokenExecutor),
        ProcessPoolExecutor(jobs, context, _tie, (tether, keys.to_hand_over())) as pool,
        closing(tether),
        closing(ours),  # before the pool waits for its workers: they stop at once
    ):
        futures = {pool.submit(work, path): path for path in paths}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _tie(tether: Connection, handed: bytes) -> None:
    """Let a worker live as long as its parent holds the other end, and leave its end to that.

    It reads what its parent may read.
    """
    system.forbid_core_dumps()
    keys.take_over(handed)
    system.leave_ending_to_parent()
    threading.Thread(target=_leave_after, args=(tether,), name="tether", daemon=True).start()


def _leave_after(tether: Connection) -> None:
    with suppress(EOFError, OSError):
        tether.recv_bytes()
    os._exit(1)


def refuse_without_guard() -> None:
    """Refuse to start processes from a script that each of them would run from its beginning."""
    main = sys.modules.get("__main__")
    script = getattr(main, "__file__", None)
    if script is None or getattr(main, "__spec__", None) is not None:
        return
    with suppress(OSError):
        if b"__name__" not in Path(script).read_bytes():
            raise UsageError("batch.no_main_guard", path=Path(script).name)
