"""Whether a recording is what it should be: one small function a rule.

A rule looks at a recording and yields a sentence for each thing that is wrong. Its importance
says what that means: CRITICAL, do not trust the file; WARNING, something is missing from it;
NOTE, good to know. Inspecting, organizing and printing know nothing of one another.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np

from affetti.analyzer.measures.segments import expected_ns
from affetti.analyzer.replay import Progress, other_models
from affetti.core.clock import NS_PER_S
from affetti.core.consent import allows, captures, needed
from affetti.core.errors import AffettiError
from affetti.core.events import (
    ESTIMATE_TABLES,
    AudioCaptured,
    ConsentChanged,
    FaceEstimated,
    FrameCaptured,
    RecordingPaused,
    RecordingResumed,
    SessionEnded,
    SessionRecovered,
    SessionStarted,
    columns,
)
from affetti.core.language import clock_text
from affetti.core.people.person import checked_code
from affetti.core.recording import layout
from affetti.core.recording.losses import span
from affetti.core.recording.session import Session

_DECODED_PICTURES: Final = 200  # of a recording's frames, evenly spaced; all are looked at
_EXAMPLES: Final = 3
_SPANS: Final = 12
_Captured = TypeVar("_Captured", FrameCaptured, AudioCaptured)


class Importance(IntEnum):
    """How much a finding matters, most first."""

    CRITICAL = 0
    WARNING = 1
    NOTE = 2


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found."""

    rule: str
    importance: Importance
    message: str


class Subject:
    """A recording under inspection: what several rules look at is read once.

    Parameters
    ----------
    session
        The recording.
    progress
        Called with the events read and the events in all.
    """

    def __init__(self, session: Session, progress: Progress | None = None) -> None:
        self.session = session
        self._progress = progress

    @cached_property
    def contents(self) -> "_Contents":
        """What one pass over all records found."""
        found, digest, total = _Contents(), hashlib.sha256(), len(self.session)
        every = max(1, len(self.session.frames) // _DECODED_PICTURES)
        for done, record in enumerate(self.session.records(), start=1):
            found.seqs.append(record.seq)
            if zlib.crc32(record.blob, zlib.crc32(record.json)) != record.crc32:
                found.altered.append(record.seq)
            digest.update(record.json)
            digest.update(record.blob)
            if record.kind == FrameCaptured.__name__:
                found.look_at_picture(record.blob, every)
            if self._progress is not None:
                self._progress(done, total)
        found.sha256 = digest.hexdigest()
        return found


class _Contents:
    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.altered: list[int] = []
        self.unreadable_frames: list[int] = []
        self.sha256 = ""
        self._frames = 0

    def look_at_picture(self, jpeg: bytes, every: int) -> None:
        whole = jpeg.startswith(b"\xff\xd8") and jpeg.endswith(b"\xff\xd9")
        if not whole or (self._frames % every == 0 and not _decodes(jpeg)):
            self.unreadable_frames.append(self._frames)
        self._frames += 1


def _decodes(jpeg: bytes) -> bool:
    import cv2  # noqa: PLC0415  heavy, and not every recording has pictures

    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) is not None


Messages: TypeAlias = Iterator[str]


@dataclass(frozen=True)
class Rule:
    """A rule: its name, what it does, and how much that matters."""

    name: str
    summary: str
    importance: Importance
    apply: Callable[[Subject], Messages]


RULES: Final[list[Rule]] = []


def rule(importance: Importance) -> Callable[[Callable[[Subject], Messages]], Any]:
    """Register a function as a rule; its docstring's first line says what it does."""

    def register(apply: Callable[[Subject], Messages]) -> Callable[[Subject], Messages]:
        summary = (apply.__doc__ or "").strip().splitlines()[0]
        RULES.append(Rule(apply.__name__.replace("_", "-"), summary, importance, apply))
        return apply

    return register


