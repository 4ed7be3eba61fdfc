import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from affetti.core import locations, logbook


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield locations.log_folder()
    logbook.end()


def run(program: str) -> int:
    """Run a program that logs, in a process of its own; it may crash."""
    before = "import os\nfrom affetti.core import logbook\nlogbook.begin('engine', (1, 2))\n"
    return subprocess.run([sys.executable, "-P", "-c", before + program], check=False).returncode


def test_the_log_of_a_crash_is_there_after_the_restart(folder: Path) -> None:
    assert run("os.write(2, b'the library complains\\n'); os.kill(os.getpid(), 11)") != 0
    assert run("logbook.note('the second run')") == 0
    written = (folder / "engine.log").read_text()
    assert "the library complains" in written
    assert "Segmentation fault" in written
    assert written.index("Segmentation fault") < written.index("the second run")


def test_only_the_owner_may_read_it_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        logbook.begin("engine")
        for _ in range(3 * logbook.MAX_BYTES // 1000):
            logbook.note("x" * 1000)
    finally:
        os.umask(before)
    files = list(folder.iterdir())
    assert len(files) > 1
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_it_rotates_and_the_oldest_goes(folder: Path) -> None:
    logbook.begin("engine")
    for _ in range((logbook.KEPT + 3) * logbook.MAX_BYTES // 1000):
        logbook.note("x" * 1000)
    sizes = [file.stat().st_size for file in folder.iterdir()]
    assert len(sizes) == logbook.KEPT + 1
    assert max(sizes) <= logbook.MAX_BYTES


def test_what_libraries_print_follows_into_the_new_file(folder: Path) -> None:
    program = (
        "for _ in range(logbook.MAX_BYTES // 1000 + 10): logbook.note('x' * 1000)\n"
        "os.write(2, b'printed after the new file began')\n"
    )
    assert run(program) == 0
    assert "printed after" in (folder / "engine.log").read_text()
    assert (folder / "engine.log.1").exists()


def test_an_exception_leaves_its_kind_and_its_lines_but_no_words(folder: Path) -> None:
    logbook.begin("engine")
    try:
        Path(f"/nowhere/sub-{'P' + str(7)}_ses-1.h5").read_bytes()
    except OSError as error:
        logbook.note("not foreseen", error)
    written = (folder / "engine.log").read_text()
    assert "FileNotFoundError" in written
    assert "test_logbook.py" in written
    assert "sub-P7" not in written
    assert "No such file" not in written


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    assert logbook.begin("engine") is None
    logbook.note("heard by nobody")
