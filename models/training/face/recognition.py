"""A network that tells people apart, as a beginning for one that reads expressions.

dlib's face recognition network (King 2017) has seen three million faces, a hundred times as many
as FER2013 has. What its first layers know of faces serves here; whom a face belongs to does not
come out of the network that is trained from it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from affetti.core.errors import Damaged, FileMissing

Weights = NDArray[np.float32]

FILE_NAME: Final = "dlib_face_recognition_resnet_model_v1.dat"
STEM_CHANNELS: Final = 32
# Width of each block and whether it halves the side, from the stem on.
BLOCKS: Final = (
    *((32, False),) * 3,
    (64, True),
    *((64, False),) * 3,
    (128, True),
    *((128, False),) * 2,
    (256, True),
    *((256, False),) * 2,
    (256, True),
)
DESCRIPTOR: Final = 128
# What the original takes from red, green and blue before it divides by 256.
MEAN_RGB: Final = (122.782, 117.001, 104.298)

_LAYER: Final = re.compile(rb"con_4|affine_")
# 256, 128, 1 and 1, as the sizes of a tensor are written.
_LAST_SIZES: Final = bytes.fromhex("020001 0180 0101 0101")
_LARGEST: Final = 2**22  # weights in one layer; more means that the file is another one's


class Block(nn.Module):  # type: ignore[misc]
    """Two convolutions beside a shortcut that has no weights: a mean of four, or nothing at all.

    Parameters
    ----------
    padded
        Whether a convolution that halves the side sees a border; the original's does not.
    """

    def __init__(self, channels: int, width: int, halves: bool, padded: bool) -> None:
        super().__init__()
        self.halves, self.widened = halves, width - channels
        stride, padding = (2, int(padded)) if halves else (1, 1)
        self.first = nn.Conv2d(channels, width, 3, stride, padding)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, 1, 1)
        self.second_norm = nn.BatchNorm2d(width)

    def forward(self, x: Any) -> Any:
        """Return [N, width, h, w] of [N, channels, H, W]."""
        inner = torch.relu(self.first_norm(self.first(x)))
        inner = self.second_norm(self.second(inner))
        if self.halves:
            x = functional.avg_pool2d(x, 2)
            # Without a border a side of 8 becomes 3 here and 4 there; the rest is nothing.
            missing = x.shape[2] - inner.shape[2]
            inner = functional.pad(inner, (0, missing, 0, missing))
        if self.widened:
            x = functional.pad(x, (0, 0, 0, 0, 0, self.widened))
        return torch.relu(inner + x)


class Recognition(nn.Module):  # type: ignore[misc]
    """The first blocks of the network, of 29 layers with weights when all 14 are there.

    Parameters
    ----------
    channels
        3 for red, green and blue, 1 for grey.
    blocks
        How many of `BLOCKS`.
    padded
        Whether convolutions that halve the side see a border, which small pictures need.
    """

    def __init__(self, channels: int = 3, blocks: int = len(BLOCKS), padded: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, STEM_CHANNELS, 7, 2, 3 if padded else 0)
        self.stem_norm = nn.BatchNorm2d(STEM_CHANNELS)
        self.padding = int(padded)
        width = STEM_CHANNELS
        made = []
        for wider, halves in BLOCKS[:blocks]:
            made.append(Block(width, wider, halves, padded))
            width = wider
        self.blocks = nn.Sequential(*made)
        self.width = width

    def forward(self, x: Any) -> Any:
        """Return what the last block sees, [N, width, h, w], of pictures [N, channels, H, W]."""
        x = torch.relu(self.stem_norm(self.stem(x)))
        return self.blocks(functional.max_pool2d(x, 3, 2, self.padding))

    def load(self, path: Path) -> Weights:
        """Take the weights of a file of dlib's; return the last layer's, [256, 128].

        Raises
        ------
        AffettiError
            The file is missing or holds another network.
        """
        layers, last = read_layers(path)
        convolutions: list[Any] = [(self.stem, self.stem_norm)]
        for block in self.blocks:
            convolutions += [(block.first, block.first_norm), (block.second, block.second_norm)]
        for (convolution, norm), (weights, scale) in zip(convolutions, layers, strict=False):
            _fill(convolution, norm, weights, scale)
        return last


def settle(network: Any, faces: Any) -> None:
    """Give each normalisation of a network the mean and variance it meets, and change nothing else.

    The original's normalisations were melted into scales and offsets. Training on needs them back.

    Parameters
    ----------
    network
        Any network with normalisations whose running mean is 0 and variance 1.
    faces
        What it will be trained on, a few hundred, in the form it takes.
    """

    def settled(norm: Any, inputs: tuple[Any, ...]) -> None:
        seen = inputs[0]
        mean, variance = seen.mean(dim=(0, 2, 3)), seen.var(dim=(0, 2, 3), unbiased=False)
        scale = norm.weight / (1 + norm.eps) ** 0.5
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(scale * (variance + norm.eps).sqrt())
        norm.bias.add_(scale * mean)

    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(settled) for norm in norms]
    network.eval()
    with torch.no_grad():
        network(faces)
    for hook in hooks:
        hook.remove()


def read_layers(path: Path) -> tuple[list[tuple[Weights, Weights]], Weights]:
    """Return the weights of dlib_face_recognition_resnet_model_v1.dat.

    Returns
    -------
    layers
        From the stem on, for each convolution its filters and biases, and the scales and offsets
        that follow it, all flat.
    last
        The layer without biases at the end, [256, 128].

    Raises
    ------
    AffettiError
        The file is missing or holds another network.
    """
    try:
        data = path.read_bytes()
        tensors = list(_tensors(data))
        layers = list(zip(tensors[::2], tensors[1::2], strict=True))
        if len(layers) != 1 + 2 * len(BLOCKS):
            raise ValueError(len(layers))
        start = data.index(_LAST_SIZES, data.rindex(b"fc_")) + len(_LAST_SIZES)
        last = np.frombuffer(data, "<f4", BLOCKS[-1][0] * DESCRIPTOR, start)
    except FileNotFoundError:
        raise FileMissing("recognition.no", path=path) from None
    except (ValueError, IndexError) as error:
        raise Damaged("recognition.not_dlibs_face_recognition", path=path.name) from error
    return layers, last.reshape(-1, DESCRIPTOR)


def _tensors(data: bytes) -> Iterator[Weights]:
    """Yield what follows the name of each layer: a version, four sizes, and 32-bit numbers."""
    position = 0
    while found := _LAYER.search(data, position):
        position = found.end()
        sizes = []
        for _ in range(5):
            length = data[position] & 0x0F
            sizes.append(int.from_bytes(data[position + 1 : position + 1 + length], "little"))
            position += 1 + length
        size = int(np.prod(sizes[1:]))
        if not 0 < size <= _LARGEST:
            raise ValueError(size)
        yield np.frombuffer(data, "<f4", size, position)
        position += 4 * size


def _fill(convolution: Any, norm: Any, weights: Weights, scale: Weights) -> None:
    width = convolution.out_channels
    filters = torch.tensor(weights[:-width]).view(width, -1, *convolution.kernel_size)
    biases = torch.tensor(weights[-width:])
    if convolution.in_channels == 1 and filters.shape[1] == 3:
        # Red, green and blue are one and the same in a grey picture.
        mean = torch.tensor(MEAN_RGB).view(1, 3, 1, 1)
        biases = biases - (filters * (mean - np.mean(MEAN_RGB))).sum(dim=(1, 2, 3)) / 256
        filters = filters.sum(dim=1, keepdim=True)
    with torch.no_grad():
        convolution.weight.copy_(filters)
        convolution.bias.copy_(biases)
        norm.weight.copy_(torch.tensor(scale[:width]) * (1 + norm.eps) ** 0.5)
        norm.bias.copy_(torch.tensor(scale[width:]))
