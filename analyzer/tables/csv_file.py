"""Tables as files: CSV in UTF-8 (RFC 4180), and beside them what every column is.

Every text stands in quotes, so that no sign in it ends a cell or a row, whatever reads the file.
What a CSV file cannot say stands in a Data Package beside it (Frictionless Data, Table Schema):
the type of each column, by which `007` stays a text and a column without a value keeps its type.
"""

import codecs
import csv
import io
from collections.abc import Iterable
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from affetti.analyzer.tables.columns import description_of
from affetti.analyzer.tables.table import Row, Table, parts_of, type_of
from affetti.core.custody import boxes
from affetti.core.labels import lines
from affetti.core.system import private

SCHEMA_NAME: Final = "datapackage.json"
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_DECIMALS: Final = 6
_AT_ONCE: Final = 4096  # rows


def write_csv(table: Table, path: Path, *, spreadsheet: bool = False) -> None:
    """Write a table, with a header line.

    Parameters
    ----------
    table, path
        What, and where.
    spreadsheet
        Whether the file is to be opened in one: it then begins with a byte order mark, by which
        Excel knows UTF-8, and a text that would run as a formula is led by an apostrophe.
    """
    with open(path, "wb", opener=private) as file:
        file.write(csv_of(table, spreadsheet=spreadsheet))


def csv_of(table: Table, *, spreadsheet: bool = False) -> bytes:
    """Return a table as `write_csv` writes it."""
    mark = codecs.BOM_UTF8 if spreadsheet else b""
    parts = chain([[[*table.columns]]], parts_of(table, _AT_ONCE))
    return b"".join([mark, *(_lines(part, spreadsheet=spreadsheet) for part in parts)])


def _lines(rows: Iterable[Row], *, spreadsheet: bool) -> bytes:
    cells = ([cell(value, spreadsheet=spreadsheet) for value in row] for row in rows)
    return "".join(f"{','.join(row)}\n" for row in cells).encode()


def cell(value: Any, *, spreadsheet: bool = False) -> str:
    """Return a value as it stands in a CSV file.

    Numbers are rounded to six decimals, missing ones are empty; texts stand in quotes, without
    controls, and are empty where there is nothing in them.
    """
    if value is None or (isinstance(value, str) and not value):
        return ""
    if isinstance(value, str):
        return _quoted(lines(value), guarded=spreadsheet)
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{round(float(value), _DECIMALS) + 0.0:.15g}"
    if isinstance(value, int | np.integer | np.bool_):
        return str(int(value))
    raise TypeError(f"a {type(value).__name__} has no form in a table")


def schema_of(tables: Iterable[Table], name: str = "affetti-analysis") -> bytes:
    """Return the Data Package of some tables, whose files are called as the tables are: JSON."""
    package = {
        "profile": "tabular-data-package",
        "name": name,
        "version": version("affetti"),
        "resources": [_resource(table) for table in tables],
    }
    return msgspec.json.format(msgspec.json.encode(package), indent=2) + b"\n"


def read_csv(path: Path, types: dict[str, str] | None = None) -> dict[str, list[Any]]:
    """Read a table back as columns of the types that it was written with.

    Parameters
    ----------
    path
        The CSV file; of an encrypted one (`NAME.csv.vault`) its name without the end.
    types
        The type of each column; by default those of the Data Package beside it.

    Returns
    -------
    By the name of each column its values: int, float or str, None where there is none.
    """
    types = types or _types_beside(path)
    made = {"integer": int, "number": float, "string": str}
    said = boxes.read(path).decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(said, newline=""))
    read = {name: made[types[name]] for name in header}
    return {
        name: [read[name](row[i]) if row[i] else None for row in rows]
        for i, name in enumerate(header)
    }


def _quoted(text: str, *, guarded: bool) -> str:
    guard = "'" if guarded and text.startswith(_FORMULA_STARTS) else ""
    return '"' + guard + text.replace('"', '""') + '"'


def _types_beside(path: Path) -> dict[str, str]:
    package = msgspec.json.decode(boxes.read(path.with_name(SCHEMA_NAME)))
    (resource,) = (each for each in package["resources"] if each["path"] == path.name)
    return {field["name"]: field["type"] for field in resource["schema"]["fields"]}


def _resource(table: Table) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": table.name.lower(),
        "path": f"{table.name}.csv",
        "encoding": "utf-8",
        "schema": {
            "fields": [
                {
                    "name": name,
                    "type": type_of(table, name),
                    "description": table.descriptions.get(name) or description_of(name),
                }
                for name in table.columns
            ],
            "missingValues": [""],
        },
    }
