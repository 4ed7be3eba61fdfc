"""The small recording that trials are made with: a log in two parts, plain or encrypted."""

import atexit
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import force_setattr

from affetti.core.custody import keys
from affetti.core.events import (
    AudioCaptured,
    Estimated,
    Event,
    FrameCaptured,
    MarkerAdded,
    SessionEnded,
)
from affetti.core.recording import writer
from affetti.core.recording.parts import PartLog
from affetti.core.settings import LogSettings
from tests.conftest import NS, SESSION_ID, jpeg, started

NAME: Final = "session.h5"
# A part is smaller than settings allow: a trial's time goes into what it tries.
SMALL: Final = LogSettings(part_s=5, sync_s=0.05)
force_setattr(SMALL, "part_mib", 1)
ESTIMATES: Final = "pose"
_PIECE: Final = 4 << 10
_PADDING: Final = 90_000  # of a picture, so that a log has more than one part
_MOOD: Final = (0.5, 0.2, 0.2, 0.1)


def lasting_folder() -> Path:
    """Return a new folder that goes when this process ends."""
    folder = tempfile.mkdtemp(prefix="affetti-trials-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@contextmanager
def lean() -> Iterator[None]:
    """Seal without what a small file is mostly of: empty tables, and ends of pieces of 256 KiB."""
    tables, piece = writer.ESTIMATE_TABLES, writer._CHUNK_BYTES
    writer.ESTIMATE_TABLES, writer._CHUNK_BYTES = {}, _PIECE  # type: ignore[misc]
    try:
        yield
    finally:
        writer.ESTIMATE_TABLES, writer._CHUNK_BYTES = tables, piece  # type: ignore[misc]


def held_key() -> keys.DataKey:
    """Return a key that this process can open, as one that recorded can."""
    made = keys.new_key([X25519PrivateKey.generate().public_key().public_bytes_raw()])
    keys.hold(made)
    return made


def events(frames: int = 14) -> list[tuple[Event, bytes]]:
    """Return the events of a session of two parts, with their blobs."""
    chance = random.Random(7)
    items: list[tuple[Event, bytes]] = [(started(), b"")]
    for i in range(frames):
        t_ns = i * NS // 10
        picture = jpeg(i)[:-2] + chance.randbytes(_PADDING) + b"\xff\xd9"
        items.append((FrameCaptured(t_ns=t_ns, frame=i, width_px=48, height_px=32), picture))
        heard = AudioCaptured(t_ns=t_ns, stream="room", sample=i * 800, count=800)
        items.append((heard, chance.randbytes(1600)))
        pose = Estimated(t_ns=t_ns, modality=ESTIMATES, stream="camera", emotions=_MOOD)
        items.append((pose, b""))
        if i % 3 == 0:
            items.append((MarkerAdded(t_ns=t_ns, label=f"marker {i}"), b""))
    return [*items, (SessionEnded(t_ns=frames * NS // 10, reason="stopped"), b"")]


def log(
    folder: Path,
    key: keys.DataKey | None = None,
    told: Callable[[int], object] = lambda seq: None,
) -> Path:
    """Write that session into parts; `told` hears of each event once it is written."""
    target = folder / NAME
    parts = PartLog(target, SESSION_ID, SMALL, key)
    for event, blob in events():
        told(parts.append(event, blob).seq)
    parts.close()
    return target
