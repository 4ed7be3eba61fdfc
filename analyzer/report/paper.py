"""A page on paper: a PDF in A4 or US Letter, laid out by Typst.

Typst comes as a wheel with fonts of its own and needs no library of the system, so the same page
comes out on every computer. What it is given are the blocks of the page as data, never as source:
nothing that a person wrote is obeyed. Figures are those of the HTML, at a fixed width, with their
colours written in, and textures by which a grey copy tells them apart.
"""

import json
import re
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from markupsafe import Markup

from affetti.analyzer.report.blocks import (
    Bars,
    Blank,
    Block,
    Card,
    Figure,
    Items,
    Moments,
    Page,
    Pair,
    Pairs,
    Picture,
    Row,
    Table,
    Text,
    Words,
    runs_of,
)
from affetti.analyzer.report.textures import fill_of, plates, textures
from affetti.core.errors import UsageError
from affetti.core.hues import LIGHT, ink_on
from affetti.core.language import text

Size: TypeAlias = Literal["a4", "us-letter"]
WIDTH_PX: Final = 880  # of a figure across the page
_HALF_PX: Final = 430
_BAR_PX: Final = 400
_SIDE_PX: Final = 320
_FOLDER: Final = Path(__file__).parent
_INK: Final = {
    "--paper": "#ffffff",
    "--card": "#ffffff",
    "--ink": "#1d1a20",
    "--soft": "#57505c",
    "--rule": "#cfc8c0",
    "--accent": "#6b3551",
    "--sans": "'Libertinus Serif'",
    "--serif": "'Libertinus Serif'",
}
_VARIABLE: Final = re.compile(r"var\((--[a-z-]+)\)")
_SIZED: Final = re.compile(r'^<svg ([^>]*?)width="100%"')
_HEIGHT: Final = re.compile(r'\bheight="([\d.]+)"')
_STRETCHED: Final = re.compile(
    r'<svg x="0" y="([\d.]+)" width="100%" height="([\d.]+)" viewBox="([^"]+)" '
    r'preserveAspectRatio="none">(.*?)</svg>',
    re.DOTALL,
)
_POINTS: Final = re.compile(r'points="([^"]*)"')
# Of the style sheet, what draws: everything else is the layout of the HTML.
_DRAWN: Final = re.compile(
    r"(?m)^((?:svg|\.(?:happiness|relaxation|sadness|anger|neutral|surprise|fear|disgust|hatch|gap|"
    r"track|ribbon|no-room|pause|withheld|plot|line|tick|heard|envelope|flag|absent|cross|arrow|"
    r"cover|outline|plate)\b|polygon)[^{\n]*\{[^}\n]*\})$"
)

# The outline of a word would be drawn over its letters, one by one.
_OUTLINED: Final = re.compile(r"(?m)^[^{\n]*\{[^}\n]*paint-order[^}\n]*\}$")


def pdf(page: Page, size: Size = "a4") -> bytes:
    """Return a page as PDF.

    Parameters
    ----------
    page
        What it says.
    size
        Of the paper.
    """
    typst = _typst()
    layout, inputs = source(page, size)
    made: bytes = typst.compile(
        layout,
        format="pdf",
        sys_inputs=inputs,
        font_paths=_fonts(),
        timestamp=int(time.time()),
    )
    return made


def pictures(page: Page, size: Size = "a4", ppi: float = 80) -> list[bytes]:
    """Return the sheets of a page as PNG, as they look on paper."""
    layout, inputs = source(page, size)
    made: Any = _typst().compile(
        layout, format="png", ppi=ppi, sys_inputs=inputs, font_paths=_fonts()
    )
    return made if isinstance(made, list) else [made]


def source(page: Page, size: Size = "a4") -> tuple[bytes, dict[str, str]]:
    """Return the layout of a page, and what it is given: data alone."""
    layout = (_FOLDER / "page.typ").read_bytes()
    return layout, {"page": json.dumps(_data(page)), "paper": size}


def _typst() -> Any:
    try:
        import typst  # noqa: PLC0415  only where a page goes to paper
    except ImportError as error:  # no wheel for this system
        raise UsageError("page.no_typst") from error
    return typst


@cache
def _fonts() -> Any:
    """Return Typst's own fonts; those of the system are asked for what they lack."""
    return _typst().Fonts(include_system_fonts=True)


def _data(page: Page) -> dict[str, Any]:
    return {
        "keywords": [
            f"affetti-session {page.subject}",
            *(f"affetti-rests-on {each}" for each in page.rests_on),
        ],
        "language": page.language,
        "title": page.title,
        "version": page.version,
        "kicker": page.kicker,
        "person": page.person,
        "day": page.day,
        "altered": page.altered,
        "facts": _pairs(page.facts),
        "notices": [runs_of(said) for said in page.notices],
        "footer": [runs_of(said) for said in page.footer],
        "of": text("page.of"),
        "sections": [
            {
                "id": section.id,
                "title": section.title,
                "part": section.part,
                "blocks": [made for block in section.blocks if (made := _block(block))],
            }
            for section in page.sections
        ],
    }


def _pairs(pairs: tuple[Pair, ...]) -> list[dict[str, Any]]:
    return [{"name": p.name, "words": runs_of(p.words), "small": p.small} for p in pairs]


