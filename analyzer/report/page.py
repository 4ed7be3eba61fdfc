"""The report of one session: one HTML file, in plain language, with everything in it."""

import errno
import re
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from affetti.analyzer.analysis import Analysis, analyze
from affetti.analyzer.measures.estimates import LABELS, MODALITIES, ModalityName
from affetti.analyzer.measures.segments import Segments, segments_of
from affetti.analyzer.measures.self_reports import stretch_about
from affetti.analyzer.measures.summary import Summary
from affetti.analyzer.measures.tracks import TrackResult
from affetti.analyzer.measures.transitions import dwells_of, transition_counts
from affetti.analyzer.replay import Progress, reported
from affetti.analyzer.report import figures, findings, heard, wording
from affetti.analyzer.report.around import around
from affetti.analyzer.report.tracks import self_reports_of, track_words
from affetti.core.clock import NS_PER_S
from affetti.core.custody import boxes, exports
from affetti.core.custody.artefacts import REPORT
from affetti.core.custody.keys import DataKey
from affetti.core.errors import DiskFull, FileExists, FileMissing
from affetti.core.journal import sentence
from affetti.core.labels import lines
from affetti.core.language import clock_text, language, text, word
from affetti.core.recording.session import Session
from affetti.models.pipelines import digests_of, offered

if TYPE_CHECKING:
    import jinja2

_FOLDER: Final = Path(__file__).parent
_RESOLUTIONS_S: Final = (1, 2, 5, 10, 15, 30, 60)
_MAX_SEGMENTS: Final = 240  # more than a line of the page can show


def write_report(
    recording: Path,
    output: Path | None = None,
    progress: Progress | None = None,
    *,
    altered: bool = False,
    plain: bool = False,
) -> Path:
    """Write the report of a recording; return where it is.

    That of an encrypted recording is encrypted as well, and has `.vault` behind its name.

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
    altered
        Whether a recording that was altered after it was sealed is reported all the same; every
        page says so.
    plain
        Whether the report of an encrypted recording is written without encryption; that is noted
        beside the recording.

    Raises
    ------
    AffettiError
        The recording cannot be read, or was altered, or the report cannot be written.
    """
    with Session.open(recording, altered=altered) as session:
        if altered:
            session.notice_alterations()
        else:
            session.verify_digest()
        analysis = analyze(session, reported(session, progress))
    path = output or report_path(recording, recording.parent)
    key = None if plain else session.key
    place = save_report(html_of(analysis), path, analysis.info.session_id, key)
    if plain and session.key is not None:
        exports.note(recording, session.key, path.name, path)
    return place


def report_path(recording: Path, folder: Path) -> Path:
    """Return the name of a recording's report in a folder."""
    return folder / REPORT.name(recording)


def save_report(html: str, path: Path, session_id: str, key: DataKey | None = None) -> Path:
    """Write a report, in place of an earlier one of the same session but of nothing else.

    Parameters
    ----------
    html, path, session_id
        What, where, and of which session.
    key
        What it is encrypted with, as its recording is; None: it is not.

    Returns
    -------
    Where it is: an encrypted one has `.vault` behind its name.

    Raises
    ------
    AffettiError
        Another file is there, or the folder cannot be written.
    """
    try:
        place = boxes.stored_at(path, key)
        if place.exists() and _session_of(place) != session_id:
            raise FileExists("page.exists_no_report_session", path=place)
        path.parent.mkdir(parents=True, exist_ok=True)
        return boxes.replace(path, html.encode(), key)
    except OSError as error:
        kind = DiskFull if error.errno == errno.ENOSPC else FileMissing
        raise kind("page.cannot_be_written", path=path, error=error.strerror) from error


def _session_of(path: Path) -> str | None:
    begin = boxes.read(path)[:4096]
    found = re.search(rb'name="affetti-session" content="([0-9a-f]{32})"', begin)
    return found[1].decode() if found else None


def html_of(analysis: Analysis) -> str:
    """Return the report of an analysis as one HTML document without scripts or addresses."""
    fine = {
        name: segments_of(each, resolution_s(analysis) * NS_PER_S, analysis.state.now_ns)
        for name, each in analysis.estimates.items()
    }
    moments = _moments(analysis)
    segment_s, segments = _told_segments(analysis)
    return _template().render(
        style=(_FOLDER / "style.css").read_text(encoding="utf-8"),
        w=wording,
        info=analysis.info,
        legend=figures.LEGEND,
        modalities=MODALITIES,
        names={name: wording.modality_name(name) for name in MODALITIES},
        t=wording.marked,
        language=language(),
        findings=findings.findings_of(analysis),
        summaries=analysis.summaries,
        congruence=analysis.congruence,
        timeline=figures.timeline(analysis, fine, [m["flag"] for m in moments]),
        segment_rows=_segment_rows(segments),
        segment_s=f"{segment_s:g}",
        tracks=[_track(i, track, analysis) for i, track in enumerate(analysis.tracks)],
        diagrams=_diagrams(analysis),
        changes=_changes(analysis),
        moments=moments,
        paused=any(u.cause in ("paused", "no_consent") for u in analysis.unseen),
        coverage=figures.coverage_strips(fine, analysis),
        basis=findings.basis_of(analysis),
        unseen=analysis.unseen,
        made=datetime.now().astimezone().isoformat(timespec="minutes"),
        version=version("affetti"),
        models=_models(analysis),
        parameters=analysis.parameters,
    )


