"""Whether the log is whole and unaltered."""

from typing import Final

import numpy as np

from affetti.analyzer.checks.register import Importance, Messages, examples, number, rule
from affetti.analyzer.checks.subject import Subject
from affetti.core.events import Event, SessionEnded, SessionRecovered, SessionStarted, stream_of
from affetti.core.recording.losses import span, statement

_SPANS: Final = 12


@rule(Importance.CRITICAL)
def records_unaltered(subject: Subject) -> Messages:
    """Find records without the check sum they were written with."""
    if subject.contents.altered:
        yield f"Altered records: {examples(subject.contents.altered)}."


@rule(Importance.CRITICAL)
def log_unaltered(subject: Subject) -> Messages:
    """Compare the digest over the whole log with the sealed one."""
    if subject.contents.sha256 != subject.session.log_sha256:
        yield "The log is not the one that was sealed: its SHA-256 differs."


@rule(Importance.CRITICAL)
def sequence_gapless(subject: Subject) -> Messages:
    """Find gaps in the numbers of events, but for those that sealing has told of."""
    seqs = subject.contents.seqs
    recovered = subject.session.state.recovered
    told = recovered.damaged_records if recovered else 0
    if seqs and (seqs[0] < 0 or np.any(np.diff(seqs) < 1)):
        yield "Events are not numbered from 0 in rising order."
    elif _missing(seqs) > told:
        yield _missing_events(seqs)


@rule(Importance.WARNING)
def losses_told(subject: Subject) -> Messages:
    """Name the events that sealing could not find any more."""
    seqs = subject.contents.seqs
    recovered = subject.session.state.recovered
    if recovered is not None and 0 < _missing(seqs) <= recovered.damaged_records:
        yield _missing_events(seqs)


def _missing(seqs: list[int]) -> int:
    return seqs[-1] + 1 - len(seqs) if seqs else 0


def _missing_events(seqs: list[int]) -> str:
    count = _missing(seqs)
    edges = zip([-1, *seqs], seqs, strict=False)
    spans = [span(before + 1, after - 1) for before, after in edges if after - before > 1]
    shown = ", ".join(spans[:_SPANS])
    shown += f" and at {len(spans) - _SPANS} more places" if len(spans) > _SPANS else ""
    are = "is" if count == 1 else "are"
    return f"{number(count, 'event')} {are} missing from the sequence: {shown}."


@rule(Importance.CRITICAL)
def index_true(subject: Subject) -> Messages:
    """Compare the index with each event's own number, time, kind and stream."""
    session = subject.session
    wrong = [
        record.seq
        for record, event in zip(session.records(), session.events, strict=True)
        if (record.seq, record.t_ns) != (event.seq, event.t_ns)
        or record.kind != getattr(event, "kind", type(event).__name__)
        or (isinstance(event, Event) and record.stream != stream_of(event))
    ]
    if wrong:
        yield f"The index contradicts the events: {examples(wrong)}."


@rule(Importance.CRITICAL)
def starts_once(subject: Subject) -> Messages:
    """Demand that the first event, and no other, starts the session, and the last ends it."""
    events = subject.session.events
    starts = [event.seq for event in events if isinstance(event, SessionStarted)]
    if starts != [0]:
        yield f"SessionStarted stands at {starts or 'no place'} instead of 0."
    if not events or not isinstance(events[-1], SessionEnded | SessionRecovered):
        yield "The last event does not say how the recording ended."


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
        are = "is" if count == 1 else "are"
        yield (
            f"{number(count, 'event')} of kind {kind!r:.40} {are} of a later version "
            f"and {are} skipped."
        )
