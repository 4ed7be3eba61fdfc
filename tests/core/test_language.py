import ast
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from string import Formatter

import pytest

from affetti.core import errors, language
from affetti.core.language import (
    catalogue,
    clock,
    counted,
    duration,
    listed,
    percent,
    span,
    text,
    times,
)
from tests import brackets
from tests.command_line import affetti
from tests.sources import ROOT, parsed

ROOMS = ("core", "models", "recorder", "analyzer")
COUNTED = re.compile(r'\bnumber\([^"\']*, ["\'](\w+)["\']\)')


def placeholders(message: str) -> set[str]:
    sentences = catalogue("en").get(message, [])
    return {name for said in sentences for _, name, _, _ in Formatter().parse(said) if name}


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    for path, tree in (module for room in ROOMS for module in parsed(room)):
        for node in ast.walk(tree):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if called and node.func.id in (names or ("text", "counted")) and node.args:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_message_that_is_said_is_in_the_catalogue() -> None:
    found = [
        (where, call.args[0].value)
        for where, call in calls()
        if isinstance(call.args[0], ast.Constant)
    ]
    assert found
    assert [pair for pair in found if pair[1] not in catalogue("en")] == []


def test_every_message_is_given_what_it_says() -> None:
    for where, call in calls():
        name = call.args[0]
        if not isinstance(name, ast.Constant) or any(k.arg is None for k in call.keywords):
            continue
        given = {keyword.arg for keyword in call.keywords} | (
            {"n"} if isinstance(call.func, ast.Name) and call.func.id == "counted" else set()
        )
        assert placeholders(str(name.value)) <= given, where


def test_every_error_is_given_what_it_says() -> None:
    for where, call in calls(*errors.__all__):
        name = call.args[0]
        if isinstance(name, ast.Constant) and all(keyword.arg for keyword in call.keywords):
            given = {keyword.arg for keyword in call.keywords}
            for message in (f"error.{name.value}", f"error.{name.value}.hint"):
                assert placeholders(message) <= given, where


def test_a_slip_in_a_catalogue_is_shown_as_it_stands() -> None:
    assert text("expressed.one", first="joy") == catalogue("en")["expressed.one"][0]


def test_every_noun_that_is_counted_is_in_the_catalogue() -> None:
    rooms = ("analyzer", "recorder")
    sources = [path for room in rooms for path in (ROOT / room).rglob("*") if path.is_file()]
    nouns = {
        noun
        for path in sources
        if path.suffix in (".py", ".html")
        for noun in COUNTED.findall(path.read_text(encoding="utf-8"))
    }
    assert {f"count.{noun}" for noun in nouns} <= catalogue("en").keys()


def test_a_message_without_an_entry_is_shown_as_its_id() -> None:
    assert text("no.such.message") == "no.such.message"


def test_a_second_language_is_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    brackets.put(tmp_path, "en", brackets.ENGLISH.read_text(encoding="utf-8"))
    brackets.put(
        tmp_path,
        "fr",
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        '"Plural-Forms: nplurals=2; plural=(n > 1);\\n"\n\n'
        'msgid "count.track"\nmsgid_plural "count.track"\n'
        'msgstr[0] "{n} piste"\nmsgstr[1] "{n} pistes"\n',
    )
    monkeypatch.setattr(language, "_FOLDER", tmp_path)
    monkeypatch.setenv("AFFETTI_LANGUAGE", "fr")
    language.forget()
    try:
        assert [counted("count.track", n) for n in (0, 1, 2)] == ["0 piste", "1 piste", "2 pistes"]
        assert counted("count.note", 2) == "2 notes"  # what it lacks is said in English
        monkeypatch.setenv("AFFETTI_LANGUAGE", os.sep)
        assert counted("count.track", 0) == "0 tracks"
    finally:
        language.forget()


