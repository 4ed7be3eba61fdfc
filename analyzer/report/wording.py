"""The words of reports and screens for what was measured; an unknown figure is a dash."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from markupsafe import Markup

from affetti.analyzer.measures.congruence import likeness
from affetti.analyzer.measures.estimates import ModalityName
from affetti.analyzer.measures.summary import MIXED_MARGIN, Summary
from affetti.analyzer.measures.together import Together, neutral_counts
from affetti.analyzer.measures.unseen import Unseen
from affetti.core.emotions import EMOTIONS, Label, ranked
from affetti.core.labels import lines
from affetti.core.language import (
    clock,
    clock_text,
    counted,
    date,
    decimal,
    known,
    localised,
    percent,
    text,
    time_of_day,
    times,
    unfilled,
    word,
)
from affetti.core.language import duration as seconds
from affetti.core.recording.info import SessionInfo

__all__ = [
    "alike",
    "alone",
    "began",
    "clock",
    "congruence",
    "date",
    "day_of",
    "emotion_word",
    "expressed",
    "index",
    "marked",
    "modality_name",
    "number",
    "percent",
    "seconds",
    "signed",
    "stream_word",
    "strongest",
    "time_of_day",
    "times",
    "titled",
    "together",
    "unseen",
    "when",
]

UNKNOWN: Final = text("unknown")


def marked(message: str, /, **values: object) -> Markup:
    """Return a message whose sentence may hold mark-up; its values are escaped."""
    shown = {
        name: lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        for name, value in values.items()
    }
    return Markup(unfilled(message)).format(**shown)  # noqa: S704  the catalogue is ours


def modality_name(modality: str) -> str:
    """Return what a modality is called: "Face", "Music" or "Together"."""
    return word("modality", modality)


def emotion_word(emotion: str) -> str:
    """Return the word for an emotion, or for what a face expresses."""
    return word("emotion", emotion)


def stream_word(stream: str) -> str:
    """Return what a stream is called, with a capital letter."""
    return word("stream", stream).capitalize()


def index(value: float) -> str:
    """Return a figure between 0 and 1 with two decimals."""
    return UNKNOWN if math.isnan(value) else decimal(value, 2)


def signed(value: float) -> str:
    """Return a figure between -1 and 1 with its sign and two decimals."""
    if math.isnan(value):
        return UNKNOWN
    return localised(f"{value:+.2f}")


def titled(title: str) -> str:
    """Return a track's title in quotes: many are words for emotions."""
    return text("track.titled", title=title)


def number(count: int, noun: str) -> str:
    """Return a count with its noun: `1 track`, `3 tracks`."""
    return counted(f"count.{noun}", count)


def strongest(
    shares: Sequence[float], labels: Sequence[Label] = EMOTIONS, named: Label | None = None
) -> str:
    """Name what is strongest, and the second with it when it is close; more are "a mix".

    Parameters
    ----------
    shares
        A distribution in the order of `labels`.
    labels
        The four emotions, or of a face the seven expressions.
    named
        What is named first although another is stronger, see `measures.held`.
    """
    match close_to_strongest(shares, labels, named):
        case [only]:
            return text(
                "expressed.one", first=emotion_word(only), share=percent(shares[labels.index(only)])
            )
        case [first, second]:
            return text("expressed.two", first=emotion_word(first), second=emotion_word(second))
        case close:
            return text("expressed.mix", first=emotion_word(close[0]))


def close_to_strongest(
    shares: Sequence[float], labels: Sequence[Label] = EMOTIONS, named: Label | None = None
) -> list[Label]:
    """Return what is strongest and what is nearly as strong; `named` first where it is given."""
    order = ranked(shares, labels)
    strength = shares[labels.index(order[0])]
    close = [e for e in order if strength - shares[labels.index(e)] < MIXED_MARGIN]
    if named is not None and named != order[0]:
        close = [named, *(e for e in close if e != named)]
    return close


def expressed(modality: ModalityName, summary: Summary) -> str:
    """Return what a modality expressed in a stretch, or why nothing can be said of it.

    A dash where nothing was due: there was no such stretch, or no consent in it.
    """
    if not summary.expected:
        return UNKNOWN
    if not summary.said and summary.unread:
        return text("expressed.unread", why=unread(summary.unread))
    if not summary.said:
        return text(f"expressed.nothing.{modality}")
    return strongest([float(share) for share in summary.shares], summary.labels)


def unread(codes: Iterable[str]) -> str:
    """Return why faces that were there were not read."""
    return ", ".join(word("unread", code) for code in codes)


def unread_of(shares: Mapping[str, float]) -> str:
    """Return in which share of the pictures with a face it was not read, and why."""
    said = (
        text("basis.unread", share=percent(share), why=word("unread", code))
        for code, share in shares.items()
    )
    return text("basis.unread_of", shares=", ".join(said))


def coverage(what: str, share: float) -> str:
    """Return how much of a stretch was read, heard or told: `read 82 % of the time`.

    Parameters
    ----------
    what
        A modality, or "face_and_music" for the moments in which both could be compared.
    share
        0 to 1; NaN where there was nothing to cover.
    """
    if math.isnan(share):
        return text("coverage.never")
    return text(f"coverage.{what}", share=percent(share))


def together(summaries: Mapping[ModalityName, Summary], rests_on: Together) -> str:
    """Return what face and music expressed together, or that only one of them was there.

    Of a face alone nothing is said to be expressed together: its own words stand for it.
    """
    if only := alone(rests_on):
        return only
    said = expressed("fused", summaries["fused"])
    first = {name: summary.strongest for name, summary in summaries.items()}
    return text("together.neutral", words=said) if neutral_counts(first) else said


def alone(rests_on: Together) -> str:
    """Return that the face, or the music, was there alone; "" where several ever spoke."""
    message = f"together.{rests_on.alone}"
    return text(message) if rests_on.alone is not None and known(message) else ""


def alike(value: float) -> str:
    """Return a congruence in words."""
    return text(f"congruence.{likeness(value)}")


def congruence(value: float) -> str:
    """Return a congruence in words and as a figure."""
    if math.isnan(value):
        return alike(value)
    return text("congruence.of", alike=alike(value), value=index(value))


def unseen(one: Unseen) -> str:
    """Return why something could not be seen or heard."""
    whose = f"unseen.{one.cause}.{one.what}"
    return text(whose if known(whose) else f"unseen.{one.cause}", what=one.what)


def when(one: Unseen) -> str:
    """Return from when to when that was, or the moment."""
    if one.start_s == one.stop_s:
        return clock_text(one.start_s)
    return text("unseen.stretch", start=clock_text(one.start_s), stop=clock_text(one.stop_s))


def day_of(info: SessionInfo) -> str:
    """Return the day of a session, or that it is not known."""
    return date(info.wall_clock) if info.dated else text("report.undated")


def began(info: SessionInfo) -> str:
    """Return the time of day at which a session began, or that it is not known."""
    return time_of_day(info.wall_clock) if info.dated else text("report.unknown_time")
