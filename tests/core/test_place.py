"""Trouble of the place where a recording lies is said to be that, and never damage of the file."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import pytest

from affetti.analyzer.checks import inspect
from affetti.core import place
from affetti.core.errors import AffettiError, ExitCode, FileMissing, Unsealed
from affetti.core.recording import survey
from affetti.core.recording.names import part_path
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import LogSettings
from tests.command_line import affetti
from tests.conftest import SESSION_ID, small_session

fcntl = pytest.importorskip("fcntl")  # a viewer's locks

# A file system without locks: the C library's flock as a share of that kind answers.
NO_LOCKS = """
#include <errno.h>
int flock(int fd, int operation) { errno = ENOLCK; return -1; }
"""


@pytest.fixture
def sealed(write_log: Callable[..., Path]) -> Path:
    return seal(write_log()).path


@pytest.fixture
def without_locks(tmp_path: Path) -> dict[str, str]:
    """The environment of a process to which no file can be locked."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("a place without locks is made by a C compiler on Linux")
    (tmp_path / "no_locks.c").write_text(NO_LOCKS)
    library = tmp_path / "no_locks.so"
    command = [compiler, "-shared", "-fPIC", "-o", str(library), str(tmp_path / "no_locks.c")]
    subprocess.run(command, check=True)
    return {**os.environ, "LD_PRELOAD": str(library)}


@pytest.fixture
def open_elsewhere(sealed: Path) -> Iterator[Path]:
    """A sealed recording that a viewer has open for writing."""
    with sealed.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield sealed


def test_a_recording_that_is_open_in_a_viewer_can_be_read_and_checked(open_elsewhere: Path) -> None:
    with Session.open(open_elsewhere) as session:
        session.verify_digest()
    assert not [one for one in inspect(open_elsewhere) if one.importance.name == "CRITICAL"]


def test_a_part_that_is_being_recorded_can_be_opened_by_other_tools(
    write_log: Callable[..., Path],
) -> None:
    target = write_log(close=False)
    with h5py.File(part_path(target, 1), "r") as file:  # with a lock, as tools do by default
        assert file["log"].shape


def test_a_part_that_is_being_recorded_is_not_recovered(write_log: Callable[..., Path]) -> None:
    target = write_log(close=False)
    with pytest.raises(Unsealed, match="right now"):
        seal(target)


def test_a_lock_that_a_share_keeps_for_ever_is_not_called_a_recording(
    write_log: Callable[..., Path],
) -> None:
    target = write_log()
    part = part_path(target, 1)
    with part.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        an_hour_ago = time.time() - 3600
        os.utime(part, (an_hour_ago, an_hour_ago))
        with pytest.raises(Unsealed, match="in use") as caught:
            seal(target)
    assert "copy the parts" in caught.value.hint
    assert seal(target).whole


PROGRAM = """
import os, sys
from pathlib import Path
from affetti.core.recording.names import part_path
from affetti.core.recording.parts import PartLog
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import LogSettings
from affetti.core.settings import LogSettings
sys.path.insert(0, os.environ["PROJECT"])
from tests.conftest import small_session
target, what = Path(sys.argv[1]), sys.argv[2]
if what == "record":
    log = PartLog(target, "0123456789abcdef" * 2, LogSettings(part_mib=8))
    for event, blob in small_session():
        log.append(event, blob)
    log.close()
if what in ("record", "recover"):
    assert seal(target).whole
with Session.open(target) as session:
    session.verify_digest()
"""


def in_place(environment: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    project = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, *map(str, words)],
        env={**environment, "PROJECT": project},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.campaign
def test_where_no_file_can_be_locked_one_records_seals_and_reads(
    without_locks: dict[str, str], tmp_path: Path
) -> None:
    done = in_place(without_locks, tmp_path / "a.h5", "record")
    assert done.returncode == 0, done.stderr


@pytest.mark.campaign
def test_where_no_file_can_be_locked_parts_are_recovered_once_nobody_writes_them(
    without_locks: dict[str, str], write_log: Callable[..., Path]
) -> None:
    target = write_log()
    done = in_place(without_locks, target, "recover")
    assert "a moment ago" in done.stderr
    old = time.time() - 2 * survey.FRESH_S
    os.utime(part_path(target, 1), (old, old))
    done = in_place(without_locks, target, "recover")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "may not be read"),
        (errno.EROFS, "nothing may be written"),
        (errno.EAGAIN, "in use"),
        (errno.ENOLCK, "cannot be locked"),
        (errno.EIO, "fails"),
        (errno.EMFILE, "Too many files"),
        (errno.ESTALE, "is gone"),
        (errno.ENOSPC, "no space"),
        (errno.EXDEV, "cannot be read or written"),
    ],
)
def test_every_trouble_has_its_sentence_and_what_to_do(number: int, said: str) -> None:
    for error in (
        OSError(number, os.strerror(number)),
        OSError(f"Can't open file (file read failed: errno = {number}, error message = 'x')"),
    ):
        told = place.trouble(error, Path("a.h5"))
        assert said in told.message
        assert "a.h5" in told.message
        assert told.hint
        assert told.code in (ExitCode.FILE_MISSING, ExitCode.DISK_FULL)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file here fails to be read")
