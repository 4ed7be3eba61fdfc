"""The page of a session is written by itself, in a process of its own."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import vault
from affetti.core.settings import ReportSettings, Settings
from affetti.recorder.pages import write_page
from tests.command_line import affetti
from tests.recorder.films import moving_film


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


@pytest.mark.campaign
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_recording_without_a_screen_writes_its_page_as_well(
    tmp_path: Path, encrypted: bool
) -> None:
    film = moving_film(tmp_path / "film.avi", seconds=1)
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    settings = tmp_path / "settings.toml"
    settings.write_text(f'sessions_folder = "{tmp_path}"\n[report]\nform = "txt"\n')
    how = ("--recipient", vault.recipient_text(public)) if encrypted else ()
    source = ("--headless", "--camera", film, "--no-speaker", "--consent", "video", *how)
    target = tmp_path / "sub-P07_ses-1.h5"
    done = affetti("record", *source, "--person", "P07", "--output", target)
    assert done.returncode == 0
    pages = list(tmp_path.glob("*.report.*"))
    assert [page.name for page in pages] == [f"sub-P07_ses-1.report.txt{'.vault' * encrypted}"]
    assert str(pages[0]) in done.stderr + done.stdout
    assert (b"P07" in pages[0].read_bytes()) is not encrypted
    again = affetti("record", *source, "--output", tmp_path / "b.h5", "--no-page")
    assert again.returncode == 0
    assert list(tmp_path.glob("*.report.*")) == pages


def test_no_page_is_written_where_the_settings_say_so(tmp_path: Path) -> None:
    settings = Settings(report=ReportSettings(at_end=False))
    assert write_page(str(tmp_path / "a.h5"), settings) is None
    assert list(tmp_path.glob("*.report.*")) == []
