"""MusiCNN, a network that was taught to tag music, as a listener: its last hidden layer.

Source: Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging"
(2019).
"""

from typing import Final

import numpy as np

from affetti.models.manifest import ModelFile, onnx_session
from affetti.models.sound.frames import (
    KERNEL,
    MEL_FRAME,
    MEL_FRAMES_PER_S,
    MEL_HOP,
    MEL_RATE_HZ,
    Array,
    Level,
    Second,
    Window,
)

PATCH: Final = 184  # frames of 16 ms in three seconds, less those that the first ones need
LATE: Final = KERNEL // 2  # an answer of the front belongs to the frame in the middle of its kernel


class SharedMusicnn:
    """The network in two parts, so that overlapping windows share what they have in common.

    The front, most of the work, answers once to each new frame; the rest listens to the last
    three seconds, once for each second of the stream.

    Parameters
    ----------
    front, back
        The models, or their names in the manifest.

    Raises
    ------
    AffettiError
        A model file is missing or is not the one in the manifest.
    """

    def __init__(self, front: str | ModelFile, back: str | ModelFile) -> None:
        self._front = onnx_session(front)
        self._back = onnx_session(back)

    def embed(self, window: Window) -> Array:
        """Return the mean embedding of all stretches of three seconds, one each second.

        Parameters
        ----------
        window
            At least three seconds.

        Returns
        -------
        Shape [200].
        """
        first = window.first(MEL_RATE_HZ, MEL_FRAME, MEL_HOP) + KERNEL - 1
        ends = range(3, len(window.seconds) + 1)
        stretches = [
            window.seconds[i - 3 : i] for i in ends if MEL_FRAMES_PER_S * i - PATCH >= first
        ]
        found = [self._kept(stretch, window.level) for stretch in stretches]
        return np.asarray(np.mean(found, axis=0), np.float32)

    def _kept(self, stretch: list[Second], level: Level) -> Array:
        before = (stretch[0].mark, stretch[1].mark)
        key = ("embedding", level, before)
        return stretch[-1].kept(key, lambda: self._embedding(stretch, level))

    def _embedding(self, heard: list[Second], level: Level) -> Array:
        mel = np.concatenate([second.mel(level)[KERNEL - 1 :] for second in heard])
        timbre = [second.part("timbre", level, self._timbre) for second in heard]
        patch = {
            "patches": mel[None, -PATCH - LATE : -LATE],
            "timbre": np.concatenate(timbre, axis=2)[:, :, -PATCH:],
        }
        return np.asarray(self._back.run(["embedding"], patch)[0][0], np.float32)

    def _timbre(self, second: Second, level: Level) -> Array:
        found = self._front.run(["timbre"], {"patches": second.mel(level)[None]})[0]
        return np.asarray(found, np.float32)
