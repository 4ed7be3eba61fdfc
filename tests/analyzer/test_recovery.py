import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from affetti.analyzer.recordings import recordings_in
from affetti.core.custody.recovery import unsealed
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import MarkerAdded, SessionStarted, consent_to
from affetti.core.recording.names import part_path
from affetti.core.recording.parts import PartLog
from affetti.core.settings import LogSettings


@pytest.fixture
def broken_off(tmp_path: Path) -> Path:
    """The parts of a recording that never ended."""
    target = tmp_path / "cut.h5"
    log = PartLog(target, "0" * 32, LogSettings(part_mib=8))
    log.append(
        SessionStarted(
            t_ns=0,
            session_id="0" * 32,
            person="P07",
            consent=consent_to("video", "room"),
            software_version="0",
            wall_clock="2026-11-24T10:15:00+01:00",
        )
    )
    log.append(MarkerAdded(t_ns=1_000_000_000, label="here"))
    log.close()
    return target


def test_a_recording_is_found_by_any_of_its_names(broken_off: Path) -> None:
    for path in (broken_off, part_path(broken_off, 1), broken_off.parent):
        assert unsealed([path]) == [broken_off]


def test_one_recording_named_twice_is_sealed_once(broken_off: Path) -> None:
    assert unsealed([broken_off, broken_off.parent]) == [broken_off]


def test_a_sealed_recording_has_nothing_to_recover(quiet_recording: Path) -> None:
    assert unsealed([quiet_recording.parent]) == []
    with pytest.raises(AffettiError, match="no parts"):
        unsealed([quiet_recording])


def test_a_sealed_recording_named_like_a_part_means_itself(
    broken_off: Path, quiet_recording: Path
) -> None:
    alike = broken_off.with_name("cut.part007.h5")
    shutil.copy(quiet_recording, alike)
    with pytest.raises(AffettiError, match="no parts"):
        unsealed([alike])
    assert recordings_in([alike.parent]) == [alike]


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(AffettiError) as caught:
        unsealed([tmp_path / "no.h5"])
    assert caught.value.code is ExitCode.FILE_MISSING


def test_parts_in_folders_below_are_found_once_however_they_are_named(
    tmp_path: Path, write_log: Callable[..., Path]
) -> None:
    (tmp_path / "sub-P07" / "ses-1").mkdir(parents=True)
    target = write_log(name="sub-P07/ses-1/a.h5")
    twice = tmp_path / "sub-P07" / ".." / "sub-P07" / "ses-1"
    assert unsealed([tmp_path]) == [target]
    assert unsealed([target, twice, twice / "a.h5"]) == [target]
