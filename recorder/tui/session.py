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
from affetti.core.errors import AffettiError, Unsealed, of_code
from affetti.core.language import counted, text
from affetti.core.settings import Settings
from affetti.recorder.pages import write_page
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.tty import refuse_unfit, terminal_of_its_own, watched

if TYPE_CHECKING:  # what records is loaded when a recording is set up
    from affetti.recorder.engine.messages import AnyMessage, Plan
    from affetti.recorder.engine.process import EngineProcess
    from affetti.recorder.tui.draft import Draft
    from affetti.recorder.tui.screens.review_opening import WalkScreen

_HEARD_WITHIN_S: Final = 0.05
_SENT_WITHIN_S: Final = 5.0  # an engine that was halted, and goes on, reads at once


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
    from affetti.recorder.tui.screens.review_opening import WalkScreen  # noqa: PLC0415

    refuse_unfit()
    Session.open(path).close()  # what is wrong, or closed, is told before there is a screen
    terminal.give_away()
    app = ReviewApp(settings, WalkScreen(path, author, blind=blind))
    app.write_page = partial(write_page, settings=settings)
    with terminal_of_its_own() as give_up:
        _Stage(app).show(give_up)


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

    def tell_to_end() -> None:
        """Have the engine end while the screen does: neither waits for the other."""
        for engine in engines:
            engine.tell_to_end()

    def start() -> Connection:
        """Start an engine, when a recording is set up."""
        from affetti.recorder.engine.process import start_engine  # noqa: PLC0415

        # Textual puts something in its place that no process can be given.
        with redirect_stderr(sys.__stderr__):
            engines.append(start_engine(settings))
        return engines[-1].pipe

    app = AffettiApp(start, settings, draft, at_home=draft is None)
    app.write_page = partial(write_page, settings=settings)
    stage = _Stage(app, tell_to_end)
    try:
        with terminal_of_its_own() as give_up:
            stage.show(give_up)
    finally:
        app = stage.app
        if app.recording and app.view is not None and app.problem is None:
            _tell(text("review.sealing", path=app.view.path))
    unsealed = [app.view.path] if app.recording and app.view is not None else []
    last_words = app.last_words
    for engine in engines:
        engine.wake()
        if unsent := app.unsent(_SENT_WITHIN_S):
            _tell(counted("session.unsent", unsent))
        last_words += _end(engine, stage.told_to_end)
    if app.problem is not None:
        raise app.problem
    _conclude(app, unsealed, last_words)
    if stage.failures and app.failed is None:
        _tell(text("session.screen_came_back", kind=stage.failures[-1]))
    if app.failed is not None:
        raise AffettiError("unexpected.screen", kind=type(app.failed).__name__) from app.failed


def _conclude(app: AffettiApp, unsealed: list[str], last_words: "list[AnyMessage]") -> None:
    """Say where everything recorded is, and what the screen was not there to hear.

    Parameters
    ----------
    unsealed
        What was still being recorded or sealed when the screen ended.
    last_words
        Of the engine, since then.

    Raises
    ------
    AffettiError
        A recording broke off, or was not sealed.
    """
    from affetti.recorder.engine.messages import Problem, Started  # noqa: PLC0415

    unsealed += [said.path for said in last_words if isinstance(said, Started)]
    lost = [path for path in unsealed if not Path(path).exists()]
    for path in unsealed or ([app.view.path] if app.view is not None else []):
        if Path(path).exists():
            if path in unsealed:
                app.page_changed(path)
            _tell(text("review.sealed", path=path))
    problems = [said for said in last_words if isinstance(said, Problem) and said.fatal]
    if problems:
        raise of_code(problems[-1].code).told(problems[-1].message, problems[-1].hint)
    if lost:
        raise Unsealed("app.recording_engine_stopped_recorded", path=lost[-1])


def _tell(words: str) -> None:
    with suppress(OSError, ValueError):  # the terminal may be gone
        if system.takes(logbook.STDERR, 0):
            terminal.say(words, err=True)


class _Stage:
    """Shows the app, and after a defect of it the one that comes back to a living recording.

    A signal is heard even while an app waits for a terminal that takes nothing.

    Parameters
    ----------
    app
        What is shown first.
    tell_to_end
        Called by a signal, in its handler.
    """

    def __init__(self, app: AffettiApp, tell_to_end: Callable[[], None] = lambda: None) -> None:
        self.app = app
        self.told_to_end = False  # by a signal
        self.failures: list[str] = []  # kinds of what closed screens, in order
        self._tell_to_end = tell_to_end
        self._leaving = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def show(self, give_up: Callable[[], None]) -> None:
        """Show it until it is left.

        Parameters
        ----------
        give_up
            Called by a signal as well: no terminal is waited for any more.
        """

        def tell(number: int, frame: object) -> None:
            self.told_to_end = True
            give_up()
            self.app.end()
            self._tell_to_end()
            self._leave()

        before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
        # A screen whose terminal is closed is gone at once; its engine sees that, and seals.
        if system.HANG_UP and signal.getsignal(system.HANG_UP) != signal.SIG_IGN:
            before[system.HANG_UP] = signal.signal(system.HANG_UP, signal.SIG_DFL)
        try:
            with watched(self._leave):
                asyncio.run(self._show())
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def _show(self) -> None:
        self._loop = asyncio.get_running_loop()
        following: AffettiApp | None = self.app
        while following is not None and not self._leaving:
            self.app = following
            await self._run()
            following = self.app.successor()
        self.app.close_link()

    async def _run(self) -> None:
        try:
            await self.app.run_async()
        except Exception as error:
            logbook.note("not foreseen", error)
            self.app.fail(error)
        if self.app.failed is not None:
            self.failures.append(type(self.app.failed).__name__)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    def _leave(self) -> None:
        self._leaving = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._exit)

    def _exit(self) -> None:
        self.app.exit()


def _end(engine: "EngineProcess", told_to_end: bool) -> "list[AnyMessage]":
    """Wait until the engine has sealed and gone; return what it still said of that."""
    told: list[AnyMessage] = []
    if told_to_end and engine.tell_to_end():  # it seals, and records that a signal ended it
        told = _heard_out(engine)
    else:
        engine.close()
    engine.join()
    engine.close()
    return told


def _heard_out(engine: "EngineProcess") -> "list[AnyMessage]":
    """Take what the engine still says: one whose pipe is full would wait and never end."""
    from affetti.recorder.engine.messages import LAST_WORDS, receive_message  # noqa: PLC0415

    told: list[AnyMessage] = []
    with suppress(Exception):  # it is gone, or broke off amid a word
        while not engine.join(0) or engine.pipe.poll():
            if engine.pipe.poll(_HEARD_WITHIN_S):
                said = receive_message(engine.pipe)
                told += [said] if isinstance(said, LAST_WORDS) else []
    return told
