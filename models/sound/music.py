"""What a window of music expresses: named features and a model of the zoo, through onnxruntime."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from affetti.core.emotions import FloatArray
from affetti.core.events import MAX_RATE_HZ, MIN_RATE_HZ, AudioFormat, Emotions
from affetti.models import manifest
from affetti.models.manifest import ModelFile, Models
from affetti.models.sound.descriptors import describe
from affetti.models.sound.features import RATE_HZ, Signal, Sound, mono, normalized, paper_features
from affetti.models.sound.musicnn import Musicnn
from affetti.models.sound.reasons import Reason, Typical, reasons

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
    sound: Sound
    features: dict[str, float] | None = None


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
        self._emotion = _Classifier(by_name[model])
        network: str | None = self._emotion.parameters.get("musicnn")
        self._network = Musicnn(by_name[network]) if network else None
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
        if heard.features is None:
            return MusicReading(None, heard.loudness_dbfs, None)
        happiness, sadness, anger, relaxation = (
            round(float(p), 6) for p in self._probabilities(heard.features)
        )
        return MusicReading(
            (happiness, sadness, anger, relaxation),
            heard.loudness_dbfs,
            round(heard.sound.tempo_bpm, 1),
            tuple(reason.code for reason in self._reasons(heard.features)[:MAX_REASONS]),
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
        return self._reasons(features) if features else ()

    def _listened(self, samples: NDArray[np.int16], rate_hz: int) -> "_Heard":
        _check(samples, rate_hz)
        signal = mono(samples, rate_hz)
        loudness = _loudness_dbfs(signal)
        sound = Sound(normalized(signal))
        if loudness <= self._silence_dbfs:
            return _Heard(loudness, sound)
        return _Heard(loudness, sound, self._features(sound))

    def _reasons(self, features: dict[str, float]) -> tuple[Reason, ...]:
        typical: Typical | None = self._emotion.parameters.get("typical")
        return reasons(features, typical, self._probabilities) if typical else ()

    def _features(self, sound: Sound) -> dict[str, float]:
        # Several threads would add up in another order: other last digits on other machines.
        with self._threads.limit(limits=1, user_api="blas"):
            return features_of(sound, self._network)

    def _probabilities(self, features: dict[str, float]) -> FloatArray:
        exponent: float = self._emotion.parameters.get("exponent", 1.0)
        return np.asarray(sharpened(self._emotion.of(features), exponent)[0])

    def warm(self) -> None:
        """Read three seconds of noise, so that numba's code is compiled before it is needed."""
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
    return (name, *(parameters[part] for part in ("musicnn",) if part in parameters))


class _Classifier:
    """A model of the zoo that maps named features to probabilities."""

    def __init__(self, found: ModelFile) -> None:
        self.parameters = found.parameters
        self._session = manifest.onnx_session(found)

    def of(self, features: dict[str, float]) -> FloatArray:
        """Return the probabilities of one window, shape [1, classes]."""
        row = np.array([[features[name] for name in self.parameters["features"]]], np.float32)
        return np.asarray(self._session.run(["probabilities"], {"features": row})[0])


def features_of(sound: Sound, network: Musicnn | None) -> dict[str, float]:
    """Return all features of a window by name: the paper's alone when there is no network."""
    features = paper_features(sound)
    if network is None:
        return features
    embedding = network.embed(sound.mel)
    learned = {f"musicnn_{i}": float(value) for i, value in enumerate(embedding, start=1)}
    return features | describe(sound) | learned


def sharpened(probabilities: FloatArray, exponent: float) -> FloatArray:
    """Raise probabilities, shape [n, 4], to a power and normalize them again.

    A mean of many trees is too cautious; the exponent that makes its probabilities true on
    artists it has not heard is found in training.
    """
    powers = np.asarray(probabilities, np.float64) ** exponent
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _check(samples: NDArray[np.int16], rate_hz: int) -> None:
    if samples.ndim != 2 or samples.dtype != np.int16:
        raise ValueError(f"expected int16 [n, 1..8], not {samples.dtype} {samples.shape}")
    if not readable(AudioFormat(rate_hz, samples.shape[1])):
        raise ValueError(f"cannot read {samples.shape[1]} channels at {rate_hz} Hz")
    if not 3 * rate_hz <= len(samples) <= 10 * rate_hz:
        raise ValueError(f"expected 3 to 10 s of sound, not {len(samples) / rate_hz:.1f} s")


def _loudness_dbfs(signal: Signal) -> float:
    deviation = float(signal.std(dtype=np.float64))
    return max(round(20 * float(np.log10(max(deviation, 1e-6))), 2), FLOOR_DBFS)
