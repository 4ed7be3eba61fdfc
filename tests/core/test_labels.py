"""Texts from outside: what a line of them may do to what it is shown in."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetti.core.labels import label, lines

KEPT = (
    "calm",
    "Ana María – 5/8",
    "曲の名前",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a joiner
    "👩\u200d👧\u200d👦 ❤\ufe0f",  # a family, and a red heart
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # the flag of Scotland
    "\u2067\u05e9\u05dc\u05d5\u05dd\u2069!",  # an isolate that ends
    "  two blanks ",
)


@pytest.mark.parametrize("text", KEPT)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert label(text) == text
    assert lines(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\rb\nc\r\nd\x85e\u2028f", "a b c d e f"),
        ("\x1b]0;owned\x07", " ]0;owned "),
        ("\x9b31mred", " 31mred"),
        ("exe.\u202etxt", "exe.txt"),
        ("\u2067open", "\u2067open\u2069"),
        ("shut\u2069", "shut"),
        ("\ufeffBOM", "BOM"),
        ("bad\udce9", "bad\ufffd"),
        ("hid\U000e0041\U000e0042den", "hidden"),
        ("tab\there\0", "tab here "),
    ],
)
def test_what_a_terminal_or_the_text_around_it_would_obey_is_taken_out(
    text: str, shown: str
) -> None:
    assert label(text) == shown


def test_the_lines_of_a_note_stay_lines() -> None:
    assert lines("one\r\ntwo\x1b[2J\rthree") == "one\ntwo [2J\nthree"


@given(st.text())
def test_a_label_is_one_line_without_controls_and_so_is_a_label_of_it(text: str) -> None:
    shown = label(text)
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(sign) in ("Cc", "Cs") for sign in shown)
    assert label(shown) == shown
    assert lines(lines(text)) == lines(text)
