"""Recordings that are made out of films."""

import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import pytest
import soundfile

from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import AudioCaptured, AudioGap, Event, FrameCaptured, consent_to
from affetti.core.people.playlist import PlaylistEntry
from affetti.core.recording.names import parts_of
from affetti.core.recording.parts import PartLog, disk_full
from affetti.core.recording.session import Session
from affetti.core.settings import LogSettings, Settings
from affetti.recorder.engine.headless import record
from affetti.recorder.engine.messages import Plan
from affetti.recorder.imports.films import Request, import_film
from affetti.recorder.imports.log import ImportLog
from affetti.recorder.sources.film import Film
from tests.command_line import affetti
from tests.recorder.clap import AT_S, SECONDS, beeps_s, clap_film, flashes_s
from tests.recorder.films import encoded_film, squares, tone
from tests.recorder.recording_sink import RecordingSink, wait_for

pytestmark = pytest.mark.one_of_each

SMALL = Settings(log=LogSettings(part_mib=8))
PLAIN = Request(settings=SMALL)


def session_of(film: Path, request: Request = PLAIN) -> Session:
    assert import_film(film, request) == "written"
    return Session.open(film.with_suffix(".h5"))


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.mp4", {}),
        ("a.mkv", {"codec": "libx264", "sound": "ac3", "per_s": 30, "rate_hz": 44_100}),
        ("a.avi", {"codec": "mjpeg", "sound": "ac3", "per_s": 15}),
        ("a.mov", {"codec": "mjpeg", "sound": "aac", "per_s": 60, "rate_hz": 8_000}),
        ("a.ts", {"codec": "mpeg2video", "sound": "ac3"}),
        ("a.mkv", {"codec": "ffv1", "sound": "aac", "rate_hz": 96_000}),
    ],
)
def test_picture_and_sound_are_in_step_and_nothing_is_lost(
    tmp_path: Path, name: str, how: dict[str, Any]
) -> None:
    film = clap_film(tmp_path / name, **how)
    with session_of(film) as session, av.open(str(film)) as read:
        assert len(session.frames) == round(SECONDS * how.get("per_s", 25))
        assert session.duration_s == pytest.approx(read.duration / 1e6, abs=0.05)
        seen, heard = flashes_s(session), beeps_s(session)
        assert np.diff(seen) == pytest.approx(np.diff(AT_S), abs=0.001)
        assert heard == pytest.approx(seen, abs=0.01)
        assert session.started.consent.stated is False
        assert session.info.consent["video"] is None


def test_time_stamps_of_a_variable_rate_are_kept_and_a_late_picture_keeps_its_distance(
    tmp_path: Path,
) -> None:
    stamps_s = [n / 25 for n in (5, 6, 8, 10, 11, 20, 30, 31, 33, 49)]
    with session_of(clap_film(tmp_path / "a.mp4", stamps_s=stamps_s)) as session:
        assert session.frames.t_ns / 1e9 == pytest.approx(stamps_s, abs=0.001)
        assert session.audio("room").samples == SECONDS * 48_000
        assert beeps_s(session) == pytest.approx(AT_S, abs=0.005)
        assert session.duration_s == pytest.approx(SECONDS, abs=0.01)


@pytest.mark.campaign
def test_a_turned_film_without_sound_is_upright_and_says_when_it_was_made(tmp_path: Path) -> None:
    film = clap_film(
        tmp_path / "a.mp4", sound=None, turn_deg=90, made="2024-03-05T10:15:00.000000Z"
    )
    with session_of(film) as session:
        picture = session.frames.at(AT_S[0] + 0.05).image()
        assert picture.shape == (96, 64, 3)
        assert abs(int(picture[:40].mean()) - int(picture[56:].mean())) > 200
        assert session.info.dated
        assert session.info.wall_clock.startswith("2024-03-05")
        assert session.audio("room").samples == 0
        assert "room" not in session.streams


