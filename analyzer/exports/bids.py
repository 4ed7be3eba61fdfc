"""BIDS (Brain Imaging Data Structure 1.10): behavioural events, tables and signals of a data set.

A data set holds many sessions and is added to. Of signals those at a regular rate are exported, on
a grid of that rate: where nothing came there is n/a. It is made to be shared, so only of who agreed
to research use, and without a face or a voice: `bids-media` has those as well, as far as the person
agreed to be seen and heard, by the draft that BIDS has of them (`analyzer.exports.bids_media`).
"""

import gzip
import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from affetti.analyzer.analysis import SignalTable
from affetti.analyzer.exports import PARTICIPANTS, Source, new_file
from affetti.analyzer.exports.tiers import tiers_of
from affetti.analyzer.measures.estimates import MODALITIES
from affetti.analyzer.tables.columns import COLUMNS
from affetti.core.custody import boxes
from affetti.core.errors import FileExists, UsageError

VERSION: Final = "1.10.0"
TASK: Final = "listening"
MEDIA: Final = "bids-media"
_MISSING: Final = "n/a"
_MAX_GAP: Final = 20  # times as many rows as samples: what is emptier is no regular signal
_README: Final = (
    "Sessions recorded with Affetti. Expressions are estimates of what a face or a piece of music\n"
    "expresses, not of what anyone feels, and no diagnosis. Signals without a regular rate are in\n"
    "the recordings alone, and so are pictures and sound where a session has no *_video and\n"
    "*_audio. Those follow a draft of BIDS (BEP047), and begin with the session, as onsets do.\n"
)


def write(source: Source, target: Path, name: str) -> list[Path]:
    """Write a session into a data set; see `analyzer.exports.Format.write`."""
    session = source.session
    if not session.state.consent.grants("research"):
        raise UsageError("export.no_research_consent", path=session.path.name)
    person, visit = _alphanumeric(session.started.person), _visit(session.started.wall_clock)
    folder = target / f"sub-{person}" / f"ses-{visit}" / "beh"
    if folder.exists():
        raise FileExists("export.exists", path=folder)
    folder.mkdir(parents=True)
    _describe(target)
    _add_person(target / PARTICIPANTS, person, session.started.person)
    stem = f"sub-{person}_ses-{visit}_task-{TASK}"
    written = _written(folder, f"{stem}_events", *_events(source))
    written += _written(folder, f"{stem}_beh", *_segments(source))
    for label, signal in source.analysis.signals.items():
        rate_hz = session.streams[label].rate_hz
        recording = f"recording-{_alphanumeric(label)}"
        if rate_hz and signal.values.dtype.kind in "iuf" and len(signal.t_s):
            written += _signal(folder / f"{stem}_{recording}_physio.tsv.gz", signal, rate_hz)
    if name == MEDIA:
        written += _media(source, target, folder / stem)
    return written


def _media(source: Source, root: Path, stem: Path) -> list[Path]:
    from affetti.analyzer.exports.bids_media import IGNORED, write_media  # noqa: PLC0415  films

    def named(stream: str, suffix: str) -> Path:
        return stem.with_name(f"{stem.name}_recording-{_alphanumeric(stream)}_{suffix}")

    _ignore(root / ".bidsignore", IGNORED)
    written = []
    for path, facts in write_media(source, named):
        sidecar = path.with_suffix(".json")
        _save(sidecar, _json({"TaskName": TASK, **facts}))
        written += [path, sidecar]
    return written


def _ignore(path: Path, patterns: Sequence[str]) -> None:
    """Have validators pass over some files, beside those that they are told to already."""
    told = path.read_text("utf-8").splitlines() if path.exists() else []
    missing = [pattern for pattern in patterns if pattern not in told]
    if missing:
        boxes.replace(path, ("\n".join([*told, *missing]) + "\n").encode(), None)


def _alphanumeric(code: str) -> str:
    label = re.sub("[^A-Za-z0-9]", "", code)
    if not label:
        raise UsageError("export.no_label", code=code)
    return label


def _visit(wall_clock: str) -> str:
    return f"{datetime.fromisoformat(wall_clock):%Y%m%dT%H%M%S}"


