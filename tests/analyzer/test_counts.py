"""What was counted equals what pandas counts in the log, pauses and what is left open told."""

import math
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from affetti.analyzer.analysis import Analysis, analyze
from affetti.analyzer.batch import Request, analyze_file
from affetti.analyzer.measures.counts import Count
from affetti.analyzer.measures.course import Parameters
from affetti.analyzer.replay import live
from affetti.analyzer.study.group import Group, Rules
from affetti.analyzer.study.members import read_member
from affetti.analyzer.tables.session_tables import tables_of
from affetti.analyzer.tables.table import type_of
from affetti.core.events import (
    AudioFormat,
    ConsentChanged,
    Event,
    HeardEstimated,
    MarkerAdded,
    MarkerKey,
    RecordingPaused,
    RecordingResumed,
    SessionEnded,
    TrackEnded,
    TrackPaused,
    TrackResumed,
    TrackStarted,
    consent_to,
)
from affetti.core.recording.session import Session
from affetti.core.streams import audio_stream, video_stream
from tests.analyzer.session_builder import write
from tests.conftest import NS, SESSION_ID, started
from tests.second_reader import Recording

RATE_HZ = 8_000
SINGS = MarkerKey("sings", "g", "stretch")
SMILES = MarkerKey("smiles", "1", "press")
NEVER = MarkerKey("withdraws", "r", "stretch")
SHA = "0" * 64


def ns(t_s: float) -> int:
    return round(t_s * NS)


def marker(t_s: float, label: str, number: int, edge: str | None = None) -> Event:
    return MarkerAdded(t_ns=ns(t_s), label=label, number=number, edge=edge)


def track(number: int, start_s: float, stop_s: float) -> list[Event]:
    sample = round(start_s * RATE_HZ)
    return [
        TrackStarted(
            t_ns=ns(start_s),
            track=number,
            title=f"T{number}",
            file_name="t.wav",
            sha256=SHA,
            sample=sample,
            duration_s=60.0,
        ),
        TrackEnded(
            t_ns=ns(stop_s), track=number, sample=round(stop_s * RATE_HZ), reason="finished"
        ),
    ]


def heard(end_s: int, *kinds: str) -> Event:
    return HeardEstimated(t_ns=ns(end_s), stream="room", start_sample=0, end_sample=1, heard=kinds)


EVENTS: list[Event] = [
    *track(0, 10, 40),
    *track(1, 50, 80),
    TrackPaused(t_ns=ns(60), track=1, sample=60 * RATE_HZ),
    TrackResumed(t_ns=ns(65), track=1, sample=65 * RATE_HZ),
    RecordingPaused(t_ns=ns(20)),
    RecordingResumed(t_ns=ns(26)),
    marker(4, "sings", 1, "start"),
    marker(13.5, "sings", 1, "end"),  # begins before the first track, and goes on in it
    marker(18, "sings", 2, "start"),
    marker(30, "sings", 2, "end"),  # over a pause
    marker(21, "sings", 3, "start"),
    marker(24, "sings", 3, "end"),  # in a pause alone
    marker(72.25, "sings", 4, "start"),  # and never ended
    *(marker(t, "smiles", 10 + i) for i, t in enumerate([2, 12.5, 22, 39.99, 55, 62, 90])),
    marker(58, "", 30),
    *(heard(s, "quiet") for s in (1, 2, 3, 91)),
    *(heard(s, "music", "singing") for s in (12, 13, 15, 31, 32, 70)),
    *(heard(s, "speech") for s in (33, 34)),
]
END_S = 95.0


def recorded(path: Path, *events: Event, markers: tuple[MarkerKey, ...] = (SINGS, NEVER)) -> Path:
    streams = (audio_stream("room", AudioFormat(RATE_HZ, 1)), video_stream())
    first = started(streams=streams, markers=markers)
    ended = SessionEnded(t_ns=ns(END_S), reason="stopped")
    rest = sorted(events, key=lambda event: event.t_ns)
    write(path, SESSION_ID, [(event, b"") for event in (first, *rest, ended)])
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("counts") / "s.h5", *EVENTS)