def test_sound_and_music_beside_a_film_lie_where_they_are_told_to(tmp_path: Path) -> None:
    film = clap_film(tmp_path / "a.mp4", sound=None)
    soundfile.write(tmp_path / "room.wav", _click(0.5, 16_000), 16_000)
    track = tone(tmp_path / "long.wav", 3.0)
    request = Request(
        consent=consent_to("video", "room"),
        sound=tmp_path / "room.wav",
        sound_at_s=-0.1,
        music=(PlaylistEntry(path=str(track), expected="sadness", columns={"genre": "x"}),),
        music_at_s=0.5,
        settings=SMALL,
    )
    with session_of(film, request) as session:
        assert beeps_s(session) == pytest.approx([0.4], abs=0.001)
        (played,) = session.tracks
        assert (played.start_s, played.reason) == (0.5, "stopped")
        assert played.end_s == pytest.approx(SECONDS, abs=0.05)
        assert played.columns == {"genre": "x"}
        kept = session.audio("playback").read_samples(0, 44_100)
        assert np.array_equal(kept, soundfile.read(track, dtype="int16")[0][:44_100])
        assert session.started.consent.stated
        roles = [(file.role, file.start_ns) for file in session.started.imported.files]
        assert roles == [("film", 0), ("room", -100_000_000), ("music", 500_000_000)]
        times = [e.t_ns for e in session.events if isinstance(e, FrameCaptured | AudioCaptured)]
        assert max(a - b for a, b in itertools.pairwise(times)) < 200_000_000


def _click(at_s: float, rate_hz: int) -> np.ndarray:
    wave = np.zeros(rate_hz)
    wave[round(at_s * rate_hz) :][:400] = 0.5
    return wave


def test_what_was_imported_stays_and_what_was_broken_off_is_done_again(tmp_path: Path) -> None:
    film = clap_film(tmp_path / "a.mp4")
    target = tmp_path / "a.h5"
    with session_of(film) as session:
        started = session.started
    before = target.read_bytes()
    assert import_film(film, PLAIN) == "current"
    assert target.read_bytes() == before
    with pytest.raises(AffettiError, match="not what would be made"):
        import_film(film, Request(person="P8", settings=SMALL))
    target.unlink()
    broken = ImportLog(target, SMALL)
    assert started.imported is not None
    broken.begin(started.imported, SimpleNamespace(person="anon", consent=started.consent))
    broken._log.close()
    assert parts_of(target)
    assert import_film(film, PLAIN) == "written"
    assert not parts_of(target)


def test_a_recording_that_was_broken_off_live_is_never_taken_for_half_an_import(
    tmp_path: Path, write_log: Any
) -> None:
    target = write_log(name="a.h5")
    film = clap_film(tmp_path / "a.mp4", sound=None)
    with pytest.raises(AffettiError, match="unsealed"):
        import_film(film, PLAIN)
    assert parts_of(target)


@pytest.mark.campaign
def test_a_folder_of_films_is_imported_and_one_broken_film_costs_itself_alone(
    tmp_path: Path,
) -> None:
    whole = clap_film(tmp_path / "a.mp4")
    clap_film(tmp_path / "b.mkv", sound=None)
    (tmp_path / "c.mp4").write_bytes(whole.read_bytes()[:2000])
    said = affetti("import", tmp_path, "--consent", "both", "--json", "--jobs", "2")
    assert said.returncode == ExitCode.WARNING
    found = {Path(each["film"]).name: each for each in json.loads(said.stdout)}
    assert [found[name]["status"] for name in ("a.mp4", "b.mkv", "c.mp4")] == [
        "written",
        "written",
        "failed",
    ]
    assert not list(tmp_path.glob("c*.h5"))
    assert "counts as one person, anon" in said.stderr
    assert affetti("import", tmp_path / "a.mp4", "--consent", "both").returncode == 0


def test_a_full_disk_leaves_nothing_of_an_import_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = clap_film(tmp_path / "a.mp4")
    calls = iter(range(20))
    append = PartLog.append

    def until_it_is_full(log: PartLog, event: Event, blob: bytes = b"") -> Event:
        if next(calls, None) is None:
            raise disk_full(tmp_path)
        return append(log, event, blob)

    with monkeypatch.context() as patch:
        patch.setattr(PartLog, "append", until_it_is_full)
        with pytest.raises(AffettiError) as caught:
            import_film(film, PLAIN)
    assert caught.value.code == ExitCode.DISK_FULL
    assert "Nothing of this film was written" in caught.value.hint
    assert [path.name for path in tmp_path.glob("*") if "a" in path.stem] == ["a.mp4"]
    assert import_film(film, PLAIN) == "written"


