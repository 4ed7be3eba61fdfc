import importlib
import json
import shutil
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from session_builder import Plan, build, write

from affetti.core.errors import ExitCode
from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    DeviceLost,
    DeviceRestored,
    MarkerAdded,
    NoteAdded,
    SessionEnded,
)
from affetti.core.recording.session import Session
from affetti.core.streams import audio_stream
from tests.command_line import affetti
from tests.conftest import NS, started

pytestmark = pytest.mark.one_of_each

COMMANDS = ("analyze", "check", "demo", "info", "recover", "report", "verify")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = getattr(importlib.import_module(f"affetti.analyzer.commands.{name}"), name)
    assert isinstance(command, click.Command)
    shown = CliRunner().invoke(command, ["--help"]).output
    assert f"affetti {name}" in shown
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_info_tells_a_person_and_a_machine_the_same(recording: Path) -> None:
    shown = affetti("info", recording)
    told = json.loads(affetti("info", recording, "--json").stdout)
    assert told["session_id"] in shown.stdout
    assert told["duration_s"] == pytest.approx(20, abs=0.1)
    assert told["frames"] == 300
    assert told["audio"]["playback"] == {
        "samples": 441_000,
        "rate_hz": 22_050,
        "channels": 1,
        "gaps": 0,
        "missing": 0,
    }
    assert [track["title"] for track in told["tracks"]] == ["Grey Sunday", "=SUM(A1)"]
    marker = {"t_s": 3.0, "text": "<b>eye</b> contact", "kind": "marker"}
    assert told["markers"] == [marker]
    assert (told["sealed"], told["recovered"], told["lost_s"]) == (True, False, 0.0)


def test_a_note_cannot_send_commands_to_the_terminal(tmp_path: Path) -> None:
    note = NoteAdded(t_ns=1, text="a\x1b]0;owned\x07b\nc")
    path = build(tmp_path / "note.h5", Plan(duration_s=1, moments=[note]))
    shown = affetti("info", path).stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert len([line for line in shown.splitlines() if line.startswith("Note")]) == 1


@pytest.mark.campaign
def test_verify_ends_well_where_every_estimate_is_reproduced(recording: Path) -> None:
    done = affetti("verify", recording)
    assert done.returncode == ExitCode.OK
    assert "every live estimate was reproduced exactly" in done.stdout


def test_verify_does_not_boast_of_nothing(quiet_recording: Path) -> None:
    done = affetti("verify", quiet_recording)
    assert done.returncode == ExitCode.OK
    assert "holds no live estimate" in done.stdout


def test_verify_says_that_the_models_are_others(tmp_path: Path) -> None:
    path = build(tmp_path / "old.h5", Plan(duration_s=1, models={"face_haar": "0" * 64}))
    done = affetti("verify", path, "--json")
    assert done.returncode == ExitCode.MISMATCH
    assert "face_haar" in json.loads(done.stdout)["other_models"]


def test_verify_names_the_first_difference(tmp_path: Path) -> None:
    marker = MarkerAdded(t_ns=1_500_000_000, label="closes two ticks")
    path = build(tmp_path / "none.h5", Plan(duration_s=2, live=False, moments=[marker]))
    done = affetti("verify", path)
    assert done.returncode == ExitCode.MISMATCH
    assert "fused at 00:00.5, estimate: live none, replayed there" in done.stdout


@pytest.mark.campaign
def test_check_ends_by_the_gravest_finding(tmp_path: Path, quiet_recording: Path) -> None:
    cut = build(tmp_path / "cut.h5", Plan(duration_s=1, ended=False))
    bad = tmp_path / "bad.h5"
    bad.write_bytes(quiet_recording.read_bytes()[:-4096])
    assert affetti("check", quiet_recording).returncode == ExitCode.OK
    assert affetti("check", cut).returncode == ExitCode.WARNING
    done = affetti("check", quiet_recording, cut, bad, "--json")
    assert done.returncode == ExitCode.DAMAGED
    told = json.loads(done.stdout)
    assert [[f["importance"] for f in each["findings"]] for each in told] == [
        [],
        ["warning"],
        ["critical"],
    ]


