"""Many films at once, each in a process of its own."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from affetti.analyzer.pool import attempted, refuse_one_target, refuse_without_guard
from affetti.core.custody.temporary import try_writing
from affetti.core.errors import AffettiError, FileMissing, UsageError
from affetti.core.place import told_as
from affetti.core.recording.names import files_below, named
from affetti.recorder.imports.films import Request, import_film, target_of
from affetti.recorder.imports.log import Progress, sha256_of
from affetti.recorder.imports.xdf import SUFFIX, import_xdf

SUFFIXES: Final = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts"}
    | {".wmv", ".asf", ".flv", ".3gp", ".dv", ".mxf", ".ogv", ".vob", SUFFIX}
)


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes
    ----------
    status
        "written"; "current", when the recording of it was there already, and whole; or "failed".
    recording
        The recording that it is now.
    error
        Why it failed.
    """

    path: Path
    status: Literal["written", "current", "failed"]
    recording: Path | None = None
    error: AffettiError | None = None


def films_in(paths: Iterable[Path]) -> list[Path]:
    """Return the films named: files as they are, folders as the films inside and below.

    Raises
    ------
    AffettiError
        A folder holds none.
    """
    return named(paths, _inside)


def _inside(folder: Path) -> list[Path]:
    found = files_below(folder, SUFFIXES)
    if not found:
        raise FileMissing("imports.no_film", path=folder)
    return found


def imported(path: Path, request: Request, progress: Progress | None = None) -> Outcome:
    """Import one film, or an XDF file.

    Raises
    ------
    AffettiError
        It cannot be imported.
    """
    made = import_xdf if path.suffix.lower() == SUFFIX else import_film
    target = target_of(path, request.output)
    _refuse_unwritable([target])
    return Outcome(path, made(path, request, progress), target)


def _refuse_unwritable(targets: Iterable[Path]) -> None:
    """Raise an error where a recording that is to be made cannot be: before films are read."""
    for folder in dict.fromkeys(target.parent for target in targets if not target.exists()):
        with told_as("parts.recordings_cannot_written", parent=folder):
            try_writing(folder)


def import_films(
    paths: list[Path],
    request: Request,
    jobs: int | None = None,
    done: Callable[[Outcome], object] = lambda outcome: None,
) -> list[Outcome]:
    """Import many films, `jobs` at a time; one that fails does not stop the others.

    Parameters
    ----------
    paths
        The films; `films_in` finds those of a folder.
    request
        What to make of each; its `output` is a folder.
    jobs
        How many processes; by default one a processor.
    done
        Called with each outcome as it comes.

    Returns
    -------
    The outcomes, in the order of `paths`.

    Raises
    ------
    AffettiError
        Two films would become the same recording, the folder that they are to go to cannot be
        written, or the script that calls this lacks its guard.
    """
    targets = {path: target_of(path, request.output) for path in paths}
    refuse_one_target(targets, "imports.one_target")
    refuse_without_guard()
    if request.output is not None:
        _refuse_unwritable(targets.values())
    outcomes = {path: _failed(path, error) for path, error in _copies(paths).items()}
    for outcome in outcomes.values():
        done(outcome)
    left = [path for path in paths if path not in outcomes]
    for path, found in attempted(partial(imported, request=request), left, jobs, "imports"):
        outcomes[path] = found if isinstance(found, Outcome) else _failed(path, found)
        done(outcomes[path])
    return [outcomes[path] for path in paths]


def _copies(paths: list[Path]) -> dict[Path, AffettiError]:
    """Return what is wrong with films that are, byte for byte, an earlier one by another name."""
    of_size: dict[int, list[Path]] = {}
    for path in paths:
        with suppress(OSError):  # importing it says what is wrong
            if path.is_file():
                of_size.setdefault(path.stat().st_size, []).append(path)
    found: dict[Path, AffettiError] = {}
    for alike in of_size.values():
        first: dict[str, Path] = {}
        for path in alike if len(alike) > 1 else ():
            with suppress(OSError, AffettiError):
                if (other := first.setdefault(sha256_of(path), path)) is not path:
                    found[path] = UsageError("imports.same_film", path=path.name, other=other)
    return found


def _failed(path: Path, error: AffettiError) -> Outcome:
    return Outcome(path, "failed", error=error)
