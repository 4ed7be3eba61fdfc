"""The picture: a camera, a video file that stands in for one, or the address of a stream."""

import os
import re
import threading
from itertools import chain, repeat
from typing import Any, Final, Protocol

from msgspec.structs import replace

from affetti.core import hardware, system
from affetti.core.clock import NS_PER_S
from affetti.core.devices import Device, is_alone, recognised
from affetti.core.errors import AffettiError, DeviceError
from affetti.core.events import DeviceLost, DeviceRefused, DeviceRestored
from affetti.core.paths import is_address, shown, typed, without_secrets
from affetti.core.settings import Settings, VideoSettings
from affetti.core.streams import (
    CAMERA,
    PLAYBACK,
    ROOM,
    VIDEO,
    Stream,
    stream_name,
    video_stream,
)
from affetti.recorder.sources import Sink, Source, web_camera
from affetti.recorder.sources.devices import camera_named, cameras
from affetti.recorder.sources.film import Film
from affetti.recorder.sources.frames import FrameLog, Picture
from affetti.recorder.sources.opencv import opencv
from affetti.recorder.sources.stalls import Stalls

_SCHEMES: Final = ("http", "https", "rtsp", "rtsps", "rtmp", "tcp", "udp")
_OPEN_TIMEOUT_MS: Final = 5000
_READ_TIMEOUT_MS: Final = 2000
_RETRY_S: Final = 0.01
_DEVICE: Final = re.compile(r"(?:/dev/video)?(\d{1,3})", re.ASCII)
_NAMED: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,23})=(.+)", re.DOTALL)

_LAST_S: Final = 1.0  # that a read is waited for once it is to end
_BACK_OFF_S: Final = (0.2, 0.5, 1.0, 2.0)  # between attempts to open a camera again


class Camera(Source, Protocol):
    """A source of frames."""

    stream: str  # the name of the video stream that it delivers
    description: str  # without what should not be written down: folders, passwords
    size_px: tuple[int, int]  # width and height; known once it is open
    frames_per_s: float  # nominal; known once it is open


def open_camera(name: str, settings: VideoSettings, stream: str = CAMERA) -> Camera:
    """Return the source that `name` means; it is not open yet.

    Parameters
    ----------
    name
        The number of a camera ("0"), its name, its device or a link to that, the address of a
        stream (with "://"), or the path of a film. A number that is both the name of a file here
        and a camera's means the camera; "./0" means the file.
    settings
        Size and rate to ask a camera for, and the quality of the JPEGs.
    stream
        The name of the video stream that it delivers.

    Raises
    ------
    AffettiError
        Several cameras have that name, or it can be no path.
    """
    number = _number(name)
    is_file = os.path.isfile(name)
    if number and (number in cameras() or not is_file):
        return LiveCamera(_Index(int(number), settings), settings, stream)
    if not is_file and (index := camera_named(name)) is not None:
        return LiveCamera(_Index(index, settings), settings, stream)
    if is_address(name) and not is_file:
        return LiveCamera(_Address(name.strip()), settings, stream)
    return Film(typed(name), settings, stream)


def _number(name: str) -> str:
    """Return the number of a camera that is named by it, or by its device; "" where it is not."""
    device = re.escape(str(hardware.root / "dev" / "video"))
    found = _DEVICE.fullmatch(name) or re.fullmatch(rf"{device}(\d{{1,3}})", _followed(name))
    return found[1] if found else ""


def _followed(name: str) -> str:
    """Return what a path leads to, links and all: `/dev/v4l` has some, by serial and by place."""
    try:
        return os.path.realpath(name) if os.path.islink(name) else ""
    except (OSError, ValueError):
        return ""


def further_camera(address: str, number: int, settings: VideoSettings) -> Camera:
    """Return a camera beside the first one, of which nothing is read; it is not open yet.

    Parameters
    ----------
    address
        As `open_camera` takes it, or `NAME=` and that. Its stream has that name, or, where a
        stream of sound has it, `camera-NAME`; without a name it is that of its number.
    number
        Which one it is, from 2.
    settings
        As for the first.
    """
    name, source = named_camera(address)
    if name in (CAMERA, ROOM, PLAYBACK):
        name = f"{CAMERA}-{name}"
    return open_camera(source, settings, name or f"{CAMERA}{number}")


def named_camera(address: str) -> tuple[str, str]:
    """Return the name that a camera is given, "" without one, and what it is."""
    found = _NAMED.fullmatch(address)
    if found is None or os.path.isfile(address):
        return "", address
    return found[1], found[2]


