"""From sound to what is heard, of every stream of sound, at all times."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.consent import Scopes, declared, scopes_of
from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    AudioGap,
    ConsentChanged,
    EstimateSkipped,
    Event,
    HeardEstimated,
    SessionStarted,
    StreamOpened,
    TrackEnded,
    TrackStarted,
)
from affetti.core.streams import AUDIO
from affetti.models.perception.skips import Skip, never, skipped
from affetti.models.sound import heard as sound
from affetti.models.sound.heard import (
    NOTHING,
    Beside,
    Energies,
    Heard,
    is_own_noise,
    is_unaccompanied,
    kinds_of,
    presence_of,
    voice_of,
)
from affetti.models.sound.loudspeaker import Loudspeaker, others, share
from affetti.models.sound.music import readable

ROOM: Final = "room"
PLAYBACK: Final = "playback"
# From mel energies, of which the last second is meant, to what is heard; and as loud as others are.
Listen: TypeAlias = Callable[..., Heard]

CONTEXT_S: Final = 2  # heard together with a second
KEPT_S: Final = 3  # of samples, so that the playback is there when the room is heard
LATE_S: Final = 0.1  # so much later than the room the playback may be told of; blocks are shorter
FLOOR_S: Final = 60  # the lowest background of the last minute is the room's own noise


class _Ear:
    """One stream: its latest samples, and the mel energies of its latest whole seconds."""

    def __init__(self, form: AudioFormat) -> None:
        self.form = form
        self._kept = KEPT_S * form.rate_hz
        self._blocks: list[NDArray[np.int16]] = []  # joined where they are asked for
        self._end = 0
        self._anchor = 0, 0  # session time and sample of the latest block
        self._seconds: deque[Energies] = deque(maxlen=CONTEXT_S + 1)

    def restart(self) -> None:
        self._blocks = []
        self._seconds.clear()

    def push(
        self, t_ns: int, sample: int, block: NDArray[np.int16]
    ) -> list[tuple[int, NDArray[np.float32]]]:
        """Take in a block; return the whole seconds that end in it, and where each does."""
        if sample != self._end:
            self.restart()
        self._blocks.append(block)
        self._end, self._anchor = sample + len(block), (t_ns, sample)
        rate_hz = self.form.rate_hz
        ends = range((sample // rate_hz + 1) * rate_hz, self._end + 1, rate_hz)
        if not ends:  # of most blocks: nothing is copied for them
            return []
        samples = self._latest(self._kept + len(block))
        found = [(end, second) for end in ends if (second := self._until(end, samples)) is not None]
        self._blocks = [self._latest(self._kept)]
        return found

    def _latest(self, count: int) -> NDArray[np.int16]:
        """Return the latest samples, so many or all that are held."""
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks)]
        none = np.empty((0, self.form.channels), np.int16)
        return self._blocks[0][-count:] if self._blocks else none

    def _until(self, end: int, samples: NDArray[np.int16]) -> NDArray[np.float32] | None:
        """Return a second and the little before it that its first frames need, if there is all."""
        begin = self._end - len(samples)
        start = end - self.form.rate_hz
        if start < begin:
            return None
        before = max(begin, start - sound.history(self.form.rate_hz))
        return sound.mixed(samples[before - begin : end - begin])

    def energies_until(self, t_ns: int) -> Energies | None:
        """Return the energies of the second until a moment, if all of it but `LATE_S` is there.

        What is not there yet is taken to go on as it was: the last of it, backwards.
        """
        at_ns, sample = self._anchor
        rate_hz = self.form.rate_hz
        end = sample + round((t_ns - at_ns) * rate_hz / NS_PER_S)
        start = end - rate_hz - sound.history(rate_hz)
        samples = self._latest(self._kept)
        begin = self._end - len(samples)
        late = max(0, end - self._end)
        if start < begin or late > LATE_S * rate_hz:
            return None
        piece = sound.mixed(samples[start - begin : end - begin])
        piece = np.concatenate([piece, piece[len(piece) - late :][::-1]])
        return sound.mel_energies(piece, rate_hz) if piece.any() else None

    def heard_with(self, second: Energies) -> Energies:
        """Return a second's energies behind those that are heard with it."""
        self._seconds.append(second)
        return np.concatenate(self._seconds)


