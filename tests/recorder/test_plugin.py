"""A modality that a plug-in brings: recorded, sealed, replayed, verified, in the tables."""

from pathlib import Path

import pytest

from affetti.analyzer.analysis import analyze
from affetti.analyzer.checks import inspect
from affetti.analyzer.checks.register import Importance
from affetti.analyzer.replay import completed, replayed
from affetti.analyzer.tables.session_tables import tables_of
from affetti.analyzer.verify import verify
from affetti.core.events import Estimated, consent_to
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.models.perception import plugins
from affetti.recorder.engine.headless import Headless
from affetti.recorder.engine.messages import Plan

LOUDNESS = '''
import numpy as np
from affetti.core.events import AudioCaptured, Estimated
from affetti.models.perception.plugins import Perceiver


class Loudness(Perceiver):
    """How loud the room is, as though that were arousal."""

    modality = "loudness"
    max_age_ns = 2_000_000_000

    def __init__(self):
        self.second = -1

    def push(self, event, blob):
        if not isinstance(event, AudioCaptured) or event.stream != "room":
            return []
        second, self.second = self.second, event.t_ns // 1_000_000_000
        return [] if second == self.second else [lambda: self.estimate(event, blob)]

    def estimate(self, event, blob):
        samples = np.frombuffer(blob, "<i2") / 32768
        loud = round(float(np.clip(np.sqrt(np.mean(samples**2)) * 4, 0, 1)), 6)
        return Estimated(
            t_ns=event.t_ns,
            modality="loudness",
            stream="room",
            emotions=(loud / 2, (1 - loud) / 2, loud / 2, (1 - loud) / 2),
            measures={"peak": float(np.abs(samples).max()), "nothing": float("nan")},
            reasons=("loud",) if loud > 0.5 else ("soft",),
        )
'''


def install(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Put a package with an entry point on the path, as pip would."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{name}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[affetti.perceivers]\nmine = {name}:Loudness\n")
    monkeypatch.syspath_prepend(str(folder))


@pytest.fixture
def recording(tmp_path: Path, music_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    install(tmp_path / "site", LOUDNESS, monkeypatch, "affetti_loudness")
    monkeypatch.setattr("signal.signal", lambda *_: None)
    plan = Plan(
        person="P01",
        consent=consent_to("room"),
        output=str(tmp_path / "with.h5"),
        microphone=str(next(music_folder.glob("*.ogg"))),
        duration_s=6,
        unattended=True,
    )
    return Headless(Settings(), print).run(plan)


@pytest.mark.campaign
def test_a_perceiver_of_a_plug_in_joins(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Session.open(recording) as session:
        live = session.estimates["loudness"]
        assert len(live["t_ns"]) >= 4
        assert set(session.estimates) == {"face", "heard", "music", "fused", "loudness"}
        assert {"peak", "nothing", "happiness", "reasons"} - live.keys() == {"nothing"}
        assert session.state.estimates["loudness"] == len(live["t_ns"])
        assert isinstance(session.state.latest["loudness"], Estimated)
        assert session.info.estimates["loudness"] == len(live["t_ns"])
        assert any("loudness" in by for by in session.estimates.fused["decided_by"])
        found = verify(session)
        assert found.difference is None, str(found.difference)
        assert found.verdict == "identical"
        assert found.compared["loudness"] == len(live["t_ns"])
        for tables in (replayed(session), completed(session)):
            again = tables.others["loudness"]
            assert again["peak"].tolist() == live["peak"].tolist()
        written = {table.name: table for table in tables_of(analyze(session, tables))}
        assert "peak" in written["estimates_loudness"].columns
        assert len(written["estimates_loudness"].rows) == len(live["t_ns"])
    assert [f for f in inspect(recording) if f.importance < Importance.NOTE] == []
    monkeypatch.setattr(plugins, "extensions", lambda group: ())
    with Session.open(recording) as session:
        assert verify(session).other_models == ["perceiver loudness"]


@pytest.mark.parametrize(
    "broken",
    [
        LOUDNESS.replace('"loudness"', '"face"'),
        LOUDNESS.replace('"loudness"', '"../face"'),
        LOUDNESS.replace("(Perceiver)", ""),
        "raise RuntimeError('no')",
    ],
)
def test_a_plug_in_that_cannot_be_used_is_left_out(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, broken, monkeypatch, f"affetti_broken_{abs(hash(broken))}")
    assert plugins.perceivers() == []


def test_a_perceiver_that_fails_costs_its_own_estimates_only() -> None:
    class Failing(plugins.Perceiver):
        modality = "failing"

        def push(self, event: object, blob: bytes) -> list[plugins.Due]:
            raise ValueError("out of order")

    class Wrong(Failing):
        def push(self, event: object, blob: bytes) -> list[plugins.Due]:
            return [lambda: Estimated(t_ns=0, modality="x", stream="room", emotions=(9.0, 0, 0, 0))]

    event = Estimated(t_ns=5, seq=7, modality="x", stream="room")
    failing = plugins.Plugged(Failing, lambda *_: False)
    (skipped,) = failing.push(event)
    assert (skipped.modality, skipped.of_seq, skipped.reason) == ("failing", 7, "failed")
    assert failing.push(event) == []
    wrong = plugins.Plugged(Wrong, lambda *_: False)
    assert [wrong.push(event)[0].reason for _ in range(2)] == ["failed", "failed"]
