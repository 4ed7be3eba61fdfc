"""Everything said to people, in one place: messages by id, and how numbers and times are written.

Every sentence has an id and stands in a catalogue, `core/locale/LANGUAGE.po`; English is a
language like any other, so that a second one is a file. `AFFETTI_LANGUAGE` names the language;
what it lacks is said in English.

How to add a sentence
    1. Give it an id, `place.what`: "journal.marker_added", "report.coverage".
    2. Write it into `core/locale/en.po`. What varies is a placeholder, as in `str.format`:
       `msgstr "Track {number} ended"`. One that depends on a number is given in every plural
       form of the language: `msgid_plural` repeats the id, `msgstr[0]` is said of one,
       `msgstr[1]` of others, and the number is called `n`.
    3. Say it: `text("report.coverage", share=percent(share))`, or
       `counted("count.track", 3)`.

Tests find every id in the code, the ids of errors and those of the report's page among them, and
fail for one without an entry, for placeholders that are not given, for an entry that nobody asks
for, and for words that a screen, a report or a command says by itself. An id that is put together
(`f"emotion.{name}"`) needs a test of its own over everything it may become.

A code that is stored is put into words by `word(GROUP, CODE)`: the entry is `GROUP.CODE`.
"""

import json
import math
import os
import re
import struct
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import Any, Final, TypeAlias

from affetti.core.labels import label

ENGLISH: Final = "en"
_FOLDER: Final = Path(__file__).parent / "locale"
_UNITS: Final = ("kB", "MB", "GB", "TB")  # of 1000 each
_MO_MAGIC: Final = 0x950412DE
_LINE: Final = re.compile(r'(?:(msgid|msgid_plural|msgstr(?:\[\d\])?)\s+)?(".*")')

# From an id to its sentence, or to its plural forms.
Catalogue: TypeAlias = dict[str, list[str]]


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that there are catalogues of."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.po")))


def text(message: str, /, **values: Any) -> str:
    """Return a message of the catalogue with its values; the id itself where there is none."""
    return _filled(_translations(language()).gettext(message), values)


def counted(message: str, n: int, /, **values: Any) -> str:
    """Return a message that depends on a number, in the plural form that the number takes."""
    return _filled(_translations(language()).ngettext(message, message, n), {"n": n, **values})


def _filled(sentence: str, values: dict[str, Any]) -> str:
    """Return a sentence with its values; as it stands where a catalogue asks for what is not there.

    A slip in a catalogue must not end what a person is being told, nor a recording.
    """
    try:
        return sentence.format(**values)
    except (LookupError, ValueError, AttributeError, TypeError):
        return sentence


def unfilled(message: str) -> str:
    """Return a message of the catalogue as it stands there, its placeholders not filled in."""
    return _translations(language()).gettext(message)


def word(group: str, code: str) -> str:
    """Return the word for a code of a group, `GROUP.CODE`; the code itself where there is none.

    The groups are `emotion`, `expression`, `sign` (what in a sound or in a face spoke for an
    emotion), and the names of fields of events that hold codes: `reason`, `cause`, `stream`, ….
    """
    message = f"{group}.{code}"
    return text(message) if known(message) else code


def known(message: str) -> bool:
    """Return whether there is a message of that id."""
    return message in catalogue(ENGLISH)


def percent(share: float, brief: bool = False) -> str:
    """Return a share as a percentage: "82 %"; an unknown one is a dash.

    Parameters
    ----------
    share
        0 to 1, or NaN.
    brief
        Where there is no room for "under 1 %": what is neither none nor all may then read so.
    """
    if math.isnan(share):
        return text("unknown")
    rounded = round(100 * share)
    if rounded == 0 and share > 0 and not brief:
        return text("percent.least")
    if rounded == 100 and share < 1 and not brief:
        return text("percent.most")
    return text("percent", percent=rounded)


def clock(seconds: float) -> str:
    """Return a moment of a session in whole seconds, as players do: "02:03", or "1:02:03"."""
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    short = f"{minutes:02d}:{rest:02d}"
    return f"{hours}:{short}" if hours else short


def clock_text(seconds: float) -> str:
    """Return a moment to a tenth of a second: "02:03.4", or "1:02:03.4" from an hour on."""
    tenths = round(max(seconds, 0.0) * 10)
    return f"{clock(tenths // 10)}.{tenths % 10}"