def test_an_import_says_what_it_is_wherever_the_session_is(tmp_path: Path) -> None:
    film = clap_film(tmp_path / "a.mp4", sound=None)
    said = affetti("import", film, "--person", "P9", "--output", tmp_path / "b.h5")
    assert (said.returncode, said.stdout) == (0, f"a.mp4: {tmp_path / 'b.h5'}\n")
    said = affetti("info", tmp_path / "b.h5")
    assert "Consent      not stated" in said.stdout
    assert "Imported     from a.mp4" in said.stdout
    assert "when is not known" in said.stdout


@pytest.mark.campaign
def test_no_picture_is_imported_without_consent_to_it(tmp_path: Path) -> None:
    film = clap_film(tmp_path / "a.mp4")
    said = affetti("import", film, "--consent", "audio")
    assert said.returncode == ExitCode.CONSENT
    assert affetti("import", film, "--consent", "video").returncode == 0
    with Session.open(tmp_path / "a.h5") as session:
        assert "room" not in session.streams


def test_sound_that_a_film_says_it_has_and_that_cannot_be_found_is_told(tmp_path: Path) -> None:
    film = clap_film(tmp_path / "a.mp4")
    data = film.read_bytes()
    sizes = data.rindex(b"stsz") + 20  # of the packets of the sound, which come last
    film.write_bytes(data[:sizes] + b"\xff" * 40 + data[sizes + 40 :])
    with session_of(film) as session:
        assert len(session.frames) == SECONDS * 25
        gaps = [event for event in session.events if isinstance(event, AudioGap)]
        assert gaps[-1].cause == "undecodable"
        held = session.audio("room").samples + sum(gap.missing for gap in gaps)
        assert held == pytest.approx(SECONDS * 48_000, abs=5000)
        assert session.duration_s == pytest.approx(SECONDS, abs=0.1)


def test_where_only_estimates_are_kept_no_picture_and_no_sound_of_the_room_is(
    tmp_path: Path,
) -> None:
    (tmp_path / "settings.toml").write_text('keep = "estimates"\n')
    film = clap_film(tmp_path / "a.mp4")
    done = affetti("import", film)
    assert done.returncode == 0, done.stderr
    with Session.open(tmp_path / "a.h5") as session:
        session.verify_digest()
        assert session.info.keeps == "estimates"
        assert not len(session.frames)
        assert not session.audio("room").samples
        assert session.info.estimates["face"] > 0
        assert session.info.estimates["heard"] > 0
        assert session.duration_s == pytest.approx(SECONDS, abs=0.1)
    assert affetti("import", film).returncode == 0  # it is current
    assert affetti("import", film, "--keep", "all").returncode == ExitCode.FILE_EXISTS


def test_a_film_that_lies_there_twice_is_imported_once(tmp_path: Path) -> None:
    film = clap_film(tmp_path / "a.mp4", sound=None)
    shutil.copy(film, tmp_path / "Kopie von a.mp4")
    said = affetti("import", tmp_path)
    assert said.returncode == ExitCode.WARNING, said.stderr
    assert "a.mp4 is the same film as" in said.stderr
    assert len(list(tmp_path.glob("*.h5"))) == 1


@pytest.mark.parametrize("films", [1, 2])
def test_that_a_recording_cannot_be_written_is_said_before_any_film_is_read(
    tmp_path: Path, films: int
) -> None:
    (tmp_path / "a file").write_bytes(b"")
    for i in range(films):
        (tmp_path / f"{i}.mp4").write_bytes(b"no film at all")
    named = [tmp_path / f"{i}.mp4" for i in range(films)]
    done = affetti("import", *named, "--output", tmp_path / "a file" / "made")
    assert done.returncode == ExitCode.FILE_MISSING, done.stderr
    assert "Recordings cannot be written" in done.stderr
    assert done.stdout == ""