@pytest.mark.campaign
def test_analyze_several_and_say_which_failed(tmp_path: Path) -> None:
    build(tmp_path / "a.h5", Plan(duration_s=1))
    (tmp_path / "b.h5").write_text("no recording")
    done = affetti("analyze", tmp_path, "--jobs", 1)
    assert done.returncode == ExitCode.WARNING
    assert "2 recordings: 1 analyzed, 1 failed." in done.stdout
    assert "b.h5 is not an Affetti recording" in done.stderr


def test_analyze_one_that_fails_ends_with_its_own_code(tmp_path: Path) -> None:
    assert affetti("analyze", tmp_path / "no.h5").returncode == ExitCode.FILE_MISSING


@pytest.mark.campaign
def test_analyze_again_and_otherwise(quiet_recording: Path, tmp_path: Path) -> None:
    path = shutil.copy(quiet_recording, tmp_path)
    assert affetti("analyze", path).returncode == ExitCode.OK
    assert "is up to date" in affetti("analyze", path).stdout
    assert affetti("analyze", path, "--segment", 2).returncode == ExitCode.FILE_EXISTS
    done = affetti("analyze", path, "--segment", 2, "--overwrite", "--json")
    (told,) = json.loads(done.stdout)
    assert told["status"] == "written"


def test_report_names_the_file_it_wrote(recording: Path, tmp_path: Path) -> None:
    output = tmp_path / "r.html"
    done = affetti("report", recording, "--output", output)
    assert done.stdout.strip() == str(output)
    assert output.exists()


def test_recover_without_anything_to_do(tmp_path: Path) -> None:
    done = affetti("recover", tmp_path)
    assert (done.returncode, done.stdout) == (
        ExitCode.OK,
        "Nothing to recover: every recording there is sealed.\n",
    )


@pytest.mark.campaign
def test_the_demo_names_the_report_it_wrote(sample_session: Path, tmp_path: Path) -> None:
    done = affetti("demo", "--output", tmp_path / "demo")
    assert done.returncode == ExitCode.OK
    report = tmp_path / "demo" / "sample.report.html"
    assert str(report) in done.stdout
    assert report.exists()
    assert (tmp_path / "demo" / "sample.analysis" / "tracks.csv").exists()
    assert len(done.stdout.splitlines()) == 3
    assert affetti("demo", "--output", tmp_path / "demo").returncode == ExitCode.OK


@pytest.mark.campaign
@pytest.mark.parametrize("rate_hz", [1, 4_000, 352_800, 768_000])
def test_a_recording_whose_sound_cannot_be_read_is_analyzed_and_reported(
    tmp_path: Path, rate_hz: int
) -> None:
    tone = np.round(8_000 * np.sin(np.arange(4 * rate_hz))).astype("<i2")
    heard = AudioCaptured(t_ns=0, stream="room", sample=0, count=len(tone))
    opening = started(streams=(audio_stream("room", AudioFormat(rate_hz, 1)),))
    ending = SessionEnded(t_ns=4 * NS, reason="stopped")
    path = tmp_path / "odd.h5"
    write(path, opening.session_id, [(opening, b""), (heard, tone.tobytes()), (ending, b"")])
    for command in ("info", "analyze", "report"):
        done = affetti(command, path)
        assert done.returncode == 0, done.stderr
    with Session.open(path) as session:
        assert np.array_equal(session.audio("room").read()[:, 0], tone)


def test_info_says_what_could_not_be_seen_and_when(tmp_path: Path) -> None:
    moments = [
        DeviceLost(t_ns=2 * NS, device="camera"),
        DeviceRestored(t_ns=4 * NS, device="camera", gap_ns=2 * NS),
    ]
    path = build(tmp_path / "lost.h5", Plan(duration_s=6, moments=moments))
    shown = affetti("info", path).stdout
    assert "00:02.0–00:04.0  the camera was lost" in shown
