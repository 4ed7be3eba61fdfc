import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from affetti.core.errors import AffettiError, ExitCode
from affetti.core.people.person import checked_code, refuse_existing, session_file_name


@pytest.mark.parametrize(
    "code", ["", "../../etc/passwd", "a/b", "Anna Maria", "P07\n", "ä", "x" * 33, "."]
)
def test_a_code_that_could_harm_a_path_or_name_a_person_is_refused(code: str) -> None:
    with pytest.raises(AffettiError) as caught:
        checked_code(code)
    assert caught.value.code == ExitCode.PERSON_CODE


def test_the_file_is_named_after_person_and_time() -> None:
    name = session_file_name("P07", datetime(2026, 11, 24, 10, 15, 3))
    assert name == "sub-P07_ses-20261124T101503.h5"


def test_two_sessions_in_the_repeated_hour_of_autumn_have_two_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        first = datetime.fromtimestamp(1792888200, UTC).astimezone()  # half past two, in summer
        names = [session_file_name("P07", first + timedelta(hours=h)) for h in (0, 2)]
        second = datetime.fromtimestamp(1792888200 + 3600, UTC).astimezone()
        names.append(session_file_name("P07", second))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert names[0] == "sub-P07_ses-20261025T023000.h5"
    assert names[2] == "sub-P07_ses-20261025T023000b.h5"
    assert "b." not in names[1].removeprefix("sub")


def test_what_exists_is_refused_even_as_a_broken_link(tmp_path: Path) -> None:
    link = tmp_path / "link.h5"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(AffettiError) as caught:
        refuse_existing(link)
    assert caught.value.code == ExitCode.FILE_EXISTS
