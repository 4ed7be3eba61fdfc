"""The picture: a camera, a video file that stands in for one, or the address of a stream."""

import platform
import re
import threading
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from core.clock import NS_PER_S
from core.errors import AffettiError, ExitCode
from core.events import DeviceLost, DeviceRestored, FrameCaptured, FramesDropped
from core.settings import VideoSettings
from recorder.sources import Sink, Source
from recorder.sources.devices import cameras
from recorder.sources.opencv import opencv
from recorder.sources.pace import FILE_PATIENCE_S, put_patiently, wait_until

_SCHEMES: Final = ("http", "https", "rtsp", "rtsps", "rtmp", "tcp", "udp")
_OPEN_TIMEOUT_MS: Final = 5000
_READ_TIMEOUT_MS: Final = 2000
_RETRY_S: Final = 0.01
_LONGEST_FRAME_S: Final = 60  # a jump of more than this is a broken time stamp
_BACK_OFF_S: Final = (0.2, 0.5, 1.0, 2.0)  # between attempts to open a camera again

Picture = NDArray[np.uint8]


class Camera(Source, Protocol):
    """A source of frames."""

    description: str  # without what should not be written down: folders, passwords
    size_px: tuple[int, int]  # width and height; known once it is open
    frames_per_s: float  # nominal; known once it is open


def open_camera(name: str, settings: VideoSettings) -> Camera:
    """Return the source that `name` means; it is not open yet.

    Parameters
    ----------
    name
        The index of a camera ("0"), the address of a stream (with "://"), or the path of a
        video file.
    settings
        Size and rate to ask a camera for, and the quality of the JPEGs.
    """
    device = re.fullmatch(r"(?:/dev/video)?(\d{1,3})", name)
    if device:
        return LiveCamera(_Index(int(device[1]), settings), settings)
    if "://" in name:
        return LiveCamera(_Address(name), settings)
    return VideoFile(Path(name), settings)


class FrameLog:
    """Puts frames into a sink as JPEGs, numbered without gaps, and tells how many were lost.

    Parameters
    ----------
    sink
        Where the events go.
    jpeg_quality
        From 0 to 100.
    patience_s
        How long to wait for room before a frame counts as dropped.
    """

    def __init__(self, sink: Sink, jpeg_quality: int, patience_s: float = 0.0) -> None:
        self._sink = sink
        self._parameters = [opencv().IMWRITE_JPEG_QUALITY, jpeg_quality]
        self._patience_s = patience_s
        self._frame = 0
        self._dropped = 0

    def keep(self, picture: Picture, t_ns: int) -> None:
        """Put a frame of shape (height, width, 3), BGR."""
        _, jpeg = opencv().imencode(".jpg", picture, self._parameters)
        height_px, width_px = picture.shape[:2]
        event = FrameCaptured(t_ns=t_ns, frame=self._frame, width_px=width_px, height_px=height_px)
        if put_patiently(self._sink, event, jpeg.tobytes(), self._patience_s):
            self._frame += 1
            self.tell_losses()
        else:
            self._dropped += 1

    def tell_losses(self) -> None:
        """Record how many frames were lost and have not been told yet."""
        if self._dropped:
            self._sink.put(FramesDropped(t_ns=self._sink.clock.now_ns(), count=self._dropped))
            self._dropped = 0


class VideoFile:
    """A video file seen in real time, every frame of it at the file's own size.

    A frame is due at its own time stamp in the file. A machine that stalls catches up.

    Parameters
    ----------
    path
        The file.
    settings
        Of which the quality of the JPEGs counts.
    """

    finite = True

    def __init__(self, path: Path, settings: VideoSettings) -> None:
        self._path = path
        self._settings = settings
        self._capture: Any = None
        self._first: Picture | None = None
        self._first_ms = 0.0  # its time stamp in the file
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.ended = threading.Event()
        self.description = path.name
        self.size_px = (0, 0)
        self.frames_per_s = float(settings.frames_per_s)

    def open(self) -> None:
        """Open the file and decode its first frame.

        Raises
        ------
        AffettiError
            It is missing, or is not a video.
        """
        try:
            self._path.open("rb").close()
        except OSError as error:
            raise AffettiError(
                f"The video {self._path} cannot be read: {error.strerror}.",
                "Check the path, or name a camera by its index, such as 0.",
                ExitCode.FILE_MISSING,
            ) from error
        cv2 = opencv()
        self._capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        found, picture = self._capture.read()
        if not found:
            self._capture.release()
            raise AffettiError(
                f"{self._path.name} is not a video that can be decoded.",
                "MP4, AVI, MKV and WebM can be; convert the file to one of them.",
                ExitCode.MEDIA,
            )
        self._first = picture
        self._first_ms = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        self.size_px = (picture.shape[1], picture.shape[0])
        self.frames_per_s = self._capture.get(cv2.CAP_PROP_FPS) or self.frames_per_s

    def start(self, sink: Sink) -> None:
        """Begin to show the file."""
        self._thread = threading.Thread(
            target=self._run, args=(sink,), name="video file", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the file."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._capture is not None:
            self._capture.release()

    def _run(self, sink: Sink) -> None:
        log = FrameLog(sink, self._settings.jpeg_quality, FILE_PATIENCE_S)
        start_ns = sink.clock.now_ns()
        picture, due_ns = self._first, 0
        while picture is not None:
            if not wait_until(start_ns + due_ns, sink, self._stopping):
                break
            log.keep(picture, start_ns + due_ns)
            picture, due_ns = self._next(due_ns)
        else:
            wait_until(start_ns + due_ns, sink, self._stopping)  # the last frame has its time too
        log.tell_losses()
        self.ended.set()

    def _next(self, due_ns: int) -> tuple[Picture | None, int]:
        """Return the next frame and when it is due, or None and when the last one is over."""
        found, picture = self._capture.read()
        nominal_ns = due_ns + round(NS_PER_S / self.frames_per_s)
        if not found:
            return None, nominal_ns
        stamp_ms = self._capture.get(opencv().CAP_PROP_POS_MSEC)
        stamp_ns = round((stamp_ms - self._first_ms) * 1e6)
        plausible = due_ns < stamp_ns < due_ns + _LONGEST_FRAME_S * NS_PER_S
        return picture, stamp_ns if plausible else nominal_ns


class _Feed(Protocol):
    """What a live camera reads from, and how it is opened, the first time and again."""

    description: str
    patience_s: float  # how long reads may fail before it counts as lost

    def open(self) -> tuple[Any, Picture]:
        """Return an `cv2.VideoCapture` and its first frame; AffettiError when there is none."""
        ...


class _Index:
    """A camera connected to this machine."""

    patience_s = 2.0

    def __init__(self, index: int, settings: VideoSettings) -> None:
        self._index = index
        self._settings = settings
        self.description = str(index)

    def open(self) -> tuple[Any, Picture]:
        cv2 = opencv()
        capture = cv2.VideoCapture(
            self._index, cv2.CAP_V4L2 if platform.system() == "Linux" else cv2.CAP_ANY
        )
        if self._settings.width_px > 640:
            # Uncompressed, larger pictures do not fit through USB at full rate.
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._settings.width_px)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._settings.height_px)
        capture.set(cv2.CAP_PROP_FPS, self._settings.frames_per_s)
        found, picture = capture.read()
        if found:
            return capture, picture
        capture.release()
        indexes = ", ".join(cameras())
        known = f"Connected cameras: {indexes}." if indexes else "No camera is connected."
        raise AffettiError(
            f"Camera {self._index} cannot be opened.",
            f"{known} Connect it, close other programs that use it, or use a video file.",
            ExitCode.DEVICE,
        )


