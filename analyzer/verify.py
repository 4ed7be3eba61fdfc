"""Whether a recording's live estimates can be made again from its frames and sound.

Perception has a memory, the face that is followed, the person's neutral reference and what was
heard, so the comparison goes moment by moment: each estimate is made anew from the state that the
*recorded* estimates before it leave, music from what was recorded as heard, and fused estimates
from the recorded faces and music. Otherwise one estimate that exists on one side only would move
all that come after it.

On the kind of processor and with the libraries that recorded, everything is the same to the
last digit. Elsewhere numerical kernels differ in the seventh digit, a value now and then lies at
a border of rounding, and each field declares how far it may be off (`core.events.field`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec

from affetti.analyzer.replay import Pictures, Progress, recorded_offer, stepwise
from affetti.core.clock import NS_PER_S
from affetti.core.environment import contrast, environment
from affetti.core.events import (
    ESTIMATE_TABLES,
    EmotionFused,
    Environment,
    EstimateSkipped,
    Event,
    FaceEstimated,
    Field,
    HeardEstimated,
    Withdrawn,
    column_fields,
    fields_of,
)
from affetti.core.language import clock_text, text
from affetti.core.recording.session import Session
from affetti.models.perception import PERCEPTION_VERSION, Coming, Estimate, Perception
from affetti.models.perception.face import Decode, Later
from affetti.models.perception.plugins import Perceiver, recorded_perceivers
from affetti.models.perception.skips import recorded_skips
from affetti.models.pipelines import AFFETTI, Perceivers, recorded_models

Verdict: TypeAlias = Literal["identical", "within tolerance", "departs"]

_SLACK: Final = 1e-9  # decimal fractions such as 0.1 are no binary ones


@dataclass(frozen=True)
class Difference:
    """A place where a replay departs from the live estimates.

    Attributes
    ----------
    modality
        "face", "heard", "music" or "fused".
    seq
        Of the live estimate; None where there is none.
    t_s
        The moment the estimate is about.
    field
        What differs; "estimate" where only one side has one.
    live, replayed
        Both values.
    """

    modality: str
    seq: int | None
    t_s: float
    field: str
    live: Any
    replayed: Any

    def __str__(self) -> str:
        return text(
            "verify.difference" if self.seq is None else "verify.difference_of",
            modality=self.modality,
            at=clock_text(self.t_s),
            seq=self.seq,
            field=self.field,
            live=self.live,
            replayed=self.replayed,
        )


@dataclass(frozen=True)
class Verification:
    """What a replay found. Every count is by modality.

    Attributes
    ----------
    compared
        How many estimates were compared; skips count as what they skip.
    differing
        How many of those are not the same to the last digit.
    one_sided
        How many of those say something on one side only, a gate's value within its tolerance.
    skipped
        How many the live side left out.
    unrecorded
        How many the crash cut off before they were recorded.
    unprovable
        How many rest on pictures or sound that were not kept, and cannot be made again.
    other_models
        Models of the recording that were not found; then nothing was compared.
    proved_by
        The version of Affetti that can prove this recording, where this one cannot: its models
        were not found, or its perception is older or later than this program's.
    pipeline
        The name of what perceived and fused.
    difference
        The first that is too large, if any.
    largest
        The largest difference of each field that differs, in the field's unit, by modality.
    recorded_on, replayed_on
        What the recording was made on, and what it was replayed on.
    """

    compared: dict[str, int]
    skipped: dict[str, int]
    unrecorded: dict[str, int]
    other_models: list[str]
    difference: Difference | None
    differing: dict[str, int] = field(default_factory=dict)
    one_sided: dict[str, int] = field(default_factory=dict)
    largest: dict[str, dict[str, float]] = field(default_factory=dict)
    recorded_on: Environment = field(default_factory=Environment)
    replayed_on: Environment = field(default_factory=environment)
    proved_by: str | None = None
    pipeline: str = AFFETTI.name
    unprovable: dict[str, int] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict | None:
        """What the comparison came to; None where another version has to make it."""
        if self.proved_by is not None:
            return None
        if self.difference is not None:
            return "departs"
        return "within tolerance" if any(self.differing.values()) else "identical"

    @property
    def reproduced(self) -> bool:
        """Whether every live estimate was reproduced, exactly or within tolerance."""
        return self.verdict in ("identical", "within tolerance")

    @property
    def reason(self) -> str:
        """What may explain differences: how the machine that recorded is not this one."""
        return contrast(self.recorded_on, self.replayed_on)


def verify(
    session: Session, progress: Progress | None = None, zoos: Sequence[Path] = ()
) -> Verification:
    """Replay a recording as it ran live and compare every estimate with the live one.

    The file is checked against its digest first. In a recording that broke off, estimates that
    were under way at the end are missing; that is no difference.

    Parameters
    ----------
    session
        The recording.
    progress
        As `analyzer.replay.replay` takes it.
    zoos
        Further folders of model folders, in which the recording's models are looked for.

    Raises
    ------
    AffettiError
        The recording is damaged, or a model file is.
    """
    session.verify_digest()
    started, skipped = session.started, dict(session.state.skipped)
    pipeline = started.pipeline or AFFETTI
    own = recorded_offer(session).zoo
    models, missing = recorded_models(started, (*zoos, own) if own else zoos)
    others, lacking = recorded_perceivers(started)
    missing += lacking
    if missing or started.perception_version != PERCEPTION_VERSION:
        return Verification(
            {}, skipped, {}, missing, None,
            recorded_on=started.environment,
            proved_by=started.software_version,
            pipeline=pipeline.name,
        )  # fmt: skip
    perceivers = Perceivers(pipeline, models)
    recorded = Recorded(session.events, unprovable_in(session))
    comparison = _Comparison(recorded, perceivers)
    pictures = Pictures()
    perception = _FromRecorded(recorded, perceivers, others, pictures.decode)
    for _, made in stepwise(session, perception, progress, pictures=pictures):
        for estimate in made:
            comparison.add(estimate)
    comparison.finish(broken_off=session.state.ended is None)
    return Verification(
        comparison.compared,
        skipped,
        comparison.unrecorded,
        [],
        comparison.first,
        comparison.differing,
        comparison.one_sided,
        comparison.largest,
        started.environment,
        pipeline=pipeline.name,
        unprovable=recorded.unprovable,
    )


def unprovable_in(session: Session) -> Callable[[Event], bool]:
    """Return what tells of an estimate, or a skip, whether what it was made of was not kept."""
    unkept, streams = session.state.unkept, session.streams
    seqs = set(session.seqs.tolist()) if unkept else set()

    def is_unprovable(estimate: Event) -> bool:
        if not unkept or isinstance(estimate, EmotionFused):
            return bool(unkept)
        if isinstance(estimate, EstimateSkipped):
            return estimate.of_seq not in seqs
        stream = streams.get(getattr(estimate, "stream", None) or "")
        return stream is not None and stream.scope in unkept

    return is_unprovable


class Recorded:
    """The estimates of a log, to be found by what they are about.

    Parameters
    ----------
    events
        Of the recording, in order.
    is_unprovable
        Whether what an estimate was made of was not kept; such are counted and left out.
    """

    def __init__(
        self, events: Iterable[object], is_unprovable: Callable[[Event], bool] = lambda _: False
    ) -> None:
        self.events = list(events)
        self.is_unprovable = is_unprovable
        made = [event for event in self.events if isinstance(event, Estimate)]
        estimates = [event for event in made if not is_unprovable(event)]
        self.unprovable = Counter(modality_of(event) for event in made if is_unprovable(event))
        self.withdrawals = [event for event in self.events if isinstance(event, Withdrawn)]
        self._found = {_about(estimate): estimate for estimate in estimates}
        self.last: dict[str, int] = {}  # by modality, the latest moment that one is about
        for event in self._found.values():
            name = modality_of(event)
            self.last[name] = max(event.t_ns, self.last.get(name, event.t_ns))

    def of(self, estimate: Event) -> Event | None:
        """Return the recorded estimate that is about the same as this one."""
        return self._found.get(_about(estimate))

    def besides(self, seen: set[int]) -> list[Event]:
        """Return the recorded estimates whose `seq` is not among those seen."""
        return [event for event in self._found.values() if event.seq not in seen]


def _about(estimate: Event) -> tuple[Any, ...]:
    if isinstance(estimate, EstimateSkipped):
        return estimate.modality, "skipped", estimate.of_seq
    return modality_of(estimate), getattr(estimate, "stream", None), estimate.t_ns


def modality_of(estimate: Event) -> str:
    """Return which table an estimate, or what was skipped, belongs to."""
    return str(getattr(estimate, "modality", ""))


class _FromRecorded(Perception):
    """Perception that makes each estimate anew, and goes on from the recorded one."""

    def __init__(
        self,
        recorded: Recorded,
        chosen: Perceivers,
        others: Sequence[type[Perceiver]],
        decode: Decode,
    ) -> None:
        skip = recorded_skips(recorded.events)
        super().__init__(
            chosen.read_face,
            chosen.read_music,
            skip,
            others,
            look=chosen.look,
            describe=chosen.describe,
            listen=chosen.listen,
            decode=decode,
        )
        self._recorded = recorded

    def see(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        made = self._face.perceive(event, blob)
        for estimate in made:
            known = self._recorded.of(estimate) or estimate
            if isinstance(known, FaceEstimated):
                self._face.remember(known)
        return list(made)

    def begin_to_see(self, event: Event, blob: bytes, later: Later) -> Coming:
        made = self.see(event, blob)
        return lambda: made

    def hear(self, event: Event, blob: bytes = b"") -> list[Estimate]:
        heard = self._heard.perceive(event, blob)
        for estimate in heard:
            known = self._recorded.of(estimate) or estimate
            if isinstance(known, HeardEstimated):
                self._heard.remember(known)
        return [*heard, *self._music.push(event, blob)]

    def fuse(self, event: Event, estimates: list[Estimate]) -> list[Estimate]:
        known = [self._recorded.of(estimate) or estimate for estimate in estimates]
        return [*estimates, *self._fusion.push(event, known)]


@dataclass(frozen=True)
class Departure:
    """One field in which two estimates differ.

    Attributes
    ----------
    field
        Its name.
    live, replayed
        Both values.
    size
        How far they are apart, in the field's unit; infinite where no number says it.
    excess
        Whether that is farther than the field declares.
    """

    field: str
    live: Any
    replayed: Any
    size: float
    excess: bool

    @property
    def one_sided(self) -> bool:
        """Whether only one side has a value."""
        return (self.live is None) != (self.replayed is None)

    @property
    def measured(self) -> bool:
        """Whether it is a measurement that both sides have, and not what was made of it."""
        return isinstance(self.live, float) and isinstance(self.replayed, float)


class _Comparison:
    """Sets recorded and replayed estimates side by side and keeps count."""

    def __init__(self, recorded: Recorded, chosen: Perceivers) -> None:
        self._recorded, self._chosen = recorded, chosen
        self._seen: set[int] = set()
        self._missing: list[Event] = []
        self._differences: list[Difference] = []
        self.compared = Counter(dict.fromkeys(ESTIMATE_TABLES, 0))
        self.differing = Counter(self.compared)
        self.one_sided = Counter(self.compared)
        self.unrecorded = Counter(self.compared)
        self.largest: dict[str, dict[str, float]] = {}

    @property
    def first(self) -> Difference | None:
        """The first difference that is too large."""
        return min(self._differences, key=lambda found: found.t_s, default=None)

    def add(self, again: Event) -> None:
        live = self._recorded.of(again)
        if live is None and self._recorded.is_unprovable(again):
            return
        if live is None:
            self._missing.append(again)
            return
        self._seen.add(live.seq)
        name = modality_of(live)
        self.compared[name] += 1
        if msgspec.structs.replace(again, seq=live.seq) != live:
            self.differing[name] += 1
            self._judge(name, live, again)

    def _judge(self, name: str, live: Event, again: Event) -> None:
        found = list(departures(live, again))
        sided = [each for each in found if each.one_sided]
        if sided and all(self._excused(each, live, again) for each in sided):
            self.one_sided[name] += 1
            found = [each for each in found if each.measured]  # the others follow from the gate
        for each in found:
            if each.excess:
                self._depart(name, live, each.field, each.live, each.replayed)
            else:
                largest = self.largest.setdefault(name, {})
                largest[each.field] = max(each.size, largest.get(each.field, 0.0))

    def _excused(self, sided: Departure, live: Event, again: Event) -> bool:
        """Whether what only one side has, a part or a field, may be missing on the other."""
        part = sided.live if sided.live is not None else sided.replayed
        sides = (part,) if isinstance(part, msgspec.Struct) else (live, again)
        fields = dict.fromkeys(column_fields(type(live)).values())
        return any(self._at_gate(declared, sides) for declared in fields)

    def _at_gate(self, declared: Field, sides: Sequence[msgspec.Struct]) -> bool:
        """Whether a value by which perception decides lies as near to its gate as it may be off.

        The recorded value counts; that of the replay where none was recorded.
        """
        values = (getattr(side, declared.name, None) for side in sides)
        value = next((each for each in values if each is not None), None)
        return value is not None and any(
            abs(value - gate) <= declared.tolerance + _SLACK
            for gate in self._chosen.gates.get(declared.name, ())
        )

    def _is_withdrawn(self, name: str, t_ns: int) -> bool:
        """Whether an estimate was removed after the recording, because consent to it ended."""
        return any(
            each.touches(name) and t_ns >= each.from_ns for each in self._recorded.withdrawals
        )

    def _depart(self, name: str, about: Event, what: str, live: Any, again: Any) -> None:
        seq = about.seq if about.seq >= 0 else None
        t_s = about.t_ns / NS_PER_S
        self._differences.append(Difference(name, seq, t_s, what, live, again))

    def finish(self, broken_off: bool) -> None:
        """Take in what only one side has."""
        for live in self._recorded.besides(self._seen):
            self._depart(modality_of(live), live, "estimate", "there", "none")
        for again in self._missing:
            name = modality_of(again)
            if self._is_withdrawn(name, again.t_ns):
                continue
            if broken_off and again.t_ns > self._recorded.last.get(name, -1):
                self.unrecorded[name] += 1
            else:
                self._depart(name, again, "estimate", "none", "there")


def departures(live: msgspec.Struct, again: msgspec.Struct) -> Iterator[Departure]:
    """Yield every field, but the place in the log, in which an estimate made anew differs."""
    for declared in fields_of(type(live)):
        was, now = getattr(live, declared.name), getattr(again, declared.name, None)
        if declared.name == "seq" or was == now:
            continue
        if declared.one:
            yield from _part_departures(declared, live, again)
        else:
            yield _departure(declared, was, now)


def _part_departures(declared: Field, live: Any, again: Any) -> Iterator[Departure]:
    """Yield what differs of the part that counts, and of the others, one by one."""
    was, now = getattr(live, declared.one), getattr(again, declared.one, None)
    if was is not None and now is not None:
        yield from departures(was, now)
    elif was is not now:
        yield Departure(declared.one, was, now, float("inf"), True)
    rest = [part for part in getattr(again, declared.name, ()) if part is not now]
    for part in getattr(live, declared.name):
        if part is was:
            continue
        other = next((each for each in rest if not _excessive(part, each)), None)
        if other is None:
            yield Departure(declared.name, part, None, float("inf"), True)
        else:
            rest.remove(other)
            yield from departures(part, other)
    for part in rest:
        yield Departure(declared.name, None, part, float("inf"), True)


def _excessive(live: msgspec.Struct, again: msgspec.Struct) -> bool:
    return any(each.excess for each in departures(live, again))


def _departure(declared: Field, was: Any, now: Any) -> Departure:
    size = distance(was, now)
    return Departure(declared.name, was, now, size, size > declared.tolerance + _SLACK)


def distance(was: Any, now: Any) -> float:
    """Return how far two values of a field are apart; infinity where no number says it.

    Of numbers, the difference; of tuples of numbers, the largest; of lists of words, how many
    are on one side only, or one where only their order differs.
    """
    if _is_number(was) and _is_number(now):
        return float(abs(was - now))
    if isinstance(was, tuple | list) and isinstance(now, tuple | list):
        if all(isinstance(word, str) for word in (*was, *now)):
            return float(max(len(set(was) - set(now)), len(set(now) - set(was)), was != now))
        if len(was) == len(now):
            return max((distance(*pair) for pair in zip(was, now, strict=True)), default=0.0)
    if isinstance(was, dict) and isinstance(now, dict) and was.keys() == now.keys():
        return max((distance(was[name], now[name]) for name in was), default=0.0)
    return 0.0 if was == now else float("inf")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
