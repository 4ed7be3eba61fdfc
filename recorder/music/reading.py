"""What a track expresses over its length, read by the perception that hears it live."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    Emotions,
    Event,
    Modality,
    MusicEstimated,
    StreamOpened,
)
from affetti.core.streams import PLAYBACK, audio_stream
from affetti.models.perception.heard import HeardPerception
from affetti.models.perception.music import MusicPerception
from affetti.models.pipelines import Perceivers
from affetti.recorder.music.piece import EVERY_S, Point, TrackReading
from affetti.recorder.sources.track import Track, common_format, decode, track_started

_Samples: TypeAlias = NDArray[np.int16]


def read_track(track: Track, perceivers: Perceivers) -> TrackReading:
    """Say what a track expresses: a pure function of its samples and the models.

    Every five seconds a window of ten is read, as it is while a track plays; what is no music in
    it says nothing.

    Raises
    ------
    AffettiError
        The track cannot be decoded, or a model is missing.
    """
    form = common_format([track])
    heard = HeardPerception(perceivers.listen)
    presence = None if perceivers.listen is None else heard.presence
    music = MusicPerception(perceivers.read_music, _between, presence)
    opened = StreamOpened(t_ns=0, seq=0, declaration=audio_stream(PLAYBACK, form))
    begun = track_started(track, t_ns=0, seq=1, track=0, sample=0)
    estimates: list[MusicEstimated] = []
    event: Event
    for event, blob in chain([(opened, b""), (begun, b"")], _captured(track, form)):
        heard.push(event, blob)
        made = music.push(event, blob)
        estimates += [each for each in made if isinstance(each, MusicEstimated)]
    return _summed(estimates)


def _between(modality: Modality, event: Event) -> bool:
    """Whether no window ends with a second of sound."""
    return event.t_ns // NS_PER_S % EVERY_S != EVERY_S - 1


def _captured(track: Track, form: AudioFormat) -> Iterator[tuple[AudioCaptured, bytes]]:
    """Yield a track as it would be captured, in blocks of a second."""
    for second, samples in enumerate(_seconds(decode(track, form), form)):
        event = AudioCaptured(
            t_ns=second * NS_PER_S,
            seq=second + 2,
            stream=PLAYBACK,
            sample=second * form.rate_hz,
            count=len(samples),
        )
        yield event, samples.astype("<i2").tobytes()


def _seconds(blocks: Iterable[_Samples], form: AudioFormat) -> Iterator[_Samples]:
    kept: list[_Samples] = []
    length = 0
    for block in blocks:
        kept.append(block)
        length += len(block)
        if length < form.rate_hz:
            continue
        joined = np.concatenate(kept)
        whole = length // form.rate_hz * form.rate_hz
        yield from np.split(joined[:whole], whole // form.rate_hz)
        kept, length = [joined[whole:]], length - whole


def _summed(estimates: list[MusicEstimated]) -> TrackReading:
    said = [each for each in estimates if each.emotions is not None]
    if not said:
        return TrackReading(loudness_dbfs=_loudness(estimates))
    happiness, sadness, anger, relaxation = _mean([each.emotions for each in said])
    return TrackReading(
        emotions=(happiness, sadness, anger, relaxation),
        valence=_mean_of([each.valence for each in said]),
        arousal=_mean_of([each.arousal for each in said]),
        course=tuple(_points(said)),
        music_share=round(len(said) / len(estimates), 4),
        tempo_bpm=_median([each.tempo_bpm for each in said]),
        loudness_dbfs=_loudness(estimates),
        reasons=_most_frequent(code for each in said for code in each.reasons),
    )


def _points(said: list[MusicEstimated]) -> Iterator[Point]:
    for each in said:
        if each.valence is not None and each.arousal is not None:
            yield Point(round(each.t_ns / NS_PER_S, 1), each.valence, each.arousal)


def _mean(rows: list[Emotions | None]) -> list[float]:
    means = np.mean([row for row in rows if row is not None], axis=0)
    return [round(float(share), 6) for share in means]


def _mean_of(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.mean(known)), 4) if known else None


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.median(known)), 1) if known else None


def _loudness(estimates: list[MusicEstimated]) -> float | None:
    """Return the level of the mean power."""
    if not estimates:
        return None
    powers = [10 ** (each.loudness_dbfs / 10) for each in estimates]
    return round(10 * float(np.log10(np.mean(powers))), 2)


def _most_frequent(codes: Iterable[str]) -> tuple[str, ...]:
    found = list(codes)
    return tuple(sorted(dict.fromkeys(found), key=lambda code: -found.count(code))[:3])
