import numpy as np
import pytest

from affetti.core.clock import NS_PER_S, SampleClock
from affetti.core.language import clock_text


@pytest.mark.parametrize("ppm", [-80.0, 0.0, 35.0])
def test_drift_is_found_through_jitter(ppm: float) -> None:
    rng = np.random.default_rng(7)
    clock = SampleClock(44_100)
    for second in range(600):
        true_ns = 250_000_000 + second * NS_PER_S * (1 + ppm / 1e6)
        clock.add(second * 44_100, round(true_ns + rng.normal(0, 300_000)))
    assert clock.drift_ppm == pytest.approx(ppm, abs=1)
    assert clock.offset_ns == pytest.approx(250_000_000, abs=100_000)


def test_a_day_of_samples_does_not_exhaust_a_float() -> None:
    clock = SampleClock(48_000)
    for minute in range(24 * 60):
        clock.add(minute * 60 * 48_000, minute * 60 * NS_PER_S + minute * 600)
    assert clock.drift_ppm == pytest.approx(0.01, abs=1e-4)


def test_before_any_anchor_time_is_nominal() -> None:
    assert SampleClock(1000).time_ns(500) == NS_PER_S // 2


def test_one_anchor_says_nothing_of_drift() -> None:
    clock = SampleClock(1000)
    clock.add(0, 100)
    assert clock.drift_ppm == 0
    assert clock.time_ns(1000) == NS_PER_S + 100


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00.0"),
        (59.96, "01:00.0"),
        (123.44, "02:03.4"),
        (3723.4, "1:02:03.4"),
        (-1, "00:00.0"),
    ],
)
def test_times_for_people(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text
