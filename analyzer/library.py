"""What the analyzer's commands do, as functions of a recording: the library's face.

A recording is a path, or a `Session` that is open; one that is open stays so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from affetti.analyzer import replay as replays
from affetti.analyzer.analysis import Analysis, Parameters
from affetti.analyzer.analysis import analyze as analyzed
from affetti.analyzer.checks import Finding, inspect
from affetti.analyzer.replay import Progress
from affetti.analyzer.report import write_report
from affetti.analyzer.verify import Verification
from affetti.analyzer.verify import verify as verified
from affetti.core.custody.recovery import sealed, unsealed
from affetti.core.events import Event
from affetti.core.recording.sealing import SealReport
from affetti.core.recording.session import Session

Recording: TypeAlias = str | Path | Session


def analyze(
    recording: Recording, parameters: Parameters | None = None, progress: Progress | None = None
) -> Analysis:
    """Replay a recording and analyze what it expressed; nothing is written.

    Parameters
    ----------
    recording
        A sealed recording.
    parameters
        By default their defaults.
    progress
        Called with the events replayed and the events in all.

    Raises
    ------
    AffettiError
        The recording cannot be read or is damaged, or a model is not the one of the manifest.
    """
    with _opened(recording) as session:
        return analyzed(session, replays.replayed(session, progress, verified=True), parameters)


def check(recording: str | Path, progress: Progress | None = None) -> list[Finding]:
    """Apply every rule to a recording; return what they found, the most important first.

    A file that is damaged or no recording gives one critical finding; `FileMissing` is raised for
    one that cannot be read at all.
    """
    return inspect(Path(recording), progress)


def recover(*paths: str | Path) -> list[SealReport]:
    """Seal recordings that broke off; return what became of each.

    Parameters
    ----------
    paths
        Recordings, parts of them, or folders.

    Raises
    ------
    AffettiError
        Nothing is there, or a recording cannot be sealed; those before it are.
    """
    reports = [sealed(target) for target in unsealed(map(Path, paths))]
    return [report for report in reports if report is not None]


def replay(recording: Recording, progress: Progress | None = None) -> Iterator[Event]:
    """Yield the estimates that perception makes of a recording's frames and sound, in order.

    Raises
    ------
    AffettiError
        The recording cannot be read or is damaged, or a model is not the one of the manifest.
    """
    with _opened(recording) as session:
        yield from replays.replay(session, progress=progress)


def report(
    recording: str | Path,
    output: str | Path | None = None,
    progress: Progress | None = None,
    *,
    altered: bool = False,
    plain: bool = False,
) -> Path:
    """Write the report of a recording, one HTML file; return where it is.

    Parameters
    ----------
    recording
        A sealed recording.
    output
        The file to write; by default `NAME.report.html` beside the recording.
    progress
        Called with the events replayed and the events in all.
    altered
        Whether a recording that was altered after it was sealed is reported all the same.
    plain
        Whether the report of an encrypted recording is written without encryption.

    Raises
    ------
    AffettiError
        The recording cannot be read, or was altered, or the report cannot be written.
    """
    target = None if output is None else Path(output)
    return write_report(Path(recording), target, progress, altered=altered, plain=plain)


def verify(recording: Recording, progress: Progress | None = None) -> Verification:
    """Replay a recording as it ran live, and compare every estimate with the live one.

    Raises
    ------
    AffettiError
        The recording cannot be read or is damaged, or a model is not the one of the manifest.
    """
    with _opened(recording) as session:
        return verified(session, progress)


@contextmanager
def _opened(recording: Recording) -> Iterator[Session]:
    if isinstance(recording, Session):
        yield recording
        return
    with Session.open(recording) as session:
        yield session
