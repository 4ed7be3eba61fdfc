"""Train a network with a head for each source of labels, from one that was trained before."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from affetti.core.emotions import EXPRESSIONS, Expression
from affetti.core.locations import training_folder
from affetti.models.evaluation.face.data import Faces
from affetti.models.manifest import model
from affetti.models.training.face.augmentation import Augmentation
from affetti.models.training.face.heads import Answer, Heads, Prefix, export_heads, loss
from affetti.models.training.face.recognition import settle
from affetti.models.training.face.runs import Run, rate_at
from affetti.models.training.face.sources import CUT_OUT, FERPLUS, SOURCES, Source, load_sources

Progress: TypeAlias = Callable[[int, int, str], None]
Images: TypeAlias = NDArray[np.uint8]

SMALL_PX: Final = 36
SETTLED_ON: Final = 512  # faces
ASKED_AT_ONCE: Final = 64
NEUTRAL: Final = EXPRESSIONS.index(Expression.NEUTRAL)
NEUTRAL_FACES: Final = 1000
# Chosen on sources that were left out of training.
ANSWER: Final = Answer("geometric", joint=0.5, temperature=0.8)
_DARK: Final = 6  # grey levels; what was blacked out is darker
_ROOM: Final = Augmentation(rotation_deg=20, scale=0.2, shift_px=4, harmed=0.12)


@dataclass(frozen=True)
class HeadsRecipe:
    """Everything that decides how the network is trained.

    Attributes
    ----------
    sources
        What it learns from; each has a head, and all together have one more.
    frozen
        Blocks, from the stem on, that stay as they are.
    small_until
        Until this share of the epochs faces are shrunk to `SMALL_PX`.
    rate, head_rate
        Of learning at its height, for the body and for the heads; it rises for a tenth of the
        training and falls along a cosine.
    shares
        How much of each source's training part is seen in an epoch.
    balance
        Faces of an expression are drawn in proportion to its frequency to the power of
        1 - `balance`.
    smoothing
        What of a label that only one annotator gave is spread over all seven.
    joint
        Weight of the loss of the head that all sources have together.
    background
        Chance that what is black around a face that was cut out is given another grey.
    averaging
        Decay of the running mean of the weights.
    """

    sources: tuple[str, ...] = SOURCES
    frozen: int = 7
    epochs: int = 4
    small_until: float = 0.0
    batch: int = 64
    rate: float = 0.0004
    head_rate: float = 0.001
    shares: dict[str, float] = field(default_factory=lambda: {FERPLUS: 0.6})
    balance: float = 0.3
    smoothing: float = 0.1
    joint: float = 0.5
    background: float = 0.5
    averaging: float = 0.998
    augmentation: Augmentation = _ROOM
    seed: int = 0


# Twice over, and half of FER+: enough to see how a mean of heads travels.
_QUICK: Final = HeadsRecipe(epochs=2, shares={FERPLUS: 0.4, "faces30k": 0.6})
RECIPES: Final = {
    "sources": HeadsRecipe(),
    **{
        f"without_{left}": replace(_QUICK, sources=tuple(s for s in SOURCES if s != left))
        for left in SOURCES
    },
}


def train_heads(folder: Path, recipe: str, out: Path, progress: Progress) -> None:
    """Train a network with several heads and write it as an ONNX file.

    It begins with the body of the zoo's `face_expression`; the one that is shipped began with
    that of the recipe `best`, on which the version before it rested. The state is saved after
    each epoch in the user's cache folder; a training that was interrupted goes on from there.

    Parameters
    ----------
    folder
        What `load_sources` reads.
    recipe
        A name in `RECIPES`.
    out
        The ONNX file to write.
    progress
        Called with epochs done, epochs in all, and a line on how it goes.

    Raises
    ------
    AffettiError
        The data cannot be read.
    """
    chosen = RECIPES[recipe]
    sources = load_sources(folder, chosen.sources)
    checkpoint = training_folder() / f"face-{recipe}.pt"
    run = HeadsRun(chosen, sources, model("face_expression").path, checkpoint)
    while not run.finished:
        mean = run.train_one_epoch()
        progress(run.epoch, chosen.epochs, f"loss {mean:.3f}, {run.public_accuracy}")
    export_heads(run.averaged.module, out, ANSWER, run.usual_features())
    checkpoint.unlink(missing_ok=True)


class HeadsRun(Run):
    """One training from its first epoch, or from its checkpoint, to its last.

    Parameters
    ----------
    sources
        In the order of the recipe's.
    begin
        An ONNX file whose body the training begins with.
    checkpoint
        Where the state is kept after each epoch, and taken from if it is there.
    """

    recipe: HeadsRecipe
    COUNTS = ("epoch", "seconds")
    MODULES = ("network", "averaged", "optimiser")

    def __init__(
        self, recipe: HeadsRecipe, sources: Sequence[Source], begin: Path, checkpoint: Path
    ) -> None:
        self.recipe, self.sources, self.checkpoint = recipe, tuple(sources), checkpoint
        torch.manual_seed(recipe.seed)
        self.network = Heads(len(sources) + 1)
        self.network.begin(begin)
        self.network.freeze(recipe.frozen)
        self.network.to(memory_format=torch.channels_last)
        self.epoch, self.seconds = 0, 0.0
        self.learned = _Learned(sources, recipe)
        settle(self.network.rest, self._settling())
        mean = get_ema_multi_avg_fn(recipe.averaging)
        self.averaged = AveragedModel(self.network, multi_avg_fn=mean, use_buffers=True)
        self.optimiser = _optimiser(self.network, recipe)
        if self.resume():
            self.prefix = Prefix(self.network)

    def _settling(self) -> Any:
        self.prefix = Prefix(self.network)
        chance = np.random.default_rng(self.recipe.seed)
        order = self.learned.order(chance)[:SETTLED_ON]
        return self.prefix(grey(self.learned.images[order]))

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch >= self.recipe.epochs

    def train_one_epoch(self) -> float:
        """Go once through the training faces; return the mean loss."""
        began = time.monotonic()
        mean = self._descend()
        self.epoch += 1
        self.seconds += time.monotonic() - began
        self.save()
        return mean

    def _descend(self) -> float:
        self.network.train()
        # Of its own for each epoch: a training that was interrupted goes on as if it had not been.
        chance = np.random.default_rng([self.recipe.seed, self.epoch])
        torch.manual_seed(1000 * self.recipe.seed + self.epoch)
        order = self.learned.order(chance)
        batches = np.array_split(order, max(1, len(order) // self.recipe.batch))
        total = 0.0
        for i, batch in enumerate(batches):
            self._set_rate((self.epoch + i / len(batches)) / self.recipe.epochs)
            total += self._step(batch, chance)
        return total / len(batches)

    def _step(self, batch: NDArray[np.int64], chance: np.random.Generator) -> float:
        faces = grey(self.learned.changed(batch, chance))
        if self.epoch < self.recipe.small_until * self.recipe.epochs:
            faces = functional.interpolate(faces, size=(SMALL_PX, SMALL_PX), mode="area")
        logits = self.network.rest(self.prefix(faces))
        value = loss(logits, self.learned.targets[batch], self.learned.source[batch])
        value = value + self.recipe.joint * loss(logits, self.learned.targets[batch])
        self.optimiser.zero_grad()
        value.backward()
        self.optimiser.step()
        self.averaged.update_parameters(self.network)
        return float(value.detach())

    def _set_rate(self, done: float) -> None:
        factor = rate_at(done)
        for group in self.optimiser.param_groups:
            group["lr"] = group["height"] * factor

    @property
    def public_accuracy(self) -> str:
        """How often the public faces of each source are read right, by all heads together."""
        return ", ".join(f"{s.name} {self._accuracy(s.public):.1%}" for s in self.sources)

    def _accuracy(self, faces: Faces) -> float:
        expressions = ANSWER(torch.from_numpy(self.logits(faces.images)))
        return float((expressions.argmax(1).numpy() == faces.labels).mean())

    def logits(self, images: Images, mirrored: bool = False) -> NDArray[np.float32]:
        """Return what the heads of the averaged network say of faces, float32 [N, heads, 7]."""
        network = self.averaged.module.eval()
        starts = range(0, len(images), ASKED_AT_ONCE)
        with torch.no_grad():
            parts = [self._asked(network, images[i : i + ASKED_AT_ONCE], mirrored) for i in starts]
        return np.asarray(torch.cat(parts).numpy(), np.float32)

    def _asked(self, network: Heads, images: Images, mirrored: bool) -> Any:
        faces = grey(images)
        seen = network.rest(self.prefix(faces))
        return (seen + network.rest(self.prefix(faces.flip(3)))) / 2 if mirrored else seen

    def usual_features(self) -> NDArray[np.float32]:
        """Return the mean features, float32 [256], of neutral training faces.

        Each source counts alike, and of each at most `NEUTRAL_FACES` faces.
        """
        parts = [source.training for source in self.sources]
        neutral = [part.images[part.labels == NEUTRAL][:NEUTRAL_FACES] for part in parts]
        means = [self._features(images).mean(axis=0) for images in neutral]
        return np.asarray(np.mean(means, axis=0), np.float32)

    def _features(self, images: Images) -> NDArray[np.float32]:
        network = self.averaged.module.eval()
        starts = range(0, len(images), ASKED_AT_ONCE)
        with torch.no_grad():
            faces = [grey(images[i : i + ASKED_AT_ONCE]) for i in starts]
            parts = [network.beyond(self.prefix(x)) for each in faces for x in (each, each.flip(3))]
        return np.asarray(torch.cat(parts).numpy(), np.float32)


class _Learned:
    """The training parts of all sources, one after the other."""

    def __init__(self, sources: Sequence[Source], recipe: HeadsRecipe) -> None:
        parts = [source.training for source in sources]
        self.recipe = recipe
        self.images = np.concatenate([part.images for part in parts])
        self.source = torch.arange(len(parts)).repeat_interleave(
            torch.tensor([len(part) for part in parts])
        )
        self.cut_out = np.concatenate(
            [np.full(len(s.training), s.name in CUT_OUT) for s in sources]
        )
        softened = [_softened(source, recipe.smoothing) for source in sources]
        self.targets = torch.from_numpy(np.concatenate(softened))
        self.times = np.concatenate([_times(source, recipe) for source in sources])

    def order(self, chance: np.random.Generator) -> NDArray[np.int64]:
        """Return the positions of an epoch's faces."""
        # Each face as often as its share says, the fraction left over by chance.
        times = np.floor(self.times + chance.random(len(self.times))).astype(int)
        return chance.permutation(np.repeat(np.arange(len(times)), times))

    def changed(self, batch: NDArray[np.int64], chance: np.random.Generator) -> Images:
        """Return a batch of faces as they might have been, uint8 [n, 48, 48]."""
        faces = self.images[batch].copy()
        for i in np.flatnonzero(self.cut_out[batch]):
            if chance.random() < self.recipe.background:
                faces[i] = before_a_wall(faces[i], chance)
        return self.recipe.augmentation(faces, chance)


