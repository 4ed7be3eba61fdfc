import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from affetti.core.custody.temporary import leftovers, name_beside, publish, replacing
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.recording import sealing
from affetti.core.recording.names import part_path, parts_of
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from tests.conftest import small_session

WriteLog = Callable[..., Path]


def test_a_link_where_version_0_1_0_wrote_is_not_followed(
    write_log: WriteLog, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "session.sealing").symlink_to(precious)
    seal(write_log())
    assert precious.read_text() == "precious"
    assert (tmp_path / "session.sealing").is_symlink()


@pytest.mark.parametrize("name", ["session.sealing", ".affetti-{}-notes.writing"])
def test_what_is_only_named_like_a_sealing_is_kept(write_log: WriteLog, name: str) -> None:
    target = write_log()
    beginning = name_beside(target).name.split("-")[1]
    foreign = target.with_name(name.format(beginning))
    for what in (b"precious", b"", b"\x89HDF\r\n\x1a\n of another program"):
        kept = {part: part.read_bytes() for part in parts_of(target)}
        foreign.write_bytes(what)
        told = seal(target).statement
        assert foreign.read_bytes() == what
        assert foreign.name in told or foreign.name.startswith(".")
        target.unlink()
        for part, data in kept.items():
            part.write_bytes(data)


def test_a_second_name_never_lets_another_recording_be_overwritten(write_log: WriteLog) -> None:
    """As a kill between giving the file its name and taking the other from it left things."""
    first = seal(write_log()).path
    left = first.with_name("session.sealing")
    os.link(first, left)
    archived = first.rename(first.with_name("archived.h5"))
    before = archived.read_bytes()
    report = seal(write_log(small_session(2)))
    assert archived.read_bytes() == before
    assert left.read_bytes() == before
    assert "session.sealing" in report.statement


def test_a_kill_right_after_publishing_leaves_no_second_name(write_log: WriteLog) -> None:
    target = write_log()
    kept = part_path(target, 1).read_bytes()
    seal(target)
    part_path(target, 1).write_bytes(kept)
    os.link(target, name_beside(target))
    os.link(target, target.with_name("session.sealing"))
    seal(target)
    assert [path.name for path in target.parent.iterdir() if path.suffix != ".toml"] == [
        "session.h5"
    ]
    assert target.stat().st_nlink == 1


def test_what_a_killed_sealing_left_unfinished_is_removed(write_log: WriteLog) -> None:
    target = write_log()
    left = name_beside(target)
    left.write_bytes(part_path(target, 1).read_bytes()[:3000])
    report = seal(target)
    assert report.statement == "Sealed; nothing was lost."
    assert not leftovers(target)


def test_a_whole_recording_under_a_temporary_name_is_kept_and_named(
    write_log: WriteLog, tmp_path: Path
) -> None:
    whole = seal(write_log(name="other.h5")).path
    target = write_log()
    left = name_beside(target)
    shutil.copy(whole, left)
    assert left.name in seal(target).statement
    with Session.open(left) as session:
        session.verify_digest()


def test_a_name_taken_while_sealing_is_not_replaced(
    write_log: WriteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = write_log()

    def taken_just_before(temporary: Path, name: Path) -> None:
        name.write_text("precious")
        publish(temporary, name)

    monkeypatch.setattr(sealing, "publish", taken_just_before)
    with pytest.raises(AffettiError):
        seal(target)
    assert target.read_text() == "precious"
    assert parts_of(target)
    assert not leftovers(target)


def test_a_link_that_leads_nowhere_takes_a_name(write_log: WriteLog, tmp_path: Path) -> None:
    target = write_log()
    target.symlink_to(tmp_path / "nowhere")
    with pytest.raises(AffettiError) as caught:
        seal(target)
    assert caught.value.code == ExitCode.FILE_EXISTS
    assert not (tmp_path / "nowhere").exists()
    assert parts_of(target)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), replacing(path) as fd:
        os.write(fd, b"half")
        raise ZeroDivisionError
    assert path.read_text() == "before"
    with replacing(path) as fd:
        os.write(fd, b"whole")
    assert path.read_text() == "whole"
    assert [each.name for each in tmp_path.glob(".affetti*")] == []


def test_two_temporary_names_are_never_alike(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 250 + ".h5")
    assert name_beside(long) != name_beside(long)
    name_beside(long).write_text("its name is not too long")
