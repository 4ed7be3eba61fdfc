"""Whether the log is whole and unaltered."""

from typing import Final

import numpy as np

from affetti.analyzer.checks.register import Importance, Messages, examples, rule
from affetti.analyzer.checks.subject import Subject
from affetti.core.events import SessionEnded, SessionRecovered, SessionStarted, Withdrawn
from affetti.core.language import counted, text
from affetti.core.recording.losses import span, statement

_LAST: Final = (SessionEnded, SessionRecovered, Withdrawn)
_SPANS: Final = 12


@rule(Importance.CRITICAL)
def records_unaltered(subject: Subject) -> Messages:
    """Find records that have not the digest they were sealed with."""
    if subject.contents.altered:
        yield text("found.altered", records=examples(subject.contents.altered))


@rule(Importance.CRITICAL)
def log_unaltered(subject: Subject) -> Messages:
    """Compare the digests over the log, and over all else that is read, with the sealed ones."""
    if subject.session.altered:
        yield text("found.contents")
    elif subject.contents.sha256 != subject.session.log_sha256:
        yield text("found.digest")


@rule(Importance.CRITICAL)
def sequence_gapless(subject: Subject) -> Messages:
    """Find gaps in the numbers of events, but for those that sealing or withdrawal told of."""
    seqs = subject.session.known_seqs.tolist()
    recovered = subject.session.state.recovered
    told = recovered.damaged_records if recovered else 0
    if _rises_not(subject.contents.seqs) or _rises_not(seqs):
        yield text("found.numbers")
    elif _missing(seqs) > told:
        yield _missing_events(seqs)


@rule(Importance.WARNING)
def losses_told(subject: Subject) -> Messages:
    """Name the events that sealing could not find any more."""
    seqs = subject.session.known_seqs.tolist()
    recovered = subject.session.state.recovered
    if recovered is not None and 0 < _missing(seqs) <= recovered.damaged_records:
        yield _missing_events(seqs)


def _rises_not(seqs: list[int]) -> bool:
    return bool(seqs) and (seqs[0] < 0 or bool(np.any(np.diff(seqs) < 1)))


def _missing(seqs: list[int]) -> int:
    return seqs[-1] + 1 - len(seqs) if seqs else 0


def _missing_events(seqs: list[int]) -> str:
    count = _missing(seqs)
    edges = zip([-1, *seqs], seqs, strict=False)
    spans = [span(before + 1, after - 1) for before, after in edges if after - before > 1]
    shown = ", ".join(spans[:_SPANS])
    if (more := len(spans) - _SPANS) > 0:
        shown = counted("found.more_spans", more, spans=shown)
    return counted("found.missing", count, spans=shown)


@rule(Importance.CRITICAL)
def index_true(subject: Subject) -> Messages:
    """Compare the index with each event's own number, time, kind and stream."""
    if wrong := subject.contents.misplaced:
        yield text("found.index", events=examples(wrong))


@rule(Importance.CRITICAL)
def tables_true(subject: Subject) -> Messages:
    """Compare the tables that repeat what events say with the events."""
    session = subject.session
    for name in subject.contents.repeats.untrue(session):
        yield text("found.table", name=name)
    if session.session_id != session.started.session_id:
        yield text("found.table", name="session_id")


@rule(Importance.CRITICAL)
def starts_once(subject: Subject) -> Messages:
    """Demand that the first event, and no other, starts the session, and the last ends it."""
    events = subject.session.events
    starts = [event.seq for event in events if isinstance(event, SessionStarted)]
    if starts != [0]:
        yield text("found.starts", places=starts or text("found.no_place"))
    if not events or not isinstance(events[-1], _LAST):
        yield text("found.no_end")


@rule(Importance.WARNING)
def ended_cleanly(subject: Subject) -> Messages:
    """Tell of a recording that broke off, or that not all could be read of."""
    recovered = subject.session.state.recovered
    if recovered is not None:
        yield statement(recovered, subject.session.state)


@rule(Importance.WARNING)
def kinds_known(subject: Subject) -> Messages:
    """Find events of a kind that this version does not know."""
    for kind, count in subject.session.state.unknown.items():
        yield counted("found.unknown", count, kind=kind)
