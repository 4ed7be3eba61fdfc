"""What was heard, in words and as lanes of the timeline; never whose."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from affetti.analyzer.measures.heard import Heard
from affetti.analyzer.report.svg import element
from affetti.analyzer.report.wording import marked, percent
from affetti.core.clock import NS_PER_S
from affetti.core.heard import Kind
from affetti.core.language import clock_text, text, word

if TYPE_CHECKING:
    from affetti.analyzer.analysis import Analysis

_ROW_PX: Final = 14
# The others are what is left.
_DRAWN: Final[tuple[Kind, ...]] = ("music", "singing", "speech", "other_voice")


def findings_of(analysis: "Analysis") -> Iterator[Markup]:
    """Yield a sentence for each stream in which anything was heard: what, how often, since when."""
    for heard in analysis.heard.values():
        if heard.kinds:
            yield marked(
                f"finding.heard.{heard.stream}" if heard.stream in _NAMED else "finding.heard",
                stream=heard.stream,
                kinds=shares_text(heard, since=True),
                coverage=percent(heard.coverage),
            )


def shares_text(heard: Heard, *, since: bool = False) -> str:
    """Return what was heard and how often: `speech 12 % (from 00:41)`; several at a time count."""
    said = []
    for kind in heard.kinds:
        shown = text("heard.share", what=word("heard", kind), share=percent(heard.share(kind)))
        if since and kind in _DRAWN:
            shown = text("heard.since", said=shown, at=clock_text(first_s(heard, kind)))
        said.append(shown)
    return ", ".join(said)


def first_s(heard: Heard, kind: Kind) -> float:
    """Return when a kind was first heard, in seconds of session time; NaN where never."""
    stretches = heard.stretches[kind]
    return stretches[0][0] / NS_PER_S if stretches else math.nan


def coverage_text(heard: Heard) -> str:
    """Return how much of the time that was due was listened to."""
    return text("heard.coverage", share=percent(heard.coverage))


def title(heard: Heard) -> str:
    """Return the title of a stream's lane."""
    named = text(f"heard.in.{heard.stream}") if heard.stream in _NAMED else heard.stream
    return text("heard.title", where=named)


def lane_px(heard: Heard) -> int:
    """Return how high the lane of a stream is, in pixels."""
    return _ROW_PX * len(_rows(heard)) + 4


def _rows(heard: Heard) -> list[Kind]:
    """Return what has a row: what was heard; music where nothing was, so that this is seen."""
    return [kind for kind in _DRAWN if heard.stretches[kind]] or ["music"]


def lane(heard: Heard, duration_s: float, y: float) -> Iterator[Markup]:
    """Yield when music and voices were heard, a row each.

    Parameters
    ----------
    heard
        Of one stream.
    duration_s
        Of the session.
    y
        Where the lane begins, in pixels.
    """
    yield element("rect", x=0, y=y, width="100%", height=lane_px(heard), class_="plot")
    for row, kind in enumerate(_rows(heard)):
        top = y + 2 + row * _ROW_PX
        for start_ns, stop_ns in heard.stretches[kind]:
            start_s, stop_s = start_ns / NS_PER_S, stop_ns / NS_PER_S
            when = text("unseen.stretch", start=clock_text(start_s), stop=clock_text(stop_s))
            yield element(
                "rect",
                element("title", f"{word('heard', kind)}, {when}"),
                x=f"{100 * start_s / duration_s:.3f}%",
                y=top + 2,
                width=f"{100 * (stop_s - start_s) / duration_s:.3f}%",
                height=_ROW_PX - 4,
                class_="heard",
            )
        yield element(
            "text", word("heard", kind), x="100%", dx=-6, y=top + 11, class_="bound heard-name"
        )


_NAMED: Final = ("room", "playback")