@pytest.fixture(scope="module")
def analysis(path: Path) -> Analysis:
    return analysed(path)


def analysed(path: Path) -> Analysis:
    with Session.open(path) as session:
        return analyze(session, live(session))


def table(analysis: Analysis, name: str) -> pd.DataFrame:
    (found,) = (each for each in tables_of(analysis) if each.name == name)
    return pd.DataFrame(found.rows, columns=list(found.columns))


def one(counts: list[Count], label: str, form: str) -> Count:
    (found,) = (each for each in counts if (each.label, each.form) == (label, form))
    return found


def log_of(path: Path) -> pd.DataFrame:
    """The log as a reader of FORMAT.md has it, seconds in place of nanoseconds."""
    rows: list[dict[str, Any]] = [msgspec.json.decode(r[5]) for r in Recording(path).records()]
    log = pd.DataFrame(rows)
    log["t_s"] = log.t_ns / 1e9
    return log.sort_values("t_s", kind="stable")


class Pandas:
    """The same figures in another way: on a grid of hundredths of a second."""

    def __init__(self, path: Path) -> None:
        log = log_of(path)
        self.log, self.markers = log, log[log.kind == "MarkerAdded"]
        self.grid = pd.Series(False, index=range(round(END_S * 100)))
        self.kept = ~self.filled(*self.between("RecordingPaused", "RecordingResumed"))
        paused = self.filled(*self.between("TrackPaused", "TrackResumed"))
        starts = log[log.kind == "TrackStarted"].set_index("track").t_s
        stops = log[log.kind == "TrackEnded"].set_index("track").t_s
        self.spans = {None: (0.0, END_S)} | {t: (starts[t], stops[t]) for t in starts.index}
        self.masks = {
            t: self.filled(span) & self.kept & ~(paused if t is not None else self.grid)
            for t, span in self.spans.items()
        }

    def between(self, start: str, stop: str) -> list[tuple[float, float]]:
        begins = self.log[self.log.kind == start].t_s
        ends = self.log[self.log.kind == stop].t_s
        return list(zip(begins, ends, strict=True))

    def filled(self, *spans: tuple[float, float]) -> pd.Series:
        mask = self.grid.copy()
        for start, stop in spans:
            mask[round(start * 100) : round(stop * 100)] = True
        return mask

    def stretches(self, label: str) -> list[tuple[float, float]]:
        of_it = self.markers[(self.markers.label == label) & self.markers.edge.notna()]
        table = of_it.pivot_table(index="number", columns="edge", values="t_s")
        return list(zip(table.start, table.end.fillna(END_S), strict=True))

    def presses(self, label: str) -> pd.Series:
        said = self.markers.label.fillna("") == label
        return self.markers[said & self.markers.edge.isna()].t_s


def test_counts_and_durations_equal_an_independent_computation_in_pandas(
    path: Path, analysis: Analysis
) -> None:
    own, ours = Pandas(path), table(analysis, "counts").astype({"track": "Int64"})
    stretches = [(label, "stretch", own.stretches(label)) for label in ("sings",)]
    presses = [(label, "press", [(t, t) for t in own.presses(label)]) for label in ("smiles", "")]
    for track, mask in own.masks.items():
        of_it = ours[ours.track.isna() if track is None else ours.track == track]
        start, stop = own.spans[track]
        for label, form, spans in (*stretches, *presses):
            row = of_it[(of_it.label == label) & (of_it.form == form)].iloc[0]
            pieces = [mask & own.filled((a, max(b, a + 0.01))) for a, b in spans]
            within = [bool(piece.any()) for piece in pieces]
            assert row.times == sum(within), (track, label)
            assert row.counted_s == pytest.approx(mask.sum() / 100)
            assert row.rate_per_min == pytest.approx(sum(within) * 60 / (mask.sum() / 100))
            there = [a < stop and max(b, a + 0.01) > start for a, b in spans]
            assert row.left_out == sum(there) - sum(within)
            if form == "stretch":
                lasted = pd.Series([p.sum() / 100 for p in pieces if p.any()], dtype=float)
                together = own.grid.copy()
                for piece in pieces:
                    together |= piece
                assert row.total_s == pytest.approx(together.sum() / 100)
                assert row.mean_s == pytest.approx(lasted.mean())
                assert row.longest_s == pytest.approx(lasted.max())
                assert row.time_share == pytest.approx(together.sum() / mask.sum())
            if track is not None and sum(within):
                first = min(a for (a, _), inside in zip(spans, within, strict=True) if inside)
                waited = mask & own.filled((start, max(first, start)))
                assert row.latency_s == pytest.approx(waited.sum() / 100, abs=0.011)


