"""A table: its name, its columns, its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from affetti.analyzer.tables.columns import INTEGERS, TEXTS, Type

Row: TypeAlias = list[Any]


@dataclass(frozen=True)
class Table:
    """A named table: its columns' names, its rows, and the types that `type_of` does not know.

    So with `descriptions`, of columns that `description_of` does not know, or otherwise.
    """

    name: str
    columns: tuple[str, ...]
    rows: list[Row]
    types: Mapping[str, Type] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)


def type_of(table: Table, column: str) -> Type:
    """Return the type of a column of a table."""
    if column in table.types:
        return table.types[column]
    if column in TEXTS:
        return "string"
    return "integer" if column in INTEGERS else "number"
