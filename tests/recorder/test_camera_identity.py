"""A camera is more than its number: it is found again, and no other is taken for it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from affetti.core import hardware
from affetti.core.devices import Device
from affetti.core.errors import DeviceError
from affetti.core.events import DeviceLost, DeviceRefused, DeviceRestored, FrameCaptured
from affetti.core.settings import VideoSettings
from affetti.recorder.sources import camera as camera_module
from affetti.recorder.sources import devices
from affetti.recorder.sources.camera import Camera, open_camera
from tests.recorder.camera_stand_ins import Cameras, cameras  # noqa: F401  a fixture
from tests.recorder.recording_sink import RecordingSink, wait_for

FAST = VideoSettings(jpeg_quality=90)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module._Index, "patience_s", 0.1)
    monkeypatch.setattr(camera_module, "_BACK_OFF_S", (0.05,))


def started(name: str) -> tuple[Camera, RecordingSink]:
    camera, sink = open_camera(name, FAST), RecordingSink()
    camera.open()
    camera.start(sink)
    wait_for(lambda: sink.of(FrameCaptured))
    return camera, sink


def greys(sink: RecordingSink) -> set[int]:
    """Return the colours that were recorded, which tell the cameras apart."""
    pictures = [
        cv2.imdecode(np.frombuffer(blob, np.uint8), cv2.IMREAD_COLOR)
        for event, blob in sink.items
        if isinstance(event, FrameCaptured)
    ]
    return {round(float(picture.mean()), -1) for picture in pictures}  # type: ignore[misc]


def test_what_camera_it_is_is_declared(cameras: Cameras) -> None:  # noqa: F811
    cameras.plug_in(0, "HD Webcam", port="1-4", serial="A17")
    camera, _ = started("0")
    camera.stop()
    (stream,) = camera.streams
    assert stream.device == Device(
        name="HD Webcam",
        bus="pci0000:00/usb1/1-4/1-4:1.0",
        serial="A17",
        number="0",
        width_px=160,
        height_px=120,
    )


def test_a_camera_that_comes_back_under_another_number_is_the_same(
    cameras: Cameras,  # noqa: F811
) -> None:
    cameras.plug_in(0, "HD Webcam", serial="A17", grey=50)
    camera, sink = started("0")
    cameras.pull_out(0)
    wait_for(lambda: sink.of(DeviceLost))
    cameras.plug_in(0, "Door", port="1-2", grey=200)
    wait_for(lambda: sink.of(DeviceRefused))
    cameras.plug_in(4, "HD Webcam", port="1-3", serial="A17", grey=50)
    wait_for(lambda: sink.of(DeviceRestored))
    before = len(sink.of(FrameCaptured))
    wait_for(lambda: len(sink.of(FrameCaptured)) > before + 3)
    camera.stop()
    assert greys(sink) == {50}
    (refused,) = sink.of(DeviceRefused)  # told once
    assert (refused.name, refused.cause, refused.device) == ("Door", "another", "camera")
    (restored,) = sink.of(DeviceRestored)
    assert restored.found is not None
    assert (restored.found.number, restored.found.bus[-7:]) == ("4", "1-3:1.0")


def test_one_that_comes_back_as_it_was_is_not_said_to_have_changed(
    cameras: Cameras,  # noqa: F811
) -> None:
    cameras.plug_in(2, "HD Webcam", grey=90)
    camera, sink = started("2")
    cameras.pull_out(2)
    wait_for(lambda: sink.of(DeviceLost))
    cameras.plug_in(2, "HD Webcam", grey=90)
    wait_for(lambda: sink.of(DeviceRestored))
    camera.stop()
    assert sink.of(DeviceRestored)[0].found is None
    assert not sink.of(DeviceRefused)


def test_of_two_cameras_alike_the_other_is_never_taken_for_the_one(
    cameras: Cameras,  # noqa: F811
) -> None:
    cameras.plug_in(0, "HD Webcam", port="1-1", serial="SN0001", grey=50)
    cameras.plug_in(2, "HD Webcam", port="1-2", serial="SN0001", grey=200)
    camera, sink = started("0")
    cameras.pull_out(0)
    wait_for(lambda: sink.of(DeviceLost))
    cameras.pull_out(2)
    cameras.plug_in(0, "HD Webcam", port="1-2", serial="SN0001", grey=200)
    wait_for(lambda: sink.of(DeviceRefused))
    camera.stop()
    assert greys(sink) == {50}
    assert not sink.of(DeviceRestored)


def test_a_camera_is_chosen_by_its_name(cameras: Cameras) -> None:  # noqa: F811
    cameras.plug_in(0, "Door", grey=200)
    cameras.plug_in(2, "HD Webcam: HD", port="1-2", grey=50)
    camera, sink = started("hd webcam: hd")
    camera.stop()
    assert greys(sink) == {50}


def test_a_camera_is_chosen_by_a_link_to_its_device(
    cameras: Cameras,  # noqa: F811
    tmp_path: Path,
) -> None:
    cameras.plug_in(0, "Door", grey=200)
    cameras.plug_in(2, "HD Webcam", port="1-2", grey=50)
    by_serial = tmp_path / "usb-HD_Webcam_A17-video-index0"
    by_serial.symlink_to(cameras.root / "dev" / "video2")
    camera, sink = started(str(by_serial))
    camera.stop()
    assert greys(sink) == {50}


def test_of_two_cameras_of_one_name_neither_is_guessed(cameras: Cameras) -> None:  # noqa: F811
    cameras.plug_in(0, "HD Webcam")
    cameras.plug_in(2, "HD Webcam", port="1-2")
    with pytest.raises(DeviceError, match="0, 2"):
        open_camera("hd webcam", FAST)


def test_a_number_that_becomes_anothers_while_it_is_opened_is_not_recorded(
    cameras: Cameras,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cameras.plug_in(0, "HD Webcam", serial="A17", grey=50)
    looked, swaps = hardware.cameras, iter([True])

    def swapped_after_the_look() -> list[Device] | None:
        found = looked()
        if next(swaps, False):
            cameras.pull_out(0)
            cameras.plug_in(0, "Door", port="1-2", grey=200)
        return found

    camera = open_camera("0", FAST)
    monkeypatch.setattr(hardware, "cameras", swapped_after_the_look)
    with pytest.raises(DeviceError):
        camera.open()


def test_a_camera_without_a_name_is_known_by_its_place(cameras: Cameras) -> None:  # noqa: F811
    cameras.plug_in(0, "", grey=50)
    camera, sink = started("0")
    cameras.pull_out(0)
    wait_for(lambda: sink.of(DeviceLost))
    cameras.plug_in(0, "Door", port="1-2", grey=200)
    wait_for(lambda: sink.of(DeviceRefused))
    camera.stop()
    assert greys(sink) == {50}


def test_a_camera_that_comes_back_with_other_pictures_goes_on_and_says_so(
    cameras: Cameras,  # noqa: F811
) -> None:
    cameras.plug_in(0, "HD Webcam", serial="A17", grey=50)
    camera, sink = started("0")
    cameras.pull_out(0)
    wait_for(lambda: sink.of(DeviceLost))
    cameras.plug_in(0, "HD Webcam", serial="A17", grey=50, height_px=60)
    wait_for(lambda: sink.of(DeviceRestored))
    wait_for(lambda: sink.of(FrameCaptured)[-1].height_px == 60)
    camera.stop()
    (restored,) = sink.of(DeviceRestored)
    assert restored.found is not None
    assert restored.found.form[:2] == (160, 60)


def test_a_camera_that_is_plugged_in_later_is_found_when_it_is_looked_for(
    cameras: Cameras,  # noqa: F811
) -> None:
    assert devices.cameras() == ()
    cameras.plug_in(3, "HD Webcam", grey=50)
    assert [each.name for each in devices.known_cameras()] == ["HD Webcam"]
    camera, sink = started("3")
    camera.stop()
    assert greys(sink) == {50}
