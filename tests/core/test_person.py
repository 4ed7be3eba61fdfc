from datetime import datetime
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


def test_what_exists_is_refused_even_as_a_broken_link(tmp_path: Path) -> None:
    link = tmp_path / "link.h5"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(AffettiError) as caught:
        refuse_existing(link)
    assert caught.value.code == ExitCode.FILE_EXISTS
