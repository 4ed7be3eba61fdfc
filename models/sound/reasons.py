"""Which qualities of the sound made a music model say what it said.

Each has a code, which `word("sign", code)` of `core.language` puts into a therapist's words.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from affetti.core.emotions import FloatArray

Features = dict[str, float]
# A feature's mean and standard deviation over the windows that the model was trained on.
Typical = dict[str, tuple[float, float]]

MIN_WEIGHT: Final = 0.1  # less is nothing to speak of
_MARKED: Final = 0.3  # standard deviations from the typical that deserve to be said


@dataclass(frozen=True)
class Reason:
    """One quality of the sound."""

    code: str
    weight: float  # by how much the log odds of the named emotion would fall if it were typical


@dataclass(frozen=True)
class Quality:
    """Features that tell of the same thing, and the one that says in which direction it goes."""

    prefixes: tuple[str, ...]
    leading: str
    low: str
    high: str


QUALITIES: Final = (
    Quality(("onset_rate", "beat", "tempo", "pulse"), "onset_rate", "sparse", "busy"),
    Quality(("onset_", "flux", "modulation"), "onset_mean", "soft_attacks", "sharp_attacks"),
    Quality(("mode", "major", "minor", "degree", "key"), "mode", "minor", "major"),
    Quality(("dissonance", "flatness", "contrast"), "dissonance_mean", "smooth", "rough"),
    Quality(("centroid", "rolloff", "mfcc", "band"), "centroid_mean", "dark", "bright"),
    Quality(("register", "pitch_peak"), "register_mean", "low", "high"),
    Quality(("energy", "low_energy", "crest"), "energy_range", "even", "swelling"),
)  # fmt: skip


def reasons(
    features: Features,
    said: FloatArray,
    typical: Typical,
    probabilities: Callable[[Features], FloatArray],
) -> tuple[Reason, ...]:
    """Return the qualities that made the named emotion more probable, the strongest first.

    Each quality's features in turn are replaced by typical ones. What a network learnt by
    itself has no words and is left as it is, so the weights need not add up to anything.

    Parameters
    ----------
    features
        Of one window.
    said
        What the model made of them, shape [4].
    typical
        Of the features that the model reads, and of each quality's leading one.
    probabilities
        The model: features to probabilities, shape [4].
    """
    named = int(said.argmax())
    found = []
    for quality in QUALITIES:
        code = _code(quality, features[quality.leading], *typical[quality.leading])
        if code is None:  # it has no word, whatever its weight
            continue
        changed = features.copy()
        for name in _names_of(quality, tuple(typical)):
            changed[name] = typical[name][0]
        weight = _log_odds(said[named]) - _log_odds(probabilities(changed)[named])
        if weight >= MIN_WEIGHT:
            found.append(Reason(code, round(weight, 3)))
    return tuple(sorted(found, key=lambda reason: -reason.weight))


def _log_odds(probability: float) -> float:
    bounded = min(max(float(probability), 1e-9), 1 - 1e-9)
    return math.log(bounded / (1 - bounded))


@cache
def _names_of(quality: Quality, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the features that tell of this quality, and of none that comes before it."""
    return tuple(name for name in names if _first_of(name) is quality)


def _first_of(name: str) -> Quality | None:
    return next((q for q in QUALITIES if name.startswith(q.prefixes)), None)


def _code(quality: Quality, value: float, mean: float, deviation: float) -> str | None:
    if abs(value - mean) < _MARKED * deviation:
        return None
    return quality.high if value > mean else quality.low
