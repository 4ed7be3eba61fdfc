"""Walking through a recording again, and rating it without seeing what was estimated."""

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import h5py
import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from affetti.core.clock import NS_PER_S
from affetti.core.custody.artefacts import beside
from affetti.core.people.annotations import Annotation, read, standing
from affetti.core.people.authors import author_id
from affetti.core.settings import Settings
from affetti.recorder.tui.screens.review_entry import rating_of
from affetti.recorder.tui.screens.review_opening import WalkScreen
from affetti.recorder.tui.screens.review_rating import RatingScreen, rows
from affetti.recorder.tui.screens.review_walk import TracksScreen, WalkingScreen
from affetti.recorder.tui.session import ReviewApp
from affetti.recorder.tui.walk import Walk
from affetti.recorder.tui.widgets.timeline import Timeline
from tests.recorder.soundcard import VirtualSoundCard


@pytest.fixture
def recording(sample_session: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sample_session, tmp_path / "s.h5"))


def written(recording: Path) -> list[Annotation]:
    return standing(read(recording.with_name("s.annotations.jsonl")))


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        await pilot.pause(0.05)
    raise AssertionError("it did not come")


@asynccontextmanager
async def walking(recording: Path, **options: Any) -> AsyncIterator[Pilot[None]]:
    app = ReviewApp(Settings(), WalkScreen(recording, **options))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, WalkingScreen | RatingScreen))
        await pilot.pause(0.1)
        yield pilot


def test_what_is_added_afterwards_lies_beside_with_who_and_when(recording: Path) -> None:
    sealed = recording.read_bytes()
    walk = Walk.open(recording, author_id("R2"))
    try:
        note = walk.add("note", 5 * NS_PER_S, words="looks up")
        walk.add("rating", 6 * NS_PER_S, values={"calm": 7})
        walk.change(note, "looks away", {})
        said = [(item.words, item.by[:2]) for item in walk.items() if item.by]
        assert said == [("“looks away”", "R2"), ("calm 7", "R2")]
        assert walk.around(15 * NS_PER_S)[0][1].startswith("happiness")
        assert walk.picture(15 * NS_PER_S) is not None
        assert [box.role for box in walk.boxes(15 * NS_PER_S)] == ["patient"]
    finally:
        walk.close()
    assert recording.read_bytes() == sealed
    log = recording.with_name("s.annotations.jsonl")
    assert [entry.author_id for entry in read(log)] == [author_id("R2")] * 4
    assert b"looks up" in log.read_bytes()  # what was said before stays readable
    assert log in [found.path for found in beside(recording)]
    again = Walk.open(recording, author_id())
    assert len([item for item in again.items() if item.by]) == 2
    again.close()


@pytest.mark.parametrize(
    ("line", "rating"),
    [("calm 7", {"calm": 7}), ("eye contact 3,5", {"eye contact": 3.5}), ("calm", None),
     ("7", None), ("calm 11", None), ("", None)],
)  # fmt: skip
def test_a_rating_is_a_word_and_a_number(line: str, rating: dict[str, float] | None) -> None:
    assert rating_of(line) == rating


@pytest.mark.campaign
async def test_a_session_is_scrubbed_by_key_and_mouse_and_annotated(recording: Path) -> None:
    async with walking(recording) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, WalkingScreen)
        await pilot.press("right", "shift+right", "left")
        assert screen.at_ns == 30 * NS_PER_S
        await pilot.click(Timeline, offset=(20, 3))
        assert 0 < screen.at_ns < 30 * NS_PER_S
        await pilot.press("m", "t", *"hums", "enter")
        await pilot.press("o", *"the bridge", "enter", "g", *"calm 12", "enter")
        assert "A rating is a word" in str(screen.query_one("#message", Static).content)
        assert [each.label for each in written(recording)] == ["marker", "note", "remember"]
        items = screen.query_one("#items", OptionList)
        items.highlighted = [i.words for i in screen.walk.items()].index("“hums”")
        await pilot.press("e", "!", "enter")
        assert [each.text for each in written(recording) if each.label == "note"] == ["hums!"]
        await pilot.press("d")
        assert isinstance(pilot.app.screen, TracksScreen)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: not pilot.app.is_running)


@pytest.mark.campaign
async def test_a_session_is_played_from_a_marker(recording: Path) -> None:
    async with walking(recording) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, WalkingScreen)
        screen.query_one("#items", OptionList).highlighted = 1
        await pilot.press("enter")
        begun = screen.walk.items()[1].t_ns
        await until(pilot, lambda: screen.at_ns > begun)
        assert screen.playing
        await pilot.press("space")
        assert not screen.playing


@pytest.mark.campaign
async def test_rating_without_seeing_shows_no_estimate_and_keeps_labels(recording: Path) -> None:
    async with walking(recording, author="R2", blind=True) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RatingScreen)
        assert not screen.query("#timeline, #moment, #items, #together")
        await pilot.press("1")
        screen.at_ns += 4 * NS_PER_S  # as playing does
        await pilot.press("4")
        screen.at_ns += 2 * NS_PER_S
        await pilot.press("0", "escape")
        await until(pilot, lambda: not pilot.app.is_running)
    labels = [(each.label, each.start_ns, each.stop_ns) for each in written(recording)]
    assert labels == [("happy", 0, 4 * NS_PER_S), ("sad", 4 * NS_PER_S, 6 * NS_PER_S)]
    assert {each.author_id for each in written(recording)} == {author_id("R2")}
    assert all(each.blind for each in written(recording))


async def test_a_picture_that_was_altered_is_not_shown_and_the_screen_goes_on(
    recording: Path,
) -> None:
    with h5py.File(recording, "r+") as file:
        (video,) = file["video"].values()
        row = video["index"][20]
        at = int(row["offset"]) + int(row["length"]) // 2
        video["bytes"][at] ^= 0x55
    async with walking(recording) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, WalkingScreen)
        screen.go_to(int(row["t_ns"]))
        assert screen.picture is None
        assert "was altered" in screen.no_picture
        screen.go_to(int(row["t_ns"]) + 5 * NS_PER_S)
        await pilot.pause(0.1)
        assert screen.picture is not None
        assert not screen.walk.refused


def test_no_key_of_the_rating_is_parted_from_its_word() -> None:
    assert rows([8, 14, 9, 90, 7, 7], 32) == [[0, 1], [2], [3], [4, 5]]
    assert rows([8, 14, 9], 33) == [[0, 1, 2]]


@pytest.mark.campaign
def test_the_sound_of_a_moment_is_heard_through_the_sound_card(
    recording: Path,
) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from affetti.core.recording.session import Session\n"
        "from affetti.recorder.tui.listening import Listening\n"
        "with Session.open(Path(sys.argv[1])) as session:\n"
        "    listening = Listening(session.audio('playback'), 5_000_000_000)\n"
        "    assert listening.start()\n"
        "    while listening.t_ns < 6_000_000_000: time.sleep(0.05)\n"
        "    assert listening.playing\n"
        "    listening.stop()\n"
        "    assert not listening.playing\n"
    )
    with VirtualSoundCard() as card:
        run = subprocess.run(
            [sys.executable, "-c", program, str(recording)],
            env=card.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert run.returncode == 0, run.stderr
