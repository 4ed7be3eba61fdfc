"""Recordings for the analyzer: a bundled face, chords for music, built once a run."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from session_builder import Plan, build, chord

from affetti.core.clock import NS_PER_S
from affetti.core.events import MarkerAdded, NoteAdded, SelfReported
from affetti.core.recording.session import Session

SCRIPT = "She hummed along.\n<script>document.title = 'run'</script>"


@pytest.fixture(scope="session")
def face_jpegs(sample_session: Path) -> list[bytes]:
    """Frames of the bundled recording, from crying to laughing."""
    with Session.open(sample_session) as session:
        return [session.frames.at(second).jpeg for second in np.linspace(1, 18, 35)]


@pytest.fixture(scope="session")
def blank_jpeg() -> bytes:
    return cv2.imencode(".jpg", np.full((90, 120, 3), 120, np.uint8))[1].tobytes()


@pytest.fixture(scope="session")
def plan(face_jpegs: list[bytes]) -> Plan:
    """Twenty seconds with a face, two tracks, a marker, a note and a self-report."""
    return Plan(
        duration_s=20,
        tracks=[("Grey Sunday", chord(8, 220, 262, 330)), ("=SUM(A1)", chord(8, 262, 330, 392))],
        moments=[
            MarkerAdded(t_ns=3 * NS_PER_S, label="<b>eye</b> contact"),
            NoteAdded(t_ns=6 * NS_PER_S, text=SCRIPT),
            SelfReported(
                t_ns=19 * NS_PER_S,
                emotion="relaxation",
                valence=0.5,
                arousal=-0.5,
                occasion="after",
                track=1,
                scales={"Pain": 3},
                answered_s=6.5,
            ),
        ],
        jpegs=face_jpegs,
    )


@pytest.fixture(scope="session")
def recording(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`plan`, recorded: to be read only."""
    return build(tmp_path_factory.mktemp("recording") / "sub-P07_ses-20261124T101500.h5", plan)


@pytest.fixture(scope="session")
def quiet_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds in which nothing was recorded but that it began and ended."""
    return build(tmp_path_factory.mktemp("quiet") / "quiet.h5", Plan(duration_s=2))
