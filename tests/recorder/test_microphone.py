"""The room: a sound file heard in real time, and the words when there is no microphone."""

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affetti.core.clock import NS_PER_S
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import AudioCaptured, AudioGap, ClockAnchored
from affetti.recorder.sources.microphone import Microphone, SoundFile, open_microphone
from tests.recorder.films import tone
from tests.recorder.recording_sink import RecordingSink, wait_for


def test_a_sound_file_is_heard_exactly_and_in_real_time(tmp_path):
    path = tone(tmp_path / "room.wav", 1.2, rate_hz=22_050, channels=1)
    room, sink = open_microphone(str(path)), RecordingSink()
    room.open()
    began = time.monotonic()
    room.start(sink)
    assert room.ended.wait(60)
    took_s = time.monotonic() - began
    room.stop()
    heard = sink.samples("room", 1)[:, 0]
    assert np.array_equal(heard, soundfile.read(path, dtype="int16")[0])
    assert took_s >= 1.2
    first, last = sink.of(AudioCaptured)[0], sink.of(AudioCaptured)[-1]
    assert last.t_ns - first.t_ns == pytest.approx(last.sample * NS_PER_S / 22_050, abs=1)
    assert [a.sample for a in sink.of(ClockAnchored)] == [0, 22 * 1024]
    assert not sink.of(AudioGap)


def test_a_sound_file_can_be_stopped_in_the_middle(tmp_path):
    room, sink = SoundFile(tone(tmp_path / "room.ogg", 30)), RecordingSink()
    room.open()
    room.start(sink)
    wait_for(lambda: len(sink.of(AudioCaptured)) > 3)
    room.stop()
    blocks = len(sink.of(AudioCaptured))
    time.sleep(0.1)
    assert len(sink.of(AudioCaptured)) == blocks


def test_a_file_is_told_from_a_device_by_its_suffix():
    assert isinstance(open_microphone("gone.WAV"), SoundFile)
    assert isinstance(open_microphone("USB 2.0 Camera: Audio (hw:1,0)"), Microphone)
    assert isinstance(open_microphone(""), Microphone)
    assert (open_microphone("a.wav").finite, open_microphone("").finite) == (True, False)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(AffettiError, match=r"gone\.wav") as caught:
        open_microphone(str(tmp_path / "gone.wav")).open()
    assert caught.value.code == ExitCode.FILE_MISSING


def test_stopping_what_was_never_started_is_fine(tmp_path):
    for room in (SoundFile(tone(tmp_path / "room.wav", 0.1)), Microphone("")):
        room.stop()
        room.stop()