def test_a_disk_that_fails_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "a.h5").symlink_to("/proc/self/mem")  # reading its beginning is an I/O error
    with pytest.raises(FileMissing, match="disk"):
        Session.open(tmp_path / "a.h5")
    said = affetti("check", tmp_path / "a.h5")
    assert said.returncode == ExitCode.FILE_MISSING
    assert "CRITICAL" not in said.stdout


def test_too_many_open_files_are_said_to_be_that(sealed: Path) -> None:
    program = (
        "import os, resource, sys\n"
        "from affetti.core.recording.session import Session\n"
        "import affetti.core.errors as errors\n"
        "errors.text('error.stopped')\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
        "kept = [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]\n"
        "try:\n"
        "    for _ in range(40): kept.append(os.open(os.devnull, os.O_RDONLY))\n"
        "except OSError:\n"
        "    pass\n"
        "try:\n"
        "    Session.open(sys.argv[1])\n"
        "except errors.FileMissing as error:\n"
        "    for fd in kept: os.close(fd)\n"
        "    print(error.message)\n"
    )
    command = [sys.executable, "-P", "-c", program, str(sealed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Too many files" in done.stdout, done.stderr


@pytest.fixture
def nobodys(sealed: Path) -> Iterator[list[str]]:
    """How to run a command by somebody who may not read the recording."""
    sealed.chmod(0)
    yield ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    sealed.chmod(0o600)


@pytest.mark.campaign
def test_a_file_that_may_not_be_read_has_its_exit_code(nobodys: list[str], sealed: Path) -> None:
    if nobodys and shutil.which("setpriv") is None:
        pytest.skip("an administrator may read everything")
    for command in ("info", "check", "analyze", "report", "verify"):
        line = [*nobodys, sys.executable, "-P", "-m", "affetti", command, str(sealed)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == ExitCode.FILE_MISSING, (command, done.stdout, done.stderr)
        assert "may not be read" in done.stderr


@pytest.mark.campaign
def test_one_file_of_a_bad_place_costs_the_others_no_check(sealed: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.h5").symlink_to("/nowhere/else.h5")
    said = affetti("check", tmp_path / "bad.h5", sealed, "--json")
    assert said.returncode == ExitCode.FILE_MISSING
    assert [one["recording"] for one in json.loads(said.stdout)] == [str(sealed)]
    with pytest.raises(AffettiError):
        inspect(tmp_path / "bad.h5")


def test_a_pipe_is_no_recording_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.h5")
    assert affetti("info", tmp_path / "a.h5").returncode == ExitCode.NOT_A_SESSION


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder with a sealed and an unsealed recording, on a disk that can only be read."""
    folder = tmp_path / "disk"
    folder.mkdir()
    for name in ("sealed.h5", "unsealed.h5"):
        log = PartLog(folder / name, SESSION_ID, LogSettings(part_mib=8, part_s=5))
        for event, blob in small_session():
            log.append(event, blob)
        log.close()
    seal(folder / "sealed.h5")
    if subprocess.run(
        ["mount", "--bind", folder, folder], capture_output=True, check=False
    ).returncode:
        pytest.skip("mounting needs to be root")
    subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize(
    "words",
    [("recover", "."), ("withdraw", "sealed.h5", "video", "--yes"), ("report", "sealed.h5")],
    ids=lambda words: words[0],
)
def test_a_disk_that_can_only_be_read_is_said_to_be_that(
    read_only: Path, words: tuple[str, ...]
) -> None:
    before = {path: path.read_bytes() for path in read_only.iterdir()}
    said = affetti(*words, cwd=read_only)
    assert said.returncode == ExitCode.FILE_MISSING
    assert "ead-only" in said.stderr or "nothing may be written" in said.stderr
    assert "sealed.h5" in said.stderr or "sealed.report.html" in said.stderr
    assert before == {path: path.read_bytes() for path in read_only.iterdir()}
