"""What several commands are given."""

from pathlib import Path
from typing import Final

import click

from affetti.core import numbers
from affetti.core.numbers import Number
from affetti.core.paths import TypedPath

SESSION: Final = click.argument("session", type=TypedPath(path_type=Path))
SESSIONS: Final = click.argument(
    "sessions", metavar="SESSION...", nargs=-1, required=True, type=TypedPath(path_type=Path)
)
ALTERED: Final = click.option(
    "--altered",
    is_flag=True,
    help="Use a recording that was altered after it was sealed, and say so in all that is made.",
)
PLAIN: Final = click.option(
    "--plain",
    is_flag=True,
    help="Of an encrypted recording: write without encryption, and note that beside it.",
)
JOBS: Final = click.option(
    "--jobs",
    type=Number(numbers.JOBS, whole=True),
    metavar="N",
    help="Recordings at a time. [default: one a processor]",
)
JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print for a machine to read.")
TICK: Final = click.option(
    "--tick",
    "tick_s",
    type=Number(numbers.SEGMENT_S),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the pieces are that are compared.",
)
