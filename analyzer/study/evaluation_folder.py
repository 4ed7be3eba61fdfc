"""The folder of a study that was evaluated: tables, a page, and what made them."""

import math
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec

from affetti.analyzer.batch import Request
from affetti.analyzer.report import html, wording
from affetti.analyzer.study import statistics, written
from affetti.analyzer.study.evaluation import Evaluation
from affetti.analyzer.study.scores import CODES, Figure
from affetti.analyzer.study.sentences import basis, held_words, table_title, title
from affetti.analyzer.tables.csv_file import SCHEMA_NAME, csv_of, schema_of
from affetti.core.language import decimal, language, text, word
from affetti.models.perception import PERCEPTION_VERSION

FILE_NAME: Final = "study.json"
PAGE_NAME: Final = "study.html"
FORMAT: Final = "affetti-study"
_FOLDER: Final = Path(__file__).parent
_DEEPEST: Final = 45  # per cent of the accent, on which a number is read in each theme
_STYLES: Final = (_FOLDER.parent / "report" / "style.css", _FOLDER / "style.css")


def refuse_unusable(folder: Path) -> None:
    """Raise an error where a folder holds other things than an evaluation, or cannot be written."""
    written.refuse_unusable(folder, FILE_NAME, "study.no_study")


def write_evaluation(study: Evaluation, folder: Path, request: Request) -> list[str]:
    """Write an evaluation into a folder; return the names of its files.

    That it has their figures is noted beside every recording in it, so that whoever forgets one is
    told to make the tables again.

    Raises
    ------
    AffettiError
        The folder holds something else, or cannot be written.
    """
    tables = study.tables()
    files = {f"{table.name}.csv": csv_of(table) for table in tables}
    files[SCHEMA_NAME] = schema_of(tables, FORMAT)
    files[PAGE_NAME] = html_of(study).encode()
    files[FILE_NAME] = _statement(study, request, list(files))
    refuse_unusable(folder)
    written.write_study(folder, files, FILE_NAME, (member.path for member in study.members))
    return list(files)


def _statement(study: Evaluation, request: Request, names: Sequence[str]) -> bytes:
    content: dict[str, Any] = {
        "format": FORMAT,
        "software_version": version("affetti"),
        "perception_version": PERCEPTION_VERSION,
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": request.command,
        "parameters": msgspec.to_builtins(request.parameters),
        "statistics": {
            "resamples": statistics.RESAMPLES,
            "level": statistics.LEVEL,
            "seed": statistics.SEED,
        },
        "files": names,
        **{k: v for k, v in study.facts().items() if not isinstance(v, list) or k in _BRIEF},
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


_BRIEF: Final = ("by", "pipelines", "protocols")


def html_of(study: Evaluation) -> str:
    """Return the page of an evaluation: one HTML document without scripts or addresses."""
    return html.template(_FOLDER, PAGE_NAME).render(
        style="".join(path.read_text(encoding="utf-8") for path in _STYLES),
        study=study,
        title=title(study),
        basis=basis(study),
        t=text,
        word=word,
        codes=CODES,
        figure=figure,
        plain=plain,
        named=table_title,
        held_words=held_words,
        depth=_depth,
        language=language(),
        version=version("affetti"),
        made=datetime.now().astimezone().isoformat(timespec="minutes"),
        modality=wording.modality_name,
    )


def figure(found: Figure | None) -> str:
    """Return a figure with its interval: `0.83 (0.71 to 0.92)`."""
    if found is None or math.isnan(found.low):
        return plain(math.nan if found is None else found.value)
    return text("study.figure", value=found.value, low=found.low, high=found.high)


def plain(value: float) -> str:
    """Return a figure without its interval."""
    return text("unknown") if math.isnan(value) else decimal(value, 2)


def _depth(count: int, row: Sequence[int]) -> int:
    """Return how deep a cell of a confusion matrix is coloured, in per cent of its row."""
    return round(_DEEPEST * count / max(sum(row), 1))