def test_two_films_of_one_name_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    film = clap_film(tmp_path / "a.mp4", sound=None)
    shutil.copy(film, tmp_path / "a.mkv")
    said = affetti("import", tmp_path)
    assert said.returncode == ExitCode.USAGE
    assert "same recording" in said.stderr
    assert not list(tmp_path.glob("*.h5"))


def test_the_sound_of_a_film_goes_by_the_time_of_its_pictures(tmp_path: Path) -> None:
    shown = Film(clap_film(tmp_path / "a.mp4"), SMALL.video)
    shown.open()
    heard, sink = shown.own_sound(), RecordingSink()
    assert heard is not None
    heard.start(sink)
    shown.start(sink)
    assert shown.ended.wait(60)
    assert heard.ended.wait(60)
    heard.stop()
    shown.stop()
    samples = sink.samples("room", 2)[:, 0].astype(int)
    assert len(samples) == SECONDS * 48_000
    began_ns = sink.of(AudioCaptured)[0].t_ns
    assert began_ns == pytest.approx(shown.start_ns, abs=1_000_000)
    assert int(np.flatnonzero(np.abs(samples) > 4000)[0]) == pytest.approx(AT_S[0] * 48_000, abs=48)


@pytest.mark.campaign
def test_a_film_that_stands_in_for_a_camera_brings_its_own_sound(tmp_path: Path) -> None:
    film = clap_film(tmp_path / "a.mp4")
    plan = Plan(
        person="P7",
        consent=consent_to("video", "room"),
        camera=str(film),
        output=str(tmp_path / "b.h5"),
    )
    with Session.open(record(plan)) as session:
        assert session.started.microphone == "a.mp4"
        assert session.audio("room").samples == SECONDS * 48_000
        assert beeps_s(session) == pytest.approx(flashes_s(session), abs=0.01)


@pytest.mark.campaign
def test_an_import_that_is_killed_is_done_again_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    film = encoded_film(tmp_path / "a.mp4", squares(1500, 640, 480))
    command = [sys.executable, "-P", "-m", "affetti", "import", str(film)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        wait_for(lambda: list(tmp_path.glob("a.part*.h5")) or running.poll() is not None)
        running.kill()
    assert not (tmp_path / "a.h5").exists()
    assert affetti("import", film).returncode == 0
    with Session.open(tmp_path / "a.h5") as session:
        assert len(session.frames) == 1500
        session.verify_digest()
    assert not list(tmp_path.glob("a.part*"))


@pytest.mark.campaign
def test_the_page_of_a_film_says_what_is_seen_in_it(sample_session: Path, tmp_path: Path) -> None:
    """Nothing was perceived when it was imported: it is when the page is written, and over them."""
    with Session.open(sample_session) as session:
        jpegs = [session.frames.at(second).jpeg for second in np.linspace(12, 18, 12)]
    pictures = [cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) for jpeg in jpegs]
    for name in ("first", "second"):
        film = encoded_film(tmp_path / f"{name}.mp4", pictures, per_s=10)
        target = tmp_path / f"{name}.h5"
        how = ("--consent", "video", "--person", "P07", "--output", target)
        assert affetti("import", film, *how).returncode == 0
    assert affetti("report", tmp_path / "second.h5", "--form", "txt").returncode == 0
    said = (tmp_path / "second.report.txt").read_text(encoding="utf-8")
    assert "Nothing could be seen of the face" not in said
    assert "Face read: 0" not in said
    over = affetti("progress", "P07", tmp_path)
    assert "Face read: 0" not in over.stdout


@pytest.mark.campaign
def test_the_name_of_a_film_is_one_line_whatever_is_in_it(tmp_path: Path) -> None:
    film = clap_film(tmp_path / "two\nlines\x1b[31m.mp4", sound=None)
    said = affetti("import", film)
    assert said.returncode == 0, said.stderr
    assert "Importing two lines" in said.stderr
    assert "\x1b[31m" not in said.stderr + said.stdout
    assert (tmp_path / "two\nlines\x1b[31m.h5").exists()
