"""Training of the music models (needs the extra `affetti[train]`)."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType

from affetti.core.errors import AffettiError, UsageError
from affetti.models.evaluation.sound import clips as music_clips
from affetti.models.evaluation.sound.accuracy import (
    CROSS_VALIDATED,
    HELD_OUT,
    evaluation,
    out_of_fold,
)
from affetti.models.evaluation.sound.ensemble import MUSICNN, EnsembleRecipe
from affetti.models.evaluation.sound.forest import PaperRecipe, held_out
from affetti.models.evaluation.sound.scores import Labels
from affetti.models.evaluation.sound.table import Progress, Table, feature_table
from affetti.models.manifest import ENTRY, ModelFile
from affetti.models.runtime import onnxruntime
from affetti.models.sound.reasons import QUALITIES

LICENCE: Final = "Apache-2.0; trained on the 4Q audio emotion data set, which is for research use"


@dataclass(frozen=True)
class Trained:
    """A trained model, and what `model.json` says of it."""

    name: str
    summary: str
    model: Any  # of scikit-learn
    rows: NDArray[np.float32]  # what it was trained on, to compare the exported file
    parameters: dict[str, Any]
    figures: str  # how good it is, as Markdown


def train_music(data: Path, recipe: str, out: Path, progress: Progress) -> Path:
    """Train a music model, score it on artists it has not heard, and export it.

    Writes the ONNX file, what it says of itself and its figures (Markdown) into a folder of
    its name in `out`, which so becomes a zoo.

    Parameters
    ----------
    data
        A folder of labelled clips (see `models.evaluation.sound.clips`).
    recipe
        A name in `RECIPES`.
    out
        Where the files go; made when it does not exist.
    progress
        Told how far each step is.

    Returns
    -------
    The file of the figures.

    Raises
    ------
    AffettiError
        The data cannot be read, the recipe is unknown, or the exported file does not say what
        the trained model says.
    """
    if recipe not in RECIPES:
        known = ", ".join(RECIPES)
        raise UsageError("music.no_recipe_music", recipe=recipe, known=known)
    out.mkdir(parents=True, exist_ok=True)
    trained = RECIPES[recipe](data, progress)
    folder = out / trained.name
    folder.mkdir(exist_ok=True)
    path = folder / f"{trained.name}.onnx"
    export(trained.model, trained.rows, path)
    _describe(trained, path)
    figures = path.with_suffix(".tables.md")
    figures.write_text(trained.figures + "\n", encoding="utf-8")
    return figures


def _paper(data: Path, progress: Progress) -> Trained:
    clips = music_clips.read_clips(data)
    table = feature_table(data, clips, progress)
    train, validation = held_out(clips)
    search = PaperRecipe(table, clips, progress)
    choice = search.search(train)
    forest, columns = search.fit(train, choice, search.importance_order(train))
    probabilities = search.probabilities(forest, columns)[None, validation]
    result = evaluation([clips[i] for i in validation], probabilities, 0.0, HELD_OUT)
    return Trained(
        name="music_emotion_paper",
        summary="Random forest on librosa features, the paper's recipe",
        model=forest,
        rows=table.values[:, columns],
        parameters={
            "recipe": "paper",
            "features": [table.names[i] for i in columns],
            "forest": asdict(choice),
            "trained_on": music_clips.digest(data),
        },
        figures=result.as_tables(),
    )


def _ensemble(data: Path, progress: Progress) -> Trained:
    clips = music_clips.read_clips(data)
    recipe = EnsembleRecipe(data, clips, progress)
    probabilities = out_of_fold(clips, recipe.predict, progress)
    fitted = recipe.fit(np.arange(len(clips)))
    return Trained(
        name="music_emotion",
        summary="Linear model and forest on MusiCNN's embedding and descriptors of the sound",
        model=fitted.model,
        rows=recipe.clean.values[:, fitted.columns],
        parameters={
            "recipe": "ensemble",
            "features": [recipe.clean.names[i] for i in fitted.columns],
            "musicnn": MUSICNN,
            "exponent": fitted.exponent,
            "typical": _typical(recipe.clean, fitted.columns),
            "trained_on": music_clips.digest(data),
        },
        figures=evaluation(clips, probabilities, 0.0, CROSS_VALIDATED).as_tables(),
    )


def _typical(table: Table, columns: Labels) -> dict[str, tuple[float, float]]:
    """Return mean and deviation of the features that have words and are read or lead."""
    leading = {quality.leading for quality in QUALITIES}
    prefixes = tuple(prefix for quality in QUALITIES for prefix in quality.prefixes)
    found = {}
    for column, name in enumerate(table.names):
        if name in leading or (column in columns and name.startswith(prefixes)):
            values = table.values[:, column].astype(np.float64)
            found[name] = (round(float(values.mean()), 6), round(float(values.std()), 6))
    return found


RECIPES: Final = {"paper": _paper, "ensemble": _ensemble}


def export(model: Any, rows: NDArray[np.float32], path: Path) -> None:
    """Write a model of scikit-learn as ONNX, and make sure that the file says what it says.

    Parameters
    ----------
    model
        A trained classifier.
    rows
        Shape [n, features]; the two are compared on these.
    path
        The file to write.

    Raises
    ------
    AffettiError
        They differ by more than 1e-5 of probability.
    """
    onnx = convert_sklearn(
        model,
        initial_types=[("features", FloatTensorType([None, rows.shape[1]]))],
        options={id(model): {"zipmap": False}},
    )
    path.write_bytes(onnx.SerializeToString())
    session = onnxruntime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
    exported = session.run(["probabilities"], {"features": rows})[0]
    difference = float(np.abs(exported - model.predict_proba(rows)).max())
    if difference > 1e-5:
        raise AffettiError("music.differs_trained", path=path.name, difference=difference)


def _describe(trained: Trained, path: Path) -> None:
    data = path.read_bytes()
    entry = ModelFile(
        name=trained.name,
        file=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        task="music emotion",
        summary=trained.summary,
        card=path.with_suffix(".md").name,
        licence=LICENCE,
        parameters=trained.parameters,
    )
    listed = msgspec.json.format(msgspec.json.encode(entry))
    (path.parent / ENTRY).write_bytes(listed + b"\n")
