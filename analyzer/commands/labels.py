"""`affetti labels`: what people labelled of a session in other programs."""

from pathlib import Path

import click

from affetti.core import terminal
from affetti.core.language import counted, text
from affetti.core.numbers import MAX_S, Number
from affetti.core.paths import TypedPath


@click.group()
def labels() -> None:
    """Take in what people labelled of a session in other programs."""


@labels.command(name="import")
@click.argument("file", type=TypedPath(path_type=Path))
@click.option(
    "--session",
    type=TypedPath(path_type=Path),
    metavar="SESSION.h5",
    required=True,
    help="The recording that was labelled.",
)
@click.option("--rater", required=True, metavar="CODE", help="Who labelled; a code, never a name.")
@click.option("--tier", metavar="NAME", help="Of this row of the file alone. [default: all]")
@click.option(
    "--offset",
    "offset_s",
    type=Number((-MAX_S, MAX_S)),
    default=0.0,
    metavar="SECONDS",
    help="When the film that was labelled begins, in the session's time.",
)
@click.option("--blind", is_flag=True, help="The rater saw none of the estimates.")
def import_(
    file: Path, session: Path, rater: str, tier: str | None, offset_s: float, blind: bool
) -> None:
    """Add labels from ELAN, Praat, BORIS or a table to the annotations of a recording.

    ELAN's .eaf, Praat's .TextGrid, BORIS's events (.csv or .tsv, aggregated or tabular), or a
    table with the columns start_s, stop_s and label. Labels that name one of the seven
    expressions, in the words that people use, are what `affetti agreement` compares. The same
    labels of the same rater are not added twice.

    \b
    affetti labels import P07.eaf --session sub-P07_ses-20261124T101500.h5 --rater R2 --tier face
    """
    from affetti.analyzer.labelling import add_labels

    added, known = add_labels(file, session, rater, tier=tier, offset_s=offset_s, blind=blind)
    terminal.say(
        text("labels.added", labels=counted("count.label", added), known=known, name=session.name)
    )
