from pathlib import Path

import numpy as np
import pytest

from affetti.models.manifest import onnx_session

# What the original TensorFlow graph, with the original checkpoint, says of `_sweeps()`.
ORIGINAL = Path(__file__).parent / "musicnn_original.npz"
# What the first step of the network, which shifts and scales, makes zero: it pads with zeros.
PADDING = 2.5702412


def _sweeps() -> np.ndarray:
    frame, band = np.arange(187)[:, None], np.arange(96)
    steady = np.cos(band * 0.2 + frame * 0.05)
    return np.stack([2 + np.sin(frame * rate) + steady for rate in (0.1, 0.7)]).astype(np.float32)


def test_the_two_parts_together_say_what_the_original_says():
    front, back = onnx_session("musicnn_front"), onnx_session("musicnn_back")

    with np.load(ORIGINAL) as original:
        for sweep, embedding in zip(_sweeps(), original["embedding"], strict=True):
            padded = np.full((3 * 64 + 6, 96), PADDING, np.float32)
            padded[3:190] = sweep
            answers = [
                front.run(["timbre"], {"patches": padded[None, start : start + 70]})[0]
                for start in (0, 64, 128)
            ]
            patch = {"patches": sweep[None], "timbre": np.concatenate(answers, 2)[:, :, :187]}
            assert back.run(["embedding"], patch)[0][0] == pytest.approx(embedding, abs=1e-4)