def camera_source(name: str, settings: Settings) -> Camera:
    """Return the source of `camera:NAME`; its stream is named after it, as `camera-NAME`."""
    return open_camera(name, settings.video, stream_name(f"camera-{shown(name)}"))


class _Feed(Protocol):
    """What a live camera reads from, and how it is opened, the first time and again."""

    description: str
    patience_s: float  # how long reads may fail before it counts as lost

    def open(self) -> tuple[Any, Picture]:
        """Return an `cv2.VideoCapture` and its first frame; AffettiError when there is none."""
        ...

    @property
    def device(self) -> Device | None:
        """Which camera it is, once it is open; None where nothing is known of it."""
        ...

    def intruder(self) -> Device | None:
        """Return a camera that is not the one that is gone, and stands in its place."""
        ...


class _Index:
    """A camera connected to this machine: the one that the number meant when it was opened first.

    It is found again under whatever number it has, and no other is taken for it. Where the system
    does not tell cameras apart, it is its number.
    """

    patience_s = 2.0

    def __init__(self, index: int, settings: VideoSettings) -> None:
        self._index = index
        self._settings = settings
        self._alone = True
        self.device: Device | None = None
        self.description = str(index)

    def open(self) -> tuple[Any, Picture]:
        found = hardware.cameras() or []
        if self.device is not None:
            return self._open_again(self.device, found)
        known = _of_number(found, self._index)
        capture, picture = self._opened(self._index, known)
        if known is not None and (known.name or known.bus):
            self._alone = is_alone(known, found)
            self.device = _sized(known, picture)
        return capture, picture

    def intruder(self) -> Device | None:
        found = hardware.cameras() or []
        if self.device is None or recognised(self.device, self._alone, found) is not None:
            return None
        number = self.device.number
        return next((each for each in found if each.number == number), None)

    def _open_again(self, known: Device, found: list[Device]) -> tuple[Any, Picture]:
        match = recognised(known, self._alone, found)
        if match is None:
            raise self._missing()
        capture, picture = self._opened(int(match.number), match)
        self.device = _sized(match, picture)
        return capture, picture

    def _opened(self, index: int, meant: Device | None) -> tuple[Any, Picture]:
        """Open the camera of a number, unless that became another's meanwhile."""
        cv2 = opencv()
        capture = cv2.VideoCapture(index, cv2.CAP_V4L2 if system.NAME == "linux" else cv2.CAP_ANY)
        if self._settings.width_px > 640:
            # Uncompressed, larger pictures do not fit through USB at full rate.
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._settings.width_px)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._settings.height_px)
        capture.set(cv2.CAP_PROP_FPS, self._settings.frames_per_s)
        found, picture = capture.read()
        if found and self._is_still(meant, index):
            return capture, picture
        capture.release()
        raise self._missing()

    def _is_still(self, meant: Device | None, index: int) -> bool:
        # Elsewhere to look takes a second, and what was there is known at best for one camera.
        return system.NAME != "linux" or _of_number(hardware.cameras() or [], index) == meant

    def _missing(self) -> AffettiError:
        indexes = ", ".join(cameras())
        id = "camera.cannot_be_opened" if indexes else "camera.none_connected"
        return DeviceError(id, index=self._index, indexes=indexes)


def _of_number(found: list[Device], index: int) -> Device | None:
    return next((each for each in found if each.number == str(index)), None)


def _sized(device: Device, picture: Picture) -> Device:
    return replace(device, width_px=picture.shape[1], height_px=picture.shape[0])


class _Address:
    """A camera in the network."""

    patience_s = 0.0  # the time limits of whatever reads have run out by then
    device = None

    def __init__(self, url: str) -> None:
        self._url = url
        self._scheme = url.partition("://")[0].lower()
        self.description = without_secrets(url)

    def open(self) -> tuple[Any, Picture]:
        if self._scheme not in _SCHEMES:
            raise DeviceError(
                "camera.cameras_address_no_kind",
                description=self.description,
                schemes=", ".join(_SCHEMES),
            )
        capture = self._pictures() or self._stream()
        _, picture = capture.read()
        if picture is not None:
            return capture, picture
        capture.release()
        raise DeviceError("camera.camera_at_delivers_no", description=self.description)

    def _pictures(self) -> web_camera.WebCamera | None:
        if self._scheme not in web_camera.SCHEMES:
            return None
        try:
            return web_camera.WebCamera.at(self._url, _OPEN_TIMEOUT_MS / 1000)
        except web_camera.FilmAtAddressError as error:
            raise DeviceError("camera.film_at_address", description=self.description) from error

    def _stream(self) -> Any:
        cv2 = opencv()
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS]
        limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT_MS]
        return cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, limits)

    def intruder(self) -> None:
        return None


