"""Train a face network by a named recipe, and write it as ONNX."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import torch
from torch.nn import functional

from core.errors import AffettiError, ExitCode
from core.locations import training_folder
from models.training.face_augmentation import Augmentation
from models.training.face_data import Faces, Fer2013, load_fer2013
from models.training.face_network import Classifier, export_onnx

Progress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True)
class FaceRecipe:
    """Everything that decides how a network is trained.

    Attributes
    ----------
    labels
        "ferplus": the vote shares of ten annotators; "fer2013": the data set's own labels.
    patience
        Training ends when so many epochs in a row bring no lower public loss.
    """

    labels: Literal["ferplus", "fer2013"]
    network: str
    augmentation: Augmentation = field(default_factory=Augmentation)
    epochs: int = 50
    batch: int = 32
    rate: float = 0.001
    patience: int = 6
    seed: int = 0


RECIPES: Final = {
    "paper": FaceRecipe("ferplus", "paper", Augmentation(rotation_deg=15)),
    "paper_fer2013": FaceRecipe("fer2013", "paper", Augmentation(rotation_deg=15)),
}


@dataclass(frozen=True)
class FaceTraining:
    """How a training went."""

    recipe: str
    epochs: int  # trained
    best_epoch: int  # the one that was kept
    public_loss: float  # cross-entropy in nats
    public_accuracy: float
    seconds: float


def train_face(data: Path, recipe: str, out: Path, progress: Progress) -> FaceTraining:
    """Train a network on FER2013 and write it as an ONNX file.

    The state is saved after each epoch in the user's cache folder; a training that was
    interrupted goes on from there when it is called again.

    Parameters
    ----------
    data
        fer2013.zip.
    recipe
        A name in `RECIPES`.
    out
        The ONNX file to write.
    progress
        Called with epochs done, epochs at most, and a line on how it goes.

    Raises
    ------
    AffettiError
        There is no such recipe, or the data cannot be read.
    """
    if recipe not in RECIPES:
        raise AffettiError(
            f"There is no recipe named {recipe!r}.",
            f"Recipes for the face: {', '.join(RECIPES)}.",
            ExitCode.USAGE,
        )
    run = _Run(recipe, RECIPES[recipe], load_fer2013(data))
    while not run.finished:
        progress(run.epoch, run.recipe.epochs, run.train_one_epoch())
    export_onnx(run.best_classifier(), out)
    run.checkpoint.unlink(missing_ok=True)
    return run.outcome()


class _Run:
    """One training from its first epoch, or from its checkpoint, to its last."""

    def __init__(self, name: str, recipe: FaceRecipe, data: Fer2013) -> None:
        self.name, self.recipe = name, recipe
        part = data.ferplus if recipe.labels == "ferplus" else data.fer2013
        self.training, self.public = part(0).labelled, part(1).labelled
        self.checkpoint = training_folder() / f"face-{name}.pt"
        self.chance = torch.Generator().manual_seed(recipe.seed)
        torch.manual_seed(recipe.seed)
        self.classifier = Classifier(recipe.network).to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.Adam(self.classifier.parameters(), recipe.rate)
        self.epoch = self.best_epoch = 0
        self.best_loss, self.best_accuracy = float("inf"), 0.0
        self.best_weights: dict[str, Any] = {}
        self.seconds = 0.0
        self._resume()

    @property
    def finished(self) -> bool:
        waited = self.epoch - self.best_epoch
        return self.epoch >= self.recipe.epochs or waited >= self.recipe.patience

    def train_one_epoch(self) -> str:
        """Go once through the training faces; return a line on how the public ones fare."""
        began = time.monotonic()
        training_loss = self._descend()
        self.epoch += 1
        loss, accuracy = self._measure(self.public)
        if loss < self.best_loss:
            self.best_loss, self.best_accuracy, self.best_epoch = loss, accuracy, self.epoch
            self.best_weights = {k: v.clone() for k, v in self.classifier.state_dict().items()}
        self.seconds += time.monotonic() - began
        self._save()
        return f"loss {training_loss:.3f}, public loss {loss:.3f}, public accuracy {accuracy:.1%}"

    def _descend(self) -> float:
        self.classifier.train()
        order = torch.randperm(len(self.training), generator=self.chance).numpy()
        batches = np.array_split(order, len(order) // self.recipe.batch)
        total = 0.0
        for batch in batches:
            faces = self.recipe.augmentation(_grey(self.training.images[batch]), self.chance)
            targets = torch.from_numpy(self.training.targets[batch])
            # bfloat16 halves the time on processors that have it, and is exact enough.
            with torch.autocast("cpu", torch.bfloat16):
                loss = functional.cross_entropy(self.classifier(faces), targets)
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            total += float(loss.detach())
        return total / len(batches)

    def _measure(self, faces: Faces) -> tuple[float, float]:
        self.classifier.eval()
        with torch.no_grad():
            pieces = [self.classifier(_grey(b)) for b in np.array_split(faces.images, 16)]
        logits = torch.cat(pieces)
        loss = functional.cross_entropy(logits, torch.from_numpy(faces.targets))
        return float(loss), float((logits.argmax(1).numpy() == faces.labels).mean())

    def best_classifier(self) -> Any:
        """Return the network of the best epoch."""
        self.classifier.load_state_dict(self.best_weights)
        return self.classifier

    def outcome(self) -> FaceTraining:
        """Return how the training went."""
        return FaceTraining(
            self.name,
            self.epoch,
            self.best_epoch,
            self.best_loss,
            self.best_accuracy,
            self.seconds,
        )

    _COUNTS = ("epoch", "best_epoch", "best_loss", "best_accuracy", "best_weights", "seconds")

    def _save(self) -> None:
        state = {name: getattr(self, name) for name in self._COUNTS}
        state |= {
            "recipe": asdict(self.recipe),
            "classifier": self.classifier.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "chance": self.chance.get_state(),
        }
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        beside = self.checkpoint.with_suffix(".tmp")
        torch.save(state, beside)
        beside.replace(self.checkpoint)

    def _resume(self) -> None:
        if not self.checkpoint.exists():
            return
        state = torch.load(self.checkpoint, weights_only=True)
        if state["recipe"] != asdict(self.recipe):
            return  # of an earlier version of the recipe
        for name in self._COUNTS:
            setattr(self, name, state[name])
        self.classifier.load_state_dict(state["classifier"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.chance.set_state(state["chance"])


def _grey(images: Any) -> Any:
    return torch.from_numpy(images).unsqueeze(1).float()
