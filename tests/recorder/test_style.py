"""The style of the screens: what is said of one is said of no other."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import textual.command
import textual.containers
import textual.widgets
from textual.css.model import RuleSet, SelectorType
from textual.css.parse import parse
from textual.css.tokenize import tokenize_values
from textual.dom import DOMNode

from affetti.recorder.tui import app, screens, widgets

SHARED = {"#title", "#header"}  # the first line, which is alike on all of them


def classes() -> Iterator[type[DOMNode]]:
    """Yield every class of a screen or a widget of ours."""
    yield app.AffettiApp
    for package in (screens, widgets):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            found = vars(importlib.import_module(module.name)).values()
            yield from (each for each in found if isinstance(each, type) and is_ours(each))


def is_ours(found: type) -> bool:
    return issubclass(found, DOMNode) and found.__module__.startswith("affetti.")


def rules() -> Iterator[RuleSet]:
    """Yield the rules of the app's style, and of what a screen or a widget brings itself."""
    style = Path(app.__file__).with_name(app.AffettiApp.CSS_PATH)
    yield from parsed(style.read_text(encoding="utf-8"), style.name)
    for each in classes():
        for name in ("DEFAULT_CSS", "CSS"):
            written = vars(each).get(name, "")
            if written:
                yield from parsed(written, each.__name__)


def parsed(style: str, name: str) -> Iterator[RuleSet]:
    """Yield the rules of a style, whatever the colours are."""
    colours = dict.fromkeys(re.findall(r"\$([a-z-]+)", style), "#000000")
    yield from parse("", style, (name, ""), variable_tokens=tokenize_values(colours))


def test_what_is_said_by_an_id_is_said_of_one_screen_alone() -> None:
    bare = []
    for chosen in chain.from_iterable(rule.selector_set for rule in rules()):
        kinds = [each.type for each in chosen.selectors]
        names = {f"#{each.name}" for each in chosen.selectors if each.type == SelectorType.ID}
        types = {each.name for each in chosen.selectors if each.type == SelectorType.TYPE}
        of_all = "Screen" in types and not names <= SHARED
        if names and (kinds[0] != SelectorType.TYPE or of_all):
            bare.append(" ".join(each.css for each in chosen.selectors))
    assert bare == []


def test_what_the_style_speaks_of_is_there() -> None:
    ours = {base.__name__ for each in classes() for base in each.__mro__}
    theirs = {*textual.widgets.__all__, *dir(textual.containers), *dir(textual.command)}
    theirs.add("Bar")  # of a ProgressBar
    named = {
        each.name
        for rule in rules()
        for chosen in rule.selector_set
        for each in chosen.selectors
        if each.type == SelectorType.TYPE
    }
    assert named - ours - theirs == set()
