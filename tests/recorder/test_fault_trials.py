"""Some of the exceptions of `python -m tests.faults`: a thread's, a screen's, an engine's."""

import pytest

from tests.faults import FAULTS, outcomes

TRIED = ("thread: pulse", "screen: its turn", "screen: thread hear engine")


@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_a_recording_is_kept_whatever_is_raised_and_its_process_ends() -> None:
    numbers = tuple(i for i, fault in enumerate(FAULTS, 1) if fault.where in TRIED)
    found = list(outcomes(numbers))
    assert len(found) == len(TRIED)
    assert [str(each) for each in found if not each.good] == []
