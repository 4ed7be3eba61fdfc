"""What a translator works on: the catalogues of every language, brought up to the English.

    python -m tests.translations            # every language there is
    python -m tests.translations fr         # a new one as well

Run by `make translations`. Each language gets two catalogues, to be filled in with Poedit, with
Babel's or gettext's programs, or by hand. In `affetti.po` ids stand in for the sentences, and the
English is a comment; in `help.po`, of what `--help` says, the English is the id. An entry whose
English has changed since it was translated is marked `fuzzy`, and said in English until somebody
has looked at it and removed the mark. What no longer is in English is removed.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from affetti.core import help as spoken_help
from affetti.core.cli import affetti
from affetti.core.language import ENGLISH, folder, languages

SENTENCES: Final = "affetti.po"
HELP: Final = "help.po"
_BEGAN: Final = datetime(2026, 11, 26, tzinfo=UTC)  # a date of each writing would only be noise

_WIDE: Final = 1 << 16  # a sentence a line, and the English of it as well

# Click's own words, of what it says of our commands and of a slip in what was typed.
CLICK: Final = (
    *("Usage:", "Options", "Commands", "Error: {message}", "required", "default: {default}"),
    *("Show this message and exit.", "Show the version and exit."),
    *(
        "Try '{command} {option}' for help.",
        "No such option {name!r}.",
        "No such command {name!r}.",
    ),
    *("Missing command.", "Missing argument", "Missing option", "Missing parameter"),
    *("Invalid value: {message}", "Invalid value for {param_hint}: {message}"),
    *("Option {name!r} does not take a value.", "{value!r} is not a valid {number_type}."),
    *("{value} is not in the range {range}.", "Choose from:\n\t{choices}"),
    *("Do you want to continue?", "Repeat for confirmation", "Error: invalid input"),
    "Error: The two entered values do not match.",
    *("[OPTIONS]", "COMMAND [ARGS]...", "[COMMAND] [ARGS]..."),
)
CLICK_COUNTED: Final = (
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
    ("Did you mean {suggestions}?", "Did you mean one of: {suggestions}?"),
)


def catalogue_of(path: Path, language: str) -> Catalog:
    """Return a catalogue as Babel reads it; an empty one where there is none yet."""
    if not path.exists():
        return Catalog(
            locale=Locale.parse(language),
            header_comment=f"# Affetti in {Locale.parse(language).english_name}.",
            project="Affetti",
            version=".".join(version("affetti").split(".")[:2]),
            creation_date=_BEGAN,
            revision_date=_BEGAN,
            fuzzy=False,
        )
    with path.open("rb") as file:
        return read_po(file, locale=Locale.parse(language))


def entries(catalogue: Catalog) -> Iterator[Message]:
    """Yield the entries of a catalogue but its head."""
    yield from (message for message in catalogue if message.id)


@cache
def english() -> Catalog:
    """Return every id of the sentences, with the English as comments."""
    template = Catalog(project="Affetti", creation_date=_BEGAN)
    for message in entries(catalogue_of(folder(ENGLISH) / SENTENCES, ENGLISH)):
        template.add(message.id, auto_comments=spoken(message))
    return template


def spoken(message: Message) -> list[str]:
    """Return what an entry says in English, a line for each plural form."""
    said = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return [each.replace("\n", "\\n").strip() for each in said]


def every_command(
    command: click.Command, name: str = "affetti"
) -> Iterator[tuple[str, click.Command]]:
    """Yield a command and all below it, each with its name."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from every_command(found, below)


@cache
def english_help() -> Catalog:
    """Return whatever help says in English: the commands' words, then click's."""
    template = Catalog(project="Affetti", creation_date=_BEGAN)
    for _, command in every_command(affetti):
        for text in spoken_help.texts(command):
            if any(map(str.isalpha, text)):
                template.add(text)
    for text in CLICK:
        template.add(text)
    for pair in CLICK_COUNTED:
        template.add(pair)
    return template


def updated(catalogue: Catalog, template: Catalog) -> Catalog:
    """Return a catalogue with what is in the template, marking what has other English by now."""
    was = {message.id: message.auto_comments for message in entries(catalogue)}
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    for message in entries(catalogue):
        if was.get(message.id) not in (None, [], message.auto_comments) and any(message.string):
            message.flags.add("fuzzy")
    return catalogue


def bring_up_to_date(language: str) -> None:
    """Write both catalogues of a language anew."""
    folder(language).mkdir(parents=True, exist_ok=True)
    for name, template in ((SENTENCES, english()), (HELP, english_help())):
        path = folder(language) / name
        catalogue = updated(catalogue_of(path, language), template)
        with path.open("wb") as file:
            write_po(file, catalogue, width=_WIDE, ignore_obsolete=True)


if __name__ == "__main__":
    for each in sorted({*languages(), *sys.argv[1:]} - {ENGLISH}):
        bring_up_to_date(each)
