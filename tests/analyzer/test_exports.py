"""Sessions as other programs read them, read back by readers that are not ours."""

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import av
import cv2
import numpy as np
import pandas
import pympi
import pytest
import soundfile
from session_builder import Plan, build, chord

from affetti.analyzer.analysis import analyze
from affetti.analyzer.exports import FORMATS, Source, export, tiers
from affetti.analyzer.exports.film import Scene
from affetti.analyzer.exports.tiers import Tier, tiers_of
from affetti.analyzer.replay import completed, reported
from affetti.analyzer.tables.session_tables import tables_of
from affetti.core import system
from affetti.core.custody.exports import noted
from affetti.core.custody.temporary import name_beside
from affetti.core.custody.withdrawal import withdraw
from affetti.core.errors import AffettiError, ExitCode, FileExists, UsageError
from affetti.core.events import SamplesCaptured, SessionEnded
from affetti.core.language import text
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.recording.signals import pack_samples
from affetti.core.recording.stored import Frame
from affetti.models.face.detection import YuNetDetector
from affetti.models.face.identity import OTHER, IdentityNetwork
from tests.conftest import HEART, NS, consent_to, small_session, started


@pytest.fixture(scope="module")
def source(recording: Path) -> Source:
    with Session.open(recording) as session:
        return Source(
            Session.open(recording), analyze(session, completed(session)), lambda *_: None
        )


