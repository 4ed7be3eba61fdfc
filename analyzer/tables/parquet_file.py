"""Tables as Parquet files: typed columns, each with its description in the metadata."""

import io
from typing import Any, Final

import numpy as np

from affetti.analyzer.tables.columns import description_of
from affetti.analyzer.tables.table import Row, Table, parts_of, type_of
from affetti.core.errors import MissingPackage

_AT_ONCE: Final = 65_536  # rows: a group of the file
_TYPES: Final = {"string": "string", "integer": "int64", "number": "float64"}


def pyarrow() -> Any:
    """Return the module, imported only where Parquet is asked for.

    Raises
    ------
    AffettiError
        It is not installed.
    """
    try:
        import pyarrow as module  # noqa: PLC0415
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise MissingPackage("columns.no_pyarrow", error=error) from error
    return module


def parquet_of(table: Table) -> bytes:
    """Return a table as a Parquet file; missing values are null, also of numbers.

    Raises
    ------
    AffettiError
        pyarrow is not installed.
    """
    pa = pyarrow()
    fields = []
    for name in table.columns:
        kind = pa.type_for_alias(_TYPES[type_of(table, name)])
        told = {"description": table.descriptions.get(name) or description_of(name)}
        fields.append(pa.field(name, kind, metadata=told))
    schema, written = pa.schema(fields), io.BytesIO()
    with pa.parquet.ParquetWriter(written, schema) as file:
        for rows in parts_of(table, _AT_ONCE):
            file.write_table(_arrow(pa, rows, schema))
    return written.getvalue()


def _arrow(pa: Any, rows: list[Row], schema: Any) -> Any:
    arrays = [
        pa.array([_plain(row[i]) for row in rows], kind) for i, kind in enumerate(schema.types)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _plain(value: Any) -> Any:
    """Return a value as Arrow takes it: as in the CSV file, NaN and empty texts are missing."""
    if value is None or value == "" or value != value:  # noqa: PLR0124  NaN alone
        return None
    if isinstance(value, bool | np.bool_):
        return int(value)
    return value.item() if hasattr(value, "item") else value
