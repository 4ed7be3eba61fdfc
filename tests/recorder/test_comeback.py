"""A screen that a defect of ours closes comes back over the recording, which takes no notice."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from affetti.core.events import (
    ConsentChanged,
    DeviceLost,
    Event,
    MarkerAdded,
    NoteAdded,
    RecordingPaused,
    RecordingResumed,
    consent_to,
)
from affetti.core.state import SessionState
from affetti.recorder.engine import messages
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.screens.live import LiveScreen
from affetti.recorder.tui.screens.note import NoteScreen
from affetti.recorder.tui.screens.plain import PlainScreen
from affetti.recorder.tui.screens.review import ReviewScreen
from tests.recorder.scripted_engine import NS, ended, recorded
from tests.recorder.test_tui_screens import Session, recording

WORDS = "Anna Schmidt cried"
SAID = "! The screen failed (ValueError) and is back"


@asynccontextmanager
async def after(live: Session, lasted_s: float = 0.0) -> AsyncIterator[Session]:
    """Have a screen fail, and open the one that comes back."""
    live.app._begun_s -= lasted_s
    live.app.fail(ValueError(WORDS))
    await live.app._shutdown()
    following = live.app.successor()
    assert following is not None
    async with following.run_test(size=(80, 24)) as pilot:
        session = Session(pilot, following, live.engine)
        await session.until(lambda: following.screen.is_mounted and bool(following.screen.children))
        await pilot.pause()
        yield session


def shown(app: AffettiApp) -> str:
    drawn = app.export_screenshot().replace("&#160;", " ")
    return re.sub(r"<[^>]*>", "", drawn)


async def test_a_screen_that_fails_comes_back_with_all_that_was_heard_sent_and_typed(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("m", "m", "t", *"he sm")
        await live.until(lambda: isinstance(live.app.screen, NoteScreen))
        live.app.screen._close_messages_no_wait()  # what comes now is heard by the next alone
        async with after(live) as back:
            assert isinstance(back.app.screen, LiveScreen)
            assert SAID in shown(back.app)
            assert WORDS not in shown(back.app)
            assert "3:20" in back.words("#header")
            await back.until(lambda: bool(back.sent(messages.Note)))
            assert back.sent(messages.Note)[-1].text == "he sm"
            await back.pilot.press("m")
            await back.hears(recorded([MarkerAdded(t_ns=201 * NS, number=3)]))
            assert [mark.number for mark in back.sent(messages.Mark)] == [3, 4, 5]
            assert "3 markers" in back.words("#header")
            assert back.app.last_words is live.app.last_words


@pytest.mark.campaign
async def test_a_screen_that_fails_again_soon_comes_back_plain_and_keeps_its_keys(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live, after(live) as once, after(once) as plain:
        assert isinstance(plain.app.screen, PlainScreen)
        await plain.pilot.press("m", "pageup", "f2")
        assert [mark.number for mark in plain.sent(messages.Mark)] == [3, 4, 5]
        await plain.hears(recorded([MarkerAdded(t_ns=201 * NS, number=3)]))
        plain.app.screen.look()  # type: ignore[attr-defined]
        await plain.pilot.pause()
        assert "Marker 3 at 03:21 is in the log" in shown(plain.app)
        await plain.pilot.press("ctrl+c", "n", "P")
        assert plain.sent(messages.PauseRecording)
        assert not plain.sent(messages.Stop)
        await plain.pilot.press("r")
        await plain.until(lambda: isinstance(plain.app.screen, LiveScreen))
        await plain.pilot.press("q", "y")
        await plain.until(lambda: bool(plain.sent(messages.Stop)))
        await plain.hears(recorded(ended()))
        await plain.until(lambda: isinstance(plain.app.screen, ReviewScreen))


async def test_a_plain_screen_says_what_is_lost_and_what_its_keys_do_now(tmp_path: Path) -> None:
    async with recording(tmp_path) as live, after(live) as once, after(once) as plain:
        lost = DeviceLost(t_ns=201 * NS, device="camera", stream="video")
        await plain.hears(recorded([lost, RecordingPaused(t_ns=202 * NS)]))
        await plain.until(lambda: "CAMERA LOST" in shown(plain.app))
        assert "PAUSED: no face" in shown(plain.app)
        await plain.until(lambda: "Go on" in shown(plain.app))
        assert "Pause rec" not in shown(plain.app)
        await plain.pilot.press("P")
        await plain.until(lambda: bool(plain.sent(messages.ResumeRecording)))
        await plain.hears(recorded([RecordingResumed(t_ns=203 * NS)]))
        await plain.until(lambda: "Pause rec" in shown(plain.app))
        assert "CAMERA LOST" in shown(plain.app)


async def test_a_note_is_written_on_the_plain_screen_and_kept_when_that_fails_too(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live, after(live) as once, after(once) as plain:
        assert isinstance(plain.app.screen, PlainScreen)
        await plain.pilot.press("t", *"she sings", "enter")
        await plain.until(lambda: bool(plain.sent(messages.Note)))
        assert [note.text for note in plain.sent(messages.Note)] == ["she sings"]
        await plain.until(lambda: isinstance(plain.app.screen, PlainScreen))
        await plain.hears(recorded([NoteAdded(t_ns=202 * NS, text="she sings")]))
        plain.app.screen.look()  # type: ignore[attr-defined]
        await plain.pilot.pause()
        assert "Note at 03:22 is in the log" in shown(plain.app)
        await plain.pilot.press("N", *"and sm")
        await plain.until(lambda: len(plain.sent(messages.NoteBegun)) > len("she sings"))
        async with after(plain) as again:
            assert [note.text for note in again.sent(messages.Note)][-1] == "and sm"


@pytest.mark.campaign
async def test_a_screen_that_fails_while_the_recording_is_sealed_comes_back_to_that(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live:
        await live.hears(recorded(ended()), messages.Sealing(1, 10))
        async with after(live) as back:
            assert isinstance(back.app.screen, ReviewScreen)
            await back.hears(messages.Sealed("/sessions/a.h5", "stopped"))
            back.app.fail(ValueError(WORDS))
            assert back.app.successor() is None  # nothing is recorded any more


@pytest.mark.campaign
async def test_screens_that_all_fail_at_once_end_and_one_that_lasted_begins_anew(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live, after(live) as once, after(once, 60.0) as again:
        assert isinstance(again.app.screen, LiveScreen)
        async with after(again) as plain, after(plain) as third:
            third.app.fail(ValueError(WORDS))
            assert third.app.successor() is None


@pytest.mark.campaign
async def test_what_one_event_breaks_keeps_no_other_from_the_screen_and_consent_is_filed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(state: SessionState, event: Event) -> None:
        if isinstance(event, MarkerAdded) and event.number == 3:
            raise ValueError(WORDS)
        apply(state, event)

    apply, filed = SessionState.apply, []
    changed = ConsentChanged(t_ns=203 * NS, consent=consent_to("video"))
    marks = [MarkerAdded(t_ns=(200 + number) * NS, number=number) for number in (3, 4)]
    with pytest.raises(ValueError, match=WORDS):  # as tests of screens are told of it
        async with recording(tmp_path) as live:
            monkeypatch.setattr(SessionState, "apply", broken)
            monkeypatch.setattr(live.app, "_file_consent", filed.append)
            live.engine.say(recorded([*marks, changed]))
            await live.until(lambda: bool(filed))
    view = live.app.view
    assert view is not None
    assert [marker.number for marker in view.state.markers][2:] == [4]
    assert not view.state.consent.grants("room")
