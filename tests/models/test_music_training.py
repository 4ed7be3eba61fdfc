from pathlib import Path

import numpy as np
import pytest
import soundfile

from affetti.core.emotions import EMOTIONS
from affetti.core.errors import AffettiError, ExitCode
from affetti.models.evaluation.sound import affect
from affetti.models.evaluation.sound.clips import Clip, read_clips, read_samples, windows
from affetti.models.evaluation.sound.forest import (
    ForestChoice,
    PaperRecipe,
    artist_folds,
    clip_means,
    held_out,
)
from affetti.models.evaluation.sound.rooms import CONDITIONS, any_room, bad_room
from affetti.models.evaluation.sound.scores import calibration_error, intervals, scores
from affetti.models.evaluation.sound.table import feature_table

MUSIC = Path(__file__).parents[2] / "sample_sessions" / "music"
ARTISTS = 10


def ignore(done: int, total: int, what: str) -> None:
    """Take no notice of progress."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty clips of three seconds, cut from four pieces, as if by ten artists each."""
    folder = tmp_path_factory.mktemp("clips")
    rows = ["file,label,group,genres"]
    for emotion in EMOTIONS:
        samples, rate_hz = soundfile.read(MUSIC / f"{emotion}.ogg", dtype="int16")
        for artist in range(ARTISTS):
            start = rate_hz * artist
            name = f"{emotion}{artist}.wav"
            soundfile.write(folder / name, samples[start : start + 3 * rate_hz], rate_hz)
            rows.append(f"{name},{emotion},{emotion} artist {artist},Own; Test")
    (folder / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_clips_are_read_with_their_artists_and_genres(folder: Path):
    clips = read_clips(folder)

    assert len(clips) == 4 * ARTISTS
    assert clips[0].group == "happiness artist 0"
    assert clips[0].genres == ("Own", "Test")


def test_windows_cover_a_clip_evenly():
    samples = np.arange(30 * 100, dtype=np.int16)[:, None]

    starts = [int(window[0, 0]) for window in windows(samples, 100, step_s=5)]

    assert starts == [0, 500, 1_000, 1_500, 2_000]


def test_a_short_clip_is_one_window_and_a_very_short_one_none():
    samples = np.zeros((5 * 100, 1), np.int16)

    assert [len(window) for window in windows(samples, 100)] == [500]
    assert list(windows(samples[:299], 100)) == []


def test_no_artist_is_on_both_sides(folder: Path):
    clips = [
        Clip(clip.path, clip.label, f"artist {i // 2}") for i, clip in enumerate(read_clips(folder))
    ]
    labels = np.array([clip.label for clip in clips])

    for train, test in (*artist_folds(labels, clips, 5), held_out(clips)):
        assert not {clips[i].group for i in train} & {clips[i].group for i in test}
        assert sorted([*train, *test]) == list(range(len(clips)))


def test_too_few_artists_are_explained(folder: Path):
    clips = [Clip(clip.path, clip.label, "the only one") for clip in read_clips(folder)]

    with pytest.raises(AffettiError, match="1 artists are too few") as raised:
        held_out(clips)

    assert raised.value.code == ExitCode.DATA


def test_features_are_kept_and_found_again(folder: Path, own_cache: Path):
    clips = read_clips(folder)[::10]

    first = feature_table(folder, clips, ignore)
    again = feature_table(folder, clips, lambda *_: pytest.fail("computed again"))

    assert first.names == again.names
    assert np.array_equal(first.values, again.values)


@pytest.mark.campaign
def test_a_clip_is_scored_by_all_its_windows(tmp_path: Path, own_cache: Path):
    samples, rate_hz = soundfile.read(MUSIC / "happiness.ogg", dtype="int16")
    lengths_s = {"long": 28, "short": 4}
    for name, seconds in lengths_s.items():
        longer = np.resize(samples, (seconds * rate_hz, *samples.shape[1:]))
        soundfile.write(tmp_path / f"{name}.wav", longer, rate_hz)
    rows = [f"{name}.wav,happiness" for name in lengths_s]
    (tmp_path / "labels.csv").write_text("\n".join(["file,label", *rows]), encoding="utf-8")

    of_middles = affect.source(tmp_path, ignore)
    of_all = affect.source(tmp_path, ignore, wholly=True)

    assert of_middles.scored.clip.tolist() == [0, 1]
    assert of_all.scored.clip.tolist() == [0, 1, 0, 0]
    assert np.array_equal(of_all.clean.values, of_middles.clean.values)
    assert len(np.unique(of_all.scored.values, axis=0)) == 4


@pytest.mark.campaign
def test_the_exported_forest_says_what_the_trained_one_says(
    folder: Path, own_cache: Path, tmp_path: Path
):
    pytest.importorskip("skl2onnx")
    from affetti.models.training.sound.music import export

    clips = read_clips(folder)
    recipe = PaperRecipe(feature_table(folder, clips, ignore), clips, ignore)
    train, validation = held_out(clips)
    choice = ForestChoice(20, 10, 2, kept=0.5)
    forest, columns = recipe.fit(train, choice, recipe.importance_order(train))

    export(forest, feature_table(folder, clips, ignore).values[:, columns], tmp_path / "f.onnx")

    assert len(columns) == 34
    # Cuts of the same four pieces: whoever cannot tell these apart has learnt nothing.
    assert recipe.accuracy(forest, columns, validation) > 0.9


@pytest.mark.parametrize("name", [*CONDITIONS, "any room", "bad room"])
def test_alterations_keep_music_a_finite_signal_of_about_its_length(folder: Path, name: str):
    alter = {**CONDITIONS, "any room": any_room, "bad room": bad_room}[name]
    samples, rate_hz = read_samples(read_clips(folder)[0])
    signal = samples[:, 0] / 32_768

    altered = alter(signal, rate_hz, np.random.default_rng(0))

    assert len(altered) == pytest.approx(len(signal), rel=0.13)
    assert np.isfinite(altered).all()
    assert altered.std() > 0


def test_clip_probabilities_are_the_mean_of_their_windows():
    windows_of_two = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], float)

    means = clip_means(np.array([0, 0, 2]), windows_of_two, 3)

    assert means.tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]


