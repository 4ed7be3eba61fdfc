"""Tables of what is heard in windows of clips, by the code that runs live; computed once.

They are kept under the version of the features, the folder's labels and what was done to the
clips; whoever changes `models.sound.frames` or `models.sound.descriptors` raises `FEATURES`.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from affetti.models.evaluation.sound import clips as music_clips
from affetti.models.evaluation.sound.clips import WINDOW_S, Clip, Samples
from affetti.models.evaluation.sound.rooms import Alteration
from affetti.models.evaluation.sound.table import Progress, Table, kept_table
from affetti.models.sound.frames import Listener
from affetti.models.sound.music import features_of
from affetti.models.sound.musicnn import SharedMusicnn

FEATURES: Final = "1"


def heard_table(
    data: Path,
    clips: Sequence[Clip],
    network: SharedMusicnn,
    progress: Progress,
    alteration: tuple[str, Alteration] | None = None,
) -> Table:
    """Return what is heard in a folder's clips; kept in the training folder.

    Parameters
    ----------
    data
        The folder.
    clips
        Its clips, or some of them.
    network
        What to listen with.
    progress
        Told how far it is.
    alteration
        What is done to each clip, and its name; without it, they are heard as they are.

    Of each clip the middle ten seconds are heard.
    """
    name, alter = alteration or ("as it is", None)

    def of(index: int, clip: Clip) -> Iterator[dict[str, float]]:
        samples, rate_hz = music_clips.read_samples(clip)
        window = _middle(samples, rate_hz)
        if alter:
            window = _altered(window, rate_hz, alter, index)
        yield heard(window, rate_hz, network)

    def told(done: int) -> None:
        progress(done, len(clips), f"{data.name}, {name}")

    return kept_table(f"heard-{_key(data, clips, name)}", clips, of, told)


def outer_table(
    data: Path, clips: Sequence[Clip], network: SharedMusicnn, progress: Progress
) -> Table:
    """Return what is heard before and after the middle ten seconds, in the windows of each clip.

    They lie as `clips.windows` cuts them; a clip in which no two lie has none. Kept as
    `heard_table` keeps it, which says what the parameters are.
    """
    name = "before and after"

    def of(index: int, clip: Clip) -> Iterator[dict[str, float]]:
        samples, rate_hz = music_clips.read_samples(clip)
        cut = list(music_clips.windows(samples, rate_hz))
        for place, window in enumerate(cut):
            if 2 * place != len(cut) - 1:
                yield heard(window, rate_hz, network)

    def told(done: int) -> None:
        progress(done, len(clips), f"{data.name}, {name}")

    return kept_table(f"heard-{_key(data, clips, name)}", clips, of, told)


def heard(samples: Samples, rate_hz: int, network: SharedMusicnn) -> dict[str, float]:
    """Return all features of a window by name."""
    return features_of(Listener().cut(samples, rate_hz), network)


def _middle(samples: Samples, rate_hz: int) -> Samples:
    length = min(len(samples), WINDOW_S * rate_hz)
    start = (len(samples) - length) // 2
    return samples[start : start + length]


def _altered(samples: Samples, rate_hz: int, alter: Alteration, seed: int) -> Samples:
    changed = alter(samples.mean(axis=1) / 32_768, rate_hz, np.random.default_rng(seed))
    longest = changed[: WINDOW_S * rate_hz]
    return np.asarray((longest * 32_767).clip(-32_768, 32_767), np.int16)[:, None]


def _key(data: Path, clips: Sequence[Clip], what: str) -> str:
    digest = hashlib.sha256(f"{FEATURES} {what} {music_clips.digest(data)}".encode())
    digest.update("".join(clip.path.name for clip in clips).encode())
    return digest.hexdigest()[:16]
