"""Commands that take many recordings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from session_builder import Plan, build

from affetti.analyzer.pool import unlock_all
from affetti.core.errors import ExitCode
from affetti.core.recording.box import is_box
from tests.command_line import affetti


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder of two short recordings and a broken one."""
    folder = tmp_path / "study"
    folder.mkdir()
    for name in ("a", "b"):
        build(folder / f"{name}.h5", Plan(duration_s=1))
    (folder / "c.h5").write_bytes((folder / "a.h5").read_bytes()[:3000])
    return folder


def test_info_of_a_folder_names_each_and_one_broken_file_costs_itself_alone(study: Path) -> None:
    said = affetti("info", study, "--json")
    assert said.returncode == ExitCode.WARNING
    assert [Path(each["recording"]).name for each in json.loads(said.stdout)] == ["a.h5", "b.h5"]
    assert "c.h5" in said.stderr
    said = affetti("info", study / "a.h5", study / "b.h5")
    assert said.returncode == 0
    assert said.stdout.count("Session ") == 2
    assert said.stdout.count(f"File         {study}") == 2
    assert isinstance(json.loads(affetti("info", study / "a.h5", "--json").stdout), dict)


@pytest.mark.campaign
def test_verify_check_and_report_go_through_a_folder(study: Path, tmp_path: Path) -> None:
    said = affetti("verify", study, "--json", "--jobs", "2")
    assert said.returncode == ExitCode.WARNING
    assert [Path(each["recording"]).name for each in json.loads(said.stdout)] == ["a.h5", "b.h5"]
    said = affetti("check", study, "--json", "--jobs", "2")
    found = {Path(each["recording"]).name: each for each in json.loads(said.stdout)}
    assert set(found) == {"a.h5", "b.h5", "c.h5"}
    assert said.returncode == ExitCode.DAMAGED
    said = affetti("report", study, "--output", tmp_path / "reports", "--jobs", "2")
    assert said.returncode == ExitCode.WARNING
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {
        "a.report.html",
        "b.report.html",
    }


def test_many_reports_do_not_become_one_file(study: Path, tmp_path: Path) -> None:
    said = affetti("report", study, "--output", tmp_path / "one.html")
    assert said.returncode == ExitCode.USAGE
    assert "several reports" in said.stderr


def test_a_recording_that_only_a_link_is_left_of_is_told_of(study: Path) -> None:
    (study / "d.h5").symlink_to("elsewhere.h5")
    said = affetti("info", study)
    assert said.returncode == ExitCode.WARNING
    assert "d.h5 cannot be read" in said.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such pipes here")
def test_a_pipe_among_many_files_is_waited_for_by_none(study: Path) -> None:
    os.mkfifo(study / "pipe.h5")
    os.mkfifo(study / "pipe.mp4")
    unlock_all([study / "pipe.h5", study / "pipe.mp4", study / "a.h5"])
    assert not is_box(study / "pipe.h5")


def test_saying_what_a_recording_holds_does_not_load_what_perceives(recording: Path) -> None:
    program = (
        "import sys; from affetti.analyzer.commands.info import info;"
        "info.main(sys.argv[1:], standalone_mode=False);"
        "print([each for each in ('scipy', 'librosa', 'cv2') if each in sys.modules])"
    )
    command = [sys.executable, "-P", "-c", program, str(recording)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]", said
