"""What happened in a session, in words: a sentence for each event that a journal shows.

The sentence of an event is the message `journal.ID` of the catalogue, where ID is the `message`
of its traits; the fields of the event are its values, in words. A kind whose fields may be
missing has a message `journal.ID.FIELD` for each of them instead, and those that are there are
said one after the other.
"""

from typing import Any

import msgspec

from affetti.core.clock import NS_PER_S
from affetti.core.events import Consent, Event, MarkerAdded, fields_of
from affetti.core.language import counted, duration, known, listed, one_line, text, word


def sentence(event: Event) -> str:
    """Return what a journal says of an event in one line; "" for a kind that it does not show."""
    if event.traits.message is None:
        return ""
    if isinstance(event, MarkerAdded) and event.label:
        event = msgspec.structs.replace(event, number=None)  # it has its word
    message = f"journal.{event.traits.message}"
    values = _values(event)
    if known(message):
        n = values.get("count")
        return text(message, **values) if n is None else counted(message, n, **values)
    parts = [
        text(f"{message}.{name}", **values)
        for name, value in values.items()
        if _is_said(value) and known(f"{message}.{name}")
    ]
    return ", ".join(parts) or text(f"{message}.nothing")


def _is_said(value: Any) -> bool:
    """Whether a field says something; a number always does."""
    return bool(value) or (isinstance(value, int | float) and not isinstance(value, bool))


def consent_words(consent: Consent) -> str:
    """Return in words what the person agreed to, or that nobody said so."""
    if not consent.stated:
        return text("consent.not_stated")
    granted = [word("consent", scope) for scope in consent.granted]
    return listed(granted) or text("consent.nothing")


def _values(event: Event) -> dict[str, Any]:
    """Return what an event says by the names of its fields, in words; nanoseconds as lengths."""
    values: dict[str, Any] = {}
    for field in fields_of(type(event)):
        value = getattr(event, field.name)
        if field.name.endswith("_ns"):
            values[field.name.removesuffix("_ns")] = duration(value / NS_PER_S)
        else:
            values[field.name] = _words(field.name, value)
    return values


def _words(name: str, value: Any) -> Any:
    if isinstance(value, Consent):
        return consent_words(value)
    if isinstance(value, dict):
        return ", ".join(text("journal.scale", name=k, value=v) for k, v in value.items())
    if isinstance(value, tuple) and all(isinstance(each, str) for each in value):
        return listed([one_line(each) for each in value])
    return one_line(word(name, value)) if isinstance(value, str) else value
