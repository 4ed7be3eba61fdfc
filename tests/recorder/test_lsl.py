"""Signals of the Lab Streaming Layer, from an outlet in another process on this machine."""

import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from affetti.analyzer.analysis import analyze
from affetti.analyzer.checks import Importance, inspect
from affetti.analyzer.replay import completed
from affetti.analyzer.tables.session_tables import tables_of
from affetti.core.errors import DeviceError
from affetti.core.events import ClockMeasured, DeviceLost, DeviceRestored
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.sources import source_at

pytest.importorskip("pylsl")
OUTLET = Path(__file__).with_name("outlet.py")


@contextmanager
def outlet(name: str, form: str, rate_hz: float, seconds: float) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(OUTLET), name, form, str(rate_hz), str(seconds)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def recorder(target: Path, name: str, seconds: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "affetti", "record", "--headless", "--signal", f"lsl:{name}"]
    command += ["--duration", str(seconds), "--output", str(target)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def unique(name: str) -> str:
    return f"{name} {secrets.token_hex(4)}"  # others may publish in the same network


def severe(path: Path) -> list[str]:
    found = inspect(path)
    return [each.message for each in found if each.importance is Importance.CRITICAL]


@pytest.mark.campaign
def test_every_sample_of_an_outlet_is_there(tmp_path: Path) -> None:
    target, name = tmp_path / "s.h5", unique("heart")
    with outlet(name, "float32", 250, 3) as process:
        assert recorder(target, name, 9).wait() == 0
        assert process.stdout is not None
        sent = int(process.stdout.readline())
    with Session.open(target) as session:
        session.verify_digest()
        (signal,) = session.signals.values()
        assert signal.channels == ("first", "second")
        assert [channel.unit for channel in signal.stream.channels] == ["microvolts", "none"]
        first = signal.values[:, 0]
        assert sent > 0
        assert np.array_equal(first, np.arange(sent))
        assert np.array_equal(signal.values[:, 1], -first)
        measured = [e for e in session.events if isinstance(e, ClockMeasured)]
        assert measured
        assert abs(measured[0].offset_s) < 0.1  # one clock, both here
    assert severe(target) == []


@pytest.mark.campaign
def test_texts_of_an_irregular_outlet_are_kept(tmp_path: Path) -> None:
    target, name = tmp_path / "s.h5", unique("words")
    with outlet(name, "string", 0, 4):
        assert recorder(target, name, 4).wait() == 0
    with Session.open(target) as session:
        (signal,) = session.signals.values()
        assert signal.stream.rate_hz is None
        assert signal.values[:2].tolist() == [["käse 0", ""], ["käse 1", ""]]


@pytest.mark.campaign
def test_an_outlet_that_is_killed_and_started_again_goes_on(tmp_path: Path) -> None:
    target, name = tmp_path / "s.h5", unique("heart")
    with outlet(name, "float32", 250, 60):
        recording = recorder(target, name, 20)
        while not list(tmp_path.glob("*.part*")):
            time.sleep(0.05)
        time.sleep(4)
    time.sleep(1)
    with outlet(name, "float32", 250, 60):
        assert recording.wait() == 0
    with Session.open(target) as session:
        kinds = [type(e) for e in session.events if isinstance(e, DeviceLost | DeviceRestored)]
        assert kinds == [DeviceLost, DeviceRestored]
        (signal,) = session.signals.values()
        begins = np.flatnonzero(signal.values[:, 0] == 0)
        assert len(begins) == 2  # it counts from 0 again, and comes after the gap
        t_s = signal.t_s
        restored = next(e for e in session.events if isinstance(e, DeviceRestored))
        assert t_s[begins[1]] - t_s[begins[1] - 1] > 0.5
        lost = next(e for e in session.events if isinstance(e, DeviceLost))
        assert lost.t_ns < restored.t_ns
        assert session.info.outages == {signal.stream.name: 1}
    assert severe(target) == []


@pytest.mark.campaign
def test_an_outlet_that_is_not_there_is_said() -> None:
    source = source_at(f"lsl:{unique('nobody')}", Settings())
    with pytest.raises(DeviceError, match="answers"):
        source.open()


@pytest.mark.campaign
def test_a_signal_has_a_table_with_its_channels(tmp_path: Path) -> None:
    target, name = tmp_path / "s.h5", unique("heart")
    with outlet(name, "int32", 50, 2):
        assert recorder(target, name, 4).wait() == 0
    with Session.open(target) as session:
        analysis = analyze(session, completed(session))
        (stream,) = session.signals
    table = next(each for each in tables_of(analysis) if each.name == f"signals_{stream}")
    assert table.columns[-4:] == ("t_s", "stamp_s", "first", "second")
    assert [row[-2:] for row in table.rows] == [[i, -i] for i in range(len(table.rows))]
