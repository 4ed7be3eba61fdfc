"""What tests of every room share: a sample of the product's own making, and a small real log."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    Event,
    FrameCaptured,
    MarkerAdded,
    SessionEnded,
    SessionStarted,
    consent_to,
)
from affetti.core.recording.parts import PartLog
from affetti.core.settings import LogSettings
from affetti.core.streams import Channel, Stream, audio_stream, video_stream

SAMPLES = Path(__file__).parent.parent / "sample_sessions"
SESSION_ID = "0123456789abcdef" * 2
RATE_HZ = 8_000
NS = 1_000_000_000
HEART = Stream(
    name="heart",
    kind="samples",
    encoding="float32",
    rate_hz=10.0,
    channels=(Channel("ecg", "microvolts"), Channel("quality")),
    scope="signals",
    source="lsl:heart",
)
WORDS = Stream(
    name="words", kind="samples", encoding="text", channels=(Channel("said"),), scope="signals"
)

os.environ["AFFETTI_LANGUAGE"] = "en"  # whatever whoever runs the tests speaks

# How long an example takes says something of the machine, and nothing of the product.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)  # before marks choose what is run
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to the campaign all cases but the first of a test that is marked so."""
    known: set[tuple[Path, str]] = set()
    for item in items:
        if item.get_closest_marker("one_of_each") is None:
            continue
        test = item.path, item.nodeid.split("[", maxsplit=1)[0]
        if test in known:
            item.add_marker("campaign")
        known.add(test)


@pytest.fixture(scope="session")
def sample_session() -> Path:
    """A real recording of a face and four pieces of music, made by the recorder."""
    return SAMPLES / "sample.h5"


@pytest.fixture(scope="session")
def music_folder() -> Path:
    """Four short pieces, one for each emotion."""
    return SAMPLES / "music"


@pytest.fixture(autouse=True)
def settings_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the settings, recordings and logs of whoever runs it."""
    settings = tmp_path / "settings.toml"
    settings.write_text(f'sessions_folder = "{tmp_path}"\n[report]\nat_end = false\n')
    monkeypatch.setenv("AFFETTI_SETTINGS", str(settings))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def started(**changes: object) -> SessionStarted:
    fields: dict[str, object] = {
        "t_ns": 0,
        "session_id": SESSION_ID,
        "person": "P07",
        "consent": consent_to("video", "room"),
        "software_version": "0.0.0",
        "wall_clock": datetime.now(UTC).isoformat(timespec="microseconds"),
        "camera": "test",
        "microphone": "test",
        "streams": (video_stream(), audio_stream("room", AudioFormat(RATE_HZ, 1))),
    }
    return SessionStarted(**{**fields, **changes})  # type: ignore[arg-type]


def jpeg(shade: int = 0, size: tuple[int, int] = (32, 48)) -> bytes:
    picture = np.full((*size, 3), shade % 256, np.uint8)
    return bytes(cv2.imencode(".jpg", picture)[1])


def small_session(seconds: int = 4, ended: bool = True) -> list[tuple[Event, bytes]]:
    """Ten frames and one block of a rising tone a second, a marker in each."""
    items: list[tuple[Event, bytes]] = [(started(), b"")]
    time = np.arange(RATE_HZ * seconds) / RATE_HZ
    tone = (8000 * np.sin(2 * np.pi * 220 * time * (1 + time / 50))).astype("<i2")
    for second in range(seconds):
        for i in range(10):
            frame = 10 * second + i
            event = FrameCaptured(t_ns=frame * NS // 10, frame=frame, width_px=48, height_px=32)
            items.append((event, jpeg(frame)))
        block = tone[second * RATE_HZ : (second + 1) * RATE_HZ]
        heard = AudioCaptured(
            t_ns=second * NS, stream="room", sample=second * RATE_HZ, count=len(block)
        )
        items.append((heard, block.tobytes()))
        items.append((MarkerAdded(t_ns=second * NS + NS // 2, label=f"marker {second}"), b""))
    if ended:
        items.append((SessionEnded(t_ns=seconds * NS, reason="stopped"), b""))
    return items


@pytest.fixture
def write_log(tmp_path: Path) -> Callable[..., Path]:
    """Write events into parts with the product's own log; return the future sealed path."""

    def write(
        items: list[tuple[Event, bytes]] | None = None,
        name: str = "session.h5",
        close: bool = True,
        settings: LogSettings | None = None,
        session_id: str = SESSION_ID,
    ) -> Path:
        target = tmp_path / name
        log = PartLog(target, session_id, settings or LogSettings(part_mib=8, part_s=5))
        for event, blob in items if items is not None else small_session():
            log.append(event, blob)
        if close:
            log.close()
        return target

    return write


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 60 MiB. Mounting one takes the rights of an administrator."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs to be root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
