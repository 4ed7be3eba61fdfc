"""The folder of a study: its tables, its figures, a paragraph of methods, and what made them."""

import os
from collections import Counter
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec

from affetti.analyzer.batch import Request
from affetti.analyzer.study import statistics, written
from affetti.analyzer.study.drawings import figures
from affetti.analyzer.study.group import Group
from affetti.analyzer.study.members import MIN_QUIET_S
from affetti.analyzer.tables.csv_file import SCHEMA_NAME, csv_of, schema_of
from affetti.analyzer.tables.parquet_file import parquet_of
from affetti.analyzer.tables.table import Table
from affetti.core.language import counted, text
from affetti.models.perception import PERCEPTION_VERSION

FILE_NAME: Final = "group.json"
METHODS_NAME: Final = "methods.md"
FORMAT: Final = "affetti-group"


def refuse_unusable(folder: Path) -> None:
    """Raise an error where a folder holds anything but an earlier study, or cannot be written."""
    written.refuse_unusable(folder, FILE_NAME, "group.no_group")


def write_group(
    group: Group,
    folder: Path,
    request: Request,
    *,
    parquet: bool = False,
    drawn: bool = False,
) -> list[str]:
    """Write a study into a folder; return the names of its files.

    That it has their figures is noted beside every recording in it, so that whoever forgets one is
    told to make the tables again.

    Raises
    ------
    AffettiError
        The folder holds something else or cannot be written, or a package is not there.
    """
    tables = group.tables()
    files = {f"{table.name}.csv": csv_of(table) for table in tables}
    if parquet:
        files |= {f"{table.name}.parquet": parquet_of(table) for table in tables}
    if drawn:
        files |= figures(group)
    files[SCHEMA_NAME] = schema_of(tables, FORMAT)
    files[METHODS_NAME] = (methods(group, request) + "\n").encode()
    files[FILE_NAME] = _statement(group, tables, request, list(files))
    refuse_unusable(folder)
    written.write_study(folder, files, FILE_NAME, (member.path for member in group.members))
    return list(files)


def _statement(group: Group, tables: list[Table], request: Request, names: list[str]) -> bytes:
    content: dict[str, Any] = {
        "format": FORMAT,
        "software_version": version("affetti"),
        "perception_version": PERCEPTION_VERSION,
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": request.command,
        "by": group.rules.by or None,
        "window_s": group.rules.window_s,
        "min_coverage": group.rules.min_coverage,
        "parameters": msgspec.to_builtins(request.parameters),
        "statistics": {
            "resamples": statistics.RESAMPLES,
            "level": statistics.LEVEL,
            "seed": statistics.SEED,
            "min_quiet_s": MIN_QUIET_S,
        },
        "sessions": [member.session_id for member in group.members],
        "excluded": Counter(each.reason for each in group.excluded),
        "files": dict.fromkeys(names) | {f"{table.name}.csv": len(table.rows) for table in tables},
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def methods(group: Group, request: Request) -> str:
    """Return a paragraph of methods, with every parameter, that can go into a paper."""
    persons = len({member.person for member in group.members})
    return " ".join(
        [
            text(
                "group.methods.who",
                sessions=counted("group.count.session", len(group.members)),
                persons=counted("group.count.person", persons),
                version=version("affetti"),
                perception=PERCEPTION_VERSION,
            ),
            *_excluded(group),
            text(
                "group.methods.measures",
                segment_s=request.parameters.segment_s,
                window_s=group.rules.window_s,
                quiet_s=MIN_QUIET_S,
                coverage=round(100 * group.rules.min_coverage),
            ),
            text(
                "group.methods.statistics",
                level=round(100 * statistics.LEVEL),
                resamples=statistics.RESAMPLES,
                seed=statistics.SEED,
            ),
            text("group.methods.limits"),
        ]
    )


def _excluded(group: Group) -> list[str]:
    count = sum(each.reason != "no_recording" for each in group.excluded)
    return [counted("group.methods.excluded", count)] if count else []


def folder_for(paths: list[Path], output: Path | None, name: str = "group") -> Path:
    """Return where a study goes: what was asked for, or a folder beside its recordings."""
    return output or Path(os.path.commonpath([path.absolute().parent for path in paths])) / name
