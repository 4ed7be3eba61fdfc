"""Builds the manual: `make docs`. Pictures, outputs and reference are made anew each time."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.manual import console, licences, pictures, reference

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PAGES: Final = ROOT / "docs"
BUILT: Final = ROOT / "build" / "manual"
_ALSO: Final = ("CONTRIBUTING.md", "FORMAT.md", "ENCRYPTION.md")


def main() -> None:
    """Assemble the pages, run every command line in them, and build the site."""
    pages = BUILT / "pages"
    shutil.rmtree(BUILT, ignore_errors=True)
    shutil.copytree(PAGES, pages)
    for name in _ALSO:
        shutil.copy(ROOT / name, BUILT / name)
    reference.write(pages / "reference")
    licences.write(pages / "reference")
    pictures.write(pages / "pictures")
    failed = console.run_all(sorted(pages.rglob("*.md")), BUILT / "folder")
    for line in failed:
        sys.stderr.write(f"{line}\n")
    if failed:
        raise SystemExit(1)
    _build(pages)


def _build(pages: Path) -> None:
    # -W: a link that leads nowhere is an error; -n: so is a name that is not there.
    words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    subprocess.run([*words, str(pages), str(BUILT / "site")], check=True)
    sys.stdout.write(f"The manual is in {BUILT / 'site' / 'index.html'}\n")


if __name__ == "__main__":
    main()
