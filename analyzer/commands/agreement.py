"""`affetti agreement`: how far people agree with each other and with the estimates."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.analyzer.commands.arguments import JSON, SESSIONS, TICK
from affetti.analyzer.commands.output import bar_of_many
from affetti.core import terminal
from affetti.core.language import counted, percent, text, word

if TYPE_CHECKING:
    from affetti.analyzer.agreement import Agreement, Pair


@click.command()
@SESSIONS
@TICK
@JSON
def agreement(sessions: tuple[Path, ...], tick_s: float, as_json: bool) -> None:
    """Say how far people agree with each other and with the estimates of the face.

    Of recordings that were labelled in Review or with `affetti labels import`; folders stand for
    those in them and below. For every two, over the pieces in which both say something: the share
    that is alike, Cohen's kappa, its 95 % interval over people, and kappa for each person; of
    each expression precision, recall and F1 of the second against the first. Krippendorff's
    alpha is of all raters together. Who rated with the estimates in sight is marked.

    \b
    affetti agreement study/
    """
    from affetti.analyzer.agreement import agreement_of, rated
    from affetti.analyzer.batch import recordings_in

    paths, found = recordings_in(sessions), []
    with bar_of_many(text("bar.comparing"), paths) as done:
        for path in paths:
            each = rated(path, tick_s)
            found += [] if each is None else [each]
            done(path)
    result = agreement_of(found)
    if as_json:
        terminal.print_json(_facts(result))
    else:
        _print(result)


def _print(result: "Agreement") -> None:
    if not result.sessions:
        terminal.say(text("agreement.nothing"))
        return
    sessions, people = (
        counted("agreement.session", result.sessions),
        counted("agreement.person", result.people),
    )
    terminal.say(text("agreement.of", sessions=sessions, people=people))
    if result.others:
        terminal.say(text("agreement.others", labels=counted("count.label", result.others)))
    if not math.isnan(result.alpha):
        terminal.say(text("agreement.alpha", alpha=result.alpha))
    names = _names(result)
    for pair in result.pairs:
        _print_pair(pair, names)


def _names(result: "Agreement") -> dict[str, str]:
    """Return what raters are called here: their code where it is known, else a number."""
    from affetti.analyzer.agreement import ESTIMATES
    from affetti.core.people.authors import authors

    known = authors()
    raters = sorted({r for pair in result.pairs for r in (pair.first, pair.second)} - {ESTIMATES})
    named = {r: known.get(r, str(i)) for i, r in enumerate(raters, start=1)}
    rater = {r: text("agreement.rater", name=name) for r, name in named.items()}
    return {**rater, ESTIMATES: text("agreement.estimates")}


def _print_pair(pair: "Pair", names: dict[str, str]) -> None:
    low, high = pair.kappa_interval
    spread = "" if math.isnan(low) else text("agreement.interval", low=low, high=high)
    terminal.say("")
    terminal.say(
        text("agreement.pair", first=names[pair.first], second=names[pair.second])
        + ("" if pair.blind else text("agreement.sighted"))
    )
    terminal.say(
        text("agreement.ticks", ticks=pair.ticks, of=pair.of_ticks, alike=percent(pair.alike))
    )
    terminal.say(text("agreement.kappa", kappa=_figure(pair.kappa)) + spread)
    if len(pair.people) > 1:
        each = ", ".join(f"{who} {_figure(kappa)}" for who, kappa in pair.people.items())
        terminal.say(text("agreement.people", each=each))
    for code, score in zip(_codes(), pair.classes, strict=True):
        if score.count or not math.isnan(score.precision):
            terminal.say(
                text(
                    "agreement.class",
                    name=word("emotion", code),
                    count=score.count,
                    precision=_figure(score.precision),
                    recall=_figure(score.recall),
                    f1=_figure(score.f1),
                )
            )


def _codes() -> tuple[str, ...]:
    from affetti.analyzer.agreement import CODES

    return CODES


def _figure(value: float) -> str:
    return text("unknown") if math.isnan(value) else f"{value:.2f}"


def _facts(result: "Agreement") -> dict[str, Any]:
    import msgspec

    facts: dict[str, Any] = msgspec.to_builtins(result)
    for pair in facts["pairs"]:
        pair["classes"] = dict(zip(_codes(), pair["classes"], strict=True))
    return facts
