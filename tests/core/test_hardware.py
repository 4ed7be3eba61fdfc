"""What macOS and Windows say of their cameras, and what it means; Linux is tried with cameras."""

import json
from pathlib import Path

import pytest

from affetti.core import hardware, system
from affetti.core.devices import Device, is_alone, recognised

MAC = {
    "SPCameraDataType": [
        {"_name": "HD Webcam", "spcamera_unique-id": "0x2100000046d0825"},
        {"_name": "FaceTime", "spcamera_unique-id": "0x1420000005ac8600"},
    ]
}


def test_cameras_of_macos_are_numbered_by_their_unique_names() -> None:
    found = hardware.mac_cameras(json.dumps(MAC))
    assert found == [
        Device(name="FaceTime", bus="0x1420000005ac8600", number="0"),
        Device(name="HD Webcam", bus="0x2100000046d0825", number="1"),
    ]


def test_one_camera_of_windows_is_known_and_several_are_not() -> None:
    one = {"FriendlyName": "HD Webcam", "InstanceId": r"USB\VID_046D&PID_0825\A17"}
    known = Device(name="HD Webcam", bus=r"USB\VID_046D&PID_0825\A17", number="0")
    assert hardware.windows_cameras(json.dumps(one)) == [known]
    assert hardware.windows_cameras("") == []
    assert hardware.windows_cameras(json.dumps([one, one])) is None


@pytest.mark.parametrize("said", ["nonsense", "[]", "{}", '{"SPCameraDataType": [{}]}', "7"])
def test_an_answer_that_is_none_tells_nothing(said: str) -> None:
    assert hardware.mac_cameras(said) is None
    assert not hardware.windows_cameras(said)


@pytest.mark.parametrize("name", ["macos", "windows", ""])
def test_a_system_without_its_program_knows_no_camera(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(system, "NAME", name)
    monkeypatch.setenv("PATH", "")
    assert not hardware.cameras()
    assert hardware.sound_card(0) == ("", "")


def test_the_place_of_a_sound_card_of_linux(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "root", tmp_path)
    monkeypatch.setattr(system, "NAME", "linux")
    usb = tmp_path / "sys" / "devices" / "usb1" / "1-5"
    (usb / "1-5:1.0").mkdir(parents=True)
    (usb / "idVendor").write_text("0d8c")
    (usb / "serial").write_text("X9\n")
    card = tmp_path / "sys" / "class" / "sound" / "card3"
    card.mkdir(parents=True)
    (card / "device").symlink_to(usb / "1-5:1.0")
    assert hardware.sound_card(3) == ("usb1/1-5/1-5:1.0", "X9")
    assert hardware.sound_card(4) == ("", "")


def test_of_two_alike_in_another_place_neither_is_recognised() -> None:
    known = Device(name="HD Webcam", bus="1-1")
    moved, twin = Device(name="HD Webcam", bus="1-2"), Device(name="HD Webcam", bus="1-3")
    assert recognised(known, True, [moved]) == moved
    assert recognised(known, True, [moved, twin]) is None
    assert recognised(known, False, [moved]) is None
    assert recognised(known, False, [moved, known]) == known
    assert is_alone(known, [known])
    assert not is_alone(known, [known, twin])
