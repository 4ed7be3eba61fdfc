"""Every screen in every language at the smallest size: none is broken, and nothing is cut."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from affetti.core.language import ENGLISH, languages
from tests import brackets

ROOT = Path(__file__).parents[2]
# What scrolls, or is said in full elsewhere: F1 lists every key, wherever its name is cut.
# Three things at once are more than the first and the last line of the live screen have room for;
# the panels say each in full.
MUCH_AT_ONCE = ("neutral", "two_faces", "two_faces_named", "camera_lost", "paused", "question")
MAY_BE_CUT = ("FooterKey#", "Static#title", "Static#how", "Label#")


def cuts(language: str, *options: str) -> list[str]:
    """Return what is cut on the screens in a language; all of them were there."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.recorder.tour", language, "80", "24", *options],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    screens, *found = done.stdout.splitlines()
    assert int(screens.split()[0]) > 25
    return [
        each for each in found if not each.startswith(tuple(f"{n}: ends" for n in MUCH_AT_ONCE))
    ]


@pytest.mark.campaign
@pytest.mark.parametrize("language", [name for name in languages() if name != ENGLISH])
def test_nothing_is_cut_in_80_columns_and_24_lines(language: str) -> None:
    # Seven expressions and the key for none are all the footer of the rating has room for.
    assert [each for each in cuts(language) if "rating: FooterKey#" not in each] == []


@pytest.mark.campaign
def test_sentences_that_are_longer_by_two_fifths_break_no_screen(tmp_path: Path) -> None:
    brackets.write_longer(tmp_path)
    found = cuts(brackets.NAME, "--languages", str(tmp_path))
    left = [each for each in found if not any(name in each for name in MAY_BE_CUT)]
    # What makes them longer may be cut; a word of ours may not.
    ours = [each for each in left if each.split(": ")[-1].strip(f"{brackets.FILLER}…")]
    assert ours == []
