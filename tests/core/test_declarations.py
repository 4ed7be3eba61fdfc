"""Nothing about an event can be forgotten: whoever adds a kind is told here what is missing."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

import affetti.core.people.annotations  # noqa: F401  its entries are checked too
from affetti.core.consent import Consent
from affetti.core.events import (
    KINDS,
    OF_ITS_STREAM,
    EndReason,
    Event,
    Failure,
    GapCause,
    LossCause,
    Moment,
    SkipReason,
    TrackEndReason,
    columns,
    decode,
    encode,
    fields_of,
    leaves,
)
from affetti.core.events.documentation import documentation
from affetti.core.events.entries import Entry
from affetti.core.journal import sentence
from affetti.core.language import known
from affetti.core.recording import layout
from affetti.core.recording.session import Session
from affetti.recorder.engine import messages

ROOT = Path(__file__).parents[2]
UNITS = {
    "_ns": "nanoseconds",
    "_s": "seconds",
    "_px": "pixels",
    "_hz": "hertz",
    "_deg": "degrees",
    "_dbfs": "dB relative to full scale",
    "_bpm": "beats per minute",
    "_bits": "bits",
    "sample": "samples",
}
ALL = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


def value_of(hint: Any) -> Any:
    """Return some value of a type, not below the least that it may have."""
    if get_origin(hint) is Annotated:
        least = [m.ge for m in hint.__metadata__ if getattr(m, "ge", None) is not None]
        value = value_of(hint.__origin__)
        return max(value, *least) if least else value
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        return () if inner[-1] is Ellipsis else tuple(value_of(each) for each in inner)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return example(hint)
    known_types: dict[Any, Any] = {int: 3, float: 0.5, str: "word", bool: True}
    if hint in known_types:
        return known_types[hint]
    if get_origin(hint) is dict:
        return {}
    chosen = next(each for each in get_args(hint) if each is not type(None))
    return chosen if isinstance(chosen, str) else value_of(chosen)


def example(kind: type[Any]) -> Any:
    """Return an event, or a part of one, whose every field has a value."""
    hints = get_type_hints(kind, include_extras=True)
    return kind(**{name: value_of(hints[name]) for name in kind.__struct_fields__})


def texts_in(hint: Any, where: str) -> Iterator[tuple[str, str | None]]:
    """Yield every text that a type holds, and the pattern of its codes; None where it is given."""
    if get_origin(hint) is Annotated and hint.__origin__ is str:
        declared = {"codes": hint.__metadata__[-1].pattern}
        for meta in hint.__metadata__:
            declared |= meta.extra or {}
        assert declared["codes"] or declared.get("given"), f"{where} is neither a code nor given"
        yield where, declared["codes"]
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        for name, inner in stored_fields(hint):
            yield from texts_in(inner, f"{hint.__name__}.{name}")
    elif get_origin(hint) is not Literal:
        assert hint is not str, f"{where} is neither a code nor given"
        for inner in get_args(hint):
            yield from texts_in(inner, where)


def stored_fields(kind: type[msgspec.Struct]) -> Iterator[tuple[str, Any]]:
    """Yield each field with its type and whatever is declared of it."""
    hints = get_type_hints(kind, include_extras=True)
    yield from ((name, hints[name]) for name in kind.__struct_fields__)


def texts_of(part: Any) -> Iterator[tuple[str, str]]:
    """Yield every code in an event and the parts of it, behind its pattern."""
    for name, hint in stored_fields(type(part)):
        value = getattr(part, name)
        values = value if isinstance(value, tuple) else (value,)
        patterns = [pattern for _, pattern in texts_in(hint, name) if pattern]
        for each in values:
            if isinstance(each, msgspec.Struct):
                yield from texts_of(each)
            elif isinstance(each, str) and patterns:
                yield patterns[0], each


def named_classes(path: Path) -> Iterator[str]:
    """Yield the names of all classes that a module matches or asks `isinstance` for."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.MatchClass(cls=asked):
                yield from _last_names(asked)
            case ast.Call(func=ast.Name(id="isinstance"), args=[_, asked]):
                yield from _last_names(asked)


def _last_names(asked: ast.AST) -> Iterator[str]:
    for node in ast.walk(asked):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


