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
ALSO = click.option(
    "--also",
    type=TypedPath(path_type=Path),
    multiple=True,
    metavar="DIR",
    help="Another folder of labelled clips to train on.",
)
VOICES = click.option(
    "--voices",
    type=TypedPath(path_type=Path),
    metavar="DIR",
    help="Folder of speech*.ogg: people who talk over some of the clips that are trained on.",
)
