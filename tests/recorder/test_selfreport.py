"""What the person says of themselves, on a screen of its own, with a key or a click each."""

from pathlib import Path

import pytest
from textual.message import Message

from affetti.core.occasion import occasion_of
from affetti.core.settings import SelfReportSettings
from affetti.core.state import SessionState
from affetti.recorder.engine import messages
from affetti.recorder.tui.screens.live import LiveScreen
from affetti.recorder.tui.screens.selfreport import SelfReportScreen
from affetti.recorder.tui.widgets.manikins import Answer
from tests.recorder.scripted_engine import recorded, session, session_started, track_ended
from tests.recorder.test_tui_screens import Session, press_at_once, recording


async def asked(live: Session, *scales: str) -> None:
    assert isinstance(live.app.screen, LiveScreen)
    live.app.screen._asked = SelfReportSettings(scales=scales)
    await live.pilot.press("a")
    await live.until(lambda: isinstance(live.app.screen, SelfReportScreen))


@pytest.mark.campaign
async def test_the_person_answers_with_one_key_each(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await asked(live, "Pain", "Tired")
        for key in ("4", "1", "x", "space"):
            await live.pilot.press(key)
        await live.pilot.press(*"warm", "enter")
        await live.until(lambda: bool(live.sent(messages.ReportSelf)))
        (said,) = live.sent(messages.ReportSelf)
        assert (said.valence, said.arousal) == (0.5, -1.0)
        assert (said.scales, said.emotion) == ({"Pain": 10}, "warm")
        assert (said.occasion, said.track, said.skipped) == ("between", 2, False)
        assert said.answered_s is not None
        assert isinstance(live.app.screen, LiveScreen)


async def test_what_the_person_types_on_behind_enter_is_no_command(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await asked(live)
        for key in ("4", "1"):
            await live.pilot.press(key)
        press_at_once(live, *"warm", "enter", *"quite", at_s=Message().time)
        await live.until(lambda: not live.app.typed.unhandled)
        await live.pilot.press("enter", *"qy")
        await live.until(lambda: bool(live.sent(messages.ReportSelf)))
        assert live.sent(messages.ReportSelf)[0].emotion == "warm quite"
        assert isinstance(live.app.screen, LiveScreen)
        assert not live.sent(messages.Stop)


@pytest.mark.campaign
async def test_the_person_answers_with_a_click_and_nothing_estimated_is_in_view(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live:
        await asked(live)
        shown = live.app.screen.query(Answer)
        assert len(shown) == 5
        assert not live.app.screen.query("#face, #together, #timeline")
        await live.pilot.click(shown[1])
        await live.until(lambda: "stirred" in live.words("#question"))
        await live.pilot.press("escape")
        await live.until(lambda: bool(live.sent(messages.ReportSelf)))
        assert live.sent(messages.ReportSelf)[0].valence == -0.5


@pytest.mark.campaign
async def test_what_is_skipped_is_told_once(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await asked(live)
        await live.pilot.press("escape", "escape")
        (said,) = live.sent(messages.ReportSelf)
        assert said.skipped
        assert isinstance(live.app.screen, LiveScreen)


@pytest.mark.campaign
async def test_after_a_track_the_person_is_asked_and_the_music_waits(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        assert isinstance(live.app.screen, LiveScreen)
        live.app.screen._asked = SelfReportSettings(after_tracks=True)
        assert live.app.view is not None
        live.app.view.state.apply(session_started(playlist=("a", "b", "c", "d")))
        await live.hears(recorded([track_ended(2, 201.0)]))
        await live.until(lambda: isinstance(live.app.screen, SelfReportScreen))
        assert [steer.action for steer in live.sent(messages.SteerTrack)] == ["pause"]
        await live.pilot.press("escape")
        await live.until(lambda: len(live.sent(messages.SteerTrack)) == 2)
        assert live.sent(messages.SteerTrack)[1].action == "resume"


def test_the_occasion_follows_from_the_tracks() -> None:
    state = SessionState()
    occasions = []
    for event in [*session(), track_ended(2, 201.0)]:
        state.apply(event)
        occasions.append(occasion_of(state))
    assert list(dict.fromkeys(occasions)) == [
        ("before", None),
        ("between", 0),
        ("between", 1),
        ("between", 2),
        ("after", 2),
    ]
