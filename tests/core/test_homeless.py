"""Where programs are put: without a home, with one that cannot be written, as nobody's user."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from affetti.core.errors import ExitCode
from affetti.core.recording.session import Session

pytestmark = pytest.mark.one_of_each

# A user that no list knows, who may read everything and write nothing of others.
NOBODY = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]
NOBODY += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
NOBODY += ["--bounding-set=-all,+dac_read_search"]
UNSET = ("HOME", "AFFETTI_SETTINGS", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that anybody may write, for whoever runs as nobody."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("to become a user that nobody knows takes an administrator")
    place = tmp_path / "place"
    place.mkdir()
    place.chmod(0o777)
    yield place
    shutil.rmtree(place, ignore_errors=True)


def run(folder: Path, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return subprocess.run(
        [*NOBODY, sys.executable, "-P", "-m", "affetti", *map(str, words)],
        env={**kept, "TMPDIR": str(folder), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


HOMES: tuple[dict[str, str], ...] = ({}, {"HOME": "/proc/1"}, {"HOME": "/nowhere"})


@pytest.mark.parametrize("home", HOMES, ids=["none", "closed", "missing"])
@pytest.mark.campaign
def test_a_user_without_a_home_records_and_reads(
    folder: Path, music_folder: Path, sample_session: Path, home: dict[str, str]
) -> None:
    plan = ["--headless", "--duration", "1", "--play", music_folder / "anger.ogg", "--no-speaker"]
    done = run(folder, "record", *plan, "--output", folder / "a.h5", **home)
    assert done.returncode == ExitCode.OK, done.stderr
    with Session.open(folder / "a.h5") as session:
        session.verify_digest()
    assert run(folder, "info", sample_session, **home).returncode == ExitCode.OK
    assert run(folder, "recover", **home).returncode == ExitCode.OK
    doctor = run(folder, "doctor", **home)
    assert doctor.returncode in (ExitCode.OK, ExitCode.WARNING, ExitCode.DEVICE)
    assert "Traceback" not in doctor.stderr
    assert "is noted in" not in doctor.stdout  # since nothing can be


@pytest.mark.campaign
@pytest.mark.parametrize("home", HOMES, ids=["none", "closed", "missing"])
def test_a_user_without_a_home_runs_the_demo(folder: Path, home: dict[str, str]) -> None:
    done = run(folder, "demo", "--output", folder / "déjà vu", **home)
    assert done.returncode == ExitCode.OK, done.stderr
    assert list((folder / "déjà vu").glob("*.report.html"))


def test_what_is_cached_for_want_of_a_home_lies_where_nobody_else_writes(folder: Path) -> None:
    program = "from affetti.core.locations import cache_folder; print(cache_folder())"
    ours = folder / "affetti-54321"
    ours.mkdir(mode=0o777)  # laid there by somebody else
    ours.chmod(0o777)
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    done = subprocess.run(
        [*NOBODY, sys.executable, "-P", "-c", program],
        env={**kept, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) != ours
    assert Path(done.stdout.strip()).stat().st_mode & 0o077 == 0
