"""The register of rules, and what they find."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

from affetti.analyzer.checks.subject import Subject
from affetti.core.language import counted, text

_EXAMPLES: Final = 3


class Importance(IntEnum):
    """How much a finding matters, most first."""

    CRITICAL = 0
    WARNING = 1
    NOTE = 2


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found."""

    rule: str
    importance: Importance
    message: str


Messages: TypeAlias = Iterator[str]


@dataclass(frozen=True)
class Rule:
    """A rule: its name, what it does, and how much that matters."""

    name: str
    summary: str
    importance: Importance
    apply: Callable[[Subject], Messages]


RULES: Final[list[Rule]] = []


def rule(importance: Importance) -> Callable[[Callable[[Subject], Messages]], Any]:
    """Register a function as a rule; its docstring's first line says what it does."""

    def register(apply: Callable[[Subject], Messages]) -> Callable[[Subject], Messages]:
        summary = (apply.__doc__ or "").strip().splitlines()[0]
        RULES.append(Rule(apply.__name__.replace("_", "-"), summary, importance, apply))
        return apply

    return register


def examples(numbers: list[int]) -> str:
    """Return the first of some numbers, and how many more there are."""
    shown = ", ".join(str(number) for number in numbers[:_EXAMPLES])
    if (more := len(numbers) - _EXAMPLES) > 0:
        return text("found.more", numbers=shown, count=more)
    return shown


def number(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return counted(f"count.{noun}", count)
