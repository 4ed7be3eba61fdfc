"""From frames to face estimates."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.core.consent import declared
from affetti.core.emotions import emotions_of_expressions
from affetti.core.events import (
    AudioCaptured,
    ConsentChanged,
    Emotions,
    EstimateSkipped,
    Event,
    Expressions,
    Face,
    FaceEstimated,
    FaceNamed,
    FrameCaptured,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    PerceptionSettings,
    PersonChanged,
    SessionStarted,
    StreamOpened,
)
from affetti.core.fusion import rounded
from affetti.core.recording.pictures import decoded
from affetti.core.streams import VIDEO
from affetti.models.face.attention import Attention
from affetti.models.face.detection import Detection, signed_deg
from affetti.models.face.person import Describe, PersonChoice, Verdict, faces_of
from affetti.models.face.reference import TAKEN, Features, Outcome, judged
from affetti.models.face.signs import (
    LOOK_PERIOD_NS,
    MIN_FACE_PX,
    REST_PERIOD_NS,
    TILT_AGE_NS,
    AtRest,
    FaceSigns,
    reasons_of,
    recorded_signs,
    uncovered,
)
from affetti.models.perception.skips import Skip, never, skipped

if TYPE_CHECKING:
    from affetti.models.face.reading import FaceReading

# From a picture, a way to choose, and features of a neutral face where there are some.
ReadFace: TypeAlias = "Callable[..., FaceReading]"
# From a JPEG and the width and height that it must have to a picture, uint8 [H, W, 3] BGR; or None.
Decode: TypeAlias = Callable[[bytes, tuple[int, int]], NDArray[np.uint8] | None]
# From a picture, a face's box and its tilt, and whether that is known for certain.
Look: TypeAlias = Callable[..., FaceSigns]
Estimates: TypeAlias = "list[FaceEstimated | EstimateSkipped]"
Coming: TypeAlias = Callable[[], Estimates]  # what an event gives rise to, once it is known


class Promise(Protocol):
    """What is being done elsewhere, such as a `concurrent.futures.Future`."""

    def result(self) -> Any:
        """Wait for it, and return it."""


# Does something elsewhere, as `concurrent.futures.Executor.submit`.
Later: TypeAlias = Callable[[Callable[[], Any]], Promise]


class FacePerception:
    """From the frames of the first video stream to face estimates, at most one in each period.

    Parameters
    ----------
    read
        From a picture, uint8 [H, W, 3] BGR, a way to choose the person's face in it, and `where`
        to look, to a reading, which need only be begun.
    skip
        Whether no estimate is made from an event.
    look
        `models.face.signs.SignReader.look`, or a function like it: a face that is followed is
        looked at for its signs each `LOOK_PERIOD_NS` while it moves, or changes, or is learned as
        neutral, and each `REST_PERIOD_NS` otherwise. Without it there are none.
    describe
        What tells one face from another, as `models.face.person` takes it.
    decode
        `core.recording.pictures.decoded`, or what has done the same ahead.
    """

    def __init__(
        self,
        read: ReadFace,
        skip: Skip = never,
        look: Look | None = None,
        describe: Describe | None = None,
        decode: Decode = decoded,
    ) -> None:
        self._read = read
        self._decode = decode
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
        self._sight: _Sight | None = None  # the last, while its reading goes on
        self._period = -1
        self._stream: str | None = None  # the video that is looked at

    def push(self, event: Event, blob: bytes = b"") -> Estimates:
        """Take in the next event and its blob; return what it gave rise to."""
        made = self.perceive(event, blob)
        for estimate in made:
            if isinstance(estimate, FaceEstimated):
                self.remember(estimate)
        return made

    def perceive(self, event: Event, blob: bytes = b"") -> Estimates:
        """Take in the next event as `push` does, and remember nothing of what was made of it.

        Whoever calls it hands the estimate that later ones are to depend on to `remember`.
        """
        taken = self._take(event, blob)
        if not isinstance(taken, _Sight):
            return taken
        self._look_closer(taken)
        return [self._estimate(taken, taken.reading.ended)]

    def begin(self, event: Event, blob: bytes, later: Later) -> Coming:
        """Take in the next event as `push` does; what a face expresses is read meanwhile.

        The next frame is looked at while that of the last goes on, and their estimates are those
        of `push`: where a face is does not follow from what it expresses, and what does follow
        waits for it.

        Parameters
        ----------
        event, blob
            As `push` takes them.
        later
            Reads what a face expresses.
        """
        if not isinstance(event, FrameCaptured | AudioCaptured):
            self._end()  # what it changes may rest on it, a neutral reference say
        taken = self._take(event, blob)
        if not isinstance(taken, _Sight):
            return lambda: taken
        coming = later(lambda: taken.reading.ended)
        self._end()
        self._look_closer(taken)
        self._follow(self._estimate(taken, taken.reading))
        taken.coming, self._sight = coming, taken
        return lambda: self._ended(taken)

    def _end(self) -> None:
        """Wait for what is being read, and learn from it."""
        sight, self._sight = self._sight, None
        if sight is not None and sight.coming is not None:
            sight.estimate = self._estimate(sight, sight.coming.result())
            self._learn(sight.estimate)

    def _ended(self, sight: "_Sight") -> Estimates:
        if sight is self._sight:
            self._end()
        return [] if sight.estimate is None else [sight.estimate]

    def _take(self, event: Event, blob: bytes) -> "Estimates | _Sight":
        """Take in the next event; return what was seen in it, where a face is read in it."""
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
            case FaceNamed(face_id=face_id, role=role):
                if self._person.name(face_id, role):
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
            return [skipped("face", event, reason)]
        return self._see(event, blob)

    def _look_at_first(self, event: SessionStarted | StreamOpened) -> None:
        videos = [stream.name for stream in declared(event).values() if stream.kind == VIDEO]
        if self._stream is None and videos:
            self._stream = videos[0]

    def remember(self, estimate: FaceEstimated) -> None:
        """Take in an estimate, of its own or one made live: later ones depend on it."""
        self._follow(estimate)
        self._learn(estimate)

    def _follow(self, estimate: FaceEstimated) -> None:
        """Take in where the faces of an estimate are, whatever they express."""
        self._person.settle(estimate)
        seen, read = [_detection(face) for face in estimate.faces], estimate.face
        self._attention.saw(estimate.t_ns, seen, None if read is None else _detection(read))
        self._keep_neutral(estimate)

    def _learn(self, estimate: FaceEstimated) -> None:
        """Take in what the face of an estimate expresses."""
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

    def _see(self, event: FrameCaptured, jpeg: bytes) -> "Estimates | _Sight":
        """Find the faces of a frame, and begin to read one."""
        image = self._decode(jpeg, (event.width_px, event.height_px))
        if image is None:  # a damaged frame shows no face
            return [FaceEstimated(t_ns=event.t_ns, stream=event.stream, frame=event.frame)]
        where = self._attention.look(event.t_ns)
        verdicts: list[Verdict] = []

        def choose(faces: Sequence[Detection]) -> Detection | None:
            verdicts.append(self._person.look(event.t_ns, image, faces))
            return None if verdicts[0].read is None else verdicts[0].read.face

        against = () if self._neutral is None else (self._neutral,)
        reading = self._read(image, choose, *against, where=where)
        verdict = verdicts[0] if verdicts else self._given(event.t_ns, reading)
        return _Sight(event, image, where.everywhere, verdict, reading, bool(against), self._rest)

    def _estimate(self, sight: "_Sight", reading: "FaceReading") -> FaceEstimated:
        """Return what is said of a frame; of a reading that goes on, all but what is expressed."""
        self._latest = sight.event.frame, reading.features
        event, is_read = sight.event, reading.expressions is not None
        return FaceEstimated(
            t_ns=event.t_ns,
            stream=event.stream,
            frame=event.frame,
            faces=tuple(_faces_of(sight, reading)),
            nobody=sight.verdict.nobody,
            change=sight.verdict.change,
            neutral_reference=sight.against_neutral and is_read,
        )

    def _given(self, t_ns: int, reading: "FaceReading") -> Verdict:
        """Return what is said of the faces where the reader chose by itself."""
        read = (
            None
            if reading.box_px is None
            else Detection(reading.box_px, reading.score, reading.roll_deg or 0.0)
        )
        return self._person.given(t_ns, read, reading.others)

    def _look_closer(self, sight: "_Sight") -> None:
        """Look at the face that is read for its signs, if it is time to."""
        view, t_ns = sight.verdict.read, sight.event.t_ns
        if view is not None and self._is_due(t_ns, view.face_id, sight.searched):
            face = next(face for face in _faces_of(sight, sight.reading) if face.read)
            sight.signs = self._signs_of(t_ns, face, sight.image)

    def _is_due(self, t_ns: int, face_id: int, searched: bool) -> bool:
        """Return whether it is time to look at a face for its signs.

        It follows from earlier estimates alone, so that another processor's last bits, which may
        move a box by a pixel, move no look.

        Parameters
        ----------
        searched
            Whether the whole picture was searched: then a look that can wait does, or this
            estimate would take as long as two.
        """
        last = self._looked
        if last is None or last.face_id != face_id:
            return True
        waited_ns = t_ns - last.t_ns
        if last.changed or self._learning is not None:
            return waited_ns >= LOOK_PERIOD_NS
        return waited_ns >= REST_PERIOD_NS + (LOOK_PERIOD_NS if searched else 0)

    def _signs_of(self, t_ns: int, face: Face, image: NDArray[np.uint8]) -> FaceSigns | None:
        """Return the signs of a face; None of one that is too small for any."""
        if self._look is None or max(face.box_px[2:]) < MIN_FACE_PX:
            return None
        last = self._looked if self._looked and self._looked.face_id == face.face_id else None
        known = last is not None and last.roll_deg is not None and t_ns - last.t_ns <= TILT_AGE_NS
        roll_deg = last.roll_deg if last is not None and known else face.roll_deg
        signs = self._look(image, face.box_px, roll_deg or 0.0, known=known)
        return uncovered(signs, face.mouth_covered, face.eyes_covered)


@dataclass(slots=True, eq=False)
class _Sight:
    """What was seen in a frame.

    Attributes
    ----------
    event, image
        The frame.
    searched
        Whether the whole picture was.
    verdict, reading
        What is said of its faces, and the reading of one, which may only be begun.
    against_neutral, rest
        Whether that is read against a neutral face, and the person at rest.
    signs
        Of that face, where it was looked at for them.
    coming, estimate
        The whole reading, and the estimate, of which both come later.
    """

    event: FrameCaptured
    image: NDArray[np.uint8]
    searched: bool
    verdict: Verdict
    reading: "FaceReading"
    against_neutral: bool
    rest: AtRest | None
    signs: FaceSigns | None = None
    coming: Promise | None = None
    estimate: FaceEstimated | None = None


def _faces_of(sight: _Sight, reading: "FaceReading") -> Iterator[Face]:
    """Yield all faces of a frame, the one that was read first."""
    for view, role, unread in faces_of(sight.verdict):
        face = Face(
            face_id=view.face_id,
            role=role,
            box_px=view.face.box_px,
            score=view.face.score,
            unread=unread,
            roll_deg=round(view.face.roll_deg, 1),
            identity_distance=view.distance,
        )
        if view is sight.verdict.read:
            face = _read(face, reading)
            if sight.signs is not None:
                reasons = reasons_of(sight.signs, face.expressions, sight.rest)
                face = _with_signs(face, sight.signs, reasons)
        yield face


def _read(face: Face, reading: "FaceReading") -> Face:
    expressions = reading.expressions if reading.rest is None else _TO_COME
    return msgspec.structs.replace(
        face,
        read=True,
        box_px=face.box_px if reading.box_px is None else reading.box_px,
        expressions=expressions,
        emotions=_emotions(expressions),
        unread=reading.unread or face.unread,
        mouth_covered=reading.mouth_covered,
        eyes_covered=reading.eyes_covered,
        sharpness=reading.sharpness,
        brightness=reading.brightness,
        contrast=reading.contrast,
        yaw_deg=reading.yaw_deg,
        roll_deg=reading.roll_deg,
    )


# Stands for what a face expresses while that is read. That it is read is known by then.
_TO_COME: Final = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class _Looked(NamedTuple):
    """When a face was last looked at for its signs, and what it was like then.

    Attributes
    ----------
    face
        As it was recorded.
    roll_deg
        How it was tilted, where the landmarks were found.
    changed
        Whether an estimate since then shows that it has moved, turned, or expresses another thing.
    """

    t_ns: int
    face: Face
    roll_deg: float | None
    changed: bool = False

    @property
    def face_id(self) -> int:
        """Of the face."""
        return self.face.face_id


def _looked(last: _Looked | None, estimate: FaceEstimated) -> _Looked | None:
    """Return the last look once an estimate is known; None when the face was lost."""
    face = estimate.face
    if face is None:
        return None
    if face.landmarks is not None:
        seen = face.roll_deg if face.pitch_deg is not None else None
        return _Looked(estimate.t_ns, face, seen)
    if last is None or last.face_id != face.face_id or last.changed:
        return last
    return last._replace(changed=_is_another(last.face, face))


def _is_another(before: Face, now: Face) -> bool:
    """Whether a face has moved, turned or changed so that other signs may be seen in it."""
    was, is_ = _detection(before), _detection(now)
    moved = abs(is_.centre - was.centre) > _MOVED * was.side_px
    grown = abs(is_.side_px - was.side_px) > _MOVED * was.side_px
    rolled = abs(signed_deg(is_.roll_deg - was.roll_deg)) > _ROLLED_DEG
    yawed = abs((now.yaw_deg or 0.0) - (before.yaw_deg or 0.0)) > _YAWED_DEG
    return moved or grown or rolled or yawed or _says_another(before, now)


def _says_another(before: Face, now: Face) -> bool:
    if before.expressions is None or now.expressions is None:
        return before.expressions is not now.expressions
    apart = zip(before.expressions, now.expressions, strict=True)
    return sum(abs(one - other) for one, other in apart) > _SAYS_ANOTHER


_MOVED: Final = 0.12  # of its side
_ROLLED_DEG: Final = 6.0
# What five points say of a face that did not turn differs from its landmarks by so much.
_YAWED_DEG: Final = 12.0
_SAYS_ANOTHER: Final = 0.6  # of 2, for distributions that share nothing


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
