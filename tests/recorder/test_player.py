"""Playing to the log alone: sample-exact, in real time, steered by hand."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affetti.core.clock import NS_PER_S
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import (
    AudioCaptured,
    AudioGap,
    ClockAnchored,
    TrackEnded,
    TrackPaused,
    TrackResumed,
    TrackStarted,
)
from affetti.core.people.playlist import PlaylistEntry
from affetti.recorder.sources.player import Player
from affetti.recorder.sources.track import open_track, told_apart
from tests.recorder.films import tone
from tests.recorder.recording_sink import RecordingSink, wait_for

pytestmark = pytest.mark.one_of_each

RATE_HZ = 44_100


def play(*tracks: Path) -> tuple[Player, RecordingSink]:
    player, sink = Player(tracks, None), RecordingSink()
    player.open()
    player.start(sink)
    return player, sink


def play_to_the_end(*tracks: Path) -> tuple[Player, RecordingSink]:
    player, sink = play(*tracks)
    assert player.ended.wait(60)
    player.stop()
    return player, sink


def played_samples(sink: RecordingSink) -> int:
    blocks = sink.of(AudioCaptured)
    return blocks[-1].sample + blocks[-1].count if blocks else 0


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_every_kind_of_file_is_recorded_as_it_is_decoded(tmp_path, suffix):
    track = tone(tmp_path / f"track.{suffix}", seconds=0.7)
    player, sink = play_to_the_end(track)
    heard, expected = sink.samples("playback", 2), soundfile.read(track, dtype="int16")[0]
    # Whoever decodes compressed sound rounds it, and an MP3 ends in the silence of its encoder.
    n, most = (
        (len(expected), 0) if suffix in ("wav", "flac") else (min(map(len, (heard, expected))), 2)
    )
    assert abs(len(heard) - len(expected)) <= (0 if most == 0 else 2_400)
    assert np.abs(heard[:n].astype(int) - expected[:n]).max() <= most
    assert player.format.rate_hz == RATE_HZ


def test_tracks_follow_one_another_without_a_gap(tmp_path):
    first, second = (
        tone(tmp_path / "one.wav", seconds=0.5),
        tone(tmp_path / "two.wav", seconds=0.4),
    )
    _, sink = play_to_the_end(first, second)
    files = [soundfile.read(path, dtype="int16")[0] for path in (first, second)]
    assert np.array_equal(sink.samples("playback", 2), np.concatenate(files))
    border, end = len(files[0]), len(files[0]) + len(files[1])
    assert [(e.track, e.title, e.sample) for e in sink.of(TrackStarted)] == [
        (0, "one", 0),
        (1, "two", border),
    ]
    assert [(e.sample, e.reason) for e in sink.of(TrackEnded)] == [
        (border, "finished"),
        (end, "finished"),
    ]


def test_events_come_in_the_order_in_which_things_happen(tmp_path):
    _, sink = play_to_the_end(tone(tmp_path / "one.wav", 0.2), tone(tmp_path / "two.wav", 0.2))
    kinds = [type(e) for e in sink.events if not isinstance(e, ClockAnchored)]
    runs = [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] is not kind]
    assert runs == [TrackStarted, AudioCaptured, TrackEnded] * 2


def test_playing_takes_the_time_the_music_takes(tmp_path):
    _, sink = play_to_the_end(tone(tmp_path / "one.wav", seconds=1.5))
    start, end = sink.of(TrackStarted)[0], sink.of(TrackEnded)[0]
    assert end.t_ns - start.t_ns == pytest.approx(1.5 * NS_PER_S, abs=1)
    anchors = sink.of(ClockAnchored)
    assert [a.sample for a in anchors] == [0, 44 * 1024]
    second_ns = anchors[1].t_ns - anchors[0].t_ns
    assert second_ns == pytest.approx(44 * 1024 * NS_PER_S / RATE_HZ, abs=1)
    late_ns = [
        arrived - event.t_ns - event.count * NS_PER_S // RATE_HZ
        for event, arrived in zip(sink.events, sink.arrived_ns, strict=True)
        if isinstance(event, AudioCaptured)
    ]
    assert min(late_ns) >= -1000  # no block comes before it was heard


def test_a_mono_track_beside_a_stereo_one_is_on_both_sides(tmp_path):
    mono, stereo = (
        tone(tmp_path / "m.wav", 0.2, channels=1),
        tone(tmp_path / "s.wav", 0.2, channels=2),
    )
    player, sink = play_to_the_end(mono, stereo)
    assert player.format.channels == 2
    half = sink.samples("playback", 2)[: round(0.2 * RATE_HZ)]
    assert np.array_equal(half[:, 0], soundfile.read(mono, dtype="int16")[0])
    assert np.array_equal(half[:, 0], half[:, 1])


def test_another_rate_is_resampled_to_the_highest(tmp_path):
    low, high = (
        tone(tmp_path / "l.wav", 0.5, rate_hz=22_050),
        tone(tmp_path / "h.wav", 0.3, rate_hz=48_000),
    )
    player, sink = play_to_the_end(low, high)
    assert player.format.rate_hz == 48_000
    border = sink.of(TrackEnded)[0].sample
    assert border == 24_000
    sound = sink.samples("playback", 2)
    assert np.array_equal(sound[border:], soundfile.read(high, dtype="int16")[0])
    spectrum = np.abs(np.fft.rfft(sound[:border, 0] * np.hanning(border)))
    assert spectrum.argmax() / 0.5 == pytest.approx(440, abs=25)


def test_more_than_two_channels_are_averaged(tmp_path):
    track = tone(tmp_path / "surround.wav", 0.2, channels=6)
    player, sink = play_to_the_end(track)
    assert player.format.channels == 2
    expected = np.rint(soundfile.read(track, dtype="int16")[0].mean(axis=1))
    assert np.array_equal(sink.samples("playback", 2)[:, 1], expected)


def test_floating_point_sound_is_not_silent_and_does_not_wrap(tmp_path):
    time_s = np.arange(8000) / 44_100
    sound = 1.5 * np.sin(2 * np.pi * 440 * time_s)
    soundfile.write(tmp_path / "float.wav", sound, 44_100, subtype="FLOAT")
    _, sink = play_to_the_end(tmp_path / "float.wav")
    played = sink.samples("playback", 1)[:, 0] / 32767
    assert played == pytest.approx(np.clip(sound, -32768 / 32767, 1), abs=1e-4)


def test_next_skips_to_the_beginning_of_the_next_track(tmp_path):
    first, second = tone(tmp_path / "one.wav", 30), tone(tmp_path / "two.wav", 0.3, pitch_hz=300)
    player, sink = play(first, second)
    wait_for(lambda: played_samples(sink) > 5000)
    player.next()
    assert player.ended.wait(60)
    player.stop()
    ended = sink.of(TrackEnded)
    assert [e.reason for e in ended] == ["skipped", "finished"]
    assert ended[0].sample < 30 * RATE_HZ
    begins = sink.of(TrackStarted)[1].sample
    assert begins == ended[0].sample
    sound = sink.samples("playback", 2)
    assert np.array_equal(sound[begins:], soundfile.read(second, dtype="int16")[0])


def test_next_on_the_last_track_ends_the_playlist(tmp_path):
    player, sink = play(tone(tmp_path / "one.wav", 30))
    wait_for(lambda: played_samples(sink))
    player.next()
    assert player.ended.wait(60)
    player.stop()
    assert sink.of(TrackEnded)[0].reason == "skipped"


@pytest.mark.campaign
def test_a_chosen_track_comes_next_and_the_playlist_goes_on_after_it(tmp_path):
    tracks = [tone(tmp_path / f"{name}.wav", seconds=1) for name in "abc"]
    player, sink = play(*tracks[:2])  # short ones: the second is decoded already
    number, track = player.add(PlaylistEntry(path=str(tracks[2])))
    player.play_next(number)
    assert player.ended.wait(60)
    player.stop()
    assert (number, track.title) == (2, "c")
    assert [event.track for event in sink.of(TrackStarted)] == [0, 2, 1]
    ends, starts = sink.of(TrackEnded), sink.of(TrackStarted)
    assert [end.sample for end in ends[:-1]] == [start.sample for start in starts[1:]]
    assert played_samples(sink) == 3 * RATE_HZ
    with pytest.raises(AffettiError, match="playlist is over"):
        player.add(PlaylistEntry(path=str(tracks[2])))


def test_previous_goes_back_to_the_track_before(tmp_path):
    player, sink = play(tone(tmp_path / "one.wav", 0.3), tone(tmp_path / "two.wav", 30))
    wait_for(lambda: len(sink.of(TrackStarted)) == 2)
    player.previous()
    wait_for(lambda: len(sink.of(TrackStarted)) == 3)
    player.stop()
    assert [e.track for e in sink.of(TrackStarted)] == [0, 1, 0]


@pytest.mark.campaign
def test_previous_restarts_a_track_that_has_run_for_a_while(tmp_path):
    player, sink = play(tone(tmp_path / "one.wav", 0.1), tone(tmp_path / "two.wav", 30))
    wait_for(lambda: played_samples(sink) > 3.2 * RATE_HZ)
    player.previous()
    wait_for(lambda: len(sink.of(TrackStarted)) == 3)
    player.stop()
    assert [e.track for e in sink.of(TrackStarted)] == [0, 1, 1]


def test_a_pause_is_recorded_as_silence_and_the_music_goes_on_where_it_was(tmp_path):
    track = tone(tmp_path / "one.wav", 0.6)
    player, sink = play(track)
    wait_for(lambda: played_samples(sink) > 4000)
    player.pause()
    wait_for(lambda: sink.of(TrackPaused))
    time.sleep(0.3)
    player.resume()
    assert player.ended.wait(60)
    player.stop()
    paused, resumed = sink.of(TrackPaused)[0].sample, sink.of(TrackResumed)[0].sample
    sound = sink.samples("playback", 2)
    assert resumed - paused > 0.2 * RATE_HZ
    assert not sound[paused:resumed].any()
    heard = np.concatenate([sound[:paused], sound[resumed:]])
    assert np.array_equal(heard, soundfile.read(track, dtype="int16")[0])


def test_a_stopped_track_can_be_played_again(tmp_path):
    track = tone(tmp_path / "one.wav", 0.4)
    player, sink = play(track)
    wait_for(lambda: played_samples(sink) > 4000)
    player.stop_track()
    wait_for(lambda: sink.of(TrackEnded))
    time.sleep(0.1)
    assert not player.ended.is_set()
    player.resume()
    assert player.ended.wait(60)
    player.stop()
    assert [e.reason for e in sink.of(TrackEnded)] == ["stopped", "finished"]
    begins = sink.of(TrackStarted)[1].sample
    again = sink.samples("playback", 2)[begins:]
    assert np.array_equal(again, soundfile.read(track, dtype="int16")[0])


def test_stop_tells_where_the_playing_track_ended(tmp_path):
    player, sink = play(tone(tmp_path / "one.wav", 30))
    wait_for(lambda: played_samples(sink))
    player.stop()
    player.stop()
    last = sink.events[-1]
    assert isinstance(last, TrackEnded)
    assert last.reason == "stopped"
    assert last.sample == played_samples(sink)


def test_what_finds_no_room_is_told_as_a_gap(tmp_path, monkeypatch):
    monkeypatch.setattr("affetti.recorder.sources.player.FILE_PATIENCE_S", 0.0)
    player, sink = play(tone(tmp_path / "one.wav", 1.0))
    wait_for(lambda: played_samples(sink) > 4000)
    sink.full = True
    time.sleep(0.2)
    sink.full = False
    assert player.ended.wait(60)
    player.stop()
    missing = sum(gap.missing for gap in sink.of(AudioGap))
    assert missing > 0
    assert len(sink.samples("playback", 2)) + missing == RATE_HZ


def test_a_log_that_is_full_for_a_moment_loses_nothing(tmp_path):
    track = tone(tmp_path / "one.wav", 0.8)
    player, sink = play(track)
    wait_for(lambda: played_samples(sink) > 4000)
    sink.full = True
    time.sleep(0.3)
    sink.full = False
    assert player.ended.wait(60)
    player.stop()
    assert not sink.of(AudioGap)
    assert np.array_equal(sink.samples("playback", 2), soundfile.read(track, dtype="int16")[0])


def test_a_track_that_is_cut_off_ends_where_its_sound_ends(tmp_path):
    whole = tone(tmp_path / "whole.flac", 0.5)
    cut = tmp_path / "cut.flac"
    cut.write_bytes(whole.read_bytes()[:-6000])
    _, sink = play_to_the_end(cut, tone(tmp_path / "two.wav", 0.1))
    assert [e.track for e in sink.of(TrackEnded)] == [0, 1]
    assert sink.of(TrackEnded)[0].sample < 0.5 * RATE_HZ
    assert sink.of(TrackEnded)[1].reason == "finished"


def test_a_track_that_vanishes_fails_and_the_next_one_plays(tmp_path):
    first, second = tone(tmp_path / "one.wav", 0.2), tone(tmp_path / "two.wav", 0.2)
    player, sink = Player([first, second], None), RecordingSink()
    player.open()
    first.unlink()
    player.start(sink)
    assert player.ended.wait(60)
    player.stop()
    assert [(e.track, e.reason) for e in sink.of(TrackEnded)] == [(0, "failed"), (1, "finished")]
    assert np.array_equal(sink.samples("playback", 2), soundfile.read(second, dtype="int16")[0])


def test_a_missing_track_is_named_before_anything_plays(tmp_path):
    with pytest.raises(AffettiError, match=r"gone\.wav") as caught:
        Player([tone(tmp_path / "one.wav", 0.1), tmp_path / "gone.wav"], None).open()
    assert caught.value.code == ExitCode.FILE_MISSING


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is empty"), (b"no sound at all" * 100, "is not a sound file")]
)
def test_a_track_that_is_no_sound_is_named(tmp_path, content, said):
    path = tmp_path / "letter.wav"
    path.write_bytes(content)
    with pytest.raises(AffettiError, match=rf"letter\.wav {said}") as caught:
        Player([path], None).open()
    assert caught.value.code == ExitCode.MEDIA


def test_a_title_is_read_from_the_tags(tmp_path):
    with soundfile.SoundFile(tmp_path / "07.flac", "w", 8000, 1) as file:
        file.title = "Für Elise"
        file.write(np.zeros(800))
    player = Player([tmp_path / "07.flac"], None)
    player.open()
    assert player.titles == ("Für Elise",)
    player.stop()


def test_tracks_of_one_name_in_two_folders_are_told_apart(tmp_path):
    paths = [tmp_path / folder / "01.wav" for folder in ("Bach", "Händel", "Copy")]
    for path, seconds in zip(paths, (0.1, 0.2, 0.2), strict=True):
        path.parent.mkdir()
        tone(path, seconds)
    other = tone(tmp_path / "02.wav", 0.1)
    titles = [each.title for each in told_apart([open_track(each) for each in (*paths, other)])]
    assert titles == ["Bach/01", "Händel/01", "Copy/01", "02"]
    same = [open_track(paths[1]), open_track(paths[2])]  # one piece, twice
    assert [each.title for each in told_apart(same)] == ["01", "01"]
    named = [open_track(PlaylistEntry(path=str(each), title="calm")) for each in paths[:2]]
    assert [each.title for each in told_apart(named)] == ["calm", "calm"]


def test_a_track_that_was_replaced_is_not_played_under_the_hash_of_another(tmp_path):
    paths = [tone(tmp_path / f"{name}.wav", seconds=0.5) for name in ("a", "b", "c")]
    player, sink = Player(paths, None), RecordingSink()
    player.open()
    other = tone(tmp_path / "other.wav", seconds=0.3)
    touched = paths[2].read_bytes()
    other.replace(paths[1])  # another file, after all of them were checked
    paths[2].write_bytes(touched)  # the same bytes, written again
    player.start(sink)
    assert player.ended.wait(60)
    player.stop()
    assert [event.reason for event in sink.of(TrackEnded)] == ["finished", "failed", "finished"]
    assert played_samples(sink) == RATE_HZ


@pytest.mark.filterwarnings("error")
def test_what_is_no_number_is_silence_and_nothing_is_printed(tmp_path):
    sound = np.full(4410, 0.25, np.float32)
    sound[:3] = np.nan
    soundfile.write(tmp_path / "a.wav", sound, RATE_HZ, subtype="FLOAT")
    _, sink = play_to_the_end(tmp_path / "a.wav")
    played = sink.samples("playback", 1)[:, 0]
    assert list(played[:3]) == [0, 0, 0]
    assert set(played[3:]) == {8192}


def test_a_pipe_is_no_track_and_nobody_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(AffettiError, match="pipe") as caught:
        Player([tmp_path / "a.wav"], None).open()
    assert caught.value.code == ExitCode.MEDIA


def test_a_playlist_among_the_tracks_is_told_from_a_damaged_file(tmp_path):
    (tmp_path / "a.m3u").write_text("a.wav\n")
    with pytest.raises(AffettiError, match="a list") as caught:
        Player([tmp_path / "a.m3u"], None).open()
    assert "--playlist" in caught.value.hint


def test_a_wav_whose_length_was_never_written_is_played_to_its_end(tmp_path):
    whole = bytearray(tone(tmp_path / "a.wav", seconds=0.5).read_bytes())
    at = whole.index(b"data")
    whole[4:8] = whole[at + 4 : at + 8] = bytes(4)
    (tmp_path / "a.wav").write_bytes(whole)
    _, sink = play_to_the_end(tmp_path / "a.wav")
    assert played_samples(sink) == RATE_HZ // 2
