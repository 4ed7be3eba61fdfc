"""Perception while recording: the pure operators of `models.perception`, in threads.

Faces and music are read in a thread each, so that a second of music never makes a face wait.
Each thread sees every event in order; fusion takes up an event when both have dealt with it.
That makes the live estimates a function of the log alone, which a replay can reproduce.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S, SessionClock
from affetti.core.consent import NO_CONSENT, ConsentLedger, needed
from affetti.core.errors import AffettiError
from affetti.core.events import (
    AudioCaptured,
    Consent,
    EmotionFused,
    EstimateSkipped,
    Event,
    FaceEstimated,
    FrameCaptured,
    Modality,
    SkipReason,
)
from affetti.models.perception import FacePerception, FusionPerception, MusicPerception
from affetti.models.pipelines import AFFETTI, Offer

# A live estimate that would come later than this is left to the analyzer.
PATIENCE_NS: Final = {"face": NS_PER_S // 2, "music": 2 * NS_PER_S}
_LATENCIES: Final = 600  # the last minute of faces


class Readers:
    """The models, loaded in the background once `load` is called: a recording never waits.

    Parameters
    ----------
    offer
        The pipeline that they belong to.
    """

    def __init__(self, offer: Offer | None = None) -> None:
        self.offer = offer or Offer(AFFETTI)
        self.problem: AffettiError | None = None
        self._face: Any = None
        self._music: Any = None
        self._thread: threading.Thread | None = None

    def load(self) -> None:
        """Begin to load, unless that was begun before."""
        if self._thread is None:
            # No daemon: to be killed in the middle of native code ends a process with an abort.
            self._thread = threading.Thread(target=self._load, name="load models")
            try:
                self._thread.start()
            except RuntimeError as error:  # there can be no more threads
                self.problem = _unloaded(error)

    def ready(self, modality: Modality) -> bool:
        """Whether a model has been loaded."""
        return (self._face if modality == "face" else self._music) is not None

    @property
    def all_ready(self) -> bool:
        """Whether both are."""
        return self.ready("face") and self.ready("music")

    def read_face(self, image: NDArray[np.uint8], choose: Any) -> Any:
        """Read a face; only once it is ready."""
        return self._face.read(image, choose)

    def read_music(self, samples: NDArray[np.int16], rate_hz: int) -> Any:
        """Read a window of music; only once it is ready."""
        return self._music.read(samples, rate_hz)

    @property
    def reference(self) -> tuple[float, ...]:
        """What the face's network says of neutral faces, as `FacePerception` takes it."""
        return self.offer.open().reference

    def _load(self) -> None:
        try:
            perceivers = self.offer.open()
            self._face = perceivers.face
            music = perceivers.music
            music.warm()
            self._music = music
        except AffettiError as error:
            self.problem = error
        except Exception as error:  # whatever it is, the recording goes on
            self.problem = _unloaded(error)


def _unloaded(error: Exception) -> AffettiError:
    return AffettiError(
        f"The models could not be loaded: {error}.",
        "Recording goes on without live estimates; the analyzer makes them afterwards.",
    )


# Takes the estimates of an event, what they need, and the ends of consent when they were made;
# False when consent ended meanwhile, and they were not taken.
Admit: TypeAlias = Callable[[Sequence[Event], Consent, tuple[int, int]], bool]

_MODALITIES: Final[tuple[Modality, Modality]] = ("face", "music")
_SEEN_OR_HEARD: Final = (FrameCaptured, AudioCaptured)


class _Operator(Protocol):
    def push(self, event: Event, blob: bytes = b"") -> Sequence[Event]: ...


