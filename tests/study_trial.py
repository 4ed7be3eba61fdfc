"""Hundreds of sessions in one go, interrupted and killed between: `make study SESSIONS=400`.

Sessions are made of pieces of the bundled one, some broken and some twice. They are analyzed until
Ctrl+C, until a kill, and to the end; summed up; and analyzed again through Dask. It fails where a
table is not the same or anything is done twice, and prints what it took.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from affetti.sample_sessions.pieces import piece

BROKEN, TWICE = 5, 3  # of four hundred
_AFFETTI: Final = (sys.executable, "-P", "-m", "affetti")


def main() -> None:
    """Try as many sessions as are asked for, and print what each step took."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    with tempfile.TemporaryDirectory(prefix="affetti-study-") as name:
        for said in trial(Path(name), count, BROKEN, TWICE):
            sys.stdout.write(f"{said}\n")
            sys.stdout.flush()


def trial(folder: Path, count: int, broken: int, twice: int) -> Iterator[str]:
    """Yield what was found, step by step.

    Parameters
    ----------
    folder
        Where it may work.
    count, broken, twice
        How many files there are, how many of them are broken, and how many hold the session of
        another.
    """
    study, whole = folder / "study", count - broken - twice
    build(study, whole, broken, twice)
    yield f"{count} files made, {broken} of them broken, {twice} twice"
    began = _children_s()
    stop(study, signal.SIGINT, whole // 3)
    before = analyzed(study)
    yield f"Ctrl+C: {len(before)} analyzed, {_children_s() - began:.0f} CPU s"
    stop(study, signal.SIGKILL, 2 * whole // 3)
    later = analyzed(study)
    yield f"kill: {len(later)} analyzed, {_children_s() - began:.0f} CPU s"
    run("analyze", study, "--stored")
    last = analyzed(study)
    yield f"to the end: {len(last)} analyzed, {_children_s() - began:.0f} CPU s"
    if len(last) != whole or not before.items() <= later.items() <= last.items():
        raise RuntimeError("something is missing, or was done twice")
    began = _children_s()
    run("group", study, "--output", folder / "group")
    yield f"group: {_children_s() - began:.0f} CPU s"
    began = _children_s()
    run("analyze", study, "--stored", "--cluster", "--jobs", "2", "--output", folder / "dask")
    yield f"through Dask: {_children_s() - began:.0f} CPU s"
    yield f"{compared(study, folder / 'dask')} tables through Dask, all identical"


def build(study: Path, whole: int, broken: int, twice: int) -> None:
    """Make sessions of three to eight seconds, two a person."""
    study.mkdir()
    for i in range(whole):
        target = study / f"s{i:03d}.h5"
        piece(target, f"P{i // 2 + 1:03d}", stop_s=3 + i % 6)
    for i in range(broken):
        data = (study / f"s{i:03d}.h5").read_bytes()
        (study / f"x{i}.h5").write_bytes(data[: len(data) // (i + 2)])
    for i in range(twice):
        shutil.copy(study / f"s{i:03d}.h5", study / f"twice{i}.h5")


def analyzed(study: Path) -> dict[Path, int]:
    """Return every analysis that is whole, and when it was written."""
    return {path: path.stat().st_mtime_ns for path in study.glob("*.analysis/provenance.json")}


def stop(study: Path, by: signal.Signals, after: int) -> None:
    """Analyze, and end that by a signal once so many are analyzed."""
    # What a shell runs in the background heeds no Ctrl+C, and neither does what that starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [*_AFFETTI, "analyze", str(study), "--stored"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    ) as running:
        while len(analyzed(study)) < after and running.poll() is None:
            time.sleep(0.05)
        os.killpg(running.pid, by)


def run(*words: str | Path) -> None:
    """Run a command to its end: files that are broken or twice are told by its exit code."""
    done = subprocess.run([*_AFFETTI, *map(str, words)], capture_output=True, check=False)
    if done.returncode > 1:
        raise RuntimeError(done.stderr.decode())


def compared(study: Path, other: Path) -> int:
    """Return how many tables there are, each the same in both places.

    Raises
    ------
    RuntimeError
        One is not.
    """
    tables = sorted(path.relative_to(study) for path in study.glob("*.analysis/*.csv"))
    there = sorted(path.relative_to(other) for path in other.glob("*.analysis/*.csv"))
    if tables != there:
        raise RuntimeError("other tables")
    for table in tables:
        if (study / table).read_bytes() != (other / table).read_bytes():
            raise RuntimeError(f"{table} is not the same")
    return len(tables)


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


if __name__ == "__main__":
    main()
