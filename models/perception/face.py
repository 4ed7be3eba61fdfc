"""From frames to face estimates."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.core.consent import declared
from affetti.core.emotions import emotions_of_expressions
from affetti.core.events import (
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
        image = self._decode(jpeg, (event.width_px, event.height_px))
        if image is None:  # a damaged frame shows no face
            return FaceEstimated(t_ns=event.t_ns, stream=event.stream, frame=event.frame)
        where = self._attention.look(event.t_ns)
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
            faces=tuple(self._faces_of(event.t_ns, verdict, reading, image, where.everywhere)),
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
        self,
        t_ns: int,
        verdict: Verdict,
        reading: "FaceReading",
        image: NDArray[np.uint8],
        searched: bool,
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
            if is_read and self._is_due(t_ns, view.face_id, searched):
                face = self._looked_at(t_ns, _read(face, reading), image)
            elif is_read:
                face = _read(face, reading)
            yield face

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

    def _looked_at(self, t_ns: int, face: Face, image: NDArray[np.uint8]) -> Face:
        """Return a face with its signs."""
        if self._look is None or max(face.box_px[2:]) < MIN_FACE_PX:
            return face
        last = self._looked if self._looked and self._looked.face_id == face.face_id else None
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
