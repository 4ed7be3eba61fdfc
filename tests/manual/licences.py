"""The licences of what Affetti is made of and brings with it, on one page."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

from affetti.models.manifest import manifest


def write(folder: Path) -> None:
    """Write the page."""
    (folder / "licences.md").write_text("\n".join(_page()) + "\n")


def _page() -> Iterator[str]:
    yield "# Licences\n\nAffetti is under Apache-2.0.\n\n## Models, and what they learned from\n"
    yield "| model | licence and data |\n|---|---|"
    for name, model in sorted(manifest().items()):
        yield f"| {name} | {model.licence} |"
    yield "\n## Libraries\n\n| package | version | licence | extra |\n|---|---|---|---|"
    for name, extras in sorted(_wanted().items()):
        yield from _library(name, extras)


def _wanted() -> dict[str, list[str]]:
    """Return the packages that Affetti wants, and the extras that want them; "" is none."""
    found: dict[str, list[str]] = {}
    for line in requires("affetti") or ():
        name = re.split(r"[^A-Za-z0-9_.-]", line)[0].lower()
        extra = re.search(r"extra == ['\"]([\w-]+)", line)
        found.setdefault(name, []).append(extra[1] if extra else "")
    return found


def _library(name: str, extras: list[str]) -> Iterator[str]:
    try:
        meta = distribution(name).metadata
    except PackageNotFoundError:
        yield f"| {name} | not installed here | | {', '.join(extras)} |"
        return
    licence = meta.get("License-Expression") or _classified(meta.get_all("Classifier") or [])
    licence = licence or next(iter((meta.get("License") or "").splitlines()), "see the package")
    yield f"| {name} | {meta['Version']} | {licence} | {', '.join(filter(None, extras))} |"


def _classified(classifiers: list[str]) -> str:
    found = [c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License ::")]
    return ", ".join(c for c in found if c != "OSI Approved")
