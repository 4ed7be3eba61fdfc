"""Perception: events in, estimates out, in event time. The one code path of live and replay.

Everything here is a pure operator over the events of a recording in the order of `seq`: no wall
clock, no threads, no state but what the events say. What is live about the live side, which is
when an estimate has to be skipped, comes in through a function and is recorded, so that a
replay can be told the same.

`FacePerception` and `MusicPerception` may run in threads of their own, each given every event;
`FusionPerception` takes what both said of an event, event by event. `Perception` runs all three
in a row.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.consent import NOTHING, Scopes, declared, needed, scopes_of
from affetti.core.emotions import emotions_of_expressions
from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    AudioGap,
    ConsentChanged,
    EmotionFused,
    Emotions,
    Estimated,
    EstimateSkipped,
    Event,
    Expressions,
    Face,
    FaceEstimated,
    FrameCaptured,
    Modality,
    MusicEstimated,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    PerceptionSettings,
    PersonChanged,
    SessionStarted,
    SkipReason,
    StreamOpened,
    TrackEnded,
    TrackStarted,
)
from affetti.core.fusion import fuse, rounded
from affetti.core.streams import AUDIO, VIDEO, Stream
from affetti.models.face.attention import Attention
from affetti.models.face.detection import Detection
from affetti.models.face.person import Describe, PersonChoice, Verdict, faces_of
from affetti.models.face.reference import TAKEN, Features, Outcome, judged
from affetti.models.face.signs import (
    LOOK_PERIOD_NS,
    MIN_FACE_PX,
    TILT_AGE_NS,
    AtRest,
    FaceSigns,
    reasons_of,
    recorded_signs,
    uncovered,
)
from affetti.models.perception.plugins import Perceiver, Plugged, perceivers
from affetti.models.sound.music import readable

if TYPE_CHECKING:
    from affetti.models.face.reading import FaceReading
    from affetti.models.sound.music import MusicReading

# Raised whenever the same models would give other estimates of the same recording.
PERCEPTION_VERSION: Final = 2

# From a picture, a way to choose, and features of a neutral face where there are some.
ReadFace: TypeAlias = "Callable[..., FaceReading]"
# From a picture, a face's box and its tilt, and whether that is known for certain.
Look: TypeAlias = Callable[..., FaceSigns]
ReadMusic: TypeAlias = "Callable[[NDArray[np.int16], int], MusicReading]"

# Decides whether no estimate is made from an event, and why; True stands for "late".
Skip: TypeAlias = Callable[[Modality, Event], SkipReason | bool]
# From the fact that closes a tick, the fused estimate and what it needs: what of that has ended.
Lost: TypeAlias = Callable[[Event, EmotionFused, Scopes], Scopes]
Estimate: TypeAlias = FaceEstimated | MusicEstimated | EmotionFused | Estimated | EstimateSkipped


def never(modality: Modality, event: Event) -> bool:
    """Skip nothing."""
    return False


def nothing_lost(event: Event, fused: EmotionFused, need: Scopes) -> Scopes:
    """Keep every fused estimate as it is."""
    return NOTHING


class RecordedSkips:
    """Skips exactly what the live side of a recording skipped; a `Skip`.

    A fused estimate that was under way when consent ended was made anew without what had ended:
    in the order of the log it stands behind the change of consent, and the fact that closed its
    tick before it.

    Parameters
    ----------
    events
        Of the recording, in order.
    """

    def __init__(self, events: Iterable[object]) -> None:
        self._skipped: dict[tuple[Modality, int], SkipReason] = {}
        self._changes: list[ConsentChanged] = []
        self._fused: dict[int, int] = {}  # the tick to its place in the log
        for event in events:
            match event:
                case EstimateSkipped():
                    self._skipped[event.modality, event.of_seq] = event.reason
                case ConsentChanged():
                    self._changes.append(event)
                case EmotionFused():
                    self._fused[event.t_ns] = event.seq

    def __call__(self, modality: Modality, event: Event) -> SkipReason | bool:
        """Return why no estimate was made, or False where one was."""
        return self._skipped.get((modality, event.seq), False)

    def lost(self, event: Event, fused: EmotionFused, need: Scopes) -> Scopes:
        """Return what had ended by the time a fused estimate was recorded; a `Lost`."""
        recorded = self._fused.get(fused.t_ns, event.seq)
        ended = [c.consent for c in self._changes if event.seq < c.seq < recorded]
        return frozenset(s for s in need if not all(consent.grants(s) for consent in ended))


def recorded_skips(events: Iterable[object]) -> RecordedSkips:
    """Return a function that skips exactly what the live side of a recording skipped."""
    return RecordedSkips(events)


def _skipped(modality: Modality, event: Event, reason: SkipReason | bool) -> EstimateSkipped:
    why = "late" if isinstance(reason, bool) else reason
    return EstimateSkipped(t_ns=event.t_ns, modality=modality, of_seq=event.seq, reason=why)


class FacePerception:
    """From the frames of the first video stream to face estimates, at most one in each period.

    Parameters
    ----------
    read
        From a picture, uint8 [H, W, 3] BGR, a way to choose the person's face in it, and `where`
        to look, to a reading.
    skip
        Whether no estimate is made from an event.
    look
        `models.face.signs.SignReader.look`, or a function like it: a face that is followed is
        looked at for its signs each `LOOK_PERIOD_NS`. Without it there are none.
    describe
        What tells one face from another, as `models.face.person` takes it.
    """

    def __init__(
        self,
        read: ReadFace,
        skip: Skip = never,
        look: Look | None = None,
        describe: Describe | None = None,
    ) -> None:
        self._read = read
        self._look = look
        self._skip = skip
        self._settings = PerceptionSettings()
        self._person = PersonChoice(describe)
        self._attention = Attention()
        self._learning: _Neutral | None = None  # while a neutral reference is recorded
        self._neutral: Features | None = None
        self._latest: tuple[int, Features | None] = (-1, None)  # the frame that was read last
        self._rest: AtRest | None = None
        self._looked: _Looked | None = None
        self._period = -1
        self._stream: str | None = None  # the video that is looked at

    def push(self, event: Event, blob: bytes = b"") -> list[FaceEstimated | EstimateSkipped]:
        """Take in the next event and its blob; return what it gave rise to."""
        made = self.perceive(event, blob)
        for estimate in made:
            if isinstance(estimate, FaceEstimated):
                self.remember(estimate)
        return made

    def perceive(self, event: Event, blob: bytes = b"") -> list[FaceEstimated | EstimateSkipped]:
        """Take in the next event as `push` does, and remember nothing of what was made of it.

        Whoever calls it hands the estimate that later ones are to depend on to `remember`.
        """
        match event:
            case SessionStarted():
                self._settings = event.perception
                self._person.consent_to_identity(event.consent.grants("video", "identity"))
                self._look_at_first(event)
            case StreamOpened():
                self._look_at_first(event)
            case ConsentChanged(consent=consent):
                self._person.consent_to_identity(consent.grants("video", "identity"))
                if not consent.grants("video"):
                    self._person.forget()
                    self._attention = Attention()
                    self._learning = self._neutral = self._rest = self._looked = None
                    self._latest = -1, None
            case PersonChanged():
                self._person.press()
                self._learning = self._neutral = self._rest = None  # it was another's
            case NeutralReferenceStarted():
                self._learning, self._neutral, self._rest = _Neutral(), None, None
            case NeutralReferenceRecorded():
                self._neutral = self._learning.features if self._learning else None
                self._rest = self._learning.rest if self._learning else None
                self._learning = None
        if not isinstance(event, FrameCaptured) or event.stream != self._stream:
            return []
        period = event.t_ns // self._settings.face_period_ns
        if period <= self._period:
            return []
        self._period = period
        if reason := self._skip("face", event):
            return [_skipped("face", event, reason)]
        return [self._estimate(event, blob)]

    def _look_at_first(self, event: SessionStarted | StreamOpened) -> None:
        videos = [stream.name for stream in declared(event).values() if stream.kind == VIDEO]
        if self._stream is None and videos:
            self._stream = videos[0]

    def remember(self, estimate: FaceEstimated) -> None:
        """Take in an estimate, of its own or one made live: later ones depend on it."""
        self._person.settle(estimate)
        seen, read = [_detection(face) for face in estimate.faces], estimate.face
        self._attention.saw(estimate.t_ns, seen, None if read is None else _detection(read))
        self._keep_neutral(estimate)
        self._looked = _looked(self._looked, estimate)
        if self._learning is not None and estimate.expressions is not None:
            frame, features = self._latest
            self._learning.saw(estimate.expressions, features if frame == estimate.frame else None)
            if estimate.face is not None:
                self._learning.looked_at(recorded_signs(estimate.face))

    def _keep_neutral(self, estimate: FaceEstimated) -> None:
        """Give up the neutral reference where the face that is read next may be another's."""
        unknown = estimate.change == "lost" and not self._person.by_looks
        if unknown or estimate.change == "chosen":
            self._neutral = self._rest = None
        if unknown and self._learning is not None:
            self._learning = _Neutral()

    @property
    def learning(self) -> bool:
        """Whether a neutral reference is being recorded: faces are then read for later ones."""
        return self._learning is not None

    def _estimate(self, event: FrameCaptured, jpeg: bytes) -> FaceEstimated:
        import cv2  # noqa: PLC0415  not every reader of this module looks at pictures

        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
        if picture is None:  # a damaged frame shows no face
            return FaceEstimated(t_ns=event.t_ns, stream=event.stream, frame=event.frame)
        image, where = np.asarray(picture, np.uint8), self._attention.look(event.t_ns)
        verdicts: list[Verdict] = []

        def choose(faces: Sequence[Detection]) -> Detection | None:
            verdicts.append(self._person.look(event.t_ns, image, faces))
            return None if verdicts[0].read is None else verdicts[0].read.face

        against = () if self._neutral is None else (self._neutral,)
        reading = self._read(image, choose, *against, where=where)
        verdict = verdicts[0] if verdicts else self._given(event.t_ns, reading)
        self._latest = event.frame, reading.features
        return FaceEstimated(
            t_ns=event.t_ns,
            stream=event.stream,
            frame=event.frame,
            faces=tuple(self._faces_of(event.t_ns, verdict, reading, image)),
            nobody=verdict.nobody,
            change=verdict.change,
            neutral_reference=bool(against) and reading.expressions is not None,
        )

    def _given(self, t_ns: int, reading: "FaceReading") -> Verdict:
        """Return what is said of the faces where the reader chose by itself."""
        read = (
            None
            if reading.box_px is None
            else Detection(reading.box_px, reading.score, reading.roll_deg or 0.0)
        )
        return self._person.given(t_ns, read, reading.others)

    def _faces_of(
        self, t_ns: int, verdict: Verdict, reading: "FaceReading", image: NDArray[np.uint8]
    ) -> Iterator[Face]:
        """Yield all faces of a frame, the one that was read first."""
        for view, role, unread in faces_of(verdict):
            face = Face(
                face_id=view.face_id,
                role=role,
                box_px=view.face.box_px,
                score=view.face.score,
                unread=unread,
                roll_deg=round(view.face.roll_deg, 1),
                identity_distance=view.distance,
            )
            is_read = view is verdict.read
            yield self._looked_at(t_ns, _read(face, reading), image) if is_read else face

    def _looked_at(self, t_ns: int, face: Face, image: NDArray[np.uint8]) -> Face:
        """Return a face with its signs, where it is time to look for them."""
        last = self._looked if self._looked and self._looked.face_id == face.face_id else None
        is_due = last is None or t_ns - last.t_ns >= LOOK_PERIOD_NS
        if self._look is None or not is_due or max(face.box_px[2:]) < MIN_FACE_PX:
            return face
        known = last is not None and last.roll_deg is not None and t_ns - last.t_ns <= TILT_AGE_NS
        roll_deg = last.roll_deg if last is not None and known else face.roll_deg
        signs = self._look(image, face.box_px, roll_deg or 0.0, known=known)
        signs = uncovered(signs, face.mouth_covered, face.eyes_covered)
        return _with_signs(face, signs, reasons_of(signs, face.expressions, self._rest))