def test_scores_of_known_answers():
    labels = np.array([0, 1, 2, 3])
    named = np.array([0, 3, 0, 3])

    result = scores(labels, np.eye(4)[named])

    assert result.accuracy == 0.5
    assert result.arousal_side == 1.0
    assert result.valence_side == 0.5
    assert result.confusion[2].tolist() == [1, 0, 0, 0]
    assert result.recall.tolist() == [1, 0, 0, 1]


def test_a_clip_without_music_counts_as_wrong():
    result = scores(np.array([0, 0]), np.array([[1.0, 0, 0, 0], [0, 0, 0, 0]]))

    assert result.n == 2
    assert result.coverage == 0.5
    assert result.accuracy == 0.5


def test_true_probabilities_have_no_calibration_error():
    labels = np.array([0] * 7 + [1] * 3)
    probabilities = np.tile([0.7, 0.3, 0, 0], (10, 1))

    assert calibration_error(labels, probabilities) == pytest.approx(0)


def test_intervals_draw_artists_and_hold_the_figure():
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 200)
    probabilities = np.eye(4)[np.where(random.random(200) < 0.7, labels, (labels + 1) % 4)]

    alone = intervals(labels, probabilities, [str(i) for i in range(200)], draws=200)
    together = intervals(labels, probabilities, [str(i // 20) for i in range(200)], draws=200)

    accuracy = scores(labels, probabilities).accuracy
    low, high = alone["accuracy"]
    assert low < accuracy < high
    assert together["accuracy"].shape == (2,)
