"""`affetti analyze`: tables of what a session expressed."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.analyzer.commands.arguments import ALTERED, JSON, PLAIN, SESSIONS, executed
from affetti.analyzer.commands.output import bar, bar_of_many, command_line
from affetti.core import terminal
from affetti.core.errors import ExitCode, UsageError
from affetti.core.language import counted, text
from affetti.core.numbers import DWELL_S, SEGMENT_S, Number
from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.analyzer.batch import Outcome, Request
    from affetti.analyzer.pool import Executor


@click.command()
@SESSIONS
@click.option(
    "--segment",
    "segment_s",
    type=Number(SEGMENT_S),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="Length of a segment.",
)
@click.option(
    "--dwell",
    "dwell_s",
    type=Number(DWELL_S),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an expression stays on average, for the smoothing of states.",
)
@click.option(
    "--output",
    type=TypedPath(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where the analyses go. [default: beside each recording]",
)
@click.option("--overwrite", is_flag=True, help="Replace an analysis that was made otherwise.")
@executed
@click.option(
    "--pipeline",
    metavar="NAME",
    help="What perceives and fuses, such as paper. [default: as each was recorded]",
)
@click.option(
    "--stored",
    is_flag=True,
    help="Take the estimates that were recorded where models and perception are the same, and "
    "compute what was skipped; some are made anew, and where one departs all are.",
)
@click.option(
    "--name",
    default="",
    metavar="WORD",
    help="Write NAME.WORD.analysis, beside analyses with other parameters.",
)
@click.option(
    "--spreadsheet",
    is_flag=True,
    help="Tables to be opened in one: texts that would run as formulas are led by an apostrophe.",
)
@click.option("--parquet", is_flag=True, help="Write the tables as Parquet as well.")
@ALTERED
@PLAIN
@JSON
def analyze(
    sessions: tuple[Path, ...],
    segment_s: float,
    dwell_s: float,
    output: Path | None,
    overwrite: bool,
    jobs: int | None,
    pipeline: str | None,
    stored: bool,
    name: str,
    spreadsheet: bool,
    parquet: bool,
    altered: bool,
    plain: bool,
    as_json: bool,
    executor: "Executor | None",
) -> int:
    """Compute tables of what a session expressed.

    Replays the recorded frames and sound and writes NAME.analysis: probabilities in segments,
    states and transitions, results a track, every estimate, and where they come from. A folder
    means every sealed recording in it. What was analyzed in the same way before is left as it is.
    An analysis by another pipeline than the recorded one goes to a folder of its own,
    NAME.PIPELINE.analysis. The files of an encrypted recording's analysis are encrypted as well,
    and have `.vault` behind their names.

    \b
    affetti analyze sub-P07_ses-20261124T101500.h5
    affetti analyze study/ --segment 10 --jobs 8
    affetti analyze study/ --pipeline paper
    affetti analyze study/ --stored
    affetti analyze study/ --segment 10 --name slow
    affetti analyze study/ --cluster
    """
    from affetti.analyzer.analysis import Parameters
    from affetti.analyzer.batch import NAMED, Request
    from affetti.analyzer.measures.transitions import StickyChain
    from affetti.analyzer.recordings import recordings_in

    parameters = Parameters(segment_s=segment_s, chain=StickyChain(expected_dwell_s=dwell_s))
    if name and not NAMED.fullmatch(name):
        raise UsageError("analyze.name", name=name)
    told = (pipeline, spreadsheet, altered, plain, stored, name, parquet)
    request = Request(parameters, output, overwrite, command_line(), *told)
    paths = recordings_in(sessions)
    if len(paths) == 1 and executor is None:
        outcomes = [_analyze_one(paths[0], request)]
    else:
        outcomes = _many(paths, request, jobs, executor)
    if as_json:
        terminal.print_json([_outcome_fields(outcome) for outcome in outcomes])
    else:
        _print_outcomes(outcomes)
    failed = any(outcome.status == "failed" for outcome in outcomes)
    return ExitCode.WARNING if failed else ExitCode.OK


def _analyze_one(path: Path, request: "Request") -> "Outcome":
    from affetti.analyzer.batch import analyze_file

    with bar(text("bar.replaying", name=path.name)) as progress:
        return analyze_file(path, request, progress)


def _many(
    paths: list[Path], request: "Request", jobs: int | None, executor: "Executor | None"
) -> "list[Outcome]":
    from affetti.analyzer.batch import analyze_files

    with bar_of_many(text("bar.recordings"), paths) as done:
        return analyze_files(paths, request, jobs, lambda outcome: done(outcome.path), executor)


def _outcome_fields(outcome: "Outcome") -> dict[str, Any]:
    return {
        "recording": str(outcome.path),
        "status": outcome.status,
        "folder": str(outcome.folder) if outcome.folder else None,
        "duration_s": round(outcome.duration_s, 3),
        "took_s": round(outcome.took_s, 3),
        "error": outcome.error.message if outcome.error else None,
        "exit_code": int(outcome.error.code) if outcome.error else 0,
    }


def _print_outcomes(outcomes: "list[Outcome]") -> None:
    for outcome in outcomes:
        name, folder = outcome.path.name, outcome.folder
        if outcome.error is None:
            terminal.say(text(f"analyze.{outcome.status}", name=name, folder=folder))
        else:
            said = text("analyze.failed", name=name, message=outcome.error.message)
            terminal.say(said, fg="red", err=True)
            terminal.say(f"    {outcome.error.hint}", err=True)
    if len(outcomes) > 1:
        counts = Counter(outcome.status for outcome in outcomes)
        said = ", ".join(
            text(f"analyze.count.{status}", count=counts[status])
            for status in ("written", "current", "failed")
            if counts[status]
        )
        click.echo(counted("analyze.all", len(outcomes), what=said))
