"""Which emotion is named while others come close: one that was named stays until it is passed.

What is estimated every second wavers inside its own interval, and a word that wavers with it says
more than is known. So the emotion that is named stays named until another is more probable by a
margin.
"""

from collections.abc import Iterable
from typing import Final

from affetti.core.emotions import EMOTIONS, Emotion
from affetti.core.events import Emotions

MARGIN: Final = 0.15


def held(estimates: Iterable[Emotions | None], margin: float = MARGIN) -> list[Emotion | None]:
    """Return what is named at each of some estimates in a row.

    Parameters
    ----------
    estimates
        Probabilities in the order of `EMOTIONS`; None where nothing was said, after which the
        strongest is named anew.
    margin
        By how much another must be more probable than what was named.

    Returns
    -------
    As many as there are estimates; None where nothing was said.
    """
    found: list[Emotion | None] = []
    named: Emotion | None = None
    for emotions in estimates:
        named = following(named, emotions, margin)
        found.append(named)
    return found


def following(
    named: Emotion | None, emotions: Emotions | None, margin: float = MARGIN
) -> Emotion | None:
    """Return what is named at an estimate, after what was named before it."""
    if emotions is None:
        return None
    strongest = max(range(len(EMOTIONS)), key=lambda i: emotions[i])
    if named is None or emotions[strongest] > emotions[EMOTIONS.index(named)] + margin:
        return EMOTIONS[strongest]
    return named
