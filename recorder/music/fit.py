"""Which track fits: calmer, livelier, nearer to or farther from where the music is now.

Arousal and valence span a map. Along each of them a distance counts as much as the model that
said it is known to be right there: by its correlation with what listeners say, from the model's
card. A correlation that nobody measured counts as none.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

from affetti.core.emotions import EMOTIONS, arousal_of
from affetti.models import manifest
from affetti.recorder.music.piece import Piece

Direction: TypeAlias = Literal["calmer", "livelier", "nearer", "farther"]
DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)
_MODEL: Final = "music_emotion"  # that of the product's pipeline
MIN_STEP: Final = 0.1  # of arousal; less is no other music
MAX_PROPOSED: Final = 8


@dataclass(frozen=True)
class Known:
    """How well a place on the map is known: correlations with what listeners say, 0 to 1."""

    valence_r: float
    arousal_r: float


@dataclass(frozen=True)
class Place:
    """A place on the map: valence and arousal, each -1 to 1."""

    valence: float
    arousal: float


def known() -> Known:
    """Return how well the map is known, from the card of the model that reads music.

    Raises
    ------
    AffettiError
        The model is missing.
    """
    measured = manifest.model(_MODEL).measured
    return Known(measured.get("valence_r", 0.0), measured.get("arousal_r", 0.0))


def place_of(piece: Piece) -> Place | None:
    """Return where a track lies on the map; None where there is no music in it."""
    valence, arousal = piece.reading.valence, piece.reading.arousal
    return None if valence is None or arousal is None else Place(valence, arousal)


def place_in(pieces: Sequence[Piece], sha256: str) -> Place | None:
    """Return where a track of the collection lies, by its digest; None where it is in none."""
    return next((place_of(piece) for piece in pieces if piece.sha256 == sha256), None)


def distance(one: Place, other: Place, how: Known) -> float:
    """Return how far two places lie apart, along each axis as far as it is known."""
    return math.hypot(
        how.valence_r * (one.valence - other.valence), how.arousal_r * (one.arousal - other.arousal)
    )


def proposed(
    pieces: Sequence[Piece],
    now: Place,
    direction: Direction,
    how: Known,
    labels: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Piece, ...]:
    """Return the tracks that fit, the one that fits best first.

    Calmer and livelier ones are at least `MIN_STEP` of arousal away, the nearest first, so that
    music moves step by step. Tracks without music in them are never proposed. Those that the
    therapist has labelled for the person come before the others, unless the emotion that she named
    lies on the other side: an angry one is not first among the calmer ones.

    Parameters
    ----------
    pieces
        The collection, without what plays now.
    now
        Where the music is.
    direction
        Where to.
    how
        How well the map is known.
    labels
        By the SHA-256 of a track, the code of the emotion that was named; empty for other words.
    """
    placed = [(piece, place) for piece in pieces if (place := place_of(piece)) is not None]
    sign = {"calmer": -1.0, "livelier": 1.0}.get(direction)
    if sign is not None:
        steps = [(sign * (place.arousal - now.arousal), piece, place) for piece, place in placed]
        placed = [(piece, place) for step, piece, place in steps if step >= MIN_STEP]
    far = direction == "farther"
    key = {id(piece): distance(place, now, how) for piece, place in placed}
    order = sorted((piece for piece, _ in placed), key=lambda p: key[id(p)], reverse=far)
    order.sort(key=lambda piece: not _comes_first(labels.get(piece.sha256), sign))
    return tuple(order[:MAX_PROPOSED])


def _comes_first(label: str | None, sign: float | None) -> bool:
    """Whether a track with this label comes before others, in the direction of a sign."""
    if label is None or sign is None or label not in EMOTIONS:
        return label is not None
    return sign * float(arousal_of([label == emotion for emotion in EMOTIONS])) > 0
