"""The hues of what is expressed on paper, each with a texture of its own.

A page is filed as a grey copy as often as in colour, and there hues of one lightness are one grey.
The two ends, happiness and anger, are plain: one light, one dark.
"""

from functools import cache
from typing import Final

from markupsafe import Markup

from affetti.analyzer.report.figures import COLOURED_AS
from affetti.analyzer.report.svg import element
from affetti.core.hues import LIGHT, ink_on

_PERIOD_PX: Final = 6
_FALLING: Final = "M-1,5 l2,2 M0,0 l6,6 M5,-1 l2,2"
_RISING: Final = "M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2"
_DOT: Final = "M3,3 h0.01"
_LINES: Final = {
    "relaxation": "M0,3 h6",
    "sadness": _FALLING,
    "neutral": _DOT,
    "surprise": _DOT,
    "fear": "M3,0 v6",
    "disgust": f"{_FALLING} {_RISING}",
}
_WIDTHS_PX: Final = {_DOT: 1.8}


def fill_of(name: str) -> str:
    """Return the fill of what is expressed, as a style sheet says it."""
    return f"url(#texture-{name})"


@cache
def textures() -> Markup:
    """Return the definitions that `fill_of` names, for a drawing that stands for itself."""
    return element("defs", *(_texture(name, hue) for name, hue in LIGHT.items()))


def _texture(name: str, hue: str) -> Markup:
    ground = element("rect", width=_PERIOD_PX, height=_PERIOD_PX, style=f"fill:{hue}")
    drawn = _LINES.get(name)
    lines = [] if drawn is None else [_line(drawn, ink_on(hue))]
    return element(
        "pattern",
        ground,
        *lines,
        id=f"texture-{name}",
        width=_PERIOD_PX,
        height=_PERIOD_PX,
        patternUnits="userSpaceOnUse",
    )


def _line(drawn: str, ink: str) -> Markup:
    width_px = _WIDTHS_PX.get(drawn, 0.9)
    style = f"fill:none;stroke:{ink};stroke-opacity:.6;stroke-width:{width_px}"
    return element("path", d=drawn, style=f"{style};stroke-linecap:round")


def plates() -> str:
    """Return the rules by which words on a texture stand on their plain hue."""
    named: dict[str, str] = {name: name for name in LIGHT}
    named |= {str(label): str(hue) for label, hue in COLOURED_AS.items()}
    return "\n".join(f".plate-{name} {{ fill: {LIGHT[hue]}; }}" for name, hue in named.items())
