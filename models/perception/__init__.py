"""Perception: events in, estimates out, in event time. The one code path of live and replay.

Everything here is a pure operator over the events of a recording in the order of `seq`: no wall
clock, no threads, no state but what the events say. What is live about the live side, which is
when an estimate has to be skipped, comes in through a function and is recorded, so that a
replay can be told the same.

`FacePerception` may run in a thread of its own, and so may `HeardPerception` with
`MusicPerception` behind it, each given every event; `FusionPerception` takes what all said of an
event, event by event. `Perception` runs them in a row.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from affetti.core.events import (
    EmotionFused,
    Estimated,
    EstimateSkipped,
    Event,
    FaceEstimated,
    HeardEstimated,
    MusicEstimated,
)
from affetti.core.recording.pictures import decoded
from affetti.models.face.person import Describe
from affetti.models.perception.face import Decode, FacePerception, Later, Look, ReadFace
from affetti.models.perception.fusion import FusionPerception
from affetti.models.perception.heard import HeardPerception, Listen
from affetti.models.perception.music import MusicPerception, ReadMusic
from affetti.models.perception.plugins import Perceiver, Plugged, perceivers
from affetti.models.perception.skips import RecordedSkips, Skip, never, nothing_lost

# Raised whenever the same models would give other estimates of the same recording.
PERCEPTION_VERSION: Final = 7

Estimate: TypeAlias = (
    FaceEstimated | HeardEstimated | MusicEstimated | EmotionFused | Estimated | EstimateSkipped
)
Coming: TypeAlias = Callable[[], Sequence[Estimate]]  # what there was to see, once that is known


class Perception:
    """Face, sound and fusion: what a replay runs.

    `see` and `hear` may run in threads of their own, each given every event in order; `fuse`
    follows with what both made of an event.

    Parameters
    ----------
    read_face, read_music
        `models.face.reading.FaceReader.read` and `models.sound.music.MusicReader.read`, or
        functions like them.
    skip
        Whether no estimate is made from an event: `never`, or `recorded_skips(events)`.
    others
        Perceivers of further modalities; by default those of installed plug-ins.
    look
        What looks at faces for their signs, as `FacePerception` takes it.
    describe
        What tells one face from another, as `FacePerception` takes it.
    listen
        What tells kinds of sound apart, as `HeardPerception` takes it. Without it nothing is heard
        but music, and all is read as that.
    decode
        As `FacePerception` takes it.
    """

    idle = False  # whether nearly nothing is read: then no thread is worth its while

    def __init__(
        self,
        read_face: ReadFace,
        read_music: ReadMusic,
        skip: Skip = never,
        others: Sequence[type[Perceiver]] | None = None,
        *,
        look: Look | None = None,
        describe: Describe | None = None,
        listen: Listen | None = None,
        decode: Decode = decoded,
    ) -> None:
        self._face = FacePerception(read_face, skip, look, describe, decode)
        self._heard = HeardPerception(listen, skip)
        presence = None if listen is None else self._heard.presence
        self._music = MusicPerception(read_music, skip, presence)
        further = perceivers() if others is None else others
        self._others = [Plugged(each, skip) for each in further]
        lost = skip.lost if isinstance(skip, RecordedSkips) else nothing_lost
        self._fusion = FusionPerception(lost)

    def see(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        """Take in the next fact; return what there was to see in it."""
        return list(self._face.push(event, blob))

    def begin_to_see(self, event: Event, blob: bytes, later: Later) -> Coming:
        """Take in the next fact as `see` does; `later` reads what a face in it expresses."""
        return self._face.begin(event, blob, later)

    def hear(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        """Take in the next fact; return what there was to hear in it."""
        return [*self._heard.push(event, blob), *self._music.push(event, blob)]

    def perceive_others(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        """Take in the next fact; return what perceivers of plug-ins made of it."""
        return [estimate for each in self._others for estimate in each.push(event, blob)]

    def fuse(self, event: Event, estimates: list[Estimate]) -> list[Estimate]:
        """Take in what was seen and heard in the next fact; return that with what it became."""
        return [*estimates, *self._fusion.push(event, estimates)]

    def push(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        """Take in the next fact; events of kinds that it does not see must be left out."""
        made = [*self.see(event, blob), *self.hear(event, blob)]
        return self.fuse(event, [*made, *self.perceive_others(event, blob)])
