"""How well a face is seen before a recording begins, from the pictures of the preview."""

from typing import Any, Final

import cv2
import numpy as np

from affetti.core.codes import Code
from affetti.core.events import FaceEstimated
from affetti.models.face.reading import FaceReading
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.messages import Seen

# Short of what a face cannot be read beyond (`models.face.quality`): worth a word beforehand.
MIN_FACE_PX: Final = 60.0
MIN_BRIGHTNESS: Final = 0.18  # a mean grey level
MIN_SHARPNESS: Final = 0.02
MAX_YAW_DEG: Final = 20.0
# A face that is this much darker than what is around it has the light behind it.
MAX_AGAINST_LIGHT: Final = 0.6
_LIGHT: Final = 0.35


def seen(jpeg: bytes, readers: Readers) -> Seen | None:
    """Look for faces in a picture, and judge how well the largest is seen; None of no picture."""
    image: Any = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    reading: FaceReading = readers.read_face(image, None)
    others = tuple(face.box_px for face in reading.others)
    boxes = others if reading.box_px is None else (reading.box_px, *others)
    surround = float(image.mean()) / 255
    return Seen(boxes, advice(reading, surround), reading.expressions is not None)


def advice(reading: FaceReading, surround: float) -> Code:
    """Return what there is to better about how a face is seen, as a code; "good" for nothing.

    Parameters
    ----------
    reading
        Of a picture.
    surround
        Mean grey level of the picture, 0 to 1.
    """
    if reading.box_px is None:
        return "no_face"
    side_px = (reading.box_px[2] + reading.box_px[3]) / 2
    brightness = reading.brightness or 0.0
    against = surround > _LIGHT and brightness < MAX_AGAINST_LIGHT * surround
    judged = {
        "several": reading.faces > 1,
        "covered": reading.unread == "covered",
        "too_small": reading.unread == "too_small" or side_px < MIN_FACE_PX,
        "light_behind": against,
        "dark": reading.unread in ("dark", "no_contrast") or brightness < MIN_BRIGHTNESS,
        "turned_away": abs(reading.yaw_deg or 0.0) > MAX_YAW_DEG,
        "blurred": (reading.sharpness or 0.0) < MIN_SHARPNESS,
    }
    return next((code for code, holds in judged.items() if holds), "good")


def advice_of(estimate: FaceEstimated) -> Code:
    """Return the same of the face that is read while recording, without what is around it."""
    face = estimate.face
    if face is None:
        return estimate.nobody or "no_face"
    reading = FaceReading(
        expressions=face.expressions,
        box_px=face.box_px,
        faces=len(estimate.faces),
        unread=face.unread,
        sharpness=face.sharpness,
        brightness=face.brightness,
        yaw_deg=face.yaw_deg,
    )
    return advice(reading, 0.0)
