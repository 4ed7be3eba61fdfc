"""Late fusion: the mean of what the modalities express."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from affetti.core.emotions import FloatArray, divergence_bits, entropy_bits
from affetti.core.events import EmotionFused, Emotions

DECIMALS = 6  # finer differences are those of processors, not of people
PAIR: Final = ("face", "music")  # whose disagreement is kept
_NAMES: Final = {(): "neither", PAIR: "both"}


def rounded(distribution: FloatArray) -> Emotions:
    """Return a distribution over the four emotions as it is stored: six decimals."""
    a, b, c, d = (round(float(p), DECIMALS) for p in distribution)
    return a, b, c, d


def fuse(t_ns: int, distributions: Mapping[str, Emotions | None]) -> EmotionFused:
    """Fuse distributions over the four emotions, any of which may be missing.

    The mean of those that there are; no emotions where there are none. The entropy is that of
    the fused distribution, the divergence (Jensen-Shannon) that between face and music, which
    the mean would hide.

    Parameters
    ----------
    t_ns
        The tick that the estimate is about.
    distributions
        From a modality to its distribution, or None.
    """
    there = {name: each for name, each in distributions.items() if each is not None}
    if not there:
        return EmotionFused(t_ns=t_ns)
    mean = np.array(list(there.values())).mean(axis=0)
    pair = [there[name] for name in PAIR if name in there]
    divergence = divergence_bits(*pair) if len(pair) == len(PAIR) else None
    return EmotionFused(
        t_ns=t_ns,
        emotions=rounded(mean),
        decided_by=decided_by(there),
        entropy_bits=round(float(entropy_bits(mean)), DECIMALS),
        divergence_bits=None if divergence is None else round(float(divergence), DECIMALS),
    )


def decided_by(modalities: Mapping[str, object]) -> str:
    """Return what an estimate that rests on modalities says of that: "both", "face+loudness"."""
    names = tuple(sorted(modalities, key=lambda name: (name not in PAIR, name)))
    return _NAMES.get(names) or "+".join(names)
