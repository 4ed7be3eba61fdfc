"""A person's log in words: the sections of their page, line by line."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from affetti.core.events.moments import STRETCH, MarkerKey
from affetti.core.events.people import (
    ConsentFiled,
    GoalDropped,
    GoalReworded,
    GoalStateChanged,
    MusicLabelled,
)
from affetti.core.language import brief_date, date, listed, text, word
from affetti.core.people.history import Goal, GoalEntry, PersonState, has_expired

Section: TypeAlias = Literal[
    "goals", "markers", "labels", "consent", "neutral", "asked", "playlists"
]
SECTIONS: Final[tuple[Section, ...]] = (
    "goals", "markers", "labels", "consent", "neutral", "asked", "playlists",
)  # fmt: skip
_SIGNS: Final = {"not_yet": "○", "emerging": "◐", "achieved": "●"}


@dataclass(frozen=True)
class Line:
    """A line of a section.

    Attributes
    ----------
    section, of
        What it is about: a goal's id, a key, a track's digest, …; "" where there is nothing.
    words
        What it says.
    more
        What is said of it beside the list.
    quiet
        Whether it is of no more use: a goal that was dropped, say.
    """

    section: Section
    of: str
    words: str
    more: str = ""
    quiet: bool = False


def sections(state: PersonState) -> list[tuple[str, list[Line]]]:
    """Return the sections of a person's page: what each is called, and its lines."""
    return [(text(f"person.{name}"), lines_of(state, name)) for name in SECTIONS]


def lines_of(state: PersonState, section: Section) -> list[Line]:
    """Return the lines of a section; one that says so where there is nothing."""
    found = list(_LINES[section](state))
    return found or [Line(section, "", text(f"person.no_{section}"), quiet=True)]


def _goals(state: PersonState) -> Iterator[Line]:
    goals = sorted(state.goals.values(), key=lambda goal: goal.dropped)
    for goal in goals:
        sign = "–" if goal.dropped else _SIGNS[goal.state]
        reached = text("goal.dropped") if goal.dropped else word("goal", goal.state)
        words, more = f"{sign} {reached}: {goal.words}", f"{goal.words}  {_course(goal)}"
        yield Line("goals", goal.goal_id, words, more, goal.dropped)


def _course(goal: Goal) -> str:
    """Say how a goal went, each step with its date."""
    return "  ".join(f"{_day(step.written)} {_step(step)}" for step in goal.history)


def _step(step: GoalEntry) -> str:
    match step:
        case GoalStateChanged(state=state):
            return word("goal", state)
        case GoalReworded():
            return text("goal.reworded")
        case GoalDropped(reason=reason):
            return text("goal.dropped_because", why=reason) if reason else text("goal.dropped")
    return text("goal.set")


def _markers(state: PersonState) -> Iterator[Line]:
    for marker in state.markers:
        yield Line("markers", marker.key, marker_words(marker))


def marker_words(marker: MarkerKey) -> str:
    """Say what is counted with which key, and how."""
    key = word("key_name", marker.key)
    how = text("person.stretch") if marker.form == STRETCH else text("person.press")
    return f"{key:<5} {marker.label}  ({how})"


def _labels(state: PersonState) -> Iterator[Line]:
    for label in state.labels.values():
        yield Line("labels", label.sha256, f"{label.title or label.sha256[:8]}: {said(label)}")


def said(label: MusicLabelled) -> str:
    """Say what a track is for a person."""
    emotion = [word("emotion", label.emotion)] if label.emotion else []
    return ", ".join([*emotion, *([label.text] if label.text else [])])


def _consent(state: PersonState) -> Iterator[Line]:
    filed = state.consent
    if filed is not None:
        yield Line("consent", "filed", consent_words(filed))
        if filed.expires:
            expired = has_expired(filed)
            said = text("person.expired" if expired else "person.expires", date=date(filed.expires))
            yield Line("consent", "expires", f"! {said}" if expired else said)


def consent_words(filed: ConsentFiled) -> str:
    """Say what is on file, and since when."""
    scopes = [word("consent", scope) for scope in filed.consent.granted]
    agreed = listed(scopes) or text("consent.nothing")
    return text("person.filed", scopes=agreed, date=date(filed.on))


def _neutral(state: PersonState) -> Iterator[Line]:
    if state.neutral is not None:
        yield Line("neutral", "text", state.neutral.text)


def _asked(state: PersonState) -> Iterator[Line]:
    if state.scales is not None:
        yield Line("asked", "scales", listed(state.scales) or text("person.no_scales"))
        when = "person.after_tracks" if state.after_tracks else "person.on_key"
        yield Line("asked", "when", text(when))


def _playlists(state: PersonState) -> Iterator[Line]:
    for name in state.playlists:
        yield Line("playlists", name, name)


_LINES: Final = {
    "goals": _goals,
    "markers": _markers,
    "labels": _labels,
    "consent": _consent,
    "neutral": _neutral,
    "asked": _asked,
    "playlists": _playlists,
}


def _day(written: str) -> str:
    return brief_date(datetime.fromisoformat(written).astimezone())
