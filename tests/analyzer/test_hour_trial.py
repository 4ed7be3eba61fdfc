"""A long recording to measure commands with; `make hour` does it with an hour."""

from pathlib import Path

import pytest

from affetti.analyzer.verify import verify
from affetti.core.recording.session import Session
from tests.hour_trial import build


@pytest.mark.campaign
def test_what_is_recorded_for_an_hour_is_what_is_estimated_of_its_pictures_and_sound(
    tmp_path: Path,
) -> None:
    build(tmp_path / "hour.h5", minutes=2)
    with Session.open(tmp_path / "hour.h5") as session:
        found = verify(session)
    assert found.verdict == "identical"
    assert min(found.compared.values()) >= 100
