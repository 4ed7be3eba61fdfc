"""Everything said to people, in one place: messages by id, and how numbers and times are written.

Every sentence has an id and stands in a catalogue, `core/locale/LANGUAGE/LC_MESSAGES/affetti.po`;
English is a language like any other, so that a second one is a folder. What a language lacks is
said in English. The language is the one that is asked for (`--language`, `AFFETTI_LANGUAGE`, the
setting `language`), or else the system's, where there is a catalogue of it, or else English.

How to add a sentence
    1. Give it an id, `place.what`: "journal.marker_added", "report.coverage".
    2. Write it into `core/locale/en/LC_MESSAGES/affetti.po`. What varies is a placeholder, as in
       `str.format`: `msgstr "Track {number} ended"`. One that depends on a number is given in
       every plural form of the language: `msgid_plural` repeats the id, `msgstr[0]` is said of
       one, `msgstr[1]` of others, and the number is called `n`.
    3. Say it: `text("report.coverage", share=percent(share))`, or
       `counted("count.track", 3)`.

A number that is a value, `{seconds:.1f}`, is written as the language writes it; one that stands
alone is made by `decimal`. What is parsed again (tables, JSON, TOML) is never made here.

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
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date as date_of_calendar
from datetime import datetime
from enum import Enum
from functools import cache
from gettext import c2py
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final, TypeAlias

from affetti.core import system
from affetti.core.labels import label
from affetti.core.letters import decoded

ENGLISH: Final = "en"
NAMED: Final = "AFFETTI_LANGUAGE"  # of the environment: which language is spoken
_FOLDER: Final = Path(__file__).parent / "locale"
_UNITS: Final = ("kB", "MB", "GB", "TB")  # of 1000 each
_LINE: Final = re.compile(r'^(?:(msgid|msgstr)(?:\[\d\])? "(.*)"|#,.*fuzzy)', re.MULTILINE)
_DOTTED_DAY: Final = re.compile(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})")
_NOT_0: Final = re.compile("[1-9a-z]")  # digits, or what is no number
_PLURAL: Final = re.compile(r"plural=([^;]+);")

# From an id to its sentence, or to its plural forms.
Catalogue: TypeAlias = dict[str, list[str]]


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that there are catalogues of."""
    return tuple(sorted(path.parts[-3] for path in _FOLDER.glob("*/LC_MESSAGES/affetti.po")))


def text(message: str, /, **values: Any) -> str:
    """Return a message of the catalogue with its values; the id itself where there is none."""
    return _filled(unfilled(message), values)


def counted(message: str, n: int, /, **values: Any) -> str:
    """Return a message that depends on a number, in the plural form that the number takes."""
    spoken = language() if message in catalogue(language()) else ENGLISH
    found, form = catalogue(spoken).get(message, [message]), _plural_form(spoken)(n)
    return _filled(found[form if form < len(found) else -1], {"n": n, **values})


def _filled(sentence: str, values: dict[str, Any]) -> str:
    """Return a sentence with its values; as it stands where a catalogue asks for what is not there.

    A slip in a catalogue must not end what a person is being told, nor a recording.
    """
    try:
        return sentence.format(**{name: _written(value) for name, value in values.items()})
    except (LookupError, ValueError, AttributeError, TypeError):
        return sentence


def unfilled(message: str) -> str:
    """Return a message of the catalogue as it stands there, its placeholders not filled in."""
    found = catalogue(language()).get(message) or catalogue(ENGLISH).get(message)
    return found[-1] if found else message


def word(group: str, code: str) -> str:
    """Return the word for a code of a group, `GROUP.CODE`; the code itself where there is none.

    The groups are `emotion`, `expression`, `sign` (what in a sound or in a face spoke for an
    emotion), and the names of fields of events that hold codes: `reason`, `cause`, `stream`, ….
    """
    message = f"{group}.{code}"
    return text(message) if known(message) else code


def plural_form(n: int) -> int:
    """Return which of its plural forms the language takes for a number."""
    return _plural_form(language())(n)


def known(message: str) -> bool:
    """Return whether there is a message of that id."""
    return message in catalogue(language()) or message in catalogue(ENGLISH)


def decimal(value: float, places: int) -> str:
    """Return a number with so many places after the point, as the language writes it."""
    return localised(f"{value:.{places}f}")


def localised(number: str) -> str:
    """Return a number that Python has written as the language writes it."""
    signs = _signs(language())
    return number.translate(
        {46: signs.point, 44: signs.group, 37: signs.per_cent, 45: "\N{MINUS SIGN}"}
    )


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
    return f"{clock(tenths // 10)}{_signs(language()).point}{tenths % 10}"


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


def brief_date(moment: date_of_calendar) -> str:
    """Return a date in figures, for a list: "2026-11-24"."""
    return text("date.brief", day=moment.day, month=moment.month, year=moment.year)


def brief_day(written: str) -> str:
    """Return the day of an ISO 8601 time in figures, as `brief_date` has it."""
    try:
        return brief_date(date_of_calendar.fromisoformat(written[:10]))
    except ValueError:
        return written[:10]


