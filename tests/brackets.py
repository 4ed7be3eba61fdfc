"""A second language, made from English: every sentence of it stands in brackets.

Whatever is shown in it and stands in none was not said through the catalogue.
"""

import re
from pathlib import Path
from typing import Final

from affetti.core import language

NAME: Final = "xx"
ENGLISH: Final = Path(language.__file__).parent / "locale" / "en.po"
_SENTENCE: Final = re.compile(r'(?m)^(msgstr(?:\[\d\])? )"(.+)"$')
_INNERMOST: Final = re.compile(r"⟦[^⟦⟧]*⟧")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")


def write(folder: Path) -> None:
    """Write both languages into a folder."""
    english = ENGLISH.read_text(encoding="utf-8")
    (folder / "en.po").write_text(english, encoding="utf-8")
    (folder / f"{NAME}.po").write_text(_SENTENCE.sub(r'\1"⟦\2⟧"', english), encoding="utf-8")


def read_from(folder: Path) -> None:
    """Take the languages from a folder; before anything else is imported."""
    language._FOLDER = folder  # type: ignore[misc]


def without_style(shown: str) -> str:
    """Return a page without its style sheet."""
    return re.sub(r"<style>.*?</style>", " ", shown, flags=re.DOTALL)


def words_outside(shown: str) -> list[str]:
    """Return the words of a text that stand in no brackets."""
    while (left := _INNERMOST.sub(" ", shown)) != shown:
        shown = left
    return _WORD.findall(shown)
