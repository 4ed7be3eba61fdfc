"""What changes when the models change."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from affetti.core.cli import affetti


def compared(recording: Path, *models: str) -> dict[str, object]:
    words = ["models", "compare", str(recording), "--json", "--models", *models]
    ran = CliRunner().invoke(affetti, words)
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)  # type: ignore[no-any-return]


@pytest.mark.campaign
def test_a_model_compared_with_itself_changes_nothing(recording: Path) -> None:
    result = compared(recording, "affetti", "affetti")
    (session,) = result["sessions"]  # type: ignore[misc]
    assert session["flips"] == []
    for total in result["totals"]:  # type: ignore[attr-defined]
        assert total["flipped"] == 0
        assert total["alike"] in (None, 1.0)
        assert all(mean in (None, 0.0) for mean, *_ in total["shifts"].values())


@pytest.mark.campaign
def test_what_another_model_says_otherwise_is_listed(recording: Path) -> None:
    result = compared(recording, "affetti", "paper")
    (session,) = result["sessions"]  # type: ignore[misc]
    face, music, fused = result["totals"]  # type: ignore[misc]
    assert (face["modality"], music["modality"], fused["modality"]) == ("face", "music", "fused")
    flips = [flip for flip in session["flips"] if flip["modality"] == "face"]
    assert face["pieces"] > 10
    assert len(flips) == round((1 - face["alike"]) * face["pieces"])
    assert all(flip["before"] != flip["after"] for flip in session["flips"])
    tracks = [s for s in session["stretches"] if s["modality"] == "music" and s["track"] >= 0]
    assert [s["title"] for s in tracks] == ["Grey Sunday", "=SUM(A1)"]
    shifts = [mean for mean, *_ in fused["shifts"].values()]
    assert sum(shifts) == pytest.approx(0, abs=1e-3)
    assert max(map(abs, shifts)) > 0
