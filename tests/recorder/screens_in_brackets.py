"""Prints whatever the screens show, in the language of a folder: FOLDER."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.brackets import read_from

read_from(Path(sys.argv[1]))

from rich.console import Console, Group  # noqa: E402
from rich.table import Table  # noqa: E402
from rich.text import Text  # noqa: E402
from textual.binding import Binding  # noqa: E402
from textual.content import Content  # noqa: E402
from textual.pilot import Pilot  # noqa: E402
from textual.widget import Widget  # noqa: E402
from textual.widgets import Input, TextArea  # noqa: E402

from affetti.core.settings import Settings  # noqa: E402
from affetti.recorder.engine import messages  # noqa: E402
from affetti.recorder.tui.app import AffettiApp  # noqa: E402
from affetti.recorder.tui.draft import Draft  # noqa: E402
from affetti.recorder.tui.widgets.picture import PictureBox  # noqa: E402
from tests.recorder.scripted_engine import (  # noqa: E402
    NS,
    ScriptedEngine,
    devices,
    ended,
    health,
    level,
    picture,
    recorded,
    session,
)

PATH = "/7/1.h5"


def shown(widget: Widget) -> Iterator[str]:
    """Yield every text that a widget shows."""
    yield from (str(each) for each in (widget.border_title, widget.border_subtitle) if each)
    if isinstance(widget, Input | TextArea):
        yield str(widget.placeholder)
    elif not widget.children and not isinstance(widget, PictureBox):
        yield drawn(widget)


def drawn(widget: Widget) -> str:
    if type(widget).render_line is not Widget.render_line:  # it draws its lines itself
        return ""  # and cuts its words where a cell ends
    made = widget.render()
    if isinstance(made, Content):
        return made.plain
    made = getattr(made, "_renderable", made)
    if not isinstance(made, str | Text | Table | Group):
        return ""  # a line, or a surface
    console = Console(width=400, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(made, markup=False, highlight=False)
    return capture.get()


def tell(app: AffettiApp) -> None:
    """Say what the topmost screen shows, and what its keys and its commands are called."""
    screen = app.screen
    told = [str(screen.title or "")]
    for widget in screen.walk_children():
        if widget.display:
            told += shown(widget)
    for kind in (type(screen), type(app)):
        ours = [each for each in kind.BINDINGS if isinstance(each, Binding)]
        told += [f"{each.description} {each.tooltip}" for each in ours]
    sys.stdout.write("\n".join(told) + "\n")


async def main() -> None:
    engine = ScriptedEngine()
    draft = Draft(person="7", camera="0", microphone="", speaker="")
    app = AffettiApp(engine.pipe, Settings(), draft, lambda: 1000 * NS)

    async def say(pilot: Pilot[None], *said: messages.Message) -> None:
        engine.say(*said)
        await pilot.pause(0.5)

    async with app.run_test(size=(240, 80)) as pilot:
        await pilot.pause(0.3)
        tell(app)
        await say(pilot, devices(), picture(), level())
        tell(app)
        for step in (1, 2):
            app.screen.go(step)  # type: ignore[attr-defined]
            await pilot.pause(0.3)
            tell(app)
        await say(pilot, messages.Started(PATH), recorded(session()), health(), picture(), level())
        await pilot.pause(0.5)
        tell(app)
        for key in ("f1", "escape", "t", "escape", "q"):
            await pilot.press(key)
            await pilot.pause(0.3)
            tell(app)
        await pilot.press("escape")
        await pilot.pause(0.3)
        await say(pilot, recorded(ended()))
        await pilot.pause(0.5)
        await say(pilot, messages.Sealed(PATH, "stopped"))
        tell(app)


asyncio.run(main())
