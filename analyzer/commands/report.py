"""`affetti report`: the page of a session, for a therapist to read and to file."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from affetti.analyzer.commands.arguments import ALTERED, JOBS, PLAIN, SESSIONS
from affetti.core import terminal
from affetti.core.errors import AffettiError, UsageError
from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.analyzer.replay import Progress
    from affetti.analyzer.report.page import Form

_SIZES: Final = {"a4": "a4", "letter": "us-letter"}


@click.command()
@SESSIONS
@click.option(
    "--output",
    type=TypedPath(path_type=Path),
    metavar="FILE",
    help="The page: .html, .pdf or .txt, as the suffix says; of several recordings the folder of "
    "theirs. [default: NAME.report.html beside each recording]",
)
@click.option(
    "--form",
    type=click.Choice(["html", "pdf", "txt"]),
    help="As what it is written where no suffix says so. [default: html]",
)
@click.option(
    "--paper", type=click.Choice(list(_SIZES)), help="Of a PDF. [default: as the settings say, a4]"
)
@click.option(
    "--conclusion",
    metavar="WORDS",
    help="What you conclude of the session: kept beside the recording, and first on its page.",
)
@ALTERED
@PLAIN
@JOBS
def report(
    sessions: tuple[Path, ...],
    output: Path | None,
    form: "Form | None",
    paper: str | None,
    conclusion: str | None,
    altered: bool,
    plain: bool,
    jobs: int | None,
) -> int:
    """Write the page of each session for a therapist to read and to file.

    The first page is in your words: goals, your conclusion and notes, three moments, what the face
    did in each track beside what it does without music and last time, what the person said, and
    what could not be seen. Then tracks, timeline and moments; how it was made is an appendix. HTML,
    PDF and text say the same. It holds no sound of the person, and no picture unless the person
    agreed to pictures in reports.

    That of an encrypted recording is encrypted as well, and called NAME.report.html.vault; `affetti
    vault open`, or --plain, makes a copy that other programs can read, and notes that beside the
    recording.

    \b
    affetti report sub-P07_ses-20261124T101500.h5 --output page.pdf
    affetti report SESSION.h5 --conclusion "Sang the refrain by herself."
    affetti report study/ --output reports/ --form pdf
    """
    from affetti.analyzer.commands.many import each, worst
    from affetti.analyzer.recordings import recordings_in
    from affetti.analyzer.report.page import form_of
    from affetti.core import settings

    paths = recordings_in(sessions)
    chosen = form or form_of(None if output is None or output.is_dir() else output)
    outputs = _outputs(paths, output, chosen)
    if conclusion is not None:
        _conclude(paths, conclusion)
    size = _SIZES[paper or settings.load().report.paper]
    how = {"altered": altered, "plain": plain, "form": chosen, "size": size}
    work = partial(_reported, output=outputs, how=how)
    troubles = 0
    for _, found in each(paths, work, "bar.reading", jobs):
        if isinstance(found, AffettiError):
            troubles += 1
        else:
            terminal.say(str(found))
    return worst([], troubles)


def _conclude(paths: list[Path], words: str) -> None:
    from affetti.analyzer.report.beside import conclude
    from affetti.core.labels import lines
    from affetti.core.people.authors import OWN
    from affetti.core.place import told

    if len(paths) > 1:
        raise UsageError("report.one_conclusion")
    with told(paths[0]):
        conclude(paths[0], lines(words).strip(), OWN)


def _outputs(paths: list[Path], output: Path | None, form: "Form") -> Mapping[Path, Path | None]:
    """Return where each page goes; None for beside its recording."""
    from affetti.analyzer.pool import refuse_one_target
    from affetti.analyzer.report.page import FORMS

    into = output is not None and (output.is_dir() or len(paths) > 1)
    if output is None or not into:
        return dict.fromkeys(paths, output)
    if output.suffix in (".html", ".pdf", ".txt") or (output.exists() and not output.is_dir()):
        raise UsageError("report.several", output=output)
    found = {path: output / FORMS[form].name(path) for path in paths}
    refuse_one_target(found, "batch.would_write_into_same")
    output.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def _reported(
    path: Path,
    progress: "Progress | None",
    output: Mapping[Path, Path | None],
    how: Mapping[str, Any],
) -> Path:
    from affetti.analyzer.report import write_report

    return write_report(path, output[path], progress, **how)
