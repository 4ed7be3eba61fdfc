"""How late pictures are against sound is found from flashes with beeps, and heeded from then on."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from scipy.signal import correlate

from affetti.analyzer.measures.estimates import synchronous
from affetti.analyzer.measures.synchrony import (
    Measured,
    Onset,
    Unmeasured,
    _session_s,
    clap_offset,
    clap_onsets,
    flash_onsets,
    offset,
    sound_onsets,
)
from affetti.core import locations, synchrony
from affetti.core.devices import Device
from affetti.core.errors import ExitCode
from affetti.core.events import Face, FaceEstimated, FrameCaptured, MarkerAdded
from affetti.core.recording.info import describe
from affetti.core.recording.session import Session
from affetti.core.state import SessionState
from affetti.core.streams import CAMERA, ROOM, AudioFormat, audio_stream, video_stream
from affetti.core.synchrony import Synchrony
from affetti.models.perception import FusionPerception
from affetti.recorder.flashes import RATE_HZ, moments, write_beeps
from tests.command_line import affetti
from tests.conftest import started
from tests.recorder.films import encoded_film
from tests.recorder.soundcard import VirtualSoundCard, require_packages

PER_S = 25
SECONDS = 9.0


def flash_film(path: Path, late_s: float, seconds: float = SECONDS, step_s: float = 0.0) -> Path:
    """Write a film that flashes `late_s` after each moment; each picture shows what is then.

    With `step_s`, the flashes come in that rhythm.
    """
    at = np.arange(1.0, seconds - 1, step_s) if step_s else np.array(moments(seconds))
    stamps = np.arange(round(seconds * PER_S)) / PER_S
    bright = [bool(np.any((t >= at + late_s) & (t < at + late_s + 0.15))) for t in stamps]
    pictures = [np.full((120, 160, 3), 230 if each else 15, np.uint8) for each in bright]
    return encoded_film(path, pictures, per_s=PER_S)


def onsets_of(
    late_s: float, fps: float, jitter_s: float, seed: int
) -> tuple[list[Onset], list[Onset]]:
    """Return flashes as a camera stamps them, and beeps, of which one each has no fellow."""
    rng = np.random.default_rng(seed)
    at = np.array(moments(20.0, seed))
    stamps = np.arange(0, 21, 1 / fps) + rng.normal(0, jitter_s, round(21 * fps))
    seen = [int(np.searchsorted(stamps, t + late_s)) for t in at]
    flashes = [Onset(stamps[i - 1], stamps[i]) for i in seen]
    beeps = [Onset(t, t) for t in at + rng.normal(0, 0.0005, len(at))]
    return [Onset(0.2, 0.24), *flashes[1:]], [*beeps[:-1], Onset(19.9, 19.9)]


@pytest.mark.parametrize("late_ms", [0, 80, -120, 333])
@pytest.mark.parametrize("fps", [25, 30])
def test_an_offset_is_found_finer_than_a_picture_lasts(late_ms: float, fps: float) -> None:
    for seed in range(1, 6):
        found = offset(*onsets_of(late_ms / 1000, fps, 0.002, seed))
        assert isinstance(found, Measured)
        assert found.late_s * 1000 == pytest.approx(late_ms, abs=5)
        assert found.spread_s < 0.006
        assert found.pairs >= found.flashes - 2


def test_flashes_in_step_with_a_film_are_seen_from_its_stamps() -> None:
    beeps = [Onset(t, t) for t in np.arange(1.0, 12.0)]
    flashes = [Onset(b.by_s + 0.08 - 0.04, b.by_s + 0.08) for b in beeps]
    found = offset(flashes, beeps, seen_from_stamp=True)
    assert isinstance(found, Measured)
    assert found.late_s == pytest.approx(0.08, abs=0.0015)


def test_what_has_nothing_in_common_is_not_measured() -> None:
    rng = np.random.default_rng(3)
    flashes = [Onset(t, t + 0.03) for t in np.sort(rng.uniform(0, 60, 12))]
    beeps = [Onset(t, t) for t in np.sort(rng.uniform(0, 60, 12))]
    found = offset(flashes, beeps)
    assert isinstance(found, Unmeasured)
    assert found.why == "no_pairs"
    assert offset(flashes[:2], beeps) == Unmeasured("no_flashes", 2, 12)
    assert offset(flashes, []) == Unmeasured("no_beeps", 12, 0)


def test_beeps_are_found_to_a_millisecond_over_noise_and_hum(tmp_path: Path) -> None:
    sound, _ = soundfile.read(write_beeps(tmp_path / "b.wav", 12.0))
    t = np.arange(len(sound)) / RATE_HZ
    noisy = sound * 3000 + np.random.default_rng(0).normal(0, 30, len(sound))
    noisy += 2000 * np.sin(2 * np.pi * 50 * t)
    found = np.array(sound_onsets(noisy, RATE_HZ)) / RATE_HZ
    assert found == pytest.approx(moments(12.0), abs=0.0015)


def test_a_light_that_is_switched_on_slowly_is_no_flash() -> None:
    t = np.arange(300) / 30
    assert flash_onsets(t, 20 + t * 10) == []
    assert flash_onsets(t, np.full(300, 20.0)) == []


def measured(film: Path, sound: Path) -> dict[str, float]:
    done = affetti(
        "sync", "--camera", film, "--microphone", sound, "--seconds", SECONDS + 1, "--json"
    )
    assert done.returncode == ExitCode.OK, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("late_ms", "step_s"),
    [(80, 0.0), *(pytest.param(*each, marks=pytest.mark.campaign)
                  for each in ((0, 0.0), (-120, 0.0), (80, 1.0)))],
)  # fmt: skip
def test_a_film_with_flashes_and_a_sound_with_beeps_are_measured(
    tmp_path: Path, late_ms: int, step_s: float
) -> None:
    film = flash_film(tmp_path / "film.mp4", late_ms / 1000, step_s=step_s)
    beeps = write_beeps(tmp_path / "beeps.wav", SECONDS)
    if step_s:
        sound = np.zeros(round(SECONDS * RATE_HZ))
        for at in np.arange(1.0, SECONDS - 1, step_s):
            sound[round(at * RATE_HZ) : round(at * RATE_HZ) + 2000 : 2] = 0.5
        soundfile.write(beeps, sound, RATE_HZ)
    found = measured(film, beeps)
    assert found["late_ms"] == pytest.approx(late_ms, abs=5)
    assert found["kept"] is None  # a film is no device


def clapping_film(path: Path, at: list[float], late_s: float, *, per_s: int, rests: bool) -> Path:
    """Write a film of two hands that meet `late_s` after each moment, and rest then or do not.

    Each picture shows the mean of the half of its length before it, as a camera exposes.
    """
    met = np.array(at) + late_s
    pictures = []
    for stamp in np.arange(round((at[-1] + 1.5) * per_s)) / per_s:
        shown = np.zeros((240, 320))
        for before in (0, 0.25, 0.5):
            shown += hands(apart(stamp - before / per_s, met, rests)) / 3
        pictures.append(np.repeat(shown.astype(np.uint8)[:, :, None], 3, axis=2))
    return encoded_film(path, pictures, per_s=per_s)


def apart(t_s: float, met: np.ndarray, rests: bool) -> float:
    """How far apart hands are, 0 to 1: they meet within .2 s, and part within .4 s."""
    after = t_s - met
    closing = min((-each / 0.2 for each in after if each < 0), default=1.0)
    rested = 0.25 if rests else 0.0
    parting = min(((each - rested) / 0.4 for each in after if each >= 0), default=1.0)
    return float(np.clip(min(closing, max(parting, 0.0)), 0, 1))


def hands(share: float) -> np.ndarray:
    picture = np.full((240, 320), 60.0)
    half = round(90 * share)
    picture[80:170, 160 - half - 45 : 160 - half] = 190
    picture[80:170, 160 + half : 160 + half + 45] = 190
    return picture


def clap_sound(path: Path, at: list[float]) -> Path:
    """Write claps: noise that dies away, over the noise of a room."""
    rng = np.random.default_rng(4)
    sound = rng.normal(0, 0.002, round((at[-1] + 1.5) * RATE_HZ))
    burst = rng.normal(0, 0.4, 4000) * np.exp(-np.arange(4000) / 500)
    for each in at:
        begin = round(each * RATE_HZ)
        sound[begin : begin + len(burst)] += burst
    soundfile.write(path, np.clip(sound, -1, 1), RATE_HZ)
    return path


CLAPS = [1.5, 2.63, 3.71, 4.94, 6.12, 7.25, 8.41, 9.6]


def clapped(folder: Path, late_ms: int, *, per_s: int = 25, rests: bool = True) -> dict[str, Any]:
    film = clapping_film(folder / "film.mp4", CLAPS, late_ms / 1000, per_s=per_s, rests=rests)
    sound = clap_sound(folder / "claps.wav", CLAPS)
    done = affetti("import", film, "--sound", sound, "--output", folder / "out.h5")
    assert done.returncode == ExitCode.OK, done.stderr
    return json.loads(affetti("sync", "--clap", folder / "out.h5", "--json").stdout)


@pytest.mark.campaign
@pytest.mark.parametrize("late_ms", [0, 80, -120])
def test_claps_are_measured_to_fifteen_milliseconds(tmp_path: Path, late_ms: int) -> None:
    found = clapped(tmp_path, late_ms)
    exposed_ms = 1000 / 25 / 4  # a picture shows the middle of its exposure, and is stamped later
    assert found["late_ms"] == pytest.approx(late_ms + exposed_ms, abs=15)
    assert found["late_ms"] == pytest.approx(late_ms + exposed_ms, abs=found["spread_ms"])
    assert found["spread_ms"] <= 15
    assert found["pairs"] >= 7


@pytest.mark.campaign
@pytest.mark.parametrize(("per_s", "rests", "why"), [(12, True, "claps_unclear"),
                                                     (25, False, "no_claps_seen")])  # fmt: skip
def test_claps_that_do_not_say_it_clearly_are_refused(
    tmp_path: Path, per_s: int, rests: bool, why: str
) -> None:
    found = clapped(tmp_path, 80, per_s=per_s, rests=rests)
    assert found == {"measured": False, "why": why, "flashes": found["flashes"], "beeps": 8}


def test_where_between_two_pictures_hands_met_is_told_by_how_far_they_moved() -> None:
    rng = np.random.default_rng(2)
    times_s = np.arange(500) / 25
    met = np.arange(1.5, 18, 1.1) + rng.uniform(0, 0.04, 15)
    where = np.array([apart(t, met, True) for t in times_s])
    moved = np.abs(np.diff(where, prepend=where[0])) + rng.normal(0, 0.002, 500)
    closing = -np.sign(np.diff(where, prepend=where[0]))
    seen = clap_onsets(times_s, moved, closing)
    assert len(seen) == len(met)
    found = clap_offset(seen, [Onset(t, t) for t in met - 0.033])
    assert isinstance(found, Measured)
    assert found.late_s == pytest.approx(0.033, abs=0.004)
    assert clap_offset(seen[:3], []) == Unmeasured("no_claps_seen", 3, 0)
    assert clap_onsets(times_s, rng.normal(1, 0.1, 500), np.ones(500)) == []
    unrelated = [Onset(t, t) for t in np.sort(rng.uniform(0, 60, 12))]
    assert isinstance(clap_offset(seen, unrelated), Unmeasured)


CAMERA_DEVICE = Device(name="HD Webcam", bus="1-1", width_px=640, height_px=480)
HEADSET = Device(name="Headset", bus="ALSA", rate_hz=48_000.0, channels=1)
STREAMS = (
    video_stream(CAMERA, device=CAMERA_DEVICE),
    audio_stream(ROOM, AudioFormat(48_000, 1), device=HEADSET),
)
NOW = datetime.fromisoformat("2026-11-24T10:15:00+01:00")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(locations, "data_folder", lambda: tmp_path / "data")
    return tmp_path


def test_what_was_measured_of_two_devices_is_kept_for_them_alone(home: Path) -> None:
    old = Synchrony(late_ns=1, spread_ns=1, pairs=5, measured="2026-11-01T10:15:00+01:00")
    new = Synchrony(
        late_ns=80_000_000, spread_ns=2_000_000, pairs=9, measured="2026-11-23T10:15:00+01:00"
    )
    assert synchrony.measured_of(STREAMS, NOW) is None
    synchrony.keep(CAMERA_DEVICE, HEADSET, old)
    path = synchrony.keep(CAMERA_DEVICE, HEADSET, new)
    assert path is not None
    assert path.stat().st_mode & 0o077 == 0
    assert len(synchrony.kept()) == 1
    found = synchrony.measured_of(STREAMS, NOW)
    assert found is not None
    assert (found.late_ns, found.age_s) == (80_000_000, 24 * 3600)
    other = video_stream(CAMERA, device=Device(name="Door", bus="1-2"))
    assert synchrony.measured_of((other, STREAMS[1]), NOW) is None
    assert synchrony.measured_of(STREAMS[:1], NOW) is None


@pytest.mark.parametrize("damage", [b"", b"[", b"{}", b'[{"camera": 7}]', b"\xff" * 9])
def test_a_damaged_file_of_measurements_costs_no_recording(home: Path, damage: bytes) -> None:
    (home / "data").mkdir()
    (home / "data" / synchrony.SYNCHRONY).write_bytes(damage)
    assert synchrony.measured_of(STREAMS, NOW) is None


def fused_at(late_ns: int) -> dict[int, str]:
    """Return which modality decided at each tick, of a face that is stamped at 1.3 s."""
    found = Synchrony(late_ns=late_ns, spread_ns=0, pairs=9, measured=NOW.isoformat())
    fusion = FusionPerception()
    fusion.push(started(synchrony=found if late_ns else None), [])
    sevens = (0.7, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05)
    read = Face(
        face_id=0, read=True, box_px=(0, 0, 9, 9), expressions=sevens, emotions=(0.7, 0.1, 0.1, 0.1)
    )
    face = FaceEstimated(t_ns=1_300_000_000, frame=1, faces=(read,))
    made = fusion.push(FrameCaptured(t_ns=1_300_000_000, frame=1, width_px=9, height_px=9), [face])
    for t_ns in range(1_400_000_000, 3_000_000_000, 100_000_000):
        made += fusion.push(MarkerAdded(t_ns=t_ns), [])
    return {each.t_ns // 1_000_000: each.decided_by for each in made}


def test_fusion_sets_the_face_beside_the_sound_of_its_moment() -> None:
    as_stamped, late, early = fused_at(0), fused_at(400_000_000), fused_at(-300_000_000)
    assert [t for t, by in as_stamped.items() if by == "face"] == [1500, 2000]
    assert [t for t, by in late.items() if by == "face"] == [1000, 1500]
    assert [t for t, by in early.items() if by == "face"] == [2000, 2500]


def test_measures_take_the_face_in_the_time_of_the_sound_and_stamps_stay() -> None:
    state = SessionState()
    found = Synchrony(late_ns=80_000_000, spread_ns=0, pairs=9, measured=NOW.isoformat())
    state.apply(started(synchrony=found))
    table = {"t_ns": np.array([0, 500_000_000]), "frame": np.array([0, 1])}
    shifted = synchronous({"face": table, "music": {}}, state)
    assert shifted["face"]["t_ns"].tolist() == [0, 420_000_000]
    assert table["t_ns"].tolist() == [0, 500_000_000]
    told = describe(state, sealed=True).synchronous
    assert told == [
        "pictures are stamped 80 ms after the sound of the same moment, ± 0.1 ms; "
        "measured 0 s before, and heeded"
    ]
    untold = SessionState()
    untold.apply(started())
    assert describe(untold, sealed=True).synchronous == [
        "not measured for these devices (affetti sync)"
    ]


@pytest.mark.campaign
@pytest.mark.parametrize("late_ms", [0, 80, -120])
def test_a_film_and_the_microphone_of_a_sound_card_are_measured(
    tmp_path: Path, late_ms: int
) -> None:
    require_packages()
    film = flash_film(tmp_path / "film.mp4", 1 + late_ms / 1000, seconds=16.0)
    beeps = write_beeps(tmp_path / "beeps.wav", 14.0)
    target = tmp_path / "out.h5"
    with VirtualSoundCard() as card:
        command = [sys.executable, "-m", "affetti", "record", "--headless", "--camera", film]
        command += ["--microphone", card.microphone, "--play", beeps, "--speaker", card.speaker]
        command += ["--duration", "17", "--output", target]
        subprocess.run(list(map(str, command)), env=card.environment, check=True)
    done = affetti("sync", target, "--json")
    found = json.loads(done.stdout)
    with Session.open(target) as session:
        # The card is exact: the samples that were played are found again among those heard.
        room, played = session.audio("room"), session.audio("playback")
        heard = room.read()[:, 0].astype(np.float64)
        known = soxr.resample(played.read()[:, 0].astype(np.float64), RATE_HZ, room.rate_hz)
        shift = int(np.argmax(correlate(heard, known, "full"))) - (len(known) - 1)
        # Stamps of single blocks wander on a machine that is busy: the middle of all seconds.
        seconds = range(len(played.read()) // played.rate_hz)
        at = [_session_s(room.blocks, room.rate_hz, shift + s * room.rate_hz) - s for s in seconds]
        began_s = float(np.median(at))
        true_ms = 1000 * (session.frames.t_ns[0] / 1e9 + 1 - began_s) + late_ms
    assert found["late_ms"] == pytest.approx(true_ms, abs=5)
    assert found["spread_ms"] < 5
