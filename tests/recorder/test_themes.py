"""Colours: every word on every screen can be read, and no two hues look alike to anyone."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.color import ColorType
from textual.color import Color
from textual.pilot import Pilot
from textual.theme import Theme

from affetti.core.emotions import EMOTIONS, EXPRESSIONS
from affetti.core.settings import Settings
from affetti.recorder.engine import messages
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.themes import THEMES, remembered
from tests.recorder.scripted_engine import (
    NS,
    ScriptedEngine,
    devices,
    ended,
    health,
    level,
    recorded,
    session,
)

pytestmark = pytest.mark.one_of_each

Shown: TypeAlias = tuple[AffettiApp, Pilot[None], ScriptedEngine]

AA = 4.5  # WCAG 2.2, 1.4.3: of words
AA_GRAPHICS = 3.0  # 1.4.11: of bars
PATH = "/sessions/sub-P07_ses-20261124T101500.h5"
DRAWN = set(" ■─│╭╮╰╯╵█▉▊▋▌▍▎▏▁▂▃▄▅▆▇▀▔░▒▓▲▼●○•⌫├└┐┘┌┤┬┴┼━╸╺")
# How those see who lack one kind of cone: Machado et al., "A physiologically-based model for
# simulation of color vision deficiency" (2009), severity 1, on linear RGB.
VISIONS = {
    "all": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])
MIN_DIFFERENCE = 20.0  # CIE 1976; about 2 can just be seen side by side


def linear(colour: str) -> NDArray[np.float64]:
    rgb = np.array(Color.parse(colour).rgb) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((float(linear(c) @ TO_XYZ[:, 1]) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.clip(rgb, 0, 1) @ TO_XYZ / WHITE
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def grounds(theme: Theme) -> dict[str, str]:
    return {
        "background": str(theme.background),
        "surface": str(theme.surface),
        "panel": str(theme.panel),
        "trough": theme.variables["trough"],
    }


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_words_can_be_read_on_every_ground(theme: Theme) -> None:
    words = {
        "foreground": theme.foreground,
        "quiet": theme.variables["quiet"],
        "primary": theme.primary,
        "error": theme.error,
        "warning": theme.warning,
        "success": theme.success,
    }
    for (word, colour), (ground, behind) in itertools.product(
        words.items(), grounds(theme).items()
    ):
        assert contrast(str(colour), behind) >= AA, f"{word} on {ground}"
    assert contrast(str(theme.background), str(theme.primary)) >= AA


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_hues_are_told_apart_by_everybody(theme: Theme) -> None:
    for name in {*EMOTIONS, *(e.value for e in EXPRESSIONS)} & theme.variables.keys():
        for ground in ("background", "surface", "trough"):
            assert contrast(theme.variables[name], grounds(theme)[ground]) >= AA_GRAPHICS, name
    seven = ("happiness", "surprise", "neutral", "sadness", "fear", "disgust", "anger")
    for group in (("happiness", "relaxation", "anger", "sadness"), seven):
        for one, other in itertools.combinations(group, 2):
            for vision, matrix in VISIONS.items():
                seen = [lab(matrix @ linear(theme.variables[name])) for name in (one, other)]
                difference = float(np.linalg.norm(seen[0] - seen[1]))
                assert difference >= MIN_DIFFERENCE, f"{one} and {other} in {vision}"


def unreadable(app: AffettiApp) -> list[str]:
    """Return the words on the screen whose contrast is too low, with their colours."""
    found = []
    strips = app.screen._compositor.render_strips()
    for dialog in app.screen.query(".dialog"):  # what lies beneath is dimmed: it is not in use
        place = dialog.region
        strips = [each.crop(place.x, place.right) for each in strips[place.y : place.bottom]]
    for strip in strips:
        for segment in strip:
            style = segment.style
            if style is None or style.color is None or style.bgcolor is None:
                continue
            words = "".join(sign for sign in segment.text if sign not in DRAWN)
            if not words.strip() or ColorType.TRUECOLOR not in (style.color.type,):
                continue
            fore, back = style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex
            if style.reverse:
                fore, back = back, fore
            if contrast(fore, back) < AA:
                found.append(f"{words!r}: {fore} on {back}, {contrast(fore, back):.1f}")
    return found


@asynccontextmanager
async def shown(
    theme: str, at_home: bool, folder: Path
) -> AsyncIterator[tuple[AffettiApp, Pilot[None], ScriptedEngine]]:
    engine = ScriptedEngine()
    draft = None if at_home else Draft(person="P07", camera="0", microphone="", speaker="")
    settings = Settings(sessions_folder=str(folder))
    app = AffettiApp(engine.pipe, settings, draft, lambda: 1000 * NS, at_home=at_home)
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = theme
        await pilot.pause(0.3)
        yield app, pilot, engine


@pytest.mark.campaign
@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_word_on_every_screen_can_be_read(theme: str, tmp_path: Path) -> None:
    async with shown(theme, False, tmp_path) as (app, pilot, engine):

        async def looks(what: str) -> None:
            await pilot.pause(0.4)
            assert not unreadable(app), what

        engine.say(devices())
        await looks("who")
        await pilot.press("y", "tab", "y")
        await looks("who, answered")
        app.screen.query_one("#next").focus()
        await pilot.press("enter")
        await pilot.pause(0.7)
        engine.say(messages.Seen((), "no_face", read=False), *[level()] * 20)
        await looks("devices")
        await pilot.press("enter")
        await looks("music")
        engine.say(messages.Started(PATH), recorded(session()), health(), level())
        await looks("live")
        await pilot.press("c")
        await looks("music that fits")
        await pilot.press("escape", "ctrl+l")
        await looks("live, in large letters")
        await pilot.press("ctrl+l")
        await pilot.press("q")
        await looks("question")
        await pilot.press("n")
        engine.say(recorded(ended()), messages.Sealed(PATH, "stopped"))
        await looks("review")
        await pilot.press("h")
        await looks("home")
        await pilot.press("f9")
        await looks("settings")


@pytest.mark.campaign
async def test_a_theme_is_tried_and_kept_or_not(tmp_path: Path) -> None:
    async with shown("calm", True, tmp_path) as (app, pilot, _):
        await pilot.press("f9", "down")
        await pilot.pause()
        assert app.theme == "clinical"
        await pilot.press("escape")
        assert app.theme == "calm"
        await pilot.press("f9", "down", "down", "enter")
        await pilot.pause()
        assert app.theme == remembered() == "contrast"
