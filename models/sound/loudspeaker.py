"""What of the room is the loudspeaker, told by what was played.

The playback reaches the microphone later, coloured by loudspeaker and room, and with a tail. Its
mel energies are moved by a delay, smeared by a decay, and weighed band by band: what that leaves of
the room is what others add. All of it is a pure function of the last seconds of both.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.models.sound.heard import FRAMES_PER_S, MEL_BANDS, Energies

MEMORY_S: Final = 15
MIN_S: Final = 6  # of both, before anything is said
UPDATED_S: Final = 5  # how often delay, decay and weights are found anew
MAX_DELAY: Final = 60  # frames
MIN_LIKENESS: Final = 0.3  # of the changes of level: less, and the room does not hear it
# Less even than this, and nothing of the playback can be told in the room: headphones, or others
# who are far louder. Of unrelated sounds 15 in 16 are below, of a loudspeaker alone none.
MAX_UNLIKE: Final = 0.12
DECAYS_S: Final = (0.0, 0.3, 0.6, 1.0)  # in which the tail falls by 60 dB
WITHOUT_OTHERS: Final = 0.4  # quantile over time of room to playback: a voice only adds
TAKEN: Final = 4.0  # so many times as much is taken away, as energies scatter about their mean
LEFT: Final = 1e-3
_SOFT: Final = 1e3  # energy of a frame in which there is next to nothing
_CONTEXT_S: Final = 3


@dataclass(frozen=True)
class _Path:
    """From the playback to the room."""

    delay: int  # frames
    decay_s: float
    weights: NDArray[np.float64]  # [80]

    def predict(self, playback: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what of energies of the playback, [80, frames], the room hears."""
        return _arrived(playback, self.delay, self.decay_s) * self.weights[:, None]


class Loudspeaker:
    """Follows how the playback sounds in the room.

    Attributes
    ----------
    absent
        Whether both were listened to for long enough, and nothing of the playback was found in
        the room.
    """

    def __init__(self) -> None:
        self.absent = False
        self._pairs: deque[tuple[Energies, Energies]] = deque(maxlen=MEMORY_S)
        self._path: _Path | None = None
        self._since = 0

    def forget(self) -> None:
        """Forget both: the room was not listened to, or is another."""
        self._pairs.clear()
        self._path, self._since, self.absent = None, 0, False

    def hear(self, room: Energies, playback: Energies | None) -> Energies | None:
        """Take in a second of both; return what the loudspeaker gives to the last three.

        Parameters
        ----------
        room, playback
            Mel energies at the same time, shape [100, 80]. None where nothing was played.

        Returns
        -------
        Energies, [up to 300, 80]; None while they are not known.
        """
        if playback is None or len(room) != FRAMES_PER_S or len(playback) != FRAMES_PER_S:
            self._pairs.clear()
            self.absent = False
            return None
        self._pairs.append((room, playback))
        self._since += 1
        if len(self._pairs) >= MIN_S and (self._path is None or self._since >= UPDATED_S):
            found, self._since = self._found(), 0
            # Who talks long and loud hides the loudspeaker; it is where it was.
            self._path = None if self.absent else found or self._path
        if self._path is None:
            nothing = np.zeros((_CONTEXT_S * FRAMES_PER_S, MEL_BANDS), np.float32)
            return nothing if self.absent else None
        recent = [played for _, played in self._pairs][-_CONTEXT_S - 1 :]
        heard = self._path.predict(_by_band(np.concatenate(recent).astype(np.float64)))
        return np.ascontiguousarray(heard[:, -_CONTEXT_S * FRAMES_PER_S :].T, np.float32)

    def _found(self) -> _Path | None:
        room = np.concatenate([pair[0] for pair in self._pairs]).astype(np.float64)
        played = np.concatenate([pair[1] for pair in self._pairs]).astype(np.float64)
        delay, likeness = _delay(room, played)
        self.absent = likeness < MAX_UNLIKE
        if likeness < MIN_LIKENESS:
            return None
        room, played = _by_band(room), _by_band(played)
        best, smallest = None, np.inf
        for decay_s in DECAYS_S:
            arrived = _arrived(played, delay, decay_s)
            weights = _weights(room, arrived)
            expected = arrived[:, ::4] * weights[:, None]
            apart = np.log((room[:, ::4] + _SOFT) / (expected + _SOFT))
            if (error := float(np.median(np.abs(apart)))) < smallest:
                best, smallest = _Path(delay, decay_s, weights), error
        return best


def others(room: Energies, loudspeaker: Energies) -> Energies:
    """Return what is left of the room when the loudspeaker is taken away, [n, 80]."""
    left = np.maximum(room - TAKEN * loudspeaker, room * LEFT)
    return np.asarray(left, np.float32)


def share(room: Energies, loudspeaker: Energies) -> float:
    """Return how much of the last second is the loudspeaker's, 0 to 1, two decimals."""
    whole = float(room[-FRAMES_PER_S:].sum())
    part = float(loudspeaker[-FRAMES_PER_S:].sum())
    return round(min(part / whole, 1.0), 2) if whole > 0 else 0.0


def _delay(room: NDArray[np.float64], played: NDArray[np.float64]) -> tuple[int, float]:
    """Return the delay, in frames, at which changes of level are most alike, and how much, to 1."""
    here = np.diff(np.log(room.sum(axis=1) + _SOFT))[MAX_DELAY:]
    there = np.diff(np.log(played.sum(axis=1) + _SOFT))
    here = here - here.mean()
    alike = []
    for delay in range(MAX_DELAY):
        moved = there[MAX_DELAY - delay : len(there) - delay]
        moved = moved - moved.mean()
        size = np.sqrt((here @ here) * (moved @ moved))
        alike.append(float(here @ moved / size) if size > 0 else 0.0)
    best = int(np.argmax(alike))
    return best, alike[best]


def _arrived(played: NDArray[np.float64], delay: int, decay_s: float) -> NDArray[np.float64]:
    """Return energies of the playback, [80, frames], as late and as smeared as they arrive."""
    from scipy.signal import lfilter  # noqa: PLC0415  slow to import

    moved = np.zeros_like(played)
    moved[:, delay:] = played[:, : played.shape[1] - delay]
    if not decay_s:
        return moved
    kept = 10 ** (-6 / (FRAMES_PER_S * decay_s))
    return np.asarray(lfilter([1 - kept], [1, -kept], moved))


def _weights(room: NDArray[np.float64], arrived: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much of each band arrives, by the louder half of its frames."""
    half = room.shape[1] // 2
    loud = np.argpartition(arrived, half)[:, half:]
    ratios = np.take_along_axis(room / (arrived + 100.0), loud, axis=1)
    at = int(WITHOUT_OTHERS * loud.shape[1])
    return np.asarray(np.partition(ratios, at)[:, at])


def _by_band(energies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return energies [frames, 80] with the frames of each band one after the other."""
    return np.ascontiguousarray(energies.T)
