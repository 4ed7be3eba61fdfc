"""Pages are read on the screen, and nothing is written."""

from functools import partial
from pathlib import Path

import pytest
from textual.app import App
from textual.widgets import Static

from affetti.recorder.tui.screens.read import ReadScreen, page_of_person, page_of_session


async def shown(screen: ReadScreen) -> str:
    app: App[None] = App()
    async with app.run_test(size=(100, 40)) as pilot:
        await app.push_screen(screen)
        await app.workers.wait_for_complete()
        await pilot.pause()
        return str(screen.query_one("#page", Static).content)


@pytest.mark.campaign
async def test_a_session_and_a_person_are_read_here(sample_session: Path, tmp_path: Path) -> None:
    path = tmp_path / "sub-sample_ses-20261124T101500.h5"
    path.symlink_to(sample_session)
    said = page_of_session(path)
    code = said.splitlines()[1].split()[0]
    # Its foot says the minute, which may change between the two.
    pages = {said, await shown(ReadScreen("page", partial(page_of_session, path)))}
    assert pages <= {said, page_of_session(path)}
    told = await shown(ReadScreen("person", partial(page_of_person, code, tmp_path)))
    assert code in told
    assert (await shown(ReadScreen("nobody", partial(page_of_person, "X9", tmp_path))))[0] == "!"
    assert sorted(each.name for each in tmp_path.glob("*.report.*")) == []
