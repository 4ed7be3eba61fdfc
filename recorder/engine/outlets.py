"""What is estimated live, for other programs: outlets of the Lab Streaming Layer.

Nothing of it exists unless it was asked for. Then each outlet answers whoever looks for streams in
the local network (UDP multicast and broadcast), and sends to whoever connects (TCP, not
encrypted): numbers and codes, the titles of tracks, and markers as they were written. No picture,
no sound, and nothing of whom they are of; `source_id` is that of the session.

Samples carry the moment that an estimate is about, by the clock of this machine. They leave in a
thread of their own: whoever listens, or does not, never holds up a recording, and what finds no
room is left out. Nothing leaves that rests on a consent which has ended.
"""

import math
import queue
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

from affetti.core.clock import NS_PER_S, SessionClock
from affetti.core.consent import ConsentLedger, Ends
from affetti.core.emotions import EMOTIONS, EXPRESSIONS
from affetti.core.errors import AffettiError, DeviceError
from affetti.core.events import (
    EmotionFused,
    Estimate,
    Event,
    FaceEstimated,
    HeardEstimated,
    MarkerAdded,
    MusicEstimated,
    TrackEnded,
    TrackPaused,
    TrackResumed,
    TrackStarted,
)
from affetti.core.streams import PLAYBACK
from affetti.recorder.sources.lsl import pylsl

LSL: Final = "lsl"  # in `SessionStarted.offered`
_PREFIX: Final = "affetti-"
_ROOM: Final = 1_000  # samples that wait to be sent
_END_S: Final = 2.0  # for what waits when a recording ends
_NAN: Final = math.nan

Values = list[float] | list[str]
_PROBABILITY: Final = "probability"


@dataclass(frozen=True)
class Offer:
    """One outlet: its name, what kind of stream it is, and of each channel its name and unit."""

    name: str
    kind: str
    channels: tuple[tuple[str, str], ...]
    is_text: bool = False

    @property
    def stream_name(self) -> str:
        """As it is found in the network."""
        return _PREFIX + self.name


