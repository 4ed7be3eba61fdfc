"""What only Unix has is asked for in one module, and everything runs where it is not there."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from affetti.core.errors import ExitCode

ROOT = Path(__file__).parents[2]
# Modules, and names in modules, that Windows lacks.
MODULES = {"fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "syslog"}
NAMES = {
    *("SIGHUP", "SIGPIPE", "SIGKILL", "SIGUSR1", "SIGALRM", "setsid", "fork", "getuid", "geteuid"),
    *("posix_fallocate", "pwrite", "pread", "fchmod", "statvfs", "O_NOFOLLOW", "O_CLOEXEC", "poll"),
    *("ttyname", "get_blocking", "set_blocking", "setpriority", "O_NONBLOCK", "O_NOCTTY"),
    *("SEEK_DATA", "SEEK_HOLE", "clock_gettime_ns", "mkfifo", "chown", "getpgid", "killpg"),
}
# Waits on a pipe and on a message; where a name is looked for before it is used.
ALLOWED = {
    ("recorder/engine/engine.py", "poll"),
    ("recorder/tui/link.py", "poll"),
    ("recorder/tui/session.py", "poll"),
    ("core/locations.py", "getuid"),
    ("core/recording/records.py", "SEEK_DATA"),
    ("core/recording/records.py", "SEEK_HOLE"),
}


def used(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Attribute):
            yield node.attr


def test_what_only_unix_has_is_named_in_one_module() -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for room in ("core", "models", "recorder", "analyzer", "affetti")
        for path in (ROOT / room).rglob("*.py")
        if "training" not in path.parts and path != ROOT / "core" / "system.py"
        for name in used(ast.parse(path.read_text(encoding="utf-8")))
        if name in MODULES | NAMES
    }
    assert found <= ALLOWED


ELSEWHERE = ROOT / "tests" / "elsewhere"  # takes away what Windows lacks, in all that is started


@pytest.mark.campaign
def test_a_session_is_recorded_analyzed_and_reported_without_what_only_unix_has(
    tmp_path: Path, music_folder: Path
) -> None:
    place = tmp_path / "Ätna data"
    place.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ELSEWHERE)}

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "affetti", *map(str, words)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    plan = ["--headless", "--duration", "4", "--play", music_folder / "anger.ogg", "--no-speaker"]
    for name in ("a.h5", "b.h5"):
        done = run("record", *plan, "--output", place / name)
        assert done.returncode == ExitCode.OK, done.stderr
    for words in (["check", place], ["analyze", place, "--jobs", "2"], ["report", place / "a.h5"]):
        done = run(*words)
        assert done.returncode in (ExitCode.OK, ExitCode.WARNING), done.stderr
        assert "Traceback" not in done.stderr
    assert len(list(place.glob("*.analysis/segments.csv"))) == 2
    assert list(place.glob("*.report.html"))


LOCKED_TWICE = """
import os, sys
from pathlib import Path
from affetti.core import system
assert system._UNIX is None
path = Path(sys.argv[1]) / "folder" / "part"
path.parent.mkdir()
path.touch()
assert system.lock_state(path) is True
fd = system.open_file(path, os.O_RDWR)
assert system.lock(fd, shared=True) is True
assert system.lock_state(path) is False  # from within the same process even
assert os.lseek(fd, 0, os.SEEK_CUR) == 0
os.close(fd)
assert system.lock_state(path) is True
first, second = (system.open_to_lock(path.parent) for _ in range(2))
assert system.lock(first) is True and system.lock(second) is False
os.close(first)
assert system.lock(second) is True
assert list(path.parent.iterdir()) == [path]
print("locked")
"""


def test_files_and_folders_are_locked_where_locks_are_those_of_windows(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOCKED_TWICE, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ELSEWHERE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "locked\n", done.stderr
