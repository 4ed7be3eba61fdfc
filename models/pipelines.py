"""Pipelines: what perceives and fuses, as a choice that has a name and is recorded.

`affetti` is the product's own. `paper` is the published system that it implements: a Haar
cascade finds the face, which is scaled to 48 x 48 grey pixels and read by the paper's network;
the paper's features of the music are read by its forest of 100 trees; the two distributions are
averaged, and the class with the highest mean is what is expressed. No gate stands between: a
face that was found is read however blurred or turned it is, and what is heard is read whether
or not it is music. Where the paper is silent, `paper` does as `affetti` does:

- how seven expressions become four emotions (`core.emotions.EXPRESSION_TO_EMOTION`);
- whose face is read (`models.face.person`), but that nothing tells one face from another: of
  several, none is;
- how long a face stays valid, how often music is read and how far back (`PerceptionSettings`);
- one modality alone: a mean of one. Without a face and without sound, nothing is expressed;
- silence: sound of no variance cannot be normalised, and softer than -60 dBFS is none.

The paper's network reads nobody against a neutral face of their own, so a neutral reference
changes nothing in it.

A pipeline of one's own is a few lines in the settings, which name models by their role and the
folder they lie in; what is left out is `affetti`'s:

    [pipelines.mine]
    zoo = "~/models"
    face_expression = "my_network"

or an entry point of the group `affetti.pipelines`: an `Offer`, or a function that returns one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.core.errors import UsageError
from affetti.core.events import Pipeline, SessionStarted
from affetti.core.extensions import extensions
from affetti.core.settings import Settings, load
from affetti.models.manifest import ModelFile, Models, by_digest, manifest, model, models_in
from affetti.models.sound.music import model_names

AFFETTI: Final = Pipeline(
    name="affetti",
    face_detector="face_yunet",
    face_expression="face_expression",
    music_emotion="music_emotion",
    face_landmarks="face_landmarks",
    face_identity="face_identity",
    face_cover="face_cover",
    sound_events="heard_events",
)
PAPER: Final = Pipeline(
    name="paper",
    face_detector="face_haar",
    face_expression="face_expression_paper",
    music_emotion="music_emotion_paper",
    gates=False,
)


@dataclass(frozen=True)
class Offer:
    """A pipeline, and where models of it lie that are not of this version's zoo."""

    pipeline: Pipeline
    zoo: Path | None = None

    @cached_property
    def models(self) -> dict[str, ModelFile]:
        """The models that take part, by name.

        Raises
        ------
        AffettiError
            There is no such model, or no such zoo.
        """
        known = manifest() | (models_in(self.zoo) if self.zoo else {})
        return {name: model(name, known) for name in parts_of(self.pipeline, known)}

    def open(self) -> "Perceivers":
        """Return what perceives; its models are loaded when they are first needed."""
        return Perceivers(self.pipeline, self.models)


def parts_of(pipeline: Pipeline, models: Models) -> tuple[str, ...]:
    """Return the names of all models that take part, those that music is heard through too."""
    faces = (pipeline.face_expression, pipeline.face_detector)
    further = (pipeline.face_landmarks, pipeline.face_identity, pipeline.face_cover)
    sounds = (*model_names(pipeline.music_emotion, models), pipeline.sound_events)
    return (*faces, *filter(None, further), *filter(None, sounds))


