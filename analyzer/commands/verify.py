"""`affetti verify`: whether a replay gives what was shown live."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.analyzer.commands.arguments import JSON, SESSION
from affetti.analyzer.commands.output import bar, print_json
from affetti.core.errors import ExitCode

if TYPE_CHECKING:
    from affetti.analyzer.replay import Verification


@click.command()
@SESSION
@JSON
def verify(session: Path, as_json: bool) -> int:
    """Replay a session and compare with what was shown live.

    Every estimate is computed again from the recorded frames and sound and must be the same to
    the last digit. Ends with exit code 15 where it is not.

    \b
    affetti verify sub-P07_ses-20261124T101500.h5
    """
    from affetti.analyzer.replay import verify as verify_session
    from affetti.core.recording.session import Session

    with Session.open(session) as opened, bar(f"Replaying {session.name}") as progress:
        found = verify_session(opened, progress)
    if as_json:
        print_json(_verification_fields(found))
    else:
        _print_verification(session.name, found)
    return ExitCode.OK if found.reproduced else ExitCode.MISMATCH


def _verification_fields(found: "Verification") -> dict[str, Any]:
    difference = found.difference
    return {
        "reproduced": found.reproduced,
        "compared": found.compared,
        "skipped": found.skipped,
        "unrecorded": found.unrecorded,
        "other_models": found.other_models,
        "difference": difference
        and {
            "modality": difference.modality,
            "seq": difference.seq,
            "t_s": difference.t_s,
            "field": difference.field,
            "live": difference.live,
            "replayed": difference.replayed,
        },
    }


def _print_verification(name: str, found: "Verification") -> None:
    if found.other_models:
        click.echo(
            f"{name} was recorded with other models than are installed here "
            f"({', '.join(found.other_models)}): its live estimates cannot be reproduced with "
            "these. The file itself is intact."
        )
        return
    counts = ", ".join(f"{count} {kind}" for kind, count in found.compared.items())
    if found.difference is None and not any(found.compared.values()):
        click.echo(f"{name} holds no live estimate, and a replay makes none.")
    elif found.difference is None:
        click.echo(f"{name}: every live estimate was reproduced exactly ({counts}).")
    else:
        click.echo(f"{name}: the replay departs from the live estimates. First difference:")
        click.echo(f"    {found.difference}")
    if left := [f"{count} {kind}" for kind, count in found.skipped.items() if count]:
        click.echo(f"    Estimates that the live side skipped: {', '.join(left)}.")
    if lost := [f"{count} {kind}" for kind, count in found.unrecorded.items() if count]:
        click.echo(f"    The recording broke off before {', '.join(lost)} could be written.")