@pytest.fixture(scope="module")
def film_source(face_jpegs: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Three seconds of a face, with a chord from a second on."""
    plan = Plan(duration_s=3, tracks=[("Grey Sunday", chord(1, 220, 262))], jpegs=face_jpegs)
    session = Session.open(build(tmp_path_factory.mktemp("film") / "film.h5", plan))
    return Source(session, analyze(session, completed(session)), lambda *_: None)


def written(source: Source, name: str, folder: Path) -> Path:
    target = folder / f"session{FORMATS[name].suffix}"
    assert FORMATS[name].write(source, target) == [target]
    return target


def of_kind(source: Source, moments: bool) -> list[Tier]:
    return [tier for tier in tiers_of(source.analysis) if tier.moments == moments]


def test_elan_has_every_row_to_the_millisecond(source: Source, tmp_path: Path) -> None:
    eaf = pympi.Elan.Eaf(str(written(source, "elan", tmp_path)))
    tiers = tiers_of(source.analysis)
    assert list(eaf.get_tier_names()) == [tier.name for tier in tiers]
    for tier in tiers:
        found = sorted(eaf.get_annotation_data_for_tier(tier.name))
        assert [(start, text) for start, _, text in found] == [
            (round(label.start_s * 1000), label.text) for label in tier.labels
        ]
        if not tier.moments:
            assert [stop for _, stop, _ in found] == [
                round(label.stop_s * 1000) for label in tier.labels
            ]


def test_praat_has_stretches_and_moments(source: Source, tmp_path: Path) -> None:
    grid = pympi.Praat.TextGrid(str(written(source, "textgrid", tmp_path)))
    for tier in of_kind(source, moments=False):
        found = [each for each in grid.get_tier(tier.name).get_all_intervals() if each[2]]
        assert found == [(each.start_s, each.stop_s, each.text) for each in tier.labels]
    for tier in of_kind(source, moments=True):
        (only,) = tier.labels
        line = f'            number = {only.start_s!r}\n            mark = "'
        assert line in (tmp_path / "session.TextGrid").read_text("utf-8")


def test_webvtt_has_a_cue_for_each_label(source: Source, tmp_path: Path) -> None:
    with av.open(written(source, "webvtt", tmp_path)) as cues:
        found = [packet for packet in cues.demux() if packet.size]
    labels = [label for tier in tiers_of(source.analysis) for label in tier.labels]
    assert sorted(float(each.pts * each.time_base) for each in found) == pytest.approx(
        sorted(label.start_s for label in labels), abs=0.001
    )
    assert b"marker: &lt;b&gt;eye&lt;/b&gt; contact" in b"\n".join(bytes(each) for each in found)


@pytest.mark.campaign
def test_a_film_shows_each_frame_at_its_time_with_the_sound_in_step(
    film_source: Source, tmp_path: Path
) -> None:
    path = written(film_source, "mp4", tmp_path)
    with av.open(path) as film:
        times = [float(frame.pts * frame.time_base) for frame in film.decode(video=0)]
    frames = film_source.session.frames
    assert times == pytest.approx([frame.t_s for frame in frames], abs=0.001)
    with av.open(path) as film:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in film.decode(audio=0)])
    first = film_source.analysis.tracks[0].start_s
    loud = np.flatnonzero(np.abs(heard) > 0.02)[0] / 48_000
    assert loud == pytest.approx(first, abs=0.06)
    assert len(heard) / 48_000 == pytest.approx(film_source.analysis.state.duration_s, abs=0.1)


@pytest.mark.campaign
def test_nobody_can_be_told_by_a_drawn_face(sample_session: Path) -> None:
    network, detector = IdentityNetwork(), YuNetDetector()
    with Session.open(sample_session) as session:
        scene = Scene(analyze(session, reported(session)), faceless=True)
        count = 0
        for at_s in (8.0, 11.0, 20.0, 32.0, 39.0, 52.0):
            frame = session.frames.at(at_s)
            picture = frame.image()
            face = max(detector.faces(picture), key=lambda face: face.box_px[2])
            person = network(picture, face)
            height, width = picture.shape[:2]
            drawn = cv2.resize(scene.drawn(frame)[:-132], (width, height))
            # Looked at where the face is, which nobody can know who has the film alone.
            look = network(drawn, face)
            if person is None or look is None:
                continue
            count += 1
            assert np.linalg.norm(person - look) > OTHER
        assert count > 3


@pytest.mark.campaign
def test_what_is_drawn_is_the_same_whoever_is_in_the_pictures(film_source: Source) -> None:
    scene = Scene(film_source.analysis, faceless=True)
    frame = film_source.session.frames[20]
    height, width = frame.image().shape[:2]
    nobody = cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8))[1].tobytes()
    drawn = scene.drawn(frame)
    assert np.array_equal(drawn, scene.drawn(replace(frame, jpeg=nobody)))
    assert len(np.unique(drawn[:-132].reshape(-1, 3), axis=0)) > 2  # there is a face all the same


def test_a_film_without_faces_shows_nothing_that_was_written(source: Source) -> None:
    at = Frame(0, source.analysis.state.moments[0].t_ns, source.session.frames[0].jpeg)
    ours, theirs = (Scene(source.analysis, faceless).drawn(at)[-132:] for faceless in (False, True))
    assert not np.array_equal(ours, theirs)
    said = Scene(source.analysis, True)._said
    assert [said(m) for m in source.analysis.state.moments] == ["marker", "note", "self-report"]


def test_parquet_has_every_table_as_another_reader_sees_it(source: Source, tmp_path: Path) -> None:
    target = tmp_path / "session.parquet"
    files = FORMATS["parquet"].write(source, target)
    tables = {table.name: table for table in tables_of(source.analysis)}
    assert {path.stem for path in files} == set(tables)
    for path in files:
        read, table = pandas.read_parquet(path), tables[path.stem]
        assert list(read.columns) == list(table.columns)
        assert len(read) == len(table.rows)
    face, said = pandas.read_parquet(target / "segments.parquet"), tables["segments"]
    for name in ("start_s", "coverage", "happiness"):
        column = [row[said.columns.index(name)] for row in said.rows]
        assert np.allclose(face[name], np.array(column, float), equal_nan=True)
    with pytest.raises(FileExistsError):
        FORMATS["parquet"].write(source, target)


@pytest.mark.campaign
def test_a_film_without_faces_has_no_voice(write_log: Callable[..., Path], tmp_path: Path) -> None:
    path = seal(write_log()).path  # with a tone in the room
    for name, streams in (("mp4", 2), ("mp4-faceless", 1)):
        (film,) = export(path, name, tmp_path / "films")
        with av.open(film) as opened:
            assert len(opened.streams) == streams


def with_heart(write_log: Callable[..., Path], *scopes: str) -> Path:
    items = [(started(consent=consent_to("signals", *scopes), streams=(HEART,)), b"")]
    for second in (0, 1, 3):  # one second is missing
        values = np.full((10, 2), second, np.float32)
        event = SamplesCaptured(t_ns=second * NS, stream="heart", sample=second * 10, count=10)
        stamps_s = second + np.arange(10) / 10
        items.append((event, pack_samples(HEART, stamps_s, values)))  # type: ignore[arg-type]
    items.append((SessionEnded(t_ns=4 * NS, reason="stopped"), b""))  # type: ignore[arg-type]
    return seal(write_log(items)).path


def test_bids_has_events_segments_and_signals(
    write_log: Callable[..., Path], tmp_path: Path
) -> None:
    path = with_heart(write_log, "research")
    files = {
        each.name.partition("_task-")[2]: each for each in export(path, "bids", tmp_path / "set")
    }
    assert set(files) == {
        f"listening_{stem}" for stem in ("events.tsv", "events.json", "beh.tsv", "beh.json")
    } | {f"listening_recording-heart_physio.{suffix}" for suffix in ("tsv.gz", "json")}
    about = json.loads(files["listening_recording-heart_physio.json"].read_text("utf-8"))
    rows = gzip.decompress(files["listening_recording-heart_physio.tsv.gz"].read_bytes()).decode()
    grid = [line.split("\t") for line in rows.splitlines()]
    assert (about["SamplingFrequency"], about["StartTime"]) == (10.0, pytest.approx(0.0, abs=0.2))
    assert len(grid) == 40
    assert {row[0] for row in grid[20:30]} == {"n/a"}
    assert [float(row[1]) for row in grid[30:]] == [3.0] * 10
    with (tmp_path / "set" / "participants.tsv").open(newline="", encoding="utf-8") as table:
        assert list(csv.DictReader(table, delimiter="\t")) == [
            {"participant_id": "sub-P07", "code": "P07"}
        ]
    assert json.loads((tmp_path / "set" / "dataset_description.json").read_text("utf-8"))
    with pytest.raises(FileExists):
        export(path, "bids", tmp_path / "set")


def test_bids_has_pictures_and_sound_as_they_were_recorded(
    write_log: Callable[..., Path], tmp_path: Path
) -> None:
    """Where they are asked for: the very JPEGs at their times, and the samples where they lay."""
    agreed = started(consent=consent_to("video", "room", "research"))
    path = seal(write_log([(agreed, b""), *small_session()[1:]])).path
    files = export(path, "bids-media", tmp_path / "set")
    named = {each.name.partition("_recording-")[2]: each for each in files}
    with Session.open(path) as session:
        with av.open(named["camera_video.mkv"]) as film:
            packets = [each for each in film.demux() if each.size]
        assert [bytes(each) for each in packets] == [frame.jpeg for frame in session.frames]
        times_s = [float(each.pts * each.time_base) for each in packets]
        assert times_s == pytest.approx(session.frames.t_ns / 1e9, abs=1.1e-3)
        room = session.audio("room")
        samples, rate_hz = soundfile.read(named["room_audio.wav"], dtype="int16", always_2d=True)
        assert rate_hz == room.rate_hz
        at = round(float(room.blocks["t_ns"][0]) * rate_hz / NS)
        heard = room.read_samples(0, int(room.blocks["count"][0]))
        assert np.abs(samples[at : at + len(heard)].astype(int) - heard).max() == 0
        about = json.loads(named["camera_video.json"].read_text("utf-8"))
        assert about["VideoFrameCount"] == len(session.frames)
    ignored = (tmp_path / "set" / ".bidsignore").read_text("utf-8").splitlines()
    media = [each.name for name, each in named.items() if "_video." in name or "_audio." in name]
    assert all(any(fnmatch(name, pattern) for pattern in ignored) for name in media)
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}


def test_bids_is_refused_without_consent_to_research(
    write_log: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="did not agree"):
        export(with_heart(write_log), "bids", tmp_path / "set")
    assert not (tmp_path / "set").exists() or not list((tmp_path / "set").rglob("*"))


@pytest.mark.campaign
def test_copies_are_noted_never_replaced_and_go_with_what_is_withdrawn(
    write_log: Callable[..., Path], tmp_path: Path
) -> None:
    path = seal(write_log()).path
    (beside,) = export(path, "mp4")
    (elsewhere,) = export(path, "elan", tmp_path / "elsewhere")
    assert {Path(each.target) for each in noted(path)} == {beside, elsewhere}
    assert {each.stat().st_mode & 0o777 for each in (beside, elsewhere)} == {0o600}
    with pytest.raises(FileExists, match="nothing is replaced"):
        export(path, "mp4")
    assert beside in withdraw(path, ["video"]).removed
    assert elsewhere.exists()


@pytest.mark.parametrize("to", ["elan", "bids"])
def test_that_a_copy_cannot_be_written_is_said_before_anything_is_computed(
    sample_session: Path, tmp_path: Path, to: str
) -> None:
    (tmp_path / "a file").write_bytes(b"")
    begun: list[int] = []
    with pytest.raises(AffettiError) as caught:
        export(sample_session, to, tmp_path / "a file", lambda done, total: begun.append(done))
    assert "--output" in caught.value.hint
    assert not begun


def test_what_a_killed_export_left_is_removed_by_the_next(
    sample_session: Path, tmp_path: Path
) -> None:
    folder, name = tmp_path / "out", f"{sample_session.stem}.vtt"
    folder.mkdir()
    left = name_beside(folder / name)
    left.write_bytes(b"half a film")
    os.utime(left, (0, 0))
    export(sample_session, "webvtt", folder)
    assert [path.name for path in folder.iterdir()] == [name]


@pytest.mark.campaign
@pytest.mark.skipif(os.name == "nt", reason="a signal ends a process there amid its work")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, system.HANG_UP])
def test_an_export_that_is_told_to_end_leaves_nothing(
    sample_session: Path, tmp_path: Path, number: signal.Signals
) -> None:
    # What a shell runs in the background heeds no Ctrl+C, and neither does what that starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-P", "-m", "affetti", "export", str(sample_session)]
    with subprocess.Popen(
        [*command, "--to", "mp4", "--output", str(tmp_path / "films")],
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        while not list(tmp_path.glob("films/.affetti-*")):
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(number)
        _, said = running.communicate()
    assert running.returncode == ExitCode.WARNING
    assert text("error.stopped") in said
    assert not list((tmp_path / "films").iterdir())


def test_that_the_name_is_taken_is_said_before_anything_is_computed(
    sample_session: Path, tmp_path: Path
) -> None:
    (tmp_path / f"{sample_session.stem}.eaf").write_bytes(b"mine")
    begun: list[int] = []
    with pytest.raises(FileExists):
        export(sample_session, "elan", tmp_path, lambda done, total: begun.append(done))
    assert not begun


def test_a_terminal_that_shows_a_copy_is_told_nothing() -> None:
    tier = tiers._tier("notes", [tiers.Label(0.0, 1.0, "a\x1b[2J\x9b2J\u202eb")])
    assert tier.labels[0].text == "a [2J 2Jb"
