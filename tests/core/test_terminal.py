"""What commands print, to whatever is there to print to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from affetti.core.errors import ExitCode
from affetti.core.events import MarkerAdded, NoteAdded
from affetti.core.recording.sealing import seal
from tests.command_line import affetti
from tests.conftest import NS, small_session

pytestmark = pytest.mark.one_of_each

TITLE = "曲の名前 é – “x”"


@pytest.fixture
def foreign(write_log: object) -> Path:
    """A recording of which every kind of text is of another script."""
    marker = MarkerAdded(t_ns=NS, label=TITLE)
    note = NoteAdded(t_ns=NS, text=f"{TITLE}\n\x1b[2J\u202eend")
    items = [*small_session(ended=False), (marker, b""), (note, b"")]
    return seal(write_log(items, name="曲 ü.h5")).path  # type: ignore[operator]


@pytest.mark.parametrize("charset", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_what_an_encoding_lacks_is_a_question_mark_and_no_failure(
    foreign: Path, charset: str
) -> None:
    for words in (["info", foreign], ["check", foreign], ["recover", foreign.parent], ["--help"]):
        said = affetti(*words, charset=charset)
        assert said.returncode != ExitCode.INTERNAL, said
        assert "\x1b" not in said.stdout
        assert "\u202e" not in said.stdout
    said = affetti("info", foreign, charset=charset).stdout
    shown = "utf-8" if charset == "ascii" else charset
    assert TITLE.encode(shown, "replace").decode(shown) in said


@pytest.mark.parametrize("charset", ["ascii", "latin-1", "utf-8"])
def test_json_loses_no_sign_whatever_the_encoding(foreign: Path, charset: str) -> None:
    told = json.loads(affetti("info", foreign, "--json", charset=charset).stdout)
    assert told["markers"][-1]["text"] == TITLE


def shell(line: str) -> subprocess.CompletedProcess[str]:
    command = f"{sys.executable} -P -m affetti {line}"
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, env=dict(os.environ)
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here is always full")
@pytest.mark.parametrize("command", ["info {} --json", "info {}", "--help"])
@pytest.mark.one_of_each
@pytest.mark.campaign
def test_a_full_disk_behind_standard_output_has_its_own_exit_code(
    foreign: Path, command: str
) -> None:
    done = shell(command.format(f"'{foreign}'") + " > /dev/full")
    assert done.returncode == ExitCode.DISK_FULL
    assert "no space left" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.campaign
@pytest.mark.parametrize("command", ["info {}", "info {} --json", "--help"])
@pytest.mark.one_of_each
def test_a_reader_that_goes_away_is_no_failure(foreign: Path, command: str) -> None:
    done = shell(command.format(f"'{foreign}'") + " | true; exit ${PIPESTATUS[0]}")
    assert done.returncode == ExitCode.OK
    assert done.stderr == ""


@pytest.mark.campaign
def test_without_any_standard_stream_a_command_still_ends_well(foreign: Path) -> None:
    assert shell(f"info '{foreign}' <&- >&- 2>&-").returncode == ExitCode.OK
