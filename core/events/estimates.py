"""What perception made of a recording.

Estimates are one declaration over modality and stream. A modality that is not ours, of a
perceiver that a plug-in brings (`models.perception.plugins`), is an `Estimated`.
"""

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import msgspec

from affetti.core.codes import Code, Name
from affetti.core.emotions import EMOTIONS, EXPRESSIONS
from affetti.core.events.base import OF_ITS_STREAM, Event, Real, Traits, Whole, field

Modality: TypeAlias = str  # "face", "heard", "music", "fused", or that of a plug-in's perceiver
SkipReason: TypeAlias = Literal["late", "failed", "consent"]

# One probability for each of EXPRESSIONS and EMOTIONS, in their order.
Expressions: TypeAlias = tuple[Real, Real, Real, Real, Real, Real, Real]
Emotions: TypeAlias = tuple[Real, Real, Real, Real]

PROBABILITY_TOLERANCE: Final = 1e-3
CIRCUMPLEX_TOLERANCE: Final = 2e-3
# How far the picture's left eye and its right are open, in widths of the eye.
EyesOpen: TypeAlias = tuple[Real, Real]
# Of a face as seen from the front: see `Face.shape`.
FaceShape: TypeAlias = tuple[Real, Real, Real, Real, Real]
Gaze: TypeAlias = Literal["left", "right", "camera"]
_EMOTIONS: Final = field(
    "probability of each emotion, 0 to 1",
    tolerance=PROBABILITY_TOLERANCE,
    labels=tuple(emotion.value for emotion in EMOTIONS),
)
# A modality names a group of the sealed file, a table and a file of the analysis.
MODALITY_PATTERN: Final = "^[a-z][a-z0-9_]{0,31}$"
_MODALITY: Final = field("of what", pattern=MODALITY_PATTERN)


