"""The manual names commands and options that there are; `make docs` runs them."""

import re
import shlex
from pathlib import Path

import click
import pytest

from affetti.core import cli
from tests.manual import links

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


def test_links_lead_to_pages_of_the_manual_and_those_that_lead_nowhere_are_found(
    tmp_path: Path,
) -> None:
    text = "[`FORMAT.md`](FORMAT.md), [a test](tests/a.py), [out](https://example.org/)"
    led = "[`FORMAT.md`](/reference/format.md), a test, [out](https://example.org/)"
    assert links.within(text, {"FORMAT.md": "reference/format.md"}) == led
    (tmp_path / "a.html").write_text('<a href="b.html#here"></a><img src="c.svg">')
    (tmp_path / "b.html").write_text('<p id="there"><a href="a.html"></a><a href="#there"></a>')
    assert links.broken(tmp_path) == ["a.html: b.html#here", "a.html: c.svg"]
