"""The manual names commands and options that there are; `make docs` runs them."""

import re
import shlex
from pathlib import Path

import click
import pytest

from affetti.core import cli

PAGES = Path(__file__).resolve().parent.parent.parent / "docs"
BLOCKS = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINES = [
    line.removeprefix("$ ")
    for page in sorted(PAGES.rglob("*.md"))
    for block in BLOCKS.findall(page.read_text())
    for line in block.splitlines()
]


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_of_the_manual_names_what_there_is(line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "affetti"
    command: click.Command = cli.affetti
    context = click.Context(command)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    known = {option for each in command.params for option in each.opts}
    assert {word for word in words if word.startswith("--")} <= known
