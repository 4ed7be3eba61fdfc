"""Perception while recording: the pure operators of `models.perception`, in threads.

Faces and sound are read in a thread each, so that a second of music never makes a face wait.
Each thread sees every event in order; fusion takes up an event when both have dealt with it.
That makes the live estimates a function of the log alone, which a replay can reproduce.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S, SessionClock
from affetti.core.consent import NOTHING, ConsentLedger, Ends, Scopes
from affetti.core.errors import AffettiError
from affetti.core.events import (
    AudioCaptured,
    EmotionFused,
    EstimateSkipped,
    Event,
    FaceEstimated,
    FrameCaptured,
    Modality,
    SkipReason,
)
from affetti.models.perception.face import FacePerception
from affetti.models.perception.fusion import FusionPerception
from affetti.models.perception.heard import HeardPerception
from affetti.models.perception.music import MusicPerception
from affetti.models.perception.plugins import Perceiver, Plugged
from affetti.models.pipelines import AFFETTI, Offer

OURS: Final[tuple[Modality, ...]] = ("face", "music")  # a plug-in brings what reads the others
HEARD_WITH: Final[dict[Modality, Modality]] = {"heard": "music"}  # in one thread, by one loading
# A live estimate that would come later than this is left to the analyzer.
PATIENCE_NS: Final = {"face": NS_PER_S // 2}
OTHER_PATIENCE_NS: Final = 2 * NS_PER_S
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
        self._look: Any = None
        self._describe: Any = None
        self._face: Any = None
        self._music: Any = None
        self._sound: Any = None
        self._begun: set[Modality] = set()
        self._beginning = threading.Lock()

    def load(self, modalities: Iterable[Modality] = OURS) -> None:
        """Begin to load what reads these modalities, unless that was begun before."""
        with self._beginning:
            wanted = [each for each in OURS if each in modalities and each not in self._begun]
            self._begun.update(wanted)
        if wanted:
            # No daemon: to be killed in the middle of native code ends a process with an abort.
            thread = threading.Thread(target=self._load, args=(wanted,), name="load models")
            try:
                thread.start()
            except RuntimeError as error:  # there can be no more threads
                self.problem = _unloaded(error)

    def ready(self, modality: Modality) -> bool:
        """Whether what reads a modality has been loaded; a plug-in's perceiver has.

        Who asks needs it: loading begins, unless it did so before.
        """
        modality = HEARD_WITH.get(modality, modality)
        if modality not in OURS:
            return True
        self.load((modality,))
        return self._loaded(modality)

    @property
    def all_ready(self) -> bool:
        """Whether everything that was begun is loaded."""
        return all(map(self._loaded, tuple(self._begun)))

    def read_face(
        self, image: NDArray[np.uint8], choose: Any, neutral: Any = None, **how: Any
    ) -> Any:
        """Read a face; only once it is ready."""
        return self._face.read(image, choose, neutral, **how)

    def look(self, *face: Any, **known: Any) -> Any:
        """Look at a face for its signs; only once faces can be read."""
        return self._look(*face, **known)

    @property
    def looks(self) -> Any:
        """What looks at faces, as `FacePerception` takes it; None where nothing does."""
        return self.look if self.offer.pipeline.face_landmarks else None

    def describe(self, image: NDArray[np.uint8], face: Any) -> Any:
        """Make a face's descriptor; only once faces can be read."""
        return self._describe(image, face)

    @property
    def describes(self) -> Any:
        """What makes descriptors, as `FacePerception` takes it; None where nothing does."""
        return self.describe if self.offer.pipeline.face_identity else None

    def read_music(self, samples: NDArray[np.int16], rate_hz: int) -> Any:
        """Read a window of music; only once it is ready."""
        return self._music.read(samples, rate_hz)

    def listen(self, *energies: NDArray[np.float32]) -> Any:
        """Tell kinds of sound apart; only once music can be read."""
        return self._sound.listen(*energies)

    @property
    def listens(self) -> Any:
        """What tells kinds of sound apart, as `HeardPerception` takes it; None without."""
        return self.listen if self.offer.pipeline.sound_events else None

    def _loaded(self, modality: Modality) -> bool:
        return (self._face if modality == "face" else self._music) is not None

    def _load(self, modalities: Sequence[Modality]) -> None:
        try:
            perceivers = self.offer.open()
            if "face" in modalities:
                self._look = perceivers.signs.look if perceivers.signs is not None else None
                self._describe = perceivers.identity
                self._face = perceivers.face
            if "music" in modalities:
                self._sound = perceivers.sound
                music = perceivers.music
                music.warm()
                self._music = music
        except AffettiError as error:
            self.problem = error
        except Exception as error:  # whatever it is, the recording goes on
            self.problem = _unloaded(error)


