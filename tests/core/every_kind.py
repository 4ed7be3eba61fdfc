"""A session with an event of every kind there is, made from their declarations."""

import random
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import numpy as np

from affetti.core.events import (
    KINDS,
    AudioCaptured,
    Event,
    FrameCaptured,
    SamplesCaptured,
    SessionEnded,
    SessionStarted,
    StreamOpened,
    consent_to,
)
from affetti.core.recording.signals import pack_samples
from tests.conftest import HEART, NS, WORDS, jpeg, started

_GIVEN: dict[str, Any] = {
    "stream": "camera",
    "modality": "face",
    "device": "camera",
    "session_id": "0123456789abcdef" * 2,
}
EMOTIONS = (0.5, 0.2, 0.2, 0.1)


def every_kind() -> Iterator[tuple[Event, bytes]]:
    """Yield the events of a session, with their blobs."""
    chance = random.Random(17)
    streams = (*started().streams, HEART)
    consent = consent_to("video", "room", "signals", since="2026-11-24")
    yield started(streams=streams, consent=consent), b""
    yield StreamOpened(t_ns=0, declaration=WORDS), b""
    for i in range(6):
        yield FrameCaptured(t_ns=i * NS // 10, frame=i, width_px=48, height_px=32), jpeg(i)
        heard = AudioCaptured(t_ns=i * NS // 2, stream="room", sample=i * 4000, count=4000)
        yield heard, chance.randbytes(8000)
        for stream, values in ((HEART, np.full((5, 2), i)), (WORDS, [[f"wörd {i}"]] * 5)):
            block = SamplesCaptured(t_ns=i * NS // 2, stream=stream.name, sample=i * 5, count=5)
            yield block, pack_samples(stream, np.arange(5.0) + i, values)
    for name, kind in KINDS.items():
        if kind not in (SessionStarted, StreamOpened, SessionEnded) and not kind.traits.blob:
            yield _example(name, kind, chance), b""
    yield SessionEnded(t_ns=4 * NS, reason="stopped"), b""


def _example(name: str, kind: type[Event], chance: random.Random) -> Event:
    """Return an event of a kind: by trial, for each field that it needs, a value that it takes."""
    said: dict[str, Any] = {"kind": name, "t_ns": 3 * NS, "seq": 0}
    for field in msgspec.structs.fields(kind):
        if field.required and field.encode_name not in said:
            said[field.encode_name] = _value(name, field, said)
    return msgspec.convert(said, kind, strict=False)


def _value(name: str, field: Any, said: dict[str, Any]) -> Any:
    offers = (_GIVEN.get(field.name), 3, 0.25, {}, [], "2026-11-24", "ab" * 32, "wörd", True)
    for offer in (*offers, *_choices(field.type), {"scopes": {}}, EMOTIONS, WORDS):
        if offer is None:
            continue
        try:
            msgspec.convert(msgspec.to_builtins(offer), field.type)
        except msgspec.ValidationError:
            continue
        return msgspec.to_builtins(offer)
    raise AssertionError(f"no example of {name}.{field.name}")


def _choices(hint: Any) -> tuple[Any, ...]:
    """Return what a `Literal` lets one choose of."""
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return get_args(hint) if get_origin(hint) is Literal else ()
