"""How much is held, and how far the disk reaches."""

import os
from pathlib import Path
from typing import Final

from affetti.core import system
from affetti.core.settings import Settings

_BYTES_PER_PIXEL: Final = 0.2  # of a JPEG of quality 90, roughly
_SOUND_BYTES_PER_S: Final = 44_100 * 2 * 2


def lasts_s(settings: Settings, folder: Path) -> float | None:
    """Return how long a disk lasts, roughly; sealing needs as much room again as a recording.

    None where it does not say.
    """
    try:
        existing = next(p for p in (folder, *folder.absolute().parents) if os.path.exists(p))
    except (OSError, ValueError, StopIteration):
        return None
    free = system.free_bytes(existing)
    video = settings.video
    pixels_per_s = video.width_px * video.height_px * video.frames_per_s
    bytes_per_s = 2 * _SOUND_BYTES_PER_S + pixels_per_s * _BYTES_PER_PIXEL
    return None if free is None else free / bytes_per_s / 2
