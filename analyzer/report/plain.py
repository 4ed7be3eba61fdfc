"""A page as plain text, for a health record: nothing but words, in lines of bounded width."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

from affetti.analyzer.report.blocks import (
    Bars,
    Blank,
    Block,
    Card,
    Cell,
    Figure,
    Items,
    Moment,
    Moments,
    Page,
    Pair,
    Pairs,
    Row,
    Table,
    Text,
    Words,
    plain,
)
from affetti.core.labels import lines
from affetti.core.language import text

WIDTH: Final = 78
_GAP: Final = 2  # between columns


def plain_text(page: Page) -> str:
    """Return a page as text; figures are left out, what they rest on is said beside them."""
    return "\n".join(line.rstrip() for line in _page(page)).strip() + "\n"


def _page(page: Page) -> Iterator[str]:
    if page.altered:
        yield from _wrapped(page.altered)
        yield ""
    yield from (page.kicker, f"{page.person}  {page.day}", "")
    yield from _pairs(page.facts)
    for notice in page.notices:
        yield ""
        yield from _wrapped(notice, "! ")
    for section in page.sections:
        title = section.title.upper() if section.part == "front" else section.title
        yield from ("", "", title, "-" * len(title))
        told = [line for block in section.blocks for line in _block(block)]
        yield from told or ["", *_wrapped(text("page.drawn"))]
    yield ""
    for said in page.footer:
        yield from _wrapped(said)
    yield ""
    yield f"affetti-session {page.subject}"
    yield from (f"affetti-rests-on {each}" for each in page.rests_on)


def _block(block: Block) -> Iterable[str]:  # noqa: PLR0911  one a kind
    match block:
        case Text(words=words):
            return ["", *_wrapped(words)] if words else []
        case Items(items=items):
            return ["", *(line for item in items for line in _wrapped(item, "- "))]
        case Pairs(pairs=pairs):
            return ["", *_pairs(pairs)]
        case Table(summary=""):
            return ["", *_table(block)]
        case Figure() | Row():
            return _figure(block)
        case Bars(bars=bars):
            told = (f"{bar.name}: {bar.words} ({bar.coverage})" for bar in bars)
            return ["", *(line for each in told for line in _wrapped(each))]
        case Card():
            return _card(block)
        case Moments(moments=moments):
            return [line for moment in moments for line in _moment(moment)]
        case Blank(words=words):
            return ["", *_wrapped(words)]
    return []


def _figure(block: Figure | Row) -> list[str]:
    figures = block.figures if isinstance(block, Row) else (block,)
    said = [
        ". ".join(filter(None, (each.title, plain(each.caption)))) for each in figures
        if isinstance(block, Row) and (each.title or each.caption)
    ]  # fmt: skip
    return ["", *(line for each in said for line in _wrapped(each))] if said else []


def _card(card: Card) -> Iterator[str]:
    yield ""
    yield from _wrapped(f"{card.ordinal} {card.title}")
    yield from _wrapped(card.aside, "  ")
    for block in card.blocks:
        yield from (line for line in _block(block) if line)


def _moment(moment: Moment) -> Iterator[str]:
    yield ""
    yield from _wrapped(" ".join(filter(None, (moment.at, moment.kind))))
    if moment.words:
        yield from _wrapped(moment.words, "  ")
    yield from _pairs(moment.around, "  ")


def _pairs(pairs: Iterable[Pair], indent: str = "") -> Iterator[str]:
    for pair in pairs:
        small = f" ({pair.small})" if pair.small else ""
        yield from _wrapped(f"{pair.name}: {plain(pair.words)}{small}", indent)


def _table(table: Table) -> list[str]:
    rows = [[_cell(cell) for cell in row] for row in table.rows]
    every = [list(table.head), *rows] if table.head else rows
    widths = [max(map(len, column)) for column in zip(*every, strict=True)] if every else []
    if sum(widths) + _GAP * (len(widths) - 1) <= WIDTH:
        return [(" " * _GAP).join(cell.ljust(w) for cell, w in zip(row, widths, strict=True))
                for row in every]  # fmt: skip
    return _told(table, rows)


def _told(table: Table, rows: list[list[str]]) -> list[str]:
    """Return a table that is too wide as lines: a row's name, and then its columns."""
    found: list[str] = []
    for first, *others in rows:
        found += _wrapped(first)
        heads = table.head[1:] or ("",) * len(others)
        for name, said in zip(heads, others, strict=True):
            if said:
                found += _wrapped(f"{name}: {said}" if name else said, "  ")
    return found


def _cell(cell: Cell) -> str:
    said = " ".join(plain(cell.words).split("\n"))
    small = f"({cell.small})" if cell.small else ""
    return " ".join(filter(None, (said, small, cell.note)))


def _wrapped(words: Words, first: str = "") -> list[str]:
    """Return a text in lines that are no wider than the page; its own lines stay lines."""
    found: list[str] = []
    indent = " " * len(first)
    for i, line in enumerate(lines(plain(words)).split("\n")):
        lead = first if i == 0 else indent
        found += textwrap.wrap(
            line.replace("\N{NO-BREAK SPACE}", "\x00"),
            WIDTH,
            initial_indent=lead,
            subsequent_indent=indent,
            break_on_hyphens=False,
        ) or [""]
    return [line.replace("\x00", "\N{NO-BREAK SPACE}") for line in found]