def inspect(path: Path, progress: Progress | None = None) -> list[Finding]:
    """Apply every rule to a recording; return what they found, the most important first.

    A file that cannot be opened at all gives one critical finding.
    """
    try:
        with Session.open(path) as session:
            subject = Subject(session, progress)
            found = [finding for each in RULES for finding in _findings(each, subject)]
    except AffettiError as error:
        return [Finding("opens", Importance.CRITICAL, error.message)]
    # Damage that stops several rules is one finding.
    unique = {(finding.importance, finding.message): finding for finding in reversed(found)}
    order = [each.name for each in RULES]
    return sorted(unique.values(), key=lambda one: (one.importance, order.index(one.rule)))


def _findings(each: Rule, subject: Subject) -> Iterator[Finding]:
    try:
        for message in each.apply(subject):
            yield Finding(each.name, each.importance, message)
    except AffettiError as error:
        yield Finding(each.name, Importance.CRITICAL, error.message)


def _examples(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:_EXAMPLES])
    return shown + (f" and {len(numbers) - _EXAMPLES} more" if len(numbers) > _EXAMPLES else "")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


@rule(Importance.CRITICAL)
def records_unaltered(subject: Subject) -> Messages:
    """Find records without the check sum they were written with."""
    if subject.contents.altered:
        yield f"Altered records: {_examples(subject.contents.altered)}."


@rule(Importance.CRITICAL)
def log_unaltered(subject: Subject) -> Messages:
    """Compare the digest over the whole log with the sealed one."""
    if subject.contents.sha256 != subject.session.log_sha256:
        yield "The log is not the one that was sealed: its SHA-256 differs."


@rule(Importance.CRITICAL)
def sequence_gapless(subject: Subject) -> Messages:
    """Find gaps in the numbers of events, but for those that sealing has told of."""
    seqs = subject.contents.seqs
    recovered = subject.session.state.recovered
    told = recovered.damaged_records if recovered else 0
    if seqs and (seqs[0] < 0 or np.any(np.diff(seqs) < 1)):
        yield "Events are not numbered from 0 in rising order."
    elif _missing(seqs) > told:
        yield _missing_events(seqs)


@rule(Importance.WARNING)
def losses_told(subject: Subject) -> Messages:
    """Name the events that sealing could not find any more."""
    seqs = subject.contents.seqs
    recovered = subject.session.state.recovered
    if recovered is not None and 0 < _missing(seqs) <= recovered.damaged_records:
        yield _missing_events(seqs)


def _missing(seqs: list[int]) -> int:
    return seqs[-1] + 1 - len(seqs) if seqs else 0


def _missing_events(seqs: list[int]) -> str:
    number = _missing(seqs)
    edges = zip([-1, *seqs], seqs, strict=False)
    spans = [span(before + 1, after - 1) for before, after in edges if after - before > 1]
    shown = ", ".join(spans[:_SPANS])
    shown += f" and at {len(spans) - _SPANS} more places" if len(spans) > _SPANS else ""
    are = "is" if number == 1 else "are"
    return f"{_number(number, 'event')} {are} missing from the sequence: {shown}."


@rule(Importance.CRITICAL)
def index_true(subject: Subject) -> Messages:
    """Compare the index with each event's own number, time and kind."""
    session = subject.session
    wrong = [
        record.seq
        for record, event in zip(session.records(), session.events, strict=True)
        if (record.seq, record.t_ns) != (event.seq, event.t_ns)
        or record.kind != getattr(event, "kind", type(event).__name__)
    ]
    if wrong:
        yield f"The index contradicts the events: {_examples(wrong)}."


@rule(Importance.CRITICAL)
def starts_once(subject: Subject) -> Messages:
    """Demand that the first event, and no other, starts the session, and the last ends it."""
    events = subject.session.events
    starts = [event.seq for event in events if isinstance(event, SessionStarted)]
    if starts != [0]:
        yield f"SessionStarted stands at {starts or 'no place'} instead of 0."
    if not events or not isinstance(events[-1], SessionEnded | SessionRecovered):
        yield "The last event does not say how the recording ended."


