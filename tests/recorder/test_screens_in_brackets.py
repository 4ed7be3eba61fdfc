"""The screens in another language: nothing on them is left in English."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import brackets

ROOT = Path(__file__).parents[2]
TITLES = {"Lullaby", "Song", "of", "Farewell", "Morning", "red", "Dance"}
KEYS = {"space", "esc", "tab", "del", "enter"}


@pytest.mark.campaign
def test_the_screens_are_all_in_the_language_that_is_spoken(tmp_path: Path) -> None:
    brackets.write(tmp_path)
    done = subprocess.run(
        [sys.executable, "tests/recorder/screens_in_brackets.py", str(tmp_path)],
        env={**os.environ, "AFFETTI_LANGUAGE": brackets.NAME, "PYTHONPATH": str(ROOT)},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "{" not in brackets.without_style(done.stdout)  # every placeholder is filled in
    assert done.stdout.count("⟦") > 200
    assert [word for word in brackets.words_outside(done.stdout) if word not in TITLES | KEYS] == []
