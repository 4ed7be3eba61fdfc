"""Links of the manual: between its pages as it is assembled, and in the site that is built."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_LINK: Final = re.compile(r"\[([^\]]*)\]\(([^):#]+)\)")
_LEADS: Final = ("href", "src")


def within(text: str, pages: dict[str, str]) -> str:
    """Return Markdown of which links lead to pages of the manual.

    Parameters
    ----------
    text
        Whose links lead to files of the repository; of those that are no page, the words stay.
    pages
        By file, its page in the manual.
    """

    def led(found: re.Match[str]) -> str:
        page = pages.get(found[2])
        return found[1] if page is None else f"[{found[1]}](/{page})"

    return _LINK.sub(led, text)


def broken(site: Path) -> list[str]:
    """Return the links of a site that lead to no file of it, or to no place in that."""
    pages = {path: _read(path) for path in sorted(site.resolve().rglob("*.html"))}
    return [
        f"{path.name}: {link}"
        for path, page in pages.items()
        for link in page.links
        if not _leads(path, link, pages)
    ]


class _Page(HTMLParser):
    """What a page links to, and what in it can be linked to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if name in _LEADS and value]
        self.places |= {value for name, value in attrs if name in ("id", "name") and value}


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text())
    return page


def _leads(path: Path, link: str, pages: dict[Path, _Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True  # outside; there may be no network
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    page = pages.get(target)
    if page is None or not parts.fragment:
        return target.exists()
    return unquote(parts.fragment) in page.places
