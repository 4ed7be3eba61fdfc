"""What was expressed while a track played, from the live estimates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affetti.core.clock import NS_PER_S
from affetti.core.events import EmotionFused, Emotions, PerceptionSettings
from affetti.core.fusion import rounded
from affetti.core.state import Track


@dataclass(frozen=True)
class Expressed:
    """The mean fused distribution over a stretch; None where there was no estimate."""

    emotions: Emotions | None
    coverage: float  # share of ticks with an estimate, 0 to 1


def expressed_during(
    track: Track, fused: Sequence[EmotionFused], settings: PerceptionSettings, now_ns: int
) -> Expressed:
    """Summarize the live fused estimates of a track, pauses left out.

    Counted from `music_minimum_s` after the onset: until then the estimates may still be about
    the music before.

    Parameters
    ----------
    track
        As the session's state has it.
    fused
        Every fused estimate of the session.
    settings
        Of the recording's perception.
    now_ns
        Where a track that still plays ends for now.
    """
    period_ns = settings.fusion_period_ns
    begin_ns = track.start_ns + settings.music_minimum_s * NS_PER_S
    end_ns = now_ns if track.end_ns is None else track.end_ns
    pauses = [(p.start_ns, end_ns if p.end_ns is None else p.end_ns) for p in track.pauses]
    ticks = {
        tick
        for tick in range(-(-begin_ns // period_ns) * period_ns, end_ns, period_ns)
        if not any(start <= tick < stop for start, stop in pauses)
    }
    found = [e.emotions for e in fused if e.t_ns in ticks and e.emotions is not None]
    mean = rounded(np.mean(found, axis=0)) if found else None
    return Expressed(mean, len(found) / len(ticks) if ticks else 0.0)
