"""Films that stand in for a camera: whole, interlaced, turned, damaged, cut off, and no films."""

import os
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from affetti.core.clock import NS_PER_S, SessionClock
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import DeviceLost, FrameCaptured, FramesDropped, SessionEnded
from affetti.core.recording.losses import film_statement
from affetti.core.recording.session import Session
from affetti.core.settings import VideoSettings
from affetti.recorder.sources.camera import LiveCamera, open_camera
from affetti.recorder.sources.film import Film
from tests.command_line import affetti
from tests.recorder.films import encoded_film, moving_film, squares, tone
from tests.recorder.recording_sink import RecordingSink

pytestmark = pytest.mark.one_of_each

FRAME_NS = NS_PER_S // 25


class Seen:
    """A film seen to its end."""

    def __init__(self, path: Path, sink: RecordingSink | None = None) -> None:
        film = open_camera(str(path), VideoSettings())
        assert isinstance(film, Film)
        self.sink = sink or RecordingSink()
        film.open()
        film.start(self.sink)
        self.started_ns = self.sink.clock.now_ns()
        assert film.ended.wait(60)
        film.stop()
        assert film.end is not None
        self.film, self.end = film, film.end
        self.frames = self.sink.of(FrameCaptured)
        jpegs = [blob for event, blob in self.sink.items if isinstance(event, FrameCaptured)]
        self.pictures = [cv2.imdecode(np.frombuffer(j, np.uint8), cv2.IMREAD_COLOR) for j in jpegs]
        times = [event.t_ns for event in self.frames]
        self.steps = [round((b - a) / FRAME_NS, 3) for a, b in pairwise(times)]


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b).mean())


def packets(data: bytes, kind: bytes = b"00dc") -> list[slice]:
    """Return where the pictures of an AVI file lie."""
    found, place = [], data.find(b"movi")
    while (place := data.find(kind, place)) >= 0 and place < data.find(b"idx1"):
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        found.append(slice(place + 8, place + 8 + size))
        place += 8 + size
    return found


def damaged(path: Path, *numbers: int, share: float = 1.0) -> Path:
    """Overwrite the last share of some packets of an AVI file with zeros."""
    data = bytearray(path.read_bytes())
    for number in numbers:
        where = packets(bytes(data))[number]
        begin = where.stop - int(share * (where.stop - where.start))
        data[begin : where.stop] = bytes(where.stop - begin)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "codec"), [("i.mpg", "mpeg2video"), ("i.mp4", "mpeg4"), ("i.mkv", "mpeg2video")]
)
def test_interlaced_frames_are_recorded_whole_and_none_is_black_or_combed(tmp_path, name, codec):
    fields = squares(30)
    woven = [np.empty_like(fields[0]) for _ in range(15)]
    for i, picture in enumerate(woven):
        picture[0::2], picture[1::2] = fields[2 * i][0::2], fields[2 * i + 1][1::2]
    seen = Seen(encoded_film(tmp_path / name, woven, codec, interlaced=True))
    assert len(seen.pictures) == 15
    assert seen.steps == [1.0] * 14
    for picture, moment in zip(seen.pictures, fields[::2], strict=True):
        rows = picture[44:76].astype(int)
        assert np.abs(np.diff(rows, axis=0)).mean() < 2  # a comb has teeth
        assert min(difference(picture, moment), difference(picture, fields[0])) < 8


def test_a_picture_that_begins_after_its_sound_keeps_its_distance(tmp_path):
    path = encoded_film(tmp_path / "a.mkv", squares(5), stamps=range(20, 25), sound_s=1.2)
    began = Seen(path)
    assert began.frames[0].t_ns >= 0.8 * NS_PER_S
    assert began.frames[0].t_ns <= began.started_ns + 0.8 * NS_PER_S + 0.1 * NS_PER_S
    assert began.steps == [1.0] * 4


