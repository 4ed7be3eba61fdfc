"""Tables of features: a row for each window of each clip, computed once and kept."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core import locations
from models import features
from models.features import Sound, mono, normalized, paper_features
from models.training import music_clips
from models.training.music_clips import Clip

# How much is done, how much there is, and what is being done.
Progress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Table:
    """Features of windows, and the clip that each window was cut from."""

    names: tuple[str, ...]
    values: NDArray[np.float32]  # [windows, features]
    clip: NDArray[np.int64]  # [windows], index of the clip


def paper_table(data: Path, clips: Sequence[Clip], progress: Progress) -> Table:
    """Return the paper's features of every window of every clip; kept in the training folder.

    What was kept is used again only while the clips and the code of the features are the same.
    """
    source = Path(features.__file__).read_bytes() + music_clips.digest(data).encode()
    key = hashlib.sha256(source).hexdigest()[:16]
    cache = locations.training_folder() / f"music-paper-{key}.npz"
    if cache.exists():
        with np.load(cache) as kept:
            return Table(tuple(kept["names"].tolist()), kept["values"], kept["clip"])
    rows: list[dict[str, float]] = []
    of_clip: list[int] = []
    for index, clip in enumerate(clips):
        progress(index, len(clips), "features")
        samples, rate_hz = music_clips.read_samples(clip)
        for window in music_clips.windows(samples, rate_hz):
            rows.append(paper_features(Sound(normalized(mono(window, rate_hz)))))
            of_clip.append(index)
    progress(len(clips), len(clips), "features")
    values = np.array([list(row.values()) for row in rows], np.float32)
    table = Table(tuple(rows[0]), values, np.array(of_clip))
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.savez(cache, names=np.array(table.names), values=values, clip=table.clip)
    return table
