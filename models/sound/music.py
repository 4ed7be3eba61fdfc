"""What a window of music expresses: named features and a model of the zoo, through onnxruntime."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from affetti.core.emotions import FloatArray
from affetti.core.events import MAX_RATE_HZ, MIN_RATE_HZ, AudioFormat, Emotions
from affetti.models import manifest
from affetti.models.manifest import ModelFile, Models
from affetti.models.sound.affect import AffectModel
from affetti.models.sound.descriptors import describe
from affetti.models.sound.features import RATE_HZ, Sound, mono, normalized, paper_features
from affetti.models.sound.frames import Listener, Window
from affetti.models.sound.musicnn import SharedMusicnn
from affetti.models.sound.reasons import Features, Reason, Typical, reasons

MAX_CHANNELS: Final = 8
FLOOR_DBFS: Final = -120.0
MAX_REASONS: Final = 3
SILENCE_DBFS: Final = -60.0  # softer than this is no music: a quiet room, a muted line


@dataclass(frozen=True)
class MusicReading:
    """What was heard in one window.

    `emotions` are probabilities in the order of `core.emotions.EMOTIONS`, rounded to six
    decimals; None when there is no music to hear. `loudness_dbfs` is the root mean square of
    the mono mix about its mean, 0 for a full-scale square wave, at least -120. `tempo_bpm` is
    None when there is no music to hear. `reasons` are up to `MAX_REASONS` words for what spoke
    for the strongest emotion, see `MusicReader.explain`.
    `valence` and `arousal`, -1 to 1, come with half the width of an interval that holds 90 % of
    what raters say on average; None for models that do not estimate them.
    """

    emotions: Emotions | None
    loudness_dbfs: float
    tempo_bpm: float | None
    reasons: tuple[str, ...] = ()
    valence: float | None = None
    valence_half_width: float | None = None
    arousal: float | None = None
    arousal_half_width: float | None = None


@dataclass(frozen=True)
class _Heard:
    """A window that was listened to; without `features`, it is silence."""

    loudness_dbfs: float
    tempo_bpm: float | None = None
    features: Features | None = None


class MusicReader:
    """Reads windows of sound with one model of the zoo.

    Parameters
    ----------
    model
        Its name.
    models
        What names stand for; by default the models of this version.
    silence_dbfs
        What is not louder is no music.

    Raises
    ------
    AffettiError
        The model file is missing or is not the one in the manifest.
    """

    def __init__(
        self,
        model: str = "music_emotion",
        models: Models | None = None,
        silence_dbfs: float = SILENCE_DBFS,
    ) -> None:
        self._models = [manifest.model(name, models) for name in model_names(model, models)]
        by_name = {each.name: each for each in self._models}
        parameters = by_name[model].parameters
        self._typical: Typical | None = parameters.get("typical")
        self._ear: _Ear
        self._emotion: _Forest | AffectModel
        if parameters["recipe"] == "paper":
            self._ear, self._emotion = _heard_by_the_paper, _Forest(by_name[model])
        else:
            front, back = (by_name[parameters[part]] for part in _NETWORKS)
            self._ear = _SharedEar(SharedMusicnn(front, back))
            self._emotion = AffectModel(by_name[model])
        self._silence_dbfs = silence_dbfs
        self._threads = ThreadpoolController()

    @property
    def sha256(self) -> dict[str, str]:
        """SHA-256 of each model file that a reading depends on, by model name."""
        return {each.name: each.sha256 for each in self._models}

    def read(self, samples: NDArray[np.int16], rate_hz: int) -> MusicReading:
        """Say what a window of sound expresses: a pure function of samples and model files.

        Parameters
        ----------
        samples
            Shape [n, channels], 3 to 10 s of sound in 1 to 8 channels.
        rate_hz
            Their sampling rate, 8,000 to 192,000.

        Raises
        ------
        ValueError
            The shape, the data type or the rate is another.
        """
        heard = self._listened(samples, rate_hz)
        if heard.features is None or heard.tempo_bpm is None:
            return MusicReading(None, heard.loudness_dbfs, None)
        said = self._emotion.of(heard.features)
        happiness, sadness, anger, relaxation = (round(float(p), 6) for p in said.emotions)
        return MusicReading(
            (happiness, sadness, anger, relaxation),
            heard.loudness_dbfs,
            round(heard.tempo_bpm, 1),
            tuple(r.code for r in self._reasons(heard.features, said.emotions)[:MAX_REASONS]),
            valence=_rounded(said.valence),
            valence_half_width=_rounded(said.valence_half_width),
            arousal=_rounded(said.arousal),
            arousal_half_width=_rounded(said.arousal_half_width),
        )

    @property
    def gates(self) -> dict[str, tuple[float, ...]]:
        """At which values of a reading's fields it falls silent."""
        return {"loudness_dbfs": (self._silence_dbfs,)}

    def explain(self, samples: NDArray[np.int16], rate_hz: int) -> tuple[Reason, ...]:
        """Say which qualities of the sound made the named emotion more probable.

        Costs as much as `read` does. Empty when there is no music to hear, and for models that do
        not know what is typical.

        Parameters
        ----------
        samples, rate_hz
            As `read` takes them.

        Returns
        -------
        Codes such as "minor" or "sparse" with their weights, the strongest first.

        Raises
        ------
        ValueError
            As from `read`.
        """
        features = self._listened(samples, rate_hz).features
        return self._reasons(features, self._emotion.of(features).emotions) if features else ()

    def _listened(self, samples: NDArray[np.int16], rate_hz: int) -> "_Heard":
        _check(samples, rate_hz)
        # Several threads would add up in another order: other last digits on other machines.
        with self._threads.limit(limits=1, user_api="blas"):
            return self._ear(samples, rate_hz, self._silence_dbfs)

    def _reasons(self, features: Features, said: FloatArray) -> tuple[Reason, ...]:
        if self._typical is None:
            return ()
        return reasons(
            features, said, self._typical, lambda changed: self._emotion.of(changed).emotions
        )

    def warm(self) -> None:
        """Read three seconds of noise, so that what is loaded at first use is there when it counts.

        Of the published model numba compiles the features then, once, for half a minute.
        """
        noise = np.random.default_rng(0).integers(-9_000, 9_000, (3 * RATE_HZ, 1), np.int16)
        self.read(noise, RATE_HZ)


