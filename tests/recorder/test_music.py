"""A collection of music is read once, and what is proposed from it follows from its map."""

import shutil
from pathlib import Path

import pytest

from affetti.core.custody.artefacts import MUSIC
from affetti.core.errors import ExitCode
from affetti.core.locations import cache_folder
from affetti.models.manifest import model
from affetti.models.pipelines import AFFETTI
from affetti.models.sound.music import model_names
from affetti.recorder.music import collection
from affetti.recorder.music.collection import MODELS, collected, scan, tracks_in
from affetti.recorder.music.fit import MIN_STEP, Known, Place, known, place_of, proposed
from affetti.recorder.music.piece import Piece, TrackReading
from tests.command_line import affetti
from tests.conftest import SAMPLES

HOW = Known(valence_r=0.64, arousal_r=0.84)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_folder() / MUSIC


def _piece(title: str, valence: float | None, arousal: float | None) -> Piece:
    reading = TrackReading(valence=valence, arousal=arousal)
    return Piece(Path(title), title, 60.0, title, reading)


MAP = [
    _piece("still", 0.2, -0.6),
    _piece("slow", 0.0, -0.2),
    _piece("here", 0.1, 0.05),
    _piece("dance", 0.5, 0.6),
    _piece("spoken", None, None),
]


def test_calmer_and_livelier_go_step_by_step_and_never_to_what_is_no_music() -> None:
    now = Place(0.1, 0.0)
    calmer = [piece.title for piece in proposed(MAP, now, "calmer", HOW)]
    livelier = [piece.title for piece in proposed(MAP, now, "livelier", HOW)]
    assert (calmer, livelier) == (["slow", "still"], ["dance"])
    assert abs(MAP[2].reading.arousal or 0.0) < MIN_STEP


def test_nearer_and_farther_are_each_others_reverse() -> None:
    now = Place(0.1, 0.0)
    nearer = [piece.title for piece in proposed(MAP, now, "nearer", HOW)]
    farther = [piece.title for piece in proposed(MAP, now, "farther", HOW)]
    assert nearer == ["here", "slow", "still", "dance"]
    assert farther == nearer[::-1]


def test_what_the_therapist_labelled_comes_first_unless_it_lies_on_the_other_side() -> None:
    now = Place(0.1, 0.0)
    for label, first in (("", "still"), ("relaxation", "still"), ("anger", "slow")):
        titles = [piece.title for piece in proposed(MAP, now, "calmer", HOW, {"still": label})]
        assert titles == [first, *({"still", "slow"} - {first})]
    far = [piece.title for piece in proposed(MAP, now, "nearer", HOW, {"dance": "anger"})]
    assert far == ["dance", "here", "slow", "still"]


def test_valence_counts_as_far_as_it_is_known() -> None:
    sad, calm = _piece("sad", -0.6, 0.0), _piece("calm", 0.0, -0.5)
    now = Place(0.0, 0.0)
    assert proposed([sad, calm], now, "nearer", Known(1.0, 1.0))[0] is calm
    assert proposed([sad, calm], now, "nearer", Known(0.0, 1.0))[0] is sad


def test_what_is_known_stands_in_the_card_of_the_model() -> None:
    how, found = known(), model(AFFETTI.music_emotion)
    card = (Path(found.folder) / found.card).read_text(encoding="utf-8")
    rated = next(line for line in card.splitlines() if line.startswith("| Grekow"))
    assert f"| {how.valence_r:.2f} (concordance" in rated
    assert f"| {how.arousal_r:.2f} (" in rated


def test_a_collection_is_read_once_and_known_wherever_it_moves(
    tmp_path: Path, own_cache: Path
) -> None:
    music = tmp_path / "music" / "calm"
    music.mkdir(parents=True)
    shutil.copy(SAMPLES / "music" / "sadness.ogg", music / "one.ogg")
    (music / "broken.ogg").write_bytes(b"OggS and no more")
    (first, broken) = sorted(scan(tracks_in([tmp_path]), jobs=1), key=lambda each: each.status)[
        ::-1
    ]
    assert (first.status, broken.status) == ("read", "failed")
    assert first.piece is not None
    reading = first.piece.reading
    assert reading.emotions is not None
    assert len(reading.course) == 3  # a window each five of its twenty seconds
    place = place_of(first.piece)
    assert place is not None
    assert place.arousal < 0

    moved = (music / "one.ogg").rename(music / "two.ogg")
    said = affetti("music", "scan", moved, "--jobs", 1)
    assert said.returncode == 0
    assert "1 track, 0 read anew" in said.stdout
    assert "valence r = 0.64" in said.stdout
    assert [piece.path for piece in collected()] == [moved]

    own_cache.unlink()
    assert collected() == []
    assert own_cache.name == MUSIC

    own_cache.mkdir()  # which can be written less than a full disk
    said = affetti("music", "scan", moved, "--jobs", 1)
    assert said.returncode == ExitCode.WARNING
    assert f"could not be kept in {own_cache.parent}" in said.stderr
    assert "1 track, 1 read anew" in said.stdout


def test_a_reading_is_stamped_with_the_models_that_the_pipeline_hears_with() -> None:
    assert sorted((*model_names(AFFETTI.music_emotion), AFFETTI.sound_events or "")) == [*MODELS]


def test_a_cache_that_is_none_is_as_good_as_none(own_cache: Path) -> None:
    own_cache.write_bytes(b'{"readings": 3}')
    assert collected() == []


def test_what_other_models_read_is_read_anew(own_cache: Path) -> None:
    own_cache.write_bytes(b'{"stamp": "older", "readings": {"a": {}}, "files": {}}')
    assert collection._of("now").readings == {}
