"""What stood still is told, and no picture that waited carries a time that is not its own."""

import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from affetti.analyzer.checks import inspect
from affetti.core.clock import NS_PER_S
from affetti.core.events import CaptureStalled, FrameCaptured
from affetti.core.recording.names import part_path
from affetti.core.recording.records import holds_records
from affetti.core.recording.session import Session
from affetti.core.settings import VideoSettings
from affetti.recorder.sources.camera import open_camera
from tests.recorder.mjpeg_server import MjpegServer
from tests.recorder.recording_sink import RecordingSink, wait_for


@pytest.mark.campaign
def test_a_recorder_that_was_stopped_says_so_and_dates_nothing_that_waited(tmp_path: Path) -> None:
    target = tmp_path / "stopped.h5"
    command = [sys.executable, "-m", "affetti", "record", "--headless", "--output", str(target)]
    with MjpegServer() as server:
        process = subprocess.Popen([*command, "--camera", server.address], stderr=-1, text=True)
        wait_for(lambda: part_path(target, 1).exists() and holds_records(part_path(target, 1)))
        time.sleep(1.5)
        process.send_signal(signal.SIGSTOP)
        time.sleep(3.0)
        process.send_signal(signal.SIGCONT)
        time.sleep(2.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    with Session.open(target) as session:
        (stalled,) = [e for e in session.events if isinstance(e, CaptureStalled)]
        assert stalled.gap_ns >= 3 * NS_PER_S
        assert stalled.cause in ("stopped", "slow")  # a busy machine cannot tell them apart
        frames = [e.t_ns for e in session.events if isinstance(e, FrameCaptured)]
        hole = max(after - before for before, after in pairwise(frames))
        assert hole >= 3 * NS_PER_S
    assert "Camera stood still for " in " ".join(each.message for each in inspect(target))


def test_a_camera_that_is_slow_is_told_and_its_next_picture_kept() -> None:
    sink = RecordingSink()
    with MjpegServer() as server:
        camera = open_camera(server.address, VideoSettings())
        camera.open()
        camera.start(sink)
        wait_for(lambda: len(sink.of(FrameCaptured)) > 5)
        server.stall()
        time.sleep(1.4)
        server.flow()
        wait_for(lambda: bool(sink.of(CaptureStalled)))
        camera.stop()
    (stalled,) = sink.of(CaptureStalled)
    assert stalled.cause == "slow"
    assert stalled.t_ns in [frame.t_ns for frame in sink.of(FrameCaptured)]
