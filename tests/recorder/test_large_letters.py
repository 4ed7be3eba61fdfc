"""Large letters: fewer things, each with whose it is, and nothing claimed that wavers."""

from pathlib import Path

import pytest

from affetti.core.emotions import EMOTIONS, EXPRESSIONS
from affetti.core.language import languages, word
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.themes import remembered_large
from affetti.recorder.tui.widgets.headline import Headline, broken
from affetti.recorder.tui.widgets.large import Large
from affetti.recorder.tui.widgets.large_letters import HEIGHT, large
from tests.recorder.test_themes import unreadable
from tests.recorder.test_tui_screens import opened, recording


def test_every_word_for_what_is_expressed_fits_and_has_all_its_letters() -> None:
    unknown = large("\N{SNOWMAN}", 80)
    assert unknown == large("?", 80)
    for label in (*EMOTIONS, *EXPRESSIONS):
        drawn = large(word("emotion", label), 78)
        assert drawn is not None, label
        assert len(drawn) == HEIGHT
    assert large("Überraschung Ärger", 60) is None  # there is no room: said in usual letters
    assert large("É", 9) == large("E", 9)
    assert len(languages()) >= 1


@pytest.mark.campaign
async def test_large_letters_are_shown_by_a_key_and_remembered(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("ctrl+l")
        await live.pilot.pause(0.3)
        live.app.screen.look()  # type: ignore[attr-defined]
        shown = live.app.screen.query_one(Large)
        words = str(shown.render())
        happiness, face = large("happiness", 78), large("Face", 78)
        assert happiness is not None
        assert face is not None
        assert f"{face[0]}   {happiness[0]}" in words
        assert "The music expresses: relaxation and happiness" in words
        mixed = large("mixed", 78)
        assert mixed is not None
        assert mixed[0] in words  # and no one word of two that are close
        assert not live.app.screen.query_one("#timeline").display
        assert shown.region.height == 21
        assert not unreadable(live.app)
        assert remembered_large()
        await live.pilot.press("ctrl+l")
        assert live.app.screen.query_one("#timeline").display
        assert not remembered_large()


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_a_line_that_is_full_is_broken_between_words() -> None:
    lines = broken("How pleasant is it for you now?", 76)
    assert [len(line) for line in lines] == [HEIGHT] * len(lines)
    assert all(len(each) <= 76 for line in lines for each in line)
    assert lines[0] == large("How pleasant is", 76)
    assert broken("Donaudampfschifffahrt now", 40)[0] == ["Donaudampfschifffahrt"]
    assert broken("", 40) == []


@pytest.mark.campaign
async def test_large_letters_say_whom_the_set_up_is_for(tmp_path: Path) -> None:
    async with opened(tmp_path, Draft(person="P07", video=False, audio=False)) as setup:
        shown = setup.app.screen.query_one(Headline)
        assert not shown.display
        await setup.pilot.press("ctrl+l")
        assert shown.display
        code = large("P07", 78)
        assert code is not None
        assert code[0] in str(shown.render())
        assert shown.region.height == HEIGHT
