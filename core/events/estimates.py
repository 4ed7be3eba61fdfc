"""What perception made of a recording."""

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from affetti.core.emotions import EMOTIONS, EXPRESSIONS
from affetti.core.events.base import OF_ITS_STREAM, Event, Traits, field
from affetti.core.events.capture import StreamName

Modality: TypeAlias = Literal["face", "music"]
SkipReason: TypeAlias = Literal["late", "failed", "consent"]

# One probability for each of EXPRESSIONS and EMOTIONS, in their order.
Expressions: TypeAlias = tuple[float, float, float, float, float, float, float]
Emotions: TypeAlias = tuple[float, float, float, float]

PROBABILITY_TOLERANCE: Final = 1e-3
_EMOTIONS: Final = field(
    "probability of each emotion, 0 to 1",
    tolerance=PROBABILITY_TOLERANCE,
    labels=tuple(emotion.value for emotion in EMOTIONS),
)


class Estimate(Event, frozen=True, kw_only=True):
    """What all estimates share."""


class EstimateSkipped(Event, frozen=True, kw_only=True, tag=True):
    """No live estimate was made from event `of_seq`, or none that may be kept.

    The machine could not keep up or reading failed, or consent ended while it was under way.
    """

    traits: ClassVar = Traits(perceived=False)

    modality: Annotated[Modality, field("of the estimate")]
    of_seq: Annotated[int, field("the event that it would have been made from")]
    reason: Annotated[SkipReason, field("why")] = "late"


class FaceEstimated(Estimate, frozen=True, kw_only=True, tag=True):
    """What the face in a frame expresses; without `expressions`, none could be read.

    Without `box_px` no face was found; one with a box was out of focus or turned too far away.
    `expressions` is the network's word. `emotions` follows from it, after the person's neutral
    bias was taken out where there is a neutral reference.
    """

    traits: ClassVar = Traits(scope="video", perceived=False)

    frame: Annotated[int, field("the frame it was made from")]
    expressions: Annotated[
        Expressions | None,
        field(
            "probability of each expression, 0 to 1",
            tolerance=PROBABILITY_TOLERANCE,
            labels=tuple(expression.value for expression in EXPRESSIONS),
        ),
    ] = None
    emotions: Annotated[Emotions | None, _EMOTIONS] = None
    neutral_reference: Annotated[
        bool, field("whether a neutral reference corrected the emotions")
    ] = False
    box_px: Annotated[
        tuple[int, int, int, int] | None,
        field(
            "the face in the frame",
            "pixels",
            tolerance=1.0,
            labels=("left_px", "top_px", "width_px", "height_px"),
        ),
    ] = None
    faces: Annotated[int, field("how many were found")] = 0
    score: Annotated[float | None, field("the detector's, 0 to 1", tolerance=1e-3)] = None
    sharpness: Annotated[
        float | None, field("variance of the Laplacian of the 48 x 48 face", tolerance=0.1)
    ] = None
    brightness: Annotated[
        float | None, field("mean grey level of the face, 0 to 1", tolerance=1e-3)
    ] = None
    yaw_deg: Annotated[
        float | None,
        field("turn of the head, positive towards the picture's right", "degrees", tolerance=0.1),
    ] = None
    roll_deg: Annotated[
        float | None, field("tilt of the head, positive clockwise", "degrees", tolerance=0.1)
    ] = None


class MusicEstimated(Estimate, frozen=True, kw_only=True, tag=True):
    """What the music expresses in a window; without `emotions`, there was none to hear."""

    traits: ClassVar = Traits(scope=OF_ITS_STREAM, perceived=False)

    stream: Annotated[StreamName, field("which")]
    start_sample: Annotated[int, field("first of the window", "samples")]
    end_sample: Annotated[int, field("end of the window, exclusive", "samples")]
    emotions: Annotated[Emotions | None, _EMOTIONS] = None
    loudness_dbfs: Annotated[
        float,
        field("root mean square of the window", "dB relative to full scale", tolerance=0.01),
    ] = -120.0
    tempo_bpm: Annotated[
        float | None, field("of the window", "beats per minute", tolerance=0.1)
    ] = None
    reasons: Annotated[
        tuple[str, ...], field("what spoke for the strongest emotion, such as minor", tolerance=1)
    ] = ()
    presence: Annotated[
        float | None, field("probability that it is music, 0 to 1", tolerance=PROBABILITY_TOLERANCE)
    ] = None


class EmotionFused(Estimate, frozen=True, kw_only=True, tag=True):
    """Face and music together at a tick; without `emotions`, neither said anything."""

    traits: ClassVar = Traits(perceived=False)

    emotions: Annotated[Emotions | None, _EMOTIONS] = None
    decided_by: Annotated[
        Literal["both", "face", "music", "neither"], field("what they rest on")
    ] = "neither"
    entropy_bits: Annotated[float | None, field("0 (certain) to 2", "bits", tolerance=5e-3)] = None
    divergence_bits: Annotated[
        float | None, field("between face and music: 0 (alike) to 1", "bits", tolerance=5e-3)
    ] = None
