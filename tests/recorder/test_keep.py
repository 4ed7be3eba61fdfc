"""Where only estimates are kept, no picture and no sound of the room is ever on the disk."""

import signal
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from affetti.analyzer import library
from affetti.analyzer.checks import Importance, inspect
from affetti.analyzer.replay import replayed
from affetti.analyzer.verify import verify
from affetti.core.errors import UsageError
from affetti.core.events import FaceEstimated, HeardEstimated, consent_to
from affetti.core.recording.names import parts_of
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.models.pipelines import offers
from affetti.recorder.engine import messages
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.messages import Plan
from tests.recorder.films import moving_film, tone
from tests.recorder.test_faults import record
from tests.recorder.test_recording import begin, until_on_disk

SECONDS = 4.0


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(
        person="P1",
        consent=consent_to("video", "room"),
        speaker=None,
        unattended=True,
        camera=str(moving_film(tmp_path / "film.avi", seconds=SECONDS)),
        microphone=str(tone(tmp_path / "room.wav", SECONDS, 22_050, 1)),
        playlist=(str(tone(tmp_path / "track.wav", SECONDS)),),
        output=str(tmp_path / "out.h5"),
        keep="estimates",
    )


@pytest.mark.campaign
def test_nothing_is_kept_but_what_was_estimated(plan: Plan, readers: Readers) -> None:
    said, left = record(plan, readers)
    assert not left
    assert any(isinstance(message, messages.Picture) for message in said)
    rates = [m.frames_per_s for m in said if isinstance(m, messages.Health)]
    assert max(rates) > 0
    path = Path(str(plan.output))
    assert b"\xff\xd8\xff" not in path.read_bytes()
    with Session.open(path) as session:
        session.verify_digest()
        assert session.info.keeps == "estimates"
        assert session.info.unkept == ["room", "video"]
        assert not len(session.frames)
        assert not session.audio("room").samples
        assert session.audio("playback").samples
        assert any(isinstance(event, FaceEstimated) for event in session.events)
        heard = {e.stream for e in session.events if isinstance(e, HeardEstimated)}
        assert heard == {"room", "playback"}
        found = verify(session)
    assert found.verdict == "identical"
    assert found.unprovable["face"] > 0
    assert found.compared["heard"] > 0
    assert not found.compared["face"]
    assert not [f for f in inspect(path) if f.importance < Importance.NOTE]
    analysis = library.analyze(path)
    assert analysis.tables.source == "live"
    assert len(analysis.tables.face["t_ns"]) == session.state.estimates["face"]
    with Session.open(path) as session, pytest.raises(UsageError, match="were not kept"):
        replayed(session, None, offers()["paper"])


def test_the_settings_say_so_for_all(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('keep = "estimates"\n')
    from affetti.core.settings import load
    from affetti.recorder.tui.draft import Draft

    assert load().keep == "estimates"
    assert Settings().keep == "all"
    known = {"person_known": True, "consent_known": True}
    assert Draft.of_plan(replace(plan, keep=None), load(), **known).plan().keep == "estimates"
    assert Draft.of_plan(replace(plan, keep="all"), load(), **known).plan().keep == "all"


@pytest.mark.campaign
def test_a_kill_leaves_no_picture_either(tmp_path: Path, long_film: Path) -> None:
    target = tmp_path / "out.h5"
    process = begin(target, "--camera", long_film, "--keep", "estimates")
    until_on_disk(target, FaceEstimated, 3)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not any(b"\xff\xd8\xff" in part.read_bytes() for part in parts_of(target))
    report = seal(target)
    assert report.recovered
    assert report.lost_s < 10
    with Session.open(target) as session:
        assert session.duration_s > 0
