"""YuNet for pictures of any size: the published network with the shape of its input left open.

    python -m affetti.models.training.face.detector PUBLISHED.onnx face_yunet.onnx

It was published for 640 x 640 pixels, though nothing in it depends on that: no weight changes.
"""

import sys
from pathlib import Path

import onnx


def freed(published: bytes) -> bytes:
    """Return the network for pictures whose sides are any multiples of 32 pixels."""
    network = onnx.load_from_string(published)
    (picture,) = network.graph.input
    sides = picture.type.tensor_type.shape.dim[2:]
    for side, name in zip(sides, ("height", "width"), strict=True):
        side.dim_param = name
    for answer in network.graph.output:
        stride = answer.name.rpartition("_")[2]
        answer.type.tensor_type.shape.dim[1].dim_param = f"cells_{stride}"
    del network.graph.value_info[:]  # of 640 x 640 pixels
    data: bytes = network.SerializeToString()
    return data


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(freed(Path(sys.argv[1]).read_bytes()))