def _probabilities(labels: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((str(label), _PROBABILITY) for label in labels)


_PLAYBACK: Final = (("playback", "1: of the music played, 0: of the room"),)
FACE: Final = Offer("face", "Expression", _probabilities(EXPRESSIONS))
HEARD: Final = Offer(
    "heard",
    "Sound",
    (
        *_probabilities(("music", "singing", "speech", "voice")),
        ("level", "dB relative to full scale"),
        *_PLAYBACK,
    ),
)
MUSIC: Final = Offer(
    "music",
    "Expression",
    (
        *_probabilities((*EMOTIONS, "presence")),
        ("valence", "-1 to 1"),
        ("arousal", "-1 to 1"),
        *_PLAYBACK,
    ),
)
FUSED: Final = Offer(
    "fused",
    "Expression",
    (
        *_probabilities(EMOTIONS),
        ("entropy", "bits"),
        ("divergence", "bits"),
        ("by_face", "1: it decided, 0: not"),
        ("by_music", "1: it decided, 0: not"),
    ),
)
TRACKS: Final = Offer(
    "tracks", "Markers", tuple((name, "text") for name in ("change", "number", "title")), True
)
MARKED: Final = Offer("markers", "Markers", (("marker", "text"),), True)
OFFERS: Final = (FACE, HEARD, MUSIC, FUSED, TRACKS, MARKED)
NAMES: Final = frozenset(offer.stream_name for offer in OFFERS)


def offers_of(perceived: Collection[str], *, plays: bool) -> tuple[Offer, ...]:
    """Return the outlets of a recording in which this is perceived, and music is played or not."""
    face, sound = "face" in perceived, "music" in perceived
    there = {FACE: face, HEARD: sound, MUSIC: sound, FUSED: face or sound, TRACKS: plays}
    return tuple(offer for offer in OFFERS if there.get(offer, True))


def sample_of(event: Event) -> tuple[Offer, Values] | None:
    """Return what is sent of an event, and through which outlet; None of most kinds.

    What was not estimated is NaN. Markers that came from another program are not sent on.
    """
    match event:
        case FaceEstimated(expressions=expressions):
            return FACE, _shares(expressions, len(EXPRESSIONS))
        case HeardEstimated():
            likely = map(_number, (event.music, event.singing, event.speech, event.voice))
            return HEARD, [*likely, _number(event.level_dbfs), _played(event)]
        case MusicEstimated():
            shares = _shares(event.emotions, len(EMOTIONS))
            rest = map(_number, (event.presence, event.valence, event.arousal))
            return MUSIC, [*shares, *rest, _played(event)]
        case EmotionFused(decided_by_all=by):
            apart = map(_number, (event.entropy_bits, event.divergence_bits))
            decided = (float("face" in by), float("music" in by))
            return FUSED, [*_shares(event.emotions, len(EMOTIONS)), *apart, *decided]
    return _words_of(event)


def _words_of(event: Event) -> tuple[Offer, Values] | None:
    match event:
        case TrackStarted(track=track, title=title):
            return TRACKS, ["started", str(track), title]
        case TrackPaused() | TrackResumed():
            change = "paused" if isinstance(event, TrackPaused) else "resumed"
            return TRACKS, [change, str(event.track), ""]
        case TrackEnded(track=track, reason=reason):
            return TRACKS, ["ended", str(track), reason]
        case MarkerAdded(stream=None):
            number = "" if event.number is None else str(event.number)
            return MARKED, [" ".join(filter(None, (event.edge, event.label or number))) or "marker"]
    return None


def _shares(of: Collection[float] | None, count: int) -> list[float]:
    return [_NAN] * count if of is None else [float(each) for each in of]


def _number(value: float | None) -> float:
    return _NAN if value is None else float(value)


def _played(event: HeardEstimated | MusicEstimated) -> float:
    return float(event.stream == PLAYBACK)


class Outlets:
    """Offers the live estimates of one recording, from its beginning until it is closed.

    Parameters
    ----------
    session_id
        Of the session.
    clock
        The session's.
    ends
        Returns how often consent has ended by now: `Inbox.ends`.
    tell
        Takes what goes wrong, once; then nothing more is sent.
    offers
        Which outlets.

    Raises
    ------
    AffettiError
        pylsl is not installed, or the network cannot be used.
    """

    def __init__(
        self,
        session_id: str,
        clock: SessionClock,
        ends: Callable[[], Ends],
        tell: Callable[[AffettiError], object],
        offers: Iterable[Offer] = OFFERS,
    ) -> None:
        self._clock = clock
        self._ends = ends
        self._tell = tell
        self._ledger = ConsentLedger()
        self.left_out = 0  # estimates that found no room
        self._waiting: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        module = pylsl()
        self._now_s: Callable[[], float] = module.local_clock
        try:
            self._outlets = {offer.name: _outlet(module, offer, session_id) for offer in offers}
        except Exception as error:
            raise DeviceError("outlets.cannot", error=error) from error
        self._thread = threading.Thread(target=self._send_all, name="lsl out", daemon=True)
        self._thread.start()

    def see(self, event: Event) -> None:
        """Take in the next event of the log; never waits."""
        if event.traits.blob:
            return
        if isinstance(event, Estimate) and self._waiting.qsize() >= _ROOM:
            self.left_out += 1
            if self.left_out == 1:
                self._tell(DeviceError("outlets.behind"))
        else:
            self._waiting.put(event)

    def close(self) -> None:
        """Send what waits, and withdraw the outlets; whoever is connected sees them go."""
        self._waiting.put(None)
        self._thread.join(_END_S)
        self._outlets = {}

    def _send_all(self) -> None:
        try:
            while (event := self._waiting.get()) is not None:
                self._ledger.apply(event)
                self._send(event)
        except Exception as error:  # whatever it is, the recording goes on
            self._outlets = {}
            self._tell(DeviceError("outlets.failed", error=error))

    def _send(self, event: Event) -> None:
        sample = sample_of(event)
        outlet = None if sample is None else self._outlets.get(sample[0].name)
        if sample is None or outlet is None:
            return
        # Consent has ended meanwhile, and the log, in its order, has yet to come to that.
        if isinstance(event, Estimate) and self._ledger.ends != self._ends():
            return
        ago_s = (self._clock.now_ns() - event.t_ns) / NS_PER_S
        outlet.push_sample(sample[1], self._now_s() - ago_s)


def _outlet(module: Any, offer: Offer, session_id: str) -> Any:
    """Return an outlet that says what its channels are, and nothing of whom they are of."""
    form = module.cf_string if offer.is_text else module.cf_float32
    source_id = f"{_PREFIX}{session_id}-{offer.name}"
    count = len(offer.channels)
    info = module.StreamInfo(
        offer.stream_name, offer.kind, count, module.IRREGULAR_RATE, form, source_id
    )
    info.set_channel_labels([label for label, _ in offer.channels])
    info.set_channel_units([unit for _, unit in offer.channels])
    about = info.desc().append_child("acquisition")
    about.append_child_value("manufacturer", "Affetti")
    about.append_child_value("software_version", version("affetti"))
    about.append_child_value("session_id", session_id)
    about.append_child_value("meaning", "what is expressed, as estimated; not what anyone feels")
    return module.StreamOutlet(info)
