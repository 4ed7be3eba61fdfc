"""The page of a person: goals judged by key, marker keys chosen by pressing them, consent filed."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from affetti.core.consent import days_from_today, today
from affetti.core.custody import keys, vault
from affetti.core.custody.vault import Lock
from affetti.core.events import ConsentChanged, MarkerKey, consent_to
from affetti.core.events.entries import new_id
from affetti.core.events.people import ConsentFiled, MarkersChosen
from affetti.core.people import log
from affetti.core.people.history import PersonState, answers
from affetti.core.people.index import Listed
from affetti.core.people.last_time import LastTime
from affetti.core.recording.session import Session as Recorded
from affetti.core.settings import ConsentSettings, Settings, VaultSettings
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.screens.ask import AskScreen, ChooseScreen, KeyScreen
from affetti.recorder.tui.screens.person import PersonScreen
from affetti.recorder.tui.screens.person_consent import ConsentFileScreen
from affetti.recorder.tui.theirs import theirs
from tests.command_line import affetti
from tests.recorder.scripted_engine import recorded, session_started
from tests.recorder.test_tui_screens import recording

pytestmark = pytest.mark.one_of_each
ME = new_id()


def no_engine() -> Connection:
    raise NotImplementedError


class Page:
    """The page of P07, and what is kept of them."""

    def __init__(self, pilot: Pilot[None], app: AffettiApp, folder: Path) -> None:
        self.pilot, self.app, self.folder = pilot, app, folder

    async def opens(self, kind: type) -> None:
        for _ in range(500):
            if isinstance(self.app.screen, kind) and self.app.screen.is_mounted:
                return await self.pilot.pause()
            await self.pilot.pause(0.02)
        raise AssertionError(f"{kind.__name__} did not open")

    async def types(self, words: str) -> None:
        await self.opens(AskScreen)
        self.app.screen.query_one(Input).value = words
        await self.pilot.press("enter")

    async def goes_to(self, section: str, where: str = "#own") -> None:
        await self.opens(PersonScreen)
        options = self.app.screen.query_one(where, OptionList)
        options.focus()
        ids = [option.id or "" for option in options.options]
        options.highlighted = next(i for i, id in enumerate(ids) if id.startswith(section))
        await self.pilot.pause()

    async def until(self, true: Callable[[PersonState], Any]) -> PersonState:
        for _ in range(500):
            state = log.person_state("P07", self.folder)
            if true(state):
                return state
            await self.pilot.pause(0.02)
        raise AssertionError("it was not kept")

    def says(self) -> str:
        return str(self.app.screen.query_one("#about", Static).content)


@asynccontextmanager
async def page(folder: Path, settings: Settings | None = None) -> AsyncIterator[Page]:
    settings = settings or Settings(sessions_folder=str(folder))
    app = AffettiApp(no_engine, settings, at_home=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press(*"P07", "f4")
        opened = Page(pilot, app, folder)
        await opened.opens(PersonScreen)
        yield opened


async def test_goals_are_set_judged_by_key_and_dropped_and_marker_keys_chosen_by_a_press(
    tmp_path: Path,
) -> None:
    async with page(tmp_path) as there:
        await there.pilot.press("a")
        await there.types("sings a verse")
        await there.until(lambda state: state.goals)
        await there.goes_to("goals")
        await there.pilot.press("2")
        state = await there.until(lambda state: state.current_goals[0].state == "emerging")
        assert [type(e).__name__ for e in state.current_goals[0].history] == [
            *("GoalSet", "GoalStateChanged")
        ]
        assert "set" in there.says()
        await there.goes_to("markers")
        await there.pilot.press("a")
        await there.types("eye contact")
        await there.opens(KeyScreen)
        await there.pilot.press("n")
        assert "Next track" in str(there.app.screen.query_one("#refusal", Static).content)
        await there.pilot.press("pagedown")
        await there.opens(ChooseScreen)
        await there.pilot.press("down", "enter")
        state = await there.until(lambda state: state.markers)
        assert state.markers == (MarkerKey("eye contact", "pagedown", "stretch"),)
        await there.pilot.press("a")  # another one of the kind that was added last
        await there.types("sings")
        await there.opens(KeyScreen)


@pytest.mark.campaign
async def test_a_goal_is_reworded_dropped_with_a_reason_and_taken_up_again(
    tmp_path: Path,
) -> None:
    async with page(tmp_path) as there:
        await there.pilot.press("a")
        await there.types("sings")
        await there.until(lambda state: state.goals)
        await there.goes_to("goals")
        await there.pilot.press("enter")
        await there.types("sings a verse")
        await there.until(lambda state: state.current_goals[0].words == "sings a verse")
        await there.goes_to("goals")
        await there.pilot.press("delete")
        await there.types("too early")
        await there.until(lambda state: not state.current_goals)
        await there.goes_to("goals")
        assert "dropped: too early" in there.says()
        await there.pilot.press("enter")
        state = await there.until(lambda state: state.current_goals)
        assert state.current_goals[0].words == "sings a verse"


@pytest.mark.campaign
async def test_consent_is_filed_with_the_day_it_expires(tmp_path: Path) -> None:
    settings = Settings(sessions_folder=str(tmp_path), consent=ConsentSettings(valid_days=30))
    async with page(tmp_path, settings) as there:
        await there.goes_to("consent", "#kept")
        await there.pilot.press("enter")
        await there.opens(ConsentFileScreen)
        await there.pilot.press("y", "tab", "n", "ctrl+s")
        wrong = there.app.screen.query_one("#wrong", Static)
        assert "Answer each" in str(wrong.content)
        await there.pilot.press("tab", "n", "tab", "n", "tab", "n", "tab", "n", "tab")
        there.app.screen.query_one(Input).value = "soon"
        await there.pilot.press("ctrl+s")
        assert "no day to come" in str(wrong.content)
        there.app.screen.query_one(Input).value = days_from_today(30)
        await there.pilot.press("ctrl+s")
        state = await there.until(lambda state: state.consent)
        assert state.consent is not None
        assert state.consent.consent.granted == ("video",)
        assert state.consent.expires == days_from_today(30)


@pytest.mark.campaign
async def test_scales_neutral_words_and_a_set_are_kept_and_marker_keys_shared(
    tmp_path: Path,
) -> None:
    (tmp_path / "voice.toml").write_text('[[marker]]\nlabel = "sings"\nkey = "g"\n')
    async with page(tmp_path) as there:
        await there.goes_to("asked", "#kept")
        await there.pilot.press("enter")
        await there.types("pain, tiredness, pain")
        await there.opens(ChooseScreen)
        await there.pilot.press("down", "enter")
        state = await there.until(lambda state: state.scales)
        assert (state.scales, state.after_tracks) == (("pain", "tiredness"), True)
        await there.goes_to("neutral", "#kept")
        await there.pilot.press("enter")
        await there.types("mouth ajar")
        await there.until(lambda state: state.neutral)
        await there.opens(PersonScreen)
        await there.pilot.press("i")
        await there.types(str(tmp_path / "voice.toml"))
        state = await there.until(lambda state: state.markers)
        assert state.markers == (MarkerKey("sings", "g"),)
        await there.opens(PersonScreen)
        await there.pilot.press("e")
        await there.types(str(tmp_path / "shared.toml"))
        for _ in range(500):
            if (tmp_path / "shared.toml").exists():
                break
            await there.pilot.pause(0.02)
        assert "sings" in (tmp_path / "shared.toml").read_text()


@pytest.mark.campaign
async def test_a_track_that_was_heard_gets_the_therapists_words(
    tmp_path: Path, sample_session: Path
) -> None:
    with Recorded.open(sample_session) as session:
        code = session.started.person
        track = session.state.tracks[0]
    listed = Listed(sample_session, "sealed", code, "2026-11-24T10:15:00+01:00")
    assert theirs([listed]).tracks[track.sha256] == track.title
    async with page(tmp_path) as there:
        assert isinstance(there.app.screen, PersonScreen)
        there.app.screen._theirs = theirs([listed])
        await there.goes_to("labels")
        await there.pilot.press("a")
        await there.opens(ChooseScreen)
        await there.pilot.press("enter")
        await there.pilot.pause(0.3)
        await there.opens(ChooseScreen)
        await there.pilot.press("down", "enter")
        await there.types("her mother's")
        state = await there.until(lambda state: state.labels)
        (label,) = state.labels.values()
        assert (label.emotion, label.text) == ("happiness", "her mother's")
        assert label.title in theirs([listed]).tracks.values()


def filed(expires: str, *scopes: str) -> PersonState:
    consent = ConsentFiled(
        author_id=ME, person="P07", consent=consent_to(*scopes), on=today(), expires=expires
    )
    return PersonState("P07", consent=consent)


def test_set_up_begins_with_what_is_on_file_unless_it_expired_or_last_time_says_otherwise() -> None:
    settings = Settings(consent=ConsentSettings(valid_days=30))
    last = LastTime("2026-11-01T10:00:00+00:00", {"video": True, "room": False})
    ever = filed("", "video", "room")
    assert answers(None, None) == {}
    assert answers(last, None) == last.answers
    assert answers(last, filed(today(), "video", "room")) == {}
    assert answers(None, ever)["room"] is True
    agreed = answers(last, ever)
    assert agreed["video"] is True
    assert "room" not in agreed
    draft = Draft.of_person(settings, "P07", last, filed(today(), "video"))
    assert (draft.video, draft.audio) == (None, None)
    assert draft.expired is not None
    draft.video, draft.audio = True, False
    again = draft.to_file(30)
    assert again is not None
    assert (again.consent.granted, again.expires) == (("video",), days_from_today(30))
    draft.known = filed(days_from_today(5), "video")
    assert draft.to_file(30) is None
    draft.known = None
    assert draft.to_file(0) is None


@pytest.mark.campaign
async def test_consent_that_ends_in_a_session_ends_on_file(tmp_path: Path) -> None:
    log.add(
        [ConsentFiled(author_id=ME, person="P07", consent=consent_to("video", "room"), on=today())],
        "P07",
        tmp_path,
    )
    async with recording(tmp_path) as live:
        live.app.draft.learn(Settings(sessions_folder=str(tmp_path)))
        t_ns = live.app.view.now_ns  # type: ignore[union-attr]
        await live.hears(recorded([ConsentChanged(t_ns=t_ns, consent=consent_to("room"))]))
        kept = log.person_state("P07", tmp_path).consent
        assert kept is not None
        assert kept.consent.granted == ("room",)
        assert kept.session_id == session_started().session_id


def test_what_is_counted_of_a_person_goes_into_the_plan(tmp_path: Path) -> None:
    markers = (MarkerKey("sings", "g", "stretch"),)
    chosen = MarkersChosen(author_id=ME, person="P07", markers=markers)
    log.add([chosen], "P07", tmp_path)
    settings = Settings(sessions_folder=str(tmp_path))
    draft = Draft(person="P07", video=True, audio=False, camera="0")
    draft.learn(settings)
    assert draft.plan().counted == markers
    draft.person = "P08"
    draft.learn(settings)
    assert draft.plan().counted == ()


@pytest.mark.campaign
async def test_an_encrypted_page_leaves_nothing_that_can_be_read_and_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFFETTI_VAULTS", str(tmp_path / "vaults"))
    vault.new("clinic", Lock("passphrase", "otter lamp violet nine"), n=16)
    folder = tmp_path / "sessions"
    settings = Settings(sessions_folder=str(folder), vault=VaultSettings(name="clinic"))
    async with page(folder, settings) as there:
        await there.pilot.press("a")
        await there.types("sings a verse")
        await there.until(lambda state: state.goals)
    told = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert told
    assert not any(word in data for data in told for word in (b"P07", b"sings a verse", b"GoalSet"))
    assert affetti("forget", "P07", folder, "--yes").returncode == 0
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    keys.drop()
