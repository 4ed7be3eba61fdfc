"""What trainings of a face network share: each can be interrupted, and its rate rises and falls."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import torch

from affetti.core.custody.temporary import replacing

_WARM_UP = 0.1  # of the whole, in which the rate rises


def rate_at(done: float) -> float:
    """Return the share of its height that a rate has: up evenly, then down as half a cosine.

    Parameters
    ----------
    done
        How much of the training is done, 0 to 1.
    """
    if done < _WARM_UP:
        return done / _WARM_UP
    return (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP))) / 2


class Run:
    """A training that goes on where it was interrupted, as if it had not been.

    Attributes
    ----------
    recipe
        A dataclass: what was trained by another one is begun anew.
    checkpoint
        Where it is kept.
    """

    COUNTS: ClassVar[tuple[str, ...]]  # attributes that are kept as they are
    MODULES: ClassVar[tuple[str, ...]]  # attributes whose weights are kept

    recipe: Any
    checkpoint: Path

    def save(self) -> None:
        """Keep everything that the next epoch needs."""
        state: dict[str, Any] = {name: getattr(self, name) for name in self.COUNTS}
        state |= {name: getattr(self, name).state_dict() for name in self.MODULES}
        state["recipe"] = asdict(self.recipe)
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.checkpoint) as fd, open(fd, "wb", closefd=False) as file:
            torch.save(state, file)

    def resume(self) -> bool:
        """Go on from what was kept by the same recipe; return whether there was such a thing."""
        if not self.checkpoint.exists():
            return False
        state = torch.load(self.checkpoint, weights_only=True)
        if state["recipe"] != asdict(self.recipe):
            return False
        for name in self.COUNTS:
            setattr(self, name, state[name])
        for name in self.MODULES:
            getattr(self, name).load_state_dict(state[name])
        return True
