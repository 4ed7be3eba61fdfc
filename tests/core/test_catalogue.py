"""Whatever a person reads comes from the catalogue, and all of the catalogue is read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from affetti.core import errors
from affetti.core.events import KINDS, fields_of
from affetti.core.language import catalogue
from affetti.models.sound.reasons import QUALITIES
from tests.sources import ROOT, parsed

ROOMS: Final = ("core", "models", "recorder", "analyzer")
PAGES: Final = tuple((ROOT / "analyzer").rglob("*.html"))
ERRORS: Final = {name for name in errors.__all__ if name != "ExitCode"}
SAYING: Final = {"text", "counted", "marked", "unfilled", "known"}
ID: Final = re.compile(r"[a-z][a-z0-9_-]*(\.[A-Za-z0-9_-]+)*")

FACES: Final = tuple(ROOT / room / "__init__.py" for room in ("recorder", "analyzer"))  # of names
# What people read is made here; no words of its own may stand in it. Tables and the format
# document themselves in English, and what only a programmer meets is said in it.
SPEAKING: Final = tuple(
    path
    for path in (
        *(ROOT / "recorder").rglob("*.py"),
        *(ROOT / "analyzer").rglob("*.py"),
        *(ROOT / "models" / "commands").glob("*.py"),
        *(ROOT / "core" / name for name in ("cli.py", "journal.py", "numbers.py", "errors.py")),
        *(ROOT / "core" / "recording" / name for name in ("losses.py", "layout.py", "parts.py")),
    )
    # Tables and other programs' formats have their words by a standard.
    if path.parent.name not in ("tables", "exports", "imports")
    and path not in (*FACES, ROOT / "recorder" / "engine" / "outlets.py")
    # These lay out what the blocks of a page say, and speak the languages of style and drawing.
    and path not in (ROOT / "analyzer" / "report" / name for name in ("html.py", "paper.py"))
)
NAMES: Final = frozenset(
    {"Affetti", "within tolerance", "read music", "read faces", "read ahead", "given remember"}
)
# To whom nothing is said by these arguments, and by what these are called with.
NOT_SPOKEN: Final = frozenset({"help", "metavar", "prog_name", "name", "id", "classes", "class_"})
SILENT: Final = frozenset({"note", "warning", "names", "ValueError", "RuntimeError", "OSError"})
TOO_WIDE: Final = frozenset({r"error\..+", r"error\..+\.hint", r"count\..+", r"error\..+\..+"})


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for room in ROOMS:
        yield from parsed(room)


def called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def pattern(joined: ast.JoinedStr) -> str:
    """Return what an f-string may become, as a regular expression."""
    return "".join(
        re.escape(part.value) if isinstance(part, ast.Constant) else ".+" for part in joined.values
    )


def choices(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what an expression may come to: both sides of a condition."""
    if isinstance(node, ast.IfExp):
        yield from choices(node.body)
        yield from choices(node.orelse)
    else:
        yield node


def ids() -> Iterator[tuple[str, str]]:
    """Yield where an id stands that a sentence is asked by, and the id."""
    for path, tree in modules():
        for node in ast.walk(tree):
            name = called(node)
            ours = isinstance(node, ast.Call) and (
                name in SAYING or (name in ERRORS and isinstance(node.func, ast.Name))
            )
            if isinstance(node, ast.Call) and node.args and ours:
                for each in choices(node.args[0]):
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        where = f"{path.relative_to(ROOT)}:{node.lineno}"
                        yield where, f"error.{each.value}" if name in ERRORS else each.value
    for page in PAGES:
        for asked in re.findall(r'\bt\("([^"]+)"', page.read_text(encoding="utf-8")):
            yield page.name, asked


def asked() -> tuple[set[str], set[str]]:
    """Return the ids that may be asked for, and patterns of those that are put together.

    Any text of the code may be an id. Of errors, the id is behind `error.`; that of a field is a
    group of its codes.
    """
    texts, patterns = set(), set()
    for _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts |= {node.value, f"error.{node.value}"}
            elif isinstance(node, ast.JoinedStr):
                patterns.add(pattern(node))
                patterns.add(rf"error\.{pattern(node)}")
            elif called(node) == "word" and argument(node, 0):
                patterns.add(rf"{argument(node, 0)}\..+")
            elif called(node) == "number":
                texts.add(f"count.{argument(node, 1)}")
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        texts |= set(re.findall(r'"([a-z_.0-9]+)"', text))
        texts |= {f"count.{noun}" for noun in re.findall(r'number\([^"]*"(\w+)"\)', text)}
    patterns |= {rf"{field.name}\..+" for kind in KINDS.values() for field in fields_of(kind)}
    return texts, {each for each in patterns if each not in TOO_WIDE and ID.match(each)}


