"""The house as its users import it: `build/house/affetti`, for tools that read folders.

The rooms lie at the top level and are imported as `affetti.ROOM`. Python learns that from the
installation; a type checker and a reader of imports go by folders, and get this copy.
"""

import shutil
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
HOUSE: Final = ROOT / "build" / "house" / "affetti"
ROOMS: Final = ("core", "models", "recorder", "analyzer")


def build() -> None:
    """Copy every module and type marker to where its import name says."""
    shutil.rmtree(HOUSE, ignore_errors=True)
    _copy(ROOT / "affetti", HOUSE)
    for room in ROOMS:
        _copy(ROOT / room, HOUSE / room)


def _copy(source: Path, target: Path) -> None:
    for path in source.rglob("*.py"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    (target / "py.typed").touch()


if __name__ == "__main__":
    build()
