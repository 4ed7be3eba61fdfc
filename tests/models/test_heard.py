"""What is heard in real sounds, and in some that are made here."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    AudioGap,
    ConsentChanged,
    Event,
    HeardEstimated,
    MusicEstimated,
    StreamOpened,
    TrackStarted,
    consent_to,
)
from affetti.core.streams import audio_stream
from affetti.models.perception import Perception
from affetti.models.perception.heard import HeardPerception
from affetti.models.pipelines import AFFETTI, PAPER, Offer
from affetti.models.sound import heard
from affetti.models.sound.heard import HeardReader
from tests.conftest import NS, started

RATE_HZ = 22_050
TALK = Path(__file__).parent / "talk.ogg"  # Flite's voice "rms"
# A LibriVox reader (public domain), as passed on in the tests of PocketSphinx (BSD).
READ_ALOUD = Path(__file__).parent / "read_aloud.ogg"

Samples = NDArray[np.int16]


def chord(seconds: float, db: float = 0.0, rate_hz: int = RATE_HZ) -> Samples:
    """A chord that is struck twice a second."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    tones = sum(np.sin(2 * np.pi * hz * t) for hz in (220, 262, 330))
    struck = 4_000 * 10 ** (db / 20) * tones * np.exp(-3 * (t % 0.5))
    return np.round(struck).astype(np.int16)[:, None]


def spoken(file: Path, db: float = 0.0) -> Samples:
    samples, rate_hz = soundfile.read(file, dtype="int16", always_2d=True)
    resampled = soxr.resample(samples.astype(np.float64), rate_hz, RATE_HZ)
    return np.asarray(np.round(resampled * 10 ** (db / 20)), np.int16)


def said_of(
    samples: Samples, rate_hz: int = RATE_HZ, between: tuple[Event, ...] = ()
) -> list[Event]:
    """What perception makes of sound in the room."""
    chosen = Offer(AFFETTI).open()
    perception = Perception(chosen.read_face, chosen.read_music, others=[], listen=chosen.listen)
    form = AudioFormat(rate_hz, samples.shape[1])
    half = len(samples) // 2 // rate_hz * rate_hz
    blocks = [(0, samples[:half]), (half, samples[half:])]
    (first, second) = [
        (
            AudioCaptured(t_ns=at * NS // rate_hz, stream="room", sample=at, count=len(block)),
            block.astype("<i2").tobytes(),
        )
        for at, block in blocks
    ]
    items = [
        (started(streams=(audio_stream("room", form),)), b""),
        first,
        *((event, b"") for event in between),
        second,
    ]
    return [e for event, blob in items for e in perception.push(event, blob)]


def kinds(said: list[Event]) -> list[tuple[str, ...]]:
    return [e.heard for e in said if isinstance(e, HeardEstimated)]


def expressed(said: list[Event]) -> list[bool]:
    return [e.emotions is not None for e in said if isinstance(e, MusicEstimated)]


@pytest.mark.parametrize("db", [0, -20, -40])
@pytest.mark.parametrize("file", [TALK, READ_ALOUD])
def test_who_talks_is_heard_to_talk_and_no_music_is_read(file: Path, db: float) -> None:
    said = said_of(spoken(file, db))
    assert set(kinds(said)) == {("speech",)}
    assert not any(expressed(said))


@pytest.mark.parametrize("db", [0, -40, -55])
def test_music_is_music_however_softly_it_is_played(db: float) -> None:
    said = said_of(chord(6, db))
    assert kinds(said) == [("music",)] * 6
    assert expressed(said) == [True] * 4


@pytest.mark.parametrize(
    ("sings", "beside", "music"),
    [(0.6, 0.2, True), (0.45, 0.2, False), (0.35, 0.0, True), (0.2, 0.0, False)],
)
def test_a_voice_that_surely_sings_sang_in_the_second_before(
    sings: float, beside: float, music: bool
) -> None:
    """Of an unaccompanied voice the first second sounds like speech; what follows tells.

    Where nothing else plays, it need not be as sure.
    """
    perception = HeardPerception(HeardReader().listen)
    stream = audio_stream("room", AudioFormat(RATE_HZ, 1))
    perception.push(StreamOpened(t_ns=0, declaration=stream))
    for second, (speech, singing) in enumerate([(0.9, 0.1), (0.3, sings), (0.9, 0.0)], start=1):
        end = second * RATE_HZ
        perception.remember(
            HeardEstimated(
                t_ns=second * NS, stream="room", start_sample=end - RATE_HZ, end_sample=end,
                heard=("speech",), music=beside, singing=singing, speech=speech,
                level_dbfs=-30.0,
            )
        )  # fmt: skip

    of_two, of_three = (perception.presence("room", 0, n * RATE_HZ) for n in (2, 3))
    assert of_two is not None
    assert of_three is not None
    assert (of_two >= heard.MUSIC_FROM) == music
    assert of_three == pytest.approx((of_two * 2 + beside) / 3, abs=1e-6)


def test_silence_is_quiet_and_white_noise_is_noise_once_it_rises() -> None:
    random = np.random.default_rng(1)
    noise = random.normal(0, 20, 6 * RATE_HZ)
    noise[3 * RATE_HZ :] *= 40
    said = said_of(noise.astype(np.int16)[:, None])
    assert kinds(said) == [("quiet",)] * 3 + [("noise",)] * 3
    assert kinds(said_of(np.zeros((4 * RATE_HZ, 1), np.int16))) == [("quiet",)] * 4
    assert not any(expressed(said))


@pytest.mark.parametrize(("peak", "kind"), [(60, "quiet"), (600, "noise")])
def test_a_hum_is_the_rooms_own_noise_and_no_music(peak: int, kind: str) -> None:
    t = np.arange(4 * RATE_HZ) / RATE_HZ
    hum = peak * (np.sin(2 * np.pi * 50 * t) + 0.4 * np.sin(2 * np.pi * 150 * t))
    noise = np.random.default_rng(1).normal(0, 8, len(t))
    said = said_of(np.round(hum + noise).astype(np.int16)[:, None])
    assert kinds(said) == [(kind,)] * 4
    assert not any(expressed(said))


def test_the_floor_is_the_lowest_background_so_far() -> None:
    loud, soft = np.random.default_rng(1).normal(0, 1, (2, 3 * RATE_HZ)) * [[800], [20]]
    estimates = said_of(np.concatenate([loud, soft, loud]).astype(np.int16)[:, None])
    floors = [e.floor_dbfs for e in estimates if isinstance(e, HeardEstimated)]
    assert floors[2] > -40
    assert floors[3] < -60
    assert floors[3:] == sorted(floors[3:], reverse=True)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 48_000])