def _describe(root: Path) -> None:
    described = root / "dataset_description.json"
    if described.exists():
        return
    facts = {
        "Name": "Music and expression",
        "BIDSVersion": VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "Affetti"}],
    }
    _save(described, _json(facts))
    _save(root / "README", _README.encode())
    of = {"code": {"Description": "the person's code in the recordings"}}
    _save(root / "participants.json", _json(of))


def _add_person(table: Path, label: str, code: str) -> None:
    """Add a person, once; two codes that come to the same label are refused."""
    lines = table.read_text("utf-8").splitlines()[1:] if table.exists() else []
    known = dict(line.split("\t") for line in lines)
    participant = f"sub-{label}"
    if known.get(participant, _cell(code)) != _cell(code):
        raise UsageError("export.label_taken", code=code, label=label)
    rows = sorted({**known, participant: _cell(code)}.items())
    boxes.replace(table, _tsv(("participant_id", "code"), rows), None)


def _events(source: Source) -> tuple[Sequence[str], list[Sequence[Any]], dict[str, Any]]:
    rows = sorted(
        (label.start_s, label.stop_s - label.start_s, tier.name, label.text)
        for tier in tiers_of(source.analysis)
        for label in tier.labels
    )
    described = {
        "onset": {"Description": "begin, from the session's start", "Units": "s"},
        "duration": {"Description": "0 for a moment", "Units": "s"},
        "trial_type": {"Description": "what it is: a track, what was expressed or heard, …"},
        "value": {"Description": "which"},
    }
    return tuple(described), list(rows), described


def _segments(source: Source) -> tuple[Sequence[str], list[Sequence[Any]], dict[str, Any]]:
    """Return what was expressed in each segment: a row a segment, modalities side by side."""
    segments = source.analysis.segments
    described: dict[str, Any] = {
        "start": {"Description": COLUMNS["start_s"], "Units": "s"},
        "stop": {"Description": COLUMNS["stop_s"], "Units": "s"},
    }
    first = segments[MODALITIES[0]]
    columns: list[Any] = [first.start_s, first.stop_s]
    for modality in MODALITIES:
        described[f"{modality}_coverage"] = {"Description": COLUMNS["coverage"]}
        columns.append(segments[modality].coverage)
        for i, label in enumerate(segments[modality].labels):
            described[f"{modality}_{label.value}"] = {"Description": COLUMNS[label.value]}
            columns.append(segments[modality].shares[:, i])
    return tuple(described), list(zip(*columns, strict=True)), described


def _signal(path: Path, signal: SignalTable, rate_hz: float) -> list[Path]:
    """Write the numbers of a signal on the grid of its rate."""
    row_of = np.round((signal.t_s - signal.t_s[0]) * rate_hz).astype(np.int64)
    count = int(row_of.max()) + 1
    if count > _MAX_GAP * len(row_of) or row_of.min() < 0:
        return []
    grid = np.full((count, len(signal.channels)), np.nan)
    grid[row_of] = signal.values
    lines = "".join("\t".join(map(_cell, row)) + "\n" for row in grid.tolist())
    names = [each or f"channel{i}" for i, each in enumerate(signal.channels)]
    about = {"SamplingFrequency": rate_hz, "StartTime": float(signal.t_s[0]), "Columns": names}
    units = {n: {"Units": u or _MISSING} for n, u in zip(names, signal.units, strict=True)}
    _save(path, gzip.compress(lines.encode(), mtime=0))
    sidecar = path.with_name(path.name.removesuffix(".tsv.gz") + ".json")
    _save(sidecar, _json({**about, **units}))
    return [path, sidecar]


def _written(
    folder: Path,
    stem: str,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    described: dict[str, Any],
) -> list[Path]:
    table, sidecar = folder / f"{stem}.tsv", folder / f"{stem}.json"
    _save(table, _tsv(names, rows))
    _save(sidecar, _json(described))
    return [table, sidecar]


def _tsv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    lines = ["\t".join(names), *("\t".join(map(_cell, row)) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return _MISSING if np.isnan(value) else repr(round(float(value), 6))
    return " ".join(str(value).split()) or _MISSING


def _json(facts: dict[str, Any]) -> bytes:
    return (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode()


def _save(path: Path, data: bytes) -> None:
    with new_file(path) as file:
        file.write(data)
