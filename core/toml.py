"""Tables in TOML, from anybody: the one door for what people and programs write in it.

A parser keeps each beginning of a dotted key, so that one of twenty thousand steps takes more than
a gigabyte, and minutes. Whatever is ours has four steps at most.
"""

import re
import tomllib
from typing import Any, Final

MAX_STEPS: Final = 16
_STEP: Final = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_TOO_DEEP: Final = re.compile(
    rf"(?<![A-Za-z0-9_-]){_STEP}(?:[ \t]*+\.[ \t]*+{_STEP}){{{MAX_STEPS}}}", re.ASCII
)


def tables(written: str) -> dict[str, Any]:
    """Return what a text in TOML says.

    Raises
    ------
    ValueError
        It is none, or a key in it has more than `MAX_STEPS` steps.
    RecursionError
        Its lists are nested too deep.
    """
    if _TOO_DEEP.search(written):
        from affetti.core.language import text  # noqa: PLC0415  which reads settings itself

        raise ValueError(text("toml.too_deep"))
    return tomllib.loads(written)