class _Address:
    """A camera in the network."""

    patience_s = 0.0  # OpenCV's own time limits have run out by then

    def __init__(self, url: str) -> None:
        self._url = url
        parts = urlsplit(url)
        # Passwords stand before the @, or among the parameters.
        host = parts.netloc.rpartition("@")[2]
        self._scheme = parts.scheme.lower()
        self.description = f"{self._scheme}://{host}{parts.path}"

    def open(self) -> tuple[Any, Picture]:
        if self._scheme not in _SCHEMES:
            raise AffettiError(
                f"The camera's address {self.description} is of no kind that can be read.",
                f"Addresses begin with one of {', '.join(_SCHEMES)}.",
                ExitCode.DEVICE,
            )
        cv2 = opencv()
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS]
        limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT_MS]
        capture = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, limits)
        found, picture = capture.read()
        if found:
            return capture, picture
        capture.release()
        raise AffettiError(
            f"The camera at {self.description} delivers no picture.",
            "Check that it is switched on, that this machine reaches it, and the address.",
            ExitCode.DEVICE,
        )


class LiveCamera:
    """A camera that delivers in its own time, opened again by itself after it was lost.

    Frames carry the time of their arrival.

    Parameters
    ----------
    feed
        What to read.
    settings
        The quality of the JPEGs, and the nominal rate.
    """

    finite = False

    def __init__(self, feed: _Feed, settings: VideoSettings) -> None:
        self._feed = feed
        self._jpeg_quality = settings.jpeg_quality
        self._capture: Any = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.ended = threading.Event()
        self.description = feed.description
        self.size_px = (settings.width_px, settings.height_px)
        self.frames_per_s = float(settings.frames_per_s)

    def open(self) -> None:
        """Open the camera, and wait for its first frame; AffettiError when there is none."""
        self._capture, picture = self._feed.open()
        self.size_px = (picture.shape[1], picture.shape[0])

    def start(self, sink: Sink) -> None:
        """Begin to capture."""
        self._thread = threading.Thread(target=self._run, args=(sink,), name="camera", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, at the latest when a read runs out of time, and close the camera."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._capture is not None:
            self._capture.release()

    def _run(self, sink: Sink) -> None:
        log = FrameLog(sink, self._jpeg_quality)
        seen_ns = sink.clock.now_ns()
        while not self._stopping.is_set():
            arrived = self._capture.grab()
            now_ns = sink.clock.now_ns()
            picture = self._capture.retrieve()[1] if arrived else None
            if picture is not None:
                log.keep(picture, now_ns)
                seen_ns = now_ns
            elif now_ns - seen_ns >= self._feed.patience_s * NS_PER_S:
                self._reopen(sink, seen_ns)
                seen_ns = sink.clock.now_ns()
            else:
                self._stopping.wait(_RETRY_S)
        log.tell_losses()

    def _reopen(self, sink: Sink, seen_ns: int) -> None:
        """Record that the camera is gone, and try until it is back or the source is stopped."""
        lost_ns = sink.clock.now_ns()
        sink.put(DeviceLost(t_ns=lost_ns, device="camera", detail=self.description))
        self._capture.release()
        for pause_s in chain(_BACK_OFF_S, repeat(_BACK_OFF_S[-1])):
            if self._stopping.wait(pause_s):
                return
            try:
                self._capture, _ = self._feed.open()
                break
            except AffettiError:
                continue
        now_ns = sink.clock.now_ns()
        sink.put(DeviceRestored(t_ns=now_ns, device="camera", gap_ns=now_ns - seen_ns))