def _needed_of(estimates: Sequence[Event], ledger: ConsentLedger) -> Scopes:
    return NOTHING.union(*(ledger.needed(estimate) for estimate in estimates))


def _unloaded(error: Exception) -> AffettiError:
    return AffettiError("live.models_could_not_loaded", error=error)


def _skipped(modality: Modality, event: Event, reason: SkipReason) -> EstimateSkipped:
    return EstimateSkipped(t_ns=event.t_ns, modality=modality, of_seq=event.seq, reason=reason)


# Takes the estimates of an event, what they need, and the ends of consent when they were made;
# False when consent ended meanwhile, and they were not taken.
Admit: TypeAlias = Callable[[Sequence[Event], Scopes, Ends], bool]

_READ: Final[dict[Modality, type[Event]]] = {
    "face": FrameCaptured,
    "heard": AudioCaptured,
    "music": AudioCaptured,
}


class _Operator(Protocol):
    def push(self, event: Event, blob: bytes = b"") -> Sequence[Event]: ...


class _Side:
    """What one thread perceives, on its way to be fused: its queue, and what it has made so far.

    Its operators take each event one after the other, and may ask those before them.
    """

    def __init__(self, operators: dict[Modality, _Operator]) -> None:
        self.operators = operators
        self.ledger = ConsentLedger()
        self.waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.reached_ns = 0
        self.done: deque[tuple[Event, Sequence[Event]]] = deque()