def test_numbers_are_said_in_one_way() -> None:
    assert percent(0.004, brief=True) == "0\u00a0%"
    assert percent(float("nan")) == "–"
    assert [span(x) for x in (40, 720, 18720, 1e6)] == ["40 s", "12 min", "5:12 h", "100+ h"]
    assert [clock(x) for x in (62.6, -1)] == ["01:02", "00:00"]
    assert duration(59.97) == "60.0\u00a0s"
    assert times(3) == "3 times"
    assert [listed(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_no_id_stands_twice_in_a_catalogue() -> None:
    for path in (ROOT / "core" / "locale").rglob("affetti.po"):
        ids = re.findall(r'(?m)^msgid "(.+)"$', path.read_text(encoding="utf-8"))
        assert sorted(set(ids)) == sorted(ids), path


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({"LC_ALL": "xx_XX.UTF-8", "LANG": "en_GB.UTF-8"}, "xx"),
        ({"LC_MESSAGES": "xx", "LANG": "en_GB.UTF-8"}, "xx"),
        ({"LANG": "xx_XX@euro"}, "xx"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "tlh"}, "en"),  # of which there is no catalogue
        ({"AFFETTI_LANGUAGE": "en", "LANG": "xx"}, "en"),
        ({"AFFETTI_LANGUAGE": "XX-xx", "LANG": "en"}, "xx"),
    ],
)
def test_the_language_of_the_system_is_spoken_unless_one_is_named(
    environment: dict[str, str], spoken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brackets.write(tmp_path)
    monkeypatch.setattr(language, "_FOLDER", tmp_path)
    for name in ("AFFETTI_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    language.forget()
    try:
        assert language.language() == spoken
    finally:
        language.forget()


def test_the_setting_is_before_the_system_and_after_what_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brackets.write(tmp_path / "locale")
    monkeypatch.setattr(language, "_FOLDER", tmp_path / "locale")
    monkeypatch.delenv("AFFETTI_LANGUAGE")
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    (tmp_path / "settings.toml").write_text('\ufefflanguage = "xx"\n', encoding="utf-8")
    language.forget()
    try:
        assert language.language() == "xx"
        assert "⟦" in affetti("info", "nothing.h5").stderr
        assert "⟦" not in affetti("--language", "en", "info", "nothing.h5").stderr
    finally:
        language.forget()


@pytest.mark.parametrize(
    ("words", "environment", "setting"),
    [
        (("--language", "tlh"), "", ""),
        (("--language=tlh",), "en", ""),
        ((), "tlh", ""),
        ((), "", "tlh"),
    ],
)
def test_a_language_that_there_is_none_of_is_said_in_one_message(
    words: tuple[str, ...],
    environment: str,
    setting: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AFFETTI_LANGUAGE", environment)
    (tmp_path / "settings.toml").write_text(f'language = "{setting}"\n')
    done = affetti(*words, "--help")
    code = errors.ExitCode.USAGE if words else errors.ExitCode.SETTINGS
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("Error: Affetti does not speak 'tlh'.")
    assert "AFFETTI_LANGUAGE" in done.stderr


def test_settings_that_cannot_be_read_leave_the_language_to_the_system(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_bytes(b"language = \xff")
    assert language.named_in_settings() == ""


def test_what_a_translator_has_yet_to_look_at_is_left_out(tmp_path: Path) -> None:
    catalogue = tmp_path / "affetti.po"
    catalogue.write_text(
        'msgid ""\nmsgstr ""\n"Language: xx\\n"\n"X: y\\n"\n\n'
        '#. one\n#, fuzzy\nmsgid "a"\nmsgstr "old"\n\n'
        '#. two\nmsgid "b"\nmsgstr ""\n\n'
        'msgid "c"\nmsgid_plural "c"\nmsgstr[0] "{n} \\"c\\""\nmsgstr[1] "{n} "\n"c\\n"\n\n'
        '#~ msgid "d"\n#~ msgstr "gone"\n'
    )
    head = "Language: xx\nX: y\n"
    assert language.read(catalogue) == {"": [head], "c": ['{n} "c"', "{n} c\n"]}


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2027-11-06", "2027-11-06"),
        (" 6.11.2027 ", "2027-11-06"),
        ("06. 11. 2027", "2027-11-06"),
        ("31.2.2027", ""),
        ("6.11.27", ""),  # of which century is not said
        ("20271106", ""),
        ("", ""),
    ],
)
def test_a_day_is_understood_as_it_is_written(said: str, day: str) -> None:
    assert language.typed_day(said) == day


def test_german_writes_numbers_and_dates_as_german_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFETTI_LANGUAGE", "de")
    assert text("seconds", seconds=12.34) == "12,3\u00a0s"
    assert counted("count.frame", 12_345) == "12.345 Bilder"
    assert (
        text("found.face", share=0.514, duration="1")
        == "Ein Gesicht wurde live in 51\u00a0% von 1 gesehen."
    )
    assert language.clock_text(63.25) == "01:03,2"
    assert language.size_text(1_540_000) == "1,5 MB"
    assert language.date("2026-11-24T10:15:00+01:00") == "24. November 2026"
    assert language.brief_date(datetime(2026, 11, 4)) == "04.11.2026"
    assert percent(0.51) == "51\u00a0%"
    monkeypatch.setenv("AFFETTI_LANGUAGE", "en")
    assert (language.decimal(0.5, 2), counted("count.frame", 1234)) == ("0.50", "1,234 frames")


@pytest.mark.parametrize(
    ("dbfs", "figure"), [(-12.3, "-12"), (-0.2, "0"), (0.4, "0"), (-60, "-60")]
)
def test_a_level_has_a_minus_and_none_before_nothing(dbfs: float, figure: str) -> None:
    shown = text("meter.level", dbfs=float(dbfs))
    assert shown.split() == [figure.replace("-", "\N{MINUS SIGN}"), "dB"]