def test_gaps_between_pictures_are_kept(tmp_path):
    path = encoded_film(tmp_path / "a.mp4", squares(6), stamps=(0, 1, 31, 32, 35, 36))
    assert Seen(path).steps == [1.0, 30.0, 1.0, 3.0, 1.0]


def test_two_films_in_one_file_follow_one_another(tmp_path):
    first = encoded_film(tmp_path / "a.ts", squares(10), "mpeg2video")
    second = encoded_film(tmp_path / "b.ts", squares(8), "mpeg2video")
    (tmp_path / "both.ts").write_bytes(first.read_bytes() + second.read_bytes())
    seen = Seen(tmp_path / "both.ts")
    assert len(seen.frames) == 18
    assert seen.steps == [1.0] * 17


def test_pixels_are_recorded_square(tmp_path):
    wide = encoded_film(tmp_path / "w.mkv", squares(3), pixel=Fraction(2))
    seen = Seen(wide)
    assert seen.film.size_px == (320, 120)
    assert {(f.width_px, f.height_px) for f in seen.frames} == {(320, 120)}
    assert seen.pictures[0].shape == (120, 320, 3)
    high = encoded_film(tmp_path / "h.mp4", squares(3), pixel=Fraction(1, 2))
    assert Seen(high).film.size_px == (160, 240)


@pytest.mark.parametrize(
    ("degrees", "rotated"), [(90, 1), (180, 2), (-90, -1)], ids=["left", "over", "right"]
)
def test_a_film_is_shown_upright_as_its_display_matrix_says(tmp_path, degrees, rotated):
    picture = squares(1)[0]
    seen = Seen(encoded_film(tmp_path / "a.mp4", [picture] * 3, turn_deg=degrees))
    expected = np.rot90(picture, rotated)
    assert seen.film.size_px == (expected.shape[1], expected.shape[0])
    assert difference(seen.pictures[0], expected) < 8


def test_a_phone_turned_in_mid_film_changes_the_size_and_squashes_nothing(tmp_path):
    upright = encoded_film(tmp_path / "a.ts", squares(6, 96, 160))
    lying = encoded_film(tmp_path / "b.ts", squares(6, 160, 96))
    (tmp_path / "turn.ts").write_bytes(upright.read_bytes() + lying.read_bytes())
    seen = Seen(tmp_path / "turn.ts")
    sizes = [(f.width_px, f.height_px) for f in seen.frames]
    assert sizes == [(96, 160)] * 6 + [(160, 96)] * 6
    assert difference(seen.pictures[-1], squares(6, 160, 96)[-1]) < 8


def test_a_frame_that_cannot_be_decoded_is_counted_where_it_was_and_reading_goes_on(tmp_path):
    path = damaged(encoded_film(tmp_path / "a.avi", squares(20), "mjpeg"), 4, 10, 11)
    seen = Seen(path)
    assert len(seen.frames) == 17
    assert [f.frame for f in seen.frames] == list(range(17))
    start_ns = seen.frames[0].t_ns
    told = [(round((e.t_ns - start_ns) / FRAME_NS), e.count) for e in seen.sink.of(FramesDropped)]
    assert told == [(4, 1), (10, 2)]
    assert seen.end.reason == "finished"
    assert [(h.start_ns, h.end_ns, h.count) for h in seen.end.holes] == [
        (4 * FRAME_NS, 5 * FRAME_NS, 1),
        (10 * FRAME_NS, 12 * FRAME_NS, 2),
    ]
    words = film_statement(seen.end.loss("a.avi"))
    assert words.startswith(
        "3 frames of a.avi could not be decoded: from 0.2\u00a0s to 0.2\u00a0s, "
    )


def test_frames_that_the_reader_of_the_container_passes_over_are_counted_too(tmp_path):
    pictures = [noise(number) for number in range(30)]
    path = encoded_film(tmp_path / "a.mkv", pictures, "mjpeg", cluster_time_limit="400")
    data = bytearray(path.read_bytes())
    clusters = [i for i in range(len(data)) if data.startswith(b"\x1f\x43\xb6\x75", i)]
    data[clusters[1] + 100 : clusters[1] + 60_000] = bytes(59_900)
    path.write_bytes(data)
    seen = Seen(path)
    lost = sum(event.count for event in seen.sink.of(FramesDropped))
    assert lost > 0
    assert len(seen.frames) + lost == 30
    assert seen.steps.count(1.0) == len(seen.steps) - len(seen.end.holes)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (120, 160, 3)).astype(np.uint8)


