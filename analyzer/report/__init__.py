"""The report of one session: one HTML file, in plain language, with everything in it."""

import errno
import re
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from affetti.analyzer.analysis import Analysis, analyze
from affetti.analyzer.measures.segments import (
    MODALITIES,
    ModalityName,
    Windows,
    summary_of,
    windows_of,
)
from affetti.analyzer.measures.tracks import TrackResult
from affetti.analyzer.measures.transitions import dwells_of, transition_counts
from affetti.analyzer.replay import Progress, completed, other_models, replayed
from affetti.analyzer.report import figures, findings, wording
from affetti.core.clock import NS_PER_S
from affetti.core.custody.temporary import replacing
from affetti.core.emotions import EMOTIONS
from affetti.core.errors import DiskFull, FileExists, FileMissing
from affetti.core.journal import sentence, word
from affetti.core.language import clock_text
from affetti.core.recording.session import Session
from affetti.models.perception import models_in_use

if TYPE_CHECKING:
    import jinja2

_FOLDER: Final = Path(__file__).parent
_RESOLUTIONS_S: Final = (1, 2, 5, 10, 15, 30, 60)
_MOST_WINDOWS: Final = 240  # more than a line of the page can show
_AROUND_NS: Final = 2_500_000_000  # a moment is described by what is this far before and after


def write_report(
    recording: Path, output: Path | None = None, progress: Progress | None = None
) -> Path:
    """Write the report of a recording; return where it is.

    The live estimates are used, completed by what was skipped, while the models are those of
    the recording: a replay would give the same. Otherwise the recording is replayed.

    Parameters
    ----------
    recording
        A sealed recording.
    output
        The file to write; by default `NAME.report.html` beside the recording. A report of the
        same session is replaced, anything else is not.
    progress
        Called with the events replayed and the events in all.

    Raises
    ------
    AffettiError
        The recording cannot be read, or the report cannot be written.
    """
    with Session.open(recording) as session:
        estimate = replayed if other_models(session) else completed
        analysis = analyze(session, estimate(session, progress))
    path = output or report_path(recording, recording.parent)
    save_report(html_of(analysis), path, analysis.info.session_id)
    return path


def report_path(recording: Path, folder: Path) -> Path:
    """Return the name of a recording's report in a folder."""
    return folder / f"{recording.stem}.report.html"


