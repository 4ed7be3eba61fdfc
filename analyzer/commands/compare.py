"""`affetti models compare`: what changes in what is said when the models change."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.analyzer.commands.arguments import JSON, SESSIONS, TICK
from affetti.core import terminal
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.language import clock_text, counted, percent, text, word

if TYPE_CHECKING:
    from affetti.analyzer.comparison import Difference, Total
    from affetti.analyzer.replay import Progress

_FLIPS_SHOWN = 12


@click.command()
@SESSIONS
@click.option(
    "--models",
    "pipelines",
    nargs=2,
    metavar="BEFORE AFTER",
    default=("affetti", "paper"),
    show_default=True,
    help="Two pipelines: what they are called here, or in the settings.",
)
@TICK
@JSON
def compare(
    sessions: tuple[Path, ...], pipelines: tuple[str, str], tick_s: float, as_json: bool
) -> int:
    """Say what changes in what is said of sessions when the models change.

    Both replay the same frames and sound. For face, music and both together: in how many pieces
    they say the same, by how much the mean of each emotion moves, with its 95 % interval over
    people, in which sessions and tracks what is strongest changes, and the moments that flip, to
    be looked at with `affetti review`. Folders stand for the recordings in them and below.

    \b
    affetti models compare study/ --models affetti paper
    """
    from affetti.analyzer.commands.many import in_turn
    from affetti.analyzer.comparison import difference_of, totals_of
    from affetti.analyzer.recordings import recordings_in
    from affetti.models.pipelines import offered

    before, after = map(offered, pipelines)

    def work(path: Path, progress: "Progress | None") -> "Difference":
        return difference_of(path, before, after, tick_s, progress)

    found: list[Difference] = []
    worst: int = ExitCode.OK
    for _, each in in_turn(recordings_in(sessions), work, "bar.replaying"):
        if isinstance(each, AffettiError):
            worst = max(worst, each.code)
        else:
            found.append(each)
    totals = totals_of(found)
    if as_json:
        terminal.print_json(_facts(pipelines, totals, found))
        return worst
    for total in totals:
        _print_total(total, pipelines)
    for each in found:
        _print_difference(each)
    return worst


def _print_total(total: "Total", pipelines: tuple[str, str]) -> None:
    name = word("modality", total.modality)
    if not total.pieces:
        terminal.say(text("compare.nothing", name=name))
        return
    told = {"before": pipelines[0], "after": pipelines[1], "alike": percent(total.alike)}
    terminal.say(text("compare.pieces", name=name, pieces=total.pieces, **told))
    if not math.isnan(total.kappa):
        terminal.say(text("compare.kappa", kappa=total.kappa))
    terminal.say(text("compare.stretches", flipped=total.flipped, of=total.stretches))
    for emotion, (mean, low, high) in total.shifts.items():
        if not math.isnan(mean):
            spread = "" if math.isnan(low) else text("compare.interval", low=low, high=high)
            terminal.say(text("compare.shift", name=word("emotion", emotion), mean=mean) + spread)


def _print_difference(found: "Difference") -> None:
    terminal.say("")
    terminal.say(found.recording)
    for each in found.stretches:
        if each.flipped:
            where = each.title or text("compare.whole")
            terminal.say(
                text(
                    "compare.flipped",
                    where=where,
                    name=word("modality", each.modality),
                    before=word("emotion", each.before.strongest or ""),
                    after=word("emotion", each.after.strongest or ""),
                )
            )
    for flip in found.flips[:_FLIPS_SHOWN]:
        terminal.say(
            text(
                "compare.moment",
                at=clock_text(flip.start_s),
                name=word("modality", flip.modality),
                before=word("emotion", flip.before),
                after=word("emotion", flip.after),
            )
        )
    left = len(found.flips) - _FLIPS_SHOWN
    if left > 0:
        terminal.say(counted("compare.more", left))
    if not found.flips:
        terminal.say(text("compare.nothing_flips"))


def _facts(
    pipelines: tuple[str, str], totals: "list[Total]", found: "list[Difference]"
) -> dict[str, Any]:
    import msgspec

    facts: list[dict[str, Any]] = msgspec.to_builtins(found)
    for each in facts:
        del each["pieces"]  # they are what the totals are of
    names = dict(zip(("before", "after"), pipelines, strict=True))
    return {**names, "totals": msgspec.to_builtins(totals), "sessions": facts}
