"""What a page consists of: the one source of the HTML, the PDF and the plain text.

A page is made once of these, every sentence in words already; whoever writes a form of it lays it
out and says nothing of its own. So no form can say anything that another contradicts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal, TypeAlias

from markupsafe import Markup

from affetti.core.labels import lines

# A text as it is read, or as mark-up of the catalogue: `<b>`, `<small>` and `<code>` alone.
Words: TypeAlias = str | Markup
Part: TypeAlias = Literal["front", "body", "appendix"]


@dataclass(frozen=True)
class Text:
    """A paragraph; `kind` is a class of the style sheet.

    What is told `again`, on the first page or beside it, is left out on paper.
    """

    words: Words
    kind: str = ""
    again: bool = False


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[Words, ...]
    kind: str = ""


@dataclass(frozen=True)
class Pair:
    """A name, what is said of it, and in small print how much that rests on."""

    name: str
    words: Words
    kind: str = ""
    small: str = ""


@dataclass(frozen=True)
class Pairs:
    """Names and what is said of them."""

    pairs: tuple[Pair, ...]
    kind: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a table, with small print under it."""

    words: Words
    kind: str = ""
    small: str = ""
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a row names it.

    Attributes
    ----------
    head
        What stands above each column; () for none.
    rows
        As wide as the head.
    caption
        What it is of.
    summary
        Where there is one, HTML shows the table once it is clicked; on paper and as text such a
        table is left out where a figure shows the same.
    opened
        Whether such a table is shown from the beginning.
    kind
        A class of the style sheet.
    again
        Whether the first page tells the same: on paper it is left out.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    summary: str = ""
    opened: bool = False
    kind: str = ""
    again: bool = False


@dataclass(frozen=True)
class Figure:
    """A drawing with its title, its legend and what stands below it: they are never torn apart."""

    svg: Markup
    caption: Words = ""
    title: str = ""
    legend: tuple[tuple[str, str], ...] = ()  # class and word
    kind: str = ""


@dataclass(frozen=True)
class Row:
    """Figures side by side; on paper left out where a list beside them tells the same `again`."""

    figures: tuple[Figure, ...]
    again: bool = False


@dataclass(frozen=True)
class Bar:
    """A distribution: what it is of, in words, as a drawing, and how much it rests on."""

    name: str
    words: str
    svg: Markup | str
    coverage: str


@dataclass(frozen=True)
class Card:
    """Something with a number, a title and blocks of its own."""

    ordinal: int
    title: str
    aside: str
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True)
class Bars:
    """Bars, one below the other."""

    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Picture:
    """A face at a moment: a picture, where that is consented to, or the outline of it.

    Attributes
    ----------
    title
        What it shows, for who cannot see it.
    svg, jpeg
        The outline, or the picture.
    """

    title: str
    svg: Markup | str = ""
    jpeg: bytes = b""


@dataclass(frozen=True)
class Moment:
    """A moment: when, what it is, what was written, and what was expressed about it."""

    number: int
    at: str
    kind: str
    words: str
    around: tuple[Pair, ...] = ()
    picture: Picture | None = None


@dataclass(frozen=True)
class Moments:
    """Moments in order of time; `side` has them side by side, each with its picture."""

    moments: tuple[Moment, ...]
    side: bool = False


@dataclass(frozen=True)
class Blank:
    """Room to write in by hand, on paper alone."""

    words: str
    height_mm: int = 11


Block: TypeAlias = (
    Text | Items | Pairs | Table | Figure | Row | Bars | Card | Moments | Picture | Blank
)


@dataclass(frozen=True)
class Section:
    """A part of a page under a title of its own."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    part: Part = "body"


@dataclass(frozen=True)
class Page:
    """A page, to be written in any form.

    Attributes
    ----------
    language, version
        In which it is said, and of which program.
    subject
        What names it: of a session 32 hexadecimal digits; of a person's progress, `progress-CODE`.
    kicker, person, day, title
        What stands above it.
    facts
        In brief.
    notices
        What must not be overlooked.
    altered
        What every sheet says of a recording that was altered; "".
    sections
        In their order.
    rests_on
        The ids of further sessions that it tells of: it goes when one of them does.
    footer
        What stands at its end.
    """

    language: str
    version: str
    subject: str
    kicker: str
    person: str
    day: str
    title: str
    facts: tuple[Pair, ...]
    notices: tuple[Words, ...]
    altered: str
    sections: tuple[Section, ...]
    footer: tuple[Words, ...] = ()
    rests_on: tuple[str, ...] = ()


Style: TypeAlias = Literal["", "b", "small", "code"]
_STYLES: dict[str, Style] = {"b": "b", "small": "small", "code": "code"}


class _Runs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.runs: list[tuple[Style, str]] = []
        self._style: list[Style] = [""]

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "br":
            self.runs.append(("", "\n"))
        else:
            self._style.append(_STYLES.get(tag, self._style[-1]))

    def handle_endtag(self, tag: str) -> None:
        self._style.pop()

    def handle_data(self, data: str) -> None:
        self.runs.append((self._style[-1], data))


def runs_of(words: Words) -> list[tuple[Style, str]]:
    """Return a text as stretches of one style each."""
    if not isinstance(words, Markup):
        return [("", lines(words))] if words else []
    reader = _Runs()
    reader.feed(str(words))
    reader.close()
    return reader.runs


def plain(words: Words) -> str:
    """Return a text without mark-up."""
    return "".join(said for _, said in runs_of(words))


def said_in(page: Page) -> Iterator[str]:
    """Yield every sentence that all forms of a page say, in order, without mark-up.

    What a form may leave out, such as a table that a figure or the first page shows, is not among
    them.
    """
    yield from (page.person, page.day, page.altered)
    yield from _pairs(page.facts)
    yield from map(plain, page.notices)
    for section in page.sections:
        yield section.title
        for block in section.blocks:
            yield from _said(block)
    yield from map(plain, page.footer)


def _pairs(pairs: tuple[Pair, ...]) -> Iterator[str]:
    for pair in pairs:
        yield from (pair.name, plain(pair.words), pair.small)


def _said(block: Block) -> Iterator[str]:  # noqa: PLR0912  one a kind
    match block:
        case Text(words=words, again=False):
            yield plain(words)
        case Items(items=items):
            yield from map(plain, items)
        case Pairs(pairs=pairs):
            yield from _pairs(pairs)
        case Table(summary="", again=False):
            for row in block.rows:
                for cell in row:
                    yield from (plain(cell.words), cell.small, cell.note)
        case Figure(title=title):  # what stands below it is of the drawing
            yield title
        case Row(figures=figures, again=False):
            for figure in figures:
                yield from _said(figure)
        case Bars(bars=bars):
            for bar in bars:
                yield from (bar.name, bar.words, bar.coverage)
        case Card(title=title, aside=aside, blocks=blocks):
            yield from (title, aside)
            for each in blocks:
                yield from _said(each)
        case Moments(moments=moments):
            for moment in moments:
                yield from (moment.at, moment.kind, moment.words)
                yield from _pairs(moment.around)
