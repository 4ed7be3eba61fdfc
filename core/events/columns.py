"""Events of one kind as columns, as their declaration has them."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final, TypeAlias, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from affetti.core.events.base import Event, Field, fields_of

Columns: TypeAlias = dict[str, NDArray[Any]]
WORD_SEPARATOR: Final = ", "  # in a column of lists of words
_NO_NAME: Final = re.compile(r"\W", re.ASCII)


@cache  # asked of every event that is sealed
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def columns(kind: type[Event], events: Iterable[Event]) -> Columns:
    """Return the events of one kind as columns, one row each.

    The type of a column follows from the declaration alone, never from what is in it: int64;
    float64, with NaN where there is no value, also for integers that may be missing; text as
    dtype object, "" where there is none. A tuple of fixed length becomes a column for each of
    its labels: `emotions` becomes `happiness`, `sadness`, `anger`, `relaxation`. A list of
    words becomes one text. A list of parts becomes their number, and the columns of the one part
    that counts. A mapping from names to numbers becomes a column for each name that there is.

    Parameters
    ----------
    kind
        The class of all the events.
    events
        The rows, in the order wanted.
    """
    rows = list(events)
    hints = _hints(kind)
    table: Columns = {}
    for name in ("seq", "t_ns"):
        table[name] = np.array([getattr(row, name) for row in rows], np.int64)
    for field in fields_of(kind):
        if field.name not in table:
            made = _columns(field, hints[field.name], rows)
            table.update({name: values for name, values in made.items() if name not in table})
    return table


def column_fields(kind: type[Event]) -> dict[str, Field]:
    """Return the field that each column of a kind comes from; of a mapping, the field itself."""
    hints = _hints(kind)
    found: dict[str, Field] = {}
    for field in fields_of(kind):
        found.update(dict.fromkeys(field.labels or (field.name,), field))
        for part in _part_fields(field, hints[field.name]):
            found.update(dict.fromkeys(part.labels or (part.name,), part))
    return found


def _part_fields(field: Field, hint: Any) -> tuple[Field, ...]:
    return fields_of(get_args(hint)[0]) if field.one else ()


def _columns(field: Field, hint: Any, rows: list[Event]) -> Columns:
    if field.one:
        return dict(_part_columns(field, hint, rows))
    values = [getattr(row, field.name) for row in rows]
    if get_origin(hint) is dict:
        return _named_columns(values)
    return _plain_columns(field, hint, values)


def _part_columns(field: Field, hint: Any, rows: list[Event]) -> Iterator[tuple[str, Any]]:
    yield field.name, np.array([len(getattr(row, field.name)) for row in rows], np.int64)
    parts = [getattr(row, field.one) for row in rows]
    hints = _hints(get_args(hint)[0])
    for each in _part_fields(field, hint):
        values = [None if part is None else getattr(part, each.name) for part in parts]
        yield from _plain_columns(each, hints[each.name] | None, values).items()


def _named_columns(values: list[dict[str, float]]) -> Columns:
    names = sorted({name for value in values for name in value})
    return {
        _NO_NAME.sub("_", name): np.array([value.get(name, np.nan) for value in values], np.float64)
        for name in names
    }


def _plain_columns(field: Field, hint: Any, values: list[Any]) -> Columns:
    if not field.labels:
        return {field.name: _column(values, hint)}
    block = np.full((len(values), len(field.labels)), np.nan)
    for i, value in enumerate(values):
        if value is not None:
            block[i] = value
    return {label: block[:, j] for j, label in enumerate(field.labels)}


def _column(values: list[Any], hint: Any) -> NDArray[Any]:
    if hint in (int, bool):
        return np.array(values, np.int64)
    if hint is float or {int, float, bool} & set(get_args(hint)):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    texts = [_text(value) for value in values]
    return np.array(texts, object) if texts else np.empty(0, object)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return WORD_SEPARATOR.join(map(str, value))
    return "" if value is None else str(value)
