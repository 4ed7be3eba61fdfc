from pathlib import Path

import numpy as np
import pytest

from affetti.models.manifest import onnx_session
from affetti.models.sound.musicnn import WIDTH, Musicnn

# What the original TensorFlow graph, with the original checkpoint, says of `_sweeps()`.
ORIGINAL = Path(__file__).parent / "musicnn_original.npz"


def _sweeps() -> np.ndarray:
    frame, band = np.arange(187)[:, None], np.arange(96)
    steady = np.cos(band * 0.2 + frame * 0.05)
    return np.stack([2 + np.sin(frame * rate) + steady for rate in (0.1, 0.7)]).astype(np.float32)


def test_the_converted_network_says_what_the_original_says():
    embedding, tags = onnx_session("musicnn_msd").run(None, {"patches": _sweeps()})

    with np.load(ORIGINAL) as original:
        assert embedding == pytest.approx(original["embedding"], abs=1e-4)
        assert tags == pytest.approx(original["tags"], abs=1e-5)


def test_a_long_window_is_heard_at_both_its_ends():
    first, last = _sweeps()
    network = Musicnn("musicnn_msd")
    middle = np.zeros((100, 96), np.float32)

    whole = network.embed(np.concatenate([first, middle, last]))

    assert whole.shape == (WIDTH,)
    assert whole == pytest.approx((network.embed(first) + network.embed(last)) / 2, abs=1e-5)
