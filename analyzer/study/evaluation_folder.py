"""The folder of a study that was evaluated: tables, a page, and what made them."""

import math
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from affetti.analyzer.batch import Request
from affetti.analyzer.report import wording
from affetti.analyzer.study import statistics
from affetti.analyzer.study.evaluation import Evaluation
from affetti.analyzer.study.scores import CODES, Figure
from affetti.analyzer.study.sentences import basis, held_words, table_title, title
from affetti.analyzer.tables.csv_file import SCHEMA_NAME, csv_of, schema_of
from affetti.core.custody import exports
from affetti.core.custody.temporary import replacing
from affetti.core.errors import DiskFull, FileExists, FileMissing
from affetti.core.language import language, text, word
from affetti.core.recording.session import Session
from affetti.models.perception import PERCEPTION_VERSION

if TYPE_CHECKING:
    import jinja2

FILE_NAME: Final = "study.json"
PAGE_NAME: Final = "study.html"
FORMAT: Final = "affetti-study"
_NO_SPACE: Final = 28
_FOLDER: Final = Path(__file__).parent
_STYLES: Final = (_FOLDER.parent / "report" / "style.css", _FOLDER / "style.css")


def refuse_foreign(folder: Path) -> None:
    """Raise an error where a folder holds anything but an earlier evaluation of a study."""
    if folder.exists() and any(folder.iterdir()) and not (folder / FILE_NAME).exists():
        raise FileExists("study.no_study", folder=folder)


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
    refuse_foreign(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, data in files.items():
            with replacing(folder / name) as fd, open(fd, "wb", closefd=False) as file:
                file.write(data)
    except OSError as error:
        full = error.errno == _NO_SPACE
        kind = DiskFull if full else FileMissing
        message = "provenance.disk_full" if full else "provenance.cannot_be_written"
        raise kind(message, folder=folder, error=error.strerror) from error
    _note(study, folder)
    return list(files)


def _note(study: Evaluation, folder: Path) -> None:
    target = folder / FILE_NAME
    for member in study.members:
        noted = exports.noted(member.path)
        if all(each.target != str(target.absolute()) for each in noted):
            with Session.open(member.path, altered=True) as session:
                exports.note(member.path, session.key, folder.name, target)


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
    return _template().render(
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
    return text("unknown") if math.isnan(value) else f"{value:.2f}"


def _depth(count: int, row: Sequence[int]) -> int:
    """Return how deep a cell of a confusion matrix is coloured, in per cent of its row."""
    return round(70 * count / max(sum(row), 1))


@cache
def _template() -> "jinja2.Template":
    import jinja2  # noqa: PLC0415  only where a page is written

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("study.html")
