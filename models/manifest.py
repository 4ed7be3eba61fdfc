"""The models of the zoo, each pinned by a hash over its file and its parameters.

A model is a folder `zoo/NAME/` of three files: the network, `model.json`, which says what the
code around the network needs to know, and a card. `zoo/manifest.json` says which of them belong
to this version: the digest of each, which covers the network's bytes *and* the parameters, and
its name. Recordings name models by the same digests, so that a model of an older version is
found in any folder of such folders (`--zoo`), and nothing else is taken for it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from affetti.core.errors import FileMissing, ModelError
from affetti.models.runtime import onnxruntime

ZOO: Final = Path(__file__).parent / "zoo"
MANIFEST: Final = "manifest.json"
ENTRY: Final = "model.json"


class ModelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What `model.json` says of a model, and where that was read."""

    name: str
    file: str  # beside model.json
    sha256: str  # of the file
    size_bytes: int
    task: str  # "face expression", "face detection", "music emotion", ...
    summary: str  # one line for `affetti models list`
    card: str  # file name of the model card, beside model.json
    licence: str
    parameters: dict[str, Any] = {}  # what the code around the network needs to know
    measured: dict[str, float] = {}  # how good it is, from its card, by name
    folder: str = ""  # where model.json lies; never written there
    pinned: str = ""  # the digest that it is known by; never written there

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return Path(self.folder) / self.file

    @property
    def digest(self) -> str:
        """SHA-256 over the hash of the file and the parameters, in a form without choices."""
        said = {"parameters": self.parameters, "sha256": self.sha256}
        return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()

    def read(self) -> bytes:
        """Return the contents of the file, once they and the parameters are what was pinned.

        Raises
        ------
        AffettiError
            The file is missing, or it or the parameters are others.
        """
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise ModelError("manifest.unreadable", file=self.file, error=error) from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ModelError("manifest.another_file", file=self.file)
        if self.digest != self.pinned:
            raise ModelError("manifest.other_parameters", name=self.name)
        return data


Models: TypeAlias = Mapping[str, ModelFile]


def manifest() -> dict[str, ModelFile]:
    """Return the models of this version by name.

    Raises
    ------
    AffettiError
        The manifest, or what a model says of itself, is missing or malformed.
    """
    return _listed(ZOO)


@cache
def _listed(zoo: Path) -> dict[str, ModelFile]:
    try:
        pins = msgspec.json.decode((zoo / MANIFEST).read_bytes(), type=dict[str, str])
        entries = [_entry(zoo / name, digest) for digest, name in pins.items()]
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError("manifest.list_unreadable", error=error) from error
    return {entry.name: entry for entry in entries}


def _entry(folder: Path, pinned: str) -> ModelFile:
    said = msgspec.json.decode((folder / ENTRY).read_bytes(), type=ModelFile)
    return msgspec.structs.replace(said, folder=str(folder), pinned=pinned)


def model(name: str, models: Models | None = None) -> ModelFile:
    """Return a model by its name, of this version's or of those given.

    Raises
    ------
    AffettiError
        There is no such model.
    """
    models = manifest() if models is None else models
    found = models.get(name)
    if found is None:
        names = ", ".join(sorted(models))
        raise ModelError("manifest.no_model_named", name=name, names=names)
    return found


def models_in(zoo: Path) -> dict[str, ModelFile]:
    """Return the models in a folder of model folders, by name; each pinned by itself.

    What is no model there is left out.

    Raises
    ------
    AffettiError
        There is no such folder.
    """
    return {entry.name: entry for entry in _own(zoo)}


def by_digest(digest: str, zoos: Iterable[Path] = ()) -> ModelFile | None:
    """Return the model of that digest, of this version's zoo or of further ones, if it is there.

    Raises
    ------
    AffettiError
        One of the folders does not exist.
    """
    shipped = {entry.pinned: entry for entry in manifest().values()}
    if digest in shipped:
        return shipped[digest]
    return next((entry for zoo in zoos for entry in _own(zoo) if entry.pinned == digest), None)


def _own(zoo: Path) -> Iterator[ModelFile]:
    if not zoo.is_dir():
        raise FileMissing("manifest.no_folder", zoo=zoo)
    for path in sorted(zoo.glob(f"*/{ENTRY}")):
        try:
            entry = _entry(path.parent, "")
        except (OSError, msgspec.DecodeError):
            continue
        yield msgspec.structs.replace(entry, pinned=entry.digest)


def onnx_session(source: str | ModelFile) -> Any:
    """Load a verified model on one thread: results do not depend on how many cores there are."""
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Spinning threads cost three times the processor time of the inference itself.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    data = verified_bytes(source)
    return runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def verified_bytes(source: str | ModelFile) -> bytes:
    """Return the contents of a model's file, see `ModelFile.read`.

    Parameters
    ----------
    source
        The model, or its name in this version's manifest.
    """
    return (model(source) if isinstance(source, str) else source).read()
