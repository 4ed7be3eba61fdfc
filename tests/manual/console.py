"""Runs the command lines of the manual, and puts below each what it said."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from affetti.core.errors import ExitCode
from affetti.sample_sessions.pieces import piece
from tests.conftest import SAMPLES
from tests.recorder.films import face_film

_BLOCK: Final = re.compile(r"^```console\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_MAX_LINES: Final = 24
_MAX_S: Final = 600


def run_all(pages: list[Path], folder: Path) -> list[str]:
    """Run all commands of all pages in one folder, page by page.

    Returns
    -------
    What failed, a line each.
    """
    _furnish(folder)
    failed: list[str] = []
    for page in pages:
        text = page.read_text()
        said = _BLOCK.sub(lambda found: _ran(found[1], page, folder, failed), text)  # noqa: B023
        page.write_text(said)
    return failed


def _furnish(folder: Path) -> None:
    """Put there what the pages speak of."""
    folder.mkdir(parents=True)
    sample = SAMPLES / "sample.h5"
    for name in ("session.h5", "copy.h5"):
        shutil.copy(sample, folder / name)
    study = folder / "study"
    study.mkdir()
    for person in ("P07", "P08"):
        piece(study / f"{person}.h5", person)
    face_film(folder / "film.mp4", sample, 6, (640, 480), 25)
    moods = folder / "moods"
    moods.mkdir()
    for name in ("happiness", "sadness"):
        shutil.copy(SAMPLES / "music" / f"{name}.ogg", moods / f"{name}.ogg")
    shutil.copy(SAMPLES / "music" / "happiness.ogg", folder / "air.ogg")
    (folder / "design.csv").write_text("session,condition\nP07,calm\nP08,lively\n")


def _ran(block: str, page: Path, folder: Path, failed: list[str]) -> str:
    out = []
    for line in block.strip().splitlines():
        out.append(line)
        done = _run(shlex.split(line.removeprefix("$ ")), folder)
        if done.returncode > ExitCode.WARNING:
            failed.append(f"{page.name}: {line}: {done.returncode}\n{done.stdout}{done.stderr}")
        out += _shown(done.stdout, folder)
    return "```console\n" + "\n".join(out) + "\n```\n"


def _run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    home = {"HOME": str(folder / "home"), "COLUMNS": "96", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "affetti", *words[1:]]
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | home,
        capture_output=True,
        text=True,
        timeout=_MAX_S,
        check=False,
    )


def _shown(said: str, folder: Path) -> list[str]:
    here = said.replace(str(folder / "home"), "~").replace(str(folder), ".")
    lines = [line.rstrip() for line in here.splitlines()]
    more = ["…"] if len(lines) > _MAX_LINES else []
    return lines[:_MAX_LINES] + more
