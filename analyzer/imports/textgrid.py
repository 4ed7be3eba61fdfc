"""Praat's TextGrid, in its long or its short text form. Times are seconds.

Both forms hold the same numbers, flags and texts in the same order; what stands between them is
for people. So they are read by what they hold alone.
"""

import re
from collections.abc import Iterator
from typing import Final

from affetti.analyzer.imports import Label
from affetti.core.letters import decoded

_HELD: Final = re.compile(
    r'"(?P<text>(?:[^"]|"")*)"|<(?P<flag>\w+)>|(?<![\w\[])(?P<number>-?\d+(?:\.\d+)?(?:e-?\d+)?)(?![\w\]])'
)
_KINDS: Final = ("IntervalTier", "TextTier")


def parsed(data: bytes) -> list[Label]:
    """Return the intervals and points of all tiers.

    Raises
    ------
    ValueError
        It is no such file.
    """
    held = _held(decoded(data))
    try:
        if next(held) != "ooTextFile" or next(held) != "TextGrid":
            raise ValueError("it does not begin as a TextGrid does")
        _, _, flag = next(held), next(held), next(held)
        if flag != "exists":
            return []
        return [label for _ in range(_count(next(held))) for label in _tier(held)]
    except StopIteration:
        raise ValueError("it breaks off") from None


def _held(text: str) -> Iterator[str]:
    for found in _HELD.finditer(text):
        flag, number = found["flag"], found["number"]
        yield flag or number or found["text"].replace('""', '"')


def _count(said: str) -> int:
    return int(float(said))


def _tier(held: Iterator[str]) -> list[Label]:
    kind, name = next(held), next(held)
    if kind not in _KINDS:
        raise ValueError(f"a tier is of the class {kind!r}")
    _, _, count = next(held), next(held), _count(next(held))
    if kind == "TextTier":
        points = [(float(next(held)), next(held)) for _ in range(count)]
        return [Label(t_s, t_s, text, name) for t_s, text in points]
    return [Label(float(next(held)), float(next(held)), next(held), name) for _ in range(count)]
