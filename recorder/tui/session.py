"""From the command line to the screen and back: the engine, the app, and how both end."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

from affetti.core import terminal
from affetti.core.language import text
from affetti.core.settings import Settings
from affetti.recorder.engine.engine import EngineProcess, start_engine
from affetti.recorder.engine.messages import Plan
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.tty import refuse_unfit, terminal_of_its_own, watched


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
        There is no terminal that could show it, or the engine ended before its time.
    """
    refuse_unfit()
    draft = Draft.of_plan(plan, settings, person_known=person_known, consent_known=consent_known)
    engine = start_engine(settings)
    app = AffettiApp(engine.pipe, settings, draft)
    try:
        with terminal_of_its_own():
            told_to_end = asyncio.run(_show(app))
    finally:
        unsealed = app.view.path if app.view is not None and app.recording else None
        if unsealed and app.problem is None:
            _tell("review.sealing", unsealed)
    _end(engine, told_to_end)
    if app.problem is not None:
        raise app.problem
    if app.view is not None and Path(app.view.path).exists():
        _tell("review.sealed", app.view.path)


def _tell(what: str, path: str) -> None:
    with suppress(OSError, ValueError):  # the terminal may be gone
        terminal.say(text(what, path=path), err=True)


async def _show(app: AffettiApp) -> bool:
    """Run the app; return whether a signal ended it."""
    told: list[int] = []

    def tell(number: int) -> None:
        told.append(number)
        app.exit()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, tell, number)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda number, frame: loop.call_soon_threadsafe(tell, number))
    with watched(lambda: loop.call_soon_threadsafe(app.exit)):
        await app.run_async()
    return bool(told)


def _end(engine: EngineProcess, told_to_end: bool) -> None:
    if told_to_end:
        engine.process.terminate()  # it seals, and records that a signal ended it
    else:
        engine.close()
    engine.join()
    engine.close()