def _models(analysis: Analysis) -> dict[str, str]:
    """Return the digests of the models that the estimates were made with."""
    if analysis.tables.source != "replayed":
        return analysis.info.models
    return digests_of(offered(analysis.tables.pipeline).models)


def resolution_s(analysis: Analysis) -> int:
    """Return how long the segments of the timeline are: as fine as the page can show."""
    for seconds in _RESOLUTIONS_S:
        if analysis.info.duration_s / seconds <= _MAX_SEGMENTS:
            return seconds
    return _RESOLUTIONS_S[-1] * -(-int(analysis.info.duration_s) // (60 * _MAX_SEGMENTS))


@cache
def _template() -> "jinja2.Template":
    import jinja2  # noqa: PLC0415  only where a report is written

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
    )
    return environment.get_template("template.html")


def _shown(value: Any) -> Any:
    """Return a value as it may stand on the page: texts without controls; mark-up is ours."""
    return lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _told_segments(analysis: Analysis) -> tuple[float, dict[ModalityName, Segments]]:
    """Return the segments of the table, and how long they are.

    Those of `segments.csv`, or where they would be too many for a page, of a multiple of them.
    """
    segment_s = analysis.parameters.segment_s
    count = len(analysis.segments["fused"])
    if count <= _MAX_SEGMENTS:
        return segment_s, analysis.segments
    longer_s = segment_s * -(-count // _MAX_SEGMENTS)
    length_ns = round(longer_s * NS_PER_S)
    return longer_s, {
        name: segments_of(each, length_ns, analysis.state.now_ns)
        for name, each in analysis.estimates.items()
    }


def _segment_rows(segments: dict[ModalityName, Segments]) -> list[dict[str, Any]]:
    return [
        {
            "start": clock_text(segments["fused"].start_s[i]),
            "cells": [_segment(segments[name], i) for name in MODALITIES],
        }
        for i in range(len(segments["fused"]))
    ]


def _segment(segments: Segments, i: int) -> dict[str, str]:
    """Return a cell: the probabilities, and how much of the segment they rest on."""
    if not segments.said[i]:
        return {"strongest": wording.UNKNOWN, "shares": "", "coverage": ""}
    shares = [float(share) for share in segments.shares[i]]
    return {
        "strongest": wording.strongest(shares, segments.labels),
        "shares": " ".join(wording.index(share) for share in shares),
        "coverage": wording.percent(float(segments.coverage[i])),
    }


def _track(i: int, track: TrackResult, analysis: Analysis) -> dict[str, Any]:
    words = track_words(track, analysis.quiet)
    bars = [
        {
            "name": line.name,
            "words": line.words,
            "svg": ""
            if name == "fused" and track.together.alone
            else figures.bar(
                f"track-{i}-{name}",
                text("figure.bar", modality=line.name, track=track.number + 1),
                track.summaries[name],
                line.words,
            ),
            "coverage": line.coverage,
            "modality": name,
            "summary": track.summaries[name],
            "shares": _in_legend(track.summaries[name]),
        }
        for name, line in zip(track.summaries, words.lines, strict=True)
    ]
    return {
        "result": track,
        "words": words,
        "bars": bars,
        "self_reports": self_reports_of(track, analysis.state),
        "reasons": findings.reasons_text(track),
        "signs": findings.signs_text(track),
        "heard": [
            (heard.title(each), heard.shares_text(each) or wording.UNKNOWN)
            for each in track.heard.values()
        ],
        "circumplex": findings.circumplex_text(track.summaries["music"]),
    }


def _in_legend(summary: Summary) -> list[float | None]:
    """Return the mean of each label of the legend; None of one that is not this modality's."""
    means = zip(summary.labels, summary.shares, strict=True)
    shares = {figures.COLOURED_AS.get(label, label): float(share) for label, share in means}
    return [shares.get(label) for label in figures.LEGEND]


def _diagrams(analysis: Analysis) -> list[dict[str, Any]]:
    return [
        {
            "name": wording.modality_name(name),
            "svg": figures.transition_diagram(
                f"changes-{name}",
                text("figure.changes_of", modality=wording.modality_name(name)),
                dwells_of(analysis.states[name]),
                analysis.changes[name],
                LABELS[name],
            ),
            "coverage": findings.coverage_text(name, analysis.summaries[name].coverage),
            "counts": transition_counts(analysis.changes[name], LABELS[name]),
        }
        for name in MODALITIES
        if analysis.summaries[name].said and not (name == "fused" and analysis.together.alone)
    ]


def _changes(analysis: Analysis) -> list[dict[str, Any]]:
    rows = [
        {"modality": wording.modality_name(name), "change": change}
        for name in MODALITIES
        for change in analysis.changes[name]
    ]
    return sorted(rows, key=lambda row: row["change"].t_s)


def _moments(analysis: Analysis) -> list[dict[str, Any]]:
    moments = [
        (event, word("moment", event.noun), sentence(event))
        for event in sorted(analysis.state.moments, key=lambda event: event.t_ns)
    ]
    return [
        {
            "flag": figures.Moment(number, event.t_ns / NS_PER_S, f"{kind}: {words}"),
            "kind": kind,
            "text": words,
            "t": clock_text(event.t_ns / NS_PER_S),
            "around": [
                around(analysis, name, stretch_about(event, analysis.state)) for name in MODALITIES
            ],
        }
        for number, (event, kind, words) in enumerate(moments, start=1)
    ]
