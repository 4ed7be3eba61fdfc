"""Pictures on their way into the log: as JPEGs, numbered, losses owned up to."""

import numpy as np
from numpy.typing import NDArray

from affetti.core.events import FrameCaptured, FramesDropped
from affetti.core.streams import CAMERA
from affetti.recorder.sources import Sink
from affetti.recorder.sources.opencv import opencv
from affetti.recorder.sources.pace import put_patiently

Picture = NDArray[np.uint8]  # shape (height, width, 3), BGR


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
    stream
        Which video they belong to.
    """

    def __init__(
        self, sink: Sink, jpeg_quality: int, patience_s: float = 0.0, stream: str = CAMERA
    ) -> None:
        self._sink = sink
        self._stream = stream
        self._parameters = [opencv().IMWRITE_JPEG_QUALITY, jpeg_quality]
        self._patience_s = patience_s
        self._frame = 0
        self._dropped = 0

    def keep(self, picture: Picture, t_ns: int) -> None:
        """Put a frame of shape (height, width, 3), BGR."""
        _, jpeg = opencv().imencode(".jpg", picture, self._parameters)
        height_px, width_px = picture.shape[:2]
        event = FrameCaptured(
            t_ns=t_ns,
            stream=self._stream,
            frame=self._frame,
            width_px=width_px,
            height_px=height_px,
        )
        if put_patiently(self._sink, event, jpeg.tobytes(), self._patience_s):
            self._frame += 1
            self.tell_losses()
        else:
            self._dropped += 1

    def lose(self) -> None:
        """Count a frame that came and cannot be kept."""
        self._dropped += 1

    def tell_losses(self) -> None:
        """Record how many frames were lost and have not been told yet."""
        if self._dropped:
            t_ns, count = self._sink.clock.now_ns(), self._dropped
            self._sink.put(FramesDropped(t_ns=t_ns, stream=self._stream, count=count))
            self._dropped = 0
