"""A table: its name, its columns, its rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeAlias, overload

from numpy.typing import NDArray

from affetti.analyzer.tables.columns import INTEGERS, TEXTS, Type

Row: TypeAlias = list[Any]

_AT_ONCE: Final = 4096  # rows


class Rows(Sequence[Row]):
    """The rows of columns, made as they are asked for: an hour of samples is never held as lists.

    Parameters
    ----------
    lead
        What stands before the columns in every row.
    columns
        Values of the same length.
    """

    def __init__(self, lead: Row, columns: Sequence[NDArray[Any]]) -> None:
        self._lead = lead
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns[0]) if self._columns else 0

    def __iter__(self) -> Iterator[Row]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self[start : start + _AT_ONCE]

    @overload
    def __getitem__(self, item: int) -> Row: ...
    @overload
    def __getitem__(self, item: slice) -> list[Row]: ...
    def __getitem__(self, item: int | slice) -> Row | list[Row]:
        if isinstance(item, slice):
            cut = (column[item] for column in self._columns)
            return [[*self._lead, *row] for row in zip(*cut, strict=True)]
        return [*self._lead, *(column[item] for column in self._columns)]


@dataclass(frozen=True)
class Table:
    """A named table: its columns' names, its rows, and the types that `type_of` does not know.

    So with `descriptions`, of columns that `description_of` does not know, or otherwise.
    """

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    types: Mapping[str, Type] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)


def type_of(table: Table, column: str) -> Type:
    """Return the type of a column of a table."""
    if column in table.types:
        return table.types[column]
    if column in TEXTS:
        return "string"
    return "integer" if column in INTEGERS else "number"


def parts_of(table: Table, count: int) -> Iterator[list[Row]]:
    """Yield the rows of a table, so many at once: at least one time, of a table without any."""
    rows = iter(table.rows)
    yield list(islice(rows, count))
    while part := list(islice(rows, count)):
        yield part
