"""Whether the person's rights were kept."""

from affetti.analyzer.checks.register import Importance, Messages, examples, rule
from affetti.analyzer.checks.subject import Subject
from affetti.core.consent import allows, captures, needed
from affetti.core.errors import AffettiError
from affetti.core.events import ConsentChanged, RecordingPaused, RecordingResumed
from affetti.core.people.person import checked_code


@rule(Importance.CRITICAL)
def consent_respected(subject: Subject) -> Messages:
    """Find what was recorded without the person's consent."""
    consent = subject.session.started.consent
    pictures: list[int] = []
    sounds: list[int] = []
    for event in subject.session.events:
        if isinstance(event, ConsentChanged):
            consent = event.consent
        elif not allows(consent, event):
            (pictures if needed(event).video else sounds).append(event.seq)
    if pictures:
        yield f"There is video without consent to it: events {examples(pictures)}."
    if sounds:
        yield f"There is sound of the room without consent to it: events {examples(sounds)}."


@rule(Importance.CRITICAL)
def pauses_respected(subject: Subject) -> Messages:
    """Find frames, and sound of the room, from while the recording was paused."""
    since: int | None = None
    kept = []
    for event in subject.session.events:
        match event:
            case RecordingPaused():
                since = event.t_ns
            case RecordingResumed():
                since = None
            case _ if since is not None and captures(event) and event.t_ns > since:
                kept.append(event.seq)
    if kept:
        yield f"Recorded in a pause: events {examples(kept)}."


@rule(Importance.CRITICAL)
def person_is_code(subject: Subject) -> Messages:
    """Demand a code for the person, which no name is."""
    try:
        checked_code(subject.session.started.person)
    except AffettiError as error:
        yield error.message
