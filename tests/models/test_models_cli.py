import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from affetti.core.errors import AffettiError, ExitCode
from affetti.models import manifest
from affetti.models.commands import models

MUSIC = Path(__file__).parents[2] / "sample_sessions" / "music"


def _run(*arguments: str) -> str:
    return CliRunner().invoke(models, arguments, catch_exceptions=False).stdout


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    places = {"happiness": "0.8,0.6", "sadness": "-0.6,-0.5", "anger": "-0.5,0.8",
              "relaxation": "0.5,-0.7"}  # fmt: skip
    rows = ["file,label,group,valence,arousal"]
    for piece in MUSIC.glob("*.ogg"):
        shutil.copy(piece, tmp_path)
        rows.append(f"{piece.name},{piece.stem},{piece.stem},{places[piece.stem]}")
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


@pytest.fixture
def altered_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    zoo = tmp_path / "zoo"
    shutil.copytree(manifest.ZOO, zoo)
    monkeypatch.setattr(manifest, "ZOO", zoo)
    with manifest.model("music_emotion").path.open("ab") as file:
        file.write(b"!")
    return zoo


def test_list_names_every_model_with_its_licence():
    listed = _run("list")

    for name, entry in manifest.manifest().items():
        assert name in listed
        assert entry.licence in listed


def test_list_as_json_has_the_digests():
    listed = json.loads(_run("list", "--json"))

    assert listed["music_emotion"]["sha256"] == manifest.model("music_emotion").sha256
    assert listed["music_emotion"]["digest"] == manifest.model("music_emotion").digest


def test_verify_passes_on_the_zoo_as_shipped():
    assert "music_emotion: as it should be" in _run("verify")


def test_verify_names_an_altered_file(altered_zoo: Path):
    with pytest.raises(AffettiError, match="music_emotion") as raised:
        _run("verify")

    assert raised.value.code == ExitCode.MODEL


@pytest.mark.campaign
def test_evaluate_music_scores_a_folder_of_clips(clips: Path):
    result = json.loads(_run("evaluate", "music", "--data", str(clips), "--no-train", "--json"))

    assert result["n"] == 4
    assert result["coverage"] == 1
    assert 0 <= result["accuracy"] <= 1
    assert set(result["recall"]) == {"happiness", "sadness", "anger", "relaxation"}
    for figure in ("macro_f1", "arousal_side", "valence_side", "ece", "ms_per_window", "spread"):
        assert figure in result
    assert -1 <= result["valence_r"] <= 1
    assert -1 <= result["arousal_r"] <= 1


@pytest.mark.campaign
def test_evaluate_music_says_the_same_in_words(clips: Path):
    shown = _run("evaluate", "music", "--data", str(clips), "--no-train")

    assert "4 clips" in shown
    assert "valence side" in shown


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("name,label\na.ogg,anger\n", "no column file"),
        ("file,label\na.ogg,joy\n", "line 2: 'joy'"),
        ("file,label\n", "no rows"),
        ("file,label\nabsent.ogg,anger\n", "absent.ogg cannot be read"),
        ("file,label,valence\na.ogg,anger,much\n", "line 2: 'much' is no number"),
    ],
)
def test_a_folder_that_makes_no_sense_is_explained(tmp_path: Path, table: str, complaint: str):
    (tmp_path / "labels.csv").write_text(table, encoding="utf-8")

    with pytest.raises(AffettiError, match=complaint) as raised:
        _run("evaluate", "music", "--data", str(tmp_path), "--no-train")

    assert raised.value.code == ExitCode.DATA
    assert "labels.csv" in raised.value.hint


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """Two clips that are counted, and one that is listed."""
    folder = Path(__file__).parent
    samples, rate_hz = soundfile.read(folder / "talk.ogg", dtype="int16")
    soundfile.write(tmp_path / "talk.wav", samples[: 5 * rate_hz], rate_hz)
    t = np.arange(4 * 22_050) / 22_050
    chord = sum(np.sin(2 * np.pi * hz * t) for hz in (220, 262, 330)) * np.exp(-3 * (t % 0.5))
    soundfile.write(tmp_path / "chord.wav", chord / 4, 22_050)
    table = "file,kind,group\ntalk.wav,not_music,speech\nchord.wav,music,chords\nx.wav,unsure,x\n"
    (tmp_path / "labels.csv").write_text(table, encoding="utf-8")
    return tmp_path


def test_evaluate_heard_counts_windows_by_group_and_lists_what_is_of_another_kind(rooms: Path):
    found = json.loads(_run("evaluate", "heard", "--data", str(rooms), "--json"))

    counts = {
        name: (group["kind"], group["clips"], group["windows"], group["music"])
        for name, group in found["groups"].items()
    }
    assert counts == {"speech": ("not_music", 1, 3, 0), "chords": ("music", 1, 2, 2)}
    assert found["groups"]["speech"]["heard"]["speech"] == 5
    assert found["not_counted"] == [{"file": "x.wav", "kind": "unsure"}]
    shown = _run("evaluate", "heard", "--data", str(rooms))
    assert "chords: music, 1, 2, 2 (100.0 %)" in shown
    assert "x.wav (unsure)" in shown


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("file,kind\na.wav,music\n", "no column group"),
        ("file,kind,group\na,b,c\n", "no row of kind"),
    ],
)
def test_a_folder_in_which_nothing_can_be_counted_is_explained(
    tmp_path: Path, table: str, complaint: str
):
    (tmp_path / "labels.csv").write_text(table, encoding="utf-8")

    with pytest.raises(AffettiError, match=complaint) as raised:
        _run("evaluate", "heard", "--data", str(tmp_path))

    assert raised.value.code == ExitCode.DATA


def test_a_folder_without_labels_is_explained(tmp_path: Path):
    with pytest.raises(AffettiError, match="cannot be read") as raised:
        _run("evaluate", "music", "--data", str(tmp_path))

    assert raised.value.code == ExitCode.DATA


@pytest.mark.campaign
def test_an_unknown_recipe_is_refused(clips: Path, tmp_path: Path):
    pytest.importorskip("skl2onnx")
    with pytest.raises(AffettiError, match="no recipe 'secret'"):
        _run(
            "train", "music", "--data", str(clips), "--recipe", "secret",
            "--output", str(tmp_path / "out"),
        )  # fmt: skip


def test_an_unknown_model_is_refused(clips: Path):
    with pytest.raises(AffettiError, match="no model named 'best'") as raised:
        _run("evaluate", "music", "--data", str(clips), "--model", "best")

    assert raised.value.code == ExitCode.MODEL


def test_a_model_of_another_kind_is_refused(clips: Path):
    with pytest.raises(AffettiError, match="another kind: face"):
        _run("evaluate", "music", "--data", str(clips), "--model", "face_expression_paper")


@pytest.mark.campaign
def test_cross_validation_of_too_few_artists_is_refused(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(AffettiError, match="4 artists are too few") as raised:
        _run("evaluate", "music", "--data", str(clips), "--model", "music_emotion_paper",
             "--cv", "artist")  # fmt: skip

    assert raised.value.code == ExitCode.DATA


def test_cross_validation_without_training_makes_no_sense(clips: Path):
    command = ["evaluate", "music", "--data", str(clips), "--cv", "artist", "--no-train"]

    assert CliRunner().invoke(models, command).exit_code == ExitCode.USAGE
