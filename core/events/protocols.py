"""What a study's protocol planned for a session, and what of it was done."""

from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec

from affetti.core.codes import Code, Digest, Given
from affetti.core.events.base import Count, Event, Real, Traits, Whole, field

StepKind: TypeAlias = Literal["light", "neutral", "self_report", "silence", "track"]
# Why a step is over: its time, a key, nobody who could answer, what failed, light that stayed poor.
StepOutcome: TypeAlias = Literal["done", "skipped", "unattended", "failed", "poor"]
StepNumber: TypeAlias = Annotated[Count, field("position in the planned steps, from 0")]


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a protocol plans."""

    kind: StepKind
    seconds: Real | None = None  # how long at most; None: until it is over by itself
    track: Count | None = None  # position in the playlist of the session, from 0
    occasion: Code = ""  # of a self-report: before, between or after the tracks


class ProtocolStarted(Event, frozen=True, kw_only=True, tag=True):
    """A study's protocol leads through the session from here on."""

    traits: ClassVar = Traits(urgent=True, message="protocol_started", perceived=False)

    name: Annotated[Given, field("of the study")]
    version: Annotated[Given, field("of the protocol, as its author counts")]
    sha256: Annotated[Digest, field("of the protocol's file")]
    order: Annotated[Code, field("of the tracks: fixed, shuffled or balanced")]
    seed: Annotated[Whole | None, field("that a shuffled order follows from")] = None
    row: Annotated[Count | None, field("of the balanced orders, from 0")] = None
    tracks: Annotated[
        tuple[Count, ...], field("the protocol's tracks, from 0, in the order of this session")
    ] = ()
    steps: Annotated[tuple[Step, ...], field("what is planned, in order")] = ()
    scales: Annotated[tuple[Given, ...], field("what self-reports ask for, 0 to 10")] = ()
    constructed: Annotated[
        bool, field("whether it is no person's session, but was made to try the study out")
    ] = False


class StepBegun(Event, frozen=True, kw_only=True, tag=True):
    """A step of the protocol began."""

    traits: ClassVar = Traits(urgent=True, perceived=False)

    step: StepNumber
    step_kind: Annotated[StepKind, field("what is to be done")]


class StepEnded(Event, frozen=True, kw_only=True, tag=True):
    """A step of the protocol is over."""

    traits: ClassVar = Traits(urgent=True, perceived=False)

    step: StepNumber
    step_kind: Annotated[StepKind, field("what was to be done")]
    outcome: Annotated[StepOutcome, field("what became of it")]
    advice: Annotated[Code, field("of the light: what there is to better")] = ""