def _block(block: Block) -> dict[str, Any] | None:  # noqa: PLR0911  one a kind
    match block:
        case Text(again=True) | Table(again=True) | Row(again=True):
            return None
        case Text(words=words, kind=kind):
            return {"is": "text", "words": runs_of(words), "kind": kind}
        case Items(items=items, kind=kind):
            return {"is": "items", "items": [runs_of(item) for item in items], "kind": kind}
        case Pairs(pairs=pairs, kind=kind):
            return {"is": "pairs", "pairs": _pairs(pairs), "kind": kind}
        case Table():
            return _table(block)
        case Figure():
            width_px = _HALF_PX if block.kind == "half" else WIDTH_PX
            return {"is": "figure", "narrow": width_px < WIDTH_PX, **_figure(block, width_px)}
        case Row(figures=figures):
            return {"is": "row", "figures": [_figure(each, _SIDE_PX) for each in figures]}
        case Bars(bars=bars):
            return {
                "is": "bars",
                "bars": [
                    {**_words(bar), "svg": _svg(bar.svg, _BAR_PX) if bar.svg else ""}
                    for bar in bars
                ],
            }
        case Card():
            inner = [made for each in block.blocks if (made := _block(each))]
            said = {"ordinal": str(block.ordinal), "title": block.title, "aside": block.aside}
            return {"is": "card", **said, "blocks": inner}
        case Moments():
            return _moments(block)
        case Blank(words=words, height_mm=height):
            return {"is": "blank", "words": words, "height": height}
    return None


def _words(bar: Any) -> dict[str, str]:
    return {"name": bar.name, "words": bar.words, "coverage": bar.coverage}


def _table(table: Table) -> dict[str, Any] | None:
    if table.summary and not table.opened:
        return None  # a figure shows the same
    return {
        "is": "table",
        "kind": table.kind,
        "caption": table.caption or table.summary,
        "head": list(table.head),
        "rows": [
            [
                {"words": _cell(cell.words), "small": _join(cell.small, cell.note),
                 "figure": cell.kind == "figure"}
                for cell in row
            ]
            for row in table.rows
        ],
    }  # fmt: skip


def _cell(words: Words) -> list[tuple[Any, str]]:
    return list(runs_of(words))


def _join(*words: str) -> str:
    return " ".join(filter(None, words))


def _figure(figure: Figure, width_px: int) -> dict[str, Any]:
    return {
        "svg": _svg(figure.svg, width_px),
        "title": figure.title,
        "caption": runs_of(figure.caption),
        "legend": [{"svg": _swatch(kind), "word": said} for kind, said in figure.legend],
    }


def _moments(moments: Moments) -> dict[str, Any]:
    told = [
        {
            "number": str(each.number),
            "at": each.at,
            "kind": each.kind,
            "words": each.words,
            "around": _pairs(each.around),
            "picture": _picture(each.picture),
        }
        for each in moments.moments
    ]
    return {"is": "moments", "side": moments.side, "moments": told}


def _picture(picture: Picture | None) -> dict[str, Any] | None:
    if picture is None:
        return None
    if picture.jpeg:
        return {"jpeg": list(picture.jpeg), "svg": "", "title": picture.title}
    drawn = Markup('<svg class="outline" viewBox="0 0 100 100" width="100%">{}</svg>')
    return {"jpeg": [], "svg": _svg(drawn.format(picture.svg), 100), "title": picture.title}


def _swatch(kind: str) -> str:
    shape = Markup('<rect width="14" height="14" rx="3" class="{}"/>').format(kind)
    if kind == "gap":
        shape = Markup(
            '<defs><pattern id="legend-gap" width="6" height="6" patternUnits="userSpaceOnUse">'
            '<path d="M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2" class="hatch-line"/></pattern></defs>'
            '<rect width="14" height="14" rx="3" fill="url(#legend-gap)" class="gap"/>'
        )
    drawn = Markup('<svg viewBox="0 0 14 14" width="100%" height="14">{}</svg>').format(shape)
    return _svg(drawn, 14)


def _svg(svg: Markup | str, width_px: int) -> str:
    """Return a figure that stands for itself: at a width, with its colours, and none stretched."""
    drawn = str(svg)
    head = drawn[: drawn.index(">")]
    sized = f'<svg xmlns="http://www.w3.org/2000/svg" \\1width="{width_px}"'
    if "viewBox" not in head:
        found = _HEIGHT.search(head)
        height = found[1] if found else str(width_px)
        sized = sized.replace("<svg ", f'<svg viewBox="0 0 {width_px} {height}" ')
    drawn = _SIZED.sub(sized, drawn, count=1)
    drawn = _STRETCHED.sub(lambda found: _unstretched(found, width_px), drawn)
    end = drawn.index(">") + 1
    return f"{drawn[:end]}<style>{_sheet()}</style>{textures()}{drawn[end:]}"


def _unstretched(found: re.Match[str], width_px: int) -> str:
    """Return an area that fills its box with its points where they come to lie in it."""
    left, top, width, height = map(float, found[3].split())
    x, y = width_px / width, float(found[2]) / height

    def place(points: re.Match[str]) -> str:
        pairs = (pair.split(",") for pair in points[1].split())
        moved = (f"{(float(a) - left) * x:.2f},{(float(b) - top) * y:.2f}" for a, b in pairs)
        return f'points="{" ".join(moved)}"'

    inner = _POINTS.sub(place, found[4])
    return f'<svg x="0" y="{found[1]}" width="{width_px}" height="{found[2]}">{inner}</svg>'


@cache
def _sheet() -> str:
    sheet = (_FOLDER / "style.css").read_text(encoding="utf-8")
    rules = "\n".join(found[1] for found in _DRAWN.finditer(_OUTLINED.sub("", sheet)))
    colours = _colours()
    return _VARIABLE.sub(lambda found: colours.get(found[1], "#000000"), f"{rules}\n{plates()}")


def _colours() -> Mapping[str, str]:
    hues = {f"--{name}": fill_of(name) for name in LIGHT}
    return {**_INK, **hues, **{f"--on-{name}": ink_on(hue) for name, hue in LIGHT.items()}}
