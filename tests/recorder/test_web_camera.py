"""Addresses of the web: a row of pictures, a single one, a film, and what is none of them."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest

from affetti.core.clock import NS_PER_S
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import DeviceLost, FrameCaptured, FramesDropped
from affetti.core.settings import VideoSettings
from affetti.recorder.sources.camera import open_camera
from tests.recorder.films import moving_film
from tests.recorder.mjpeg_server import Answer, WebServer
from tests.recorder.recording_sink import RecordingSink, wait_for

ROW = "multipart/x-mixed-replace; boundary=next"


def jpeg(shade: int) -> bytes:
    return cv2.imencode(".jpg", np.full((120, 160, 3), shade, np.uint8))[1].tobytes()


def part(picture: bytes, length: bool = True) -> bytes:
    said = b"Content-Length: %d\r\n" % len(picture) if length else b""
    return b"--next\r\nContent-Type: image/jpeg\r\n" + said + b"\r\n" + picture + b"\r\n"


def recorded(server: WebServer, path: str, count: int) -> RecordingSink:
    """Return what comes of an address until it has delivered so many pictures."""
    camera, sink = open_camera(server.address + path, VideoSettings()), RecordingSink()
    camera.open()
    camera.start(sink)
    wait_for(lambda: len(sink.of(FrameCaptured)) >= count)
    camera.stop()
    return sink


def shades(sink: RecordingSink) -> list[int]:
    pictures = [np.frombuffer(blob, np.uint8) for event, blob in sink.items
                if isinstance(event, FrameCaptured)]  # fmt: skip
    return [round(float(cv2.imdecode(each, cv2.IMREAD_COLOR).mean())) for each in pictures]


@pytest.mark.parametrize("length", [True, False])
def test_a_camera_with_a_picture_now_and_then_is_recorded_when_they_come(length: bool) -> None:
    row = tuple(part(jpeg(40 * number), length) for number in range(6))
    with WebServer({"/row": Answer(ROW, row, period_s=1.2)}) as server:
        sink = recorded(server, "/row", 3)
    assert shades(sink)[:3] == pytest.approx([40, 80, 120], abs=2)
    times_ns = [event.t_ns for event in sink.of(FrameCaptured)]
    assert np.diff(times_ns[:3]).min() > NS_PER_S
    assert not sink.of(DeviceLost)


def test_a_picture_of_a_row_that_cannot_be_decoded_is_counted_and_the_next_is_kept() -> None:
    row = [part(jpeg(40 * number)) for number in range(6)]
    row[2] = part(b"\xff\xd8 no picture at all")
    with WebServer({"/row": Answer(ROW, tuple(row), period_s=0.3)}) as server:
        sink = recorded(server, "/row", 3)
    assert shades(sink)[:3] == pytest.approx([40, 120, 160], abs=2)
    assert [event.count for event in sink.of(FramesDropped)] == [1]
    assert not sink.of(DeviceLost)


def test_the_first_picture_of_each_opening_is_kept() -> None:
    row = tuple(part(jpeg(shade)) for shade in (50, 100))  # and then it ends
    with WebServer({"/row": Answer(ROW, row, period_s=0.1)}) as server:
        sink = recorded(server, "/row", 3)
    assert shades(sink)[:3] == pytest.approx([100, 50, 100], abs=2)


def test_a_single_picture_is_asked_for_again_and_again() -> None:
    with WebServer({"/still.jpg": Answer("image/jpeg", (jpeg(90),))}) as server:
        sink = recorded(server, "/still.jpg", 4)
        assert len(server.asked) >= 4
    assert shades(sink)[:4] == pytest.approx([90] * 4, abs=2)
    assert not sink.of(DeviceLost)


def test_user_and_password_go_to_the_camera_alone() -> None:
    answer = Answer("image/jpeg", (jpeg(90),), password=True)
    with WebServer({"/still.jpg": answer}) as server:
        address = server.address.replace("http://", "http://anna:s3%40cret@")
        camera = open_camera(f"{address}/still.jpg", VideoSettings())
        camera.open()
        camera.stop()
        said = {authorization for _, authorization in server.asked if authorization}
    assert said == {"Basic " + base64.b64encode(b"anna:s3@cret").decode()}
    assert "cret" not in camera.description


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("video/x-msvideo", None),
        ("application/octet-stream", None),
        ("application/vnd.apple.mpegurl", b"#EXTM3U\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n"),
        ("application/x-mpegURL", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nover.m3u8\n"),
        ("application/dash+xml", b'<?xml version="1.0"?><MPD type="static"></MPD>'),
    ],
)
def test_a_film_at_an_address_is_no_camera(tmp_path: Path, kind: str, body: bytes | None) -> None:
    film = moving_film(tmp_path / "film.avi", seconds=0.5, per_s=10).read_bytes()
    over = Answer("application/x-mpegURL", (b"#EXTM3U\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n",))
    answers = {"/film": Answer(kind, (body or film,)), "/over.m3u8": over}
    with WebServer(answers) as server, pytest.raises(AffettiError) as caught:
        open_camera(f"{server.address}/film", VideoSettings()).open()
    assert caught.value.code == ExitCode.DEVICE
    assert "there is a film" in caught.value.message


@pytest.mark.parametrize("body", [b"", b"<svg/>", b"\xff\xd8\xff"])
def test_a_picture_that_is_none_is_refused(body: bytes) -> None:
    with WebServer({"/still": Answer("image/jpeg", (body,))}) as server:
        with pytest.raises(AffettiError) as caught:
            open_camera(f"{server.address}/still", VideoSettings()).open()
        assert "delivers no picture" in caught.value.message
