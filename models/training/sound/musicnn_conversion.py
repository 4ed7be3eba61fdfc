"""MusiCNN's published weights, converted once from TensorFlow 1 to ONNX.

The weights (ISC licence) ship in the PyPI wheel `musicnn` 0.1.0. Neither TensorFlow nor the
package is needed: the checkpoint is read here, the network is built again and exported.

    pip download --no-deps musicnn==0.1.0
    python -m affetti.models.training.sound.musicnn_conversion \
        musicnn-0.1.0-py3-none-any.whl MSD FOLDER

Two files are written: the front, which answers to each new frame once, and the rest.

Source: Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio
tagging" (2019).
"""

import struct
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper
from torch import nn

PATCH_FRAMES: Final = 187  # three seconds
MEL_BANDS: Final = 96
_EPSILON: Final = 1e-3  # batch normalization in TensorFlow 1
_TRAILER: Final = 5  # bytes after each block of the index: compression and checksum
_FOOTER: Final = 48

Weights = dict[str, NDArray[np.float32]]
Shapes = dict[str, list[int | str]]


def read_checkpoint(index: bytes, data: bytes) -> Weights:
    """Return the float32 tensors of a TensorFlow checkpoint ("tensor bundle") by name.

    Parameters
    ----------
    index
        Contents of the `.index` file, an uncompressed LevelDB table.
    data
        Contents of the only `.data` file.
    """
    _, after_meta = _block_handle(index, len(index) - _FOOTER)
    root, _ = _block_handle(index, after_meta)
    tensors = {}
    for _, handle in _entries(index, *root):
        block, _ = _block_handle(handle, 0)
        for name, entry in _entries(index, *block):
            fields = _fields(entry)
            if not name or fields.get(1) != [1]:  # the header, or no float32
                continue
            start = fields.get(4, [0])[0]
            shape = [_fields(dimension).get(1, [0])[0] for dimension in _shape(fields)]
            flat = np.frombuffer(data, np.float32, fields[5][0] // 4, start)
            tensors[name.decode()] = flat.reshape(shape)
    return tensors


def _shape(fields: dict[int, list[Any]]) -> list[bytes]:
    return _fields(fields[2][0]).get(2, []) if 2 in fields else []


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _block_handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = _varint(data, at)
    size, at = _varint(data, at)
    return (offset, size), at


def _entries(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of one block; a key may share a prefix with the one before."""
    block = table[offset : offset + size]
    (restarts,) = struct.unpack("<I", block[-4:])
    at, key = 0, b""
    while at < size - 4 * (restarts + 1):
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + own]
        at += own
        yield key, block[at : at + length]
        at += length


def _fields(message: bytes) -> dict[int, list[Any]]:
    """Return the fields of a protocol buffer: integers, or bytes of nested messages."""
    found: dict[int, list[Any]] = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value: Any
        if tag & 7 == 0:
            value, at = _varint(message, at)
        elif tag & 7 == 2:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        else:  # a fixed 32 bits: the checksum
            value, at = message[at : at + 4], at + 4
        found.setdefault(tag >> 3, []).append(value)
    return found


class Musicnn(nn.Module):  # type: ignore[misc]
    """MusiCNN as trained, for inference.

    The original normalizes each rectified convolution and then takes its maximum over
    frequency. Both are monotonic in each channel, so here the maximum (of the negated
    convolution, where the normalization's factor is negative) comes first: the same numbers
    at a fraction of the memory traffic.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._weights = weights
        self.input_norm = self._norm("batch_normalization")
        self.front = nn.ModuleList(_Front(*self._front(i)) for i in range(5))
        self.middle = nn.ModuleList(self._convolution(5 + i) for i in range(3))
        self.middle_norm = nn.ModuleList(
            self._norm(f"batch_normalization_{6 + i}") for i in range(3)
        )
        self.pooled_norm = self._norm("batch_normalization_9")
        self.dense = self._linear("dense")
        self.dense_norm = self._norm("batch_normalization_10")
        self.tags = self._linear("dense_1")

    def forward(self, patches: Any) -> tuple[Any, Any]:
        """Map patches to embeddings and tags.

        Parameters
        ----------
        patches
            Shape [n, frames, 96], log10(1 + 10000 x mel power).

        Returns
        -------
        Embeddings, shape [n, 200]; probabilities of 50 tags, [n, 50].
        """
        x = self.input_norm.of(patches)[:, None]
        front = torch.cat([block(x) for block in self.front], dim=1)
        maps = [front]
        for convolution, norm in zip(self.middle, self.middle_norm, strict=True):
            y = norm.of(torch.relu(convolution(maps[-1])).transpose(1, 2)).transpose(1, 2)
            maps.append(y if len(maps) == 1 else y + maps[-1])
        features = torch.cat(maps, dim=1)
        pooled = torch.stack([features.amax(dim=2), features.mean(dim=2)], dim=2).flatten(1)
        dense = torch.relu(self.dense(self.pooled_norm.of(pooled)))
        embedding = self.dense_norm.of(dense)
        return embedding, torch.sigmoid(self.tags(embedding))

    def _norm(self, name: str) -> "_Affine":
        w = self._weights
        factor = w[f"{name}/gamma"] / np.sqrt(w[f"{name}/moving_variance"] + _EPSILON)
        return _Affine(factor, w[f"{name}/beta"] - w[f"{name}/moving_mean"] * factor)

    def _front(self, i: int) -> tuple[NDArray[np.float32], NDArray[np.float32], "_Affine"]:
        name = f"conv2d_{i}" if i else "conv2d"
        kernel = self._weights[f"{name}/kernel"].transpose(3, 2, 0, 1)
        return kernel, self._weights[f"{name}/bias"], self._norm(f"batch_normalization_{i + 1}")

    def _convolution(self, i: int) -> nn.Conv1d:
        kernel = self._weights[f"conv2d_{i}/kernel"][:, :, 0].transpose(2, 1, 0)
        convolution = nn.Conv1d(kernel.shape[1], kernel.shape[0], kernel.shape[2], padding=3)
        convolution.weight.data = torch.tensor(kernel.copy())
        convolution.bias.data = torch.tensor(self._weights[f"conv2d_{i}/bias"])
        return convolution

    def _linear(self, name: str) -> nn.Linear:
        kernel = self._weights[f"{name}/kernel"]
        linear = nn.Linear(*kernel.shape)
        linear.weight.data = torch.tensor(kernel.T.copy())
        linear.bias.data = torch.tensor(self._weights[f"{name}/bias"])
        return linear


class _Affine(nn.Module):  # type: ignore[misc]
    """Batch normalization with fixed statistics, along the last axis."""

    def __init__(self, factor: NDArray[np.float32], offset: NDArray[np.float32]) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor), requires_grad=False)
        self.offset = nn.Parameter(torch.tensor(offset), requires_grad=False)

    def of(self, x: Any) -> Any:
        return x * self.factor + self.offset


class _Front(nn.Module):  # type: ignore[misc]
    """One musically motivated filter bank: the strongest answer over frequency, in time."""

    def __init__(
        self, kernel: NDArray[np.float32], bias: NDArray[np.float32], norm: _Affine
    ) -> None:
        super().__init__()
        sign = torch.where(norm.factor < 0, -1.0, 1.0)
        frames, bands = kernel.shape[2:]
        # "same" in time as TensorFlow pads it: an even kernel gets one frame more at the end.
        before = (frames - 1) // 2
        self.pad = nn.ZeroPad2d((0, 0, before, frames - 1 - before))
        self.convolution = nn.Conv2d(1, len(kernel), (frames, bands))
        self.convolution.weight.data = torch.tensor(kernel.copy()) * sign[:, None, None, None]
        self.convolution.bias.data = torch.tensor(bias) * sign
        self.sign = nn.Parameter(sign[:, None], requires_grad=False)
        self.norm = norm

    def forward(self, x: Any) -> Any:
        strongest = self.convolution(self.pad(x)).amax(dim=3)
        rectified = torch.relu(strongest * self.sign)
        return self.norm.of(rectified.transpose(1, 2)).transpose(1, 2)


def read_wheel(wheel: Path, trained_on: str) -> Weights:
    """Return the weights in the wheel that were trained on "MSD" or "MTT"."""
    with zipfile.ZipFile(wheel) as files:
        folder = f"musicnn/{trained_on}_musicnn/"
        return read_checkpoint(
            files.read(folder + ".index"), files.read(folder + ".data-00000-of-00001")
        )


def convert(wheel: Path, trained_on: str, out: Path) -> None:
    """Write the network with the weights of the wheel as ONNX.

    Parameters
    ----------
    wheel
        The PyPI wheel of musicnn 0.1.0.
    trained_on
        "MSD" (Million Song Dataset) or "MTT" (MagnaTagATune).
    out
        The ONNX file to write.
    """
    network = Musicnn(read_wheel(wheel, trained_on)).eval()
    torch.onnx.export(
        network,
        (torch.zeros(1, PATCH_FRAMES, MEL_BANDS),),
        str(out),
        input_names=["patches"],
        output_names=["embedding", "tags"],
        dynamic_axes={name: {0: "n"} for name in ("patches", "embedding", "tags")},
        dynamo=False,
    )


def split(whole: Path, front: Path, back: Path) -> None:
    """Cut the network in two behind the filters that hear seven frames at a time.

    The front does not pad in time, so that frames can be heard a second at a time: 70 frames of
    mel bands give 64 answers. What is padded as it was trained is the rest, which takes the mel
    bands of as many frames as it is given answers to.
    """
    source = onnx.load(whole)
    made = {output: node for node in source.graph.node for output in node.output}
    ends = [f"/front.{i}/Transpose_1_output_0" for i in range(2)]
    for i in range(2):
        made[f"/front.{i}/convolution/Conv_output_0"].input[0] = "/Unsqueeze_output_0"
    nodes = _upstream(made, ends, {"patches"})
    nodes.append(helper.make_node("Concat", ends, ["timbre"], axis=1))
    _save(source, nodes, {"patches": [1, 70, MEL_BANDS]}, {"timbre": [1, 408, 64]}, front)
    joint = made["/Concat_output_0"]
    rest = list(joint.input)[2:]
    del joint.input[:]
    joint.input.extend(["timbre", *rest])
    nodes = _upstream(made, ["embedding"], {"patches", "timbre"})
    taken: Shapes = {"patches": [1, "frames", MEL_BANDS], "timbre": [1, 408, "frames"]}
    _save(source, nodes, taken, {"embedding": [1, 200]}, back)


def _upstream(made: dict[str, Any], ends: list[str], given: set[str]) -> list[Any]:
    """Return the nodes that the ends need, each after those that it needs."""
    order: list[Any] = []

    def visit(name: str) -> None:
        node = made.get(name)
        if name in given or node is None or any(node is each for each in order):
            return
        for each in node.input:
            visit(each)
        order.append(node)

    for end in ends:
        visit(end)
    return order


def _save(source: Any, nodes: list[Any], taken: Shapes, given: Shapes, path: Path) -> None:
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s) for n, s in taken.items()],
        [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s) for n, s in given.items()],
        [each for each in source.graph.initializer if each.name in used],
    )
    model = helper.make_model(
        graph, opset_imports=source.opset_import, ir_version=source.ir_version
    )
    onnx.checker.check_model(model)
    onnx.save(model, path)


def main(wheel: Path, trained_on: str, folder: Path) -> None:
    """Convert the weights of a wheel into the two files."""
    with tempfile.TemporaryDirectory() as kept:
        whole = Path(kept) / "whole.onnx"
        convert(wheel, trained_on, whole)
        split(whole, folder / "musicnn_front.onnx", folder / "musicnn_back.onnx")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