@rule(Importance.CRITICAL)
def sound_in_order(subject: Subject) -> Messages:
    """Demand that audio blocks follow sample by sample but for pauses, and in time."""
    for name in layout.STREAMS:
        blocks = subject.session.audio(name).blocks
        if not len(blocks):
            continue
        ends = blocks["sample"] + blocks["count"]
        held = [b.sample for b in _first_after_holds(subject.session, AudioCaptured)]
        held = held if name == "room" else []
        jumps = blocks["sample"][1:] != ends[:-1]
        jumps &= ~(np.isin(blocks["sample"][1:], held) & (blocks["sample"][1:] > ends[:-1]))
        if np.any(jumps) or np.any(np.diff(blocks["row"]) < 0):
            first = int(np.argmax(jumps)) + 1
            yield f"The {name} sound is out of order at sample {int(blocks['sample'][first])}."
        if np.any(np.diff(blocks["t_ns"]) < 0):
            yield f"The {name} sound runs backwards in time."


def _first_after_holds(session: Session, kind: type[_Captured]) -> Iterator[_Captured]:
    """Yield the first frames, or blocks of the room, after a pause or a lack of consent."""
    held = not (session.started.consent.video and session.started.consent.audio)
    for event in session.events:
        if isinstance(event, RecordingPaused | ConsentChanged):
            held = True
        elif isinstance(event, kind) and captures(event):
            if held:
                yield event
            held = False


@rule(Importance.CRITICAL)
def frames_in_order(subject: Subject) -> Messages:
    """Demand that frames are numbered from 0 without a gap but for pauses, in time."""
    frames = [event for event in subject.session.events if isinstance(event, FrameCaptured)]
    after_hold = {event.seq for event in _first_after_holds(subject.session, FrameCaptured)}
    due = 0
    for frame in frames:
        if frame.frame != due and not (frame.seq in after_hold and frame.frame > due):
            yield "Frames are not numbered from 0 without a gap."
            break
        due = frame.frame + 1
    if np.any(np.diff([frame.t_ns for frame in frames]) < 0):
        yield "Frames run backwards in time."


@rule(Importance.CRITICAL)
def pictures_readable(subject: Subject) -> Messages:
    """Find frames that are no whole JPEG, or of a sample, that cannot be decoded."""
    if subject.contents.unreadable_frames:
        yield f"Unreadable frames: {_examples(subject.contents.unreadable_frames)}."


@rule(Importance.CRITICAL)
def columns_true(subject: Subject) -> Messages:
    """Compare the columns of estimates with the events."""
    session = subject.session
    for name, kind in ESTIMATE_TABLES.items():
        told = columns(kind, (event for event in session.events if type(event) is kind))
        stored = getattr(session.estimates, name)
        if not stored and not len(told["seq"]):
            continue
        if not all(_equal(stored.get(column), values) for column, values in told.items()):
            yield f"The columns of {name} estimates contradict the events."


def _equal(stored: Any, told: Any) -> bool:
    if stored is None or len(stored) != len(told):
        return False
    if stored.dtype.kind == "f" and np.isnan(stored).all():
        return told.dtype.kind != "f" or bool(np.isnan(told).all())  # unknown to that version
    if told.dtype == object:
        return all((a or None) == (b or None) for a, b in zip(stored, told, strict=True))
    return bool(np.array_equal(stored.astype(told.dtype), told, equal_nan=told.dtype.kind == "f"))


@rule(Importance.CRITICAL)
def consent_respected(subject: Subject) -> Messages:
    """Find what was recorded without the person's consent."""
    consent = subject.session.started.consent
    pictures: list[int] = []
    sounds: list[int] = []
    for event in subject.session.events:
        if isinstance(event, ConsentChanged):
            consent = event.consent
        elif not allows(consent, event):
            (pictures if needed(event).video else sounds).append(event.seq)
    if pictures:
        yield f"There is video without consent to it: events {_examples(pictures)}."
    if sounds:
        yield f"There is sound of the room without consent to it: events {_examples(sounds)}."