class Estimate(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What all estimates share: of what, made from which stream, and the emotions expressed."""

    modality: Annotated[Modality, _MODALITY]
    stream: Annotated[Name, field("that it was made from")]


class EstimateSkipped(Event, frozen=True, kw_only=True, tag=True):
    """No live estimate was made from event `of_seq`, or none that may be kept.

    The machine could not keep up or reading failed, or consent ended while it was under way.
    """

    traits: ClassVar = Traits(perceived=False)

    modality: Annotated[Modality, _MODALITY]
    of_seq: Annotated[Whole, field("the event that it would have been made from")]
    reason: Annotated[SkipReason, field("why")] = "late"


class Face(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One face in a frame. What it expresses, and how well it was seen, only of one that is read.

    `expressions` is the network's word, against the person's neutral face where there is a
    neutral reference; `emotions` follows from it.

    Landmarks are looked for one to three times a second. Where they were found, which `pitch_deg`
    shows, they say how the head is turned; otherwise `yaw_deg` and `roll_deg` are read off the
    detector's five points, an approximation. Left and right are the picture's.
    """

    face_id: Annotated[Whole, field("the same for as long as the face is followed, from 0")]
    role: Annotated[
        Code, field("patient, therapist, other, picture (nothing in it ever moves), unknown")
    ] = "unknown"
    read: Annotated[bool, field("whether it is looked at for what it expresses")] = False
    box_px: Annotated[
        tuple[Whole, Whole, Whole, Whole],
        field(
            "the face in the frame",
            "pixels",
            tolerance=1.0,
            labels=("left_px", "top_px", "width_px", "height_px"),
        ),
    ]
    score: Annotated[Real | None, field("the detector's, 0 to 1", tolerance=1e-3)] = None
    expressions: Annotated[
        Expressions | None,
        field(
            "probability of each expression, 0 to 1",
            tolerance=PROBABILITY_TOLERANCE,
            labels=tuple(expression.value for expression in EXPRESSIONS),
        ),
    ] = None
    emotions: Annotated[Emotions | None, _EMOTIONS] = None
    unread: Annotated[
        Code | None,
        field("why not: too_small, dark, no_contrast, blurred, turned_away, or another"),
    ] = None
    identity_distance: Annotated[
        Real | None,
        field(
            "how unlike the person it looks, 0 to about 1.5; surely them to .36, hardly above .6",
            tolerance=0.01,
        ),
    ] = None
    sharpness: Annotated[
        Real | None,
        field("share of the finest detail in the grey levels of the face, 0 to 6", tolerance=5e-4),
    ] = None
    brightness: Annotated[
        Real | None, field("mean grey level of the face, 0 to 1", tolerance=1e-3)
    ] = None
    contrast: Annotated[
        Real | None,
        field("standard deviation of the grey levels amid the face, 0 to 0.5", tolerance=5e-4),
    ] = None
    mouth_covered: Annotated[
        Real | None,
        field(
            "probability that something is in front of the mouth, 0 to 1",
            tolerance=PROBABILITY_TOLERANCE,
        ),
    ] = None
    eyes_covered: Annotated[
        Real | None,
        field(
            "probability that something is in front of both eyes, 0 to 1",
            tolerance=PROBABILITY_TOLERANCE,
        ),
    ] = None
    yaw_deg: Annotated[
        Real | None,
        field("turn of the head, positive towards the picture's right", "degrees", tolerance=0.1),
    ] = None
    roll_deg: Annotated[
        Real | None, field("tilt of the head, positive clockwise", "degrees", tolerance=0.1)
    ] = None
    pitch_deg: Annotated[
        Real | None,
        field("how far the face looks up, by its landmarks", "degrees", tolerance=0.1),
    ] = None
    landmarks: Annotated[
        Real | None, field("the landmark network's certainty of a face, 0 to 1", tolerance=1e-3)
    ] = None
    eyes_open: Annotated[
        EyesOpen | None,
        field(
            "how far the lids are apart",
            "widths of the eye",
            tolerance=5e-3,
            labels=("left_eye_open", "right_eye_open"),
        ),
    ] = None
    gaze: Annotated[
        Gaze | None,
        field("where the eyes look: at the camera, or left or right in the picture"),
    ] = None
    gaze_deg: Annotated[
        Real | None,
        field(
            "what it follows from, positive towards the picture's right; good for the side only",
            "degrees",
            tolerance=0.2,
        ),
    ] = None
    shape: Annotated[
        FaceShape | None,
        field(
            "of the face seen from the front",
            "centimetres of the canonical face; the gap of the lips in widths of the mouth",
            tolerance=0.01,
            labels=("brow_height", "brow_slant", "mouth_width", "lip_gap", "lip_height"),
        ),
    ] = None
    reasons: Annotated[
        tuple[Code, ...], field("codes of the signs that the face shows", tolerance=1)
    ] = ()


class FaceEstimated(Estimate, frozen=True, kw_only=True, tag=True):
    """The faces in a frame, and what the one that is read expresses.

    Without `face` none was found that could be the person's; one without `expressions` says
    in `unread` why. What is said of `face` can be asked of the estimate itself.
    """

    traits: ClassVar = Traits(scope="video", perceived=False)

    modality: Annotated[Modality, _MODALITY] = "face"
    stream: Annotated[Name, field("that it was made from")] = "camera"
    frame: Annotated[Whole, field("the frame it was made from")]
    faces: Annotated[
        tuple[Face, ...], field("those that were found, the read one first", one="face")
    ] = ()
    nobody: Annotated[
        Code | None, field("why no face is read though there is one: a code as in `unread`")
    ] = None
    change: Annotated[
        Code | None,
        field("who is read is another from here on: chosen, changed, returned, lost"),
    ] = None
    neutral_reference: Annotated[
        bool, field("whether the face was read against the person's neutral reference")
    ] = False

    @property
    def face(self) -> Face | None:
        """The one that is read; the first of several."""
        return next((face for face in self.faces if face.read), None)

    @property
    def expressions(self) -> Expressions | None:
        """Of the face that is read."""
        return None if self.face is None else self.face.expressions

    @property
    def emotions(self) -> Emotions | None:
        """Of the face that is read."""
        return None if self.face is None else self.face.emotions

    @property
    def box_px(self) -> tuple[int, int, int, int] | None:
        """Of the face that is read."""
        return None if self.face is None else self.face.box_px

    @property
    def score(self) -> float | None:
        """Of the face that is read."""
        return None if self.face is None else self.face.score

    @property
    def identity_distance(self) -> float | None:
        """Of the face that is read."""
        return None if self.face is None else self.face.identity_distance

    @property
    def sharpness(self) -> float | None:
        """Of the face that is read."""
        return None if self.face is None else self.face.sharpness

    @property
    def brightness(self) -> float | None:
        """Of the face that is read."""
        return None if self.face is None else self.face.brightness

    @property
    def contrast(self) -> float | None:
        """Of the face that is read."""
        return None if self.face is None else self.face.contrast

    @property
    def yaw_deg(self) -> float | None:
        """Of the face that is read."""
        return None if self.face is None else self.face.yaw_deg

    @property
    def roll_deg(self) -> float | None:
        """Of the face that is read."""
        return None if self.face is None else self.face.roll_deg

    @property
    def mouth_covered(self) -> float | None:
        """Of the face that is read."""
        return None if self.face is None else self.face.mouth_covered

    @property
    def gaze_deg(self) -> float | None:
        """Of the face that is read."""
        return None if self.face is None else self.face.gaze_deg


class HeardEstimated(Estimate, frozen=True, kw_only=True, tag=True):
    """What kinds of sound are heard in a second of a stream, several at a time; never whose.

    The probabilities follow from the second and the two before it. Noise is what is none of the
    others, quiet what lies no higher than the room's own noise.
    """

    traits: ClassVar = Traits(scope=OF_ITS_STREAM, perceived=False)

    modality: Annotated[Modality, _MODALITY] = "heard"
    start_sample: Annotated[int, field("first of the second", "samples")]
    end_sample: Annotated[int, field("end of the second, exclusive", "samples")]
    heard: Annotated[
        tuple[Code, ...],
        field("music, singing, speech, other_voice, noise, quiet, or others", tolerance=1),
    ] = ()
    music: Annotated[
        float | None,
        field("probability that music is heard, 0 to 1", tolerance=PROBABILITY_TOLERANCE),
    ] = None
    singing: Annotated[
        float | None,
        field("probability that singing is heard, 0 to 1", tolerance=PROBABILITY_TOLERANCE),
    ] = None
    speech: Annotated[
        float | None,
        field("probability that speech is heard, 0 to 1", tolerance=PROBABILITY_TOLERANCE),
    ] = None
    level_dbfs: Annotated[
        float, field("root mean square", "dB relative to full scale", tolerance=0.01)
    ] = -120.0
    background_dbfs: Annotated[
        float, field("of its softest tenth", "dB relative to full scale", tolerance=0.01)
    ] = -120.0
    floor_dbfs: Annotated[
        float,
        field(
            "the stream's own noise: the lowest background of the last minute",
            "dB relative to full scale",
            tolerance=0.01,
        ),
    ] = -120.0
    playback_share: Annotated[
        float | None,
        field(
            "of the room while a track plays: how much of it is the loudspeaker's, 0 to 1",
            tolerance=0.01,
        ),
    ] = None
    voice: Annotated[
        float | None,
        field(
            "of the room while a track plays: probability of a voice beside the loudspeaker's",
            tolerance=0.01,
        ),
    ] = None


class MusicEstimated(Estimate, frozen=True, kw_only=True, tag=True):
    """What the music expresses in a window; without `emotions`, there was none to hear."""

    traits: ClassVar = Traits(scope=OF_ITS_STREAM, perceived=False)

    modality: Annotated[Modality, _MODALITY] = "music"
    start_sample: Annotated[Whole, field("first of the window", "samples")]
    end_sample: Annotated[Whole, field("end of the window, exclusive", "samples")]
    emotions: Annotated[Emotions | None, _EMOTIONS] = None
    loudness_dbfs: Annotated[
        float,
        field("root mean square of the window", "dB relative to full scale", tolerance=0.01),
    ] = -120.0
    tempo_bpm: Annotated[
        float | None, field("of the window", "beats per minute", tolerance=0.1)
    ] = None
    reasons: Annotated[
        tuple[Code, ...],
        field("codes of what spoke for the strongest emotion, in order of weight", tolerance=1),
    ] = ()
    presence: Annotated[
        float | None,
        field(
            "that music or singing is heard: mean of the window's seconds, 0 to 1",
            tolerance=PROBABILITY_TOLERANCE,
        ),
    ] = None
    valence: Annotated[
        float | None, field("-1 unpleasant to 1 pleasant", tolerance=CIRCUMPLEX_TOLERANCE)
    ] = None
    valence_half_width: Annotated[
        float | None,
        field(
            "half the width of its 90 % interval",
            tolerance=CIRCUMPLEX_TOLERANCE,
        ),
    ] = None
    arousal: Annotated[
        float | None, field("-1 calm to 1 activated", tolerance=CIRCUMPLEX_TOLERANCE)
    ] = None
    arousal_half_width: Annotated[
        float | None,
        field(
            "half the width of its 90 % interval",
            tolerance=CIRCUMPLEX_TOLERANCE,
        ),
    ] = None


def deciding(code: str) -> tuple[Modality, ...]:
    """Return the modalities that `EmotionFused.decided_by` stands for."""
    known: dict[str, tuple[Modality, ...]] = {"both": ("face", "music"), "neither": ()}
    names = known.get(code)
    return tuple(code.split("+")) if names is None else names


class EmotionFused(Estimate, frozen=True, kw_only=True, tag=True):
    """All modalities together at a tick; without `emotions`, none said anything."""

    traits: ClassVar = Traits(perceived=False)

    modality: Annotated[Modality, _MODALITY] = "fused"
    stream: Annotated[Name, field("none of its own")] = ""
    emotions: Annotated[Emotions | None, _EMOTIONS] = None
    decided_by: Annotated[
        Code, field('"both", "face", "music", "neither"; with others, all names joined by "+"')
    ] = "neither"
    entropy_bits: Annotated[Real | None, field("0 (certain) to 2", "bits", tolerance=5e-3)] = None
    divergence_bits: Annotated[
        Real | None, field("between face and music: 0 (alike) to 1", "bits", tolerance=5e-3)
    ] = None

    @property
    def decided_by_all(self) -> tuple[Modality, ...]:
        """The modalities that the emotions rest on."""
        return deciding(self.decided_by)


class Estimated(Estimate, frozen=True, kw_only=True, tag=True):
    """An estimate of a modality that a plug-in brings."""

    traits: ClassVar = Traits(scope=OF_ITS_STREAM, perceived=False)

    emotions: Annotated[Emotions | None, _EMOTIONS] = None
    measures: Annotated[
        dict[Code, float], field("whatever else was measured, by name", tolerance=1e-3)
    ] = msgspec.field(default_factory=dict)
    reasons: Annotated[
        tuple[Code, ...], field("codes of what spoke for the strongest emotion")
    ] = ()
