"""Music that fits is proposed on a map; what was proposed and chosen is in the log."""

from dataclasses import replace
from pathlib import Path

import pytest

from affetti.core.events import MusicProposed
from affetti.core.state import SessionState
from affetti.recorder.engine import messages
from affetti.recorder.music import collection
from affetti.recorder.music.piece import TrackReading
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.screens.music import MusicScreen
from affetti.recorder.tui.widgets.music_map import MusicMap
from tests.recorder.films import tone
from tests.recorder.scripted_engine import devices, recorded, session_started, track_started
from tests.recorder.test_set_up import MUSIC, step
from tests.recorder.test_tui_screens import opened, recording

NS = 1_000_000_000
PLACES = {"still": (0.2, -0.6), "slow": (0.0, -0.2), "dance": (0.5, 0.6)}


@pytest.fixture
def scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A collection of three tracks, with what a scan would have kept of them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "music"
    folder.mkdir()
    for i, (name, (valence, arousal)) in enumerate(PLACES.items()):
        path = tone(folder / f"{name}.wav", 1 + i / 10)
        found = collection._read(path, frozenset())
        reading = TrackReading(valence=valence, arousal=arousal)
        collection._keep(path, replace(found, reading=reading))
    return folder


@pytest.mark.campaign
async def test_what_fits_is_proposed_live_and_what_was_chosen_comes_next(
    tmp_path: Path, scanned: Path
) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("c")
        await live.until(lambda: "r = 0.84 and 0.64" in live.words("#how"))
        drawn = str(live.app.screen.query_one(MusicMap).render())
        assert "1" in drawn  # the nearest that is calmer
        assert live.app.screen_stack[-2].query_one("#together").region.bottom > 13
        await live.pilot.press("l", "l")
        assert isinstance(live.app.screen, MusicScreen)
        await live.pilot.press("1")
        (command,) = live.sent(messages.ProposeMusic)
        said = command.proposal
        assert (said.direction, said.titles, said.title) == ("livelier", ("dance",), "dance")
        assert said.chosen.path == str(scanned / "dance.wav")
        event = MusicProposed(
            t_ns=201 * NS, direction="livelier", proposed=("dance",), title="dance", chosen_track=3
        )
        await live.hears(recorded([event]))
        assert "chosen “dance”" in live.words("#message")
        assert "dance" in str(live.app.screen.query_one("#track").border_subtitle)


@pytest.mark.campaign
async def test_what_was_proposed_in_vain_is_in_the_log_too(tmp_path: Path, scanned: Path) -> None:
    async with opened(tmp_path, Draft(person="P1", video=False, audio=False)) as setup:
        await setup.hears(devices())
        await step(setup, MUSIC)
        await setup.pilot.press("f3")
        await setup.until(lambda: "From the middle" in setup.words("#how"))
        await setup.pilot.press("escape", "f3")
        await setup.until(lambda: "From the middle" in setup.words("#how"))
        await setup.pilot.press("enter")
        await setup.until(lambda: len(setup.app.draft.playlist) == 1)
        vain, chosen = setup.app.draft.plan().proposals
        assert (vain.titles, vain.title, vain.chosen) == (("slow", "still"), "", None)
        assert chosen.title == "slow"


@pytest.mark.campaign
async def test_without_a_collection_it_is_said_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    async with recording(tmp_path) as live:
        await live.pilot.press("c")
        await live.until(lambda: "affetti music scan FOLDER" in live.words("#how"))
        await live.pilot.press("escape")
        assert not live.sent(messages.ProposeMusic)


def test_what_comes_next_follows_from_the_log() -> None:
    state = SessionState()
    chosen = MusicProposed(t_ns=6 * NS, direction="livelier", title="dance", chosen_track=3)
    for event in (session_started(), track_started(0, 5.0), chosen):
        state.apply(event)
    assert state.coming == "dance"
    assert state.order == [0, 3, 1, 2]
