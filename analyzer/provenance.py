"""The folder of an analysis: tables, and a statement of what they were made of."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec

from affetti.analyzer.analysis import Analysis, Parameters
from affetti.analyzer.replay import recorded_offer
from affetti.analyzer.stored import Stored
from affetti.analyzer.tables.columns import description_of
from affetti.analyzer.tables.csv_file import SCHEMA_NAME, csv_of, schema_of
from affetti.analyzer.tables.parquet_file import parquet_of
from affetti.analyzer.tables.session_tables import tables_of
from affetti.analyzer.tables.table import Table
from affetti.core.custody import boxes, exports
from affetti.core.custody.artefacts import ANALYSIS, ENCRYPTED_SUFFIX
from affetti.core.custody.keys import DataKey
from affetti.core.custody.temporary import is_regular, one_at_a_time, try_writing
from affetti.core.environment import environment
from affetti.core.errors import AffettiError, FileExists
from affetti.core.language import word
from affetti.core.place import told_as
from affetti.core.recording.session import Session
from affetti.models.perception import PERCEPTION_VERSION
from affetti.models.pipelines import Offer, digests_of

FILE_NAME: Final = "provenance.json"
_UNFINISHED: Final = ".writing-"
_UNFINISHED_NAME: Final = re.compile(re.escape(_UNFINISHED) + "[a-z0-9_]{8}")  # as `mkdtemp` does
_SUFFIXES: Final = (".csv", ".parquet", ".json")
FORMAT: Final = "affetti-analysis"


class Origin(msgspec.Struct, frozen=True):
    """What the tables of an analysis depend on, and nothing else: equal origin, equal tables."""

    session_id: str
    log_sha256: str
    models: dict[str, str]  # those of the replay, name to the digest of file and parameters
    pipeline: str  # of the replay
    perception_version: int
    parameters: Parameters
    software_version: str
    spreadsheet: bool = False  # whether the tables are guarded for one
    altered: bool = False  # the recording, after it was sealed
    stored: bool = False  # whether recorded estimates were taken where they could be
    parquet: bool = False  # whether the tables are there as Parquet as well
    format: str = FORMAT

    def is_served_by(self, found: "Origin | None") -> bool:
        """Whether an analysis that is there is all that is asked for.

        One that replayed everything is, where recorded estimates would do; so is one with Parquet.
        """
        enough = {"stored": self.stored and found is not None and found.stored}
        more = {"parquet": self.parquet or (found is not None and found.parquet)}
        return found == msgspec.structs.replace(self, **enough, **more)


def origin_of(
    session: Session,
    parameters: Parameters,
    offer: Offer | None = None,
    *,
    spreadsheet: bool = False,
    stored: bool = False,
    parquet: bool = False,
) -> Origin:
    """Return what an analysis of `session` made now, by a pipeline, would depend on."""
    offer = offer or recorded_offer(session)
    return Origin(
        session_id=session.info.session_id,
        log_sha256=session.log_sha256,
        models=digests_of(offer.models),
        pipeline=offer.pipeline.name,
        perception_version=PERCEPTION_VERSION,
        parameters=parameters,
        software_version=version("affetti"),
        spreadsheet=spreadsheet,
        altered=session.altered,
        stored=stored,
        parquet=parquet,
    )


def folder_of(recording: Path, output: Path | None = None, name: str = "") -> Path:
    """Return where the analysis of a recording goes: `NAME.analysis` beside it, or in `output`.

    One that was given a name has it: `NAME.slow.analysis`; one by another pipeline than the
    recorded one is else named after that: `NAME.paper.analysis`.
    """
    middle = f".{name}" if name else ""
    return (output or recording.parent) / ANALYSIS.name(recording, middle)


def found_origin(folder: Path) -> Origin | None:
    """Return what the analysis in a folder was made of; None where there is none."""
    try:
        return msgspec.json.decode(boxes.read(folder / FILE_NAME), type=Origin)
    except (OSError, msgspec.DecodeError, AffettiError):
        return None


def refuse_other(folder: Path, origin: Origin) -> None:
    """Raise an error if `folder` holds anything but an analysis of this very origin.

    An analysis that was broken off does not count: it is written anew.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    found = found_origin(folder)
    if found == origin or (found is None and _broken_off(folder)):
        return
    if found is None:
        raise FileExists("provenance.no_analysis", folder=folder)
    raise FileExists("provenance.otherwise", folder=folder, what=_changed(found, origin))


def refuse_unwritable(folder: Path) -> None:
    """Raise an error if nothing can be written into a folder, which need not be there yet."""
    with _told(folder):
        try_writing(folder)


def _changed(found: Origin, origin: Origin) -> str:
    names = (
        *("session_id", "log_sha256", "models", "pipeline", "perception_version"),
        *("parameters", "software_version", "spreadsheet", "altered", "stored", "parquet"),
    )
    return ", ".join(
        word("changed", name) for name in names if getattr(found, name) != getattr(origin, name)
    )


