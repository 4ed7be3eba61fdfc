"""A slice of the trials that `make campaign-long` makes by the thousand: see `tests.campaign`."""

from pathlib import Path

import pytest

from tests.campaign import keystrokes, kills, pairs, power, torn

pytestmark = pytest.mark.one_of_each


@pytest.mark.campaign
@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("phase", kills.PHASES)
def test_a_kill_before_any_call_loses_and_destroys_nothing(
    tmp_path: Path, phase: str, encrypted: bool
) -> None:
    for call in range(3 * encrypted, kills.calls_of(phase, encrypted), 15):
        kills.trial(tmp_path, phase, call, encrypted)


@pytest.mark.parametrize("phase", kills.PHASES)
def test_a_kill_before_a_call_loses_and_destroys_nothing(tmp_path: Path, phase: str) -> None:
    kills.trial(tmp_path, phase, 100, encrypted=False)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_kill_while_a_part_is_made_blocks_nothing(tmp_path: Path, encrypted: bool) -> None:
    for call in range(7, 14, 3):
        kills.trial(tmp_path, "log", call, encrypted)


@pytest.mark.campaign
@pytest.mark.parametrize("count", [3, pytest.param(100, marks=pytest.mark.campaign)])
def test_a_power_cut_takes_nothing_that_was_safe(tmp_path: Path, count: int) -> None:
    for seed in range(count):
        power.trial(tmp_path, seed)


@pytest.mark.parametrize("count", [2, pytest.param(60, marks=pytest.mark.campaign)])
def test_a_torn_row_costs_nothing_and_a_torn_record_itself(tmp_path: Path, count: int) -> None:
    for seed in range(count):
        torn.trial(tmp_path, seed)


@pytest.mark.campaign
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="asks the system for the engine's process")
@pytest.mark.parametrize("seed", range(6))
def test_no_keystroke_of_a_note_is_lost_with_screen_or_engine(tmp_path: Path, seed: int) -> None:
    keystrokes.trial(tmp_path, seed)


@pytest.mark.campaign
def test_two_that_recover_at_once_seal_once(tmp_path: Path) -> None:
    for seed in range(10):
        pairs.trial(tmp_path, seed)
