"""Whether a recording still stands that something was made of, when that is written.

Who withdraws or forgets a recording removes what was made of it. What is only then written, by a
program that had read the recording before, would stay for good.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from affetti.core.custody.temporary import one_at_a_time
from affetti.core.errors import FileMissing


class Source(NamedTuple):
    """A recording as it was when it was read.

    Attributes
    ----------
    path
        Where it was.
    mark
        What tells it from any other file by that name; empty where nothing does.
    """

    path: Path
    mark: tuple[int, ...]


def source_at(path: Path) -> Source:
    """Return what is at a path now; ask before it is opened."""
    try:
        found = path.stat()
    except OSError:
        return Source(path, ())
    return Source(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))


@contextmanager
def standing(sources: Iterable[Source]) -> Iterator[None]:
    """Let what was made of recordings be written while they stand; who removes them waits.

    Raises
    ------
    AffettiError
        One of them was removed, or is another file than was read.
    """
    found = list(sources)
    with ExitStack() as held:
        for folder in sorted({source.path.absolute().parent for source in found}):
            held.enter_context(one_at_a_time(folder))
        for source in found:
            if source_at(source.path) != source:
                raise FileMissing("page.changed_meanwhile", path=source.path.name)
        yield
