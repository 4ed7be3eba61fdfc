"""The networks that read an expression off a 48 x 48 face, and their export to ONNX."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

from affetti.core.emotions import EXPRESSIONS
from affetti.models.evaluation.face.data import FACE_PX
from affetti.models.training.face.recognition import Recognition

OPSET: Final = 17
_HALVED_FROM: Final = 4096  # weights; smaller tensors are not worth a conversion


class Standardised(nn.Module):  # type: ignore[misc]
    """Bring each face to zero mean and unit variance: neither light nor contrast matters."""

    def forward(self, faces: Any) -> Any:
        """Standardise grey levels, [N, 1, 48, 48]."""
        centred = faces - faces.mean(dim=(1, 2, 3), keepdim=True)
        deviation = centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return centred / (deviation + 1.0)  # one grey level keeps an even picture from exploding


class Residual(nn.Module):  # type: ignore[misc]
    """Two convolutions beside a shortcut (He et al. 2016)."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = _normalised(channels, width, 3, stride)
        self.second = _normalised(width, width, 3, 1)
        same = channels == width and stride == 1
        self.shortcut = nn.Identity() if same else _normalised(channels, width, 1, stride)

    def forward(self, x: Any) -> Any:
        """Return [N, width, H / stride, W / stride] of [N, channels, H, W]."""
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


def _normalised(channels: int, width: int, kernel: int, stride: int) -> Any:
    convolution = nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width))


def paper(outputs: int) -> Any:
    """Convolutions with ReLU and max-pooling after each, then fully connected layers.

    683,527 weights. How many layers, how wide and with which kernels the paper does not say.
    """
    layers: list[Any] = []
    channels = 1
    for width in (32, 64, 128):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        channels = width
    side = FACE_PX // 2**3
    layers += [nn.Flatten(), nn.Linear(channels * side**2, 128), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(128, outputs))


def residual(outputs: int) -> Any:
    """Six residual blocks at 24, 12 and 6 pixels: 2.8 million weights, 257 million products."""
    # Half the side at once: at full size the first layers would take most of the time.
    stem = nn.Sequential(nn.Conv2d(1, 64, 6, 2, 2, bias=False), nn.BatchNorm2d(64), nn.ReLU())
    blocks: list[Any] = []
    channels = 64
    for width, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1)):
        blocks.append(Residual(channels, width, stride))
        channels = width
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(channels, outputs))
    return nn.Sequential(stem, *blocks, *head)


class Enlarged(nn.Module):  # type: ignore[misc]
    """Enlarge standardised faces, and give them the contrast of the pictures dlib's network saw.

    Parameters
    ----------
    side_px
        What a side of 48 pixels becomes; smaller faces become smaller pictures.
    """

    def __init__(self, side_px: int) -> None:
        super().__init__()
        self.side_px = side_px

    def forward(self, faces: Any) -> Any:
        """Return [N, 1, S, S] of [N, 1, H, H]."""
        side = faces.shape[2] * self.side_px // FACE_PX
        return functional.interpolate(faces / 4, (side, side), mode="bilinear", align_corners=False)


def recognition(outputs: int, side_px: int = 96) -> Any:
    """Eleven blocks of dlib's face recognition network: 2 million weights.

    What the blocks beyond would add is mostly who somebody is.
    """
    trunk = Recognition(channels=1, blocks=11, padded=True)
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(trunk.width, outputs))
    return nn.Sequential(Enlarged(side_px), trunk, *head)


NETWORKS: Final[dict[str, Callable[[int], Any]]] = {
    "paper": paper,
    "residual": residual,
    "recognition": recognition,
    "recognition_128": partial(recognition, side_px=128),
}


class Classifier(nn.Module):  # type: ignore[misc]
    """Grey levels in, logits over the seven expressions out, once for each way of labelling.

    Parameters
    ----------
    network
        A name in `NETWORKS`.
    heads
        How many ways of labelling it learns at once.
    """

    def __init__(self, network: str, heads: int = 1) -> None:
        super().__init__()
        self.heads = heads
        self.standardised = Standardised()
        self.network = NETWORKS[network](heads * len(EXPRESSIONS))

    def forward(self, faces: Any) -> Any:
        """Return logits [N, heads, 7] of faces [N, 1, 48, 48], grey levels 0 to 255."""
        standardised = self.standardised(faces).contiguous(memory_format=torch.channels_last)
        return self.network(standardised).unflatten(1, (self.heads, len(EXPRESSIONS)))


class Mirrored(nn.Module):  # type: ignore[misc]
    """Read a face and its mirror image, and take the mean of the logits."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, faces: Any) -> Any:
        """Return logits [N, heads, 7] of faces [N, 1, 48, 48]."""
        # In one batch: the weights are fetched once.
        seen, mirrored = self.classifier(torch.cat([faces, faces.flip(3)])).chunk(2)
        return (seen + mirrored) / 2


class _Exported(nn.Module):  # type: ignore[misc]
    def __init__(self, classifier: Any, head: int, temperature: float) -> None:
        super().__init__()
        self.classifier = classifier
        self.head = head
        self.temperature = temperature

    def forward(self, faces: Any) -> Any:
        return torch.softmax(self.classifier(faces)[:, self.head] / self.temperature, dim=1)


def export_onnx(classifier: Any, path: Path, head: int = 0, temperature: float = 1.0) -> None:
    """Write a network as ONNX: `faces` float32 [N, 1, 48, 48] in, `expressions` [N, 7] out.

    Large weights are stored with 16 bits, which halves the file and changes no reading by more
    than a thousandth.
    """
    exported = _Exported(classifier, head, temperature).eval()
    write_onnx(exported, path, {"faces": torch.zeros(1, 1, FACE_PX, FACE_PX)}, ("expressions",))


def write_onnx(network: Any, path: Path, inputs: Mapping[str, Any], outputs: Sequence[str]) -> None:
    """Write a network that takes `faces`, any number of them, and gives `outputs` for each.

    Parameters
    ----------
    inputs
        By name, in the order in which the network takes them, each in the shape that it has.
    """
    torch.onnx.export(
        network,
        tuple(inputs.values()),
        str(path),
        dynamo=False,
        opset_version=OPSET,
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes={name: {0: "n"} for name in ("faces", *outputs)},
    )
    onnx.save(_halved(onnx.load(path)), path)


def _halved(network: Any) -> Any:
    for weights in list(network.graph.initializer):
        values = numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < _HALVED_FROM:
            continue
        stored = f"{weights.name}.half"
        cast = onnx.helper.make_node("Cast", [stored], [weights.name], to=onnx.TensorProto.FLOAT)
        network.graph.node.insert(0, cast)
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
    return network
