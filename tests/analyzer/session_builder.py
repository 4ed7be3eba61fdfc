"""Builds real recordings, faster than real time, by the product's own log, perception and seal."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.replay import opened
from affetti.core.clock import NS_PER_S
from affetti.core.environment import environment
from affetti.core.events import (
    ESTIMATES,
    AudioCaptured,
    AudioFormat,
    Consent,
    Environment,
    Event,
    FrameCaptured,
    SessionEnded,
    SessionStarted,
    TrackEnded,
    TrackEndReason,
    TrackStarted,
    consent_to,
)
from affetti.core.recording.parts import PartLog
from affetti.core.recording.pictures import jpeg_size_px
from affetti.core.recording.sealing import seal
from affetti.core.settings import LogSettings
from affetti.core.streams import audio_stream, video_stream
from affetti.models.face.detection import ANY_ROLL
from affetti.models.perception import PERCEPTION_VERSION, Perception
from affetti.models.perception.skips import Skip, never
from affetti.models.pipelines import AFFETTI, Offer, Perceivers

RATE_HZ = 22_050
BLOCK = 1_024
FRAMES_PER_S = 15


class Remembered:
    """The product's own readers; what they said of a picture or a sound, they do not say anew.

    A recording shows few pictures over and over. Its replay reads each of them again.
    """

    def __init__(self) -> None:
        self.perceivers = opened(Offer(AFFETTI))
        self._found = {}
        self._faces = {}
        self._music = {}
        self._sounds = {}

    def read_face(self, image, choose, *against, where=ANY_ROLL):
        """Read a face as `FaceReader.read` does."""
        seen = hashlib.sha256(image).digest(), where
        neutral = tuple(each.tobytes() for each in against if each is not None)
        if seen not in self._found:
            self.perceivers.read_face(
                image, lambda found: self._found.update({seen: found}), where=where
            )
        face = choose(self._found[seen])
        key = seen, face, neutral
        if key not in self._faces:
            self._faces[key] = self.perceivers.read_face(
                image, lambda found: face, *against, where=where
            )
        return self._faces[key]

    def read_music(self, samples, rate_hz):
        """Read music as `MusicReader.read` does."""
        sound = hashlib.sha256(np.ascontiguousarray(samples)).digest(), samples.shape, rate_hz
        if sound not in self._music:
            self._music[sound] = self.perceivers.read_music(samples, rate_hz)
        return self._music[sound]

    def listen(self, *energies):
        """Tell kinds of sound apart as `HeardReader.listen` does."""
        sound = tuple(hashlib.sha256(np.ascontiguousarray(e)).digest() for e in energies)
        if sound not in self._sounds:
            self._sounds[sound] = self.perceivers.listen(*energies)
        return self._sounds[sound]


@cache
def remembered():
    """Return the readers of this process."""
    return Remembered()


def read_face(image, choose, neutral=None, where=ANY_ROLL):
    """Read a face as the product does."""
    return remembered().read_face(image, choose, neutral, where=where)


def read_music(samples, rate_hz):
    """Read music as the product does."""
    return remembered().read_music(samples, rate_hz)


@dataclass
class Plan:
    """What a recording is to hold.

    `tracks` are a title and int16 [n, 1] samples each, played one after the other from `onset_s`.
    `moments` are further events, put in at their `t_ns`. `jpegs` are shown in a circle.
    """

    duration_s: float = 12.0
    onset_s: float = 1.0
    tracks: list[tuple[str, NDArray[np.int16]]] = field(default_factory=list)
    moments: list[Event] = field(default_factory=list)
    jpegs: list[bytes] = field(default_factory=list)
    unfilmed: list[tuple[float, float]] = field(default_factory=list)  # seconds without frames
    expected: str | None = None  # what the playlist expects of every track
    end_reason: TrackEndReason = "finished"  # of every track
    blobs: dict[Event, bytes] = field(default_factory=dict)  # of moments that carry one
    person: str = "P07"
    wall_clock: str = "2026-11-24T10:15:00+01:00"
    consent: Consent = field(default_factory=lambda: consent_to("video", "room"))
    skip: Skip = never
    listen: Callable | None = None
    perceivers: Perceivers | None = None
    read_face: Callable | None = None
    read_music: Callable | None = None
    looks: bool = True  # at the signs of a face, which is the dearest of all
    perception_version: int = PERCEPTION_VERSION
    models: dict[str, str] | None = None
    environment: Environment | None = None
    ended: bool = True
    live: bool = True
    cut_estimates: int = 0  # how many of the last estimates a crash cut off


def chord(duration_s: float, *frequencies_hz: float) -> NDArray[np.int16]:
    """Return a decaying, repeated chord, int16 [n, 1]: music enough to be read."""
    t = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    tone = sum(np.sin(2 * np.pi * f * t) for f in frequencies_hz) * np.exp(-3 * (t % 0.5))
    return np.round(6_000 * tone / max(len(frequencies_hz), 1)).astype(np.int16)[:, np.newaxis]


def build(target: Path, plan: Plan) -> Path:
    """Record `plan` to parts of `target`, estimates included, and seal them."""
    chosen = plan.perceivers or opened(Offer(AFFETTI))
    started = SessionStarted(
        t_ns=0,
        session_id=hashlib.sha256(target.stem.encode()).hexdigest()[:32],
        person=plan.person,
        consent=plan.consent,
        software_version="0.1.0",
        wall_clock=plan.wall_clock,
        camera="test" if plan.jpegs else None,
        streams=(
            *([video_stream()] if plan.jpegs else []),
            *([audio_stream("playback", AudioFormat(RATE_HZ, 1))] if plan.tracks else []),
        ),
        playlist=tuple(title for title, _ in plan.tracks),
        models=chosen.digests if plan.models is None else plan.models,
        pipeline=chosen.pipeline,
        perception_version=plan.perception_version,
        environment=environment() if plan.environment is None else plan.environment,
    )
    perception = Perception(
        plan.read_face or (plan.perceivers or remembered()).read_face,
        plan.read_music or (plan.perceivers or remembered()).read_music,
        plan.skip,
        look=chosen.look if plan.looks else None,
        describe=chosen.describe,
        listen=(plan.listen or (plan.perceivers or remembered()).listen) if chosen.listen else None,
    )
    events: list[tuple[Event, bytes]] = []
    seq = 0
    for event, blob in _in_time([(started, b""), *_facts(plan)]):
        # The log gives the same number; skips name frames and blocks by it.
        numbered = msgspec.structs.replace(event, seq=seq)
        made = [] if isinstance(event, SessionEnded) else perception.push(numbered, blob)
        events += [(event, blob), *((estimate, b"") for estimate in made if plan.live)]
        seq = len(events)
    write(target, started.session_id, _without_last_estimates(events, plan.cut_estimates))
    return target


def write(target: Path, session_id: str, events: list[tuple[Event, bytes]]) -> None:
    """Write events to parts of `target` and seal them."""
    log = PartLog(target, session_id, LogSettings(part_mib=32))
    for event, blob in events:
        log.append(event, blob)
    log.close()
    seal(target)


def _without_last_estimates(
    events: list[tuple[Event, bytes]], count: int
) -> list[tuple[Event, bytes]]:
    estimates = [i for i, (event, _) in enumerate(events) if isinstance(event, ESTIMATES)]
    cut = set(estimates[len(estimates) - count :])
    return [each for i, each in enumerate(events) if i not in cut]


def _in_time(facts: Iterable[tuple[Event, bytes]]) -> list[tuple[Event, bytes]]:
    return sorted(facts, key=lambda fact: fact[0].t_ns)


def _facts(plan: Plan) -> Iterable[tuple[Event, bytes]]:
    for i in range(round(plan.duration_s * FRAMES_PER_S) if plan.jpegs else 0):
        jpeg = plan.jpegs[i % len(plan.jpegs)]
        t_ns = i * NS_PER_S // FRAMES_PER_S + 1
        if any(start * NS_PER_S <= t_ns < stop * NS_PER_S for start, stop in plan.unfilmed):
            continue
        width_px, height_px = jpeg_size_px(jpeg) or (640, 360)
        yield FrameCaptured(t_ns=t_ns, frame=i, width_px=width_px, height_px=height_px), jpeg
    yield from _playback(plan)
    for moment in plan.moments:
        yield moment, plan.blobs.get(moment, b"") if moment.traits.blob else b""
    if plan.ended:
        yield SessionEnded(t_ns=round(plan.duration_s * NS_PER_S), reason="duration"), b""


def _playback(plan: Plan) -> Iterable[tuple[Event, bytes]]:
    sound = np.zeros((round(plan.duration_s * RATE_HZ), 1), np.int16)
    begin = round(plan.onset_s * RATE_HZ)
    for number, (title, samples) in enumerate(plan.tracks):
        end = min(begin + len(samples), len(sound))
        sound[begin:end] = samples[: end - begin]
        yield _track_started(number, title, begin, len(samples), plan.expected), b""
        ended = TrackEnded(t_ns=_time_ns(end), track=number, sample=end, reason=plan.end_reason)
        yield ended, b""
        begin = end
    for sample in range(0, len(sound) if plan.tracks else 0, BLOCK):
        block = sound[sample : sample + BLOCK]
        event = AudioCaptured(
            t_ns=_time_ns(sample), stream="playback", sample=sample, count=len(block)
        )
        yield event, block.astype("<i2").tobytes()


def _track_started(
    number: int, title: str, sample: int, count: int, expected: str | None
) -> TrackStarted:
    return TrackStarted(
        t_ns=_time_ns(sample),
        track=number,
        title=title,
        file_name=f"{number}.ogg",
        sha256="0" * 64,
        sample=sample,
        duration_s=count / RATE_HZ,
        expected=expected,
    )


def _time_ns(sample: int) -> int:
    return sample * NS_PER_S // RATE_HZ
