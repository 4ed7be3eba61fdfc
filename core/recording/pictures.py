"""Pictures as they are stored, and how a stranger's is decoded safely.

A JPEG says in its header how large it is, and a few hundred bytes may say 65,535 by 65,535: so it
is decoded only where that is believable.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_PICTURE_PX: Final = 7680 * 4320  # the largest that the settings ask a camera for
_MAX_SCANS: Final = 64  # passes over the picture; more only cost time
_SCAN: Final = b"\xff\xda"
_NO_FRAME: Final = (0xC4, 0xC8, 0xCC)  # tables and reserved, amid the markers of frames
_ALONE: Final = (0x01, *range(0xD0, 0xD9))  # markers without a length


def jpeg_size_px(jpeg: bytes) -> tuple[int, int] | None:
    """Return width and height by the header of a JPEG; None where it has none."""
    at = 2 if jpeg.startswith(b"\xff\xd8") else len(jpeg)
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = (int.from_bytes(jpeg[at + i : at + i + 2], "big") for i in (5, 7))
            return width, height
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        at += 1 if marker == 0xFF else 2 if marker in _ALONE else 2 + length
    return None


def decoded(jpeg: bytes, size_px: tuple[int, int] | None = None) -> NDArray[np.uint8] | None:
    """Return a picture, uint8 [height, width, 3], blue-green-red as OpenCV has it.

    Parameters
    ----------
    jpeg
        As it is stored.
    size_px
        The width and height that it must have; None takes any that a camera may.

    Returns
    -------
    None where it cannot be decoded, or is of another size than it should be.
    """
    import cv2  # noqa: PLC0415  heavy, and most readers never look at a picture

    told = jpeg_size_px(jpeg)
    if told is None or told[0] * told[1] > MAX_PICTURE_PX or jpeg.count(_SCAN) > _MAX_SCANS:
        return None
    if size_px is not None and told != size_px:
        return None
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return None if picture is None else np.asarray(picture, np.uint8)
