"""What a face or a stretch of music expresses, said by models that run through onnxruntime."""

import os
from typing import TYPE_CHECKING

from affetti.lazy import names

if TYPE_CHECKING:
    from affetti.models.evaluation.face.accuracy import evaluate_face
    from affetti.models.evaluation.sound.accuracy import cross_validate, evaluate_music
    from affetti.models.manifest import ModelFile, model, verified_bytes
    from affetti.models.manifest import manifest as models

__all__ = [
    "ModelFile",
    "cross_validate",
    "evaluate_face",
    "evaluate_music",
    "model",
    "models",
    "verified_bytes",
]

# onnxruntime reads it once, when it is imported by whomever. Without it the library writes a
# number for this machine into the user's cache, beside the interpreter's path and times of use,
# and looks for somebody to send them to.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__getattr__ = names(
    __name__,
    {
        "ModelFile": "affetti.models.manifest:ModelFile",
        "cross_validate": "affetti.models.evaluation.sound.accuracy:cross_validate",
        "evaluate_face": "affetti.models.evaluation.face.accuracy:evaluate_face",
        "evaluate_music": "affetti.models.evaluation.sound.accuracy:evaluate_music",
        "model": "affetti.models.manifest:model",
        "models": "affetti.models.manifest:manifest",
        "verified_bytes": "affetti.models.manifest:verified_bytes",
    },
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