def test_a_damaged_first_frame_is_told_and_the_film_begins_with_the_next(tmp_path):
    seen = Seen(damaged(encoded_film(tmp_path / "a.avi", squares(8), "mjpeg"), 0))
    assert len(seen.frames) == 7
    assert [h.start_ns for h in seen.end.holes] == [0]


def test_a_picture_of_which_a_part_was_never_written_is_not_recorded(tmp_path):
    path = encoded_film(tmp_path / "a.avi", squares(12), "mjpeg")
    data = bytearray(path.read_bytes())
    where = packets(bytes(data))[6]
    middle = (where.start + where.stop) // 2
    data[middle : where.stop] = (b"\x00\xff\xd8" * len(data))[: where.stop - middle]
    path.write_bytes(data)
    seen = Seen(path)
    assert len(seen.frames) + sum(h.count for h in seen.end.holes) == 12
    for picture in seen.pictures:
        assert min(difference(picture, each) for each in squares(12)) < 8


def test_a_film_that_begins_between_its_key_frames_begins_with_what_is_whole(tmp_path):
    path = encoded_film(tmp_path / "a.ts", squares(20), "mpeg2video")
    data = path.read_bytes()
    (tmp_path / "late.ts").write_bytes(data[:564] + data[len(data) // 3 // 188 * 188 :])
    seen = Seen(tmp_path / "late.ts")
    assert 0 < len(seen.frames) < 20
    for picture in seen.pictures:
        assert min(difference(picture, each) for each in squares(20)) < 8


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_film_that_is_cut_off_is_told_with_what_is_missing(tmp_path, name):
    options = {"movflags": "faststart"} if name == "a.mp4" else {}
    path = encoded_film(tmp_path / name, squares(50), "mjpeg", **options)
    assert Seen(path).end.reason == "finished"
    path.write_bytes(path.read_bytes()[: int(0.55 * path.stat().st_size)])
    seen = Seen(path)
    assert seen.end.reason == "cut_off"
    assert 20 <= len(seen.frames) <= 30
    assert seen.end.at_ns == pytest.approx(len(seen.frames) * FRAME_NS, abs=FRAME_NS)
    (lost,) = seen.sink.of(DeviceLost)
    assert lost.device == "camera"
    assert (lost.cause, lost.name) == ("cut_off", name)
    loss = seen.end.loss(name)
    assert loss is not None
    assert film_statement(loss).startswith(f"{name} is cut off: it ends after 1.")
    assert not seen.sink.of(FramesDropped)


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.avi"])
def test_a_film_of_which_only_the_last_pictures_are_missing_is_told_to_be_cut_off(tmp_path, name):
    codec = "libvpx" if name == "a.webm" else "mpeg4"
    path = encoded_film(tmp_path / name, squares(50), codec)
    assert Seen(path).end.reason == "finished"
    path.write_bytes(path.read_bytes()[: int(0.97 * path.stat().st_size)])
    seen = Seen(path)
    assert seen.end.reason == "cut_off"
    assert 40 <= len(seen.frames) <= 50


def test_a_film_whose_length_was_never_written_is_whole(tmp_path):
    path = encoded_film(tmp_path / "a.mkv", squares(10), "mpeg4")
    data = path.read_bytes()
    at = data.index(b"\x18\x53\x80\x67") + 4
    path.write_bytes(data[:at] + b"\x01" + b"\xff" * 7 + data[at + 8 :])
    assert Seen(path).end.reason == "finished"


def test_a_transport_stream_that_is_cut_off_is_told(tmp_path):
    path = encoded_film(tmp_path / "a.ts", squares(20), "mpeg2video")
    assert Seen(path).end.reason == "finished"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 7])
    assert Seen(path).end.reason == "cut_off"


