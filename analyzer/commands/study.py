"""`affetti study`: a study from its protocol to its tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from affetti.analyzer.commands.arguments import JOBS, JSON, SESSIONS
from affetti.analyzer.commands.output import command_line
from affetti.core import terminal
from affetti.core.errors import ExitCode
from affetti.core.language import counted, text, word
from affetti.core.numbers import Number
from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.analyzer.batch import Outcome, Request
    from affetti.analyzer.study.evaluation import Evaluation
    from affetti.core.people.protocol import ReportSettings

_OWN: Final = "own"  # the pipeline of each recording


@click.group()
def study() -> None:
    """Make a study, from its protocol to its tables."""


@study.command(name="new")
@click.argument("folder", metavar="DIR", type=TypedPath(file_okay=False, path_type=Path))
@click.option("--name", metavar="NAME", help="What the study is called. [default: the folder]")
@click.option(
    "--playlist",
    type=TypedPath(path_type=Path),
    metavar="FILE",
    help="Its tracks: CSV, M3U or TOML. [default: the sound files in DIR and below]",
)
@click.option(
    "--from",
    "template",
    type=TypedPath(path_type=Path),
    metavar="FILE",
    help="A protocol to begin with, such as a colleague's.",
)
def new(folder: Path, name: str | None, playlist: Path | None, template: Path | None) -> None:
    """Write the protocol of a study, DIR/protocol.toml, with comments, to be filled in.

    \b
    affetti study new moods/
    affetti study new moods/ --playlist moods.csv
    affetti study new moods2/ --from colleague/protocol.toml
    affetti record --study moods/protocol.toml --person P07
    """
    from affetti.core.people.protocol_file import new_protocol, write_protocol

    made = new_protocol(folder, name, playlist, template)
    path = write_protocol(made, folder)
    tracks = counted("count.track", len(made.tracks))
    terminal.say(text("study.written", path=path, tracks=tracks))
    open_ = sum(entry.expected is None for entry in made.tracks)
    if open_:
        terminal.say(counted("study.no_expectation", open_))


@study.command(name="playlist")
@click.argument("source", metavar="FROM", type=TypedPath(path_type=Path))
@click.argument("target", metavar="TO", type=TypedPath(path_type=Path))
def playlist(source: Path, target: Path) -> None:
    """Write a playlist in another format, by the suffix of TO: .toml, .csv or .m3u8.

    What a colleague is handed is best TOML: it has everything that is said of the tracks, as CSV
    has, and paths relative to its folder. A protocol can stand in FROM as well.

    \b
    affetti study playlist moods.csv moods.toml
    """
    from affetti.core.people.playlist import read_playlist, share_playlist

    entries = read_playlist(source)
    share_playlist(target, entries)
    tracks = counted("count.track", len(entries))
    terminal.say(text("study.written", path=target, tracks=tracks))


@study.command(name="report")
@SESSIONS
@click.option(
    "--study",
    "protocol",
    type=TypedPath(path_type=Path),
    metavar="FILE.toml",
    help="A protocol, whose table [report] says what else is not said here.",
)
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Of the tracks, such as genre: figures for each of its values; give it again.",
)
@click.option(
    "--coverage",
    type=Number((0.0, 1.0)),
    metavar="SHARE",
    help="Of a track by a modality, below which it does not count. [default: 0.5]",
)
@click.option(
    "--pipeline",
    "pipelines",
    multiple=True,
    metavar="NAME",
    help="What the same recordings give with another, such as paper; give it again. They are "
    "replayed with it.",
)
@click.option(
    "--constructed", is_flag=True, help="The sessions are nobody's response: say so in each title."
)
@click.option(
    "--output",
    type=TypedPath(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where it goes. [default: `study` beside the recordings]",
)
@click.option(
    "--plain",
    is_flag=True,
    help="Take encrypted recordings as well: the tables of a study are not encrypted.",
)
@JOBS
@JSON
def report(
    sessions: tuple[Path, ...],
    protocol: Path | None,
    by: tuple[str, ...],
    coverage: float | None,
    pipelines: tuple[str, ...],
    constructed: bool,
    output: Path | None,
    plain: bool,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Say how often face, music and both express what was expected, and what people say.

    Each playing of a track counts once: what has the highest mean probability in it is held
    against what the playlist expects, against the person's self-report, and against raters'
    labels, where there are any. Precision, recall, F1, accuracy, kappa and confusion are
    scikit-learn's; intervals are over people. Beside them stand the figures of the published
    experiment, and which of them it is held against. It goes to the terminal, and with a page,
    study.html, and the tables as CSV into a folder.

    Sessions without consent to use in research are left out, and listed. Sessions that were
    imported, or recorded of a film, are nobody's response: each title then says *constructed*.

    \b
    affetti study report study/ --by genre --pipeline paper
    """
    from affetti.analyzer.commands.group import refuse_encrypted
    from affetti.analyzer.recordings import recordings_in
    from affetti.analyzer.study.evaluation import evaluated
    from affetti.analyzer.study.evaluation_folder import refuse_unusable, write_evaluation
    from affetti.analyzer.study.folder import folder_for
    from affetti.core.people.protocol import read_protocol

    led = read_protocol(protocol) if protocol is not None else None
    chosen = _chosen(led.report if led else None, by, coverage, pipelines)
    paths = recordings_in(sessions)
    folder = folder_for(paths, output, "study")
    refuse_unusable(folder)
    if not plain:
        refuse_encrypted(paths)
    own = _own_pipeline(paths)
    found = {own: _analyzed(paths, None, jobs)}
    for name in dict.fromkeys(chosen.pipelines):
        if name != own:
            found[name] = _analyzed(paths, name, jobs)
    marked = constructed or (led is not None and led.constructed)
    made = evaluated(found, chosen.by, chosen.coverage, constructed=marked)
    write_evaluation(made, folder, _request(None))
    if as_json:
        terminal.print_json(made.facts())
    else:
        _print(made)
        terminal.say("")
        terminal.say(text("study.folder", folder=folder))
    failed = any(outcome.error is not None for each in found.values() for outcome in each)
    return ExitCode.WARNING if failed or not made.members else ExitCode.OK


