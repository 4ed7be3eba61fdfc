"""`affetti withdraw`: removes from a recording what is no longer consented to."""

from pathlib import Path
from typing import Final

import click

from affetti.analyzer.commands.arguments import SESSION
from affetti.analyzer.commands.output import bar
from affetti.core import terminal
from affetti.core.clock import NS_PER_S
from affetti.core.errors import ExitCode, UsageError
from affetti.core.language import listed, text, word
from affetti.core.numbers import MAX_S, Number

ALL: Final = "all"
_WITHIN_S: Final = (0.0, MAX_S)


@click.command()
@SESSION
@click.argument("scopes", metavar="SCOPE...", nargs=-1, required=True)
@click.option("--from", "from_s", metavar="SECONDS", type=Number(_WITHIN_S), help="Since when.")
@click.option("--to", "to_s", metavar="SECONDS", type=Number(_WITHIN_S), help="Until when.")
@click.option("--reason", default="", help="In your words; it stays in the recording.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def withdraw(
    session: Path,
    scopes: tuple[str, ...],
    from_s: float | None,
    to_s: float | None,
    reason: str,
    yes: bool,
) -> int:
    """Remove from a recording what is no longer consented to, for good.

    SCOPE is video, room, signals, identity, or all: the pictures, the sound or the samples go,
    and every estimate that rests on them. Or it is a use: research, whose tables pass the
    recording over from then on, or pictures_in_reports. Analyses and reports beside the recording
    go as well and can be made again. Notes and markers stay; `affetti forget` removes those too.

    \b
    affetti withdraw sub-P07_ses-20261124T101500.h5 video
    affetti withdraw sub-P07_ses-20261124T101500.h5 room --from 60 --to 75.5
    """
    from affetti.analyzer.commands.copies import Copies
    from affetti.core.custody import withdrawal
    from affetti.core.events import USES
    from affetti.core.labels import label
    from affetti.core.recording.losses import withdrawn_words
    from affetti.core.recording.session import Session

    with Session.open(session) as opened:
        there = withdrawal.scopes_in(opened)
    stretch = bool(from_s) or to_s is not None
    whole = [scope for scope in there if not (stretch and scope in USES)]
    chosen = tuple(whole) if ALL in scopes else scopes
    for scope in chosen:
        if scope not in there:
            known = listed(there) or text("consent.nothing")
            raise UsageError(
                "withdrawal.no_such_scope", scope=scope, path=session.name, known=known
            )
    if from_s is not None and to_s is not None and from_s >= to_s:
        raise UsageError("withdrawal.backwards", start=from_s, stop=to_s)
    words = listed([word("consent", scope) for scope in chosen])
    if not yes:
        terminal.confirm(text("withdraw.really", scopes=words, name=session.name))
    with bar(text("bar.withdrawing", name=session.name)) as progress:
        done = withdrawal.withdraw(
            session,
            chosen,
            start_ns=round((from_s or 0.0) * NS_PER_S),
            stop_ns=None if to_s is None else round(to_s * NS_PER_S),
            reason=label(reason),
            progress=progress,
        )
    terminal.say(withdrawn_words(done.event))
    for path in done.removed:
        terminal.say(text("withdraw.gone", path=path.name))
    copies = Copies(lambda error: terminal.say(error.message, err=True))
    copies.read(session)
    copies.tell(done.removed)
    return ExitCode.WARNING if copies.damaged else ExitCode.OK
