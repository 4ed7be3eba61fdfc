"""What a person says of themselves where there is no screen: a line of JSON.

    {"self_report": {"valence": 0.5, "arousal": -0.25, "scales": {"Calm": 7}, "emotion": "at ease"}}
    {"self_report": null}

The first is an answer, of which any part may be missing; the second says that there is none.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import msgspec

from affetti.core.clock import NS_PER_S
from affetti.core.events import SelfReported
from affetti.core.labels import label, lines
from affetti.core.language import listed, text
from affetti.core.occasion import occasion_of
from affetti.core.state import SessionState

_BEGINS: Final = re.compile(r'\s*\{\s*"self_report"')

_Figure = Annotated[float, msgspec.Meta(ge=-1, le=1)]
_Rating = Annotated[float, msgspec.Meta(ge=0, le=10)]


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    valence: _Figure | None = None
    arousal: _Figure | None = None
    emotion: str = ""
    text: str = ""
    scales: dict[str, _Rating] = {}


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    self_report: _Answer | None


def is_answer(line: str) -> bool:
    """Whether a line is meant as an answer, well formed or not."""
    return _BEGINS.match(line) is not None


def example_of(scales: Sequence[str]) -> str:
    """Return a line that answers what is asked, to be filled in."""
    said = _Answer(0.5, -0.5, scales=dict.fromkeys(scales, 5.0))
    facts = {name: value for name, value in msgspec.to_builtins(said).items() if value != {}}
    return json.dumps({"self_report": facts}, ensure_ascii=False)


def answer_of(line: str, state: SessionState, now_ns: int) -> SelfReported:
    """Return what a line says of the person.

    Parameters
    ----------
    line
        As this module's words show it.
    state
        Of the session, which tells the occasion and, under a protocol, what is rated.
    now_ns
        Session time.

    Raises
    ------
    ValueError
        It is no such line; the words say why.
    """
    try:
        said = msgspec.json.decode(line, type=_Line).self_report or _Answer()
    except msgspec.MsgspecError as error:
        raise ValueError(label(str(error))) from error
    _check_scales(said.scales, state)
    occasion, track = occasion_of(state)
    return SelfReported(
        t_ns=now_ns,
        occasion=occasion,
        track=track,
        valence=said.valence,
        arousal=said.arousal,
        emotion=label(said.emotion).strip() or None,
        text=lines(said.text).strip(),
        scales={label(name): rating for name, rating in said.scales.items()},
        skipped=said == _Answer(),
        answered_s=_answered_s(state, now_ns),
    )


def _check_scales(named: Iterable[str], state: SessionState) -> None:
    if state.protocol is None:
        return
    asked = state.protocol.started.scales
    unknown = [label(name) for name in named if name not in asked]
    if unknown:
        raise ValueError(text("headless.no_scale", scale=unknown[0], scales=listed(asked) or "–"))


def _answered_s(state: SessionState, now_ns: int) -> float | None:
    """Return how long the question was open; None where a protocol asks nothing now."""
    course = state.protocol
    if course is None or course.current is None or course.step is None:
        return None
    if course.step.kind != "self_report":
        return None
    return round((now_ns - course.begun_ns[course.current]) / NS_PER_S, 1)