def before_a_wall(face: Images, chance: np.random.Generator) -> Images:
    """Give what is black around a face, uint8 [48, 48], an even grey."""
    return np.where(face < _DARK, np.uint8(chance.integers(0, 256)), face)


def _softened(source: Source, smoothing: float) -> NDArray[np.float32]:
    targets = source.training.targets
    if source.name == FERPLUS:  # ten annotators: soft already
        return targets
    return np.asarray((1 - smoothing) * targets + smoothing / targets.shape[1], np.float32)


def _times(source: Source, recipe: HeadsRecipe) -> NDArray[np.float64]:
    targets = source.training.targets.astype(np.float64)
    frequency = np.maximum(targets.mean(axis=0), 1e-6)
    weight = targets @ frequency**-recipe.balance
    share: NDArray[np.float64] = weight / weight.sum()
    return share * len(targets) * recipe.shares.get(source.name, 1.0)


def _optimiser(network: Heads, recipe: HeadsRecipe) -> Any:
    body = [p for name, p in network.named_parameters() if not name.startswith("head.")]
    groups = [
        {"params": [p for p in body if p.requires_grad], "height": recipe.rate},
        {"params": list(network.head.parameters()), "height": recipe.head_rate},
    ]
    return torch.optim.AdamW(groups, recipe.rate, weight_decay=0.05)


def grey(images: Images) -> Any:
    """Return faces as the network takes them, float32 [N, 1, 48, 48]."""
    return torch.from_numpy(images).unsqueeze(1).float()