@ALL
def test_every_kind_declares_its_own_traits(kind: type[Event]) -> None:
    assert "traits" in vars(kind), f"{kind.__name__} has no traits = Traits(...) of its own"


@ALL
def test_every_field_says_what_it_is_and_in_what_unit(kind: type[Event]) -> None:
    for field in fields_of(kind):
        assert field.description, f"{kind.__name__}.{field.name} has no description"
        for suffix, unit in UNITS.items():
            if field.name.endswith(suffix) and not field.labels:
                assert field.unit.startswith(unit), f"{kind.__name__}.{field.name} has no unit"


@pytest.mark.parametrize("kind", [*KINDS.values(), *leaves(Entry)])
def test_every_text_is_a_code_or_given_and_no_sentence_of_ours(kind: type[msgspec.Struct]) -> None:
    sentences = ("The log is gone.", "the log could not keep up", "It failed.", "2 s of 3 s lost")
    for where, pattern in texts_in(kind, kind.__name__):
        for said in sentences if pattern else ():
            assert not re.fullmatch(str(pattern), said), f"{where} takes a sentence"


def test_the_codes_of_a_recording_are_as_they_were_declared() -> None:
    with Session.open(ROOT / "sample_sessions/sample.h5") as session:
        codes = {found for event in session.events for found in texts_of(event)}
    assert len(codes) > 20
    assert {said for pattern, said in codes if not re.fullmatch(pattern, said)} == set()


@pytest.mark.parametrize(
    ("group", "codes"),
    [
        *(("reason", codes) for codes in (TrackEndReason, SkipReason)),
        ("end", EndReason),
        *(("cause", codes) for codes in (GapCause, LossCause)),
        ("failure", Failure),
    ],
)
def test_every_code_of_why_has_its_words(group: str, codes: Any) -> None:
    assert [code for code in get_args(codes) if not known(f"{group}.{code}")] == []


@ALL
def test_every_kind_that_a_journal_shows_has_its_sentence(kind: type[Event]) -> None:
    if kind.traits.message is None:
        return
    said = sentence(example(kind))
    assert said
    assert "journal." not in said, f"the catalogue lacks journal.{kind.traits.message}"


@ALL
def test_every_kind_is_folded_or_declared_as_not_folded(kind: type[Event]) -> None:
    asked = set(named_classes(ROOT / "core/state.py"))
    names = {base.__name__ for base in kind.__mro__ if base not in (Event, object)}
    assert bool(names & asked) == kind.traits.folded, kind.__name__


@ALL
def test_every_kind_is_stored_and_read_and_becomes_columns(kind: type[Event]) -> None:
    event = example(kind)
    assert decode(encode(event)) == event
    table = columns(kind, [event])
    assert {len(values) for values in table.values()} == {1}
    assert {"seq", "t_ns"} <= table.keys()


@ALL
def test_every_kind_fits_the_index(kind: type[Event]) -> None:
    assert len(kind.__name__) <= layout.EVENT_ROW["kind"].itemsize
    assert kind.__doc__


@ALL
def test_every_scope_is_one_that_consent_knows(kind: type[Event]) -> None:
    scope = kind.traits.scope
    assert scope in (None, OF_ITS_STREAM, "video") or scope in Consent.__struct_fields__


@pytest.mark.parametrize("kind", leaves(Moment))
def test_every_moment_has_a_name_and_words(kind: type[Moment]) -> None:
    assert known(f"moment.{kind.noun}")
    assert kind.words_field in kind.__struct_fields__
    assert kind.traits.message is not None


@pytest.mark.parametrize("command", messages.COMMANDS)
def test_every_command_is_carried_out(command: type[messages.Command]) -> None:
    assert command.__name__ in set(named_classes(ROOT / "recorder/engine/engine.py"))


@pytest.mark.parametrize("message", messages.MESSAGES)
def test_every_message_is_taken_in_by_a_screen(message: type[messages.Message]) -> None:
    modules = (ROOT / "recorder/tui").rglob("*.py")
    assert message.__name__ in {name for path in modules for name in named_classes(path)}


def test_the_format_documents_itself() -> None:
    page = documentation()
    for name, kind in KINDS.items():
        assert f"### {name}\n" in page
        for field in fields_of(kind):
            assert f"| `{field.name}` | {field.description} | {field.unit} |" in page
    assert "`left_px`, `top_px`, `width_px`, `height_px`" in page
