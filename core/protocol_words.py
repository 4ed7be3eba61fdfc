"""What is said of a study's protocol: on the screen, while recording, and of a recording."""

from affetti.core.events import Step
from affetti.core.language import text, word
from affetti.core.protocol_course import ProtocolCourse
from affetti.core.state import SessionState


def step_words(state: SessionState, now_ns: int | None = None) -> str:
    """Return which step goes on, and where `now_ns` is given how long; "" where none does."""
    course = state.protocol
    if course is None:
        return ""
    at, step, of = course.current, course.step, len(course.started.steps)
    if at is None or step is None:
        return text("protocol.over", of=of) if course.over else ""
    what = _what(step, state)
    left_s = None if now_ns is None else course.left_s(now_ns, state.pauses)
    if left_s is None:
        return text("protocol.step", number=at + 1, of=of, what=what)
    return text("protocol.step_left", number=at + 1, of=of, what=what, left=round(left_s))


def _what(step: Step, state: SessionState) -> str:
    playlist = state.started.playlist if state.started is not None else ()
    named = step.kind == "track" and step.track is not None and step.track < len(playlist)
    title = f" “{playlist[step.track or 0]}”" if named else ""
    return word("step", step.kind) + title


def led_words(course: ProtocolCourse) -> str:
    """Return which protocol led through a session, and how much of it was done."""
    planned = course.started
    said = text(
        "protocol.led",
        name=planned.name,
        version=planned.version,
        sha256=planned.sha256,
        done=course.done,
        steps=len(planned.steps),
    )
    return f"{said}; {text('protocol.constructed')}" if planned.constructed else said


def undone_words(state: SessionState) -> list[str]:
    """Return what a protocol planned and what was not done, a line each, and why."""
    if state.protocol is None:
        return []
    return [
        text(
            "protocol.undone", number=at + 1, what=_what(step, state), why=word("outcome", outcome)
        )
        for at, step, outcome in state.protocol.undone
    ]
