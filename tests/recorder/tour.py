"""A walk over the screens, in a language and a size: says what of their words is cut.

    python -m tests.recorder.tour de 80 24                  # what is cut, a line each
    python -m tests.recorder.tour de 80 24 --pictures DIR   # SVG files of them as well
    python -m tests.recorder.tour xx 80 24 --languages DIR  # of catalogues that lie elsewhere

A language is chosen before the screens are loaded: each has a process of its own.
"""

import argparse
import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tests.brackets import read_from

ROOT = Path(__file__).parents[2]


def asked() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("language")
    parser.add_argument("columns", type=int)
    parser.add_argument("lines", type=int)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--languages", type=Path)
    parser.add_argument("--theme", default="calm")
    parser.add_argument("--large", action="store_true", help="in large letters")
    parser.add_argument("--only", default="", help="the parts with this in their name")
    return parser.parse_args()


OPTIONS = asked()
os.environ["AFFETTI_LANGUAGE"] = OPTIONS.language
if OPTIONS.languages:
    read_from(OPTIONS.languages)

from rich.cells import cell_len  # noqa: E402
from rich.text import Text  # noqa: E402
from textual.content import Content  # noqa: E402
from textual.pilot import Pilot  # noqa: E402
from textual.widget import Widget  # noqa: E402
from textual.widgets import Input  # noqa: E402
from textual.widgets._footer import FooterKey  # noqa: E402

