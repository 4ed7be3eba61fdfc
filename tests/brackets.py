"""A second language, made from English: every sentence of it stands in brackets.

Whatever is shown in it and stands in none was not said through the catalogue.
"""

import math
import re
from pathlib import Path
from typing import Final

from affetti.core import language

NAME: Final = "xx"
CATALOGUE: Final = Path("LC_MESSAGES", "affetti.po")  # in the folder of a language
ENGLISH: Final = Path(language.__file__).parent / "locale" / "en" / CATALOGUE
FILLER: Final = "ø"
_LONGEST: Final = 8  # of the words that a sentence is made longer by
_SENTENCE: Final = re.compile(r'(?m)^(msgstr(?:\[\d\])? )"(.+)"$')
_INNERMOST: Final = re.compile(r"⟦[^⟦⟧]*⟧")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")


def write(folder: Path) -> None:
    """Write both languages into a folder."""
    english = ENGLISH.read_text(encoding="utf-8")
    put(folder, "en", english)
    put(folder, NAME, _SENTENCE.sub(r'\1"⟦\2⟧"', english))


def write_longer(folder: Path, share: float = 0.4) -> None:
    """Write English, and as a second language English of which each sentence is longer."""
    english = ENGLISH.read_text(encoding="utf-8")
    put(folder, "en", english)
    put(folder, NAME, _SENTENCE.sub(lambda found: _longer(found, share), english))


def _longer(found: re.Match[str], share: float) -> str:
    """Return a sentence's line with so much more behind it, in words; signs alone stay."""
    start, said = found.groups()
    letters = _WORD.findall(re.sub(r"\{[^}]*\}", "", said))
    more = math.ceil(share * sum(map(len, letters)))
    words = [FILLER * min(_LONGEST, more - at) for at in range(0, more, _LONGEST)]
    glue = "" if len(letters) == 1 else " "
    return f'{start}"{glue.join([said, *words]) if words else said}"'


def put(folder: Path, language: str, said: str) -> None:
    """Write a language's catalogue into a folder of languages."""
    path = folder / language / CATALOGUE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(said, encoding="utf-8")


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
