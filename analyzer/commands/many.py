"""The same command for one recording and for many: one is shown at work, many in processes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from affetti.analyzer.commands.output import bar, bar_of_many
from affetti.analyzer.pool import attempted
from affetti.core.cli import complain
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.language import text

if TYPE_CHECKING:
    from affetti.analyzer.replay import Progress

T = TypeVar("T")
Work: TypeAlias = Callable[[Path, "Progress | None"], T]


def each(
    paths: list[Path], work: Work[T], at_work: str, jobs: int | None = None
) -> Iterator[tuple[Path, T | AffettiError]]:
    """Yield what work finds of each recording, in their order; of what cannot be done, the error.

    Parameters
    ----------
    paths
        The recordings.
    work
        What to do, as something that can be pickled.
    at_work
        The id of the sentence that says of one, by its `name`, that it is at work.
    jobs
        How many at a time; by default one a processor.

    Raises
    ------
    AffettiError
        There is one recording, and it cannot be done.
    """
    if len(paths) == 1:
        with bar(text(at_work, name=paths[0].name)) as progress:
            yield paths[0], work(paths[0], progress)
        return
    found: dict[Path, T | AffettiError] = {}
    with bar_of_many(text("bar.recordings"), paths) as done:
        for path, outcome in attempted(_Silent(work), paths, jobs):
            found[path] = outcome
            done(path)
    for path in paths:
        result = found[path]
        if isinstance(result, AffettiError):
            complain(result)
        yield path, result


def in_turn(
    paths: list[Path], work: Work[T], at_work: str
) -> Iterator[tuple[Path, T | AffettiError]]:
    """Yield what `each` does, of recordings one after another in this process, each shown at work.

    What cannot be done is complained of, be it of one recording alone.
    """
    for path in paths:
        try:
            with bar(text(at_work, name=path.name)) as progress:
                found = work(path, progress)
        except AffettiError as error:
            complain(error)
            yield path, error
        else:
            yield path, found


@dataclass(frozen=True)
class _Silent(Generic[T]):
    """Work that nobody looks at."""

    work: Work[T]

    def __call__(self, path: Path) -> T:
        return self.work(path, None)


def worst(codes: list[ExitCode], troubles: int) -> ExitCode:
    """Return what a command ends with: of one recording its own code, of many the first bad one.

    Recordings that could not be done make it a warning, where nothing else is wrong.
    """
    bad = next((code for code in codes if code != ExitCode.OK), ExitCode.OK)
    return ExitCode.WARNING if bad == ExitCode.OK and troubles else bad