from affetti.core.events import (  # noqa: E402
    DeviceLost,
    DeviceRestored,
    Event,
    Face,
    FaceEstimated,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    RecordingPaused,
    RecordingResumed,
)
from affetti.core.language import catalogue, language  # noqa: E402
from affetti.core.settings import Settings  # noqa: E402
from affetti.recorder.engine import messages  # noqa: E402
from affetti.recorder.music import collection  # noqa: E402
from affetti.recorder.music.piece import TrackReading  # noqa: E402
from affetti.recorder.tui.app import AffettiApp  # noqa: E402
from affetti.recorder.tui.draft import Draft  # noqa: E402
from affetti.recorder.tui.screens.review_opening import WalkScreen  # noqa: E402
from affetti.recorder.tui.screens.review_rating import RatingScreen  # noqa: E402
from affetti.recorder.tui.screens.review_walk import WalkingScreen  # noqa: E402
from affetti.recorder.tui.screens.selfreport import SelfReportScreen  # noqa: E402
from affetti.recorder.tui.session import ReviewApp  # noqa: E402
from tests.campaign.session import log  # noqa: E402
from tests.recorder.films import tone  # noqa: E402
from tests.recorder.scripted_engine import (  # noqa: E402
    HAPPY,
    MUSIC,
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

os.environ["AFFETTI_LANGUAGE"] = OPTIONS.language  # what tests share speaks English
SIZE = OPTIONS.columns, OPTIONS.lines
NAME = "sub-P07_ses-20261124T101500.h5"
# These end in "…" where nothing is cut; what follows is somebody's own.
ENDINGS = {word for said in catalogue(language()).values() for each in said
           for word in re.findall(r"\S+…", each)}  # fmt: skip
OWN = "Song of Farewell Morning [red]Dance[/red] Lullaby /"  # titles of tracks may be cut
CUT = re.compile(r"[^\W\d_][^\s\u2500-\u257f]*…")


def _is_own(found: str) -> bool:
    """Whether what is cut is a title or a path: no words of ours."""
    return "/" in found or found[:-1] in OWN


def _is_beneath(match: re.Match[str]) -> bool:
    """Whether the edge of a dialog hides the beginning of what ends in "…" where it is whole."""
    begins_at_edge = "\u2500" <= match.string[max(match.start() - 1, 0)] <= "\u257f"
    return begins_at_edge and any(each.endswith(match.group()) for each in ENDINGS)


def cut_in(app: AffettiApp) -> Iterator[str]:
    """Yield what of the topmost screen's words is not all there."""
    for line in app.screen._compositor.render_strips():
        for match in CUT.finditer(line.text):
            found = match.group()
            if _is_beneath(match) or any(found.endswith(each) for each in ENDINGS):
                continue
            if not _is_own(found):
                yield f"ends in an ellipsis: {found}"
    for widget in app.screen.walk_children(Widget):
        if widget.display and widget.is_mounted and widget.size.width:
            yield from too_narrow(app, widget)


def too_narrow(app: AffettiApp, widget: Widget) -> Iterator[str]:
    """Yield what a widget says where it has too little room for it."""
    said = words_of(widget)
    if not said.strip():
        return
    screen = app.screen.region
    name = f"{type(widget).__name__}#{widget.id or ''}"
    if isinstance(widget, FooterKey) and widget.region.right > screen.right:
        yield f"{name} lies beyond the edge: {said}"
    if isinstance(widget, Input) or widget.children:
        return
    made = widget.render()
    if isinstance(made, Text):
        longest = max(map(cell_len, made.plain.splitlines()), default=0)
        if longest > widget.content_size.width > 0 and widget.content_size.height == 1:
            yield f"{name} is too narrow: {said}"
    if not isinstance(made, Content):
        return
    room, needed = (
        widget.content_size,
        widget.get_content_height(widget.container_size, app.size, widget.content_size.width),
    )
    wraps = widget.styles.text_wrap == "wrap"
    if not wraps and max(each.cell_length for each in made.split("\n")) > room.width:
        yield f"{name} is too narrow: {said}"
    elif needed > room.height and not widget.is_scrollable:
        yield f"{name} is too low ({room.height} lines of {needed}): {said}"
    longest = max((len(word) for word in said.split()), default=0)
    if wraps and longest > room.width and "/" not in said:
        yield f"{name} breaks a word: {said}"


def words_of(widget: Widget) -> str:
    made = widget.render()
    if isinstance(widget, FooterKey):
        return str(widget.description)
    return made.plain if isinstance(made, Content | Text) else ""


class Tour:
    """Looks at one screen after the other."""

    def __init__(self) -> None:
        self.cuts: list[str] = []
        self.seen = 0

    def look(self, app: AffettiApp, name: str) -> None:
        """Note what is cut on the topmost screen, and keep a picture of it."""
        self.seen += 1
        self.cuts += [f"{name}: {each}" for each in dict.fromkeys(cut_in(app))]
        if OPTIONS.pictures:
            OPTIONS.pictures.mkdir(parents=True, exist_ok=True)
            where = OPTIONS.pictures / f"{self.seen:02d}_{name}.svg"
            where.write_text(app.export_screenshot(), encoding="utf-8")


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Wait for what comes by itself."""
    for _ in range(2400):
        if true():
            return
        await pilot.pause(0.05)
    raise AssertionError("it did not come")


@asynccontextmanager
async def opened(app: AffettiApp) -> AsyncIterator[Pilot[None]]:
    """Run an app."""
    async with app.run_test(size=SIZE) as pilot:
        app.theme = OPTIONS.theme
        if OPTIONS.large and not app.large:
            app.action_large()
        await pilot.pause(0.3)
        yield pilot


async def recording(tour: Tour, folder: Path) -> None:
    """Go from the set-up to the review."""
    engine = ScriptedEngine()
    draft = Draft(person="P07", camera="0", microphone="", speaker="")
    settings = Settings(sessions_folder=str(folder))
    app = AffettiApp(engine.pipe, settings, draft, lambda: 1000 * NS)
    path = str(folder / "rec.h5")

    async with opened(app) as pilot:

        async def look(name: str, *keys: str, then: str = "") -> None:
            for key in keys:
                await pilot.press(key)
            await pilot.pause(0.8)
            tour.look(app, name)
            if then:
                await pilot.press(then)
                await pilot.pause(0.2)

        engine.say(devices())
        await look("who")
        await look("who_answered", "y", "tab", "y")
        app.screen.query_one("#next").focus()
        await pilot.press("enter")
        await pilot.pause(0.7)
        seen = messages.Seen(((208, 96, 224, 288),), "light_behind", read=True)
        engine.say(picture(), seen, *[level()] * 20)
        await look("devices")
        await look("music", "enter")
        await look("set_up_help", "f1", then="escape")
        engine.say(messages.Started(path), recorded(session()), health(), picture(), level())
        await pilot.pause(0.5)
        await look("live")
        await look("live_help", "f1", then="escape")
        await look("live_seven", "e", then="e")
        for name, key in (("note", "t"), ("details", "d"), ("faces", "f"), ("withdraw", "w")):
            await look(name, key, then="escape")
        await look("music_map", "c")
        await pilot.pause(0.5)
        await look("music_livelier", "l", then="escape")
        app.push_screen(SelfReportScreen(app.view.state, ("Pain",), lambda _: None))  # type: ignore[union-attr]
        await look("self_report_pleasant")
        await look("self_report_stirred", "2")
        await look("self_report_scale", "space")
        await look("self_report_word", "x", then="escape")
        await what_happens(engine, look)
        await look("question", "q", then="n")
        engine.say(recorded(ended(214.0)), messages.Sealed(path, "stopped"))
        await pilot.pause(0.4)
        await look("review")
        await look("review_help", "f1", then="escape")


async def what_happens(engine: ScriptedEngine, look: Callable[..., Awaitable[None]]) -> None:
    """Look at what may happen while it records."""
    engine.say(recorded([NeutralReferenceStarted(t_ns=201 * NS)]))
    await look("neutral", then="escape")
    engine.say(recorded([NeutralReferenceRecorded(t_ns=201 * NS + 1)]))
    engine.say(recorded(two_faces(202 * NS)), picture(), level())
    await look("two_faces")
    await look("two_faces_named", "f", "f", then="escape")
    engine.say(recorded([DeviceLost(t_ns=203 * NS, device="camera", stream="video")]))
    await look("camera_lost")
    found = DeviceRestored(t_ns=212 * NS, device="camera", stream="video", gap_ns=9 * NS)
    engine.say(recorded([found, RecordingPaused(t_ns=212 * NS)]))
    await look("paused")
    engine.say(recorded([RecordingResumed(t_ns=213 * NS)]), health(), picture(), level())


def two_faces(t_ns: int) -> list[Event]:
    """Return an estimate of a patient, and of somebody beside them."""
    patient = Face(
        face_id=0, role="patient", read=True, expressions=tuple(HAPPY.tolist()), emotions=MUSIC,
        box_px=(208, 96, 224, 288),
    )  # fmt: skip
    other = Face(face_id=1, role="other", box_px=(480, 120, 120, 160))
    return [FaceEstimated(t_ns=t_ns, frame=6060, faces=(patient, other))]


def scanned(folder: Path) -> None:
    """Keep what a scan of a collection would have found."""
    places = {
        "Still water": (0.2, -0.6),
        "A slow air": (0.0, -0.3),
        "Reel": (0.5, 0.6),
        "Storm": (-0.6, 0.7),
        "Lament": (-0.5, -0.4),
    }
    music = folder / "music"
    music.mkdir()
    for i, (name, (valence, arousal)) in enumerate(places.items()):
        path = tone(music / f"{name}.wav", 1 + i / 10)
        found = collection._read(path, frozenset())
        reading = TrackReading(valence=valence, arousal=arousal)
        collection._keep(path, replace(found, reading=reading))


async def home(tour: Tour, folder: Path) -> None:
    """Look at people and sessions, and at what is asked there."""
    shutil.copy(ROOT / "sample_sessions" / "sample.h5", folder / NAME)
    log(folder)
    settings = Settings(sessions_folder=str(folder))
    engine = ScriptedEngine()
    app = AffettiApp(engine.pipe, settings, at_home=True)
    async with opened(app) as pilot:
        await until(pilot, lambda: bool(app.screen.query("OptionList")))
        await pilot.pause(1.0)
        for name, keys, then in (
            ("home", (), ""),
            ("home_help", ("f1",), "escape"),
            ("settings", ("f9",), "escape"),
            ("forget_person", ("delete",), "escape"),
            ("commands", ("ctrl+p",), "escape"),
            ("person", ("f4",), ""),
            ("person_help", ("f1",), "escape"),
            ("home_again", ("escape",), ""),
            ("home_unsealed", ("tab",), ""),
            ("forget_session", ("end", "delete"), "escape"),
            ("home_found", ("s", "a"), ""),
            ("known_who", ("escape", "tab", "home", "enter"), ""),
            ("known_devices", ("enter",), ""),
            ("known_music", ("enter",), ""),
        ):
            await pilot.press(*keys)
            await pilot.pause(0.5)
            if name == "known_who":  # its set-up loads what records
                await until(pilot, lambda: bool(app.screen.query("#person")))
                await pilot.pause(0.5)
            tour.look(app, name)
            if then:
                await pilot.press(then)
                await pilot.pause(0.3)


async def walk(tour: Tour, folder: Path) -> None:
    """Walk through an old recording, and label it."""
    for blind in (False, True):
        app = ReviewApp(Settings(), WalkScreen(folder / NAME, blind=blind))
        async with opened(app) as pilot:
            await until(pilot, lambda app=app: isinstance(app.screen, WalkingScreen | RatingScreen))
            await pilot.pause(0.5)
            tour.look(app, "rating" if blind else "walk")
            if not blind:
                for name, key in (("walk_help", "f1"), ("walk_note", "t"), ("walk_rate", "g")):
                    await pilot.press(key)
                    await pilot.pause(0.3)
                    tour.look(app, name)
                    await pilot.press("escape")
                    await pilot.pause(0.2)


async def main() -> None:
    """Tour them all."""
    tour = Tour()
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"XDG_CACHE_HOME": f"{name}/cache", "XDG_STATE_HOME": f"{name}/state"}
        scanned(Path(name))
        for part in (recording, home, walk):
            if OPTIONS.only in part.__name__:
                await part(tour, Path(name))
    sys.stdout.write("\n".join([f"{tour.seen} screens", *tour.cuts]) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
