from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from affetti.core.errors import AffettiError, ExitCode
from affetti.models.manifest import manifest
from affetti.models.training.face.card import BEGIN, CONDITIONS, END, MAPPINGS, figures

FACE_MODELS = [name for name, entry in manifest().items() if entry.task == "face expression"]


@pytest.mark.campaign
def test_figures_cover_accuracy_calibration_risk_and_robustness(write_fer2013: Callable[..., Path]):
    images = np.random.default_rng(0).integers(0, 256, (40, 48, 48), np.uint8)
    text = figures(
        write_fer2013(images, np.repeat(np.arange(3), [14, 12, 14]).astype(np.uint8)),
        FACE_MODELS[0],
        one_in=2,
    )
    sections = [line.split(" (")[0] for line in text.splitlines() if line.startswith("###")]

    assert sections == [
        "### Accuracy",
        "### By expression",
        "### Confusion",
        "### Ways from seven to four",
        "### Reliability",
        "### Risk and coverage",
        "### Robustness",
        "### Sharpness",
        "### Framing",
    ]
    assert text.count("one face in 2") == 3
    assert all(f"| {condition} |" in text for condition in (*CONDITIONS, *MAPPINGS))


def test_figures_of_other_data_are_refused(tmp_path: Path):
    with pytest.raises(AffettiError) as raised:
        figures(tmp_path, FACE_MODELS[0])

    assert raised.value.code == ExitCode.DATA


@pytest.mark.parametrize("name", FACE_MODELS)
def test_every_face_network_has_a_card_with_figures_and_limits(name: str):
    entry = manifest()[name]
    card = (entry.path.parent / entry.card).read_text("utf-8")
    shown = card[card.index(BEGIN) : card.index(END)]

    assert "95 % interval" in shown
    assert "### Confusion" in shown
    assert "It must not be used for" in card
    assert "**Licence.**" in card
