"""Whole recordings through the command line, from files paced in real time."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
import soundfile

from affetti.core import system
from affetti.core.errors import ExitCode
from affetti.core.events import Event, FrameCaptured, MarkerKey, marked_stretches
from affetti.core.events.entries import new_id
from affetti.core.events.people import MarkersChosen
from affetti.core.people import log as person_log
from affetti.core.recording.names import parts_of
from affetti.core.recording.parts import PartLog
from affetti.core.recording.records import holds_records
from affetti.core.recording.session import Session
from tests.command_line import Said, affetti
from tests.conftest import SESSION_ID, started
from tests.recorder.films import moving_film, tone
from tests.recorder.recording_sink import wait_for

COMMAND = [sys.executable, "-m", "affetti", "record", "--headless"]


def record(*args: object, cwd: Path | None = None) -> Said:
    return affetti("record", "--headless", *args, cwd=cwd)


def begin(target: Path, *args: object, stdin: int | None = None) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [*COMMAND, "--output", str(target), *map(str, args)],
        stdin=stdin,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not parts_of(target):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def on_disk(target: Path, kind: type[Event]) -> int:
    """Return how many events of a kind a running log holds."""
    held = 0
    for part in parts_of(target):
        # One that is just being made is no file of HDF5 yet.
        with suppress(OSError), h5py.File(part, locking=False) as file:
            held += int((file["index"]["kind"] == kind.__name__.encode()).sum())
    return held


def until_on_disk(target: Path, kind: type[Event], count: int = 6) -> None:
    wait_for(lambda: on_disk(target, kind) >= count)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory, long_film: Path) -> Path:
    folder = tmp_path_factory.mktemp("material")
    moving_film(folder / "film.avi", seconds=4)
    moving_film(folder / "short.avi", seconds=1)
    (folder / "long.avi").symlink_to(long_film)
    tone(folder / "a.ogg", seconds=2.5)
    tone(folder / "b.ogg", seconds=1.5, pitch_hz=880)
    tone(folder / "mono.wav", seconds=1, rate_hz=22_050, channels=1)
    return folder


def test_a_recording_holds_every_frame_and_every_sample(material: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.h5"
    tracks = [material / "a.ogg", material / "b.ogg"]
    plays = [argument for track in tracks for argument in ("--play", track)]
    done = record(
        "--camera", material / "film.avi", *plays, "--no-speaker", "--output", target, "--json"
    )
    assert done.returncode == 0, done.stderr
    info = json.loads(done.stdout)
    assert info["frames"] == 100
    assert info["frames_dropped"] == 0
    assert info["end_reason"] == "sources_ended"
    assert info["duration_s"] >= 3.9
    with Session.open(target) as session:
        session.verify_digest()
        frames = [event for event in session.events if isinstance(event, FrameCaptured)]
        assert [frame.frame for frame in frames] == list(range(100))
        playback = session.audio("playback")
        for path, track in zip(tracks, session.tracks, strict=True):
            expected = soundfile.read(path, dtype="int16", always_2d=True)[0]
            heard = playback.read_samples(track.start_sample, track.end_sample or 0)
            # Compressed sound is rounded by whoever decodes it.
            most = 0 if path.suffix == ".wav" else 1
            assert np.abs(heard.astype(int) - expected).max() <= most
        first, second = session.tracks
        assert second.start_sample == first.end_sample
        assert second.start_s - first.start_s == pytest.approx(2.5, abs=2048 / 44_100)
        times = session.frames.t_ns / 1e9
        assert np.diff(times) == pytest.approx(1 / 25, abs=0.005)


@pytest.mark.campaign
def test_the_room_is_recorded_from_a_file_too(material: Path, tmp_path: Path) -> None:
    target = tmp_path / "room.h5"
    assert record("--microphone", material / "mono.wav", "--output", target).returncode == 0
    expected = soundfile.read(material / "mono.wav", dtype="int16", always_2d=True)[0]
    with Session.open(target) as session:
        assert np.array_equal(session.audio("room").read(), expected)
        assert session.audio("room").rate_hz == 22_050


@pytest.mark.campaign
def test_without_a_name_the_file_is_named_after_person_and_time(
    material: Path, tmp_path: Path
) -> None:
    done = record("--person", "P07", "--camera", material / "short.avi")
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("sub-P07_ses-*T*.h5")
    assert str(path) in done.stderr
    assert path.stat().st_mode & 0o777 == 0o600  # nobody else may read it


@pytest.mark.campaign
def test_duration_ends_a_recording(material: Path, tmp_path: Path) -> None:
    target = tmp_path / "short.h5"
    done = record("--camera", material / "long.avi", "--duration", 1.5, "--output", target)
    assert done.returncode == 0, done.stderr
    with Session.open(target) as session:
        assert session.info.end_reason == "duration"
        assert session.duration_s >= 1.5


@pytest.mark.parametrize("number", system.ENDINGS)
@pytest.mark.campaign
def test_a_signal_ends_a_recording_cleanly(material: Path, tmp_path: Path, number: int) -> None:
    target = tmp_path / "signal.h5"
    process = begin(target, "--camera", material / "long.avi")
    until_on_disk(target, FrameCaptured)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    with Session.open(target) as session:
        assert session.info.end_reason == "signal"
        assert not session.info.recovered
        assert session.info.frames > 5
        session.verify_digest()


@pytest.mark.campaign
def test_a_terminal_that_closes_ends_a_recording_cleanly(material: Path, tmp_path: Path) -> None:
    """The recorder loses its terminal and is hung up on, as when a window is closed."""
    target = tmp_path / "closed.h5"
    command = [*COMMAND, "--output", str(target), "--camera", str(material / "long.avi")]
    leader, terminal = os.openpty()
    process = subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    deadline = time.monotonic() + 60
    while not parts_of(target) and time.monotonic() < deadline:
        time.sleep(0.02)
    until_on_disk(target, FrameCaptured)
    os.close(leader)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=60) == 0
    with Session.open(target) as session:
        assert session.info.end_reason == "signal"


def test_video_without_consent_is_not_even_opened(material: Path, tmp_path: Path) -> None:
    target = tmp_path / "no.h5"
    done = record("--camera", material / "film.avi",
                   "--consent", "audio", "--output", target)  # fmt: skip
    assert done.returncode == ExitCode.CONSENT
    assert not list(tmp_path.glob("*.h5"))


def test_a_file_that_exists_is_never_overwritten(material: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious.h5"
    target.write_text("precious")
    done = record("--camera", material / "film.avi", "--output", target)
    assert done.returncode == ExitCode.FILE_EXISTS
    assert target.read_text() == "precious"


def test_unsealed_parts_are_never_overwritten(material: Path, tmp_path: Path) -> None:
    target = tmp_path / "crashed.h5"
    process = begin(target, "--camera", material / "long.avi")
    wait_for(lambda: holds_records(parts_of(target)[0]))
    process.kill()
    process.communicate()
    before = [path.stat().st_mtime_ns for path in parts_of(target)]
    done = record("--camera", material / "film.avi", "--output", target)
    assert done.returncode == ExitCode.FILE_EXISTS
    assert "affetti recover" in done.stderr
    assert [path.stat().st_mtime_ns for path in parts_of(target)] == before


def test_the_next_start_says_that_recordings_broke_off(material: Path, tmp_path: Path) -> None:
    log = PartLog(tmp_path / "crashed.h5", SESSION_ID)
    log.append(started())
    log.close()
    done = record("--camera", material / "short.avi", "--output", tmp_path / "next.h5")
    assert done.returncode == ExitCode.OK
    assert f"Recordings that broke off lie in {tmp_path}: crashed.h5." in done.stderr
    assert "affetti recover" in done.stderr


@pytest.mark.campaign
def test_a_start_that_was_killed_blocks_no_later_one(material: Path, tmp_path: Path) -> None:
    target = tmp_path / "killed.h5"
    PartLog(target, SESSION_ID).close()
    assert parts_of(target)
    done = record("--camera", material / "short.avi", "--output", target)
    assert done.returncode == ExitCode.OK
    assert "broke off" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ["--person", "../../x", "--camera", "film.avi"],
            ExitCode.PERSON_CODE,
            "letters and digits",
        ),
        (["--play", "none.ogg", "--no-speaker"], ExitCode.FILE_MISSING, "none.ogg"),
        (["--play", "text.ogg", "--no-speaker"], ExitCode.MEDIA, "text.ogg"),
        (["--camera", "text.ogg"], ExitCode.MEDIA, "text.ogg"),
        (["--camera", "none.mp4"], ExitCode.FILE_MISSING, "none.mp4"),
        (["--camera", "77"], ExitCode.DEVICE, "77"),
        (["--camera", "film.avi", "--output", "out.mp4"], ExitCode.USAGE, ".h5"),
        (["--camera", "film.avi", "--output", "x.part007.h5"], ExitCode.USAGE, "part"),
        (["--camera", "film.avi", "--output", "text.ogg/out.h5"], ExitCode.FILE_MISSING, "folder"),
        ([], ExitCode.USAGE, "nothing to record"),
    ],
)
def test_bad_input_is_one_clear_message(
    material: Path, tmp_path: Path, arguments: list[str], code: ExitCode, words: str
) -> None:
    (material / "text.ogg").write_text("this is no sound")
    if "--output" not in arguments:
        arguments = [*arguments, "--output", str(tmp_path / "out.h5")]
    done = record(*arguments, cwd=material)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2
    assert not list(tmp_path.glob("*.h5"))


@pytest.mark.campaign
def test_a_disk_that_fills_up_ends_the_recording_and_keeps_it(
    material: Path, small_disk: Path
) -> None:
    target = small_disk / "full.h5"
    process = begin(target, "--camera", material / "long.avi", "--duration", 30)
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="space"):
        filler.write_bytes(bytes(60 << 20))
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == ExitCode.DISK_FULL
    assert "Traceback" not in said
    filler.unlink()
    if not target.exists():  # there was no room for sealing either
        assert "affetti recover" in said
        from affetti.core.recording.sealing import seal

        assert not seal(target).recovered  # it ended cleanly


@pytest.mark.campaign
def test_a_neutral_face_can_be_recorded_first(material: Path, tmp_path: Path) -> None:
    target = tmp_path / "neutral.h5"
    done = record("--camera", material / "film.avi", "--neutral", 3, "--output", target)
    assert done.returncode == 0, done.stderr
    with Session.open(target) as session:
        neutral_reference = session.state.neutral_reference
        assert neutral_reference is not None
        assert neutral_reference.duration_ns(0) >= 3e9


@pytest.mark.campaign
def test_the_log_tells_of_a_recording_without_a_word_about_the_person(
    material: Path, tmp_path: Path
) -> None:
    film = material / "film.avi"
    options = ["--person", "Quitte7", "--camera", film, "--no-speaker", "--duration", 1]
    command = [*COMMAND, *map(str, options), "--markers-from-stdin"]
    said = "she weeps at the bridge\n"
    done = subprocess.run(
        command, cwd=tmp_path, input=said, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (log,) = (tmp_path / "state").rglob("engine.log")
    written = log.read_text()
    assert "a recording begins" in written
    assert "a recording is sealed" in written
    assert "Quitte7" not in written
    assert "weeps" not in written


@pytest.mark.campaign
def test_a_recording_without_sound_loads_nothing_that_hears(material: Path, tmp_path: Path) -> None:
    program = (
        "import atexit, sys; from affetti.core.cli import main\n"
        "atexit.register(lambda: print({'librosa', 'onnxruntime'} & set(sys.modules)))\n"
        "main()\n"
    )
    words = [
        "record",
        "--headless",
        "--camera",
        material / "short.avi",
        "--output",
        tmp_path / "a.h5",
    ]
    command = [sys.executable, "-P", "-c", program, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{'onnxruntime'}"


@pytest.mark.campaign
def test_lines_that_are_marker_keys_count_without_a_screen(material: Path, tmp_path: Path) -> None:
    markers = (MarkerKey("sings", "g", "stretch"), MarkerKey("smiles", "1"))
    chosen = MarkersChosen(author_id=new_id(), person="P07", markers=markers)
    person_log.add([chosen], "P07", tmp_path)
    target = tmp_path / "s.h5"
    options = ["--person", "P07", "--camera", material / "film.avi", "--output", target]
    command = [*COMMAND, *map(str, options), "--no-speaker", "--markers-from-stdin"]
    said = "g\nsmiles\ng\nhums\n"
    done = subprocess.run(
        command, cwd=tmp_path, input=said, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with Session.open(target) as session:
        assert session.started.markers == markers
        found = [(each.label, each.edge) for each in session.state.markers]
        assert found == [("sings", "start"), ("smiles", None), ("sings", "end"), ("hums", None)]
        (stretch,) = marked_stretches(session.state.markers)
        assert (stretch.label, stretch.end_ns is None) == ("sings", False)
