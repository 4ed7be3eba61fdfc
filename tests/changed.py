"""Which of the lines that changed since a version no test runs.

    make coverage SINCE=0.1.0

Reads what `make coverage` measured. A line that was only moved, with its file, has not changed.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import coverage

ROOT: Final = Path(__file__).resolve().parent.parent
ROOMS: Final = ("affetti", "core", "models", "recorder", "analyzer")
MIN_PERCENT: Final = 90.0
_HUNK: Final = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")


def main(since: str) -> int:
    """Print the share of changed lines that ran, and those that did not; return an exit code."""
    measured = coverage.Coverage()
    measured.load()
    ran, missed = 0, {}
    for path, lines in changed_lines(since).items():
        try:
            _, statements, _, missing, _ = measured.analysis2(str(ROOT / path))
        except coverage.exceptions.NoSource:
            continue
        changed = lines & set(statements)
        missed[path] = sorted(changed & set(missing))
        ran += len(changed) - len(missed[path])
    lacking = sum(map(len, missed.values()))
    percent = 100 * ran / (ran + lacking) if ran + lacking else 100.0
    for path, numbers in sorted(missed.items(), key=lambda each: -len(each[1])):
        if numbers:
            print(f"{len(numbers):5}  {path}: {', '.join(spans(numbers))}")  # noqa: T201
    print(f"Of {ran + lacking} lines changed since {since}, {percent:.1f} % were run.")  # noqa: T201
    return 0 if percent >= MIN_PERCENT else 1


def changed_lines(since: str) -> dict[str, set[int]]:
    """Return the numbers of the changed lines of each measured file, as it is now."""
    command = ["git", "diff", "--unified=0", "--find-renames", since, "--", *ROOMS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    omitted = coverage.Coverage().get_option("run:omit")
    folders = tuple(str(each).rstrip("*") for each in omitted) if isinstance(omitted, list) else ()
    return {
        path: lines
        for path, lines in _files(done.stdout)
        if path.endswith(".py") and not path.startswith(folders)
    }


def _files(diff: str) -> Iterator[tuple[str, set[int]]]:
    for part in diff.split("\ndiff --git "):
        named = re.search(r"^\+\+\+ b/(.+)$", part, re.MULTILINE)
        if named is None:  # removed
            continue
        lines: set[int] = set()
        for begin, count in _HUNK.findall(part):
            lines |= set(range(int(begin), int(begin) + int(count or 1)))
        yield named[1], lines


def spans(numbers: list[int]) -> list[str]:
    """Return numbers as "3", "7-9"."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return [str(f[0]) if len(f) == 1 else f"{f[0]}-{f[-1]}" for f in found]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
