"""OpenCV, which talks to standard error unless told not to."""

import os
from typing import Any


def opencv() -> Any:
    """Return the module `cv2`, silenced: what fails is told by our own errors and events."""
    # Read once, when OpenCV first opens a video; -8 is FFmpeg's AV_LOG_QUIET.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # How long a camera that has stopped delivering blocks a read; 10 s is OpenCV's choice.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
    import cv2  # noqa: PLC0415  heavy, and reads the environment

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2
