"""Training of the music models (needs the extra `affetti[train]`)."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier

from core.errors import AffettiError, ExitCode
from models.manifest import ModelFile
from models.training import music_clips
from models.training.music_evaluation import HELD_OUT, Evaluation, evaluation
from models.training.music_forest import PaperRecipe, held_out
from models.training.music_scores import tables
from models.training.music_table import Progress, feature_table

LICENCE: Final = "Apache-2.0; trained on the 4Q audio emotion data set, which is for research use"


def train_music(data: Path, recipe: str, out: Path, progress: Progress) -> Evaluation:
    """Train a music model, score it once on artists it has not heard, and export it.

    Writes the ONNX file, its card's tables and its entry of the manifest into `out`.

    Parameters
    ----------
    data
        A folder of labelled clips (see `models.training.music_clips`).
    recipe
        "paper".
    out
        Where the files go; made when it does not exist.
    progress
        Told how far each step is.

    Raises
    ------
    AffettiError
        The data cannot be read, the recipe is unknown, or the exported file does not say what
        the trained forest says.
    """
    if recipe not in RECIPES:
        raise AffettiError(
            f"There is no recipe {recipe!r} for music.",
            f"Known: {', '.join(RECIPES)}.",
            ExitCode.USAGE,
        )
    out.mkdir(parents=True, exist_ok=True)
    return RECIPES[recipe](data, out, progress)


def _train_paper(data: Path, out: Path, progress: Progress) -> Evaluation:
    clips = music_clips.read_clips(data)
    table = feature_table(data, clips, progress)
    train, validation = held_out(clips)
    search = PaperRecipe(table, clips, progress)
    choice = search.search(train)
    forest, columns = search.fit(train, choice, search.importance_order(train))
    names = [table.names[i] for i in columns]
    path = out / "music_emotion_paper.onnx"
    _export(forest, table.values[:, columns], path)
    probabilities = search.probabilities(forest, columns)
    result = evaluation(clips, probabilities, validation, 0.0, HELD_OUT)
    entry = _entry(
        path,
        "Random forest on librosa features, the paper's recipe",
        {"features": names, "trained_on": music_clips.digest(data), "forest": asdict(choice)},
    )
    _add_to_manifest(out, "music_emotion_paper", entry)
    path.with_suffix(".tables.md").write_text(tables(result.scores, result.intervals) + "\n")
    return result


RECIPES: Final = {"paper": _train_paper}


def _export(forest: RandomForestClassifier, rows: NDArray[np.float32], path: Path) -> None:
    """Write the forest as ONNX, and make sure that the file says what the forest says."""
    model = convert_sklearn(
        forest,
        initial_types=[("features", FloatTensorType([None, rows.shape[1]]))],
        options={id(forest): {"zipmap": False}},
    )
    path.write_bytes(model.SerializeToString())
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    exported = session.run(["probabilities"], {"features": rows})[0]
    difference = float(np.abs(exported - forest.predict_proba(rows)).max())
    if difference > 1e-5:
        raise AffettiError(f"The exported {path.name} differs from the forest by {difference:.2g}.")


def _entry(path: Path, summary: str, parameters: dict[str, Any]) -> ModelFile:
    data = path.read_bytes()
    return ModelFile(
        file=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        task="music emotion",
        summary=summary,
        card=path.with_suffix(".md").name,
        licence=LICENCE,
        parameters=parameters,
    )


def _add_to_manifest(folder: Path, name: str, entry: ModelFile) -> None:
    path = folder / "manifest.json"
    entries = msgspec.json.decode(path.read_bytes()) if path.exists() else {}
    entries[name] = msgspec.to_builtins(entry)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(dict(sorted(entries.items())))))
