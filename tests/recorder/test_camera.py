"""Cameras without a camera: a video file in real time, and a network camera that dies."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from affetti.core.clock import NS_PER_S
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import DeviceLost, DeviceRestored, FrameCaptured, FramesDropped
from affetti.core.settings import VideoSettings
from affetti.recorder.sources.camera import Camera, FrameLog, open_camera
from tests.recorder.films import moving_film, tone
from tests.recorder.mjpeg_server import MjpegServer
from tests.recorder.recording_sink import RecordingSink, wait_for

pytestmark = pytest.mark.one_of_each

SETTINGS = VideoSettings()


def started(name: str) -> tuple[Camera, RecordingSink]:
    camera, sink = open_camera(name, SETTINGS), RecordingSink()
    camera.open()
    camera.start(sink)
    return camera, sink


def seen_to_the_end(path: Path) -> tuple[Camera, RecordingSink]:
    camera, sink = started(str(path))
    assert camera.ended.wait(60)
    camera.stop()
    return camera, sink


def frames_of(path: Path) -> list[np.ndarray]:
    capture, frames = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames


def test_every_frame_of_a_file_is_delivered_in_its_own_size(tmp_path):
    path = moving_film(tmp_path / "film.avi", seconds=1.0, per_s=30)
    camera, sink = seen_to_the_end(path)
    events = sink.of(FrameCaptured)
    assert [e.frame for e in events] == list(range(30))
    assert {(e.width_px, e.height_px) for e in events} == {(160, 120)}
    assert camera.size_px == (160, 120)
    assert camera.frames_per_s == pytest.approx(30)
    assert camera.description == "film.avi"
    assert not sink.of(FramesDropped)
    for (_, jpeg), frame in zip(sink.items, frames_of(path), strict=True):
        stored = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert np.abs(stored.astype(int) - frame).mean() < 3


def test_a_file_is_paced_by_its_own_time_stamps(tmp_path):
    _, sink = seen_to_the_end(moving_film(tmp_path / "film.avi", seconds=1.0, per_s=25))
    times = np.array([e.t_ns for e in sink.events])
    assert np.abs(np.diff(times) - NS_PER_S / 25).max() <= 1000
    # How late a frame comes says something of the machine; that none comes early, of the film.
    assert (np.array(sink.arrived_ns) - times).min() >= 0


def test_a_machine_that_stalls_catches_up_and_drops_nothing(tmp_path):
    camera, sink = started(str(moving_film(tmp_path / "film.avi", seconds=1.2, per_s=25)))
    wait_for(lambda: len(sink.of(FrameCaptured)) >= 5)
    sink.full = True
    time.sleep(0.5)
    sink.full = False
    assert camera.ended.wait(60)
    camera.stop()
    events = sink.of(FrameCaptured)
    assert [e.frame for e in events] == list(range(30))
    assert events[-1].t_ns - events[0].t_ns == pytest.approx(29 * NS_PER_S / 25, abs=1000)
    assert not sink.of(FramesDropped)


def test_a_file_can_be_stopped_in_the_middle(tmp_path):
    camera, sink = started(str(moving_film(tmp_path / "film.avi", seconds=20)))
    wait_for(lambda: len(sink.of(FrameCaptured)) > 3)
    camera.stop()
    camera.stop()
    assert len(sink.of(FrameCaptured)) < 500


def test_frames_that_find_no_room_are_counted_and_leave_no_hole_in_the_numbers():
    sink = RecordingSink()
    log = FrameLog(sink, jpeg_quality=90)
    picture = np.zeros((120, 160, 3), np.uint8)
    for i in range(6):
        sink.full = i in (2, 3)
        log.keep(picture, i)
    assert [(e.frame, e.t_ns) for e in sink.of(FrameCaptured)] == [(0, 0), (1, 1), (2, 4), (3, 5)]
    assert [e.count for e in sink.of(FramesDropped)] == [2]


def test_a_network_camera_that_dies_is_opened_again():
    with MjpegServer() as server:
        camera, sink = started(server.address)
        wait_for(lambda: len(sink.of(FrameCaptured)) > 10)
        server.die()
        wait_for(lambda: sink.of(DeviceLost))
        before = len(sink.of(FrameCaptured))
        time.sleep(0.5)
        server.live()
        wait_for(lambda: len(sink.of(FrameCaptured)) > before + 10)
        camera.stop()
    kinds = [type(e) for e in sink.events if not isinstance(e, FrameCaptured)]
    assert kinds == [DeviceLost, DeviceRestored]
    frames = sink.of(FrameCaptured)
    assert [e.frame for e in frames] == list(range(len(frames)))
    hole_ns = frames[before].t_ns - frames[before - 1].t_ns
    gap_ns = sink.of(DeviceRestored)[0].gap_ns
    assert 0.4 * NS_PER_S < gap_ns <= hole_ns
    assert sink.of(DeviceLost)[0].device == "camera"
    assert not camera.ended.is_set()


@pytest.mark.campaign
def test_a_network_camera_that_falls_silent_is_noticed_and_opened_again():
    with MjpegServer() as server:
        camera, sink = started(server.address)
        wait_for(lambda: len(sink.of(FrameCaptured)) > 10)
        server.stall()
        stalled_ns = sink.clock.now_ns()
        wait_for(lambda: sink.of(DeviceLost))
        assert sink.of(DeviceLost)[0].t_ns > stalled_ns
        before = len(sink.of(FrameCaptured))
        server.flow()
        wait_for(lambda: len(sink.of(FrameCaptured)) > before + 10)
        camera.stop()
    assert sink.of(DeviceRestored)


def test_a_camera_that_stays_away_can_be_stopped():
    with MjpegServer() as server:
        camera, sink = started(server.address)
        wait_for(lambda: sink.of(FrameCaptured))
    wait_for(lambda: sink.of(DeviceLost))
    camera.stop()
    assert not [t for t in threading.enumerate() if t.name == "camera"]
    assert not sink.of(DeviceRestored)


def test_passwords_of_an_address_are_never_told():
    url = "http://anna:secret@127.0.0.1:9/video?password=secret"
    camera = open_camera(url, SETTINGS)
    assert camera.description == "http://127.0.0.1:9/video"
    with pytest.raises(AffettiError) as caught:
        camera.open()
    assert caught.value.code == ExitCode.DEVICE
    assert "secret" not in caught.value.message + caught.value.hint
    assert "127.0.0.1:9" in caught.value.message


def test_a_camera_that_does_not_exist_is_named():
    with pytest.raises(AffettiError, match=r"Camera 99 cannot be opened\.") as caught:
        open_camera("99", SETTINGS).open()
    assert caught.value.code == ExitCode.DEVICE
    assert "connected" in caught.value.hint


def test_a_missing_video_is_named(tmp_path):
    with pytest.raises(AffettiError, match=r"gone\.mp4") as caught:
        open_camera(str(tmp_path / "gone.mp4"), SETTINGS).open()
    assert caught.value.code == ExitCode.FILE_MISSING


def test_a_file_without_a_picture_is_no_video(tmp_path):
    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear Clara")
    for path in (letter, tone(tmp_path / "sound.wav", 0.1)):
        with pytest.raises(AffettiError, match=path.name) as caught:
            open_camera(str(path), SETTINGS).open()
        assert caught.value.code == ExitCode.MEDIA


def test_opencv_and_ffmpeg_keep_quiet_when_something_cannot_be_opened(tmp_path):
    (tmp_path / "letter.mp4").write_text("Dear Clara")
    program = """
import sys
from affetti.core.errors import AffettiError
from affetti.core.settings import VideoSettings
from affetti.recorder.sources.camera import open_camera
for name in ("99", "http://127.0.0.1:9/", sys.argv[1]):
    try:
        open_camera(name, VideoSettings()).open()
    except AffettiError as error:
        print(error.code.name)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "letter.mp4")]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["DEVICE", "DEVICE", "MEDIA"]
    assert said.stderr == ""
