"""Estimates computed again from the recorded frames and sound.

The perception that runs here is the very code that ran live (`models.perception`), on the very
bytes that are stored. With the models that the recording names, it gives the same numbers.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import islice
from typing import Any, Final, Generic, Literal, Self, TypeAlias, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.core.errors import ModelError, UsageError
from affetti.core.events import (
    ESTIMATE_TABLES,
    IDENTITY,
    AudioCaptured,
    Columns,
    EstimateSkipped,
    Event,
    FaceEstimated,
    FrameCaptured,
    HeardEstimated,
    Modality,
    MusicEstimated,
    PerceptionSettings,
    SessionStarted,
    UnknownEvent,
    columns,
    decode,
    estimate_kind,
)
from affetti.core.recording.pictures import decoded
from affetti.core.recording.records import Record
from affetti.core.recording.session import Session
from affetti.models.perception import Coming, Estimate, Perception
from affetti.models.perception.face import Decode, Later
from affetti.models.perception.plugins import recorded_perceivers
from affetti.models.perception.skips import Skip, never, recorded_skips
from affetti.models.pipelines import AFFETTI, Offer, Perceivers, digests_of, offers

T = TypeVar("T")

Progress: TypeAlias = Callable[[int, int], None]  # events done, events in all
Skips: TypeAlias = Literal["recorded", "none"]
Source: TypeAlias = Literal["replayed", "completed", "stored", "live"]

_READ_AT_ONCE: Final = 64  # events: about a second of a recording
_BEHIND: Final = 4  # times as many


class Pictures:
    """Decodes ahead, in whatever thread reads a recording, the pictures that faces are read in.

    The same bytes are always the same picture, so that it makes no difference who decodes them.
    """

    def __init__(self) -> None:
        self._stream: str | None = None  # the first video: faces are read in no other
        self._period = -1
        self._period_ns = PerceptionSettings().face_period_ns
        self._coming: dict[int, tuple[bytes, NDArray[np.uint8] | None]] = {}  # by id of the bytes

    def foresee(self, event: Event, jpeg: bytes) -> None:
        """Decode the picture of an event that comes, where it is the first of its period."""
        if isinstance(event, SessionStarted):
            self._period_ns = event.perception.face_period_ns
        if not isinstance(event, FrameCaptured):
            return
        self._stream = self._stream or event.stream
        period = event.t_ns // self._period_ns
        if event.stream == self._stream and period > self._period:
            self._period = period
            self._coming[id(jpeg)] = jpeg, decoded(jpeg, (event.width_px, event.height_px))

    def decode(self, jpeg: bytes, size_px: tuple[int, int]) -> NDArray[np.uint8] | None:
        """Return the picture, as `core.recording.pictures.decoded`."""
        found = self._coming.get(id(jpeg))
        return decoded(jpeg, size_px) if found is None else found[1]

    def drop(self, jpeg: bytes) -> None:
        """Let go of a picture that is past."""
        self._coming.pop(id(jpeg), None)


@cache
def opened(offer: Offer) -> Perceivers:
    """Return what perceives in a pipeline; its models are loaded once in a process."""
    return offer.open()


def recorded_offer(session: Session) -> Offer:
    """Return the pipeline that a recording was made with, of the models of this installation."""
    used = session.started.pipeline or AFFETTI
    known = offers().get(used.name)
    return known if known is not None and known.pipeline == used else Offer(used)


def _perception(
    session: Session, offer: Offer | None, skip: Skip, decode: Decode = decoded
) -> Perception:
    chosen = opened(offer or recorded_offer(session))
    return Perception(
        chosen.begin_face,
        chosen.read_music,
        skip,
        look=chosen.look,
        describe=chosen.describe,
        listen=chosen.listen,
        decode=decode,
    )


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
    pictures = Pictures()
    perception = _perception(session, None, skip, pictures.decode)
    for _, made in stepwise(session, perception, progress, pictures=pictures):
        yield from made


def _perceived(
    read: "Sequence[_Read]",
    perception: Perception,
    sound: "ThreadPoolExecutor | _Here",
    face: "ThreadPoolExecutor | _Here",
    pictures: "Pictures | None",
) -> "_Perceived":
    known = [(event, blob) for event, blob in read if event is not None]
    facts = [(event, blob) for event, blob in known if event.traits.perceived]
    heard = sound.submit(_heard, perception, facts)
    seen = [_seen(event, blob, perception, face.submit, pictures) for event, blob in facts]
    return _Perceived([event for event, _ in known], seen, heard)


def _heard(perception: Perception, facts: Sequence[tuple[Event, bytes]]) -> list[list[Estimate]]:
    return [perception.hear(event, blob) for event, blob in facts]


def _seen(
    event: Event, blob: bytes, perception: Perception, later: Later, pictures: "Pictures | None"
) -> "_Seen":
    coming = perception.begin_to_see(event, blob, later)
    others = perception.perceive_others(event, blob)
    if pictures is not None:
        pictures.drop(blob)
    return _Seen(coming, others)


def stepwise(
    session: Session,
    perception: Perception,
    progress: Progress | None,
    *,
    verified: bool = False,
    pictures: Pictures | None = None,
) -> Iterator[tuple[Event, list[Estimate]]]:
    """Yield every event of a recording with what perception made of it.

    What is read of the file, and decoded, is ahead of it in a thread of its own. What a face
    expresses is read in another while the next is looked for, and music in a third, as it is
    live, a few seconds behind faces at most. Where nearly nothing is perceived, all is done in
    this one.

    Parameters
    ----------
    session, perception, progress
        The recording, what perceives, and as `replay` takes it.
    verified
        Whether each record is compared with its digest as it is read, once.
    pictures
        What `perception` decodes pictures by, which is then done ahead.
    """
    records = session.verified_records() if verified else session.records()
    total = len(session)
    waiting: deque[_Perceived] = deque()
    begun: Callable[[str], ThreadPoolExecutor | _Here] = (
        _Here if perception.idle else partial(ThreadPoolExecutor, 1)
    )
    with (
        begun("read music") as sound,
        begun("read faces") as face,
        begun("read ahead") as reader,
    ):
        try:
            done = 0
            for read in _ahead(_read(session, records, pictures), reader):
                waiting.append(_perceived(read, perception, sound, face, pictures))
                while len(waiting) > 1 and (len(waiting) > _BEHIND or waiting[0].ready):
                    yield from waiting.popleft().fused(perception)
                done += len(read)
                if progress is not None:
                    progress(done, total)
            while waiting:
                yield from waiting.popleft().fused(perception)
        finally:
            sound.shutdown(wait=False, cancel_futures=True)


_Read: TypeAlias = tuple[Event | None, bytes]  # None for what this version does not know


def _read(
    session: Session, records: Iterable[Record], pictures: Pictures | None
) -> Iterator[_Read]:
    """Yield events with their blobs, and decode those pictures that are going to be asked for."""
    for record in records:
        event = decode(record.json, session.schema_version)
        if isinstance(event, UnknownEvent):
            yield None, b""
            continue
        if pictures is not None:
            pictures.foresee(event, record.blob)
        yield as_consented(event, session), record.blob


def _ahead(read: Iterator[_Read], reader: "ThreadPoolExecutor | _Here") -> Iterator[list[_Read]]:
    """Yield what is read, some at once, while the next of it is read already."""
    coming = reader.submit(_next_of, read)
    while found := coming.result():
        coming = reader.submit(_next_of, read)
        yield found


def _next_of(read: Iterator[_Read]) -> list[_Read]:
    return list(islice(read, _READ_AT_ONCE))


class _Here:
    """Does at once what a pool would do in its threads."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *how: object) -> None:
        pass

    def submit(self, work: Callable[..., T], *what: Any) -> "_Done[T]":
        return _Done(work(*what))

    def shutdown(self, *, wait: bool, cancel_futures: bool) -> None:
        pass


