"""Estimates computed again from the recorded frames and sound, and compared with the live ones.

The perception that runs here is the very code that ran live (`models.perception`), on the very
bytes that are stored. With the models that the recording names, it gives the same numbers.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    ESTIMATE_TABLES,
    ESTIMATES,
    AudioCaptured,
    Columns,
    EmotionFused,
    EstimateSkipped,
    Event,
    FaceEstimated,
    FrameCaptured,
    Modality,
    MusicEstimated,
    UnknownEvent,
    columns,
    decode,
)
from affetti.core.language import clock_text
from affetti.core.recording.session import Session
from affetti.models.face.reading import Choose, FaceReader, FaceReading
from affetti.models.perception import (
    FACE_MODELS,
    MUSIC_MODEL,
    Estimate,
    Perception,
    models_in_use,
    never,
    recorded_skips,
)
from affetti.models.sound.music import MusicReader, MusicReading

Progress: TypeAlias = Callable[[int, int], None]  # events done, events in all
Skips: TypeAlias = Literal["recorded", "none"]

_PROGRESS_EVERY: Final = 64
_AHEAD: Final = 256  # about five seconds of a recording


@cache
def _face_reader() -> FaceReader:
    return FaceReader(*FACE_MODELS)


@cache
def _music_reader() -> MusicReader:
    return MusicReader(MUSIC_MODEL)


def read_face(image_bgr: NDArray[np.uint8], choose: Choose) -> FaceReading:
    """Read a picture, uint8 [H, W, 3]; the models are loaded at the first call."""
    return _face_reader().read(image_bgr, choose)


def read_music(samples: NDArray[np.int16], rate_hz: int) -> MusicReading:
    """Read a window of sound, int16 [n, channels]; the model is loaded at the first call."""
    return _music_reader().read(samples, rate_hz)


def replay(
    session: Session, skips: Skips = "none", progress: Progress | None = None
) -> Iterator[Estimate]:
    """Yield the estimates that perception makes of a recording's frames and sound.

    Parameters
    ----------
    session
        The recording.
    skips
        "none" computes every estimate; "recorded" leaves out, as `EstimateSkipped`, those for
        which the live side had no time.
    progress
        Called with the events done and the events in all.

    Raises
    ------
    AffettiError
        The recording is damaged, or a model file is not the one of the manifest.
    """
    skip = recorded_skips(session.events) if skips == "recorded" else never
    for _, made in _stepwise(session, Perception(read_face, read_music, skip), progress):
        yield from made


def _perceived(
    event: Event, blob: bytes, perception: Perception, pool: ThreadPoolExecutor
) -> "_Perceived":
    if not event.traits.perceived:
        return _Perceived(event)
    heard = pool.submit(perception.hear, event, blob)
    return _Perceived(event, perception.see(event, blob), heard)


def _stepwise(
    session: Session, perception: Perception, progress: Progress | None
) -> Iterator[tuple[Event, list[Estimate]]]:
    """Yield every event with what perception made of it.

    Music is read in a thread of its own, as it is live, up to `_AHEAD` events behind faces.
    """
    total = len(session)
    waiting: deque[_Perceived] = deque()
    with ThreadPoolExecutor(1, "read music") as pool:
        try:
            for done, record in enumerate(session.records(), start=1):
                event = decode(record.json, session.schema_version)
                if not isinstance(event, UnknownEvent):
                    waiting.append(_perceived(event, record.blob, perception, pool))
                while waiting and (len(waiting) > _AHEAD or waiting[0].ready):
                    yield waiting.popleft().fused(perception)
                if progress is not None and (done % _PROGRESS_EVERY == 0 or done == total):
                    progress(done, total)
            while waiting:
                yield waiting.popleft().fused(perception)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class _Perceived:
    """An event, what was seen in it and what will have been heard; None if nobody listens."""

    event: Event
    seen: Sequence[Estimate] = ()
    heard: Future[list[Estimate]] | None = None

    @property
    def ready(self) -> bool:
        return self.heard is None or self.heard.done()

    def fused(self, perception: Perception) -> tuple[Event, list[Estimate]]:
        if self.heard is None:
            return self.event, []
        return self.event, perception.fuse(self.event, [*self.seen, *self.heard.result()])


@dataclass(frozen=True)
class EstimateTables:
    """Estimates as columns (`core.events.columns`), and where they come from.

    Attributes
    ----------
    face, music, fused
        One row an estimate.
    source
        "replayed", every one computed again from frames and sound; or "completed", the live
        ones with those that were skipped.
    """

    face: Columns
    music: Columns
    fused: Columns
    source: Literal["replayed", "completed"]


def replayed(session: Session, progress: Progress | None = None) -> EstimateTables:
    """Return all estimates, computed again; those that were skipped live are among them."""
    perception = Perception(read_face, read_music, never)
    return _tables(_stepwise(session, perception, progress), "replayed")


def completed(session: Session, progress: Progress | None = None) -> EstimateTables:
    """Return the live estimates, and compute those that were skipped or cut off by a crash.

    With the models of the recording this is many times faster than `replayed`, and gives the
    same but where a skipped face would have told the tracking of faces something new.
    """
    return _tables(_stepwise(session, _Completion(session), progress), "completed")


def _tables(
    steps: Iterable[tuple[Event, list[Estimate]]], source: Literal["replayed", "completed"]
) -> EstimateTables:
    made: dict[type, list[Event]] = {kind: [] for kind in ESTIMATE_TABLES.values()}
    for _, estimates in steps:
        for estimate in estimates:
            made[type(estimate)].append(estimate)
    tables = {name: columns(kind, made[kind]) for name, kind in ESTIMATE_TABLES.items()}
    return EstimateTables(**tables, source=source)


class _Completion(Perception):
    """Perception that takes an estimate from the log where there is one, and fuses anew."""

    def __init__(self, session: Session) -> None:
        super().__init__(read_face, read_music, self._is_live)
        live = session.events
        self._faces = {e.frame: e for e in live if isinstance(e, FaceEstimated)}
        self._heard = {(e.stream, e.end_sample): e for e in live if isinstance(e, MusicEstimated)}

    def see(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        seen = self._or_live(event, super().see(event, blob))
        for estimate in seen:
            if isinstance(estimate, FaceEstimated) and self._is_live("face", event):
                self._face.remember(estimate)
        return seen

    def hear(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        return self._or_live(event, super().hear(event, blob))

    def _or_live(self, event: Event, made: Sequence[Estimate]) -> list[Estimate]:
        """Return what was made, and what was made live in place of what was not."""
        known: list[Estimate] = []
        for estimate in made:
            known += self._live(event) if isinstance(estimate, EstimateSkipped) else [estimate]
        return known

    def _is_live(self, modality: Modality, event: Event) -> bool:
        return bool(self._live(event))

    def _live(self, event: Event) -> list[FaceEstimated | MusicEstimated]:
        """Return the live estimates that an event gave rise to."""
        match event:
            case FrameCaptured(frame=frame) if frame in self._faces:
                return [self._faces[frame]]
            case AudioCaptured(stream=stream, sample=sample, count=count):
                ends = range(sample + 1, sample + count + 1)
                return [self._heard[stream, end] for end in ends if (stream, end) in self._heard]
        return []


def other_models(session: Session) -> list[str]:
    """Return the names of models that differ between the recording and this installation."""
    was, now = session.started.models, models_in_use()
    return sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))


@dataclass(frozen=True)
class Difference:
    """The first place where a replay departs from the live estimates.

    Attributes
    ----------
    modality
        "face", "music" or "fused".
    seq
        Of the live estimate; None where there is none.
    t_s
        The moment the estimate is about.
    field
        What differs; "estimate" where only one side has one.
    live, replayed
        Both values.
    """

    modality: str
    seq: int | None
    t_s: float
    field: str
    live: Any
    replayed: Any

    def __str__(self) -> str:
        where = f"{self.modality} at {clock_text(self.t_s)}"
        if self.seq is not None:
            where += f" (event {self.seq})"
        return f"{where}, {self.field}: live {self.live}, replayed {self.replayed}"


@dataclass(frozen=True)
class Verification:
    """What a replay found.

    Attributes
    ----------
    compared
        How many estimates were compared, by modality; skips count as what they skip.
    skipped
        How many the live side left out, by modality.
    unrecorded
        How many the crash cut off before they were recorded, by modality.
    other_models
        Models that are not those of the recording; then nothing was compared.
    difference
        The first one, if any.
    """

    compared: dict[str, int]
    skipped: dict[str, int]
    unrecorded: dict[str, int]
    other_models: list[str]
    difference: Difference | None

    @property
    def reproduced(self) -> bool:
        """Whether every live estimate was reproduced exactly."""
        return self.difference is None and not self.other_models


def verify(session: Session, progress: Progress | None = None) -> Verification:
    """Replay a recording as it ran live and compare every estimate with the live one.

    The file is checked against its digest first. In a recording that broke off, estimates that
    were under way at the end are missing; that is no difference.

    Raises
    ------
    AffettiError
        The recording is damaged, or a model file is.
    """
    session.verify_digest()
    skipped = dict(session.state.skipped)
    others = other_models(session)
    if others:
        return Verification({}, skipped, {}, others, None)
    comparison = _Comparison()
    perception = Perception(read_face, read_music, recorded_skips(session.events))
    for event, made in _stepwise(session, perception, progress):
        for estimate in made:
            comparison.add(comparison.replayed, estimate)
        if isinstance(event, (*ESTIMATES, EstimateSkipped)):
            comparison.add(comparison.live, event)
    broken_off = session.state.ended is None
    difference = comparison.finish(broken_off)
    return Verification(comparison.compared, skipped, comparison.unrecorded, [], difference)


class _Comparison:
    """Sets live and replayed estimates of each modality side by side, in their order.

    Across modalities the order of the log is that of threads, so each is compared by itself.
    """

    def __init__(self) -> None:
        self.live: dict[str, deque[Event]] = {name: deque() for name in ESTIMATE_TABLES}
        self.replayed: dict[str, deque[Event]] = {name: deque() for name in ESTIMATE_TABLES}
        self.compared = dict.fromkeys(ESTIMATE_TABLES, 0)
        self.unrecorded = dict.fromkeys(ESTIMATE_TABLES, 0)
        self._first: dict[str, Difference] = {}

    def add(self, side: dict[str, deque[Event]], estimate: Event) -> None:
        name = _modality(estimate)
        side[name].append(estimate)
        while self.live[name] and self.replayed[name]:
            live, again = self.live[name].popleft(), self.replayed[name].popleft()
            self.compared[name] += 1
            difference = _difference(name, live, again)
            if difference is not None:
                self._first.setdefault(name, difference)

    def finish(self, broken_off: bool) -> Difference | None:
        for name in ESTIMATE_TABLES:
            if self.live[name]:
                live = self.live[name][0]
                self._first.setdefault(name, _one_sided(name, live, live.seq, "there", "none"))
            elif self.replayed[name] and broken_off:
                self.unrecorded[name] = len(self.replayed[name])
            elif self.replayed[name]:
                again = self.replayed[name][0]
                self._first.setdefault(name, _one_sided(name, again, None, "none", "there"))
        return min(self._first.values(), key=lambda found: found.t_s, default=None)


def _modality(estimate: Event) -> str:
    match estimate:
        case EstimateSkipped(modality=modality):
            return modality
        case FaceEstimated():
            return "face"
        case MusicEstimated():
            return "music"
        case EmotionFused():
            return "fused"
    raise TypeError(f"{type(estimate).__name__} is no estimate")


def _one_sided(name: str, event: Event, seq: int | None, live: str, again: str) -> Difference:
    return Difference(name, seq, event.t_ns / NS_PER_S, "estimate", live, again)


def _difference(name: str, live: Event, again: Event) -> Difference | None:
    if msgspec.structs.replace(again, seq=live.seq) == live:
        return None
    t_s = live.t_ns / NS_PER_S
    if type(live) is not type(again):
        kinds = type(live).__name__, type(again).__name__
        return Difference(name, live.seq, t_s, "kind", *kinds)
    for field in live.__struct_fields__:
        was, now = getattr(live, field), getattr(again, field)
        if field != "seq" and was != now:
            return Difference(name, live.seq, t_s, field, was, now)
    return None
