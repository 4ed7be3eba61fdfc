"""What exports and labels write, searched byte by byte once a person is to be forgotten."""

from collections.abc import Callable
from pathlib import Path

import pytest

from affetti.analyzer.exports import FORMATS, export
from affetti.core.custody.exports import noted
from affetti.core.errors import ExitCode
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from tests.command_line import affetti
from tests.conftest import consent_to, small_session, started

WORD = "swaying-a-little"  # of a label, by which its bytes are found


@pytest.fixture
def recording(write_log: Callable[..., Path], tmp_path: Path) -> Path:
    """A sealed recording of somebody who agreed to research use, labelled by a rater."""
    _, *items = small_session()
    first = started(consent=consent_to("video", "room", "research"))
    (tmp_path / "kept").mkdir()
    path = seal(write_log([(first, b""), *items], "kept/sub-P07_ses-1.h5")).path
    labels = tmp_path / "labels" / "r2.csv"
    labels.parent.mkdir()
    labels.write_text(f"start_s,stop_s,label\n0,1,happy\n1,2,{WORD}\n", "utf-8")
    said = affetti("labels", "import", labels, "--session", path, "--rater", "R2", "--blind")
    assert said.returncode == 0
    labels.unlink()
    labels.parent.rmdir()
    return path


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def holding(folder: Path, *words: bytes) -> list[Path]:
    """Return the files with some bytes in their contents or in their path below the folder."""
    return [
        path
        for path in files_in(folder)
        for told in [path.read_bytes() + str(path.relative_to(folder)).encode()]
        if any(word in told for word in words)
    ]


@pytest.mark.campaign
def test_of_who_is_forgotten_no_byte_is_left_in_any_copy_beside(recording: Path) -> None:
    folder = recording.parent
    with Session.open(recording) as session:
        told = (b"P07", session.session_id.encode(), WORD.encode(), recording.stem.encode())
    for name in FORMATS:
        export(recording, name)
    before = files_in(folder)
    assert len([path for path in before if ".export." in str(path)]) >= len(FORMATS)
    assert len(noted(recording)) >= len(FORMATS)
    assert affetti("agreement", folder).returncode == 0
    assert files_in(folder) == before  # which writes nothing
    assert holding(folder, *told)
    elsewhere = folder.parent / "elsewhere"
    export(recording, "elan", elsewhere)
    export(recording, "bids", elsewhere)
    copies = holding(elsewhere, *told)
    assert elsewhere / "participants.tsv" in copies
    said = affetti("forget", "P07", folder, "--yes")
    assert said.returncode == 0
    for copy in copies:
        assert str(copy) in said.stdout  # which only its owner can remove
        copy.unlink()
    assert holding(folder, *told) == []
    assert files_in(folder) == []


@pytest.mark.campaign
def test_what_is_withdrawn_is_in_no_copy_beside_and_others_are_named(recording: Path) -> None:
    folder = recording.parent
    with Session.open(recording) as session:
        picture = session.frames[0].jpeg
    for name in FORMATS:
        export(recording, name)
    (copy,) = export(recording, "webvtt", folder.parent / "elsewhere")
    said = affetti("withdraw", recording, "video", "--yes")
    assert said.returncode == 0
    assert str(copy) in said.stdout
    assert [path for path in files_in(folder) if ".export." in str(path)] == []
    assert holding(folder, picture) == []
    assert len(holding(folder, WORD.encode())) == 1  # what a rater wrote is theirs, and stays


def test_a_copy_that_fails_leaves_nothing(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files_in(recording.parent)
    recording.with_name(f"{recording.stem}.export.parquet").mkdir()
    said = affetti("export", recording, "--to", "parquet")
    assert said.returncode == ExitCode.FILE_EXISTS
    assert files_in(recording.parent) == before
