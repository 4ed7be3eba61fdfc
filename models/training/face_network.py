"""The networks that read an expression off a 48 x 48 face, and their export to ONNX."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from core.emotions import EXPRESSIONS
from models.training.face_data import FACE_PX

OPSET: Final = 17


class Standardised(nn.Module):  # type: ignore[misc]
    """Bring each face to zero mean and unit variance: neither light nor contrast matters."""

    def forward(self, faces: Any) -> Any:
        """Standardise grey levels, [N, 1, 48, 48]."""
        centred = faces - faces.mean(dim=(1, 2, 3), keepdim=True)
        deviation = centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return centred / (deviation + 1.0)  # one grey level keeps an even picture from exploding


def paper() -> Any:
    """Blocks of convolution, ReLU and max-pooling, then fully connected layers: 877,287 weights."""
    layers: list[Any] = []
    channels = 1
    for width in (32, 64, 128):
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    side = FACE_PX // 2**3
    layers += [nn.Flatten(), nn.Linear(channels * side**2, 128), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(128, len(EXPRESSIONS)))


NETWORKS: Final[dict[str, Callable[[], Any]]] = {"paper": paper}


class Classifier(nn.Module):  # type: ignore[misc]
    """Grey levels in, logits over the seven expressions out."""

    def __init__(self, network: str) -> None:
        super().__init__()
        self.standardised = Standardised()
        self.network = NETWORKS[network]()

    def forward(self, faces: Any) -> Any:
        """Return logits [N, 7] of faces [N, 1, 48, 48], grey levels 0 to 255."""
        return self.network(self.standardised(faces).to(memory_format=torch.channels_last))


class _Exported(nn.Module):  # type: ignore[misc]
    def __init__(self, classifier: Any, temperature: float) -> None:
        super().__init__()
        self.classifier = classifier
        self.temperature = temperature

    def forward(self, faces: Any) -> Any:
        return torch.softmax(self.classifier(faces) / self.temperature, dim=1)


def export_onnx(classifier: Any, path: Path, temperature: float = 1.0) -> None:
    """Write the network as ONNX: `faces` float32 [N, 1, 48, 48] in, `expressions` [N, 7] out."""
    module = _Exported(classifier.float(), temperature).eval()
    torch.onnx.export(
        module,
        (torch.zeros(1, 1, FACE_PX, FACE_PX),),
        str(path),
        dynamo=False,
        opset_version=OPSET,
        input_names=["faces"],
        output_names=["expressions"],
        dynamic_axes={"faces": {0: "n"}, "expressions": {0: "n"}},
    )