def argument(node: ast.AST, at: int) -> str:
    """Return the text that a call is given; "" where there is none."""
    args = node.args if isinstance(node, ast.Call) else []
    given = args[at] if at < len(args) else None
    return str(given.value) if isinstance(given, ast.Constant) else ""


def test_every_sentence_that_is_asked_for_is_in_the_catalogue() -> None:
    found = list(ids())
    assert len(found) > 500
    assert [(where, id) for where, id in found if id not in catalogue("en")] == []


def test_every_sentence_of_the_catalogue_is_asked_for() -> None:
    texts, patterns = asked()
    of_any = re.compile("|".join(sorted(patterns)))
    entries = {id.removesuffix(".hint") for id in catalogue("en")} - {""}
    assert [id for id in sorted(entries) if id not in texts and not of_any.fullmatch(id)] == []


def test_every_sign_of_a_face_and_of_a_sound_has_its_words() -> None:
    face = ast.parse((ROOT / "models/face/signs.py").read_text(encoding="utf-8"))
    told = [
        node
        for each in ast.walk(face)
        if isinstance(each, ast.FunctionDef) and each.returns is not None
        if ast.unparse(each.returns) == "dict[str, bool]"
        for node in ast.walk(each)
        if isinstance(node, ast.Dict)
    ]
    found = {key.value for each in told for key in each.keys if isinstance(key, ast.Constant)}
    found |= {code for quality in QUALITIES for code in (quality.low, quality.high)}
    assert len(found) > 20
    assert [code for code in sorted(found) if f"sign.{code}" not in catalogue("en")] == []


def prose(said: str) -> bool:
    """Whether a text is words to be read: two words, or one with a capital letter."""
    return bool(re.search(r"[^\W\d_]{2,}[,;:]? [^\W\d_]{2,}|^[A-Z][a-z]+( |$|[.:!?…])", said))


def unspoken(tree: ast.Module) -> set[ast.AST]:
    """Return the texts of a module that nobody is told: documentation, types, names, --help."""
    left: set[ast.AST] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant() as documentation):
                left.add(documentation)
            case ast.keyword(arg=name, value=value) if name in NOT_SPOKEN:
                left |= set(ast.walk(value))
            case ast.AnnAssign(annotation=hint) | ast.arg(annotation=hint) if hint is not None:
                left |= set(ast.walk(hint))
            case ast.FunctionDef(returns=hint) if hint is not None:
                left |= set(ast.walk(hint))
            case ast.Call() if called(node) in SILENT:
                left |= set(ast.walk(node))
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                left |= set(ast.walk(node))
            case ast.Subscript() | ast.Compare() | ast.match_case():
                left |= {each for each in ast.walk(node) if isinstance(each, ast.Constant)}
    return left


def words_in(path: Path) -> Iterator[str]:
    """Yield the words that a module says by itself."""
    tree = next(tree for each, tree in parsed(path.relative_to(ROOT).parts[0]) if each == path)
    silent = unspoken(tree)
    for node in ast.walk(tree):
        said = getattr(node, "value", None) if node not in silent else None
        if isinstance(node, ast.Constant) and isinstance(said, str) and prose(said):
            yield f"{path.relative_to(ROOT)}:{node.lineno}: {said}"


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_that_speaks_has_words_of_its_own(path: Path) -> None:
    assert [each for each in words_in(path) if each.split(": ", 1)[1] not in NAMES] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_has_words_of_its_own(page: Path) -> None:
    html = re.sub(r"\{[{%#].*?[}%#]\}", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    head = re.sub(r"<meta[^>]*>", " ", html)
    shown = re.sub(r"<[^>]*>", " ", head)
    read_aloud = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', head)
    assert re.findall(r"[^\W\d_]{2,}", " ".join([shown, *read_aloud])) == []
