"""`affetti models list`: what the models of this version are."""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import click

from affetti.core import terminal
from affetti.core.language import text
from affetti.models.commands.arguments import JSON

if TYPE_CHECKING:
    from affetti.models.manifest import ModelFile


@click.command("list")
@JSON
def list_models(as_json: bool) -> None:
    """List the models of this version."""
    from affetti.models.manifest import manifest

    entries = manifest()
    if as_json:
        terminal.print_json(
            {
                name: {
                    "file": f"{name}/{entry.file}",
                    "task": entry.task,
                    "summary": entry.summary,
                    "sha256": entry.sha256,
                    "digest": entry.pinned,
                    "size_bytes": entry.size_bytes,
                    "licence": entry.licence,
                    "card": _card(entry),
                }
                for name, entry in entries.items()
            }
        )
        return
    for name, entry in entries.items():
        click.secho(name, bold=True, nl=False)
        click.echo("  " + text("models.size", task=entry.task, megabytes=entry.size_bytes / 1e6))
        click.echo(f"    {entry.summary}")
        click.echo("    " + text("models.licence", licence=entry.licence, card=_card(entry)))


def _card(entry: "ModelFile") -> str:
    """Return where the card lies in the zoo; two networks may share one."""
    parts = PurePosixPath(entry.card).parts
    return "/".join(parts[1:] if parts[0] == ".." else (entry.name, *parts))
