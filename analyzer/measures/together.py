"""On what a fused estimate rests: on several modalities, or on one alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from affetti.analyzer.measures.estimates import ModalityName
from affetti.analyzer.measures.stretches import within
from affetti.core.emotions import Emotion, Expression, Label
from affetti.core.events import Columns
from affetti.core.interruptions import Stretch

_NOTHING = "neither"


@dataclass(frozen=True)
class Together:
    """What the fused estimates of a stretch rest on.

    Attributes
    ----------
    counts
        How many were decided by what: "both", "face", "music", or names joined by "+".
    """

    counts: Mapping[str, int]

    @property
    def alone(self) -> str | None:
        """The modality on which all of them rest; None where several ever spoke, or none."""
        (only,) = self.counts if len(self.counts) == 1 else (None,)
        return None if only is None or only == "both" or "+" in only else only


def together_in(fused: Columns, stretches: Sequence[Stretch]) -> Together:
    """Return what the fused estimates of some stretches rest on.

    Parameters
    ----------
    fused
        Columns of `EmotionFused`.
    stretches
        Those that count.
    """
    t_ns = np.asarray(fused.get("t_ns", np.empty(0)), np.int64)
    by = np.asarray(fused.get("decided_by", np.empty(0, object)), object)
    return Together(Counter(str(each) for each in by[within(t_ns, stretches)] if each != _NOTHING))


def neutral_counts(strongest: Mapping[ModalityName, Label | None]) -> bool:
    """Return whether it is a neutral face that makes face and music together relaxation.

    Parameters
    ----------
    strongest
        What each modality expresses most; None where it says nothing.
    """
    return (
        strongest["fused"] == Emotion.RELAXATION
        and strongest["face"] == Expression.NEUTRAL
        and strongest["music"] != Emotion.RELAXATION
    )
