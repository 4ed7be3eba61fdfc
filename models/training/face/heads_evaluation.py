"""How well a network with several heads does on each source.

    python -m affetti.models.training.face.heads_evaluation DATA NETWORK.onnx [PART]

writes `NETWORK.json` beside the network; PART is `public`, to choose by, or `private`, which is
scored once.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from affetti.models.evaluation.face.accuracy import FaceScores, scores
from affetti.models.evaluation.face.data import Faces
from affetti.models.runtime import onnxruntime
from affetti.models.training.face.heads import Answer
from affetti.models.training.face.sources import load_sources

Logits = NDArray[np.float32]

_CHUNK: Final = 64
_TEMPERATURES: Final = np.geomspace(0.25, 4, 161)


class SourceFigures(msgspec.Struct, frozen=True):
    """What a network scores on one part of each source, by the source's name."""

    network: str
    part: str
    sources: dict[str, FaceScores]


def evaluate_heads(folder: Path, network: Path, part: str = "public") -> SourceFigures:
    """Score an ONNX file on the `public` or `private` part of every source in a folder."""
    session = onnxruntime().InferenceSession(network, providers=["CPUExecutionProvider"])
    figures = {}
    for source in load_sources(folder):
        faces: Faces = getattr(source, part)
        copies = source.copied if part == "private" else None
        figures[source.name] = scores(_read(session, faces.images), faces, 0.0, copies)
    return SourceFigures(network.name, part, figures)


def _read(session: Any, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return what a network says of faces by themselves, against nobody's neutral one."""
    grey = images[:, np.newaxis].astype(np.float32)
    others = {
        each.name: np.zeros(each.shape, np.float32)
        for each in session.get_inputs()
        if each.name != "faces"
    }
    starts = range(0, len(grey), _CHUNK)
    parts = [
        session.run(["expressions"], {"faces": grey[i : i + _CHUNK], **others})[0] for i in starts
    ]
    return np.concatenate(parts).astype(np.float64)


def tempered(answer: Answer, left_out: Mapping[str, tuple[Logits, NDArray[np.int64]]]) -> Answer:
    """Return an answer with the temperature under which left-out sources' labels are likeliest.

    Parameters
    ----------
    left_out
        For each source its faces' logits [N, heads, 7], of a network that has not learned from
        it, and their labels [N]. Each source counts alike, however many faces it has.
    """
    pairs = [(torch.from_numpy(x), torch.from_numpy(labels)) for x, labels in left_out.values()]
    losses = [_surprise(_at(answer, float(t)), pairs) for t in _TEMPERATURES]
    return _at(answer, float(_TEMPERATURES[int(np.argmin(losses))]))


def _at(answer: Answer, temperature: float) -> Answer:
    return Answer(answer.mean, answer.joint, temperature)


def _surprise(answer: Answer, pairs: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> float:
    losses = [functional.nll_loss(torch.log(answer(x) + 1e-9), labels) for x, labels in pairs]
    return float(sum(losses) / len(losses))


if __name__ == "__main__":
    data, file = map(Path, sys.argv[1:3])
    result = evaluate_heads(data, file, *sys.argv[3:4])
    written = msgspec.json.format(msgspec.json.encode(result))
    file.with_suffix(".json").write_bytes(written)
