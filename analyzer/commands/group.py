"""`affetti group`: what the sessions of a study show together."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from affetti.analyzer.commands.arguments import SESSIONS, executed
from affetti.analyzer.commands.output import bar_of_many, command_line
from affetti.core import terminal
from affetti.core.errors import ExitCode, FileExists, UsageError
from affetti.core.language import counted, text
from affetti.core.numbers import SEGMENT_S, Number
from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.analyzer.batch import Outcome, Request
    from affetti.analyzer.pool import Executor

_NAME: Final = "group"  # of an analysis that is made for it, beside one with other parameters


@click.command()
@SESSIONS
@click.option(
    "--design",
    "design_file",
    type=TypedPath(path_type=Path),
    metavar="FILE.csv",
    help="Which sessions belong to it: `session`, an id or a file name without its suffix, and "
    "any further columns; `person` there names persons anew. [default: all]",
)
@click.option("--by", default="", metavar="COLUMN", help="Of the design, to group sessions by.")
@click.option(
    "--around",
    "window_s",
    type=Number(SEGMENT_S),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long before and after a track are.",
)
@click.option(
    "--coverage",
    type=Number((0.0, 1.0)),
    default=0.5,
    show_default=True,
    metavar="SHARE",
    help="Of a track by a modality, below which it is left out for that modality.",
)
@click.option(
    "--output",
    type=TypedPath(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where it goes. [default: `group` beside the recordings]",
)
@click.option("--parquet", is_flag=True, help="Write the tables as Parquet as well.")
@click.option("--figures", is_flag=True, help="Draw two figures, as SVG and PNG.")
@click.option(
    "--plain",
    is_flag=True,
    help="Take encrypted recordings as well: the tables of a study are not encrypted.",
)
@executed
def group(
    sessions: tuple[Path, ...],
    design_file: Path | None,
    by: str,
    window_s: float,
    coverage: float,
    output: Path | None,
    parquet: bool,
    figures: bool,
    plain: bool,
    jobs: int | None,
    executor: "Executor | None",
) -> int:
    """Sum up the sessions of a study.

    What was not analyzed yet is analyzed first, as by `affetti analyze --stored`. Then tidy tables
    are written: what each track expressed, how the face changed against the same session without
    music and before, during and after each track, markers, and statistics over persons with
    bootstrap intervals and effect sizes; with them a data dictionary, and a paragraph of methods.

    Sessions without consent to use in research are left out. `excluded.csv` lists them, and
    whatever else was left out, with the reason.

    \b
    affetti group study/ --design design.csv --by condition --figures --parquet
    """
    from affetti.analyzer.batch import Request
    from affetti.analyzer.recordings import recordings_in
    from affetti.analyzer.study.design import Design, read_design
    from affetti.analyzer.study.drawings import matplotlib
    from affetti.analyzer.study.folder import folder_for, refuse_unusable, write_group
    from affetti.analyzer.study.group import Rules, grouped, refuse_taken
    from affetti.analyzer.study.sentences import how_to_take_part, left_out
    from affetti.analyzer.tables.parquet_file import pyarrow
    from affetti.core.people.person import UNNAMED

    design = read_design(design_file) if design_file is not None else Design()
    rules = Rules(by, window_s, coverage)
    if by and by not in design.columns:
        raise UsageError("group.no_column", by=by, columns=", ".join(design.columns) or "-")
    refuse_taken(design)
    paths = recordings_in(sessions)
    folder = folder_for(paths, output)
    refuse_unusable(folder)
    if parquet:
        pyarrow()
    if figures:
        matplotlib()
    if not plain:
        refuse_encrypted(paths)
    request = Request(command=command_line(), stored=True)
    outcomes = analyzed(paths, request, jobs, executor)
    for outcome in outcomes:
        if outcome.error is not None:
            said = text("analyze.failed", name=outcome.path.name, message=outcome.error.message)
            terminal.say(said, fg="red", err=True)
    made = grouped(outcomes, design, rules)
    write_group(made, folder, request, parquet=parquet, drawn=figures)
    if missing := [each.session for each in made.excluded if each.reason == "no_recording"]:
        few = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        said = text("group.no_recording", sessions=few, count=len(missing))
        terminal.say(said, fg="yellow", err=True)
    unnamed = sum(member.person == UNNAMED for member in made.members)
    if unnamed > 1:
        terminal.say(text("group.anonymous", sessions=unnamed), fg="yellow", err=True)
    persons = len({member.person for member in made.members})
    terminal.say(
        text(
            "group.written",
            folder=folder,
            sessions=counted("group.count.session", len(made.members)),
            persons=counted("group.count.person", persons),
        )
    )
    for said in left_out(made.excluded):
        terminal.say(said)
    if not made.members:
        for said in how_to_take_part(made.excluded):
            terminal.say(said, fg="yellow", err=True)
    failed = any(outcome.status == "failed" for outcome in outcomes)
    return ExitCode.WARNING if failed or not made.members else ExitCode.OK


def refuse_encrypted(paths: list[Path]) -> None:
    """Refuse encrypted recordings: the tables of a study are not encrypted."""
    from affetti.core.recording.box import is_box

    found = [path.name for path in paths if path.exists() and is_box(path)]
    if found:
        raise UsageError("group.encrypted", paths=", ".join(found[:3]))


def analyzed(
    paths: list[Path],
    request: "Request",
    jobs: int | None,
    executor: "Executor | None" = None,
    name: str = _NAME,
) -> "list[Outcome]":
    """Analyze recordings; under a `name` where an analysis with other parameters lies already."""
    from affetti.analyzer.batch import analyze_files

    with bar_of_many(text("bar.recordings"), paths) as done:
        outcomes = analyze_files(paths, request, jobs, lambda outcome: done(outcome.path), executor)
    # Where an analysis with other parameters lies, one stands beside it under a name of its own.
    others = [each.path for each in outcomes if isinstance(each.error, FileExists)]
    if not others:
        return outcomes
    with bar_of_many(text("bar.recordings"), others) as done:
        named = replace(request, name=name)
        again = analyze_files(others, named, jobs, lambda outcome: done(outcome.path), executor)
    found = {each.path: each for each in again}
    return [found.get(each.path, each) for each in outcomes]
