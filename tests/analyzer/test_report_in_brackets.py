"""The report in another language: nothing in it is left in English."""

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from tests import brackets

ROOT = Path(__file__).parents[2]
# Names of ours and of others, and what the person's own words are.
MARKER, NOTE = {"eye", "contact"}, {"She", "hummed", "along", "script", "document", "title", "run"}
DATA = {"Grey", "Sunday", "SUM"} | MARKER | NOTE


def shown(html: str) -> str:
    """Return whatever is read of a page: its text, and what is read aloud."""
    body = re.sub(r"<style>.*?</style>|<code>.*?</code>", " ", html, flags=re.DOTALL)
    aloud = re.findall(r'(?:aria-label|title|alt)="([^"]*)"', body)
    return unescape(" ".join([re.sub(r"<[^>]*>", "", body), *aloud]))


@pytest.mark.campaign
def test_the_report_is_all_in_the_language_that_is_spoken(recording: Path, tmp_path: Path) -> None:
    brackets.write(tmp_path)
    done = subprocess.run(
        [sys.executable, "tests/analyzer/report_in_brackets.py", str(tmp_path), str(recording)],
        env={**os.environ, "AFFETTI_LANGUAGE": brackets.NAME, "PYTHONPATH": str(ROOT)},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "{" not in brackets.without_style(done.stdout)  # every placeholder is filled in
    assert f'<html lang="{brackets.NAME}">' in done.stdout
    left = [word for word in brackets.words_outside(shown(done.stdout)) if word not in DATA]
    assert left == []
