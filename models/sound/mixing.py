"""From channels to one signal: sides in opposite phase do not cancel, the bass channel is left out.

How channels are mixed is decided once for a window, from sums that are exact: it is the same on
every machine, and however the window was put together.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float32]
Samples = NDArray[np.int16]
Signs = tuple[int, ...]

# Layouts of six channels and more have the bass channel (LFE) fourth.
_BASS: Final = 3
_WITH_BASS: Final = 6
# A stereo recording of distant things has sides that are hardly related; only sides that
# contradict each other are turned over.
_OPPOSITE: Final = -0.1
_FULL_SCALE: Final = 32_768


@dataclass(frozen=True)
class Moments:
    """Exact sums over samples of all channels: of themselves, and of their products."""

    count: int
    sums: NDArray[np.float64]  # [channels]
    products: NDArray[np.float64]  # [channels, channels]

    @classmethod
    def of(cls, samples: Samples) -> "Moments":
        """Sum up int16 samples, shape [n, channels]; whole numbers below 2**53, so exact."""
        values = np.ascontiguousarray(samples.T, np.float64)  # one channel after the other
        return cls(len(samples), values.sum(axis=1), values @ values.T)

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.count + other.count, self.sums + other.sums, self.products + other.products
        )

    @property
    def signs(self) -> Signs:
        """By channel 1, -1 (turned over before it is mixed) or 0 (left out)."""
        channels = len(self.sums)
        bass = _BASS if channels >= _WITH_BASS else None
        centred = self.products - np.outer(self.sums, self.sums) / max(self.count, 1)
        energy = np.diag(centred).copy()
        if bass is not None:
            energy[bass] = -1
        leading = int(energy.argmax())
        scale = np.sqrt(np.maximum(energy * energy[leading], 0))
        opposite = centred[leading] < _OPPOSITE * scale
        return tuple(
            0 if i == bass else -1 if opposite[i] and i != leading else 1 for i in range(channels)
        )

    def deviation(self, signs: Signs) -> float:
        """Return the standard deviation of the mix, full scale 1."""
        weights = np.array(signs, np.float64)
        total = float(weights @ self.products @ weights)
        mean = float(weights @ self.sums) / max(self.count, 1)
        variance = total / max(self.count, 1) - mean**2
        return float(np.sqrt(max(variance, 0))) / (_FULL_SCALE * np.count_nonzero(weights))


def mixed(samples: Samples, signs: Signs) -> Signal:
    """Return the mean of the channels that count, shape [n], full scale from -1 to 1."""
    used = [(i, sign) for i, sign in enumerate(signs) if sign]
    first, sign = used[0]
    total = samples[:, first].astype(np.float32)
    if sign < 0:
        np.negative(total, out=total)
    for i, sign in used[1:]:
        add = np.add if sign > 0 else np.subtract
        add(total, samples[:, i].astype(np.float32), out=total)
    total *= np.float32(1 / (_FULL_SCALE * len(used)))
    return total
