"""Perceivers that plug-ins bring: a modality more, without a change of ours.

A plug-in is a package with an entry point in the group `affetti.perceivers` that names a class
derived from `Perceiver`. What it makes is recorded, sealed as /estimates/MODALITY, replayed,
verified and written to the tables like what the face and the music express.
"""

import hashlib
import inspect
import logging
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

import msgspec

from affetti.core.events import (
    ESTIMATE_TABLES,
    Estimated,
    EstimateSkipped,
    Event,
    PerceptionSettings,
    SessionStarted,
    SkipReason,
)
from affetti.core.events.estimates import MODALITY_PATTERN
from affetti.core.extensions import extensions

GROUP: Final = "affetti.perceivers"
_log: Final = logging.getLogger(__name__)

# Makes an estimate that is due; not called where the machine cannot keep up.
Due: TypeAlias = Callable[[], Estimated]


class Perceiver(ABC):
    """Makes estimates of one modality from the events of a recording, in their order.

    It must be a pure function of them: no wall clock, no chance, no state from elsewhere. Then a
    replay makes the same estimates again. Derive a class, and name it in an entry point.

    Attributes
    ----------
    modality
        What its estimates are of: lower case, up to 32 letters, digits and `_`.
    max_age_ns
        How long an estimate speaks for the present when face, music and it are fused; None
        where it takes no part in that.
    """

    modality: ClassVar[str]
    max_age_ns: ClassVar[int | None] = None

    @abstractmethod
    def push(self, event: Event, blob: bytes) -> Iterable[Due]:
        """Take in the next event and its blob; return what is to be estimated from it.

        Memory changes here. What is returned only computes: it is left out where the machine
        cannot keep up, and then it must not be missed.
        """


class Plugged:
    """Runs a perceiver: what it does wrong costs its own estimates, and nothing else.

    Parameters
    ----------
    perceiver
        A class derived from `Perceiver`.
    skip
        Whether no estimate is made from an event, and why (`models.perception.skips.Skip`).
    """

    def __init__(
        self, perceiver: type[Perceiver], skip: Callable[[str, Event], SkipReason | bool]
    ) -> None:
        self.modality = perceiver.modality
        self._skip = skip
        self._perceiver: Perceiver | None = None
        self._make = perceiver
        self._broken = False

    def push(self, event: Event, blob: bytes = b"") -> list[Estimated | EstimateSkipped]:
        """Take in the next event and its blob; return what it gave rise to."""
        if self._broken:
            return []
        try:
            self._perceiver = self._perceiver or self._make()
            due = list(self._perceiver.push(event, blob))
        except Exception:
            _log.exception("The perceiver of %s failed and is no longer asked.", self.modality)
            self._broken = True
            return [self._skipped(event, "failed")]
        if due and (reason := self._skip(self.modality, event)):
            return [self._skipped(event, "late" if isinstance(reason, bool) else reason)]
        return [self._made(event, each) for each in due]

    def _made(self, event: Event, due: Due) -> Estimated | EstimateSkipped:
        try:
            return _checked(due(), self.modality)
        except Exception:
            _log.exception("An estimate of %s failed.", self.modality)
            return self._skipped(event, "failed")

    def _skipped(self, event: Event, reason: SkipReason) -> EstimateSkipped:
        return EstimateSkipped(
            t_ns=event.t_ns, modality=self.modality, of_seq=event.seq, reason=reason
        )


def perceivers() -> list[type[Perceiver]]:
    """Return the perceivers of all installed plug-ins, in order of their modality.

    One that cannot be used is left out, and the log says why.
    """
    found = [_loaded(entry) for entry in extensions(GROUP)]
    by_modality = {each.modality: each for each in found if each is not None}
    return [by_modality[name] for name in sorted(by_modality)]


def settings_of(others: Iterable[type[Perceiver]]) -> PerceptionSettings:
    """Return when perception speaks, with the perceivers that take part in fusion."""
    ages_ns = {each.modality: each.max_age_ns for each in others}
    fused = {name: age_ns for name, age_ns in ages_ns.items() if age_ns is not None}
    return PerceptionSettings(others_max_age_ns=fused)


def fingerprints(others: Iterable[type[Perceiver]]) -> dict[str, str]:
    """Return the SHA-256 of the file of each perceiver, by its modality."""
    return {each.modality: _sha256(each) for each in others}


def recorded_perceivers(started: SessionStarted) -> tuple[list[type[Perceiver]], list[str]]:
    """Return the very perceivers of a recording that are installed, and what lacks."""
    there = [
        each for each in perceivers() if started.perceivers.get(each.modality) == _sha256(each)
    ]
    lacking = started.perceivers.keys() - {each.modality for each in there}
    return there, [f"perceiver {modality}" for modality in sorted(lacking)]


def _loaded(entry: EntryPoint) -> type[Perceiver] | None:
    try:
        kind: type[Perceiver] = entry.load()
        if not issubclass(kind, Perceiver):
            raise TypeError(f"{entry.value} is no Perceiver")
        if not re.fullmatch(MODALITY_PATTERN, kind.modality) or kind.modality in ESTIMATE_TABLES:
            raise ValueError(f"{kind.modality!r:.40} cannot name a modality")
    except Exception:
        _log.exception("The perceiver %s cannot be used.", entry.name)
        return None
    return kind


def _sha256(kind: type[Perceiver]) -> str:
    return hashlib.sha256(Path(inspect.getfile(kind)).read_bytes()).hexdigest()


def _checked(estimate: Estimated, modality: str) -> Estimated:
    """Return an estimate that can be stored: of its modality, of finite numbers."""
    p = estimate.emotions
    if p is not None and not (all(0 <= x <= 1 for x in p) and len(p) == 4 and 0.99 < sum(p) < 1.01):
        raise ValueError(f"{p} is no distribution over the four emotions")
    measures = {name: float(x) for name, x in estimate.measures.items() if math.isfinite(x)}
    return msgspec.structs.replace(estimate, modality=modality, measures=measures)
