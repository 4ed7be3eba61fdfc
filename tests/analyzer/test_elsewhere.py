"""What is made of a person elsewhere, or while they are forgotten, does not stay unsaid."""

from collections.abc import Callable
from pathlib import Path

import pytest

from affetti.analyzer.exports import export
from affetti.analyzer.report import write_report
from affetti.core.custody import withdrawal
from affetti.core.custody.exports import noted
from affetti.core.errors import FileMissing
from affetti.core.recording.sealing import seal
from tests.command_line import affetti
from tests.conftest import small_session, started


@pytest.fixture
def recording(write_log: Callable[..., Path], tmp_path: Path) -> Path:
    (tmp_path / "study").mkdir()
    _, *items = small_session(1)
    return seal(write_log([(started(), b""), *items], "study/sub-P07_ses-1.h5")).path


@pytest.mark.campaign
def test_a_page_by_another_name_or_in_another_place_is_noted_once(recording: Path) -> None:
    study = recording.parent
    pages = [study / "for the team.txt", study.parent / "desk" / "sub-P07_ses-1.report.txt"]
    for page in (*pages, *pages):
        assert affetti("report", recording, "--output", page).returncode == 0
    assert affetti("report", recording, "--form", "txt").returncode == 0
    assert [each.target for each in noted(recording)] == [str(page) for page in pages]
    said = affetti("forget", "P07", study, "--yes")
    assert pages[0].name in said.stdout  # found by what is in it, and removed
    assert str(pages[1]) in said.stdout  # which only its owner can remove
    assert list(study.iterdir()) == []


@pytest.mark.campaign
def test_so_are_an_analysis_and_the_page_of_a_person(recording: Path) -> None:
    study, desk = recording.parent, recording.parent.parent / "desk"
    assert affetti("analyze", recording, "--output", desk).returncode == 0
    assert affetti("progress", "P07", study, "--output", desk / "P07.txt").returncode == 0
    assert affetti("progress", "P07", study, "--form", "txt").returncode == 0
    targets = {Path(each.target).name for each in noted(recording)}
    assert targets == {"provenance.json", "P07.txt"}
    said = affetti("forget", "P07", study, "--yes")
    assert str(desk / "P07.txt") in said.stdout
    assert not list(study.iterdir())


@pytest.mark.parametrize(
    "end", [withdrawal.forget, lambda path: withdrawal.withdraw(path, ["room"])]
)
def test_a_page_that_is_made_while_consent_ends_is_not_written(
    recording: Path, end: Callable[[Path], object]
) -> None:
    pytest.importorskip("fcntl", reason="elsewhere what is being read cannot be removed")
    before = [recording]

    def meanwhile(done: int, total: int) -> None:
        if before:
            end(before.pop())

    with pytest.raises(FileMissing, match="changed or removed"):
        write_report(recording, progress=meanwhile)
    assert [path for path in recording.parent.iterdir() if path != recording] == []


@pytest.mark.campaign
def test_nor_does_a_copy_stay(recording: Path) -> None:
    before = [recording]

    def meanwhile(done: int, total: int) -> None:
        if before:
            withdrawal.forget(before.pop())

    with pytest.raises(FileMissing, match="changed or removed"):
        export(recording, "webvtt", progress=meanwhile)
    assert list(recording.parent.iterdir()) == []