@dataclass(frozen=True)
class _Done(Generic[T]):
    """What was done, where a future of it is awaited."""

    made: T

    def done(self) -> bool:
        return True

    def result(self) -> T:
        return self.made


def as_consented(event: Event, session: Session) -> Event:
    """Return the start of a session with what is still consented to; other events as they are.

    Whoever withdrew what tells faces apart did so after the recording: no replay may do it again.
    """
    if not isinstance(event, SessionStarted):
        return event
    ended = {scope for each in session.state.withdrawals for scope in each.scopes} & {IDENTITY}
    return msgspec.structs.replace(event, consent=event.consent.changed(ended=ended))


@dataclass(frozen=True)
class _Seen:
    """What will have been seen in an event, and what perceivers of plug-ins made of it."""

    coming: Coming
    others: list[Estimate]

    @property
    def estimates(self) -> list[Estimate]:
        return [*self.coming(), *self.others]


@dataclass(frozen=True)
class _Perceived:
    """Events, and what will have been seen and heard in those that are perceived."""

    events: Sequence[Event]
    seen: Sequence[_Seen]
    heard: Future[list[list[Estimate]]] | _Done[list[list[Estimate]]]

    @property
    def ready(self) -> bool:
        return self.heard.done()

    def fused(self, perception: Perception) -> Iterator[tuple[Event, list[Estimate]]]:
        made = zip(self.seen, self.heard.result(), strict=True)
        for event in self.events:
            if event.traits.perceived:
                seen, heard = next(made)
                yield event, perception.fuse(event, [*seen.estimates, *heard])
            else:
                yield event, []


