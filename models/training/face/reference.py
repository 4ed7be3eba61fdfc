"""What a network usually says of neutral faces: the reference of a person's baseline.

It belongs into `model.json`, as the parameter `neutral_mean_logs` of the network:

    python -m affetti.models.training.face.reference fer2013.zip face_expression
"""

import sys
from pathlib import Path

import numpy as np

from affetti.core.emotions import EXPRESSIONS, Expression
from affetti.models.evaluation.face.accuracy import read_faces
from affetti.models.evaluation.face.data import PUBLIC, load_fer2013
from affetti.models.face.reading import ExpressionNetwork
from affetti.models.face.reference import mean_logs


def neutral_reference(data: Path, network: str) -> list[float]:
    """Return the mean logarithms, in the order of `EXPRESSIONS`, for neutral faces.

    Parameters
    ----------
    data
        FER2013 with the FER+ votes: the faces of the public part that most annotators called
        neutral are read. None of them was trained on.
    network
        Name of a model in the manifest.

    Raises
    ------
    AffettiError
        The data cannot be read, or there is no such model.
    """
    faces = load_fer2013(data).ferplus(PUBLIC)
    neutral = faces.chosen(faces.labels == EXPRESSIONS.index(Expression.NEUTRAL))
    logs = mean_logs(read_faces(ExpressionNetwork(network), neutral.images))
    return [round(float(value), 4) for value in np.asarray(logs)]


if __name__ == "__main__":
    sys.stdout.write(f"{neutral_reference(Path(sys.argv[1]), sys.argv[2])}\n")