def test_a_chord_is_music_at_any_rate(rate_hz: int) -> None:
    assert kinds(said_of(chord(4, rate_hz=rate_hz), rate_hz)) == [("music",)] * 4


def test_channels_that_cancel_are_heard() -> None:
    stereo = chord(4) * np.array([1, -1], np.int16)
    assert kinds(said_of(stereo)) == [("music",)] * 4


def test_the_bass_channel_of_six_is_not_heard() -> None:
    samples = np.zeros((RATE_HZ, 6), np.int16)
    samples[:, 3] = chord(1)[:, 0]
    assert not heard.mixed(samples).any()


def test_a_second_is_heard_alike_wherever_listening_began() -> None:
    samples = np.concatenate([spoken(TALK)[: 4 * RATE_HZ], chord(4)])
    whole = [e for e in said_of(samples) if isinstance(e, HeardEstimated)]
    later = [e for e in said_of(samples[2 * RATE_HZ :]) if isinstance(e, HeardEstimated)]
    context = 3  # the second itself, and those before it
    for a, b in zip(whole[2 + context :], later[context:], strict=True):
        assert (a.music, a.singing, a.speech) == (b.music, b.singing, b.speech)


def test_what_was_heard_before_a_gap_or_without_consent_is_forgotten() -> None:
    gap = AudioGap(t_ns=3 * NS, stream="room", sample=3 * RATE_HZ, missing=1)
    denied = ConsentChanged(t_ns=3 * NS, consent=consent_to("video"))
    alone = [e for e in said_of(chord(3)) if isinstance(e, HeardEstimated)]
    for between in (gap, denied):
        said = [
            e
            for e in said_of(np.concatenate([spoken(TALK)[: 3 * RATE_HZ], chord(3)]),
                             between=(between,))
            if isinstance(e, HeardEstimated)
        ]  # fmt: skip
        assert [e.music for e in said[3:]] == [e.music for e in alone]


def test_the_paper_asks_nothing_of_the_sound() -> None:
    assert Offer(PAPER).open().listen is None


def test_frames_are_kaldis_wherever_they_are_taken() -> None:
    """A tone has its energy in its band, and the same at every rate."""
    found = []
    for rate_hz in (16_000, 44_100, 48_000):
        t = np.arange(rate_hz) / rate_hz
        tone = np.float32(8_000 * np.sin(2 * np.pi * 1_000 * t))
        energies = heard.mel_energies(tone, rate_hz)
        assert energies.shape == (98, 80)
        found.append(10 * np.log10(energies.sum(axis=1).mean()))
        assert int(energies.mean(axis=0).argmax()) == 27
    assert np.ptp(found) < 0.1