def _read(face: Face, reading: "FaceReading") -> Face:
    return msgspec.structs.replace(
        face,
        read=True,
        box_px=face.box_px if reading.box_px is None else reading.box_px,
        expressions=reading.expressions,
        emotions=_emotions(reading.expressions),
        unread=reading.unread or face.unread,
        mouth_covered=reading.mouth_covered,
        eyes_covered=reading.eyes_covered,
        sharpness=reading.sharpness,
        brightness=reading.brightness,
        contrast=reading.contrast,
        yaw_deg=reading.yaw_deg,
        roll_deg=reading.roll_deg,
    )


class _Looked(NamedTuple):
    """When a face was last looked at for its signs, and how it was tilted where that was seen."""

    t_ns: int
    face_id: int
    roll_deg: float | None


def _looked(last: _Looked | None, estimate: FaceEstimated) -> _Looked | None:
    """Return the last look once an estimate is known; None when the face was lost."""
    face = estimate.face
    if face is None or face.landmarks is None:
        return last if face is not None else None
    seen = face.roll_deg if face.pitch_deg is not None else None
    return _Looked(estimate.t_ns, face.face_id, seen)


def _with_signs(face: Face, signs: FaceSigns, reasons: tuple[str, ...]) -> Face:
    seen = msgspec.structs.replace(face, landmarks=signs.presence)
    if signs.pose is None:
        return seen
    return msgspec.structs.replace(
        seen,
        pitch_deg=signs.pose.pitch_deg,
        yaw_deg=signs.pose.yaw_deg,
        roll_deg=signs.pose.roll_deg,
        eyes_open=signs.eyes_open,
        gaze=signs.gaze,
        gaze_deg=signs.gaze_deg,
        shape=signs.shape,
        reasons=reasons,
    )


