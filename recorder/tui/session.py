"""From the command line to the screen and back: the engine, the app, and how both end."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from affetti.core import logbook
from affetti.core.errors import UsageError
from affetti.core.language import text
from affetti.core.settings import Settings
from affetti.recorder.engine.engine import EngineProcess, start_engine
from affetti.recorder.engine.messages import Plan
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.draft import Draft


def run(plan: Plan, settings: Settings, *, person_known: bool, consent_known: bool) -> None:
    """Open the screen, and stay until it is left and everything recorded is sealed.

    Parameters
    ----------
    plan
        Fills in the set-up.
    settings
        How to record.
    person_known, consent_known
        Whether the plan's person and consent were named on the command line.

    Raises
    ------
    AffettiError
        There is no terminal, or the engine ended before its time.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("session.screen_needs_terminal")
    draft = Draft.of_plan(plan, settings, person_known=person_known, consent_known=consent_known)
    engine = start_engine(settings)
    app = AffettiApp(engine.pipe, settings, draft)
    try:
        with terminal_of_its_own():
            told_to_end = asyncio.run(_show(app))
    finally:
        unsealed = app.view.path if app.view is not None and app.recording else None
        if unsealed and app.problem is None:
            click.echo(text("review.sealing", path=unsealed), err=True)
    _end(engine, told_to_end)
    if app.problem is not None:
        raise app.problem
    if app.view is not None and Path(app.view.path).exists():
        click.echo(text("review.sealed", path=app.view.path), err=True)


@contextmanager
def terminal_of_its_own() -> Iterator[None]:
    """Leave the terminal to the screen: what libraries print to standard error goes to the log.

    Textual draws on `sys.__stderr__`, which becomes a door of its own to the same terminal.
    """
    drawn, printed = sys.__stderr__, sys.stderr
    kept = os.dup(logbook.STDERR)
    with open(kept, "w", encoding="utf-8", errors="replace") as terminal:
        sys.__stderr__ = sys.stderr = terminal  # type: ignore[misc]
        try:
            logbook.begin("screen", (logbook.STDERR,))
            yield
        finally:
            logbook.end()
            terminal.flush()
            os.dup2(kept, logbook.STDERR)
            sys.__stderr__, sys.stderr = drawn, printed  # type: ignore[misc]


async def _show(app: AffettiApp) -> bool:
    """Run the app; return whether a signal ended it."""
    told: list[int] = []

    def tell(number: int) -> None:
        told.append(number)
        app.exit()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell, number)
    await app.run_async()
    return bool(told)


def _end(engine: EngineProcess, told_to_end: bool) -> None:
    if told_to_end:
        engine.process.terminate()  # it seals, and records that a signal ended it
    else:
        engine.close()
    engine.join()
    engine.close()