def test_reading_is_a_pure_function_of_what_is_heard() -> None:
    energies = heard.mel_energies(heard.mixed(spoken(TALK)[: 3 * RATE_HZ]), RATE_HZ)
    assert HeardReader().listen(energies) == HeardReader().listen(energies.copy())


def piece(seconds: int) -> Samples:
    """Chords at moments that are left to chance: what a delay can be found by."""
    random = np.random.default_rng(5)
    samples = np.zeros(seconds * RATE_HZ)
    t = np.arange(RATE_HZ) / RATE_HZ
    for onset in np.cumsum(random.uniform(0.15, 0.7, 2 * seconds)):
        at = round(onset * RATE_HZ)
        root = 220 * 2 ** (random.integers(0, 12) / 12)
        tones = sum(np.sin(2 * np.pi * root * k * t) for k in (1, 1.25, 1.5, 2, 3))
        struck = samples[at : at + RATE_HZ]
        struck += (1_500 * tones * np.exp(-5 * t))[: len(struck)]
    return np.round(samples).clip(-32_768, 32_767).astype(np.int16)[:, None]


def heard_while(
    played: NDArray[np.int16], room: NDArray[np.int16], late_ms: int = 0
) -> list[HeardEstimated]:
    """Return what is heard in both while one is played, as long as both last.

    The log tells of the playback so much later than of the room.
    """
    chosen = Offer(AFFETTI).open()
    perception = Perception(chosen.read_face, chosen.read_music, others=[], listen=chosen.listen)
    form = AudioFormat(RATE_HZ, 1)
    streams = tuple(audio_stream(name, form) for name in ("room", "playback"))
    begun = TrackStarted(
        t_ns=0,
        track=0,
        title="",
        file_name="",
        sha256="",
        sample=0,
        duration_s=len(played) / RATE_HZ,
    )
    said: list[Event] = []
    for event in (started(streams=streams), begun):
        said += perception.push(event, b"")
    for second in range(len(played) // RATE_HZ):
        at = slice(second * RATE_HZ, (second + 1) * RATE_HZ)
        for stream, samples, ahead_ms in (("playback", played, 0), ("room", room, late_ms)):
            t_ns = second * NS + ahead_ms * NS // 1_000
            captured = AudioCaptured(t_ns=t_ns, stream=stream, sample=at.start, count=RATE_HZ)
            said += perception.push(captured, samples[at].astype("<i2").tobytes())
    return [e for e in said if isinstance(e, HeardEstimated)]


@pytest.mark.campaign
@pytest.mark.parametrize("late_ms", [0, 46])
def test_a_voice_beside_the_loudspeaker_is_heard_and_the_loudspeaker_is_none(late_ms: int) -> None:
    played = piece(24)
    talk = np.concatenate([np.zeros((14 * RATE_HZ, 1), np.int16), spoken(TALK)])[: len(played)]
    delay = round(0.12 * RATE_HZ)
    room = np.roll(played, delay, axis=0) // 4
    room[:delay] = 0
    room[: len(talk)] += talk // 2
    said = heard_while(played, room, late_ms)
    heard_in_room = [e for e in said if e.stream == "room"]
    voices = [bool({"speech", "singing", "other_voice"} & {*e.heard}) for e in heard_in_room]
    assert sum(voices[:14]) <= 1
    assert sum(voices[15:23]) >= 6
    assert all((e.playback_share or 0) > 0.5 for e in heard_in_room[7:14])
    assert all("music" in e.heard for e in heard_in_room[7:14])
    assert {e.playback_share for e in said} - {None}
    assert all(e.voice is None for e in said if e.stream == "playback")


@pytest.mark.campaign
def test_a_voice_is_heard_where_the_room_does_not_hear_the_music() -> None:
    played = piece(24)
    talk = np.concatenate([np.zeros((14 * RATE_HZ, 1), np.int16), spoken(TALK)])[: len(played)]
    room = np.zeros_like(played)
    room[: len(talk)] += talk // 2
    heard_in_room = [e for e in heard_while(played, room) if e.stream == "room"]
    voices = [bool({"speech", "singing", "other_voice"} & {*e.heard}) for e in heard_in_room]
    assert all(e.heard == ("quiet",) for e in heard_in_room[:13])
    assert sum(voices[15:23]) >= 6
    assert sum(e.playback_share == 0.0 for e in heard_in_room[15:23]) >= 6
