"""`affetti demo`: the bundled session, replayed and reported."""

from pathlib import Path

import click

from affetti.analyzer.commands.output import bar, command_line
from affetti.core.language import text
from affetti.core.paths import TypedPath


@click.command()
@click.option(
    "--output",
    type=TypedPath(file_okay=False, path_type=Path),
    default=Path("affetti-demo"),
    show_default=True,
    metavar="FOLDER",
    help="Where the analysis and the report go.",
)
def demo(output: Path) -> None:
    """Replay the bundled sample session and write its report.

    Needs no camera, no sound card and no network.

    \b
    affetti demo
    affetti demo --output /tmp/affetti-demo
    """
    from affetti.analyzer.demo import run_demo

    with bar(text("bar.replaying_sample")) as progress:
        done = run_demo(output, command_line(), progress)
    click.echo(text("demo.done", seconds=done.duration_s, took=done.took_s))
    click.echo(text("demo.tables", path=done.analysis))
    click.echo(text("demo.report", path=done.report))
