"""The page of a session is written by itself, in a process of its own."""

import stat
from pathlib import Path

import pytest

from affetti.core.settings import ReportSettings, Settings
from affetti.recorder.pages import write_page


@pytest.mark.campaign
def test_a_page_is_written_beside_a_recording_as_the_settings_say(
    sample_session: Path, tmp_path: Path
) -> None:
    path = tmp_path / "sub-P07_ses-20261124T101500.h5"
    path.symlink_to(sample_session)
    settings = Settings(report=ReportSettings(form="txt"))
    process = write_page(str(path), settings)
    assert process is not None
    assert process.wait() == 0
    page = path.with_name("sub-P07_ses-20261124T101500.report.txt")
    assert page.read_text(encoding="utf-8").startswith("Affetti")
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_no_page_is_written_where_the_settings_say_so(tmp_path: Path) -> None:
    settings = Settings(report=ReportSettings(at_end=False))
    assert write_page(str(tmp_path / "a.h5"), settings) is None
    assert list(tmp_path.glob("*.report.*")) == []
