"""From the command line to the screen and back: the engine, the app, and how both end."""

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from affetti.core import logbook, system, terminal
from affetti.core.language import text
from affetti.core.settings import Settings
from affetti.recorder.pages import write_page
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.tty import refuse_unfit, terminal_of_its_own, watched

if TYPE_CHECKING:  # what records is loaded when a recording is set up
    from affetti.recorder.engine.messages import Plan
    from affetti.recorder.engine.process import EngineProcess
    from affetti.recorder.tui.draft import Draft
    from affetti.recorder.tui.screens.review_walk import WalkScreen

_HEARD_WITHIN_S: Final = 0.05


def run(plan: "Plan", settings: Settings, *, person_known: bool, consent_known: bool) -> None:
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
    from affetti.recorder.tui.draft import Draft  # noqa: PLC0415

    draft = Draft.of_plan(plan, settings, person_known=person_known, consent_known=consent_known)
    _open(settings, draft)


def open_home(settings: Settings) -> None:
    """Open the screen where people and recordings are, and stay until it is left.

    Raises
    ------
    AffettiError
        There is no terminal that could show it, or the engine ended before its time.
    """
    _open(settings, None)


def open_review(path: Path, author: str, settings: Settings, *, blind: bool = False) -> None:
    """Walk through a sealed recording, and stay until it is left.

    Parameters
    ----------
    path
        The recording.
    author
        The code of whoever annotates.
    settings
        For the colours and the folders of the screen.
    blind
        Whether what the face expresses is rated, with no estimate in view.

    Raises
    ------
    AffettiError
        The recording cannot be read, or there is no terminal that could show it.
    """
    from affetti.core.recording.session import Session  # noqa: PLC0415
    from affetti.recorder.tui.screens.review_walk import WalkScreen  # noqa: PLC0415

    refuse_unfit()
    Session.open(path).close()  # what is wrong, or closed, is told before there is a screen
    terminal.give_away()
    app = ReviewApp(settings, WalkScreen(path, author, blind=blind))
    app.write_page = partial(write_page, settings=settings)
    with terminal_of_its_own() as give_up:
        asyncio.run(_show(app, give_up))


class ReviewApp(AffettiApp):
    """The screen with a recording to walk through, and no engine.

    Parameters
    ----------
    settings
        As the recorder has them.
    walk
        What opens first.
    """

    def __init__(self, settings: Settings, walk: "WalkScreen") -> None:
        super().__init__(_no_engine, settings, at_home=True)
        self._walk = walk

    def open_first(self) -> None:
        """Open the recording."""
        self.push_screen(self._walk)


def _no_engine() -> Connection:
    raise NotImplementedError  # nothing is recorded from here


def _open(settings: Settings, draft: "Draft | None") -> None:
    refuse_unfit()
    terminal.give_away()
    engines: list[EngineProcess] = []

    def start() -> Connection:
        """Start an engine, when a recording is set up."""
        from affetti.recorder.engine.process import start_engine  # noqa: PLC0415

        # Textual puts something in its place that no process can be given.
        with redirect_stderr(sys.__stderr__):
            engines.append(start_engine(settings))
        return engines[-1].pipe

    app = AffettiApp(start, settings, draft, at_home=draft is None)
    app.write_page = partial(write_page, settings=settings)
    try:
        with terminal_of_its_own() as give_up:
            told_to_end = asyncio.run(_show(app, give_up))
    finally:
        unsealed = app.view.path if app.view is not None and app.recording else None
        if unsealed and app.problem is None:
            _tell("review.sealing", unsealed)
    for engine in engines:
        _end(engine, told_to_end)
    if app.problem is not None:
        raise app.problem
    if app.view is not None and Path(app.view.path).exists():
        if app.view.sealed is None:  # nobody was there to hear of it
            write_page(app.view.path, settings)
        _tell("review.sealed", app.view.path)


def _tell(what: str, path: str) -> None:
    with suppress(OSError, ValueError):  # the terminal may be gone
        if system.takes(logbook.STDERR, 0):
            terminal.say(text(what, path=path), err=True)


async def _show(app: AffettiApp, give_up: Callable[[], None]) -> bool:
    """Run the app; return whether a signal ended it.

    A signal is heard even while the app waits for a terminal that takes nothing.
    """
    told: list[int] = []
    loop = asyncio.get_running_loop()

    def tell(number: int, frame: object) -> None:
        told.append(number)
        give_up()
        loop.call_soon_threadsafe(app.exit)

    before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with watched(lambda: loop.call_soon_threadsafe(app.exit)):
            await app.run_async()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return bool(told)


def _end(engine: "EngineProcess", told_to_end: bool) -> None:
    if told_to_end:
        engine.process.terminate()  # it seals, and records that a signal ended it
        _hear_out(engine)
    else:
        engine.close()
    engine.join()
    engine.close()


def _hear_out(engine: "EngineProcess") -> None:
    """Take what the engine still says: one whose pipe is full would wait and never end."""
    with suppress(EOFError, OSError):
        while not engine.join(0):
            if engine.pipe.poll(_HEARD_WITHIN_S):
                engine.pipe.recv_bytes()
