"""What a screen is told of disk and clock: a steady figure, or none."""

import pytest

from affetti.core.clock import SampleClock
from affetti.core.events import AudioFormat, ClockAnchored
from affetti.core.state import SessionState
from affetti.core.streams import audio_stream
from affetti.recorder.engine.monitor import Pace, drift_ppm
from tests.conftest import NS, started

RATE_HZ = 44_100
GIB = 1 << 30


def heard(seconds: int, ppm: float = 0.0, late_s: float = 0.0) -> SessionState:
    """A session whose sound card was looked at once a second; the first time too late."""
    state = SessionState()
    state.apply(started(streams=(audio_stream("room", AudioFormat(RATE_HZ, 1)),)))
    for second in range(seconds + 1):
        lag_s = late_s if second == 0 else second * ppm * 1e-6
        t_ns = round((second + lag_s) * NS)
        state.apply(ClockAnchored(t_ns=t_ns, stream="room", sample=second * RATE_HZ))
    return state


def test_no_drift_without_a_sound_card() -> None:
    assert drift_ppm(heard(60, 5.0), frozenset()) is None


def test_the_drift_of_a_card_is_said_once_it_is_known() -> None:
    assert drift_ppm(heard(10, 5.0), {"room"}) is None
    assert drift_ppm(heard(60, 5.0), {"room"}) == pytest.approx(5.0, abs=0.1)


def test_what_no_crystal_does_is_no_drift() -> None:
    assert drift_ppm(heard(60, 40_000.0), {"room"}) is None


def test_the_span_of_a_clock_is_that_of_its_anchors() -> None:
    clock = SampleClock(RATE_HZ)
    assert clock.span_s == 0
    for second in range(8):
        clock.add(second * RATE_HZ, second * NS)
    assert clock.span_s == 7


def test_nothing_is_said_of_the_disk_until_that_is_steady() -> None:
    pace = Pace()
    for second in range(10):
        pace.add(float(second), second * 1_000_000, paused=False)
    assert pace.lasts_s(GIB) is None


def test_a_pause_does_not_make_the_disk_last_longer() -> None:
    pace, size = Pace(), 0
    for second in range(300):
        paused = 60 <= second < 240
        size += 0 if paused else 500_000
        pace.add(float(second), size, paused)
    assert pace.lasts_s(GIB) == pytest.approx(GIB / 1_000_000, rel=0.02)


def test_the_disks_time_is_steady_while_the_rate_wobbles() -> None:
    pace, size, said = Pace(), 0, []
    for second in range(120):
        size += 900_000 if second % 7 < 3 else 200_000
        pace.add(float(second), size, paused=False)
        said.append(pace.lasts_s(GIB))
    known = [each for each in said if each is not None]
    assert len(known) > 90
    assert max(known) < 1.15 * min(known)
