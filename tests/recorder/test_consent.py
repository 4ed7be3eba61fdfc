"""Consent that ends in the middle: nothing of it comes later, and a replay says the same."""

import random
import time
from pathlib import Path
from typing import Any

import pytest

from affetti.analyzer.checks import Importance, inspect
from affetti.analyzer.verify import verify
from affetti.core.consent import allows
from affetti.core.events import (
    ConsentChanged,
    EmotionFused,
    EstimateSkipped,
    FaceEstimated,
    MusicEstimated,
    consent_to,
)
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.engine import messages
from affetti.recorder.engine.engine import Engine
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.messages import Plan
from tests.recorder.conftest import loaded
from tests.recorder.films import face_film

BOTH = consent_to("video", "room")
LEFT = {
    "video": consent_to("room"),
    "audio": consent_to("video"),
    "both": consent_to(),
}


class SlowReaders(Readers):
    """The real models on a slower machine, so that much is under way at any moment."""

    def read_face(self, image: Any, choose: Any, neutral: Any = None, **how: Any) -> Any:
        time.sleep(0.03)
        return super().read_face(image, choose, neutral, **how)

    def read_music(self, samples: Any, rate_hz: int) -> Any:
        time.sleep(0.3)
        return super().read_music(samples, rate_hz)


@pytest.fixture(scope="module")
def readers() -> Readers:
    return loaded(SlowReaders())


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, sample_session: Path) -> Path:
    path = tmp_path_factory.mktemp("film") / "face.avi"
    return face_film(path, sample_session, 20, (320, 240), 20)


def record(
    target: Path, film: Path, music: Path, readers: Readers, steps: list[tuple[float, Any]]
) -> None:
    """Record, and send each command after its wait."""
    said: list[messages.Message] = []
    tracks = sorted(music.glob("*.ogg")) or sorted(music.iterdir())
    plan = Plan(
        person="P1",
        consent=BOTH,
        camera=str(film),
        microphone=str(tracks[0]),
        playlist=tuple(map(str, tracks[1:])),
        speaker=None,
        output=str(target),
    )
    engine = Engine(Settings(), said.append)
    engine._readers = readers
    engine.carry_out(messages.Record(plan))
    for wait_s, command in steps:
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            engine.turn()
            time.sleep(0.005)
        engine.carry_out(command)
    assert not [m for m in said if isinstance(m, messages.Problem)]
    assert any(isinstance(m, messages.Sealed) for m in said)


def steps_of(seed: int, what: str) -> list[tuple[float, Any]]:
    chance = random.Random(seed)
    track = chance.choice(["pause", "next", "stop", "resume"])
    steps: list[tuple[float, Any]] = [(chance.uniform(0, 2), messages.SteerTrack(track))]
    if chance.random() < 0.5:
        steps += [(1.0, messages.PauseRecording()), (0.3, messages.ResumeRecording())]
    steps.append((chance.uniform(2, 5), messages.ChangeConsent(LEFT[what])))
    if chance.random() < 0.7:
        again = chance.uniform(0.0, 1.5) * chance.choice([0.0, 1.0])
        steps += [(again, messages.ChangeConsent(BOTH)), (3.5, messages.Mark("again"))]
        steps.append((chance.uniform(0, 1), messages.ChangeConsent(LEFT[what])))
    return [*steps, (1.5, messages.Stop())]


def leaks(session: Session) -> list[int]:
    """Return what was kept, captured or estimated, of what was not consented to."""
    consent, found, rooms = session.started.consent, [], False
    for event in session.events:
        match event:
            case ConsentChanged():
                consent = event.consent
                rooms = rooms and consent.grants("room")
                continue
            case MusicEstimated():
                rooms = event.stream == "room"
        if not allows(consent, event, session.streams):
            found.append(event.seq)
        if isinstance(event, EmotionFused) and rooms and not consent.grants("room"):
            found.append(event.seq)
    return found


CASES = [(seed, what) for seed in range(2) for what in LEFT]


@pytest.mark.campaign
@pytest.mark.parametrize("case", CASES)
def test_nothing_of_what_was_withdrawn_comes_later(
    tmp_path: Path, film: Path, music_folder: Path, readers: Readers, case: tuple[int, str]
) -> None:
    target = tmp_path / "out.h5"
    record(target, film, music_folder, readers, steps_of(*case))
    with Session.open(target) as session:
        assert leaks(session) == []
        found = verify(session)
        assert found.difference is None
        assert found.compared["face"] > 5
    findings = inspect(target)
    assert [f for f in findings if f.importance is not Importance.NOTE] == []


@pytest.mark.campaign
def test_estimates_under_way_become_skips_that_say_why(
    tmp_path: Path, film: Path, music_folder: Path, readers: Readers
) -> None:
    target = tmp_path / "out.h5"
    steps: list[tuple[float, Any]] = []
    for _ in range(6):  # at one of these moments a face is being read
        steps += [(0.63, messages.ChangeConsent(LEFT["video"]))]
        steps += [(0.0, messages.ChangeConsent(BOTH))]
    record(target, film, music_folder, readers, [(2.0, steps[0][1]), *steps[1:],
                                                 (1.0, messages.Stop())])  # fmt: skip
    with Session.open(target) as session:
        skips = [e for e in session.events if isinstance(e, EstimateSkipped)]
        assert "consent" in {skip.reason for skip in skips if skip.modality == "face"}
        last = max(e.seq for e in session.events if isinstance(e, ConsentChanged))
        assert any(e.seq > last for e in session.events if isinstance(e, FaceEstimated))
        assert verify(session).difference is None