class _Neutral:
    """What was seen while a neutral reference was recorded."""

    def __init__(self) -> None:
        self._expressions: list[Expressions] = []
        self._features: list[Features] = []
        self._looks: list[FaceSigns] = []

    def saw(self, expressions: Expressions, features: Features | None) -> None:
        self._expressions.append(expressions)
        if features is not None:
            self._features.append(features)

    def looked_at(self, signs: FaceSigns) -> None:
        self._looks.append(signs)

    @property
    def features(self) -> Features | None:
        """Those of the neutral face; None where it cannot be taken for one."""
        if not self._features or self._outcome not in TAKEN:
            return None
        return np.asarray(np.mean(self._features, axis=0), np.float32)

    @property
    def rest(self) -> AtRest | None:
        """How the person is measured at rest; None where it cannot be taken for that."""
        return AtRest.of(self._looks) if self._outcome in TAKEN else None

    @property
    def _outcome(self) -> Outcome:
        eyes = [each.eyes_open for each in self._looks if each.eyes_open is not None]
        yaw_deg = [each.pose.yaw_deg for each in self._looks if each.pose is not None]
        return judged(self._expressions, eyes, yaw_deg)


def _detection(face: Face) -> Detection:
    return Detection(face.box_px, face.score, face.roll_deg or 0.0)