@dataclass(frozen=True)
class EstimateTables:
    """Estimates as columns (`core.events.columns`), and where they come from.

    Attributes
    ----------
    face, music, fused, heard
        One row an estimate.
    others
        Those of further modalities, by name.
    source
        "replayed", every one computed again from frames and sound; "completed", the live
        ones with those that were skipped; "stored", the same, with a spot check
        (`analyzer.stored`); or "live", those alone, as they were recorded.
    pipeline
        The name of what perceived and fused.
    """

    face: Columns
    music: Columns
    fused: Columns
    source: Source
    pipeline: str = AFFETTI.name
    others: dict[str, Columns] = field(default_factory=dict)
    heard: Columns = field(default_factory=dict)

    def all(self) -> dict[str, Columns]:
        """Return every table by its modality."""
        ours = {"face": self.face, "heard": self.heard, "music": self.music, "fused": self.fused}
        return ours | self.others


def replayed(
    session: Session,
    progress: Progress | None = None,
    offer: Offer | None = None,
    *,
    verified: bool = False,
) -> EstimateTables:
    """Return all estimates, computed again; those that were skipped live are among them.

    Where pictures or sound were not kept they cannot be, and are those that were recorded.

    Parameters
    ----------
    session
        The recording.
    progress
        As `replay` takes it.
    offer
        The pipeline; by default the one that the recording was made with.
    verified
        Whether the recording is compared with its digests meanwhile.

    Raises
    ------
    AffettiError
        It is damaged, or another pipeline is asked for, and pictures or sound were not kept.
    """
    recorded = recorded_offer(session)
    if session.state.unkept:
        if offer is not None and offer.pipeline != recorded.pipeline:
            raise UsageError("replay.not_kept", path=session.path.name)
        if verified:
            session.verify_digest()
        return live(session)
    offer = offer or recorded
    pictures = Pictures()
    perception = _perception(session, offer, never, pictures.decode)
    steps = stepwise(session, perception, progress, verified=verified, pictures=pictures)
    return tables_from(estimates_in(steps), "replayed", offer.pipeline.name)


def completed(session: Session, progress: Progress | None = None) -> EstimateTables:
    """Return the live estimates, and compute those that were skipped or cut off by a crash.

    With the models of the recording this is many times faster than `replayed`, and gives the
    same but where a skipped face would have told the tracking of faces something new. What was
    seen in the frames of live estimates is not seen again, so that of a face beyond the end of them
    it is not known how it looked a moment before. Where pictures or sound were not kept, the live
    ones are all there are.
    """
    if session.state.unkept:
        return live(session)
    steps = stepwise(session, Completion(session), progress)
    return tables_from(estimates_in(steps), "completed", recorded_offer(session).pipeline.name)


def reported(session: Session, progress: Progress | None = None) -> EstimateTables:
    """Return the estimates that a report rests on: completed, or replayed with other models.

    What nobody perceived when it was recorded, such as a film, is replayed as well.
    """
    anew = other_models(session) or not _was_live(session)
    return (replayed if anew else completed)(session, progress)


def shown(session: Session, progress: Progress | None = None) -> EstimateTables:
    """Return what `reported` does; where nothing is missing live, without computing anything."""
    state = session.state
    whole = not sum(state.skipped.values()) and state.recovered is None and _was_live(session)
    return live(session) if whole and not other_models(session) else reported(session, progress)


def _was_live(session: Session) -> bool:
    """Return whether anything was perceived while it was recorded, or is kept of it alone."""
    return session.started.imported is None or bool(session.state.unkept)


def live(session: Session) -> EstimateTables:
    """Return the estimates that were recorded, and nothing else."""
    made = (event for event in session.events if isinstance(event, Estimate))
    return tables_from(made, "live", recorded_offer(session).pipeline.name)


def estimates_in(steps: Iterable[tuple[Event, list[Estimate]]]) -> Iterator[Estimate]:
    """Yield what `stepwise` yields beside the events."""
    for _, made in steps:
        yield from made


