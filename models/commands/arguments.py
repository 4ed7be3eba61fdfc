"""Arguments that the commands about models share."""

from pathlib import Path

import click

from affetti.core.paths import TypedPath

DATA = click.option(
    "--data",
    type=TypedPath(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder (or archive) of labelled data.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
