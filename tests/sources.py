"""The product's own sources, parsed once a run."""

import ast
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent


@cache
def parsed(room: str) -> tuple[tuple[Path, ast.Module], ...]:
    """Return the modules of a room with what they say."""
    paths = sorted((ROOT / room).rglob("*.py"))
    return tuple((path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths)