def write_analysis(
    analysis: Analysis,
    origin: Origin,
    recording: Path,
    folder: Path,
    command: str,
    *,
    key: DataKey | None = None,
    stored: Stored | None = None,
) -> None:
    """Write the tables and the provenance of an analysis into `folder`.

    Files of the same names are replaced, others in the folder stay. The provenance is removed
    first and written last, and until then a hidden folder tells that more is to come: an analysis
    that is broken off, by a power failure say, is known as such. With a key, that of an encrypted
    recording, every file is encrypted, and what was there without encryption is removed.

    Raises
    ------
    AffettiError
        The folder cannot be written.
    """
    tables = tables_of(analysis)
    with _told(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with one_at_a_time(folder):
            broken_off = _broken_off(folder)
            temporary = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
            try:
                boxes.discard(folder / FILE_NAME)
                statement = _statement(analysis, origin, recording, tables, command, stored=stored)
                written = []
                for name, data in _files(tables, origin):
                    boxes.write(temporary / name, data, key)
                    written.append(name)
                boxes.write(temporary / FILE_NAME, statement.encode("utf-8", "replace"), key)
                for name in (*written, FILE_NAME):
                    boxes.discard(folder / name)
                    place = boxes.stored_at(folder / name, key)
                    os.replace(temporary / place.name, place)
            finally:
                for left in (temporary, *broken_off):
                    shutil.rmtree(left, ignore_errors=True)


def _broken_off(folder: Path) -> list[Path]:
    """Return what a killed run left of writing an analysis: by its name and by all that is in it.

    Whatever else begins so, a file, a link, a folder with other things in it, is somebody's.
    """
    begun = [each for each in folder.iterdir() if _UNFINISHED_NAME.fullmatch(each.name)]
    folders = [each for each in begun if each.is_dir() and not each.is_symlink()]
    return [each for each in folders if all(map(_is_of_ours, each.iterdir()))]


def _is_of_ours(path: Path) -> bool:
    name = path.name.removesuffix(ENCRYPTED_SUFFIX)
    return is_regular(path) and name.endswith(_SUFFIXES)


def _files(tables: list[Table], origin: Origin) -> Iterator[tuple[str, bytes]]:
    """Yield the name of each file of tables and what is in it, one after the other."""
    for table in tables:
        yield f"{table.name}.csv", csv_of(table, spreadsheet=origin.spreadsheet)
    if origin.parquet:
        for table in tables:
            yield f"{table.name}.parquet", parquet_of(table)
    yield SCHEMA_NAME, schema_of(tables)


def _told(folder: Path) -> AbstractContextManager[None]:
    """Say which folder of tables cannot be written, and what to do."""
    return told_as("provenance.cannot_be_written", "provenance.disk_full", folder=folder)


def is_written(folder: Path, key: DataKey | None) -> bool:
    """Whether the analysis in a folder is there as it is asked for: encrypted, or not."""
    return boxes.stored_at(folder / FILE_NAME, key).exists()


def note_elsewhere(recording: Path, key: DataKey | None, folder: Path, to: DataKey | None) -> None:
    """Note that an analysis lies where nobody looks for it, or lies there without encryption."""
    exports.note_elsewhere(recording, key, folder, boxes.stored_at(folder / FILE_NAME, to))


def _stored(found: Stored) -> dict[str, Any]:
    """Return whether recorded estimates were taken, why not, and what the spot check found."""
    check = found.check
    return {
        "not_stored_because": found.why or None,
        "spot_check": check and {"compared": check.compared, "departed": check.departed},
    }


def _statement(
    analysis: Analysis,
    origin: Origin,
    recording: Path,
    tables: list[Table],
    command: str,
    *,
    stored: Stored | None,
) -> str:
    content: dict[str, Any] = {
        **msgspec.to_builtins(origin),
        "recording": recording.name,
        "person": analysis.info.person,
        "recorded": analysis.info.wall_clock,
        "recorded_with": {
            "software_version": analysis.info.software_version,
            "models": analysis.info.models,
            "pipeline": analysis.info.pipeline,
            "perception_version": analysis.info.perception_version,
            "environment": msgspec.to_builtins(analysis.info.environment),
        },
        "environment": msgspec.to_builtins(environment()),
        "imported": msgspec.to_builtins(analysis.info.imported),
        "consent": analysis.info.consent,
        "recovered": analysis.info.recovered,
        "lost_s": analysis.info.lost_s,
        "neutral_reference": analysis.neutral,
        "estimates": analysis.tables.source,
        **(_stored(stored) if origin.stored and stored is not None else {}),
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": command,
        "tables": {
            f"{table.name}.csv": {
                "rows": len(table.rows),
                "of_altered_recording": origin.altered,
                "columns": {name: description_of(name) for name in table.columns},
            }
            for table in tables
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
