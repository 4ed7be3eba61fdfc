"""Where the sound of a stream lies in a session, for whatever writes it out."""

from collections.abc import Iterator

import numpy as np

from affetti.core.clock import NS_PER_S
from affetti.core.recording.stored import Audio


def pieces(audio: Audio) -> Iterator[tuple[int, int, int]]:
    """Yield where pieces of sound lie: from the session's beginning, in the file, and how long.

    All in samples. It is cut wherever samples are missing, and each minute, so that the clock of
    the sound card cannot lead it away from the pictures; each piece lies where its blocks say in
    the median.
    """
    blocks = audio.blocks
    if not len(blocks):
        return
    ends = blocks["sample"] + blocks["count"]
    minute = blocks["t_ns"] // (60 * NS_PER_S)
    apart = (blocks["sample"][1:] != ends[:-1]) | (minute[1:] != minute[:-1])
    for piece in np.split(blocks, np.flatnonzero(apart) + 1):
        row = int(piece["row"][0])
        starts = piece["t_ns"] * audio.rate_hz / NS_PER_S - (piece["row"] - row)
        yield max(0, round(float(np.median(starts)))), row, int(piece["count"].sum())
