"""What was heard, summed up: shares, stretches, coverage; and that a replay says the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from session_builder import Plan, build, chord, remembered

from affetti.analyzer.analysis import analyze
from affetti.analyzer.measures.heard import heard_of
from affetti.analyzer.replay import completed, replayed
from affetti.analyzer.report.page import html_of
from affetti.analyzer.tables.session_tables import tables_of
from affetti.analyzer.verify import verify
from affetti.core.events import (
    AudioFormat,
    HeardEstimated,
    RecordingPaused,
    RecordingResumed,
    SessionEnded,
    columns,
)
from affetti.core.recording.session import Session
from affetti.core.state import SessionState
from affetti.core.streams import audio_stream
from affetti.models.sound.heard import Heard
from tests.conftest import NS, started

pytestmark = pytest.mark.one_of_each


def second(end: int, *kinds: str, stream: str = "room") -> HeardEstimated:
    return HeardEstimated(
        t_ns=end * NS, stream=stream, start_sample=0, end_sample=1, heard=kinds
    )  # fmt: skip


def session(*events: object, seconds: int = 20) -> SessionState:
    state = SessionState()
    streams = (audio_stream("room", AudioFormat(8_000, 1)),)
    for event in (
        started(streams=streams),
        *events,
        SessionEnded(t_ns=seconds * NS, reason="stopped"),
    ):
        state.apply(event)  # type: ignore[arg-type]
    return state


def test_shares_are_of_the_seconds_that_were_listened_to() -> None:
    table = columns(
        HeardEstimated,
        [
            second(1, "quiet"),
            second(2, "music", "singing"),
            second(3, "music"),
            second(9, "speech"),
        ],
    )
    (room,) = heard_of(table, session(), [(0, 20 * NS)]).values()
    assert (room.stream, room.listened_s, room.coverage) == ("room", 4, pytest.approx(4 / 20))
    assert room.kinds == ("music", "singing", "speech", "quiet")
    assert room.share("music") == 0.5
    assert room.share("noise") == 0


def test_a_pause_for_breath_ends_nothing_and_a_longer_one_does() -> None:
    table = columns(HeardEstimated, [second(end, "singing") for end in (3, 4, 7, 11)])
    (room,) = heard_of(table, session(), [(0, 20 * NS)]).values()
    assert list(room.stretches["singing"]) == [(2 * NS, 7 * NS), (10 * NS, 11 * NS)]


def test_a_pause_of_the_recording_is_not_due() -> None:
    paused = RecordingPaused(t_ns=5 * NS), RecordingResumed(t_ns=15 * NS)
    table = columns(HeardEstimated, [second(end, "noise") for end in range(1, 6)])
    (room,) = heard_of(table, session(*paused), [(0, 20 * NS)]).values()
    assert room.due_s == 10
    assert room.coverage == 0.5


def test_of_no_estimates_nothing_is_said() -> None:
    assert heard_of({}, session(), [(0, 20 * NS)]) == {}


@pytest.fixture
def plan() -> Plan:
    return Plan(duration_s=9, tracks=[("A", chord(6, 220, 262, 330))])


def test_what_is_heard_stands_in_tables_and_report(tmp_path: Path, plan: Plan) -> None:
    with Session.open(build(tmp_path / "s.h5", plan)) as opened:
        analysis = analyze(opened, completed(opened))
    (playback,) = analysis.heard.values()
    assert playback.stream == "playback"
    assert playback.share("music") > 0.8
    tables = {table.name: table for table in tables_of(analysis)}
    assert [row[3] for row in tables["heard"].rows] == [None, 0]  # the session, and its track
    (stretch,) = [row for row in tables["heard_stretches"].rows if row[4] == "music"]
    assert stretch[5] == pytest.approx(1, abs=1)
    assert len(tables["estimates_heard"].rows) == len(analysis.tables.heard["t_ns"])
    assert "Heard in the playback" in html_of(analysis)


def test_skipped_live_it_is_completed_and_the_music_with_it(tmp_path: Path, plan: Plan) -> None:
    late = replace(plan, skip=lambda modality, event: modality == "heard")
    with Session.open(build(tmp_path / "s.h5", late)) as opened:
        again, live = replayed(opened), completed(opened)
        assert verify(opened).verdict == "identical"
    assert len(live.heard["t_ns"]) == len(again.heard["t_ns"]) > 0
    assert np.isnan(live.music["presence"]).all()  # nothing was heard: nothing was said of it
    assert not np.isnan(again.music["presence"]).any()


def shifted(by: float) -> Callable[..., Heard]:
    """A listener that is as sure of music as the threshold, and a little less."""

    def listen(energies: np.ndarray) -> Heard:
        heard = remembered().listen(energies)
        return replace(heard, music=round(0.5 + by, 6), singing=0.0)

    return listen


def test_music_that_only_one_side_hears_is_excused_at_the_threshold(
    tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("affetti.models.pipelines.Perceivers._listen", lambda _, e: shifted(0)(e))
    path = build(tmp_path / "s.h5", replace(plan, listen=shifted(0.0)))
    monkeypatch.setattr(
        "affetti.models.pipelines.Perceivers._listen", lambda _, e: shifted(-5e-4)(e)
    )
    with Session.open(path) as opened:
        found = verify(opened)
    # From the recorded seconds, so that no music estimate differs at all.
    assert found.verdict == "within tolerance"
    assert found.differing["heard"] > 0
    assert found.differing["music"] == 0
