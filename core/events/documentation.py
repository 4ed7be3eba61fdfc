"""The documentation of the format, as the declarations of the events give it."""

from collections.abc import Iterator
from itertools import groupby
from sys import modules

from affetti.core.events import KINDS, Event, column_fields, fields_of


def documentation() -> str:
    """Return a page of Markdown: every kind of event by family, its fields and its columns."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Events"
    by_module = sorted(KINDS.values(), key=_family)
    for family, kinds in groupby(by_module, key=_family):
        yield from ("", f"## {family.capitalize()}", "", _summary(modules[_module(family)].__doc__))
        for kind in kinds:
            yield from _kind(kind)


def _kind(kind: type[Event]) -> Iterator[str]:
    yield from ("", f"### {kind.__name__}", "", _summary(kind.__doc__), "")
    yield from (f"- {line}" for line in _traits(kind))
    yield from ("", "| field | what it is | unit | columns |", "|---|---|---|---|")
    columns = column_fields(kind)
    # Those of parts, such as the faces in a frame, follow behind those of the event.
    for field in dict.fromkeys((*fields_of(kind), *columns.values())):
        named = ", ".join(f"`{name}`" for name, of in columns.items() if of == field)
        yield f"| `{field.name}` | {field.description} | {field.unit} | {named} |"


def _traits(kind: type[Event]) -> Iterator[str]:
    traits = kind.traits
    yield "on the disk at once" if traits.urgent else "on the disk within a second"
    if traits.blob:
        yield "bytes lie beside its JSON"
    if traits.scope is not None:
        yield f"concerns the consent: {traits.scope}"
    if not traits.perceived:
        yield "perception does not see it"


def _family(kind: type[Event]) -> str:
    return kind.__module__.rpartition(".")[2]


def _module(family: str) -> str:
    return next(kind.__module__ for kind in KINDS.values() if _family(kind) == family)


def _summary(doc: str | None) -> str:
    return " ".join((doc or "").strip().split("\n\n")[0].split())