def _emotions(expressions: Expressions | None) -> Emotions | None:
    if expressions is None:
        return None
    return rounded(emotions_of_expressions(np.array(expressions)))


class _Window:
    """The last seconds of one stream, never across a gap or the beginning of a track."""

    def __init__(self, form: AudioFormat, settings: PerceptionSettings) -> None:
        self.form = form
        self._length = settings.music_window_s * form.rate_hz
        self._minimum = settings.music_minimum_s * form.rate_hz
        self._blocks: deque[tuple[int, NDArray[np.int16]]] = deque()
        self._begin = 0  # the first sample that may be heard
        self._end = 0

    def restart(self, sample: int) -> None:
        self._begin = sample

    def forget(self) -> None:
        self._blocks.clear()
        self._begin = self._end

    def push(self, sample: int, block: NDArray[np.int16]) -> None:
        if sample != self._end:
            self._blocks.clear()
            self._begin = max(self._begin, sample)
        self._blocks.append((sample, block))
        self._end = sample + len(block)
        while self._blocks[0][0] + len(self._blocks[0][1]) < self._end - 2 * self._length:
            self._blocks.popleft()

    def until(self, end: int) -> tuple[int, NDArray[np.int16]] | None:
        """Return the window that ends before sample `end`, or None while it is too short."""
        start = max(self._begin, end - self._length)
        if end - start < self._minimum:
            return None
        pieces = [
            block[max(0, start - sample) : end - sample]
            for sample, block in self._blocks
            if sample < end and sample + len(block) > start
        ]
        return start, np.concatenate(pieces)


