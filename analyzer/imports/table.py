"""Tables of labels: BORIS's exports, and any table that names its columns as ours do.

BORIS writes a row an event, with "Behavior", "Behavior type" (STATE or POINT), "Start (s)" and
"Stop (s)" in its aggregated events, or "Time", "Behavior" and "Status" (START, STOP, POINT) in its
tabular ones, where lines about the observation may come first.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Final

from affetti.analyzer.imports import Label
from affetti.core.letters import decoded

_OURS: Final = ("start_s", "stop_s", "label")
_AGGREGATED: Final = ("Behavior", "Start (s)", "Stop (s)")
_TABULAR: Final = ("Time", "Behavior", "Status")

Row = Mapping[str, str]


def parsed(data: bytes) -> list[Label]:
    """Return the labels of a table.

    Raises
    ------
    ValueError
        It has no columns of a known form, or a time in it is no number.
    """
    text = decoded(data)
    lines = text.splitlines()
    for number, line in enumerate(lines):
        separator = max("\t;,", key=line.count)
        names = [name.strip().strip('"') for name in line.split(separator)]
        for columns, read in ((_OURS, _ours), (_AGGREGATED, _aggregated), (_TABULAR, _tabular)):
            if set(columns) <= set(names):
                rest = io.StringIO("\n".join(lines[number:]))
                return read(list(csv.DictReader(rest, delimiter=separator)))
    raise ValueError(f"no line names the columns {', '.join(_OURS)}, nor those of BORIS")


def _ours(rows: Iterable[Row]) -> list[Label]:
    return [
        Label(_s(row["start_s"]), _s(row["stop_s"]), row["label"], row.get("tier") or "")
        for row in rows
    ]


def _aggregated(rows: Iterable[Row]) -> list[Label]:
    return [
        Label(_s(row["Start (s)"]), _s(row["Stop (s)"]), row["Behavior"], row.get("Subject") or "")
        for row in rows
    ]


def _tabular(rows: Iterable[Row]) -> list[Label]:
    open_: dict[tuple[str, str], float] = {}
    found = []
    for row in rows:
        who, what, t_s = row.get("Subject") or "", row["Behavior"], _s(row["Time"])
        status = (row["Status"] or "POINT").strip().upper()
        if status == "START":
            open_[who, what] = t_s
        elif status == "STOP":
            found.append(Label(open_.pop((who, what)), t_s, what, who))
        else:
            found.append(Label(t_s, t_s, what, who))
    if open_:
        raise ValueError("a state in it starts and never stops")
    return found


def _s(said: str) -> float:
    return float(said.replace(",", "."))
