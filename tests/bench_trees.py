"""Measures this tree beside an older one, interleaved in one run: `make bench OLD=PATH`.

Each tree is a checkout with its own `.venv`, and is asked by its own command alone: both record
the same film and music, replay what they recorded, and seal what a kill left of a recording.
Figures are processor seconds of all processes, since machines are shared and noisy; a ratio
under 1 means that this tree needs less. Nothing here passes or fails; a person reads it.
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.conftest import SAMPLES
from tests.recorder.films import face_film

ROUNDS: Final = 3
SHORT_S, LONG_S = 6, 26  # the difference is what recording costs once everything is loaded
SECONDS: Final = LONG_S - SHORT_S
KILLED_S: Final = (8.0, 38.0)


@dataclass(frozen=True)
class Tree:
    """A checkout whose command is installed in its own `.venv`."""

    root: Path

    def run(self, *words: str | Path) -> float:
        """Run one of its commands to the end; return the processor seconds that it took."""
        before = _children_s()
        subprocess.run(self._command(*words), check=True, capture_output=True, cwd=self.root)
        return _children_s() - before

    def killed(self, after_s: float, *words: str | Path) -> None:
        """Start one of its commands and kill it, with all that it started, after a while."""
        process = subprocess.Popen(
            self._command(*words),
            cwd=self.root,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(after_s)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _command(self, *words: str | Path) -> list[str]:
        return [str(self.root / ".venv" / "bin" / "affetti"), *map(str, words)]


def main() -> None:
    """Measure both trees in turn and print a row a figure."""
    old, new = Tree(Path(sys.argv[1]).resolve()), Tree(Path(__file__).resolve().parent.parent)
    figures: dict[str, dict[Tree, list[float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = SAMPLES / "sample.h5"
        film = face_film(folder / "face.avi", source, max(KILLED_S) + 5, (640, 480), 30)
        tracks = [SAMPLES / "music" / f"{name}.ogg" for name in ("happiness", "sadness")]
        for turn in range(ROUNDS):
            for tree in (old, new):
                place = folder / f"{turn}-{'old' if tree is old else 'new'}"
                place.mkdir()
                for figure, value in _measured(tree, place, film, tracks).items():
                    figures.setdefault(figure, {old: [], new: []})[tree].append(value)
    width = max(map(len, figures))
    sys.stdout.write(f"{'median of ' + str(ROUNDS):<{width}}  {'old':>9}  {'new':>9}  ratio\n")
    for figure, values in figures.items():
        was, now = (statistics.median(values[tree]) for tree in (old, new))
        sys.stdout.write(f"{figure:<{width}}  {was:9.3f}  {now:9.3f}  {now / was:5.2f}\n")


def _measured(tree: Tree, folder: Path, film: Path, tracks: list[Path]) -> dict[str, float]:
    music = [word for track in tracks for word in ("--play", track)]
    source = ("--camera", film, *music, "--no-speaker", "--person", "bench")
    record = ("record", "--headless", *source)
    short = tree.run(*record, "--duration", str(SHORT_S), "--output", folder / "short.h5")
    long = tree.run(*record, "--duration", str(LONG_S), "--output", folder / "long.h5")
    idle = tree.run("info", folder / "long.h5")
    analyze = tree.run("analyze", folder / "long.h5")
    places = {after_s: folder / f"killed-{after_s:g}.h5" for after_s in KILLED_S}
    recovered = [_recovered(tree, at, after_s, record) for after_s, at in places.items()]
    return {
        "record, CPU s per s": (long - short) / SECONDS,
        "analyze, CPU s per s": (analyze - idle) / LONG_S,
        "recover, CPU s per MB": _slope(*recovered),
        "help, CPU s": tree.run("--help"),
    }


def _recovered(
    tree: Tree, path: Path, after_s: float, record: tuple[str | Path, ...]
) -> tuple[float, float]:
    """Return how large a killed recording is, in MB, and what sealing it took, in seconds."""
    tree.killed(after_s, *record, "--output", path)
    taken_s = tree.run("recover", path)
    return path.stat().st_size / 1e6, taken_s


def _slope(short: tuple[float, float], long: tuple[float, float]) -> float:
    """Return the seconds that a MB more takes: what a command takes to start is in both."""
    return (long[1] - short[1]) / (long[0] - short[0])


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


if __name__ == "__main__":
    main()
