"""All kinds of trials, and a table of what became of them: `make campaign-long`.

`python -m tests.campaign --share 0.1` makes a tenth of them, `--only power` one kind, and
`--only power --seed 1234` reproduces one.
"""

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tests import mutations
from tests.campaign import ahead, keystrokes, kills, pairs, power, torn, victims
from tests.campaign.session import lean

_PER: Final = 100  # mutations in one process
# From the seed of a trial, in an empty folder, to the seconds that were lost, where it says that.
Trial = Callable[[Path, int], "float | None"]


@dataclass
class Kind:
    """A kind of trials, and what became of them."""

    name: str
    count: Callable[[], int]
    trial: Trial
    at_once: int = 1  # where a trial is mostly waiting
    tried: int = 0
    worst_s: float | None = None
    failed: list[tuple[int, str]] = field(default_factory=list)
    took_s: float = 0.0

    def run(self, seeds: range) -> None:
        """Try with each seed."""
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="affetti-campaign-") as name:
            for _ in self._each(partial(self._try, Path(name)), seeds):
                pass
        self.took_s += time.monotonic() - began

    def _each(self, attempt: Callable[[int], None], seeds: range) -> Iterator[None]:
        if self.at_once == 1:  # and no thread where processes are forked
            yield from map(attempt, seeds)
            return
        with ThreadPoolExecutor(self.at_once) as pool:
            yield from pool.map(attempt, seeds)

    def _try(self, folder: Path, seed: int) -> None:
        self.tried += 1
        try:
            lost_s = self.trial(folder, seed)
        except Exception as error:
            traceback.print_exc()
            self.failed.append((seed, repr(error)[:200]))
            return
        if lost_s is not None:
            self.worst_s = max(lost_s, self.worst_s or 0.0)


def _calls(phase: str, encrypted: bool) -> Kind:
    def trial(folder: Path, call: int) -> None:
        kills.trial(folder, phase, call, encrypted)

    name = f"kill before a call: {phase}{', encrypted' if encrypted else ''}"
    return Kind(name, lambda: kills.calls_of(phase, encrypted), trial)


def _mutated(folder: Path, seed: int, reports: bool) -> None:
    wrong = mutations.main(_PER, seed * _PER, reports=reports)
    assert not wrong, f"{wrong} mutations of the batch"


def kinds() -> Iterator[Kind]:
    """Yield all kinds with their full counts."""
    for encrypted in (False, True):
        for phase in kills.PHASES:
            yield _calls(phase, encrypted)
    yield Kind("power cut", lambda: 2_000, power.trial)
    yield Kind("torn row or record", lambda: 500, torn.trial)
    yield Kind("two recover at once", lambda: 50, pairs.trial)
    yield Kind(f"mutations, by {_PER}", lambda: 20_000 // _PER, partial(_mutated, reports=False))
    yield Kind(
        f"mutations reported, by {_PER}", lambda: 500 // _PER, partial(_mutated, reports=True)
    )
    yield Kind("kill of a recording", lambda: 200, victims.kill, at_once=4)
    yield Kind("kill of one sealed ahead", lambda: 100, ahead.kill, at_once=4)
    yield Kind("kill after a minute", lambda: 12, ahead.kill_after_a_minute, at_once=6)
    yield Kind("kill while a note is typed", lambda: 200, keystrokes.trial)
    yield Kind("kill, slow disk", lambda: 200, victims.kill_on_a_slow_disk, at_once=4)
    yield Kind(
        "kill of one sealed ahead, slow disk", lambda: 50, ahead.kill_on_a_slow_disk, at_once=4
    )


def main() -> int:
    """Run what was asked for, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of each kind's trials")
    parser.add_argument(
        "--only", default="", help="the kind of this name, or those with this in their name"
    )
    parser.add_argument("--seed", type=int, help="this trial alone")
    parser.add_argument("--seeds", type=int, nargs=2, help="from the first, before the last")
    chosen = parser.parse_args()
    done = []
    for kind in _called(chosen.only):
        with lean():
            count = kind.count()
        step = max(1, round(1 / chosen.share))
        seeds = range(*(chosen.seeds or (0, count)), step)
        with lean():
            kind.run(seeds if chosen.seed is None else range(chosen.seed, chosen.seed + 1))
        done.append(kind)
        print(_line(kind), flush=True)  # noqa: T201  the figures are what this is run for
    print(_table(done))  # noqa: T201
    return int(any(kind.failed for kind in done))


def _called(name: str) -> list[Kind]:
    """Return the kind of a name, which may be the beginning of another's; else all that have it."""
    every = list(kinds())
    return [kind for kind in every if kind.name == name] or [k for k in every if name in k.name]


def _line(kind: Kind) -> str:
    worst = "" if kind.worst_s is None else f"{kind.worst_s:.2f} s"
    survived = kind.tried - len(kind.failed)
    return f"{kind.name:<42} {kind.tried:>7} {survived:>9} {worst:>10} {kind.took_s:>8.0f} s"


def _table(done: list[Kind]) -> str:
    head = f"{'':<42} {'tried':>7} {'survived':>9} {'worst loss':>10} {'took':>10}"
    lines = ["", head, *map(_line, done)]
    for kind in done:
        for seed, why in kind.failed:
            again = f"python -m tests.campaign --only '{kind.name}' --seed {seed}"
            lines.append(f"failed: {again}\n    {why}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