class LivePerception:
    """Runs perception over the facts of a running recording.

    Parameters
    ----------
    readers
        The models; while they load, estimates are skipped.
    clock
        The session's.
    emit
        Takes each estimate, from any of two threads.
    admit
        Takes them in its stead where consent may end.
    """

    def __init__(
        self,
        readers: Readers,
        clock: SessionClock,
        emit: Callable[[Event], object],
        admit: Admit | None = None,
    ) -> None:
        self._readers = readers
        self._clock = clock
        self._emit = emit
        self.problem: AffettiError | None = None  # the first, if any
        self._admit = admit or self._emit_all
        self._ledgers = (ConsentLedger(), ConsentLedger())  # of each thread
        self._fused_ledger = ConsentLedger()
        self._fusion = FusionPerception(self._lost)
        self._merging = threading.Lock()
        self._done: tuple[deque[Any], deque[Any]] = (deque(), deque())
        self._queues: tuple[queue.SimpleQueue[Any], ...] = (
            queue.SimpleQueue(),
            queue.SimpleQueue(),
        )
        self._reached_ns = [0, 0]
        self._latency_ns: deque[int] = deque(maxlen=_LATENCIES)
        face = FacePerception(readers.read_face, self._skip, readers.reference)
        music = MusicPerception(readers.read_music, self._skip)
        self._threads = [
            threading.Thread(target=self._work, args=(side, operator), name=name, daemon=True)
            for side, (name, operator) in enumerate((("read faces", face), ("read music", music)))
        ]
        for thread in self._threads:
            thread.start()

    def push(self, event: Event, blob: bytes = b"") -> None:
        """Take in the next fact of the log."""
        for waiting in self._queues:
            waiting.put((event, blob))

    def close(self) -> None:
        """Finish what was pushed and end the threads."""
        for waiting in self._queues:
            waiting.put(None)
        for thread in self._threads:
            thread.join()

    def behind_s(self) -> float:
        """Return how far the slower side is behind the present, in seconds."""
        if all(waiting.empty() for waiting in self._queues):
            return 0.0
        return max(0.0, (self._clock.now_ns() - min(self._reached_ns)) / NS_PER_S)

    def face_latency_ms(self) -> tuple[float, float] | None:
        """Return the median and the 95th percentile from a frame to its estimate, if any."""
        latest = list(self._latency_ns)
        if not latest:
            return None
        p50, p95 = np.percentile(latest, (50, 95)) / 1e6
        return float(p50), float(p95)

    def _skip(self, modality: Modality, event: Event) -> SkipReason | bool:
        ends = self._ledgers[_MODALITIES.index(modality)].ends
        if not self._admit((), needed(event), ends):
            return "consent"
        late = self._clock.now_ns() - event.t_ns > PATIENCE_NS[modality]
        return late or not self._readers.ready(modality)

    def _emit_all(self, estimates: Sequence[Event], need: Consent, ends: tuple[int, int]) -> bool:
        for estimate in estimates:
            self._emit(estimate)
        return True

    def _work(self, side: int, operator: _Operator) -> None:
        while (item := self._queues[side].get()) is not None:
            try:
                self._perceive(side, operator, *item)
            except Exception as error:
                self._note(error)

    def _perceive(self, side: int, operator: _Operator, event: Event, blob: bytes) -> None:
        self._ledgers[side].apply(event)
        estimates = self._attempt(side, operator, event, blob)
        self._reached_ns[side] = max(self._reached_ns[side], event.t_ns)
        kept = self._hand_over(side, event, estimates)
        for estimate in kept:
            if isinstance(estimate, FaceEstimated):
                self._latency_ns.append(self._clock.now_ns() - estimate.t_ns)
        self._merge(side, event, kept)

    def _hand_over(self, side: int, event: Event, estimates: Sequence[Event]) -> Sequence[Event]:
        """Hand over what was made of an event; return that, or the skip that stands for it."""
        if not estimates:
            return estimates
        ends = self._ledgers[side].ends
        if self._admit(estimates, needed(estimates[0]), ends):
            return estimates
        skip = [self._skipped(side, event, "consent")]
        self._admit(skip, NO_CONSENT, ends)
        return skip

    def _skipped(self, side: int, event: Event, reason: SkipReason) -> EstimateSkipped:
        modality = _MODALITIES[side]
        return EstimateSkipped(t_ns=event.t_ns, modality=modality, of_seq=event.seq, reason=reason)

    def _lost(self, event: Event, fused: EmotionFused, need: Consent) -> Consent:
        """Hand over a fused estimate; return what it rests on that has ended, if it is refused."""
        ends = self._fused_ledger.ends
        if self._admit([fused], need, ends):
            return NO_CONSENT
        video, audio = Consent(need.video, False), Consent(False, need.audio)
        lost = Consent(not self._admit((), video, ends), not self._admit((), audio, ends))
        return need if lost == NO_CONSENT else lost

    def _note(self, error: Exception) -> None:
        self.problem = self.problem or AffettiError(
            f"A live estimate failed: {error}.",
            "Recording goes on; the analyzer will say what is wrong with it.",
        )

    def _attempt(
        self, side: int, operator: _Operator, event: Event, blob: bytes
    ) -> Sequence[Event]:
        try:
            return operator.push(event, blob)
        except Exception as error:  # one estimate is lost, never the recording
            self._note(error)
            read = isinstance(event, _SEEN_OR_HEARD[side])
            return [self._skipped(side, event, "failed")] if read else []

    def _merge(self, side: int, event: Event, estimates: Sequence[Event]) -> None:
        with self._merging:
            self._done[side].append((event, estimates))
            while self._done[0] and self._done[1]:
                fact, faces = self._done[0].popleft()
                _, music = self._done[1].popleft()
                self._fused_ledger.apply(fact)
                self._fusion.push(fact, [*faces, *music])  # which hands over what it makes
