import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from session_builder import Plan, build

from affetti.analyzer.analysis import Parameters
from affetti.analyzer.batch import Outcome, Request, analyze_file, analyze_files
from affetti.analyzer.pool import attempted
from affetti.analyzer.recordings import recordings_in
from affetti.analyzer.report import write_report
from affetti.core import system
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.recording.sealing import seal

pytestmark = pytest.mark.one_of_each

SHORT = Parameters(segment_s=1)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder of three short recordings, the second of which is damaged."""
    for name in ("a", "b", "c"):
        build(tmp_path / f"{name}.h5", Plan(duration_s=2))
    whole = (tmp_path / "b.h5").read_bytes()
    (tmp_path / "b.h5").write_bytes(whole[: len(whole) // 2])
    return tmp_path


def provenance(folder: Path) -> dict[str, object]:
    return json.loads((folder / "provenance.json").read_text())


@pytest.mark.campaign
def test_one_bad_file_does_not_stop_the_others(study: Path) -> None:
    seen = []
    outcomes = analyze_files(recordings_in([study]), Request(), jobs=2, done=seen.append)
    assert [outcome.status for outcome in outcomes] == ["written", "failed", "written"]
    assert len(seen) == 3
    assert outcomes[1].error is not None
    assert outcomes[1].error.code is ExitCode.DAMAGED
    assert (study / "a.analysis" / "segments.csv").exists()
    assert not (study / "b.analysis").exists()


@pytest.mark.campaign
def test_one_session_in_two_files_is_analyzed_once_and_named(tmp_path: Path) -> None:
    first = build(tmp_path / "a.h5", Plan(duration_s=1))
    second = tmp_path / "b.h5"
    shutil.copy(first, second)
    other = build(tmp_path / "c.h5", Plan(duration_s=1))
    outcomes = analyze_files([first, second, other], Request(), jobs=1)
    assert [outcome.status for outcome in outcomes] == ["written", "failed", "written"]
    assert outcomes[1].error is not None
    assert str(first) in outcomes[1].error.message
    assert not (tmp_path / "b.analysis").exists()


@pytest.mark.campaign
def test_an_interrupt_stops_the_workers_with_the_command(tmp_path: Path, blank_jpeg: bytes) -> None:
    for name in "abcd":  # to look for faces takes them seconds
        build(tmp_path / f"{name}.h5", Plan(duration_s=30, jpegs=[blank_jpeg], live=False))
    command = [sys.executable, "-P", "-m", "affetti", "analyze", str(tmp_path), "--jobs", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, process_group=0) as running:
        workers = _children_at_work(running.pid)
        os.kill(running.pid, signal.SIGINT)
        _, told = running.communicate()
    assert "Stopped." in told
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        time.sleep(0.05)
    assert len(list(tmp_path.glob("*.analysis/provenance.json"))) < 4


def _children_at_work(pid: int) -> list[int]:
    """Wait until the workers of a command are there, which takes a moment."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    while len(found := [int(child) for child in children.read_text().split()]) < 3:
        time.sleep(0.05)  # two workers, and the process that keeps track of their resources
    return found


@pytest.mark.campaign
def test_a_worker_that_is_killed_takes_no_recording_with_it(tmp_path: Path) -> None:
    paths = [build(tmp_path / f"{name}.h5", Plan(duration_s=1)) for name in "abc"]
    outcomes = []

    def kill_once(outcome: Outcome) -> None:
        if not outcomes:
            for worker in multiprocessing.active_children():
                worker.kill()
        outcomes.append(outcome)

    analyze_files(paths, Request(), jobs=1, done=kill_once)
    assert sorted(one.path.stem for one in outcomes) == ["a", "b", "c"]
    # One may have been written in the moment before the kill.
    assert {one.status for one in outcomes} <= {"written", "current"}


@pytest.mark.campaign
def test_an_analysis_says_what_it_was_made_of_and_leaves_that_alone(
    recording: Path, tmp_path: Path
) -> None:
    before = recording.read_bytes()
    request = Request(output=tmp_path, command="affetti analyze x.h5")
    outcome = analyze_file(recording, request)
    assert outcome.folder == tmp_path / f"{recording.stem}.analysis"
    found = provenance(outcome.folder)
    assert found["command"] == "affetti analyze x.h5"
    assert found["recording"] == recording.name
    assert found["estimates"] == "replayed"
    assert set(found["models"]) == set(found["recorded_with"]["models"])
    for name, table in found["tables"].items():
        lines = (outcome.folder / name).read_text(encoding="utf-8")
        assert lines.startswith(",".join(f'"{column}"' for column in table["columns"]))
    assert recording.read_bytes() == before


