"""How the screens look. After a change that is meant: pytest --snapshot-update, and look."""

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from affetti.core.settings import Settings
from affetti.recorder.engine import messages
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.draft import Draft
from tests.recorder.scripted_engine import (
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

pytestmark = pytest.mark.one_of_each

SIZES = [(80, 24), (120, 40)]
PATH = "/home/anna/Affetti/sub-P07_ses-20261124T101500.h5"


class Scene:
    """An app, and the engine that speaks to it."""

    def __init__(self) -> None:
        self.engine = ScriptedEngine()
        draft = Draft(person="P07", camera="0", microphone="", speaker="")
        self.app = AffettiApp(self.engine.pipe, Settings(), draft, lambda: 1000 * NS)

    async def say(self, pilot: Pilot[None], *messages: messages.Message) -> None:
        self.engine.say(*messages)
        while self.engine.pipe.poll():  # until all of it is read, however slow the machine is
            await pilot.pause(0.02)
        await pilot.pause(0.5)

    async def set_up(self, pilot: Pilot[None]) -> None:
        await pilot.pause(0.3)
        await self.say(pilot, devices())
        await pilot.press("y", "tab", "y")
        pilot.app.screen.query_one("#person", Input).cursor_blink = False

    async def devices(self, pilot: Pilot[None]) -> None:
        await self.set_up(pilot)
        pilot.app.screen.query_one("#next").focus()
        await pilot.press("enter")
        await pilot.pause(0.7)  # which a choice rests before it is looked at
        seen = messages.Seen(((208, 96, 224, 288),), "light_behind", read=True)
        await self.say(pilot, picture(), seen, *[level()] * 20)
        await self.say(pilot, picture(), level())

    async def live(self, pilot: Pilot[None]) -> None:
        await pilot.pause(0.3)
        await self.say(
            pilot, messages.Started(PATH), recorded(session()), health(), picture(), level()
        )
        await pilot.pause(0.5)

    async def review(self, pilot: Pilot[None]) -> None:
        await self.live(pilot)
        await self.say(pilot, recorded(ended()), messages.Sealed(PATH, "stopped"))

    async def light(self, pilot: Pilot[None]) -> None:
        self.app.theme = "clinical"
        await self.live(pilot)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("screen", ["set_up", "devices", "live", "review", "light"])
def test_screen(snap_compare: Any, screen: str, size: tuple[int, int]) -> None:
    scene = Scene()
    assert snap_compare(scene.app, terminal_size=size, run_before=getattr(scene, screen))


@pytest.mark.campaign
def test_screen_without_colour(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    scene = Scene()
    assert snap_compare(scene.app, terminal_size=SIZES[0], run_before=scene.live)