class _Memory:
    """What was heard in a stream: how much music, and how soft it was."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, Heard]] = deque(maxlen=FLOOR_S)
        self._backgrounds: deque[tuple[int, float]] = deque()

    def add(self, estimate: HeardEstimated) -> None:
        heard = Heard(estimate.music or 0.0, estimate.singing or 0.0, estimate.speech or 0.0)
        if is_own_noise(estimate.level_dbfs, estimate.floor_dbfs):
            heard = NOTHING
        self._seconds.append((estimate.end_sample, heard))
        self._backgrounds.append((estimate.t_ns, estimate.background_dbfs))

    def floor_dbfs(self, t_ns: int, background_dbfs: float) -> float:
        while self._backgrounds and self._backgrounds[0][0] <= t_ns - FLOOR_S * NS_PER_S:
            self._backgrounds.popleft()
        return min([background_dbfs, *(level for _, level in self._backgrounds)])

    def presence(self, start: int, end: int, rate_hz: int) -> float | None:
        """Return the mean of the seconds that lie in a window with their larger part."""
        first = start + rate_hz // 2
        found = {at: heard for at, heard in self._seconds if first <= at <= end}
        alone = is_unaccompanied(list(found.values()))
        presences = [
            presence_of(heard, found.get(at + rate_hz), is_alone=alone)
            for at, heard in found.items()
        ]
        return round(sum(presences) / len(presences), 6) if presences else None


@dataclass(frozen=True)
class _Second:
    """A second that is due, as it was taken in."""

    t_ns: int  # its end
    end: int  # the sample after its last
    signal: NDArray[np.float32]
    energies: Energies  # and of those that are heard with it
    loudspeaker: Energies | None  # what of those is the loudspeaker's


def _nothing(energies: Energies, level_of: Energies | None = None) -> Heard:
    return NOTHING


class HeardPerception:
    """From sound to what is heard, at each whole second of every stream of sound.

    Of a stream whose form cannot be read nothing is estimated, nor of a second in which samples
    are missing.

    Parameters
    ----------
    listen
        `models.sound.heard.HeardReader.listen`, or a function like it. None hears nothing.
    skip
        Whether no estimate is made from an event.
    """

    def __init__(self, listen: Listen | None, skip: Skip = never) -> None:
        self._listen = listen or _nothing
        self._hears = listen is not None
        self._skip = skip
        self._ears: dict[str, _Ear] = {}
        self._memories: dict[str, _Memory] = {}
        self._scopes: dict[str, Scopes] = {}
        self._loudspeaker = Loudspeaker()
        self._playing = False

    def push(self, event: Event, blob: bytes = b"") -> list[HeardEstimated | EstimateSkipped]:
        """Take in the next event and its blob; return what it gave rise to."""
        made = self.perceive(event, blob)
        for estimate in made:
            if isinstance(estimate, HeardEstimated):
                self.remember(estimate)
        return made

    def perceive(self, event: Event, blob: bytes = b"") -> list[HeardEstimated | EstimateSkipped]:
        """Take in the next event as `push` does, and remember nothing of what was made of it.

        Whoever calls it hands the estimate that later ones are to depend on to `remember`.
        """
        match event:
            case AudioCaptured(stream=stream) if stream in self._ears:  # by far the most
                return self._hear(event, blob, self._ears[stream])
            case SessionStarted():
                self._ears = {}
                self._listen_to(event)
            case StreamOpened():
                self._listen_to(event)
            case ConsentChanged(consent=consent):
                for name in self._ears:
                    if not consent.grants(*self._scopes[name]):
                        self._ears[name].restart()
                        self._memories[name] = _Memory()
                if ROOM in self._ears and not consent.grants(*self._scopes[ROOM]):
                    self._loudspeaker.forget()
            case TrackStarted():
                self._playing = True
            case TrackEnded():
                self._playing = False
            case AudioGap(stream=stream) if stream in self._ears:
                self._ears[stream].restart()
        return []

    def remember(self, estimate: HeardEstimated) -> None:
        """Take in an estimate, of its own or one made live: later ones depend on it."""
        if estimate.stream in self._memories:
            self._memories[estimate.stream].add(estimate)

    def presence(self, stream: str, start: int, end: int) -> float | None:
        """Return how probably a window is music: the mean of its seconds, None without any.

        Parameters
        ----------
        stream
            Its name.
        start, end
            The first sample of the window, and the one after the last.
        """
        ear = self._ears.get(stream)
        if ear is None:
            return None
        return self._memories[stream].presence(start, end, ear.form.rate_hz)

    def _listen_to(self, event: SessionStarted | StreamOpened) -> None:
        for name, stream in declared(event).items():
            if self._hears and stream.kind == AUDIO and readable(stream.form):
                self._ears[name] = _Ear(stream.form)
                self._memories[name] = _Memory()
                self._scopes[name] = scopes_of(stream)

    def _hear(
        self, event: AudioCaptured, blob: bytes, ear: _Ear
    ) -> list[HeardEstimated | EstimateSkipped]:
        block = np.frombuffer(blob, "<i2").reshape(-1, ear.form.channels)
        due = [
            self._second(event, ear, *each) for each in ear.push(event.t_ns, event.sample, block)
        ]
        if due and (reason := self._skip("heard", event)):
            return [skipped("heard", event, reason)]
        return [self._estimate(event.stream, ear.form.rate_hz, each) for each in due]

    def _second(
        self, event: AudioCaptured, ear: _Ear, end: int, signal: NDArray[np.float32]
    ) -> _Second:
        """Take a second in: what later ones are heard with, whether or not it is estimated."""
        rate_hz = ear.form.rate_hz
        t_ns = event.t_ns + (end - event.sample) * NS_PER_S // rate_hz
        energies = sound.mel_energies(signal, rate_hz)
        loudspeaker = None
        if event.stream == ROOM and PLAYBACK in self._ears:
            played = self._ears[PLAYBACK].energies_until(t_ns) if self._playing else None
            loudspeaker = self._loudspeaker.hear(energies, played)
        return _Second(t_ns, end, signal[-rate_hz:], ear.heard_with(energies), loudspeaker)

    def _beside(self, stream: str, second: _Second) -> Beside | None:
        """Say what is heard beside the loudspeaker; None where nothing is played into the room."""
        if stream != ROOM or not self._playing or PLAYBACK not in self._ears:
            return None
        if second.loudspeaker is None:
            return Beside(None, None)
        count = min(len(second.energies), len(second.loudspeaker))
        room, loudspeaker = second.energies[-count:], second.loudspeaker[-count:]
        left = self._listen(others(room, loudspeaker), room)
        return Beside(share(room, loudspeaker), voice_of(left))

    def _estimate(self, stream: str, rate_hz: int, second: _Second) -> HeardEstimated:
        level, background = sound.level_dbfs(second.signal), sound.background_dbfs(second.signal)
        floor = self._memories[stream].floor_dbfs(second.t_ns, background)
        heard, beside = self._listen(second.energies), self._beside(stream, second)
        return HeardEstimated(
            t_ns=second.t_ns,
            stream=stream,
            start_sample=second.end - rate_hz,
            end_sample=second.end,
            heard=kinds_of(heard, level, floor, beside),
            music=heard.music,
            singing=heard.singing,
            speech=heard.speech,
            level_dbfs=level,
            background_dbfs=background,
            floor_dbfs=floor,
            playback_share=None if beside is None else beside.share,
            voice=None if beside is None else beside.voice,
        )