def test_the_same_analysis_is_not_made_twice(quiet_recording: Path, tmp_path: Path) -> None:
    request = Request(output=tmp_path)
    assert analyze_file(quiet_recording, request).status == "written"
    before = (tmp_path / "quiet.analysis" / "provenance.json").stat().st_mtime_ns
    assert analyze_file(quiet_recording, request).status == "current"
    assert (tmp_path / "quiet.analysis" / "provenance.json").stat().st_mtime_ns == before


def test_another_analysis_is_not_overwritten_unasked(quiet_recording: Path, tmp_path: Path) -> None:
    analyze_file(quiet_recording, Request(output=tmp_path))
    with pytest.raises(AffettiError, match="other parameters") as caught:
        analyze_file(quiet_recording, Request(SHORT, tmp_path))
    assert caught.value.code is ExitCode.FILE_EXISTS
    assert "--overwrite" in caught.value.hint


def test_overwriting_replaces_tables_and_keeps_other_files(
    quiet_recording: Path, tmp_path: Path
) -> None:
    folder = analyze_file(quiet_recording, Request(output=tmp_path)).folder
    assert folder is not None
    (folder / "my notes.txt").write_text("mine")
    analyze_file(quiet_recording, Request(SHORT, tmp_path, overwrite=True))
    assert provenance(folder)["parameters"]["segment_s"] == 1
    assert (folder / "my notes.txt").read_text() == "mine"
    assert not list(folder.glob(".writing*"))


def test_a_folder_that_is_no_analysis_is_left_alone(quiet_recording: Path, tmp_path: Path) -> None:
    folder = tmp_path / "quiet.analysis"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(AffettiError, match="no analysis of Affetti"):
        analyze_file(quiet_recording, Request(output=tmp_path))


def test_an_unfinished_analysis_is_not_taken_for_a_finished_one(
    quiet_recording: Path, tmp_path: Path
) -> None:
    folder = analyze_file(quiet_recording, Request(output=tmp_path)).folder
    assert folder is not None
    (folder / "provenance.json").unlink()
    with pytest.raises(AffettiError, match="no analysis of Affetti"):
        analyze_file(quiet_recording, Request(output=tmp_path))
    request = Request(output=tmp_path, overwrite=True)
    assert analyze_file(quiet_recording, request).status == "written"


