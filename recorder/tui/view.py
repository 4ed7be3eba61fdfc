"""What the screens know of a recording: everything the engine said of it, and nothing else."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from affetti.analyzer.measures.course import Course, course_of
from affetti.analyzer.measures.held import Naming
from affetti.analyzer.measures.live import Watch
from affetti.analyzer.measures.neutral import neutral_outcome
from affetti.core.clock import NS_PER_S, SessionClock
from affetti.core.custody import keys
from affetti.core.emotions import EMOTIONS, EXPRESSIONS, Emotion
from affetti.core.events import (
    PATIENT,
    EmotionFused,
    Event,
    Face,
    FaceEstimated,
    HeardEstimated,
    MusicEstimated,
    PerceptionSettings,
    TrackStarted,
    columns,
)
from affetti.core.state import SessionState
from affetti.models.face.reference import Outcome
from affetti.recorder.engine.messages import (
    AnyMessage,
    Health,
    Level,
    Picture,
    Problem,
    Recorded,
    Safe,
    Sealed,
    Sealing,
    Started,
)
from affetti.recorder.tui.seconds import Seconds

NO_SOUND_DBFS: Final = -90.0  # an open microphone hears more, even in a quiet room
SILENT_S: Final = 3.0  # the engine speaks every second; after this, something is wrong
_FACES_NS: Final = NS_PER_S  # the face's bars are a mean over this, so that they do not flicker
_SIGNS_NS: Final = 3 * NS_PER_S // 2  # a face that stays as it is is looked at about once a second


@dataclass(frozen=True)
class FaceBox:
    """Where a face is in the pixels of the full frame, and whose it is said to be."""

    face_id: int
    box_px: tuple[int, int, int, int]  # left, top, width, height
    role: str
    read: bool  # whether what it expresses is said now


def _seconds() -> dict[str, Seconds]:
    return {
        "face": Seconds(EXPRESSIONS),
        "music": Seconds(EMOTIONS),
        "fused": Seconds(EMOTIONS),
    }


@dataclass
class RecordingView:
    """One recording as the screens see it.

    Parameters
    ----------
    monotonic_ns
        The machine's monotonic clock.
    """

    monotonic_ns: Callable[[], int] = time.monotonic_ns
    path: str = ""
    state: SessionState = field(default_factory=SessionState)
    fused: list[EmotionFused] = field(default_factory=list)
    faces: list[FaceEstimated] = field(default_factory=list)
    heard: list[HeardEstimated] = field(default_factory=list)
    heard_in: dict[str, HeardEstimated] = field(default_factory=dict)  # the latest, by stream
    music: list[MusicEstimated] = field(default_factory=list)
    seconds: dict[str, Seconds] = field(default_factory=_seconds)  # by modality
    health: Health | None = None
    picture: Picture | None = None
    levels: dict[str, Level] = field(default_factory=dict)
    sealing: Sealing | None = None
    sealed: Sealed | None = None
    safe_seq: int = -1  # all events up to it are known to be on the disk
    recipients: tuple[str, ...] = ()  # for whom it is encrypted, as public keys in letters
    failure: Problem | None = None  # why it did not begin, or could not go on
    gone: bool = False  # whether the engine has ended by itself: nothing is recorded any more
    _clock: SessionClock | None = None
    _heard_ns: int = 0  # when the engine last said anything, monotonic
    _pictured_ns: int = 0  # when it last sent a picture
    _sounded_ns: int = 0  # when the microphone was last louder than nothing
    _faces: deque[FaceEstimated] = field(default_factory=deque)
    _looked: FaceEstimated | None = None  # the last whose landmarks were looked for
    _watch: Watch = field(default_factory=Watch)
    _mean: tuple[tuple[int, int], tuple[float, ...] | None] = ((0, 0), None)
    _naming: Naming = field(default_factory=Naming)
    _named: Emotion | None = None  # what the music is said to express
    _judged: tuple[int, Outcome | None] = (-1, None)  # the end of a reference, and what became

    def hear(self, message: AnyMessage) -> None:
        """Take in what the engine said."""
        self._heard_ns = self.monotonic_ns()
        match message:
            case Started(path=path, recipients=recipients):
                self.path, self.recipients = path, recipients
            case Recorded(events=events):
                self._apply_all(events)
            case Safe(seq=seq):
                self.safe_seq = seq
            case Health():
                self.health = message
            case Picture():
                self.picture = message
                self._pictured_ns = self._heard_ns
            case Level(stream=stream):
                if stream == "room" and (
                    stream not in self.levels or message.peak_dbfs > NO_SOUND_DBFS
                ):
                    self._sounded_ns = self._heard_ns
                self.levels[stream] = message
            case Sealing():
                self.sealing = message
            case Sealed(key=key, block=block):
                self.sealed = message
                if key:
                    keys.hold(keys.DataKey(key, block))  # whoever saw it live may look at it
            case Problem(fatal=True):
                self.failure = message
                self.sealing = None  # it failed, or is still to begin

    @property
    def now_ns(self) -> int:
        """Session time now, as near as messages tell it."""
        if self._clock is None or self.state.ended is not None:
            return self.state.now_ns
        return max(self.state.now_ns, self.monotonic_ns() - self._clock.start_ns)

    @property
    def is_sealing(self) -> bool:
        """Whether the file is still being made, as far as is known."""
        ends = self.failure is None or self.sealing is not None
        return self.sealed is None and ends and not self.gone

    @property
    def recorded_ns(self) -> int:
        """Session time now, or when the engine that has ended was last heard."""
        return self.now_ns - round(self.silent_s * NS_PER_S) if self.gone else self.now_ns

    @property
    def silent_s(self) -> float:
        """How long the engine has said nothing."""
        return (self.monotonic_ns() - self._heard_ns) / NS_PER_S

    @property
    def still_s(self) -> float:
        """How old the picture is that was sent last."""
        return (self.monotonic_ns() - self._pictured_ns) / NS_PER_S

    @property
    def soundless_s(self) -> float:
        """How long the microphone has heard nothing at all, not even a quiet room."""
        if "room" not in self.levels or not self.state.consent.grants("room"):
            return 0.0
        return (self.monotonic_ns() - self._sounded_ns) / NS_PER_S

    @property
    def models_ready(self) -> bool:
        """Whether the models are loaded, as far as the engine has said."""
        return self.health is not None and self.health.models_ready

    def face_expressions(self) -> tuple[float, ...] | None:
        """Return the mean of what the face expressed in the last second; None without a face.

        A distribution over the seven expressions.
        """
        since_ns = self.now_ns - _FACES_NS
        while self._faces and self._faces[0].t_ns < since_ns:
            self._faces.popleft()
        seen = (len(self.faces), len(self._faces))
        if self._mean[0] != seen:  # it is asked for several times in a look
            self._mean = seen, _mean_of(self._faces)
        return self._mean[1]

    def face_boxes(self) -> tuple[FaceBox, ...]:
        """Return the faces in view from left to right; none where they were seen long ago."""
        latest = self.state.face
        if latest is None or self.now_ns - latest.t_ns > self.settings.face_max_age_ns:
            return ()
        faces = sorted(latest.faces, key=lambda face: face.box_px[0])
        return tuple(map(box_of, faces))

    def face_signs(self) -> tuple[str, ...]:
        """Return the codes of the signs that the face showed when it was last looked at."""
        if self._looked is None or self.now_ns - self._looked.t_ns > _SIGNS_NS:
            return ()
        return () if self._looked.face is None else self._looked.face.reasons

    def music_named(self) -> Emotion | None:
        """Return the emotion that the music is said to express, which does not waver."""
        return self._named

    @property
    def settings(self) -> PerceptionSettings:
        """Of the recording's perception."""
        started = self.state.started
        return started.perception if started else PerceptionSettings()

    def course(self) -> Course:
        """Measure the session so far, from its live estimates: what a report is made of, too."""
        tables = {
            "face": columns(FaceEstimated, self.faces),
            "heard": columns(HeardEstimated, self.heard),
            "music": columns(MusicEstimated, self.music),
            "fused": columns(EmotionFused, self.fused),
        }
        return course_of(self.state, self.settings, tables)

    def neutral(self) -> Outcome | None:
        """Return what became of the latest neutral reference, once that can be known."""
        span = self.state.neutral_reference
        if span is None or span.end_ns is None or not self.faces:
            return None
        if self._judged[0] != span.end_ns and self.faces[-1].t_ns >= span.end_ns:
            table = columns(FaceEstimated, self.faces)
            self._judged = (span.end_ns, neutral_outcome(self.state, table))
        return self._judged[1] if self._judged[0] == span.end_ns else None

    def moved(self) -> bool | None:
        """Return whether the face has moved more in this track than it does without music."""
        return self._watch.moved(self.state, self.settings)

    def _apply_all(self, events: Iterable[Event]) -> None:
        """Take in every event, also after one at which a defect of ours showed."""
        failure: Exception | None = None
        for event in events:
            try:
                self._apply(event)
            except Exception as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def _apply(self, event: Event) -> None:
        self.state.apply(event)
        match event:
            case EmotionFused():
                self.fused.append(event)
                if len(event.decided_by_all) > 1:  # what one of them said is in its own row
                    self.seconds["fused"].add(event.t_ns, event.emotions)
            case FaceEstimated():
                self._faces.append(event)
                if event.face is not None and event.face.landmarks is not None:
                    self._looked = event
                self.faces.append(event)
                self.seconds["face"].add(event.t_ns, event.expressions)
                self._watch.see(event)
            case HeardEstimated():
                self.heard.append(event)
                self.heard_in[event.stream] = event
            case MusicEstimated():
                self._name(event)
                self.music.append(event)
                self.seconds["music"].add(event.t_ns, event.emotions)
                self._watch.hear(event)
            case _:
                if isinstance(event, TrackStarted):
                    self._naming = Naming()  # other music: nothing holds
                    self._named = None
                self._set_clock(event.t_ns)

    def _name(self, music: MusicEstimated) -> None:
        if self.music and self.music[-1].stream != music.stream:
            self._naming = Naming()
        self._named = self._naming.follow(music.t_ns, music.emotions)

    def _set_clock(self, t_ns: int) -> None:
        # An event arrives after it happened, never before: the earliest start is the best.
        start_ns = self.monotonic_ns() - t_ns
        if self._clock is None or start_ns < self._clock.start_ns:
            self._clock = SessionClock(start_ns)


def _mean_of(faces: Iterable[FaceEstimated]) -> tuple[float, ...] | None:
    read = [face.expressions for face in faces]
    seen = [expressions for expressions in read if expressions is not None]
    return tuple(np.mean(seen, axis=0).tolist()) if seen else None


def box_of(face: Face) -> FaceBox:
    """Return where a face is, and whose."""
    read = face.expressions is not None
    # Perception of a pipeline that tells nobody apart reads one face, and calls it nothing.
    role = PATIENT if face.role == "unknown" and read else face.role
    return FaceBox(face.face_id, face.box_px, role, read)