def test_what_was_heard_is_counted_in_the_same_form(analysis: Analysis) -> None:
    singing = one(analysis.counts, "singing", "heard")
    assert (singing.stream, singing.times) == ("room", 3)
    assert (singing.total_s, singing.counted_s) == (6, 12)
    assert singing.time_share == analysis.heard["room"].share("singing") == 0.5
    assert singing.longest_s == 4
    assert singing.rate_per_min == 15
    in_track = one(analysis.tracks[0].counts, "singing", "heard")
    assert (in_track.times, in_track.latency_s) == (2, 1)
    assert one(analysis.counts, "noise", "heard").times == 0


def test_what_was_to_be_counted_and_never_was_is_told(analysis: Analysis) -> None:
    never = one(analysis.counts, "withdraws", "stretch")
    assert (never.times, never.total_s, never.time_share) == (0, 0, 0)
    assert math.isnan(never.mean_s)
    assert math.isnan(never.latency_s)


def test_what_was_started_and_not_ended_ends_with_the_session_and_is_told(
    analysis: Analysis,
) -> None:
    sings = one(analysis.counts, "sings", "stretch")
    assert (sings.still_open, sings.left_out) == (1, 1)
    last = table(analysis, "marked").query("label == 'sings'").iloc[-1]
    assert (last.start_s, last.stop_s, last.still_open) == (72.25, END_S, 1)


def test_time_without_any_consent_is_taken_out_and_without_some_is_not(tmp_path: Path) -> None:
    changes = [
        ConsentChanged(t_ns=ns(10), consent=consent_to("room")),
        ConsentChanged(t_ns=ns(30), consent=consent_to()),
        ConsentChanged(t_ns=ns(50), consent=consent_to("video", "room")),
    ]
    presses = [marker(t, "smiles", i) for i, t in enumerate((20, 40, 60), start=1)]
    (smiles,) = analysed(recorded(tmp_path / "s.h5", *changes, *presses, markers=(SMILES,))).counts
    assert (smiles.times, smiles.left_out, smiles.counted_s) == (2, 1, END_S - 20)


def test_a_recording_without_markers_has_no_counts(tmp_path: Path) -> None:
    assert analysed(recorded(tmp_path / "s.h5", markers=())).counts == []


def test_a_study_has_the_counts_of_all_its_sessions(path: Path, tmp_path: Path) -> None:
    folder = analyze_file(path, Request(Parameters(), tmp_path, stored=True)).folder
    assert folder is not None
    members = [
        read_member(
            folder,
            f"s{i}",
            {},
            path=path,
            session_id=f"{i:032x}",
            person=person,
            duration_s=END_S,
            imported=False,
        )
        for i, person in enumerate(["A", "A", "B"])
    ]
    tables = {each.name: each for each in Group(Rules(), (), members).tables()}
    counts = tables["counts"]
    found = pd.DataFrame(counts.rows, columns=list(counts.columns))
    of_it = found[(found.label == "smiles") & found.track.isna()]
    assert list(of_it.times) == [6, 6, 6]
    assert type_of(counts, "times") == "integer"
    assert type_of(counts, "label") == type_of(counts, "form") == "string"
    summary = pd.DataFrame(tables["summary"].rows, columns=list(tables["summary"].columns))
    rate = summary.query("title == '(session)' and measure == 'rate_per_min'").set_index("emotion")
    assert rate.loc["smiles", "mean"] == pytest.approx(6 / (END_S - 6) * 60)
    assert (rate.loc["smiles", "sessions"], rate.loc["smiles", "persons"]) == (3, 2)
    assert math.isnan(rate.loc["smiles", "effect"])
