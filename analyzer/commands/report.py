"""`affetti report`: a report for a therapist to read."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from affetti.analyzer.commands.arguments import ALTERED, JOBS, PLAIN, SESSIONS
from affetti.core import terminal
from affetti.core.errors import AffettiError, UsageError
from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.analyzer.replay import Progress


@click.command()
@SESSIONS
@click.option(
    "--output",
    type=TypedPath(path_type=Path),
    metavar="FILE.html",
    help="The report; of several recordings the folder of theirs. [default: NAME.report.html "
    "beside each recording]",
)
@ALTERED
@PLAIN
@JOBS
def report(
    sessions: tuple[Path, ...], output: Path | None, altered: bool, plain: bool, jobs: int | None
) -> int:
    """Write a report of each session for a therapist to read.

    One HTML file with everything in it, figures as well; it needs no network and holds no
    picture and no sound of the person. That of an encrypted recording is encrypted as well, and
    called NAME.report.html.vault; `affetti vault open` makes a copy that a browser can read.

    \b
    affetti report sub-P07_ses-20261124T101500.h5
    affetti report study/ --output reports/
    """
    from affetti.analyzer.batch import recordings_in
    from affetti.analyzer.commands.many import each, worst

    paths = recordings_in(sessions)
    work = partial(_reported, output=_outputs(paths, output), altered=altered, plain=plain)
    troubles = 0
    for _, found in each(paths, work, "bar.reading", jobs):
        if isinstance(found, AffettiError):
            troubles += 1
        else:
            terminal.say(str(found))
    return worst([], troubles)


def _outputs(paths: list[Path], output: Path | None) -> Mapping[Path, Path | None]:
    """Return where each report goes; None for beside its recording."""
    from affetti.analyzer.pool import refuse_one_target
    from affetti.core.custody.artefacts import REPORT

    into = output is not None and (output.is_dir() or len(paths) > 1)
    if output is None or not into:
        return dict.fromkeys(paths, output)
    if output.suffix == ".html" or (output.exists() and not output.is_dir()):
        raise UsageError("report.several", output=output)
    found = {path: output / REPORT.name(path) for path in paths}
    refuse_one_target(found, "batch.would_write_into_same")
    output.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def _reported(
    path: Path,
    progress: "Progress | None",
    output: Mapping[Path, Path | None],
    altered: bool,
    plain: bool,
) -> Path:
    from affetti.analyzer.report import write_report

    return write_report(path, output[path], progress, altered=altered, plain=plain)
