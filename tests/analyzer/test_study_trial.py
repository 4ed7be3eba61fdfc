"""Many sessions in one go; `make study SESSIONS=400` does it with four hundred."""

from pathlib import Path

import pytest

from tests.study_trial import trial


@pytest.mark.campaign
def test_a_study_that_was_stopped_and_killed_is_finished_once_and_dask_makes_the_same_tables(
    tmp_path: Path,
) -> None:
    told = list(trial(tmp_path, count=8, broken=1, twice=1))
    assert told[-1].endswith("all identical")
