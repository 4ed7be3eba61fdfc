import json
import shutil
from pathlib import Path

import msgspec
import pytest

from affetti.core.errors import AffettiError, ExitCode
from affetti.models import manifest
from affetti.models.manifest import ModelFile, by_digest, model, models_in


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """A folder of one model folder, a copy of a shipped one."""
    shutil.copytree(manifest.ZOO / "music_emotion_paper", tmp_path / "zoo" / "music_emotion_paper")
    return tmp_path / "zoo"


def rewrite(entry: Path, **parameters: object) -> None:
    said = json.loads(entry.read_text())
    said["parameters"] |= parameters
    entry.write_text(json.dumps(said))


def test_every_model_is_pinned_by_its_file_and_its_parameters():
    for name, entry in manifest.manifest().items():
        assert (entry.name, entry.digest) == (name, entry.pinned)
        assert (entry.path.parent / entry.card).exists()
        assert entry.path.stat().st_size == entry.size_bytes


def test_other_parameters_are_another_model(zoo: Path):
    before = models_in(zoo)["music_emotion_paper"].digest
    rewrite(zoo / "music_emotion_paper" / manifest.ENTRY, threshold=0.31)
    assert before == model("music_emotion_paper").digest
    assert models_in(zoo)["music_emotion_paper"].digest != before


def test_the_order_of_parameters_says_nothing():
    entry = model("music_emotion_paper")
    turned = dict(reversed(entry.parameters.items()))
    assert msgspec.structs.replace(entry, parameters=turned).digest == entry.digest


def test_altered_parameters_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(manifest.ZOO, tmp_path / "zoo")
    monkeypatch.setattr(manifest, "ZOO", tmp_path / "zoo")
    rewrite(tmp_path / "zoo" / "music_emotion_paper" / manifest.ENTRY, threshold=0.0)
    with pytest.raises(AffettiError, match="parameters of music_emotion_paper") as raised:
        manifest.verified_bytes("music_emotion_paper")
    assert raised.value.code == ExitCode.MODEL


def test_an_older_model_is_found_in_a_zoo_by_its_digest(zoo: Path):
    rewrite(zoo / "music_emotion_paper" / manifest.ENTRY, threshold=0.29)
    older = models_in(zoo)["music_emotion_paper"]
    assert by_digest(older.digest) is None
    found = by_digest(older.digest, [zoo])
    assert isinstance(found, ModelFile)
    assert found.parameters["threshold"] == 0.29
    assert found.read()


def test_a_model_of_a_zoo_whose_file_was_altered_is_refused(zoo: Path):
    with (zoo / "music_emotion_paper" / "music_emotion_paper.onnx").open("ab") as file:
        file.write(b"!")
    with pytest.raises(AffettiError, match="not the one"):
        models_in(zoo)["music_emotion_paper"].read()


def test_a_zoo_may_hold_other_things(zoo: Path):
    (zoo / "notes").mkdir()
    (zoo / "notes" / manifest.ENTRY).write_text("[]")
    assert list(models_in(zoo)) == ["music_emotion_paper"]


def test_a_zoo_that_is_not_there_is_explained(tmp_path: Path):
    with pytest.raises(AffettiError) as raised:
        models_in(tmp_path / "absent")
    assert raised.value.code == ExitCode.FILE_MISSING
