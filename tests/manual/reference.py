"""The reference of the manual, as the code declares it: commands, settings, exit codes, events."""

import inspect
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import msgspec

import affetti
from affetti.core import cli, settings
from affetti.core.errors import ExitCode
from affetti.core.events.documentation import documentation

ROOT: Final = Path(__file__).resolve().parent.parent.parent


def write(folder: Path) -> None:
    """Write all pages."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "commands": "\n".join(_commands()),
        "settings": "\n".join(_settings()),
        "exit_codes": "\n".join(_exit_codes()),
        "events": documentation(),
        "library": "\n".join(_library()),
        "format": "```{include} ../../FORMAT.md\n```",
        "encryption": "```{include} ../../ENCRYPTION.md\n```",
        "models": "\n".join(_models(folder)),
    }
    for name, page in pages.items():
        (folder / f"{name}.md").write_text(page + "\n")


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    group = cli.affetti
    context = click.Context(group, info_name="affetti")
    for name in group.list_commands(context):
        yield from _command(group.get_command(context, name), f"affetti {name}", context)


def _command(command: click.Command | None, name: str, above: click.Context) -> Iterator[str]:
    if command is None:
        return
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=above)
    yield f"## {name}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from _command(command.get_command(context, each), f"{name} {each}", context)


def _settings() -> Iterator[str]:
    yield "# Settings\n"
    yield "`settings.toml` lies where `affetti doctor` says, or where `AFFETTI_SETTINGS` does."
    yield from _table_of(settings.Settings, "")


def _table_of(kind: type[msgspec.Struct], name: str) -> Iterator[str]:
    if name:
        yield f"\n## `[{name}]`\n\n{_first_paragraph(kind)}"
    said = _said_in_source(kind)
    within = []
    yield "\n| key | default | |\n|---|---|---|"
    for field in msgspec.structs.fields(kind):
        default = field.default
        if isinstance(default, msgspec.Struct):
            within.append((type(default), f"{name}.{field.name}" if name else field.name))
            continue
        shown = "" if default is msgspec.NODEFAULT else f"`{default!r}`"
        yield f"| `{field.name}` | {shown} | {said.get(field.name, '')} |"
    for each, called in within:
        yield from _table_of(each, called)


def _said_in_source(kind: type) -> dict[str, str]:
    """Return what stands behind each field in the source, for whoever reads that."""
    lines = re.findall(r"^    (\w+): .*?#\s(.*)$", inspect.getsource(kind), re.MULTILINE)
    return {name: said.replace("|", "\\|") for name, said in lines}


def _first_paragraph(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def _exit_codes() -> Iterator[str]:
    source = inspect.getsource(ExitCode)
    said = dict(re.findall(r"^    (\w+) = \d+  # (.*)$", source, re.MULTILINE))
    yield "# Exit codes\n\nTheir numbers never change.\n\n| code | name | |\n|---|---|---|"
    for code in ExitCode:
        yield f"| {code.value} | {code.name} | {said.get(code.name, '')} |"


def _library() -> Iterator[str]:
    yield "# Library\n\nWhat `import affetti` offers; `affetti.analyzer`, `affetti.recorder`,"
    yield "`affetti.models` and `affetti.errors` have the rest.\n"
    for name in affetti.__all__:
        thing: Any = getattr(affetti, name)
        called = name
        if callable(thing) and not inspect.isclass(thing):
            called += str(inspect.signature(thing)).replace("affetti.core.", "")
        yield f"## {name}\n\n```text\n{called}\n\n{inspect.getdoc(thing)}\n```\n"


def _models(folder: Path) -> Iterator[str]:
    """Copy the cards, and list them."""
    (folder / "cards").mkdir(exist_ok=True)
    yield "# Models\n\nEach has a card: its data, its recipe, what it gets right and wrong.\n"
    yield "```{toctree}\n:maxdepth: 1\n"
    for card in sorted((ROOT / "models" / "zoo").glob("*/*.md")):
        shutil.copy(card, folder / "cards" / card.name)
        yield f"cards/{card.stem}"
    yield "```"
