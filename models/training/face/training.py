"""Train a face network by a named recipe, and write it as ONNX."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import torch
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from affetti.core.environment import environment
from affetti.core.errors import UsageError
from affetti.core.locations import training_folder
from affetti.models.evaluation.face.data import (
    PUBLIC,
    TRAINING,
    UNLABELLED,
    Faces,
    Fer2013,
    find_fer2013,
    load_fer2013,
)
from affetti.models.training.face import heads_training
from affetti.models.training.face.augmentation import Augmentation
from affetti.models.training.face.network import Classifier, Mirrored, export_onnx
from affetti.models.training.face.recognition import FILE_NAME, read_layers, settle
from affetti.models.training.face.runs import Run, rate_at

Progress: TypeAlias = Callable[[int, int, str], None]
Labels: TypeAlias = Literal["ferplus", "fer2013"]

SMALL_PX: Final = 36
SETTLED_ON: Final = 1024  # faces
ASKED_AT_ONCE: Final = 256  # many more, and memory is slower than the network


@dataclass(frozen=True)
class FaceRecipe:
    """Everything that decides how a network is trained.

    Attributes
    ----------
    labels
        What it learns at once: "ferplus", the vote shares of ten annotators, and "fer2013", the
        data set's own labels. The first counts: the network that is written answers in it.
    optimiser
        "adam" at a constant rate; or, with weight decay and a rate that rises for a tenth of the
        training and falls along a cosine, "sgd" (Nesterov momentum) or "adamw" (Loshchilov and
        Hutter 2019).
    patience
        Training ends when so many epochs in a row bring no lower public loss.
    balance
        Faces of an expression are drawn in proportion to its frequency to the power of
        1 - `balance`: 0 as they come, 1 all expressions alike.
    small_until
        Until this share of the epochs faces are shrunk to `SMALL_PX`, which takes half the time.
    averaging
        Decay of the running mean of the weights; 0 for the weights themselves.
    recognition
        Whether it begins with the weights of dlib's face recognition network.
    teachers
        Recipes whose networks are asked as well: half of what is learned is the mean of their
        answers (Hinton et al. 2015). They are trained first where they were not.
    mirrored
        Whether the network that is written reads the mirror image as well.
    calibrated
        Whether its logits are divided by the temperature with the least public loss.
    """

    labels: tuple[Labels, ...]
    network: str
    augmentation: Augmentation
    epochs: int = 50
    batch: int = 32
    optimiser: Literal["adam", "adamw", "sgd"] = "adam"
    rate: float = 0.001
    patience: int = 6
    balance: float = 0.0
    small_until: float = 0.0
    averaging: float = 0.0
    recognition: bool = False
    teachers: tuple[str, ...] = ()
    mirrored: bool = False
    calibrated: bool = False
    seed: int = 0


# What numpy calls the processors that reckon in bfloat16 themselves (Sapphire Rapids and later).
BFLOAT16: Final = frozenset({"AVX512_SPR"})
_PAPER: Final = Augmentation(rotation_deg=15)
_ROOM: Final = Augmentation(rotation_deg=20, scale=0.15, shift_px=4, harmed=0.12)
_BEGUN: Final = FaceRecipe(
    ("ferplus", "fer2013"),
    "recognition",
    _ROOM,
    epochs=28,
    batch=64,
    optimiser="adamw",
    patience=28,
    balance=0.3,
    averaging=0.999,
    recognition=True,
    mirrored=True,
    calibrated=True,
)
RECIPES: Final = {
    "best": replace(
        _BEGUN, network="recognition_128", small_until=0.5, teachers=("residual", "recognition")
    ),
    "recognition": _BEGUN,
    "residual": replace(
        _BEGUN,
        network="residual",
        epochs=40,
        optimiser="sgd",
        rate=0.05,
        patience=40,
        small_until=0.5,
        recognition=False,
    ),
    "paper": FaceRecipe(("fer2013",), "paper", _PAPER),
}


@dataclass(frozen=True)
class FaceTraining:
    """How a training went."""

    recipe: str
    epochs: int  # trained
    best_epoch: int  # the one that was kept
    public_loss: float  # cross-entropy in nats
    public_accuracy: float
    temperature: float
    seconds: float


def train_face(data: Path, recipe: str, out: Path, progress: Progress) -> FaceTraining:
    """Train a network on FER2013 and write it as an ONNX file.

    The state is saved after each epoch in the user's cache folder; a training that was
    interrupted goes on from there when it is called again.

    Parameters
    ----------
    data
        fer2013.zip, or a folder that holds it; dlib's network lies beside it, when the recipe
        begins with that.
    recipe
        A name in `RECIPES`.
    out
        The ONNX file to write. A recipe that learns further labels writes the network that
        answers in them beside it, as `NAME_LABELS.onnx`.
    progress
        Called with epochs done, epochs at most, and a line on how it goes.

    Raises
    ------
    AffettiError
        There is no such recipe, or the data cannot be read.
    """
    if recipe not in RECIPES:
        raise UsageError(
            "training.no_recipe_named",
            recipe=recipe,
            known=", ".join((*RECIPES, *heads_training.RECIPES)),
        )
    archive = find_fer2013(data) or data
    if RECIPES[recipe].recognition:
        read_layers(archive.parent / FILE_NAME)  # to miss it now, not when teachers are trained
    for teacher in RECIPES[recipe].teachers:
        if not _answers_of(teacher).exists():
            train_face(archive, teacher, training_folder() / f"face-{teacher}.onnx", progress)
    run = _Run(recipe, RECIPES[recipe], load_fer2013(archive))
    run.begin(archive.parent)
    while not run.finished:
        line = run.train_one_epoch()
        progress(run.epoch, run.recipe.epochs, line)
    outcome = run.export(out)
    run.checkpoint.unlink(missing_ok=True)
    return outcome


class _Run(Run):
    """One training from its first epoch, or from its checkpoint, to its last."""

    recipe: FaceRecipe
    COUNTS = ("epoch", "best_epoch", "best_loss", "best_accuracy", "best_weights", "seconds")
    MODULES = ("classifier", "averaged", "optimiser")

    def __init__(self, name: str, recipe: FaceRecipe, data: Fer2013) -> None:
        self.name, self.recipe = name, recipe
        self.training = _LabelledFaces(data, TRAINING, recipe)
        self.public = _LabelledFaces(data, PUBLIC, recipe)
        self.checkpoint = training_folder() / f"face-{name}.pt"
        torch.manual_seed(recipe.seed)
        classifier = Classifier(recipe.network, len(recipe.labels))
        self.classifier = classifier.to(memory_format=torch.channels_last)
        self.averaged = AveragedModel(
            self.classifier,
            multi_avg_fn=get_ema_multi_avg_fn(recipe.averaging),
            use_buffers=True,
        )
        self.optimiser = _optimiser(recipe, self.classifier)
        self.brief = not BFLOAT16.isdisjoint(environment().instruction_sets)
        self.epoch = self.best_epoch = 0
        self.best_loss, self.best_accuracy = math.inf, 0.0
        self.best_weights: dict[str, Any] = {}
        self.seconds = 0.0

    def begin(self, folder: Path) -> None:
        """Go on from the checkpoint, or take the weights in `folder` that the recipe asks for."""
        if self.recipe.teachers:
            answers = torch.stack([self._answers(teacher) for teacher in self.recipe.teachers])
            self.training.targets = (self.training.targets + answers.mean(dim=0)) / 2
        self.resume()
        if self.epoch == 0 and self.recipe.recognition:
            self.classifier.network[1].load(folder / FILE_NAME)
            settle(self.classifier, _grey(self.training.images[:SETTLED_ON]))
            self.averaged.module.load_state_dict(self.classifier.state_dict())

    def _answers(self, teacher: str) -> Any:
        """Return what a trained network says of the training faces, [N, heads, 7].

        As soft as the labels are: a network that is sure of itself teaches little.
        """
        with np.load(_answers_of(teacher)) as logits:
            training, public = (torch.from_numpy(logits[name]) for name in ("training", "public"))
        heads = range(len(self.recipe.labels))
        softness = [_temperature(public[:, i], self.public.targets[:, i]) for i in heads]
        return torch.softmax(training / torch.tensor(softness).view(1, -1, 1), dim=2)

    @property
    def finished(self) -> bool:
        waited = self.epoch - self.best_epoch
        return self.epoch >= self.recipe.epochs or waited >= self.recipe.patience

    def train_one_epoch(self) -> str:
        """Go once through the training faces; return a line on how the public ones fare."""
        began = time.monotonic()
        training_loss = self._descend()
        self.epoch += 1
        logits = _logits(self.averaged.module, self.public.images)[:, 0]
        loss = float(functional.cross_entropy(logits, self.public.targets[:, 0]))
        accuracy = float((logits.argmax(1) == self.public.labels).double().mean())
        if loss < self.best_loss:
            self.best_loss, self.best_accuracy, self.best_epoch = loss, accuracy, self.epoch
            weights = self.averaged.module.state_dict()
            self.best_weights = {key: value.clone() for key, value in weights.items()}
        self.seconds += time.monotonic() - began
        self.save()
        return f"loss {training_loss:.3f}, public loss {loss:.3f}, public accuracy {accuracy:.1%}"

    def _descend(self) -> float:
        self.classifier.train()
        # Of its own for each epoch: a training that was interrupted goes on as if it had not been.
        chance = np.random.default_rng([self.recipe.seed, self.epoch])
        torch.manual_seed(1000 * self.recipe.seed + self.epoch)
        batches = self.training.batches(chance)
        total = 0.0
        for i, batch in enumerate(batches):
            self._set_rate(self.epoch + i / len(batches))
            faces = _grey(self.recipe.augmentation(self.training.images[batch], chance))
            if self.epoch < self.recipe.small_until * self.recipe.epochs:
                faces = functional.interpolate(faces, size=(SMALL_PX, SMALL_PX), mode="area")
            # bfloat16 halves the time on processors that have it, and takes ten times as long else.
            with torch.autocast("cpu", torch.bfloat16, enabled=self.brief):
                loss = _loss(self.classifier(faces), self.training.targets[batch])
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.averaged.update_parameters(self.classifier)
            total += float(loss.detach())
        return total / len(batches)

    def _set_rate(self, epoch: float) -> None:
        if self.recipe.optimiser == "adam":
            return
        done = epoch / self.recipe.epochs
        factor = rate_at(done)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate * factor

    def export(self, out: Path) -> FaceTraining:
        """Write the network of the best epoch, once for each way of labelling."""
        self.classifier.load_state_dict(self.best_weights)
        network = Mirrored(self.classifier) if self.recipe.mirrored else self.classifier
        logits = _logits(network, self.public.images)
        if any(self.name in recipe.teachers for recipe in RECIPES.values()):
            training = _logits(network, self.training.images)
            np.savez(_answers_of(self.name), training=training.numpy(), public=logits.numpy())
        temperatures = []
        for head, labels in enumerate(self.recipe.labels):
            truth = self.public.targets[:, head].argmax(1)
            temperature = _temperature(logits[:, head], truth) if self.recipe.calibrated else 1.0
            path = out if head == 0 else out.with_stem(f"{out.stem}_{labels}")
            export_onnx(network, path, head, temperature)
            temperatures.append(temperature)
        return FaceTraining(
            self.name,
            self.epoch,
            self.best_epoch,
            self.best_loss,
            self.best_accuracy,
            temperatures[0],
            self.seconds,
        )


class _LabelledFaces:
    """One part of the data as a recipe wants it: the faces that its first labels name.

    `images` uint8 [N, 48, 48]; `labels` int64 [N], the first labels; `targets` float32
    [N, heads, 7].
    """

    def __init__(self, data: Fer2013, usage: int, recipe: FaceRecipe) -> None:
        parts = [getattr(data, labels)(usage) for labels in recipe.labels]
        first: Faces = parts[0]
        named = first.labels != UNLABELLED
        self.images = first.images[named]
        self.labels = torch.from_numpy(first.labels[named])
        self.targets = torch.from_numpy(np.stack([part.targets[named] for part in parts], axis=1))
        self.batch = recipe.batch
        frequency = first.targets[named].mean(axis=0)
        weight = first.targets[named] @ frequency**-recipe.balance
        self.share = weight.astype(np.float64) / weight.sum(dtype=np.float64)

    def batches(self, chance: np.random.Generator) -> list[Any]:
        """Return the positions of an epoch's faces, batch by batch."""
        expected = self.share * len(self.share)
        # Each face as often as its share says, the fraction left over by chance.
        times = np.floor(expected + chance.random(len(expected))).astype(int)
        order = chance.permutation(np.repeat(np.arange(len(expected)), times))
        return np.array_split(order, max(1, len(order) // self.batch))


def _answers_of(recipe: str) -> Path:
    """Where the logits of a trained network on the faces it was trained and tuned on are kept."""
    return training_folder() / f"face-{recipe}.npz"


def _optimiser(recipe: FaceRecipe, classifier: Any) -> Any:
    if recipe.optimiser == "adam":
        return torch.optim.Adam(classifier.parameters(), recipe.rate)
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(classifier.parameters(), recipe.rate, weight_decay=0.05)
    return torch.optim.SGD(
        classifier.parameters(), recipe.rate, momentum=0.9, weight_decay=5e-4, nesterov=True
    )


def _loss(logits: Any, targets: Any) -> Any:
    """Sum over the ways of labelling of the mean cross-entropy; [N, heads, 7] both."""
    mean = functional.cross_entropy(logits.transpose(1, 2), targets.transpose(1, 2))
    return mean * logits.shape[1]


def _logits(network: Any, images: Any) -> Any:
    network.eval()
    pieces = np.array_split(images, -(-len(images) // ASKED_AT_ONCE))
    with torch.no_grad():
        return torch.cat([network(_grey(piece)) for piece in pieces])


def _temperature(logits: Any, labels: Any) -> float:
    """Return the temperature under which the labels are likeliest (Guo et al. 2017)."""
    candidates = np.geomspace(0.25, 4, 401)
    losses = [float(functional.cross_entropy(logits / t, labels)) for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def _grey(images: Any) -> Any:
    return torch.from_numpy(images).unsqueeze(1).float()
