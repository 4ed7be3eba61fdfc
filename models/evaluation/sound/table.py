"""Tables of the paper's features: a row for each window of each clip, computed once and kept."""

import hashlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.core import locations
from affetti.models.evaluation.sound import clips as music_clips
from affetti.models.evaluation.sound import rooms as music_rooms
from affetti.models.evaluation.sound.clips import Clip, Samples
from affetti.models.evaluation.sound.rooms import Alteration
from affetti.models.sound import features
from affetti.models.sound.features import Sound, mono, normalized, paper_features

# How much is done, how much there is, and what is being done.
Progress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Table:
    """Features of windows, and the clip that each window was cut from."""

    names: tuple[str, ...]
    values: NDArray[np.float32]  # [windows, features]
    clip: NDArray[np.int64]  # [windows], index of the clip


def feature_table(
    data: Path,
    clips: Sequence[Clip],
    progress: Progress,
    *,
    step_s: int = music_clips.WINDOW_S,
    alteration: tuple[str, Alteration] | None = None,
) -> Table:
    """Return the paper's features of every window of every clip; kept in the training folder.

    What was kept is used again only while the clips and the code of the features are the same.

    Parameters
    ----------
    data
        The folder of the clips.
    clips
        Its clips, or some of them.
    progress
        Told how far it is.
    step_s
        Distance of the windows of a clip.
    alteration
        What is done to each clip first, and its name.
    """
    altered, alter = alteration or ("as it is", None)
    key = _key(data, clips, f"{step_s} {altered}", altered=alter is not None)

    def of(index: int, clip: Clip) -> Iterator[dict[str, float]]:
        samples, rate_hz = music_clips.read_samples(clip)
        if alter:
            samples = _altered(samples, rate_hz, alter, index)
        for window in music_clips.windows(samples, rate_hz, step_s):
            yield paper_features(Sound(normalized(mono(window, rate_hz))))

    def told(done: int) -> None:
        progress(done, len(clips), f"features, {altered}")

    return kept_table(f"music-{key}", clips, of, told)


def kept_table(
    name: str,
    clips: Sequence[Clip],
    of: Callable[[int, Clip], Iterator[dict[str, float]]],
    told: Callable[[int], None],
) -> Table:
    """Return the features of clips; once worked out, they are kept.

    Parameters
    ----------
    name
        What they are kept as.
    clips
        In the order wanted.
    of
        From a clip's place and the clip to the features of each of its windows.
    told
        Called with how many clips are done, where they have to be worked out.
    """
    cache = locations.training_folder() / f"{name}.npz"
    if cache.exists():
        with np.load(cache) as kept:
            return Table(tuple(kept["names"].tolist()), kept["values"], kept["clip"])
    found: list[tuple[int, dict[str, float]]] = []
    for index, clip in enumerate(clips):
        told(index)
        found += ((index, row) for row in of(index, clip))
    told(len(clips))
    names = tuple(found[-1][1]) if found else ()
    values = np.array([list(row.values()) for _, row in found], np.float32)
    table = Table(names, values, np.array([index for index, _ in found]))
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.savez(cache, names=np.array(names), values=table.values, clip=table.clip)
    return table


def _altered(samples: Samples, rate_hz: int, alter: Alteration, seed: int) -> Samples:
    signal = samples.mean(axis=1) / 32_768
    changed = alter(signal, rate_hz, np.random.default_rng(seed))
    return np.asarray((changed * 32_767).clip(-32_768, 32_767), np.int16)[:, None]


def _key(data: Path, clips: Sequence[Clip], what: str, *, altered: bool) -> str:
    digest = hashlib.sha256(what.encode())
    sources = [features, *([music_rooms] if altered else [])]
    for module in sources:
        digest.update(inspect.getsource(module).encode())
    digest.update(music_clips.digest(data).encode())
    digest.update("".join(clip.path.name for clip in clips).encode())
    return digest.hexdigest()[:16]
