"""`affetti devices`: what is connected."""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def devices(as_json: bool) -> None:
    """List cameras, microphones and speakers.

    \b
    affetti devices
    """
    from affetti.core.language import text
    from affetti.recorder.sources import devices as found

    lists = {
        "cameras": found.cameras(),
        "microphones": found.microphones(),
        "speakers": found.speakers(),
    }
    if as_json:
        click.echo(json.dumps(lists, indent=2))
        return
    for kind, names in lists.items():
        click.echo(text(f"devices.{kind}"))
        for name in names or [text("devices.none")]:
            click.echo(f"  {name}")
