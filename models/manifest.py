"""The model files of the zoo, pinned by SHA-256."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from affetti.core.errors import AffettiError, ModelError
from affetti.models.runtime import onnxruntime

ZOO: Final = Path(__file__).parent / "zoo"


class ModelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model of the manifest."""

    file: str  # inside the zoo
    sha256: str
    size_bytes: int
    task: str  # "face expression", "face detection", "music emotion", ...
    summary: str  # one line for `affetti models list`
    card: str  # file name of the model card inside the zoo
    licence: str
    parameters: dict[str, Any] = {}  # what the code around the network needs to know

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return ZOO / self.file


@cache
def manifest() -> dict[str, ModelFile]:
    """Return the models of the zoo by name.

    Raises
    ------
    AffettiError
        The manifest is missing or malformed.
    """
    try:
        text = (ZOO / "manifest.json").read_bytes()
        return msgspec.json.decode(text, type=dict[str, ModelFile])
    except (OSError, msgspec.DecodeError) as error:
        raise _broken("The list of models cannot be read", str(error)) from error


def model(name: str) -> ModelFile:
    """Return the manifest's entry for `name`.

    Raises
    ------
    AffettiError
        The manifest has no such model.
    """
    found = manifest().get(name)
    if found is None:
        names = ", ".join(sorted(manifest()))
        raise ModelError(f"There is no model named {name!r}.", f"Known models: {names}.")
    return found


def verified_bytes(name: str) -> bytes:
    """Return the contents of a model file, after its SHA-256 was found to be the manifest's.

    Raises
    ------
    AffettiError
        The file is missing, or is not the one that the manifest pins.
    """
    entry = model(name)
    try:
        data = entry.path.read_bytes()
    except OSError as error:
        raise _broken(f"The model file {entry.file} cannot be read", str(error)) from error
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise _broken(f"The model file {entry.file} is not the one this version came with")
    return data


def onnx_session(name: str) -> Any:
    """Load a verified model on one thread: results do not depend on how many cores there are."""
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Spinning threads cost three times the processor time of the inference itself.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return runtime.InferenceSession(
        verified_bytes(name), options, providers=["CPUExecutionProvider"]
    )


def _broken(what: str, detail: str = "") -> AffettiError:
    return ModelError(
        f"{what}{': ' + detail if detail else ''}.",
        "Install Affetti again.",
    )
