"""A sound card is more than its name: it is found again in whatever form, and no other is taken."""

import importlib.util
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    AudioGap,
    DeviceLost,
    DeviceRefused,
    DeviceRestored,
)
from affetti.recorder.sources import devices, microphone, player, portaudio, soundcards
from affetti.recorder.sources.microphone import Microphone
from affetti.recorder.sources.player import Player
from tests.recorder.films import tone
from tests.recorder.recording_sink import RecordingSink, wait_for

STAND_IN = Path(__file__).parent / "portaudio_stand_in"


class Cards:
    """The sound devices of a machine, which are plugged in and pulled out."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._devices: list[dict[str, Any]] = []
        self._write()

    def plug_in(
        self, name: str, rate_hz: int = 48_000, heard: int = 2, played: int = 0, first: bool = False
    ) -> None:
        device = {
            "name": name,
            "default_samplerate": float(rate_hz),
            "max_input_channels": heard,
            "max_output_channels": played,
            "pitch_hz": 1000 if "Headset" in name else 300,
        }
        self._devices.insert(0 if first else len(self._devices), device)
        self._write()

    def pull_out(self, name: str) -> None:
        self._devices = [each for each in self._devices if each["name"] != name]
        self._write()

    def _write(self) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(self._devices))
        os.replace(new, self._file)


@pytest.fixture
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cards]:
    monkeypatch.setenv("CARDS", str(tmp_path / "cards.json"))
    monkeypatch.setenv("PYTHONPATH", str(STAND_IN))
    cards = Cards(tmp_path / "cards.json")
    spec = importlib.util.spec_from_file_location("sounddevice", STAND_IN / "sounddevice.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr(portaudio, "_BACK_OFF_S", (0.05,))
    monkeypatch.setattr(microphone, "SILENT_S", 0.2)
    monkeypatch.setattr(player, "SILENT_S", 0.2)
    yield cards
    assert not module.streams  # nothing was left open
    assert not soundcards._open


def listening(name: str = "") -> tuple[Microphone, RecordingSink]:
    source, sink = Microphone(name), RecordingSink()
    soundcards.portaudio()._initialize()
    source.open()
    source.start(sink)
    wait_for(lambda: sink.of(AudioCaptured))
    return source, sink


def pitch_hz(samples: np.ndarray[Any, Any], rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples[:, 0] * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * rate_hz / len(samples)


def test_a_headset_that_comes_back_at_16_khz_mono_goes_on_in_the_form_of_its_stream(
    cards: Cards,
) -> None:
    cards.plug_in("USB Headset: Audio (hw:1,0)")
    source, sink = listening("headset")
    assert source.format == AudioFormat(48_000, 2)
    (stream,) = source.streams
    assert stream.device is not None
    assert (stream.device.name, stream.device.number) == ("USB Headset: Audio", "1,0")
    cards.pull_out("USB Headset: Audio (hw:1,0)")
    wait_for(lambda: sink.of(DeviceLost))
    cards.plug_in("Monitor (hw:1,0)", played=2, heard=0)
    cards.plug_in("USB Headset: Audio (hw:2,0)", rate_hz=16_000, heard=1)
    wait_for(lambda: sink.of(DeviceRestored))
    before = source_samples(sink)
    wait_for(lambda: source_samples(sink) > before + 30_000)
    source.stop()
    (restored,) = sink.of(DeviceRestored)
    assert restored.found is not None
    assert (restored.found.number, restored.found.rate_hz, restored.found.channels) == (
        "2,0", 16_000.0, 1,
    )  # fmt: skip
    heard = sink.samples("room", 2)  # which checks that all blocks are of two channels
    assert pitch_hz(heard[-24_000:], 48_000) == pytest.approx(1000, abs=3)
    blocks = [event for event in sink.of(AudioCaptured) if event.t_ns > restored.t_ns]
    lasts_s = sum(block.count for block in blocks[1:-1]) / 48_000
    assert (blocks[-1].t_ns - blocks[1].t_ns) / 1e9 == pytest.approx(lasts_s, abs=0.1)
    (gap,) = sink.of(AudioGap)
    assert gap.cause == "device_lost"


def source_samples(sink: RecordingSink) -> int:
    return sum(event.count for event in sink.of(AudioCaptured))


def test_another_device_under_its_number_is_not_recorded(cards: Cards) -> None:
    cards.plug_in("USB Headset (hw:1,0)")
    source, sink = listening()
    cards.pull_out("USB Headset (hw:1,0)")
    wait_for(lambda: sink.of(DeviceLost))
    cards.plug_in("Webcam (hw:1,0)")
    wait_for(lambda: sink.of(DeviceRefused))
    source.stop()
    (refused,) = sink.of(DeviceRefused)
    assert (refused.device, refused.cause, refused.name) == ("microphone", "another", "Webcam")
    assert not sink.of(DeviceRestored)
    assert pitch_hz(sink.samples("room", 2), 48_000) == pytest.approx(1000, abs=100)


def test_the_default_device_that_is_another_now_is_not_recorded(cards: Cards) -> None:
    cards.plug_in("Headset")
    source, sink = listening()
    cards.plug_in("Laptop")
    cards.pull_out("Headset")
    wait_for(lambda: sink.of(DeviceRefused))
    cards.plug_in("Headset")
    wait_for(lambda: sink.of(DeviceRestored))
    source.stop()
    assert sink.of(DeviceRefused)[0].name == "Laptop"


def test_a_speaker_that_no_longer_takes_the_sound_is_refused_with_its_form(
    cards: Cards, tmp_path: Path
) -> None:
    cards.plug_in("Speaker", heard=0, played=2)
    soundcards.portaudio()._initialize()
    source = Player([tone(tmp_path / "a.wav", 20, 48_000)], "Speaker")
    sink = RecordingSink()
    source.open()
    source.start(sink)
    wait_for(lambda: sink.of(AudioCaptured))
    cards.pull_out("Speaker")
    wait_for(lambda: sink.of(DeviceLost))
    cards.plug_in("Speaker", rate_hz=16_000, heard=0, played=1)
    wait_for(lambda: sink.of(DeviceRefused))
    source.stop()
    assert sink.of(DeviceRefused)[0].cause == "form"
    assert not sink.of(DeviceRestored)


def test_music_pauses_for_a_moment_that_a_microphone_can_come_back(
    cards: Cards, tmp_path: Path
) -> None:
    cards.plug_in("Speaker", heard=0, played=2)
    cards.plug_in("USB Headset (hw:1,0)")
    source, sink = listening("Headset")
    music = Player([tone(tmp_path / "a.wav", 30, 48_000)], "Speaker")
    music.open()
    music.start(sink)
    wait_for(lambda: any(e.stream == "playback" for e in sink.of(AudioCaptured)))
    cards.pull_out("USB Headset (hw:1,0)")
    wait_for(lambda: any(e.device == "microphone" for e in sink.of(DeviceLost)))
    cards.plug_in("USB Headset (hw:3,0)", first=True)
    wait_for(lambda: sink.of(DeviceRestored))
    now_ns = sink.clock.now_ns()
    for stream in ("playback", "room"):
        wait_for(lambda s=stream: any(  # type: ignore[misc]
            e.stream == s and e.t_ns > now_ns for e in sink.of(AudioCaptured)))  # fmt: skip
    music.stop()
    source.stop()
    assert [e.device for e in sink.of(DeviceLost)].count("microphone") == 1
    gaps = {gap.stream: gap for gap in sink.of(AudioGap)}
    assert gaps["playback"].cause == "device_lost"
    assert gaps["playback"].missing == 0  # nothing of the music was left out


def test_devices_that_were_plugged_in_later_are_listed_when_they_are_asked_for(
    cards: Cards,
) -> None:
    cards.plug_in("Laptop")
    soundcards.portaudio()._initialize()
    cards.plug_in("Headset")
    assert devices.microphones() == ("Laptop",)
    soundcards.refresh()
    assert devices.microphones() == ("Laptop", "Headset")


def test_a_microphone_that_stays_away_can_be_stopped(cards: Cards) -> None:
    cards.plug_in("Headset")
    source, sink = listening()
    cards.pull_out("Headset")
    wait_for(lambda: sink.of(DeviceLost))
    source.stop()
    assert not [t for t in threading.enumerate() if t.name == "microphone"]
