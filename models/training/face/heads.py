"""A network with one body and a head for each source of labels, and its export to ONNX.

A head learns its annotators' habits: how soon they say neutral, how seldom fear. What the mean of
the heads says is nobody's habit alone, and the body that all of them share travels better.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

from affetti.core.emotions import EXPRESSIONS
from affetti.core.errors import ModelError
from affetti.models.evaluation.face.data import FACE_PX
from affetti.models.runtime import onnxruntime
from affetti.models.training.face.network import OPSET, Enlarged, Standardised, write_onnx
from affetti.models.training.face.recognition import Recognition, Weights

BLOCKS: Final = 11
SIDE_PX: Final = 128
FEATURES: Final = 256


class Heads(nn.Module):  # type: ignore[misc]
    """Grey levels in, logits over the seven expressions out, once for each source.

    Parameters
    ----------
    heads
        How many ways of labelling it learns at once.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.standardised = Standardised()
        self.enlarged = Enlarged(SIDE_PX)
        self.trunk = Recognition(channels=1, blocks=BLOCKS, padded=True)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(FEATURES, heads * len(EXPRESSIONS))
        self.heads, self.frozen = heads, 0

    def features(self, faces: Any) -> Any:
        """Return [N, 256] of faces [N, 1, S, S], grey levels 0 to 255; S is 48, or less."""
        return self.beyond(self.before(faces))

    def before(self, faces: Any) -> Any:
        """Return what the last frozen block sees in faces, [N, C, H, W]."""
        standardised = self.standardised(faces).contiguous(memory_format=torch.channels_last)
        trunk = self.trunk
        x = torch.relu(trunk.stem_norm(trunk.stem(self.enlarged(standardised))))
        return trunk.blocks[: self.frozen](functional.max_pool2d(x, 3, 2, trunk.padding))

    def beyond(self, seen: Any) -> Any:
        """Return features [N, 256] of what the last frozen block sees."""
        return self.trunk.blocks[self.frozen :](seen).mean(dim=(2, 3))

    def answers(self, features: Any) -> Any:
        """Return logits [N, heads, 7] of features [N, 256]."""
        return self.head(features).view(-1, self.heads, len(EXPRESSIONS))

    def forward(self, faces: Any) -> Any:
        """Return logits [N, heads, 7] of faces [N, 1, S, S]."""
        return self.answers(self.dropout(self.features(faces)))

    @property
    def rest(self) -> "Rest":
        """What comes after the frozen blocks."""
        return Rest(self)

    def begin(self, path: Path) -> None:
        """Take the body of a network that was exported as ONNX; the heads stay as they are.

        Raises
        ------
        AffettiError
            The file is missing, or holds another network.
        """
        try:
            layers = read_convolutions(path)
            for layer, values in zip(self.convolutions, layers, strict=True):
                _fill(*layer, *values)
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelError("heads.not_hold_body_face", path=path.name, error=error) from error

    @property
    def convolutions(self) -> list[tuple[Any, Any]]:
        """Each convolution and the normalisation that follows it, from the stem on."""
        found = [(self.trunk.stem, self.trunk.stem_norm)]
        for block in self.trunk.blocks:
            found += [(block.first, block.first_norm), (block.second, block.second_norm)]
        return found

    def freeze(self, blocks: int) -> None:
        """Learn nothing in the stem and the first `blocks` blocks, which lets their time be saved.

        Their normalisations keep what they have; so does the network in `train`.
        """
        self.frozen = blocks
        for module in (self.trunk.stem, self.trunk.stem_norm, *self.trunk.blocks[:blocks]):
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> Any:
        """Begin to learn, but for what is frozen."""
        super().train(mode)
        if self.frozen:
            for module in (self.trunk.stem_norm, *self.trunk.blocks[: self.frozen]):
                module.eval()
        return self


def _fill(convolution: Any, norm: Any, weights: Weights, bias: Weights) -> None:
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor(weights))
        convolution.bias.copy_(torch.tensor(bias))
        norm.weight.fill_((1 + norm.eps) ** 0.5)  # melted into the convolution: it changes nothing


class Rest(nn.Module):  # type: ignore[misc]
    """What comes after the frozen blocks of a network, as a network."""

    def __init__(self, network: Heads) -> None:
        super().__init__()
        self.blocks = network.trunk.blocks[network.frozen :]
        self.dropout, self.network = network.dropout, [network]

    def forward(self, seen: Any) -> Any:
        """Return logits [N, heads, 7] of what the last frozen block sees."""
        (network,) = self.network
        return network.answers(self.dropout(self.blocks(seen).mean(dim=(2, 3))))


class _Before(nn.Module):  # type: ignore[misc]
    def __init__(self, network: Heads) -> None:
        super().__init__()
        self.network = network

    def forward(self, faces: Any) -> Any:
        return self.network.before(faces)


