"""Time stamps of a sound card whose clock is another one, told by callbacks that come late."""

import time

import pytest

from affetti.core.clock import NS_PER_S, SessionClock
from affetti.recorder.sources.portaudio import CardClock


@pytest.fixture
def clock() -> CardClock:
    return CardClock(SessionClock(start_ns=time.monotonic_ns()))


def test_a_late_callback_does_not_move_the_stamp(clock):
    started_s = time.time()
    punctual = clock.stamp_ns(started_s, started_s + 0.05, 0)
    called_s = time.time()
    time.sleep(1.0)  # the interpreter was busy
    late = clock.stamp_ns(called_s, called_s + 0.05, 0)
    # Whatever the machine did between those lines, the second of waiting is not in the stamp.
    assert late - punctual == pytest.approx((called_s - started_s) * NS_PER_S, abs=0.5 * NS_PER_S)


def test_a_wall_clock_set_forward_is_followed_at_once(clock):
    now_s = time.time()
    before = clock.stamp_ns(now_s, now_s, 0)
    after = clock.stamp_ns(now_s + 3600, now_s + 3600, 0)
    assert after - before < 1800 * NS_PER_S


def test_a_driver_without_time_stamps_is_stamped_by_arrival(clock):
    assert clock.stamp_ns(0.0, 0.0, -NS_PER_S) == pytest.approx(-NS_PER_S, abs=0.5 * NS_PER_S)