@rule(Importance.CRITICAL)
def pauses_respected(subject: Subject) -> Messages:
    """Find frames, and sound of the room, from while the recording was paused."""
    since: int | None = None
    kept = []
    for event in subject.session.events:
        match event:
            case RecordingPaused():
                since = event.t_ns
            case RecordingResumed():
                since = None
            case _ if since is not None and captures(event) and event.t_ns > since:
                kept.append(event.seq)
    if kept:
        yield f"Recorded in a pause: events {_examples(kept)}."


@rule(Importance.CRITICAL)
def person_is_code(subject: Subject) -> Messages:
    """Demand a code for the person, which no name is."""
    try:
        checked_code(subject.session.started.person)
    except AffettiError as error:
        yield error.message


@rule(Importance.WARNING)
def ended_cleanly(subject: Subject) -> Messages:
    """Tell of a recording that broke off, or that not all could be read of."""
    recovered = subject.session.state.recovered
    if recovered is not None:
        yield recovered.statement


@rule(Importance.WARNING)
def tracks_closed(subject: Subject) -> Messages:
    """Find tracks without an end, or that overlap."""
    tracks = subject.session.tracks
    for i, track in enumerate(tracks):
        if track.end_ns is None:
            yield f"Track {track.number + 1}, {track.title!r}, has no end."
        elif track.end_ns < track.start_ns:
            yield f"Track {track.number + 1}, {track.title!r}, ends before it begins."
        elif i + 1 < len(tracks) and tracks[i + 1].start_sample < (track.end_sample or 0):
            yield f"Track {tracks[i + 1].number + 1} begins before the one before it ended."


@rule(Importance.WARNING)
def kinds_known(subject: Subject) -> Messages:
    """Find events of a kind that this version does not know."""
    for kind, count in subject.session.state.unknown.items():
        are = "is" if count == 1 else "are"
        yield (
            f"{_number(count, 'event')} of kind {kind!r:.40} {are} of a later version "
            f"and {are} skipped."
        )


@rule(Importance.WARNING)
def frames_kept(subject: Subject) -> Messages:
    """Tell of frames that could not be kept."""
    state = subject.session.state
    if state.frames_dropped:
        share = state.frames_dropped / (state.frames + state.frames_dropped)
        yield f"{_number(state.frames_dropped, 'frame')} ({share:.1%}) could not be kept."


@rule(Importance.WARNING)
def sound_complete(subject: Subject) -> Messages:
    """Tell of sound that was lost."""
    for name, stream in subject.session.state.streams.items():
        if stream.gaps:
            lost_s = stream.missing / stream.clock.rate_hz
            yield f"The {name} sound has {_number(stream.gaps, 'gap')}, {lost_s:.2f} s in all."


@rule(Importance.WARNING)
def devices_stayed(subject: Subject) -> Messages:
    """Tell of devices that were lost while recording."""
    for device, count in subject.session.state.outages.items():
        yield f"The {device} was lost {_number(count, 'time')}."


@rule(Importance.NOTE)
def inference_kept_up(subject: Subject) -> Messages:
    """Tell of live estimates that were skipped."""
    for modality, count in subject.session.state.skipped.items():
        yield f"{count} live {modality} estimates were skipped; `affetti analyze` makes them."


@rule(Importance.NOTE)
def models_present(subject: Subject) -> Messages:
    """Tell of models that are not those of this installation."""
    if others := other_models(subject.session):
        yield f"Made with other models ({', '.join(others)}): live numbers cannot be replayed."


@rule(Importance.NOTE)
def face_in_view(subject: Subject) -> Messages:
    """Tell of a face that was out of view most of the time."""
    session = subject.session
    due = len(expected_ns(session.state, session.started.perception, "face"))
    seen = sum(isinstance(event, FaceEstimated) and event.faces > 0 for event in session.events)
    if len(session.frames) and due and seen / due < 0.5:
        yield (
            f"A face was seen live in {min(seen / due, 1):.0%} of "
            f"{clock_text(session.state.now_ns / NS_PER_S)}."
        )
