"""The estimates that were recorded, where they are what would be computed here, and proof of it.

Where models and perception are those in use, a replay gives what was estimated live. So that is
taken, what was skipped is computed, and now and then an estimate is made anew from the state that
those before it leave, and compared within the tolerances that each field declares. Where one
departs, or anything else is other than it was, everything is replayed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from affetti.analyzer.replay import (
    Completion,
    EstimateTables,
    Progress,
    estimates_in,
    other_models,
    recorded_offer,
    replayed,
    stepwise,
    tables_from,
)
from affetti.analyzer.verify import departures
from affetti.core.events import (
    AudioCaptured,
    EstimateSkipped,
    Event,
    FaceEstimated,
    FrameCaptured,
    HeardEstimated,
    Modality,
    MusicEstimated,
)
from affetti.core.recording.session import Session
from affetti.models.perception import PERCEPTION_VERSION, Estimate
from affetti.models.pipelines import Offer

SHARE: Final = 200  # one estimate in so many is made anew
LEAST: Final = 10  # of each modality, where there are so many
IN_A_ROW: Final = 5  # windows of music: those that follow each other share most of the work
_WARM: Final = 1  # faces that are looked at before one that is compared
# What rests on more than the picture and the estimates before it: who is read is decided by looks
# that are not recorded.
_OF_MEMORY: Final = frozenset(
    {"face", "faces", "face_id", "role", "identity_distance", "nobody", "change", "unread"}
)

Why: TypeAlias = Literal["", "models", "perception", "pipeline", "spot_check", "none", "unkept"]


@dataclass
class SpotCheck:
    """How many recorded estimates were made anew, by modality, and how many of them departed.

    Attributes
    ----------
    compared
        How many there were.
    departed
        How many differ by more than a field declares.
    """

    compared: Counter[str] = field(default_factory=Counter)
    departed: Counter[str] = field(default_factory=Counter)

    def add(self, live: Event, again: Event) -> None:
        """Take in an estimate as it was recorded, and made anew."""
        name = str(getattr(live, "modality", ""))
        self.compared[name] += 1
        self.departed[name] += any(
            found.excess and found.field not in _OF_MEMORY for found in _between(live, again)
        )


def _between(live: Event, again: Event) -> Iterator[Any]:
    """Yield what differs; of a face alone where both sides read one."""
    if not isinstance(live, FaceEstimated) or not isinstance(again, FaceEstimated):
        yield from departures(live, again)
    elif live.face is not None and again.face is not None:
        yield from departures(live.face, again.face)


@dataclass(frozen=True)
class Stored:
    """Estimates, and how they were come by.

    Attributes
    ----------
    tables
        The estimates; their `source` is "stored", or that of `replayed` where it was not done.
    why
        Why it was not done: the models, the perception or the pipeline are others, the spot check
        departed, none were recorded, or pictures or sound were not kept; "" where it was.
    check
        What the spot check found; None where none was made.
    """

    tables: EstimateTables
    why: Why = ""
    check: SpotCheck | None = None


def stored(
    session: Session,
    progress: Progress | None = None,
    offer: Offer | None = None,
    *,
    verified: bool = False,
) -> Stored:
    """Return the estimates that were recorded, completed and spot-checked; else a replay.

    Parameters
    ----------
    session
        The recording.
    progress, offer, verified
        As `analyzer.replay.replayed` takes them.

    Raises
    ------
    AffettiError
        The recording is damaged, or a model file is not the one of the manifest.
    """
    if why := _refused(session, offer):
        return Stored(replayed(session, progress, offer, verified=verified), why)
    check = SpotCheck()
    steps = stepwise(session, _Spots(session, check), progress, verified=verified)
    tables = tables_from(estimates_in(steps), "stored", recorded_offer(session).pipeline.name)
    if any(check.departed.values()):
        return Stored(replayed(session, progress, offer), "spot_check", check)
    return Stored(tables, check=check)


def _refused(session: Session, offer: Offer | None) -> Why:
    if offer is not None and offer.pipeline != recorded_offer(session).pipeline:
        return "pipeline"
    if other_models(session):
        return "models"
    if session.started.perception_version != PERCEPTION_VERSION:
        return "perception"
    if session.state.unkept:  # the recorded ones are all there are
        return "unkept"
    return "" if session.state.estimates else "none"


class _Spots(Completion):
    """Completion that makes some of the recorded estimates anew, and compares."""

    def __init__(self, session: Session, check: SpotCheck) -> None:
        super().__init__(session)
        self._check = check
        faces = sorted(self.faces)
        self._compared = _chosen(faces)
        at = {frame: i for i, frame in enumerate(faces)}
        self._looked_at = {
            faces[i]
            for frame in self._compared
            for i in range(max(0, at[frame] - _WARM), at[frame] + 1)
        }
        by_kind: dict[tuple[str, str], list[tuple[str, str, int]]] = {}
        for place in sorted(self.sounds):
            by_kind.setdefault(place[:2], []).append(place)
        self._heard_again = {
            place
            for (modality, _), places in by_kind.items()
            for place in _chosen(places, IN_A_ROW if modality == "music" else 1)
        }

    def see(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        if not isinstance(event, FrameCaptured) or event.frame not in self._looked_at:
            return super().see(event, blob)
        if self._face.learning:
            return super().see(event, blob)
        made, live = self._face.perceive(event, blob), self.faces[event.frame]
        for again in made:
            if isinstance(again, FaceEstimated) and event.frame in self._compared:
                self._check.add(live, again)
        self._face.remember(live)
        return [live]

    def _or_live(self, event: Event, made: Sequence[Estimate]) -> list[Estimate]:
        known: list[Estimate] = []
        for each in super()._or_live(event, made):
            live = self._recorded(each)
            if live is not None and each is not live:
                self._check.add(live, each)
            known.append(each if live is None else live)
        return known

    def _recorded(self, made: Estimate) -> HeardEstimated | MusicEstimated | None:
        if isinstance(made, EstimateSkipped) or not isinstance(
            made, HeardEstimated | MusicEstimated
        ):
            return None
        return self.sounds.get((made.modality, made.stream, made.end_sample))

    def _is_live(self, modality: Modality, event: Event) -> bool:
        match event:
            case FrameCaptured(frame=frame) if modality == "face" and frame in self._looked_at:
                return False
            case AudioCaptured() if not self._heard_again.isdisjoint(self.places(modality, event)):
                return False
        return super()._is_live(modality, event)


def _chosen(places: Sequence[Any], in_a_row: int = 1) -> set[Any]:
    """Return one of so many, evenly, some of them in a row, and not the first ones alone."""
    count = min(len(places), max(LEAST, -(-len(places) // SHARE)))
    rows = -(-count // in_a_row)
    begins = np.linspace(0, max(len(places) - in_a_row, 0), rows).astype(int)
    return {each for begin in begins for each in places[begin : begin + in_a_row]}