class Perceivers:
    """The models of a pipeline at work.

    Parameters
    ----------
    pipeline
        Which model has which role.
    models
        The models by name.
    """

    def __init__(self, pipeline: Pipeline, models: Models) -> None:
        self.pipeline = pipeline
        self.models = models

    @property
    def digests(self) -> dict[str, str]:
        """The digest of every model, over its file and its parameters, by name."""
        return digests_of(self.models)

    @property
    def gates(self) -> dict[str, tuple[float, ...]]:
        """At which values of an estimate's fields perception falls silent or speaks."""
        found: dict[str, tuple[float, ...]] = {**self.face.gates, **self.music.gates}
        found |= self.sound.gates if self.sound is not None else {}
        found |= self.signs.gates if self.signs is not None else {}
        return found | (self.identity.gates if self.identity is not None else {})

    @cached_property
    def face(self) -> Any:
        """The reader of faces, loaded at the first call: a `models.face.reading.FaceReader`."""
        from affetti.models.face.reading import FaceReader  # noqa: PLC0415  loads for seconds

        chosen = self.pipeline
        return FaceReader(
            chosen.face_expression,
            chosen.face_detector,
            self.models,
            gates=chosen.gates,
            cover=chosen.face_cover,
        )

    @cached_property
    def signs(self) -> Any:
        """What looks at faces, a `models.face.signs.SignReader`; None where no model is named."""
        from affetti.models.face.signs import SignReader  # noqa: PLC0415

        name = self.pipeline.face_landmarks
        return SignReader(self.models[name]) if name else None

    @cached_property
    def identity(self) -> Any:
        """What tells faces apart, an `IdentityNetwork`; None where no model is named."""
        from affetti.models.face.identity import IdentityNetwork  # noqa: PLC0415

        name = self.pipeline.face_identity
        return IdentityNetwork(self.models[name]) if name else None

    @cached_property
    def music(self) -> Any:
        """The reader of music, loaded at the first call: a `models.sound.music.MusicReader`."""
        from affetti.models.sound.music import (  # noqa: PLC0415
            FLOOR_DBFS,
            SILENCE_DBFS,
            MusicReader,
        )

        # What is no music is told by what is heard, at any level; otherwise by the level alone.
        silence_dbfs = FLOOR_DBFS if self.pipeline.sound_events else SILENCE_DBFS
        return MusicReader(self.pipeline.music_emotion, self.models, silence_dbfs)

    @cached_property
    def sound(self) -> Any:
        """What tells kinds of sound apart, a `HeardReader`; None where no model is named."""
        from affetti.models.sound.heard import HeardReader  # noqa: PLC0415

        name = self.pipeline.sound_events
        return HeardReader(self.models[name]) if name else None

    def read_face(
        self, image_bgr: NDArray[np.uint8], choose: Any, neutral: Any = None, **how: Any
    ) -> Any:
        """Read a picture, uint8 [H, W, 3], as `FaceReader.read` does."""
        return self.face.read(image_bgr, choose, neutral, **how)

    def begin_face(
        self, image_bgr: NDArray[np.uint8], choose: Any, neutral: Any = None, **how: Any
    ) -> Any:
        """Begin to read a picture, uint8 [H, W, 3], as `FaceReader.begin` does."""
        return self.face.begin(image_bgr, choose, neutral, **how)

    @property
    def look(self) -> Any:
        """`SignReader.look`, which loads its model at the first call; None without one."""
        return self._look if self.pipeline.face_landmarks else None

    def _look(self, *face: Any, **known: Any) -> Any:
        return self.signs.look(*face, **known)

    @property
    def describe(self) -> Any:
        """What makes descriptors of faces, loaded at the first call; None without a model."""
        return self._describe if self.pipeline.face_identity else None

    def _describe(self, image_bgr: NDArray[np.uint8], face: Any) -> Any:
        return self.identity(image_bgr, face)

    def read_music(self, samples: NDArray[np.int16], rate_hz: int) -> Any:
        """Read a window of sound, int16 [n, channels], as `MusicReader.read` does."""
        return self.music.read(samples, rate_hz)

    @property
    def listen(self) -> Any:
        """`HeardReader.listen`, which loads its model at the first call; None without one."""
        return self._listen if self.pipeline.sound_events else None

    def _listen(self, *energies: NDArray[np.float32]) -> Any:
        return self.sound.listen(*energies)


def digests_of(models: Models) -> dict[str, str]:
    """Return the digests of models by name, as a recording keeps them."""
    return {name: each.pinned for name, each in models.items()}


def offers(settings: Settings | None = None) -> dict[str, Offer]:
    """Return every pipeline by name: the product's, those of plug-ins, those of the settings.

    Parameters
    ----------
    settings
        By default those of the user.
    """
    found = {each.pipeline.name: each for each in (Offer(AFFETTI), Offer(PAPER), *_plugged_in())}
    for name, said in (settings or load()).pipelines.items():
        roles = {role: said[role] for role in said if role != "zoo"}
        zoo = Path(said["zoo"]).expanduser() if "zoo" in said else None
        found[name] = Offer(_named(name, roles), zoo)
    return found


def _named(name: str, roles: Mapping[str, str]) -> Pipeline:
    known = [field for field in Pipeline.__struct_fields__ if field not in ("name", "gates")]
    if others := sorted(set(roles) - set(known)):
        raise UsageError(
            "pipelines.pipeline_names_model_no", name=name, others=others[0], known=", ".join(known)
        )
    return msgspec.structs.replace(AFFETTI, name=name, **roles)


def _plugged_in() -> Iterator[Offer]:
    for point in extensions("affetti.pipelines"):
        found = point.load()
        yield found if isinstance(found, Offer) else found()


def offered(name: str, settings: Settings | None = None) -> Offer:
    """Return the pipeline of that name.

    Raises
    ------
    AffettiError
        There is none.
    """
    found = offers(settings)
    if name not in found:
        known = ", ".join(found)
        raise UsageError("pipelines.no_pipeline_named", name=name, known=known)
    return found[name]


def recorded_models(
    started: SessionStarted, zoos: Iterable[Path] = ()
) -> tuple[dict[str, ModelFile], list[str]]:
    """Return the very models of a recording that were found, and the names of the others."""
    folders = tuple(zoos)
    found = {name: by_digest(digest, folders) for name, digest in started.models.items()}
    there = {name: each for name, each in found.items() if each is not None}
    missing = {name for name, each in found.items() if each is None}
    if not missing:
        pipeline = started.pipeline or AFFETTI
        roles = {pipeline.face_expression, pipeline.face_detector, pipeline.music_emotion}
        missing = roles - there.keys() or set(parts_of(pipeline, there)) - there.keys()
    return there, sorted(missing)
