"""Whether the person's rights were kept."""

from affetti.analyzer.checks.register import Importance, Messages, examples, rule
from affetti.analyzer.checks.subject import Subject
from affetti.core.consent import ConsentLedger, captures, is_picture_or_sound
from affetti.core.errors import AffettiError
from affetti.core.events import RecordingPaused, RecordingResumed
from affetti.core.language import known, text, word
from affetti.core.people.person import checked_code
from affetti.core.recording.losses import unkept_words


@rule(Importance.CRITICAL)
def consent_respected(subject: Subject) -> Messages:
    """Find what was recorded without the person's consent."""
    ledger = ConsentLedger()
    kept: dict[str, list[int]] = {}
    for event in subject.session.events:
        ledger.apply(event)
        for scope in ledger.needed(event):
            if not ledger.consent.grants(scope):
                kept.setdefault(scope, []).append(event.seq)
    for scope, seqs in sorted(kept.items(), reverse=True):
        known_scope = known(f"found.of.{scope}")
        what = word("found.of", scope) if known_scope else text("found.of_scope", scope=scope)
        yield text("found.consent", what=what, events=examples(seqs))


@rule(Importance.CRITICAL)
def kept_as_said(subject: Subject) -> Messages:
    """Find pictures and sound of the room in a recording that says it keeps none."""
    state = subject.session.state
    kept = [e.seq for e in subject.session.events if is_picture_or_sound(e, state.streams)]
    if state.keeps_estimates_only and kept:
        yield text("found.kept", events=examples(kept))


@rule(Importance.NOTE)
def replayable(subject: Subject) -> Messages:
    """Tell of pictures and sound that were not kept, so that nothing is computed again of them."""
    if said := unkept_words(subject.session.state.unkept):
        yield text("found.unkept", said=said)


@rule(Importance.CRITICAL)
def pauses_respected(subject: Subject) -> Messages:
    """Find what was captured of the person while the recording was paused."""
    since: int | None = None
    kept = []
    streams = subject.session.state.streams
    for event in subject.session.events:
        match event:
            case RecordingPaused():
                since = event.t_ns
            case RecordingResumed():
                since = None
            case _ if since is not None and captures(event, streams) and event.t_ns > since:
                kept.append(event.seq)
    if kept:
        yield text("found.paused", events=examples(kept))


@rule(Importance.CRITICAL)
def person_is_code(subject: Subject) -> Messages:
    """Demand a code for the person, which no name is."""
    try:
        checked_code(subject.session.started.person)
    except AffettiError as error:
        yield error.message
