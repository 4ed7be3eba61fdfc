"""Every language says everything, of the English that there is now."""

import ast
import re
from string import Formatter
from typing import Final

import pytest
from babel.messages.catalog import Catalog, Message

from affetti.core import cli
from affetti.core import help as spoken_help
from affetti.core.language import ENGLISH, folder, languages
from tests.command_line import affetti
from tests.sources import parsed
from tests.translations import (
    HELP,
    SENTENCES,
    catalogue_of,
    english,
    english_help,
    entries,
    every_command,
    updated,
)

OTHERS: Final = tuple(name for name in languages() if name != ENGLISH)


def forms(message: Message) -> tuple[str, ...]:
    said = message.string
    return tuple(said) if isinstance(said, tuple | list) else (said,)


def up_to_date(language: str, name: str, template: Catalog) -> Catalog:
    """Return a catalogue as `make translations` would write it."""
    return updated(catalogue_of(folder(language) / name, language), template)


def placeholders(sentence: str) -> set[tuple[str, str, str]]:
    """Return what a sentence names, and how it is written."""
    parts = Formatter().parse(sentence)
    return {(name, spec or "", how or "") for _, name, spec, how in parts if name}


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_and_all_of_help_is_said_in_every_language(language: str) -> None:
    """An entry that is missing, or is of English that was said before, is not said."""
    waiting = []
    for name, template in ((SENTENCES, english()), (HELP, english_help())):
        found = entries(up_to_date(language, name, template))
        waiting += [each.id for each in found if each.fuzzy or not all(forms(each))]
    assert waiting == [], "run `make translations`, then translate these"


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_names_what_the_english_names(language: str) -> None:
    ours = {
        each.id: forms(each) for each in entries(catalogue_of(folder(ENGLISH) / SENTENCES, ENGLISH))
    }
    for name, template in ((SENTENCES, english()), (HELP, english_help())):
        for message in entries(up_to_date(language, name, template)):
            own = message.id if isinstance(message.id, tuple | list) else (message.id,)
            named = [
                placeholders(each) for each in (ours[message.id] if name == SENTENCES else own)
            ]
            found = [placeholders(each) for each in forms(message) if each]
            if found and not message.fuzzy:
                assert set().union(*found) == set().union(*named), message.id


@pytest.mark.parametrize("language", OTHERS)
def test_every_plural_form_is_there(language: str) -> None:
    for name in (SENTENCES, HELP):
        catalogue = catalogue_of(folder(language) / name, language)
        for message in entries(catalogue):
            if message.pluralizable and any(forms(message)):
                assert len(forms(message)) == catalogue.num_plurals, message.id
                assert all(forms(message)), message.id


@pytest.mark.parametrize("language", OTHERS)
def test_help_is_in_the_language_and_the_list_of_commands_is_cut_nowhere(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = affetti("--language", language, "models", "evaluate", "--help")
    assert done.returncode == 0
    assert "Usage:" not in done.stdout
    assert "Show this message" not in done.stdout
    assert "Show this message" in affetti("--language", "en", "models", "--help").stdout
    monkeypatch.setenv("AFFETTI_LANGUAGE", language)
    for name, command in every_command(cli.affetti):
        told = spoken_help.said(command)
        if command is not cli.affetti and told.help != command.help:
            short = told.get_short_help_str(80 - len("  retention  ") - 2)
            assert not short.endswith("..."), name


@pytest.mark.parametrize(
    "words", [("info",), ("info", "--nix"), ("nix",), ("export", "a", "--to", "b")]
)
def test_a_slip_in_what_was_typed_is_said_in_the_language(words: tuple[str, ...]) -> None:
    said = affetti("--language", "de", *words).stderr
    assert "Aufruf: affetti" in said
    assert "Fehler: " in said
    assert "Error" not in said


def test_every_binding_has_a_key_that_takes_no_alt_gr() -> None:
    """On a German keyboard, say, brackets and @ take it, and terminals tell Alt from it badly."""
    takes_it = re.compile(
        r"(ctrl\+)?(left_square_bracket|right_square_bracket|left_curly_bracket"
        r"|right_curly_bracket|backslash|vertical_line|tilde|at|[][{}\\\\|~@])"
    )
    keys = [
        str(node.args[0].value)
        for _, tree in parsed("recorder")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Binding"
        if node.args and isinstance(node.args[0], ast.Constant)
    ]
    assert len(keys) > 100
    assert [each for each in keys if all(map(takes_it.fullmatch, each.split(",")))] == []