def typed_day(said: str) -> str:
    """Return a day that a person typed, "2026-11-24" or "24.11.2026", as ISO 8601; "" for none."""
    dotted = _DOTTED_DAY.fullmatch(said.strip())
    iso = f"{dotted[3]}-{dotted[2]:0>2}-{dotted[1]:0>2}" if dotted else said.strip()
    try:
        return iso if date_of_calendar.fromisoformat(iso).isoformat() == iso else ""
    except ValueError:
        return ""


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
    return text("size", value=decimal(value, 1 if value < 100 else 0), unit=unit)


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
    """Return what a language's file says."""
    return taken_apart(_po_text(folder(language) / "affetti.po"))


def load() -> None:
    """Read the catalogue of the language that is spoken, so that no file need be opened later."""
    _po_text(folder(language()) / "affetti.po")


@cache
def _po_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def folder(language: str) -> Path:
    """Return where a language's catalogues lie."""
    return _FOLDER / language / "LC_MESSAGES"


def read(path: Path) -> Catalogue:
    """Return what a catalogue says: by id its sentence, or its plural forms.

    What is not translated, and what a translator has yet to look at (`fuzzy`), is left out.
    """
    return taken_apart(path.read_text(encoding="utf-8"))


def taken_apart(po: str) -> Catalogue:
    """Return what the text of a catalogue says, as `read` does."""
    po = po.replace('"\n"', "")  # a long sentence's lines
    entries: Catalogue = {}
    said: list[str] = []
    fuzzy = False
    for keyword, quoted in _LINE.findall(po):
        if keyword == "msgstr":
            said.append(_unquoted(quoted))
        elif keyword == "msgid":
            entries[_unquoted(quoted)] = said = []
            if fuzzy:
                said = []
        fuzzy = not keyword
    return {name: sentences for name, sentences in entries.items() if all(sentences) and sentences}


def _unquoted(quoted: str) -> str:
    # Reading a whole catalogue is most of what a short command does: few lines need a parser.
    return str(json.loads(f'"{quoted}"')) if "\\" in quoted else quoted


def language() -> str:
    """Return the language that is spoken, as its folder is called: "en"."""
    named = os.environ.get(NAMED)
    return (spoken_as(named) or ENGLISH) if named else _of_settings_or_system()


def spoken_as(name: str) -> str | None:
    """Return the language of a name such as "de", "de_AT.UTF-8" or "de-DE"; None: no catalogue."""
    code = re.split(r"[-_.@]", name.strip().lower(), maxsplit=1)[0]
    return code if code in languages() else None


def named_in_settings() -> str:
    """Return the language that the settings name; "" where they name none, or cannot be read.

    The command line looks here before anything else: the settings themselves are read, and what
    is wrong in them is said, by `core.settings`.
    """
    from affetti.core import locations  # noqa: PLC0415  which asks for the platform's folders

    with suppress(OSError, ValueError, RecursionError):
        path = locations.settings_file()
        said = decoded(path.read_bytes()) if path is not None else ""
        if "language" in said:
            from affetti.core.toml import tables  # noqa: PLC0415  few name one

            return str(tables(said).get("language", ""))
    return ""


@cache
def _of_settings_or_system() -> str:
    for name in (named_in_settings(), system.language()):
        spoken = spoken_as(name) if name else None
        if spoken is not None:
            return spoken
    return ENGLISH


def forget() -> None:
    """Read catalogues, settings and the system's language anew when they are next asked for."""
    for each in (languages, catalogue, _plural_form, _signs, _of_settings_or_system):
        each.cache_clear()


@cache
def _plural_form(language: str) -> Callable[[int], int]:
    """Return what says which of its plural forms a language takes for a number."""
    found = _PLURAL.search(catalogue(language).get("", [""])[0])
    return c2py(found[1] if found else "n != 1")


class _Signs:
    """The signs of a language's numbers: before decimals, between thousands, of a percentage."""

    def __init__(self, entries: Catalogue) -> None:
        self.point, self.group, self.per_cent = (
            entries[f"number.{sign}"][0] for sign in ("point", "group", "per_cent")
        )


@cache
def _signs(language: str) -> _Signs:
    return _Signs({**catalogue(ENGLISH), **catalogue(language)})


class _Float(float):
    def __format__(self, spec: str) -> str:
        written = super().__format__(spec)
        if written.lstrip().startswith("-") and not _NOT_0.search(written):
            written = (0.0).__format__(spec)  # what is rounded to nothing has no sign of its own
        return localised(written)


class _Whole(int):
    def __format__(self, spec: str) -> str:
        return localised(super().__format__(spec))


def _written(value: Any) -> Any:
    """Return a value that writes itself as the language does, if it is a number."""
    if isinstance(value, bool | Enum | str) or not isinstance(value, Real):
        return value
    return _Whole(value) if isinstance(value, Integral) else _Float(value)
