"""`affetti demo`: the bundled session, replayed and reported."""

from pathlib import Path

import click

from affetti.analyzer.commands.output import bar, command_line


@click.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
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

    with bar("Replaying the sample session") as progress:
        done = run_demo(output, command_line(), progress)
    click.echo(
        f"Replayed {done.duration_s:.0f} s of a real recording in {done.took_s:.1f} s: the face, "
        "the music and both fused.\n"
        f"Tables for research:  {done.analysis}\n"
        f"Report for reading:   {done.report}"
    )
