"""`affetti doctor`: whether this machine is ready to record."""

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def doctor(as_json: bool) -> int:
    """Say whether this machine is ready to record, and what is missing.

    Exits with 0 if everything is there, with 1 if a recording may lack something.

    \b
    affetti doctor
    """
    from affetti.core import settings, terminal
    from affetti.core.errors import ExitCode
    from affetti.core.labels import label
    from affetti.recorder.doctor import examine

    checks = list(examine(settings.load()))
    if as_json:
        terminal.print_json(checks)
    colours = {"ok": "green", "warning": "yellow", "error": "red"}
    for check in () if as_json else checks:
        status = click.style(f"{check.status:<8}", fg=colours[check.status], bold=True)
        click.echo(f"{status} {check.name}: {label(check.message)}")
        if check.hint:
            terminal.say(f"{'':<8} {check.hint}")
    worst = {check.status for check in checks}
    if "error" in worst:
        return ExitCode.DEVICE
    return ExitCode.WARNING if "warning" in worst else ExitCode.OK
