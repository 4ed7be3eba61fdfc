"""Builds the manual: `make docs`. Pictures, outputs and reference are made anew each time."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.manual import console, licences, links, pictures, reference

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PAGES: Final = ROOT / "docs"
BUILT: Final = ROOT / "build" / "manual"
_ALSO: Final = {
    "CONTRIBUTING.md": "developer/house.md",
    "FORMAT.md": "reference/format.md",
    "ENCRYPTION.md": "reference/encryption.md",
}


def main() -> None:
    """Assemble the pages, run every command line in them, and build the site."""
    pages = BUILT / "pages"
    shutil.rmtree(BUILT, ignore_errors=True)
    shutil.copytree(PAGES, pages)
    for name in _ALSO:
        (BUILT / name).write_text(links.within((ROOT / name).read_text(), _ALSO))
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
    # -W: a warning is an error; -n: so is a name that is not there.
    words = [sys.executable, "-m", "sphinx", "-W", "-n", "--keep-going", "-q", "-b", "html"]
    site = BUILT / "site"
    subprocess.run([*words, str(pages), str(site)], check=True)
    if broken := links.broken(site):
        raise SystemExit("Links that lead nowhere:\n" + "\n".join(broken))
    sys.stdout.write(f"The manual is in {site / 'index.html'}\n")


if __name__ == "__main__":
    main()
