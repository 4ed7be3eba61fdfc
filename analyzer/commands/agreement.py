"""`affetti agreement`: how far people agree with each other and with the estimates."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.analyzer.commands.arguments import JSON, SESSIONS, TICK
from affetti.core import terminal
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.language import counted, decimal, percent, text, word

if TYPE_CHECKING:
    from affetti.analyzer.agreement import Agreement, Pair, Rated, Trust
    from affetti.analyzer.replay import Progress


@click.command()
@SESSIONS
@TICK
@JSON
def agreement(sessions: tuple[Path, ...], tick_s: float, as_json: bool) -> int:
    """Say how far people agree with each other and with the estimates of the face.

    Of recordings that were labelled in Review or with `affetti labels import`; folders stand for
    those in them and below. For every two, over the pieces in which both say something: the share
    that is alike, Cohen's kappa, the same weighted by how pleasant an expression is, the
    intraclass correlation of that over a track, with their 95 % intervals over people, and kappa
    for each person; of each expression precision, recall and F1 of the second against the first;
    of ratings in numbers their intraclass correlation. Krippendorff's alpha is of all raters
    together.

    What was rated without sight of the estimates, and with them in sight, is told apart, of one
    rater as well. Of each person is said whether the estimates deserve trust: that rests on
    labels alone that were made without sight of them.

    \b
    affetti agreement study/
    """
    from affetti.analyzer.agreement import agreement_of, rated
    from affetti.analyzer.commands.many import in_turn
    from affetti.analyzer.recordings import recordings_in

    def work(path: Path, progress: "Progress | None") -> "Rated | None":
        return rated(path, tick_s, progress)

    found: list[Rated] = []
    worst: int = ExitCode.OK
    for _, each in in_turn(recordings_in(sessions), work, "bar.reading"):
        if isinstance(each, AffettiError):
            worst = max(worst, each.code)
        elif each is not None:
            found.append(each)
    result = agreement_of(found)
    if as_json:
        terminal.print_json(_facts(result))
    else:
        _print(result)
    return worst


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
    for id, alpha in (("alpha", result.alpha), ("alpha_blind", result.alpha_blind)):
        if not math.isnan(alpha):
            terminal.say(text(f"agreement.{id}", alpha=alpha))
    names = _names(result)
    for pair in result.pairs:
        _print_pair(pair, names)
    terminal.say("")
    for each in result.trust:
        _print_trust(each)


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
    terminal.say("")
    first, second = (
        names[who] + ("" if blind else text("agreement.sighted"))
        for who, blind in ((pair.first, pair.blind_first), (pair.second, pair.blind_second))
    )
    terminal.say(text("agreement.pair", first=first, second=second))
    if pair.ticks:
        _print_labels(pair)
    for name, rating in pair.ratings.items():
        icc = _figure(rating.icc)
        said = counted("agreement.rated", rating.count)
        terminal.say(text("agreement.rating", name=name, icc=icc, rated=said))


def _print_labels(pair: "Pair") -> None:
    terminal.say(
        text("agreement.ticks", ticks=pair.ticks, of=pair.of_ticks, alike=percent(pair.alike))
    )
    terminal.say(text("agreement.kappa", kappa=_figure(pair.kappa)) + _spread(pair.kappa_interval))
    weighted = text("agreement.weighted", kappa=_figure(pair.weighted_kappa))
    terminal.say(weighted + _spread(pair.weighted_kappa_interval))
    stretches = counted("agreement.stretch", pair.stretches)
    icc = text("agreement.icc", icc=_figure(pair.icc), stretches=stretches)
    terminal.say(icc + _spread(pair.icc_interval))
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


def _print_trust(trust: "Trust") -> None:
    answer = word("trust", trust.answer)
    terminal.say(text("agreement.trust", person=trust.person, answer=answer))
    if trust.ticks:
        terminal.say(
            text(
                "agreement.trust_rests_on",
                kappa=_figure(trust.kappa),
                ticks=trust.ticks,
                stretches=counted("agreement.stretch", trust.stretches),
            )
            + (_spread(trust.kappa_interval, "agreement.interval_stretches"))
        )
    if not math.isnan(trust.between):
        terminal.say(text("agreement.trust_between", kappa=_figure(trust.between)))


def _spread(interval: tuple[float, float], said: str = "agreement.interval") -> str:
    low, high = interval
    return "" if math.isnan(low) else text(said, low=low, high=high)


def _codes() -> tuple[str, ...]:
    from affetti.analyzer.agreement import CODES

    return CODES


def _figure(value: float) -> str:
    return text("unknown") if math.isnan(value) else decimal(value, 2)


def _facts(result: "Agreement") -> dict[str, Any]:
    import msgspec

    facts: dict[str, Any] = msgspec.to_builtins(result)
    for pair in facts["pairs"]:
        pair["classes"] = dict(zip(_codes(), pair["classes"], strict=True))
    return facts
