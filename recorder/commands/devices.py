"""`affetti devices`: what is connected."""

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def devices(as_json: bool) -> None:
    """List cameras, microphones and speakers.

    \b
    affetti devices
    """
    from affetti.core import terminal
    from affetti.core.language import text
    from affetti.recorder.sources import devices as found

    lists = {
        "cameras": found.cameras(),
        "microphones": found.microphones(),
        "speakers": found.speakers(),
    }
    known = {camera.number: camera for camera in found.known_cameras()}
    if as_json:
        terminal.print_json({**lists, "camera_devices": list(known.values())})
        return
    for kind, names in lists.items():
        click.echo(text(f"devices.{kind}"))
        for name in names or [text("devices.none")]:
            what = known[name].name if kind == "cameras" and name in known else ""
            terminal.say(f"  {name}  {what}".rstrip())
