from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from session_builder import Plan, build, chord, read_face

from affetti.analyzer.replay import (
    completed,
    replay,
    replayed,
)
from affetti.analyzer.verify import verify
from affetti.core.clock import NS_PER_S
from affetti.core.events import ESTIMATE_TABLES, EstimateSkipped, Event, FrameCaptured, SessionEnded
from affetti.core.recording.session import Session
from affetti.models.face.detection import Choose
from affetti.models.face.reading import FaceReading

pytestmark = pytest.mark.one_of_each


@pytest.mark.campaign
def test_a_replay_reproduces_every_live_estimate(recording: Path) -> None:
    with Session.open(recording) as session:
        found = verify(session)
    assert found.reproduced
    assert found.compared["face"] == 200
    assert found.compared["music"] >= 10
    assert found.compared["fused"] == 39
    assert msgspec.json.decode(msgspec.json.encode(found.compared)) == found.compared


def test_the_bundled_recording_is_reproduced(sample_session: Path) -> None:
    # Another machine made it: its numbers may differ in the last digits.
    with Session.open(sample_session) as session:
        found = verify(session)
    assert found.difference is None
    assert found.other_models == []
    assert all(found.compared.values())


def busy(modality: str, event: Event) -> bool:
    """Skip every fourth frame once it is known who is read, and the music of the first seconds."""
    if isinstance(event, FrameCaptured):
        return event.frame % 4 == 0 and event.t_ns > 2 * NS_PER_S
    return modality == "music" and event.t_ns < 5 * NS_PER_S


@pytest.mark.campaign
@pytest.mark.parametrize("changes", [{}, {"ended": False, "cut_estimates": 20}, {"live": False}])
def test_completing_live_estimates_gives_what_a_replay_gives(
    tmp_path: Path, plan: Plan, changes: dict[str, object]
) -> None:
    path = build(tmp_path / "s.h5", replace(plan, duration_s=8, **changes))
    with Session.open(path) as session:
        again, live = replayed(session), completed(session)
    # Beyond the last live face it is not known how that face looked: who is read may differ.
    last_ns = 6 * NS_PER_S if "cut_estimates" in changes else 8 * NS_PER_S
    for name in ESTIMATE_TABLES:
        rows = getattr(again, name)["t_ns"] < last_ns
        for column, values in getattr(again, name).items():
            if column != "seq":
                np.testing.assert_array_equal(getattr(live, name)[column][rows], values[rows])
    assert (again.source, live.source) == ("replayed", "completed")


@pytest.mark.campaign
def test_what_was_skipped_is_completed_as_a_replay_would_make_it(
    tmp_path: Path, plan: Plan
) -> None:
    path = build(tmp_path / "s.h5", replace(plan, duration_s=8, skip=busy))
    with Session.open(path) as session:
        again, live = replayed(session), completed(session)
    for column, values in again.music.items():
        if column != "seq":
            np.testing.assert_array_equal(live.music[column], values)
    # Where a face is looked for, and when its landmarks are, follows from what was live.
    for column in ("t_ns", "frame", "faces"):
        np.testing.assert_array_equal(live.face[column], again.face[column])


@pytest.mark.campaign
def test_the_first_difference_is_named(tmp_path: Path, plan: Plan) -> None:
    calls = Counter[str]()

    def read_otherwise(image: np.ndarray, choose: Choose, **how: Any) -> FaceReading:
        calls["face"] += 1
        reading = read_face(image, choose, **how)
        return replace(reading, brightness=0.25) if calls["face"] == 31 else reading

    path = build(tmp_path / "other.h5", replace(plan, duration_s=4, read_face=read_otherwise))
    with Session.open(path) as session:
        difference = verify(session).difference
        assert difference is not None
        event = session.events[difference.seq or 0]
    assert (difference.modality, difference.field) == ("face", "brightness")
    assert difference.live == 0.25
    assert difference.replayed != 0.25
    assert difference.t_s == pytest.approx(3.0, abs=0.1)
    assert event.t_ns == round(difference.t_s * NS_PER_S)
    assert str(difference).startswith("face at 00:03.")


@pytest.mark.campaign
def test_an_estimate_that_was_never_recorded_is_a_difference(tmp_path: Path, plan: Plan) -> None:
    path = build(tmp_path / "none.h5", replace(plan, duration_s=2, live=False))
    with Session.open(path) as session:
        difference = verify(session).difference
    assert difference is not None
    assert (difference.field, difference.live, difference.replayed) == ("estimate", "none", "there")


@pytest.mark.campaign
def test_skips_are_reproduced_as_skips_and_computed_by_the_analyzer(
    tmp_path: Path, plan: Plan
) -> None:
    path = build(tmp_path / "busy.h5", replace(plan, duration_s=8, skip=busy))
    with Session.open(path) as session:
        found = verify(session)
        assert found.reproduced
        assert found.skipped["face"] > 0
        assert found.skipped["music"] > 0
        live = Counter(type(each) for each in replay(session, "recorded"))
        assert live[EstimateSkipped] == sum(found.skipped.values())
        assert len(replayed(session).face["t_ns"]) == 80


def test_a_recording_of_other_models_is_said_to_be_one(tmp_path: Path) -> None:
    path = build(tmp_path / "old.h5", Plan(duration_s=1, models={"face_haar": "0" * 64}))
    with Session.open(path) as session:
        found = verify(session)
    assert not found.reproduced
    assert "face_haar" in found.other_models
    assert found.difference is None


def test_what_a_crash_cut_off_is_no_difference(tmp_path: Path, blank_jpeg: bytes) -> None:
    plan = Plan(duration_s=6, tracks=[("A", chord(5, 220, 330))], jpegs=[blank_jpeg], ended=False)
    path = build(tmp_path / "cut.h5", replace(plan, cut_estimates=3))
    with Session.open(path) as session:
        assert session.info.recovered
        found = verify(session)
    assert found.reproduced
    assert sum(found.unrecorded.values()) == 3


def test_an_end_long_after_the_last_fact_closes_no_tick(tmp_path: Path, blank_jpeg: bytes) -> None:
    # Stopping may take a while, and live perception has closed by then.
    ended = SessionEnded(t_ns=5 * NS_PER_S, reason="stopped")
    plan = Plan(duration_s=2, jpegs=[blank_jpeg], ended=False, moments=[ended])
    with Session.open(build(tmp_path / "slow.h5", plan)) as session:
        assert verify(session).reproduced
        assert session.duration_s == 5


def test_progress_reaches_the_end(quiet_recording: Path) -> None:
    seen: list[tuple[int, int]] = []
    with Session.open(quiet_recording) as session:
        replayed(session, lambda done, total: seen.append((done, total)))
        assert seen[-1] == (len(session), len(session))