class MusicPerception:
    """From sound to music estimates, one at each whole second of a stream's samples.

    While a track plays, the playback is what is heard; otherwise the room. Of a stream whose
    form cannot be read (see `models.sound.music.readable`) nothing is estimated.

    Parameters
    ----------
    read
        From int16 [n, channels] and a rate in Hz to a reading.
    skip
        Whether no estimate is made from an event.
    """

    def __init__(self, read: ReadMusic, skip: Skip = never) -> None:
        self._read = read
        self._skip = skip
        self._settings = PerceptionSettings()
        self._windows: dict[str, _Window] = {}
        self._scopes: dict[str, Scopes] = {}
        self._playing = False

    def push(self, event: Event, blob: bytes = b"") -> list[MusicEstimated | EstimateSkipped]:
        """Take in the next event and its blob; return what it gave rise to."""
        match event:
            case SessionStarted():
                self._settings = event.perception
                self._windows = {}
                self._listen_to(event)
            case StreamOpened():
                self._listen_to(event)
            case ConsentChanged(consent=consent):
                for name, window in self._windows.items():
                    if not consent.grants(*self._scopes[name]):
                        window.forget()
            case TrackStarted(sample=sample) if "playback" in self._windows:
                self._playing = True
                self._windows["playback"].restart(sample)
            case TrackEnded():
                self._playing = False
            case AudioGap(stream=stream, sample=sample) if stream in self._windows:
                self._windows[stream].restart(sample)
            case AudioCaptured(stream=stream) if stream in self._windows:
                return self._hear(event, blob, self._windows[stream])
        return []

    def _listen_to(self, event: SessionStarted | StreamOpened) -> None:
        for name, stream in declared(event).items():
            if stream.kind == AUDIO:
                self._windows[name] = _Window(stream.form, self._settings)
                self._scopes[name] = scopes_of(stream)

    def _hear(
        self, event: AudioCaptured, blob: bytes, window: _Window
    ) -> list[MusicEstimated | EstimateSkipped]:
        if not readable(window.form):
            return []
        block = np.frombuffer(blob, "<i2").reshape(-1, window.form.channels)
        window.push(event.sample, block)
        if event.stream != ("playback" if self._playing else "room"):
            return []
        step = self._settings.music_period_s * window.form.rate_hz
        last = event.sample + len(block)
        ends = range((event.sample // step + 1) * step, last + 1, step)
        heard = [(end, found) for end in ends if (found := window.until(end)) is not None]
        if heard and (reason := self._skip("music", event)):
            return [_skipped("music", event, reason)]
        return [self._estimate(event, window, end, *found) for end, found in heard]

    def _estimate(
        self,
        event: AudioCaptured,
        window: _Window,
        end: int,
        start: int,
        samples: NDArray[np.int16],
    ) -> MusicEstimated:
        rate_hz = window.form.rate_hz
        reading = self._read(samples, rate_hz)
        return MusicEstimated(
            t_ns=event.t_ns + (end - event.sample) * NS_PER_S // rate_hz,
            stream=event.stream,
            start_sample=start,
            end_sample=end,
            emotions=reading.emotions,
            loudness_dbfs=reading.loudness_dbfs,
            tempo_bpm=reading.tempo_bpm,
            presence=reading.presence,
            reasons=reading.reasons,
        )


class FusionPerception:
    """From the estimates of any modalities to fused ones, at fixed ticks of session time.

    A tick is closed by the first fact that is `fusion_lateness_ns` later than it. It uses the
    newest estimate of each modality about a moment at or before it, among those that facts
    recorded by then gave rise to. A face stays valid for `face_max_age_ns`, so that a blink of
    the detector is not yet "no face". What consent has ended for is forgotten. A modality takes
    part where the settings say how old an estimate of it may be.

    Parameters
    ----------
    lost
        What a fused estimate rests on that is no longer consented to; it is made anew without.
    """

    def __init__(self, lost: Lost = nothing_lost) -> None:
        self._lost = lost
        self._settings = PerceptionSettings()
        self._newest: dict[str, deque[_Felt]] = {}  # by modality
        self._streams: dict[str, Stream] = {}
        self._tick = 0  # ns, the next one

    def push(self, event: Event, estimates: Sequence[Event]) -> list[EmotionFused]:
        """Take in the next fact and what perception made of it."""
        if isinstance(event, SessionStarted):
            self._settings = event.perception
            self._tick = self._settings.fusion_period_ns
        self._streams |= declared(event)
        if isinstance(event, ConsentChanged):
            self._keep(lambda need: event.consent.grants(*need))
        for estimate in estimates:
            if isinstance(estimate, FaceEstimated) and estimate.emotions is None:
                continue
            if isinstance(estimate, FaceEstimated | MusicEstimated | Estimated):
                self._newest.setdefault(estimate.modality, deque()).append(estimate)
        fused = []
        while event.t_ns >= self._tick + self._settings.fusion_lateness_ns:
            fused.append(self._close(event))
            self._tick += self._settings.fusion_period_ns
        return fused

    def _close(self, event: Event) -> EmotionFused:
        while True:
            fused, need = self._fuse(self._tick)
            lost = self._lost(event, fused, need)
            if not lost:
                return fused
            self._keep(lost.isdisjoint)

    def _keep(self, allowed: Callable[[Scopes], bool]) -> None:
        """Forget the estimates whose scopes of consent are not allowed."""
        self._newest = {
            name: deque(e for e in estimates if allowed(needed(e, self._streams)))
            for name, estimates in self._newest.items()
        }

    def _fuse(self, tick: int) -> tuple[EmotionFused, Scopes]:
        """Return the fused estimate of a tick, and what has to be consented to for it."""
        newest = {
            name: _newest(estimates, tick, max_age_ns)
            for name, estimates in self._newest.items()
            if (max_age_ns := self._settings.max_age_ns(name)) is not None
        }
        there = {name: e for name, e in newest.items() if e is not None and e.emotions is not None}
        need = NOTHING.union(*(needed(estimate, self._streams) for estimate in there.values()))
        return fuse(tick, {name: estimate.emotions for name, estimate in there.items()}), need


_Felt: TypeAlias = FaceEstimated | MusicEstimated | Estimated


def _newest(estimates: deque[_Felt], tick: int, max_age_ns: int) -> _Felt | None:
    """Return the newest estimate about `tick` or a little before; forget older ones."""
    while estimates and estimates[0].t_ns <= tick - max_age_ns:
        estimates.popleft()
    before = [estimate for estimate in estimates if estimate.t_ns <= tick]
    return before[-1] if before else None


class Perception:
    """Face, music and fusion: what a replay runs.

    `see` and `hear` may run in threads of their own, each given every event in order; `fuse`
    follows with what both made of an event.

    Parameters
    ----------
    read_face, read_music
        `models.face.reading.FaceReader.read` and `models.sound.music.MusicReader.read`, or
        functions like them.
    skip
        Whether no estimate is made from an event: `never`, or `recorded_skips(events)`.
    others
        Perceivers of further modalities; by default those of installed plug-ins.
    look
        What looks at faces for their signs, as `FacePerception` takes it.
    describe
        What tells one face from another, as `FacePerception` takes it.
    """

    def __init__(
        self,
        read_face: ReadFace,
        read_music: ReadMusic,
        skip: Skip = never,
        others: Sequence[type[Perceiver]] | None = None,
        *,
        look: Look | None = None,
        describe: Describe | None = None,
    ) -> None:
        self._face = FacePerception(read_face, skip, look, describe)
        self._music = MusicPerception(read_music, skip)
        further = perceivers() if others is None else others
        self._others = [Plugged(each, skip) for each in further]
        lost = skip.lost if isinstance(skip, RecordedSkips) else nothing_lost
        self._fusion = FusionPerception(lost)

    def see(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        """Take in the next fact; return what there was to see in it."""
        return list(self._face.push(event, blob))

    def hear(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        """Take in the next fact; return what there was to hear in it."""
        return list(self._music.push(event, blob))

    def perceive_others(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        """Take in the next fact; return what perceivers of plug-ins made of it."""
        return [estimate for each in self._others for estimate in each.push(event, blob)]

    def fuse(self, event: Event, estimates: list[Estimate]) -> list[Estimate]:
        """Take in what was seen and heard in the next fact; return that with what it became."""
        return [*estimates, *self._fusion.push(event, estimates)]

    def push(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        """Take in the next fact; events of kinds that it does not see must be left out."""
        made = [*self.see(event, blob), *self.hear(event, blob)]
        return self.fuse(event, [*made, *self.perceive_others(event, blob)])