def test_an_analysis_that_was_broken_off_is_written_anew(
    quiet_recording: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "quiet.analysis"
    (folder / ".writing-abcd_123").mkdir(parents=True)
    (folder / ".writing-abcd_123" / "segments.csv").write_text("half of i")
    assert analyze_file(quiet_recording, Request(output=tmp_path)).status == "written"
    assert (folder / "provenance.json").exists()
    assert not list(folder.glob(".writing*"))


def test_what_is_only_named_like_a_draft_of_an_analysis_is_nobodys_to_remove(
    quiet_recording: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "quiet.analysis"
    for name in (".writing-notes", ".writing-abcd_123"):
        (folder / name).mkdir(parents=True)
        (folder / name / "letter.odt").write_text("precious")
    with pytest.raises(AffettiError, match="no analysis of Affetti"):
        analyze_file(quiet_recording, Request(output=tmp_path))
    analyze_file(quiet_recording, Request(output=tmp_path, overwrite=True))
    assert len(list(folder.glob("*/letter.odt"))) == 2


def test_two_recordings_never_share_a_folder(tmp_path: Path) -> None:
    paths = [tmp_path / "x" / "a.h5", tmp_path / "y" / "a.h5"]
    with pytest.raises(AffettiError, match="same folder"):
        analyze_files(paths, Request(output=tmp_path / "out"))


def test_a_folder_without_a_sealed_recording_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "s.part001.h5").touch()
    with pytest.raises(AffettiError) as caught:
        recordings_in([tmp_path])
    assert "affetti recover" in caught.value.hint


def test_an_analysis_that_cannot_be_written_says_so(quiet_recording: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file, not a folder")
    begun: list[int] = []
    with pytest.raises(AffettiError) as caught:
        request = Request(output=tmp_path / "out")
        analyze_file(quiet_recording, request, lambda done, total: begun.append(done))
    assert "--output" in caught.value.hint
    assert not begun


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A study as folders really are: of people and sessions, with what systems leave behind."""
    folder = tmp_path / "study"
    for place in ("sub-P01/ses-1", "sub-P01/ses-2", "sub-P02", "a.analysis"):
        (folder / place).mkdir(parents=True)
    whole = build(folder / "sub-P01" / "ses-1" / "one.h5", Plan(duration_s=1))
    shutil.copy(whole, folder / "sub-P01" / "ses-2" / "TWO.H5")
    shutil.copy(whole, folder / "sub-P02" / "three.hdf5")
    (folder / "sub-P01" / "._one.h5").write_bytes(b"\0\5\26\7")  # as macOS does on a stick
    (folder / "sub-P02" / "gone.h5").symlink_to(folder / "nowhere.h5")  # of which is told
    (folder / "folder.h5").mkdir()
    (folder / ".hidden").mkdir()
    for place in (".hidden", "a.analysis", "lost+found"):
        (folder / place).mkdir(exist_ok=True)
        shutil.copy(whole, folder / place / "copy.h5")
    (folder / "sub-P02" / "round").symlink_to(folder)
    return folder


def test_a_folder_means_the_recordings_that_people_mean(people: Path) -> None:
    found = [str(path.relative_to(people)) for path in recordings_in([people])]
    assert found == [
        "sub-P01/ses-1/one.h5",
        "sub-P01/ses-2/TWO.H5",
        "sub-P02/gone.h5",
        "sub-P02/three.hdf5",
    ]


def test_one_file_by_several_spellings_is_one_recording(people: Path) -> None:
    one = people / "sub-P01" / "ses-1" / "one.h5"
    (people / "link.h5").symlink_to(one)
    spellings = [
        one,
        people / "sub-P01" / ".." / "sub-P01" / "ses-1" / "one.h5",
        people / "link.h5",
    ]
    spellings.append(Path(os.path.relpath(one)))
    assert recordings_in(spellings) == [one]
    assert recordings_in([people / "sub-P01" / "ses-1", *spellings]) == [one]


def test_a_damaged_file_is_still_found_in_a_folder(people: Path) -> None:
    (people / "sub-P02" / "broken.h5").write_bytes(b"\x89HDF")
    assert people / "sub-P02" / "broken.h5" in recordings_in([people])


SCRIPT = """
import sys
from pathlib import Path
from affetti.analyzer import Request, analyze_files, recordings_in
analyze_files(recordings_in([Path(sys.argv[1])]), Request(), jobs=2)
"""


@pytest.mark.campaign
def test_a_script_without_its_guard_is_told_so(tmp_path: Path) -> None:
    for name in ("a", "b"):
        build(tmp_path / f"{name}.h5", Plan(duration_s=1))
    script = tmp_path / "study.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-P", str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "study.py starts processes" in done.stderr
    assert "memory" not in done.stderr
    assert not list(tmp_path.glob("*.analysis"))
    guarded = SCRIPT.replace("analyze_files(rec", "if __name__ == '__main__': analyze_files(rec")
    script.write_text(guarded)
    subprocess.run(command, check=True)
    assert len(list(tmp_path.glob("*.analysis"))) == 2


def test_a_notebook_writes_what_only_its_owner_may_read(
    write_log: Callable[..., Path], tmp_path: Path
) -> None:
    before = os.umask(0o022)
    try:
        target = write_log(close=True)
        parts = [path.stat().st_mode & 0o077 for path in tmp_path.glob("*.part*.h5")]
        recording = seal(target).path
        outcome = analyze_file(recording, Request())
        report = write_report(recording)
    finally:
        os.umask(before)
    assert outcome.folder is not None
    made = [recording, report, outcome.folder, *outcome.folder.iterdir()]
    assert [path.name for path in made if path.stat().st_mode & 0o077] == []
    assert parts == [0]


def _ignored(path: Path) -> list[bool]:
    ends = (signal.SIGINT, system.HANG_UP or signal.SIGINT)
    return [signal.getsignal(number) == signal.SIG_IGN for number in ends]


def test_a_worker_leaves_its_end_to_who_started_it(tmp_path: Path) -> None:
    ((_, ignored),) = attempted(_ignored, [tmp_path / "a"], 1)
    assert ignored == [True, True]