@pytest.mark.parametrize(
    ("name", "before", "behind"),
    [("a.ts", 300, 0), ("a.ts", -100, 0), ("a.mp4", 0, 5000), ("a.mp4", 0, -1)],
)
def test_what_stands_before_or_behind_a_film_does_not_cut_it_off(tmp_path, name, before, behind):
    codec = "mpeg2video" if name == "a.ts" else "mpeg4"
    path = encoded_film(tmp_path / name, squares(20), codec)
    data, noise = path.read_bytes(), np.random.default_rng(0)
    data = noise.bytes(before) + data if before > 0 else data[-before:]
    # Or the same film once more, which nobody plays.
    path.write_bytes(data + (noise.bytes(behind) if behind >= 0 else data))
    seen = Seen(path)
    assert seen.end.reason == "finished"
    assert len(seen.frames) >= 15


def test_a_film_with_a_hole_in_its_bytes_is_not_called_cut_off(tmp_path):
    path = encoded_film(tmp_path / "a.mp4", squares(50))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3] + data[len(data) // 3 + 99 :])
    assert "is not a film that can be read" in refusal(path).message


def test_a_film_that_is_stopped_is_not_called_cut_off(tmp_path):
    film = Film(encoded_film(tmp_path / "a.mp4", squares(100)), VideoSettings())
    film.open()
    film.start(RecordingSink())
    film.stop()
    assert film.end is not None
    assert film.end.reason == "stopped"
    assert film.end.loss("a.mp4") is None


def refusal(path: Path | str) -> AffettiError:
    with pytest.raises(AffettiError) as caught:
        open_camera(str(path), VideoSettings()).open()
    return caught.value


def song_with_a_cover(path: Path) -> Path:
    """Write a FLAC file with a picture in it."""
    tone(path.with_suffix(".wav"), 0.1)
    soundfile.write(path, *soundfile.read(path.with_suffix(".wav")))
    cover = bytes(cv2.imencode(".png", squares(1)[0])[1])
    words = [b"\0\0\0\3", b"\0\0\0\x09image/png", bytes(4 * 5), len(cover).to_bytes(4, "big")]
    block = b"".join([*words, cover])
    data = path.read_bytes()
    header = b"\x06" + len(block).to_bytes(3, "big")
    path.write_bytes(data[:42] + header + block + data[42:])
    return path


def test_what_is_no_film_is_refused_each_with_its_own_reason(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.txt").write_text("Dear Clara\n")
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n")
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile text.txt\n")
    cv2.imwrite(str(tmp_path / "photo.png"), squares(1)[0])
    still = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x10meta" + bytes(300)
    (tmp_path / "photo.heic").write_bytes(still)
    tone(tmp_path / "sound.wav", 0.1)
    song_with_a_cover(tmp_path / "song.flac")
    reasons = {
        "song.flac": "no moving picture",
        "empty.mp4": "is empty",
        "text.txt": "is not a film",
        "folder.mp4": "is a folder",
        "pipe.mp4": "is a pipe",
        "list.m3u8": "is not a film",
        "list.mp4": "is not a film",
        "photo.png": "is not a film",
        "photo.heic": "is not a film",
        "sound.wav": "no moving picture",
    }
    for name, words in reasons.items():
        error = refusal(tmp_path / name)
        assert error.code == ExitCode.MEDIA, name
        assert name in error.message
        assert words in error.message, error.message
        assert error.hint


def test_a_film_without_its_index_is_called_cut_off(tmp_path):
    path = encoded_film(tmp_path / "a.mp4", squares(50))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    error = refusal(path)
    assert error.code == ExitCode.MEDIA
    assert "a.mp4 is cut off" in error.message
    assert "onvert" not in error.hint


def test_a_film_of_which_nothing_can_be_decoded_is_refused(tmp_path):
    path = damaged(encoded_film(tmp_path / "a.avi", squares(5), "mjpeg"), 0, 1, 2, 3, 4)
    assert "none of its first 5 frames can be decoded" in refusal(path).message


def test_a_film_without_time_stamps_is_refused(tmp_path):
    bare = encoded_film(tmp_path / "bare.mjpeg", squares(5), "mjpeg")
    assert "does not say when its pictures are due" in refusal(bare).message


@pytest.mark.parametrize(
    "name", ["2026-11-24T10:30:15.avi", "12", "http:film", "100%d.avi", "Übung #3?.avi", "-a.avi"]
)
def test_a_film_may_have_any_name(tmp_path, monkeypatch, name):
    moving_film(tmp_path / "a.avi", seconds=0.2).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    seen = Seen(Path(name))
    assert len(seen.frames) == 5
    assert seen.film.description == name


def test_a_number_that_is_no_file_is_a_camera(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_camera("12", VideoSettings()), LiveCamera)
    assert isinstance(open_camera("./12", VideoSettings()), Film)


def test_nothing_is_printed_about_a_damaged_film(tmp_path):
    path = damaged(encoded_film(tmp_path / "a.avi", squares(40), "mjpeg"), 3, share=0.5)
    path.write_bytes(path.read_bytes()[: int(0.8 * path.stat().st_size)])
    program = f"""
from affetti.core.settings import VideoSettings
from affetti.recorder.sources.film import Film
from tests.recorder.recording_sink import RecordingSink
from pathlib import Path
film = Film(Path({str(path)!r}), VideoSettings())
film.open(); film.start(RecordingSink()); film.ended.wait(); film.stop()
print(film.end.reason)
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert said.stdout.strip() == "cut_off"
    assert said.stderr == ""


@pytest.mark.campaign
def test_pyav_is_not_loaded_before_there_is_a_film():
    program = (
        "import sys, affetti.recorder.engine.recording, affetti.recorder.engine.headless; "
        "print('av' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert said.stdout.strip() == "False"


class SlowSink(RecordingSink):
    """What a machine is that takes three seconds for the tenth frame."""

    def put(self, event, blob=b""):
        if isinstance(event, FrameCaptured) and event.frame == 9:
            self.clock = SessionClock(self.clock.start_ns - 3 * NS_PER_S)
        return super().put(event, blob)


def test_a_film_that_a_machine_is_too_slow_for_is_held_up_and_said_to_be(tmp_path):
    seen = Seen(encoded_film(tmp_path / "a.mp4", squares(20), "mjpeg"), SlowSink())
    late_s = (seen.frames[10].t_ns - seen.frames[9].t_ns - FRAME_NS) / NS_PER_S
    assert 2.9 < late_s < 4
    assert seen.steps[:9] + seen.steps[10:] == [1.0] * 18
    loss = seen.end.loss("a.mp4")
    assert loss.late_ns == round(late_s * NS_PER_S)
    assert film_statement(loss).startswith("a.mp4 took 3.")
    assert not seen.sink.of(DeviceLost)


def test_a_recording_says_what_of_its_film_is_missing(tmp_path):
    path = encoded_film(tmp_path / "a.mp4", squares(50), "mjpeg", movflags="faststart")
    path.write_bytes(path.read_bytes()[: int(0.55 * path.stat().st_size)])
    target = tmp_path / "out.h5"
    done = affetti("record", "--headless", "--output", target, "--camera", path)
    assert done.returncode == 0, done.stderr
    assert "a.mp4 is cut off: it ends after 1." in done.stderr
    assert "of 2.0\u00a0s, the rest is missing." in done.stderr
    with Session.open(target) as session:
        (ended,) = [e for e in session.events if isinstance(e, SessionEnded)]
        assert ended.film is not None
        assert film_statement(ended.film) in done.stderr
        assert (ended.failure, ended.film.stated_ns) == (None, 2 * NS_PER_S)
        assert ended.reason == "sources_ended"
