import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from affetti.core.errors import AffettiError, ExitCode
from affetti.core.recording.session import Session
from affetti.core.settings import load
from affetti.models import manifest
from affetti.models.face.quality import MIN_SHARPNESS
from affetti.models.pipelines import AFFETTI, PAPER, Offer, offered, offers


def settings_of(tmp_path: Path, text: str):
    path = tmp_path / "pipelines.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_two_pipelines_come_with_the_product():
    assert set(offers()) >= {"affetti", "paper"}
    assert offered("affetti").pipeline == AFFETTI


def test_the_digests_cover_what_music_is_heard_through():
    assert set(Offer(AFFETTI).models) == {
        *("face_expression", "face_yunet", "face_landmarks", "face_identity", "face_cover"),
        *("music_emotion", "musicnn_front", "musicnn_back", "heard_events"),
    }
    assert set(Offer(PAPER).models) == {"face_expression_paper", "face_haar", "music_emotion_paper"}


def test_the_paper_reads_a_face_that_is_out_of_focus(sample_session: Path):
    import cv2

    with Session.open(sample_session) as session:
        picture = cv2.GaussianBlur(session.frames[0].image(), (0, 0), 12)
    read = Offer(PAPER).open().face.read(picture)
    assert read.sharpness is not None
    assert read.sharpness < MIN_SHARPNESS
    assert read.expressions is not None
    assert sum(read.expressions) == pytest.approx(1, abs=1e-5)


def test_the_paper_asks_not_whether_it_is_music():
    noise = np.random.default_rng(0).integers(-9_000, 9_000, (5 * 22_050, 1), np.int16)
    paper = Offer(PAPER).open().music
    assert paper.read(noise, 22_050).emotions is not None
    assert paper.read(np.zeros_like(noise), 22_050).emotions is None
    assert set(Offer(PAPER).open().gates) == {"score", "loudness_dbfs"}


def test_a_pipeline_of_one_s_own_names_models_by_role(tmp_path: Path):
    said = '[pipelines.mine]\nface_expression = "face_expression_paper"\n'
    mine = offered("mine", settings_of(tmp_path, said))
    assert mine.pipeline.face_expression == "face_expression_paper"
    assert mine.pipeline.face_detector == AFFETTI.face_detector
    assert "face_expression_paper" in mine.models


def test_its_models_may_lie_in_a_folder_of_one_s_own(tmp_path: Path):
    folder = tmp_path / "models" / "my_network"
    shutil.copytree(manifest.ZOO / "face_expression_paper", folder)
    entry = json.loads((folder / manifest.ENTRY).read_text())
    (folder / manifest.ENTRY).write_text(json.dumps(entry | {"name": "my_network"}))
    said = f'[pipelines.mine]\nzoo = "{tmp_path / "models"}"\nface_expression = "my_network"\n'
    mine = offered("mine", settings_of(tmp_path, said))
    assert mine.models["my_network"].path.parent == folder
    assert mine.open().face.sha256["my_network"] == entry["sha256"]


@pytest.mark.parametrize(
    ("said", "complaint", "code"),
    [
        ("", "no pipeline named 'mine'", ExitCode.USAGE),
        ('[pipelines.mine]\nnose = "x"\n', "'nose', which is no role", ExitCode.USAGE),
        ('[pipelines.mine]\nmusic_emotion = "x"\n', "no model named 'x'", ExitCode.MODEL),
        ('[pipelines.mine]\nzoo = "/absent"\n', "no folder /absent", ExitCode.FILE_MISSING),
    ],
)
def test_what_cannot_be_a_pipeline_is_explained(
    tmp_path: Path, said: str, complaint: str, code: ExitCode
):
    settings = settings_of(tmp_path, said)
    with pytest.raises(AffettiError, match=complaint) as raised:
        offered("mine", settings).open()
    assert raised.value.code == code


def test_a_model_of_another_kind_detects_no_faces(tmp_path: Path):
    said = '[pipelines.mine]\nface_detector = "musicnn_back"\n'
    mine = offered("mine", settings_of(tmp_path, said)).open()
    with pytest.raises(AffettiError, match="no detector"):
        _ = mine.face
