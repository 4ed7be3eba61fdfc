"""Events of one kind as columns, as their declaration has them."""

from collections.abc import Iterable
from typing import Any, Final, TypeAlias, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from affetti.core.events.base import Event, Field, fields_of

Columns: TypeAlias = dict[str, NDArray[Any]]
WORD_SEPARATOR: Final = ", "  # in a column of lists of words


def columns(kind: type[Event], events: Iterable[Event]) -> Columns:
    """Return the events of one kind as columns, one row each.

    The type of a column follows from the declaration alone, never from what is in it: int64;
    float64, with NaN where there is no value, also for integers that may be missing; text as
    dtype object, "" where there is none. A tuple of fixed length becomes a column for each of
    its labels: `emotions` becomes `happiness`, `sadness`, `anger`, `relaxation`. A list of
    words becomes one text.

    Parameters
    ----------
    kind
        The class of all the events.
    events
        The rows, in the order wanted.
    """
    rows = list(events)
    hints = get_type_hints(kind)
    table: Columns = {}
    for name in ("seq", "t_ns"):
        table[name] = np.array([getattr(row, name) for row in rows], np.int64)
    for field in fields_of(kind):
        if field.name not in table:
            table.update(_columns(field, hints[field.name], rows))
    return table


def column_fields(kind: type[Event]) -> dict[str, Field]:
    """Return the field that each column of a kind comes from."""
    found: dict[str, Field] = {}
    for field in fields_of(kind):
        found.update(dict.fromkeys(field.labels or (field.name,), field))
    return found


def _columns(field: Field, hint: Any, rows: list[Event]) -> Columns:
    values = [getattr(row, field.name) for row in rows]
    if not field.labels:
        return {field.name: _column(values, hint)}
    block = np.full((len(rows), len(field.labels)), np.nan)
    for i, value in enumerate(values):
        if value is not None:
            block[i] = value
    return {label: block[:, j] for j, label in enumerate(field.labels)}


def _column(values: list[Any], hint: Any) -> NDArray[Any]:
    if hint in (int, bool):
        return np.array(values, np.int64)
    if hint is float or {int, float} & set(get_args(hint)):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    texts = [_text(value) for value in values]
    return np.array(texts, object) if texts else np.empty(0, object)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return WORD_SEPARATOR.join(value)
    return "" if value is None else str(value)
