"""Whatever becomes of a file, whoever reads it comes to an answer: see `tests.mutations`."""

import pytest

from tests import mutations


@pytest.mark.campaign
def test_mutated_files_and_logs_are_answered() -> None:
    ends, wrong = mutations.run(0, 6)
    assert not wrong
    tried = {end.partition(":")[0] for end in ends}
    assert {"open and check", "recover", "settings", "own.vault.json"} <= tried


@pytest.mark.campaign
@pytest.mark.parametrize("first", range(1000, 1300, 100))
def test_three_hundred_mutations(first: int) -> None:
    assert mutations.main(100, first) == 0
