"""Late fusion: the mean of what the face and the music express."""

import numpy as np

from affetti.core.emotions import FloatArray, divergence_bits, entropy_bits
from affetti.core.events import EmotionFused, Emotions

DECIMALS = 6  # finer differences are those of processors, not of people


def rounded(distribution: FloatArray) -> Emotions:
    """Return a distribution over the four emotions as it is stored: six decimals."""
    a, b, c, d = (round(float(p), DECIMALS) for p in distribution)
    return a, b, c, d


def fuse(t_ns: int, face: Emotions | None, music: Emotions | None) -> EmotionFused:
    """Fuse two distributions over the four emotions, either of which may be missing.

    The mean of both; one alone where the other is missing; no emotions where both are. The
    entropy is that of the fused distribution, the divergence (Jensen-Shannon) that between
    face and music, which the mean would hide.

    Parameters
    ----------
    t_ns
        The tick that the estimate is about.
    face, music
        Distributions over the four emotions.
    """
    if face is None and music is None:
        return EmotionFused(t_ns=t_ns)
    if face is not None and music is not None:
        pair = np.array([face, music])
        mean = pair.mean(axis=0)
        return EmotionFused(
            t_ns=t_ns,
            emotions=rounded(mean),
            decided_by="both",
            entropy_bits=round(float(entropy_bits(mean)), DECIMALS),
            divergence_bits=round(float(divergence_bits(pair[0], pair[1])), DECIMALS),
        )
    alone = np.array(face if face is not None else music)
    return EmotionFused(
        t_ns=t_ns,
        emotions=rounded(alone),
        decided_by="face" if face is not None else "music",
        entropy_bits=round(float(entropy_bits(alone)), DECIMALS),
    )
