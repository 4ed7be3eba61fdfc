"""What other packages bring to this one: looked for once, which takes as long as many a file."""

import sys
from functools import cache
from importlib.metadata import EntryPoints, entry_points


def extensions(group: str) -> EntryPoints:
    """Return the entry points of a group; anew where packages are looked for elsewhere."""
    return _found(group, tuple(sys.path))


@cache
def _found(group: str, path: tuple[str, ...]) -> EntryPoints:
    return entry_points(group=group)
