"""Training of the music models (needs the extra `affetti[train]`)."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, checker, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType

from affetti.core.emotions import EMOTIONS
from affetti.core.errors import AffettiError, UsageError
from affetti.models.evaluation.sound import affect
from affetti.models.evaluation.sound import clips as music_clips
from affetti.models.evaluation.sound.accuracy import (
    HELD_OUT,
    Further,
    evaluation,
    leave_out,
    sources_of,
)
from affetti.models.evaluation.sound.forest import PaperRecipe, held_out
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


def train_music(
    data: Path, recipe: str, out: Path, progress: Progress, further: Further | None = None
) -> Path:
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
    further
        What else to train on, for the recipe "affect".

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
    trained = RECIPES[recipe](data, progress, further or Further())
    folder = out / trained.name
    folder.mkdir(exist_ok=True)
    path = folder / f"{trained.name}.onnx"
    if isinstance(trained.model, affect.Ridges):
        export_ridges(trained.model, trained.rows, path)
    else:
        export(trained.model, trained.rows, path)
    _describe(trained, path)
    figures = path.with_suffix(".tables.md")
    figures.write_text(trained.figures + "\n", encoding="utf-8")
    return figures


def _paper(data: Path, progress: Progress, further: Further) -> Trained:
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


def _affect(data: Path, progress: Progress, further: Further) -> Trained:
    folders = (data, *further.also)
    own, *others = sources_of(folders, progress, further.voices)
    parts = affect.everything([own, *others])
    fitted = affect.fit(parts)
    outside = affect.left_out(parts)
    found = leave_out(folders, progress, further.voices) if others else {}
    tables = [f"### {name}\n\n{each.as_tables()}" for name, each in found.items()]
    return Trained(
        name="music_emotion",
        summary="Valence and arousal by ridge regression on MusiCNN's embedding and descriptors",
        model=fitted,
        rows=own.clean.values,
        parameters={
            "recipe": "affect",
            "features": list(own.clean.names),
            "musicnn_front": affect.FRONT,
            "musicnn_back": affect.BACK,
            "half_widths": [round(float(w), 4) for w in affect.half_widths(outside)],
            "typical": _typical(own.clean),
            "trained_on": music_clips.digest(data),
            "trained_on_also": {path.name: music_clips.digest(path) for path in further.also},
        },
        figures="\n\n".join(tables),
    )


def _typical(table: Table) -> dict[str, tuple[float, float]]:
    """Return mean and deviation of the features that have words."""
    prefixes = tuple(prefix for quality in QUALITIES for prefix in quality.prefixes)
    found = {}
    for column, name in enumerate(table.names):
        if name.startswith(prefixes):
            values = table.values[:, column].astype(np.float64)
            found[name] = (round(float(values.mean()), 6), round(float(values.std()), 6))
    return found


RECIPES: Final = {"paper": _paper, "affect": _affect}


def export_ridges(fitted: affect.Ridges, rows: NDArray[np.float32], path: Path) -> None:
    """Write two ridges and the quadrants that follow from them as ONNX.

    Parameters
    ----------
    fitted
        What was trained.
    rows
        Shape [n, features]; file and training are compared on these.
    path
        The file to write.

    Raises
    ------
    AffettiError
        They differ by more than 1e-5.
    """
    constants = {
        "mean": fitted.mean,
        "scale": fitted.scale,
        "weights": fitted.weights,
        "offset": fitted.offset,
        "nearest": np.array(-affect.FARTHEST),
        "farthest": np.array(affect.FARTHEST),
        "low": np.array(-1.0),
        "high": np.array(1.0),
        "spread": fitted.deviation * np.sqrt(2),
        "half": np.array(0.5),
        "one": np.array(1.0),
    }
    nodes = [
        helper.make_node("Sub", ["features", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["far"]),
        helper.make_node("Clip", ["far", "nearest", "farthest"], ["standard"]),
        helper.make_node("Gemm", ["standard", "weights", "offset"], ["linear"]),
        helper.make_node("Clip", ["linear", "low", "high"], ["circumplex"]),
        helper.make_node("Div", ["circumplex", "spread"], ["away"]),
        helper.make_node("Erf", ["away"], ["erf"]),
        helper.make_node("Add", ["erf", "one"], ["twice"]),
        helper.make_node("Mul", ["twice", "half"], ["sides"]),  # pleasant, aroused
        helper.make_node("Sub", ["one", "sides"], ["others"]),
        helper.make_node("Split", ["sides"], ["pleasant", "aroused"], axis=1, num_outputs=2),
        helper.make_node("Split", ["others"], ["unpleasant", "calm"], axis=1, num_outputs=2),
        *(
            helper.make_node("Mul", list(pair), [emotion.value])
            for emotion, pair in zip(EMOTIONS, _SIDES, strict=True)
        ),
        helper.make_node("Concat", [e.value for e in EMOTIONS], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "affect",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", rows.shape[1]])],
        [
            helper.make_tensor_value_info("circumplex", TensorProto.FLOAT, ["n", 2]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 4]),
        ],
        [
            numpy_helper.from_array(value.astype(np.float32), name)
            for name, value in constants.items()
        ],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=_IR_VERSION
    )
    checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    session = onnxruntime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
    said = session.run(["circumplex", "probabilities"], {"features": rows})
    trained = fitted.circumplex(rows), fitted.probabilities(rows)
    pairs = zip(said, trained, strict=True)
    _compare(path, max(float(np.abs(one - other).max()) for one, other in pairs))


_IR_VERSION: Final = 9
# Which two sides make each of EMOTIONS.
_SIDES: Final = (
    ("pleasant", "aroused"),
    ("unpleasant", "calm"),
    ("unpleasant", "aroused"),
    ("pleasant", "calm"),
)


def _compare(path: Path, difference: float) -> None:
    if difference > 1e-5:
        raise AffettiError("music.differs_trained", path=path.name, difference=difference)


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
    _compare(path, float(np.abs(exported - model.predict_proba(rows)).max()))


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
