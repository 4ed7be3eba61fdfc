"""Small films and pieces of sound, made on the spot for tests that record."""

from pathlib import Path

import cv2
import numpy as np
import soundfile

from core.session import Session


def moving_film(path: Path, seconds: float = 4.0, per_s: int = 25) -> Path:
    """Write a film of a bright square that wanders, with no face in it."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), per_s, (160, 120))
    for i in range(round(seconds * per_s)):
        picture = np.full((120, 160, 3), 40, np.uint8)
        cv2.rectangle(picture, (i % 130, 40), (i % 130 + 30, 70), (200, 220, 240), -1)
        writer.write(picture)
    writer.release()
    return path


def face_film(path: Path, session: Path, seconds: float, size: tuple[int, int], per_s: int) -> Path:
    """Write a film of the face in a recording, over and over for as long as wanted."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), per_s, size)
    with Session.open(session) as recording:
        pictures = [frame.image() for frame in recording.frames[:60]]
    there_and_back = pictures + pictures[-2:0:-1]
    for i in range(round(seconds * per_s)):
        writer.write(cv2.resize(there_and_back[i % len(there_and_back)], size))
    writer.release()
    return path


def tone(
    path: Path,
    seconds: float = 2.0,
    rate_hz: int = 44_100,
    channels: int = 2,
    pitch_hz: float = 440,
) -> Path:
    """Write a tone whose every channel and moment differs, so that a shift would show."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    parts = [
        0.4 * np.sin(2 * np.pi * (pitch_hz + 30 * channel) * time * (1 + time / 20))
        for channel in range(channels)
    ]
    soundfile.write(path, np.stack(parts, axis=1), rate_hz)
    return path