def duration(seconds: float) -> str:
    """Return a length of time: "7.0 s", "02:03.4" from a minute on, a dash where unknown."""
    if math.isnan(seconds):
        return text("unknown")
    return text("seconds", seconds=seconds) if seconds < 60 else clock_text(seconds)


def span(seconds: float) -> str:
    """Return a long stretch of time, roughly: "5:12 h", "12 min" or "40 s"."""
    minutes = int(seconds // 60)
    if minutes >= 100 * 60:
        return text("span.100_h")
    if minutes >= 60:
        return text("span.h", hours=minutes // 60, minutes=minutes % 60)
    return text("span.min", minutes=minutes) if minutes else text("span.s", seconds=int(seconds))


def times(count: int) -> str:
    """Return how often: once, twice, 3 times."""
    return text(f"times.{count}") if 0 <= count <= 2 else counted("times", count)


def date(wall_clock: str) -> str:
    """Return the date of an ISO 8601 time: "24 November 2026"."""
    moment = datetime.fromisoformat(wall_clock)
    return text("date", day=moment.day, month=text(f"month.{moment.month}"), year=moment.year)


def time_of_day(wall_clock: str) -> str:
    """Return the time of an ISO 8601 time: "10:15"."""
    return f"{datetime.fromisoformat(wall_clock):%H:%M}"


def size_text(size: int) -> str:
    """Return a number of bytes as one says it: "48.2 GB"."""
    value, unit = size / 1000, _UNITS[0]
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            break
        value /= 1000
    return text("size", value=f"{value:.1f}" if value < 100 else f"{value:.0f}", unit=unit)


def one_line(lines: str) -> str:
    """Return a text of several lines as one: "first / second"."""
    each = (label(line).strip() for line in lines.splitlines())
    return " / ".join(line for line in each if line)


def listed(words: Sequence[str]) -> str:
    """Return words as one says them: "face", "face and music", "face, music and speech"."""
    if len(words) < 2:
        return "".join(words)
    return text("list.and", head=", ".join(words[:-1]), last=words[-1])


@cache
def catalogue(language: str) -> Catalogue:
    """Return what a language's file says.

    Raises
    ------
    ValueError
        A line of it is none of a catalogue.
    """
    return dict(_entries((_FOLDER / f"{language}.po").read_text(encoding="utf-8")))


def language() -> str:
    """Return the language that is spoken, as its file is called: "en"."""
    named = os.environ.get("AFFETTI_LANGUAGE", ENGLISH)
    return named if named in languages() else ENGLISH


@cache
def _translations(language: str) -> GNUTranslations:
    translations = GNUTranslations(BytesIO(_compiled(catalogue(language))))
    if language != ENGLISH:
        translations.add_fallback(_translations(ENGLISH))
    return translations


def _entries(po: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the entries of a catalogue: the id, and one sentence or one for each plural form."""
    for block in re.split(r"\n\s*\n", po):
        entry = _entry(block)
        if entry:
            yield entry["msgid"], [said for key, said in entry.items() if key.startswith("msgstr")]


def _entry(block: str) -> dict[str, str]:
    entry: dict[str, str] = {}
    keyword = ""
    for line in block.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"no line of a catalogue: {line!r}")
        keyword = found[1] or keyword
        entry[keyword] = entry.get(keyword, "") + _unquoted(found[2])
    return entry


def _unquoted(quoted: str) -> str:
    # Reading a whole catalogue is most of what a short command does: few lines need a parser.
    inner = quoted[1:-1]
    return str(json.loads(quoted)) if "\\" in inner or '"' in inner else inner


def _compiled(entries: Catalogue) -> bytes:
    """Return a catalogue as gettext reads it: a .mo file."""
    pairs = sorted((_key(name, said), "\0".join(said).encode()) for name, said in entries.items())
    table_size = 8 * len(pairs)
    head = struct.pack("<7I", _MO_MAGIC, 0, len(pairs), 28, 28 + table_size, 0, 0)
    data = [pair[side] for side in range(2) for pair in pairs]
    places, at = [], 28 + 2 * table_size
    for each in data:
        places += [len(each), at]
        at += len(each) + 1
    tables = struct.pack(f"<{len(places)}I", *places)
    return head + tables + b"".join(each + b"\0" for each in data)


def _key(name: str, said: list[str]) -> bytes:
    return (f"{name}\0{name}" if len(said) > 1 else name).encode()