def readable(form: AudioFormat) -> bool:
    """Return whether sound of this form can be read."""
    return MIN_RATE_HZ <= form.rate_hz <= MAX_RATE_HZ and 1 <= form.channels <= MAX_CHANNELS


def model_names(name: str, models: Models | None = None) -> tuple[str, ...]:
    """Return a music model and those that it listens through, by name.

    Raises
    ------
    AffettiError
        There is no such model.
    """
    parameters = manifest.model(name, models).parameters
    return (name, *(parameters[part] for part in _NETWORKS if part in parameters))


# Hears a window, unless it is not louder than some level (dB relative to full scale).
_Ear: TypeAlias = Callable[[NDArray[np.int16], int, float], _Heard]
_NETWORKS: Final = ("musicnn_front", "musicnn_back")


def _heard_by_the_paper(samples: NDArray[np.int16], rate_hz: int, silence_dbfs: float) -> _Heard:
    """Hear the paper's 67 statistics of a window."""
    signal = mono(samples, rate_hz)
    loudness = _decibels(float(signal.std(dtype=np.float64)))
    if loudness <= silence_dbfs:
        return _Heard(loudness)
    sound = Sound(normalized(signal))
    return _Heard(loudness, sound.tempo_bpm, paper_features(sound))


class _SharedEar:
    """Hears windows of which each shares most with the one before."""

    def __init__(self, network: SharedMusicnn) -> None:
        self._listener = Listener()
        self._network = network

    def __call__(self, samples: NDArray[np.int16], rate_hz: int, silence_dbfs: float) -> _Heard:
        window = self._listener.cut(samples, rate_hz)
        loudness = _decibels(window.moments.deviation(window.level.signs))
        if loudness <= silence_dbfs:
            return _Heard(loudness)
        features = features_of(window, self._network)
        return _Heard(loudness, features["beat"], features)


def features_of(window: Window, network: SharedMusicnn) -> Features:
    """Return all that is heard in a window by name: descriptors, and MusiCNN's embedding."""
    learned = {f"musicnn_{i}": float(v) for i, v in enumerate(network.embed(window), start=1)}
    return {name: float(value) for name, value in describe(window).items()} | learned


@dataclass(frozen=True)
class _Said:
    """What a model says that knows the four emotions alone."""

    emotions: FloatArray
    valence: float | None = None
    arousal: float | None = None
    valence_half_width: float | None = None
    arousal_half_width: float | None = None


class _Forest:
    """A model of the zoo that maps named features to probabilities."""

    def __init__(self, found: ModelFile) -> None:
        self._names: list[str] = found.parameters["features"]
        self._session = manifest.onnx_session(found)

    def of(self, features: Features) -> _Said:
        """Return what a window of these features expresses."""
        row = np.array([[features[name] for name in self._names]], np.float32)
        return _Said(np.asarray(self._session.run(["probabilities"], {"features": row})[0][0]))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _check(samples: NDArray[np.int16], rate_hz: int) -> None:
    if samples.ndim != 2 or samples.dtype != np.int16:
        raise ValueError(f"expected int16 [n, 1..8], not {samples.dtype} {samples.shape}")
    if not readable(AudioFormat(rate_hz, samples.shape[1])):
        raise ValueError(f"cannot read {samples.shape[1]} channels at {rate_hz} Hz")
    if not 3 * rate_hz <= len(samples) <= 10 * rate_hz:
        raise ValueError(f"expected 3 to 10 s of sound, not {len(samples) / rate_hz:.1f} s")


def _decibels(deviation: float) -> float:
    return max(round(20 * float(np.log10(max(deviation, 1e-6))), 2), FLOOR_DBFS)