class LiveCamera:
    """A camera that delivers in its own time, opened again by itself after it was lost.

    Frames carry the time of their arrival.

    Parameters
    ----------
    feed
        What to read.
    settings
        The quality of the JPEGs, and the nominal rate.
    stream
        The name of the video stream that it delivers.
    """

    finite = False
    scope = VIDEO

    def __init__(self, feed: _Feed, settings: VideoSettings, stream: str = CAMERA) -> None:
        self.stream = stream
        self._feed = feed
        self._jpeg_quality = settings.jpeg_quality
        self._capture: Any = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.ended = threading.Event()
        self.description = feed.description
        self.size_px = (settings.width_px, settings.height_px)
        self.frames_per_s = float(settings.frames_per_s)

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What it sees, as JPEGs."""
        declared = video_stream(
            self.stream,
            rate_hz=self.frames_per_s,
            source=self.description,
            device=self._feed.device,
        )
        return (declared,)

    def open(self) -> None:
        """Open the camera, and wait for its first frame; AffettiError when there is none."""
        self._capture, picture = self._feed.open()
        self.size_px = (picture.shape[1], picture.shape[0])

    def start(self, sink: Sink) -> None:
        """Begin to capture."""
        self._thread = threading.Thread(target=self._run, args=(sink,), name="camera", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, which closes the camera.

        One that waits for a camera that does not answer is not waited for: it ends when its read
        runs out of time.
        """
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_LAST_S)
        else:
            self._close()

    def _close(self) -> None:
        if self._capture is not None:
            self._capture.release()

    def _run(self, sink: Sink) -> None:
        log = FrameLog(sink, self._jpeg_quality, stream=self.stream)
        stalls = Stalls(sink, self.stream, self.frames_per_s)
        try:
            self._capture_all(sink, log, stalls)
        finally:
            stalls.close()
            self._close()
        log.tell_losses()

    def _capture_all(self, sink: Sink, log: FrameLog, stalls: Stalls) -> None:
        seen_ns = sink.clock.now_ns()
        while not self._stopping.is_set():
            arrived = self._capture.grab()
            if self._stopping.is_set():
                break  # whoever stopped it may not wait any more
            now_ns = sink.clock.now_ns()
            of_now = arrived and stalls.is_of_now(now_ns)
            picture = self._capture.retrieve()[1] if of_now else None
            if picture is not None:
                log.keep(picture, now_ns)
                seen_ns = now_ns
            elif arrived:
                seen_ns = now_ns
                if of_now:
                    log.lose()  # it came, and cannot be decoded
            elif now_ns - seen_ns >= self._feed.patience_s * NS_PER_S:
                picture = self._reopen(sink, seen_ns)
                stalls.forget()
                seen_ns = sink.clock.now_ns()
                if picture is not None:
                    log.keep(picture, seen_ns)
            else:
                self._stopping.wait(_RETRY_S)

    def _reopen(self, sink: Sink, seen_ns: int) -> Picture | None:
        """Record that the camera is gone, and try until it is back or the source is stopped.

        Return its first picture then.
        """
        lost_ns = sink.clock.now_ns()
        lost = DeviceLost(
            t_ns=lost_ns,
            device=self.stream,
            stream=self.stream,
            cause="silent",
            name=self.description,
        )
        sink.put(lost)
        self._capture.release()
        before, refused = self._feed.device, set[Device]()
        for pause_s in chain(_BACK_OFF_S, repeat(_BACK_OFF_S[-1])):
            if self._stopping.wait(pause_s):
                return None
            try:
                self._capture, picture = self._feed.open()
                break
            except AffettiError:
                self._tell_intruder(sink, refused)
        now_ns, device = sink.clock.now_ns(), self._feed.device
        restored = DeviceRestored(
            t_ns=now_ns,
            device=self.stream,
            stream=self.stream,
            gap_ns=now_ns - seen_ns,
            found=device if device != before else None,
        )
        sink.put(restored)
        return picture

    def _tell_intruder(self, sink: Sink, told: set[Device]) -> None:
        """Record, once of each, that another camera is where the one that is gone had been."""
        other = self._feed.intruder()
        if other is None or other in told:
            return
        told.add(other)
        refused = DeviceRefused(
            t_ns=sink.clock.now_ns(),
            device=self.stream,
            stream=self.stream,
            cause="another",
            name=other.name,
            found=other,
        )
        sink.put(refused)
