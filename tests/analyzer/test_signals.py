"""Recorded signals in the report's timeline."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from affetti.analyzer.analysis import analyze
from affetti.analyzer.measures.signals import signal_course
from affetti.analyzer.replay import completed
from affetti.analyzer.report import html_of
from affetti.analyzer.report.signals import figure
from affetti.core.events import SamplesCaptured, SessionEnded
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.recording.signals import pack_samples
from affetti.core.streams import Channel
from tests import conftest
from tests.conftest import NS, WORDS, consent_to, started

MARKUP = (Channel("<ecg>", "microvolts"), Channel("quality"))
HEART = msgspec.structs.replace(conftest.HEART, channels=MARKUP)


def report_of(write_log: Callable[..., Path], values: np.ndarray, *begins_s: float) -> str:
    start = started(consent=consent_to("signals"), streams=(HEART, WORDS))
    items = [(start, b"")]
    count = len(values) // len(begins_s)
    for i, begin_s in enumerate(begins_s):
        block = values[i * count : (i + 1) * count]
        stamps_s = begin_s + np.arange(count) / 10
        event = SamplesCaptured(
            t_ns=round(begin_s * NS), stream="heart", sample=i * count, count=count
        )
        items.append((event, pack_samples(HEART, stamps_s, block)))
    items.append((SessionEnded(t_ns=60 * NS, reason="stopped"), b""))
    path = seal(write_log(items)).path
    with Session.open(path) as session:
        return html_of(analyze(session, completed(session)))


def test_a_signal_has_a_line_between_its_lowest_and_its_highest(
    write_log: Callable[..., Path],
) -> None:
    ramp = np.linspace(-12.5, 800, 200, dtype=np.float32)
    page = report_of(write_log, np.column_stack([ramp, ramp]), 1.0, 40.0)
    assert "heart: &lt;ecg&gt;" in page
    assert "microvolts, 1 other channel is not drawn" in page
    assert "\N{MINUS SIGN}12.5</text>" in page
    assert "800</text>" in page
    # It was silent between 11 s and 40 s: two lines, not one through what nobody measured.
    assert page.count('class="envelope"') == 2
    assert "words:" not in page  # texts have no height


def test_a_signal_without_a_value_has_no_line(write_log: Callable[..., Path]) -> None:
    page = report_of(write_log, np.full((100, 2), np.nan, np.float32), 1.0)
    assert "heart: " in page
    assert 'class="envelope"' not in page


def test_a_course_leaves_out_what_was_not_measured() -> None:
    t_s = np.array([0.1, 0.2, 1.5, 3.9, 9.0])
    course = signal_course(t_s, np.array([1.0, 3.0, np.nan, 5.0, 7.0]), 1.0, 4.0)
    assert course.mean == pytest.approx([2, np.nan, np.nan, 5], nan_ok=True)
    assert course.minimum == pytest.approx([1, np.nan, np.nan, 5], nan_ok=True)
    assert course.maximum == pytest.approx([3, np.nan, np.nan, 5], nan_ok=True)
    assert course.bounds == (1, 5)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (72.5, "72.5"),
        (0.012361, "0.01236"),
        (15000.4, "15000"),
        (-3.0, "\N{MINUS SIGN}3"),
    ],
)
def test_values_are_written_in_four_digits(value: float, said: str) -> None:
    assert figure(value) == said