class Prefix:
    """The frozen blocks of a network, run by ONNX Runtime: in half the time that torch takes."""

    def __init__(self, network: Heads) -> None:
        file = io.BytesIO()
        axes = {0: "n", 2: "height", 3: "width"}
        torch.onnx.export(
            _Before(network).eval(),
            (torch.zeros(2, 1, FACE_PX, FACE_PX),),
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=["faces"],
            output_names=["seen"],
            dynamic_axes={"faces": axes, "seen": axes},
        )
        options = onnxruntime().SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self._session = onnxruntime().InferenceSession(
            file.getvalue(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, faces: Any) -> Any:
        """Return what the last frozen block sees, [N, C, H, W], of faces [N, 1, S, S]."""
        (seen,) = self._session.run(["seen"], {"faces": faces.numpy()})
        return torch.from_numpy(seen).contiguous(memory_format=torch.channels_last)


def read_convolutions(path: Path) -> list[tuple[Weights, Weights]]:
    """Return weights and bias of each convolution of an ONNX file, in the order of the graph.

    Raises
    ------
    OSError, ValueError
        The file is missing, or is not a network.
    """
    try:
        graph = onnx.load_from_string(path.read_bytes()).graph
    except OSError:
        raise
    except Exception as error:  # protobuf's own, which has no stable name
        raise ValueError(str(error)) from error
    values = {w.name.removesuffix(".half"): w for w in graph.initializer}
    layers = [node.input[1:3] for node in graph.node if node.op_type == "Conv"]
    return [(_float(values[weights]), _float(values[bias])) for weights, bias in layers]


def _float(tensor: Any) -> Weights:
    return np.asarray(numpy_helper.to_array(tensor), np.float32)


def loss(logits: Any, targets: Any, source: Any = None) -> Any:
    """Return the mean cross-entropy of each face's own head, or of the last.

    Parameters
    ----------
    logits
        [N, heads, 7].
    targets
        [N, 7], distributions.
    source
        int64 [N]: which head learns each face; without it the last learns all of them.
    """
    own = logits[:, -1] if source is None else logits[torch.arange(len(source)), source]
    return functional.cross_entropy(own, targets)


@dataclass(frozen=True)
class Answer:
    """How one distribution is made of what the heads say.

    Attributes
    ----------
    mean
        Of the heads' probabilities: arithmetic, or geometric and normalised again.
    joint
        Weight, 0 to 1, of the last head, which learned all sources; the others share the rest.
    temperature
        By which the logits of every head are divided.
    """

    mean: Literal["arithmetic", "geometric"] = "geometric"
    joint: float = 0.0
    temperature: float = 1.0

    def __call__(self, logits: Any) -> Any:
        """Return distributions [N, 7] of logits [N, heads, 7]."""
        heads = logits.shape[1]
        weights = torch.tensor([(1 - self.joint) / (heads - 1)] * (heads - 1) + [self.joint])
        weights = weights.to(logits.dtype).view(1, -1, 1)
        scaled = logits / self.temperature
        if self.mean == "geometric":
            return torch.softmax((scaled * weights).sum(dim=1), dim=1)
        return (torch.softmax(scaled, dim=2) * weights).sum(dim=1)


class _Exported(nn.Module):  # type: ignore[misc]
    """Reads a face against a neutral one."""

    def __init__(self, network: Heads, answer: Answer, usual: Any, mirrored: bool) -> None:
        super().__init__()
        self.network, self.answer, self.mirrored = network, answer, mirrored
        self.register_buffer("usual", torch.as_tensor(usual, dtype=torch.float32))

    def forward(self, faces: Any, neutral: Any, trust: Any) -> tuple[Any, Any]:
        features = self._features(faces)
        moved = features + trust * (self.usual - neutral)
        # The heads are linear: what they say of the mean is the mean of what they say.
        return self.answer(self.network.answers(moved)), features

    def _features(self, faces: Any) -> Any:
        if not self.mirrored:
            return self.network.features(faces)
        # In one batch: the weights are fetched once.
        seen, mirrored = self.network.features(torch.cat([faces, faces.flip(3)])).chunk(2)
        return (seen + mirrored) / 2


def export_heads(
    network: Heads, path: Path, answer: Answer, usual: Any, mirrored: bool = False
) -> None:
    """Write a network as ONNX.

    `faces` float32 [N, 1, 48, 48] goes in, with the features of a person's neutral face,
    `neutral` [1, 256], and how much they are trusted, `trust` [1], 0 to 1. `expressions` [N, 7],
    what the heads answer together, and `features` [N, 256], before they are moved, come out.

    Parameters
    ----------
    usual
        Features of neutral faces of many people, [256]: what a person's own are compared with.
    mirrored
        Whether a face is read together with its mirror image, at twice the cost.
    """
    inputs = {
        "faces": torch.zeros(1, 1, FACE_PX, FACE_PX),
        "neutral": torch.zeros(1, FEATURES),
        "trust": torch.zeros(1),
    }
    write_onnx(
        _Exported(network, answer, usual, mirrored).eval(),
        path,
        inputs,
        ("expressions", "features"),
    )
