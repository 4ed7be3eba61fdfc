"""Whatever a text is made of, it is recorded as well as it can be, and ends nothing."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affetti.core.events import MarkerAdded, NoteAdded, consent_to, storable
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.engine import headless, messages
from affetti.recorder.engine.engine import Engine
from affetti.recorder.engine.messages import Plan
from affetti.recorder.sources.track import open_track
from tests.recorder.films import moving_film, tone
from tests.recorder.test_recording import COMMAND

CONSENT = consent_to("video", "room")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[tuple[Engine, list[messages.Message]]]:
    said: list[messages.Message] = []
    engine = Engine(Settings(), said.append)
    yield engine, said
    engine.close("stopped")


def turn_until(engine: Engine, said: list[messages.Message], kind: type) -> messages.Message:
    for _ in range(500):
        engine.turn()
        for message in said:
            if isinstance(message, kind):
                return message
        if engine.recording is not None:
            engine.recording.sources.player.ended.wait(0.02)  # type: ignore[union-attr]
    raise AssertionError(f"no {kind.__name__} came")


def begin(engine: Engine, folder: Path, name: str = "track.wav") -> Path:
    target = folder / "out.h5"
    track = tone(folder / "tone.wav", 20).rename(folder / name)
    plan = Plan(
        person="P1",
        consent=CONSENT,
        playlist=(str(track),),
        speaker=None,
        output=str(target),
    )
    engine.carry_out(messages.Record(plan))
    return target


LINES = [
    (b"\xef\xbb\xbffirst\n", "first"),
    (b"caf\xe9\n", "caf\ufffd"),
    (b"caf\xc3\xa9\r\n", "caf\u00e9"),
    (b"a\x00b\x1b[2J\n", "a b [2J"),
    (b"exe\xe2\x80\xaetxt\n", "exetxt"),
    (b" \xef\xbb\xbf \n", ""),
    (b"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7\n", "👩\u200d👧"),
    (b"\xed\xa0\x80\n", "\ufffd\ufffd\ufffd"),
    (b"no end", "no end"),
]


@pytest.mark.campaign
def test_a_line_of_any_bytes_is_a_marker(tmp_path: Path) -> None:
    film, target = moving_film(tmp_path / "film.avi", seconds=2), tmp_path / "out.h5"
    command = [*COMMAND, "--markers-from-stdin", "--camera", str(film), "--output", str(target)]
    said = b"\n \t\r\n".join(line for line, _ in LINES)
    done = subprocess.run(command, input=said, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    with Session.open(target) as session:
        assert [marker.label for marker in session.markers] == [
            label for _, label in LINES if label
        ]
        assert session.info.end_reason == "sources_ended"


@pytest.mark.campaign
def test_without_a_standard_input_a_recording_goes_on(tmp_path: Path) -> None:
    film, target = moving_film(tmp_path / "film.avi", seconds=1), tmp_path / "out.h5"
    command = [*COMMAND, "--markers-from-stdin", "--camera", str(film), "--output", str(target)]
    shell = ["sh", "-c", 'exec "$@" <&-', "sh", *command]
    done = subprocess.run(shell, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "no markers" in done.stderr.lower()


def test_lone_surrogates_anywhere_are_replaced(
    engine: tuple[Engine, list[messages.Message]], tmp_path: Path
) -> None:
    recorder, said = engine
    target = begin(recorder, tmp_path, "tr\udce9.wav")
    recorder.carry_out(messages.Mark("m\udce9"))
    recorder.carry_out(messages.Note("n\ud83d"))
    recorder.end("stopped")
    assert any(isinstance(message, messages.Sealed) for message in said)
    with Session.open(target) as session:
        assert session.started.playlist == ("tr\ufffd",)
        assert [track.title for track in session.tracks] == ["tr\ufffd"]
        assert [each.label for each in session.markers] == ["m\ufffd"]
        assert [each.text for each in session.notes] == ["n\ufffd"]


def test_what_can_be_stored_is_left_as_it_is() -> None:
    note = NoteAdded(t_ns=1, text="naïve 🎵 \x00")
    assert storable(note) is note


@pytest.mark.parametrize(
    "impossible",
    [MarkerAdded(t_ns=1 << 70, label=""), MarkerAdded(t_ns=0, label="x" * (2 << 20))],
    ids=["time", "length"],
)
def test_an_event_that_no_log_can_hold_costs_that_event(
    engine: tuple[Engine, list[messages.Message]], tmp_path: Path, impossible: MarkerAdded
) -> None:
    recorder, said = engine
    target = begin(recorder, tmp_path)
    assert recorder.recording is not None
    recorder.recording.inbox.put(impossible)
    problem = turn_until(recorder, said, messages.Problem)
    assert isinstance(problem, messages.Problem)
    assert "MarkerAdded" in problem.message
    assert not problem.fatal
    recorder.carry_out(messages.Mark("after"))
    recorder.end("stopped")
    with Session.open(target) as session:
        assert [marker.label for marker in session.markers] == ["after"]
        session.verify_digest()


def test_a_title_from_the_tags_of_a_file_is_one_line_without_controls(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with soundfile.SoundFile(path, "w", 44_100, 1) as file:
        file.title = "Calm\r\x1b[2Jday\u202e \u0645\u200c\u062e"
        file.write(np.zeros(4410))
    assert open_track(path).title == "Calm  [2Jday \u0645\u200c\u062e"


@pytest.mark.campaign
def test_large_music_that_is_read_first_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(headless, "_LARGE_BYTES", 1_000_000)
    for seconds in (1, 8):
        plan = Plan(
            person="P07",
            consent=consent_to(),
            playlist=(str(tone(tmp_path / f"{seconds}.wav", seconds, 44_100, 2)),),
            speaker=None,
            duration_s=0.5,
            output=str(tmp_path / f"{seconds}.h5"),
        )
        headless.record(plan, Settings(), said.append)
    assert [line for line in said if "of music first" in line] == [
        "Reading 1.4 MB of music first, for its digests …"
    ]
