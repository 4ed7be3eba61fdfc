"""MusiCNN, a network that was taught to tag music, as a listener: its last hidden layer."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.models.manifest import ModelFile, onnx_session
from affetti.models.sound.features import Frames

PATCH_FRAMES: Final = 187  # three seconds
WIDTH: Final = 200


class Musicnn:
    """The network with the weights of one data set.

    Source: Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio
    tagging" (2019).

    Parameters
    ----------
    source
        The model, or its name in the manifest.

    Raises
    ------
    AffettiError
        The model file is missing or is not the one in the manifest.
    """

    def __init__(self, source: str | ModelFile) -> None:
        self._session = onnx_session(source)

    def embed(self, mel: Frames) -> NDArray[np.float32]:
        """Return the mean embedding of the first and the last three seconds.

        Reading the middle as well costs half as much again and did not help.

        Parameters
        ----------
        mel
            `models.sound.features.Sound.mel`, shape [frames, 96], at least 187 frames.

        Returns
        -------
        Shape [200].
        """
        patches = np.stack([mel[:PATCH_FRAMES], mel[-PATCH_FRAMES:]])
        embeddings = self._session.run(["embedding"], {"patches": patches})[0]
        return np.asarray(embeddings.mean(axis=0), np.float32)