def save_report(html: str, path: Path, session_id: str) -> None:
    """Write a report, in place of an earlier one of the same session but of nothing else.

    Raises
    ------
    AffettiError
        Another file is there, or the folder cannot be written.
    """
    try:
        if path.exists() and _session_of(path) != session_id:
            raise FileExists(
                f"{path} exists and is no report of this session.",
                "Use --output to name another file.",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as fd, open(fd, "w", encoding="utf-8", closefd=False) as file:
            file.write(html)
    except OSError as error:
        kind = DiskFull if error.errno == errno.ENOSPC else FileMissing
        raise kind(
            f"The report cannot be written to {path}: {error.strerror}.",
            "Use --output to name a file in a folder that you may write to.",
        ) from error


def _session_of(path: Path) -> str | None:
    with path.open("rb") as file:
        found = re.search(rb'name="affetti-session" content="([0-9a-f]{32})"', file.read(4096))
    return found[1].decode() if found else None


def html_of(analysis: Analysis) -> str:
    """Return the report of an analysis as one HTML document without scripts or addresses."""
    fine = {
        name: windows_of(each, resolution_s(analysis) * NS_PER_S, analysis.state.now_ns)
        for name, each in analysis.estimates.items()
    }
    moments = _moments(analysis)
    return _template().render(
        style=(_FOLDER / "style.css").read_text(encoding="utf-8"),
        w=wording,
        info=analysis.info,
        emotions=EMOTIONS,
        stack=figures.STACK,
        modalities=MODALITIES,
        names=findings.NAMES,
        findings=findings.findings_of(analysis),
        summaries=analysis.summaries,
        congruence=analysis.congruence,
        alike=findings.alike,
        timeline=figures.timeline(analysis, fine, [m["flag"] for m in moments]),
        window_rows=_window_rows(fine),
        resolution_s=resolution_s(analysis),
        tracks=[_track(i, track) for i, track in enumerate(analysis.tracks)],
        diagrams=_diagrams(analysis),
        changes=_changes(analysis),
        moments=moments,
        paused=bool(analysis.state.pauses),
        coverage=figures.coverage_strips(fine, analysis),
        basis=findings.basis_of(analysis),
        made=datetime.now().astimezone().isoformat(timespec="minutes"),
        version=version("affetti"),
        models=models_in_use() if analysis.tables.source == "replayed" else analysis.info.models,
        parameters=analysis.parameters,
    )


def resolution_s(analysis: Analysis) -> int:
    """Return how long the windows of the timeline are: as fine as the page can show."""
    for seconds in _RESOLUTIONS_S:
        if analysis.info.duration_s / seconds <= _MOST_WINDOWS:
            return seconds
    return _RESOLUTIONS_S[-1] * -(-int(analysis.info.duration_s) // (60 * _MOST_WINDOWS))


@cache
def _template() -> "jinja2.Template":
    import jinja2  # noqa: PLC0415  only where a report is written

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("template.html")


def _window_rows(windows: dict[ModalityName, Windows]) -> list[dict[str, Any]]:
    return [
        {
            "start": wording.clock(windows["fused"].start_s[i]),
            "cells": [_strongest(windows[name], i) for name in MODALITIES],
        }
        for i in range(len(windows["fused"]))
    ]


def _strongest(windows: Windows, i: int) -> str:
    if not windows.said[i]:
        return wording.UNKNOWN
    best = int(windows.emotions[i].argmax())
    share, coverage = float(windows.emotions[i, best]), float(windows.coverage[i])
    return f"{EMOTIONS[best]} {wording.percent(share)} (coverage {wording.percent(coverage)})"


def _track(i: int, track: TrackResult) -> dict[str, Any]:
    nothing = {"face": "no face seen", "music": "no music heard", "fused": "nothing to read"}
    bars = [
        {
            "name": findings.NAMES[name],
            "svg": figures.bar(
                f"track-{i}-{name}",
                f"{findings.NAMES[name]} in track {track.number + 1}",
                summary,
                nothing[name],
            ),
            "coverage": wording.percent(summary.coverage),
            "summary": summary,
        }
        for name, summary in track.summaries.items()
    ]
    return {
        "result": track,
        "bars": bars,
        "response": findings.response_text(track),
        "reasons": findings.reasons_text(track),
        "circumplex": findings.circumplex_text(track.summaries["music"]),
        "times": f"{clock_text(track.start_s)}–{clock_text(track.stop_s)}",
    }


def _diagrams(analysis: Analysis) -> list[dict[str, Any]]:
    return [
        {
            "name": findings.NAMES[name],
            "svg": figures.transition_diagram(
                f"changes-{name}",
                f"Changes: {findings.NAMES[name]}",
                dwells_of(analysis.states[name]),
                analysis.changes[name],
            ),
            "coverage": findings.coverage_text(name, analysis.summaries[name].coverage),
            "counts": transition_counts(analysis.changes[name]),
        }
        for name in MODALITIES
        if analysis.summaries[name].said
    ]


def _changes(analysis: Analysis) -> list[dict[str, Any]]:
    rows = [
        {"modality": findings.NAMES[name], "change": change}
        for name in MODALITIES
        for change in analysis.changes[name]
    ]
    return sorted(rows, key=lambda row: row["change"].t_s)


def _moments(analysis: Analysis) -> list[dict[str, Any]]:
    moments = [
        (event.t_ns, word("moment", event.noun), sentence(event))
        for event in sorted(analysis.state.moments, key=lambda event: event.t_ns)
    ]
    return [
        {
            "flag": figures.Moment(number, t_ns / NS_PER_S, f"{kind}: {text}"),
            "kind": kind,
            "text": text,
            "t": clock_text(t_ns / NS_PER_S),
            "around": [_around(analysis, name, t_ns) for name in MODALITIES],
        }
        for number, (t_ns, kind, text) in enumerate(moments, start=1)
    ]


def _around(analysis: Analysis, name: ModalityName, t_ns: int) -> str:
    """Return what was expressed about a moment, in words."""
    stretch = (max(t_ns - _AROUND_NS, 0), min(t_ns + _AROUND_NS, analysis.state.now_ns))
    summary = summary_of(analysis.estimates[name], [stretch])
    if not summary.said:
        return wording.UNKNOWN
    best = int(np.argmax(summary.emotions))
    share = wording.percent(float(summary.emotions[best]))
    return f"{EMOTIONS[best]} {share} (coverage {wording.percent(summary.coverage)})"