class LivePerception:
    """Runs perception over the facts of a running recording.

    Parameters
    ----------
    readers
        The models; while they load, estimates are skipped.
    clock
        The session's.
    emit
        Takes each estimate, from any thread.
    admit
        Takes them in its stead where consent may end.
    others
        Perceivers of further modalities.
    """

    def __init__(
        self,
        readers: Readers,
        clock: SessionClock,
        emit: Callable[[Event], object],
        admit: Admit | None = None,
        others: Sequence[type[Perceiver]] = (),
    ) -> None:
        self._readers = readers
        self._clock = clock
        self._emit = emit
        self.problem: AffettiError | None = None  # the first, if any
        self._admit = admit or self._emit_all
        self._fused_ledger = ConsentLedger()
        self._fusion = FusionPerception(self._lost)
        self._merging = threading.Lock()
        self._latency_ns: deque[int] = deque(maxlen=_LATENCIES)
        face = FacePerception(readers.read_face, self._skip, readers.looks, readers.describes)
        heard = HeardPerception(readers.listens, self._skip)
        presence = None if readers.listens is None else heard.presence
        music = MusicPerception(readers.read_music, self._skip, presence)
        self._sides = {
            "face": _Side({"face": face}),
            "music": _Side({"heard": heard, "music": music}),
            **{each.modality: _Side({each.modality: Plugged(each, self._skip)}) for each in others},
        }
        self._threads = [
            threading.Thread(target=self._work, args=(side,), name=f"read {name}", daemon=True)
            for name, side in self._sides.items()
        ]
        for thread in self._threads:
            thread.start()

    def push(self, event: Event, blob: bytes = b"") -> None:
        """Take in the next fact of the log."""
        for side in self._sides.values():
            side.waiting.put((event, blob))

    def close(self) -> None:
        """Finish what was pushed and end the threads."""
        for side in self._sides.values():
            side.waiting.put(None)
        for thread in self._threads:
            thread.join()

    def behind_s(self) -> float:
        """Return how far the slowest side is behind the present, in seconds."""
        sides = self._sides.values()
        if all(side.waiting.empty() for side in sides):
            return 0.0
        slowest_ns = min(side.reached_ns for side in sides)
        return max(0.0, (self._clock.now_ns() - slowest_ns) / NS_PER_S)

    def face_latency_ms(self) -> tuple[float, float] | None:
        """Return the median and the 95th percentile from a frame to its estimate, if any."""
        latest = list(self._latency_ns)
        if not latest:
            return None
        p50, p95 = np.percentile(latest, (50, 95)) / 1e6
        return float(p50), float(p95)

    def _skip(self, modality: Modality, event: Event) -> SkipReason | bool:
        ledger = self._sides[HEARD_WITH.get(modality, modality)].ledger
        if not self._admit((), ledger.needed(event), ledger.ends):
            return "consent"
        patience_ns = PATIENCE_NS.get(modality, OTHER_PATIENCE_NS)
        late = self._clock.now_ns() - event.t_ns > patience_ns
        return late or not self._readers.ready(modality)

    def _emit_all(self, estimates: Sequence[Event], need: Scopes, ends: Ends) -> bool:
        for estimate in estimates:
            self._emit(estimate)
        return True

    def _work(self, side: _Side) -> None:
        while (item := side.waiting.get()) is not None:
            try:
                self._perceive(side, *item)
            except Exception as error:
                self._note(error)

    def _perceive(self, side: _Side, event: Event, blob: bytes) -> None:
        side.ledger.apply(event)
        kept: list[Event] = []
        for modality, operator in side.operators.items():
            estimates = self._attempt(modality, operator, event, blob)
            kept += self._hand_over(side.ledger, modality, event, estimates)
        side.reached_ns = max(side.reached_ns, event.t_ns)
        for estimate in kept:
            if isinstance(estimate, FaceEstimated):
                self._latency_ns.append(self._clock.now_ns() - estimate.t_ns)
        self._merge(side, event, kept)

    def _hand_over(
        self, ledger: ConsentLedger, modality: Modality, event: Event, estimates: Sequence[Event]
    ) -> Sequence[Event]:
        """Hand over what was made of an event; return that, or the skip that stands for it."""
        if not estimates:
            return estimates
        if self._admit(estimates, _needed_of(estimates, ledger), ledger.ends):
            return estimates
        skip = [_skipped(modality, event, "consent")]
        self._admit(skip, NOTHING, ledger.ends)
        return skip

    def _lost(self, event: Event, fused: EmotionFused, need: Scopes) -> Scopes:
        """Hand over a fused estimate; return what it rests on that has ended, if it is refused."""
        ends = self._fused_ledger.ends
        if self._admit([fused], need, ends):
            return NOTHING
        lost = frozenset(scope for scope in need if not self._admit((), frozenset({scope}), ends))
        return lost or need

    def _note(self, error: Exception) -> None:
        self.problem = self.problem or AffettiError("live.live_estimate_failed", error=error)

    def _attempt(
        self, modality: Modality, operator: _Operator, event: Event, blob: bytes
    ) -> Sequence[Event]:
        try:
            return operator.push(event, blob)
        except Exception as error:  # one estimate is lost, never the recording
            self._note(error)
            read = isinstance(event, _READ.get(modality, ()))
            return [_skipped(modality, event, "failed")] if read else []

    def _merge(self, side: _Side, event: Event, estimates: Sequence[Event]) -> None:
        sides = self._sides.values()
        with self._merging:
            side.done.append((event, estimates))
            while all(each.done for each in sides):
                made = [each.done.popleft() for each in sides]
                fact = made[0][0]
                self._fused_ledger.apply(fact)
                # Which hands over what it makes.
                self._fusion.push(fact, [estimate for _, of_side in made for estimate in of_side])
