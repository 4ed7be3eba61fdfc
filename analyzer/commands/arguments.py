"""What several commands are given."""

from pathlib import Path
from typing import Final

import click

from affetti.core.paths import TypedPath

SESSION: Final = click.argument("session", type=TypedPath(path_type=Path))
SESSIONS: Final = click.argument(
    "sessions", metavar="SESSION...", nargs=-1, required=True, type=TypedPath(path_type=Path)
)
JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print for a machine to read.")