def tables_from(estimates: Iterable[Estimate], source: Source, pipeline: str) -> EstimateTables:
    """Return estimates as tables; what was skipped is left out."""
    made: dict[str, list[Event]] = {name: [] for name in ESTIMATE_TABLES}
    for estimate in estimates:
        if not isinstance(estimate, EstimateSkipped):
            made.setdefault(estimate.modality, []).append(estimate)
    tables = {name: columns(estimate_kind(name), events) for name, events in made.items()}
    face, music, fused, heard = (tables.pop(name) for name in ("face", "music", "fused", "heard"))
    return EstimateTables(face, music, fused, source, pipeline, tables, heard)


class Completion(Perception):
    """Perception that takes an estimate from the log where there is one, and fuses anew."""

    idle = True

    def __init__(self, session: Session) -> None:
        chosen = opened(recorded_offer(session))
        super().__init__(
            chosen.read_face,
            chosen.read_music,
            self._is_live,
            look=chosen.look,
            describe=chosen.describe,
            listen=chosen.listen,
        )
        live = session.events
        self.faces = {e.frame: e for e in live if isinstance(e, FaceEstimated)}
        self.sounds: dict[tuple[str, str, int], HeardEstimated | MusicEstimated] = {
            (e.modality, e.stream, e.end_sample): e
            for e in live
            if isinstance(e, HeardEstimated | MusicEstimated)
        }
        self._ends: dict[tuple[str, str], list[int]] = {}
        for modality, stream, end in sorted(self.sounds):
            self._ends.setdefault((modality, stream), []).append(end)

    def places(self, modality: str, event: AudioCaptured) -> list[tuple[str, str, int]]:
        """Return which estimates of a modality were made live of windows that end in a block."""
        ends = self._ends.get((modality, event.stream), [])
        first = bisect_left(ends, event.sample + 1)
        last = bisect_left(ends, event.sample + event.count + 1)
        return [(modality, event.stream, end) for end in ends[first:last]]

    def see(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        """Return what was seen live, and what there is to see where nobody looked."""
        if self._face.learning and isinstance(event, FrameCaptured) and event.frame in self.faces:
            self._face.perceive(event, blob)  # later faces are read against what is seen now
            self._face.remember(self.faces[event.frame])
            return [self.faces[event.frame]]
        seen = self._or_live(event, super().see(event, blob))
        for estimate in seen:
            if isinstance(estimate, FaceEstimated) and self._is_live("face", event):
                self._face.remember(estimate)
        return seen

    def begin_to_see(self, event: Event, blob: bytes, later: Later) -> Coming:
        """Return what `see` does: nearly nothing is read."""
        made = self.see(event, blob)
        return lambda: made

    def hear(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        """Return what was heard live, and what there is to hear where nobody listened."""
        heard = self._or_live(event, self._heard.perceive(event, blob))
        for estimate in heard:
            if isinstance(estimate, HeardEstimated):
                self._heard.remember(estimate)
        return [*heard, *self._or_live(event, self._music.push(event, blob))]

    def _or_live(self, event: Event, made: Sequence[Estimate]) -> list[Estimate]:
        """Return what was made, and what was made live in place of what was not."""
        known: list[Estimate] = []
        for estimate in made:
            is_skip = isinstance(estimate, EstimateSkipped)
            known += self._live(estimate.modality, event) if is_skip else [estimate]
        return known

    def _is_live(self, modality: Modality, event: Event) -> bool:
        if modality == "face" and self._face.learning:
            return False
        # What a plug-in makes is cheap, or it would not have kept up: it is made anew.
        return bool(self._live(modality, event))

    def _live(
        self, modality: Modality, event: Event
    ) -> Sequence[FaceEstimated | HeardEstimated | MusicEstimated]:
        """Return the live estimates of a modality that an event gave rise to."""
        match event:
            case FrameCaptured(frame=frame) if modality == "face" and frame in self.faces:
                return [self.faces[frame]]
            case AudioCaptured():
                return [self.sounds[place] for place in self.places(modality, event)]
        return []


def other_models(session: Session) -> list[str]:
    """Return the names of models that differ between the recording and this installation."""
    was = session.started.models
    try:
        now = digests_of(recorded_offer(session).models)
    except ModelError:  # its pipeline names one that is not here
        return sorted(was)
    others = {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
    return [*sorted(others), *recorded_perceivers(session.started)[1]]
