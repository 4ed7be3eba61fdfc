"""The wheel, as a user has it: built, installed elsewhere, and used beside strangers' modules.

    python -m tests.wheel           # with the dependencies that are installed already
    python -m tests.wheel --fresh   # with every dependency installed anew

Run by `make wheel`.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
HOSTILE: Final = ("affetti", "core", "models", "recorder", "analyzer", "pickle", "socket")
NOT_BUILT_FROM: Final = (".*", "build", "dist", "tests", "*.egg-info", "__pycache__", "checkpoints")


def main() -> None:
    """Go through all steps, in a folder outside the checkout that is removed afterwards."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="affetti-wheel-") as name:
        folder = Path(name)
        wheel = built(folder)
        examine(wheel)
        python = installed(wheel, folder / "environment", fresh="--fresh" in sys.argv)
        use(python, folder)
    print(f"The wheel works ({time.monotonic() - began:.0f} s).")  # noqa: T201


def built(folder: Path) -> Path:
    """Build from a copy: setuptools would take along what an earlier build left in the tree."""
    shutil.copytree(ROOT, folder / "source", ignore=shutil.ignore_patterns(*NOT_BUILT_FROM))
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    run([*pip, "--wheel-dir", folder / "dist", folder / "source"])
    (wheel,) = (folder / "dist").iterdir()
    return wheel


def examine(wheel: Path) -> None:
    """One name, the sample, and nothing that only training needs."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"affetti"}, tops
    assert not [name for name in names if "/training/" in name or "/tests/" in name]
    assert "affetti/sample_sessions/sample.h5" in names


def installed(wheel: Path, environment: Path, fresh: bool) -> Path:
    """Install into an environment of its own; return its Python."""
    venv.create(environment, with_pip=True, symlinks=True)
    python = environment / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if fresh:
        run([*pip, "--constraint", ROOT / "constraints.txt", wheel])
        return python
    # Paths in a .pth file are searched, but the .pth files there, with the checkout, are not.
    (site,) = environment.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if path.endswith("-packages") or path.endswith("-site")]
    (site / "dependencies.pth").write_text("\n".join(ours))
    run([*pip, "--no-deps", "--no-index", "--force-reinstall", wheel])
    return python


def use(python: Path, folder: Path) -> None:
    """Run commands beside modules of a stranger that have the names of ours."""
    here = folder / "here"
    here.mkdir()
    for name in HOSTILE:
        (here / f"{name}.py").write_text("raise SystemExit('a stranger ran')\n")
    say = "import affetti; print(affetti.__file__, affetti.analyze, affetti.errors.DiskFull.code)"
    found = run([python, "-P", "-c", say], cwd=here)
    assert found.startswith(str(folder / "environment")), found
    affetti = [python.with_name("affetti")]
    assert "demo" in run([*affetti, "--help"], cwd=here)
    assert run([python, "-P", "-m", "affetti", "--version"], cwd=here)
    run([*affetti, "demo"], cwd=here)
    assert list((here / "affetti-demo").glob("*.report.html"))
    score = run([*affetti, "models", "evaluate", "music", "--no-train", "--json", "--data",
                 clips(folder / "clips")], cwd=here)  # fmt: skip
    assert json.loads(score)["n"] == 4
    told = run([*affetti, "models", "train", "music", "--data", ".", "--output", "out"], here, 17)
    assert "wants a checkout" in told, told


def clips(folder: Path) -> Path:
    """Return a folder of four labelled clips."""
    shutil.copytree(ROOT / "sample_sessions" / "music", folder)
    pieces = sorted(folder.glob("*.ogg"))
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "label"], *([p.name, p.stem] for p in pieces)])
    return folder


def run(command: list[object], cwd: Path | None = None, code: int = 0) -> str:
    """Run a command; return what it said, on standard error only where it is to fail."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode != code:
        sys.exit(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stderr if code else done.stdout


if __name__ == "__main__":
    main()
