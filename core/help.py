"""What `--help` says, in the language that is spoken.

Commands say it in English, in their documentation and that of their options. In another language
it is looked up by these English words in `core/locale/LANGUAGE/LC_MESSAGES/help.po`, paragraph by
paragraph, and so are click's own words; what is not there is said in English. Examples, paragraphs
that begin with a backspace, stay as they are.
"""

import sys
from collections.abc import Callable, Iterator
from copy import copy
from functools import cache
from inspect import cleandoc
from typing import Any, Final

import click

from affetti.core import language
from affetti.core.language import Catalogue

_EXAMPLES: Final = "\b"


def said(command: click.Command) -> click.Command:
    """Return a command whose help is in the language that is spoken, and those below it as well."""
    if language.language() == language.ENGLISH:
        return command
    _teach_click()
    told = copy(command)
    told.help = command.help and "\n\n".join(map(_said, _paragraphs(command.help)))
    told.params = [_said_of(parameter) for parameter in command.params]
    vars(told)["_help_option"] = None  # which click keeps, in the language that was spoken then
    told.options_metavar = command.options_metavar and words(command.options_metavar)
    if isinstance(told, click.Group) and isinstance(command, click.Group):
        told.subcommand_metavar = words(command.subcommand_metavar)
        vars(told)["get_command"] = _below(command)
    return told


def texts(command: click.Command) -> Iterator[str]:
    """Yield what the help of one command says, as it is looked up: paragraphs, options, names."""
    yield from (each for each in _paragraphs(command.help or "") if not each.startswith(_EXAMPLES))
    for parameter in command.params:
        yield from (each for each in (_help_of(parameter), parameter.metavar) if each)


def words(message: str) -> str:
    """Return what click says, or a text of help, in the language that is spoken."""
    return _catalogue().get(message, [message])[0]


def _counted(one: str, many: str, n: int) -> str:
    """Return what click says of a number of things."""
    forms = _catalogue().get(one, [one, many])
    return forms[min(language.plural_form(n), len(forms) - 1)]


def _catalogue() -> Catalogue:
    return _read(language.language())


@cache
def _read(spoken: str) -> Catalogue:
    path = language.folder(spoken) / "help.po"
    return language.read(path) if path.exists() else {}


def _below(group: click.Group) -> Callable[[click.Context, str], click.Command | None]:
    def get_command(context: click.Context, name: str) -> click.Command | None:
        command = group.get_command(context, name)
        return command and said(command)

    return get_command


def _said_of(parameter: click.Parameter) -> click.Parameter:
    told = copy(parameter)
    named = parameter.metavar or ("FILE" if isinstance(parameter.type, click.Path) else None)
    told.metavar = named and words(named)
    if isinstance(told, click.Option):
        told.help = told.help and words(_help_of(parameter))
    return told


def _help_of(parameter: click.Parameter) -> str:
    return " ".join((getattr(parameter, "help", None) or "").split())


def _said(paragraph: str) -> str:
    return paragraph if paragraph.startswith(_EXAMPLES) else words(paragraph)


def _paragraphs(documentation: str) -> Iterator[str]:
    """Yield the paragraphs, each as one line unless it is one of examples."""
    for each in cleandoc(documentation).split("\n\n"):
        lines = each.strip("\n")
        yield lines if lines.startswith(_EXAMPLES) else " ".join(lines.split())


def _teach_click() -> None:
    """Have click ask us for its words.

    Its modules ask `gettext` by names of their own, for a file of a system's folder.
    """
    ours: dict[str, Any] = {"_": words, "ngettext": _counted}
    for name, module in tuple(sys.modules.items()):
        if name.startswith("click."):
            told = vars(module)
            told.update({each: ours[each] for each in ours if each in told})