def _chosen(
    told: "ReportSettings | None",
    by: tuple[str, ...],
    coverage: float | None,
    pipelines: tuple[str, ...],
) -> "ReportSettings":
    """Return what is asked for: by options, else by a protocol."""
    from affetti.core.people.protocol import ReportSettings

    told = told or ReportSettings()
    return ReportSettings(
        by=by or told.by,
        coverage=told.coverage if coverage is None else coverage,
        pipelines=pipelines or told.pipelines,
    )


def _own_pipeline(paths: list[Path]) -> str:
    """Return the name of the pipeline of all recordings, or `own` where they have several."""
    from affetti.core.errors import AffettiError
    from affetti.core.recording.session import Session

    names = set()
    for path in paths:
        try:
            with Session.open(path, altered=True) as session:
                used = session.started.pipeline
        except AffettiError:
            continue  # its analysis says what is wrong with it
        names.add("" if used is None else used.name)
    return names.pop() or _OWN if len(names) == 1 else _OWN


def _request(pipeline: str | None) -> "Request":
    from affetti.analyzer.batch import Request

    return Request(command=command_line(), stored=True, pipeline=pipeline)


def _analyzed(paths: list[Path], pipeline: str | None, jobs: int | None) -> "list[Outcome]":
    from affetti.analyzer.commands.group import analyzed
    from affetti.models.pipelines import offered

    if pipeline is not None:
        offered(pipeline)  # whether there is one, before anything is replayed
    name = "study" if pipeline is None else f"study-{pipeline}".lower()
    outcomes = analyzed(paths, _request(pipeline), jobs, name=name)
    for outcome in outcomes:
        if outcome.error is not None:
            said = text("analyze.failed", name=outcome.path.name, message=outcome.error.message)
            terminal.say(said, fg="red", err=True)
    return outcomes


def _print(made: "Evaluation") -> None:
    from affetti.analyzer.study.evaluation_folder import figure
    from affetti.analyzer.study.sentences import (
        basis,
        held_words,
        how_to_take_part,
        table_title,
        title,
    )

    terminal.say(title(made), bold=True)
    for said in basis(made):
        terminal.say(said)
    if not made.members:
        for said in how_to_take_part(made.excluded):
            terminal.say(said, fg="yellow", err=True)
    for pipeline in made.pipelines:
        if made.members and not made.references(pipeline):
            terminal.say(text("study.nothing"))
        for reference in made.references(pipeline):
            what = word("reference", reference)
            against = text("study.pipeline_against", name=pipeline, what=what)
            terminal.say("")
            terminal.say(table_title(made, against), bold=True)
            _print_scores(made, pipeline, reference)
    terminal.say("")
    terminal.say(table_title(made, text("study.held")), bold=True)
    for held in made.held():
        what = word("modality", held.published.modality)
        terminal.say(f"{held.pipeline:<9} {what:<9} {figure(held.found):<22} {held_words(held)}")


def _print_scores(made: "Evaluation", pipeline: str, reference: str) -> None:
    from affetti.analyzer.study.evaluation_folder import figure, plain
    from affetti.analyzer.study.sentences import table_title

    of_any = made.scores_for(pipeline, reference)
    columns = made.columns if reference == "expected" else ()
    for score in of_any:
        terminal.say(
            text(
                "study.score",
                modality=word("modality", score.modality),
                accuracy=figure(score.accuracy),
                f1=figure(score.macro_f1),
                kappa=plain(score.kappa),
                tracks=score.tracks,
                silent=score.silent,
            )
        )
        for code, told in score.emotions.items():
            terminal.say(
                text(
                    "study.score_emotion",
                    emotion=word("emotion", code),
                    tracks=told.tracks,
                    precision=figure(told.precision),
                    recall=figure(told.recall),
                    f1=figure(told.f1),
                )
            )
    for column in columns:
        terminal.say(table_title(made, text("study.by", column=column)))
        for score in made.scores_for(pipeline, reference, column):
            what = f"{score.level:<16} {word('modality', score.modality):<9}"
            terminal.say(f"  {what} {figure(score.accuracy):<22} n = {score.tracks}")
