import random
from collections.abc import Callable
from pathlib import Path

import pytest

from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import MarkerAdded
from affetti.core.recording.names import (
    is_part,
    part_path,
    parts_of,
    sealed_in,
    target_of,
    unsealed_in,
)
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import LogSettings
from tests.conftest import NS, SESSION_ID, small_session, started

WriteLog = Callable[..., Path]


def sealed(folder: Path, name: str) -> Path:
    """A sealed recording of any name, which it was given afterwards."""
    log = PartLog(folder / "other.h5", "f" * 32, LogSettings(part_mib=8))
    log.append(started(session_id="f" * 32))
    log.append(MarkerAdded(t_ns=NS, label="mine"))
    log.close()
    return seal(folder / "other.h5").path.rename(folder / name)


def test_a_sealed_recording_named_like_a_part_is_none(write_log: WriteLog, tmp_path: Path) -> None:
    target = write_log()
    other = sealed(tmp_path, "session.part007.h5")
    before = other.read_bytes()
    assert [path.name for path in parts_of(target)] == ["session.part001.h5"]
    seal(target)
    assert other.read_bytes() == before
    assert sealed_in(tmp_path) == [target, other]
    assert unsealed_in(tmp_path) == []


def test_a_running_part_is_known_for_one(write_log: WriteLog) -> None:
    target = write_log(close=False)
    assert parts_of(target) == [part_path(target, 1)]
    assert unsealed_in(target.parent) == [target]


@pytest.mark.campaign
def test_names_with_a_part_in_them_are_checked_like_any_other(tmp_path: Path) -> None:
    for name in ("a.part.h5", "my.parts.h5", "x.part01.h5", "x.part0001.h5", "x.part007.h5"):
        path = sealed(tmp_path, name)
        assert path in sealed_in(tmp_path)
        assert not is_part(path)


def test_parts_beyond_999_are_found_in_the_order_of_their_numbers(write_log: WriteLog) -> None:
    target = write_log(small_session(1))
    first = part_path(target, 1)
    numbers = [1, 2, 999, 1000, 1001, 10000]
    for number in random.Random(0).sample(numbers[1:], len(numbers) - 1):
        part_path(target, number).write_bytes(first.read_bytes())
    assert parts_of(target) == [part_path(target, number) for number in numbers]
    assert unsealed_in(target.parent) == [target]
    assert target_of(part_path(target, 1000)) == target


def test_names_that_a_pattern_would_misread_are_found(tmp_path: Path) -> None:
    target = tmp_path / "a[1]*.h5"
    PartLog(target, SESSION_ID, LogSettings(part_mib=8)).close()
    assert parts_of(target) == [part_path(target, 1)]
    with pytest.raises(AffettiError) as caught:
        Session.open(target)
    assert caught.value.code == ExitCode.UNSEALED


def test_a_log_discards_its_own_parts_alone(write_log: WriteLog, tmp_path: Path) -> None:
    other = tmp_path / "session.part002.h5"
    other.write_text("precious")
    log = PartLog(tmp_path / "session.h5", SESSION_ID, LogSettings(part_mib=8))
    log.close()
    log.discard()
    assert [path.name for path in tmp_path.glob("*.h5")] == [other.name]
    log = PartLog(tmp_path / "session.h5", SESSION_ID, LogSettings(part_mib=8))
    log.close()
    part_path(tmp_path / "session.h5", 1).rename(tmp_path / "kept.h5")
    part_path(tmp_path / "session.h5", 1).write_text("of another")
    log.discard()
    assert part_path(tmp_path / "session.h5", 1).read_text() == "of another"


def test_a_name_that_is_too_long_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(AffettiError) as caught:
        PartLog(tmp_path / f"{'ä' * 125}.h5", SESSION_ID, LogSettings(part_mib=8))
    assert "no name that a file can have" in caught.value.message
    assert "name" in caught.value.hint
    assert not list(tmp_path.glob("*.h5"))
