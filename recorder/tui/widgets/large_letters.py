"""Letters five pixels high, three lines of a terminal: to be read from two metres."""

import unicodedata
from typing import Final

HEIGHT: Final = 3  # lines
_ROWS: Final = 5
_HALVES: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
# A row of pixels a group, from above; a full pixel is an "x".
_GLYPHS: Final[dict[str, str]] = {
    "A": ".xx. x..x xxxx x..x x..x",
    "B": "xxx. x..x xxx. x..x xxx.",
    "C": ".xxx x... x... x... .xxx",
    "D": "xxx. x..x x..x x..x xxx.",
    "E": "xxxx x... xxx. x... xxxx",
    "F": "xxxx x... xxx. x... x...",
    "G": ".xxx x... x.xx x..x .xxx",
    "H": "x..x x..x xxxx x..x x..x",
    "I": "xxx .x. .x. .x. xxx",
    "J": "..xx ...x ...x x..x .xx.",
    "K": "x..x x.x. xx.. x.x. x..x",
    "L": "x... x... x... x... xxxx",
    "M": "x...x xx.xx x.x.x x...x x...x",
    "N": "x...x xx..x x.x.x x..xx x...x",
    "O": ".xx. x..x x..x x..x .xx.",
    "P": "xxx. x..x xxx. x... x...",
    "Q": ".xx. x..x x..x x.xx .xxx",
    "R": "xxx. x..x xxx. x.x. x..x",
    "S": ".xxx x... .xx. ...x xxx.",
    "T": "xxxxx ..x.. ..x.. ..x.. ..x..",
    "U": "x..x x..x x..x x..x .xx.",
    "V": "x...x x...x .x.x. .x.x. ..x..",
    "W": "x...x x...x x.x.x xx.xx x...x",
    "X": "x...x .x.x. ..x.. .x.x. x...x",
    "Y": "x...x .x.x. ..x.. ..x.. ..x..",
    "Z": "xxxx ..x. .x.. x... xxxx",
    "Ä": "x..x .... .xx. xxxx x..x",
    "Ö": "x..x .xx. x..x x..x .xx.",
    "Ü": "x..x .... x..x x..x .xx.",
    "0": ".xx. x..x x..x x..x .xx.",
    "1": ".x. xx. .x. .x. xxx",
    "2": "xxx. ...x .xx. x... xxxx",
    "3": "xxx. ...x .xx. ...x xxx.",
    "4": "x..x x..x xxxx ...x ...x",
    "5": "xxxx x... xxx. ...x xxx.",
    "6": ".xx. x... xxx. x..x .xx.",
    "7": "xxxx ...x ..x. .x.. .x..",
    "8": ".xx. x..x .xx. x..x .xx.",
    "9": ".xx. x..x .xxx ...x .xx.",
    "%": "x..x ...x .xx. x... x..x",
    "+": "... .x. xxx .x. ...",
    "-": "... ... xxx ... ...",
    "–": "... ... xxx ... ...",
    ":": ". x . x .",
    ".": ". . . . x",
    ",": ".. .. .. .x x.",
    "?": "xxx. ...x .xx. .... .x..",
    " ": ".. .. .. .. ..",
}


def large(words: str, width: int) -> list[str] | None:
    """Return words in three lines of large letters; None where they do not fit.

    Parameters
    ----------
    words
        In any letters; accents that are not of German are left out.
    width
        In cells.
    """
    rows = ["", "", "", "", ""]
    for sign in _folded(words):
        glyph = _GLYPHS.get(sign, _GLYPHS["?"]).split()
        rows = [f"{row}{pixels}." for row, pixels in zip(rows, glyph, strict=True)]
    if len(rows[0]) - 1 > width:
        return None
    rows.append("." * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(map(_cell, upper, lower)) for upper, lower in pairs]


def _cell(upper: str, lower: str) -> str:
    return _HALVES[int(upper == "x"), int(lower == "x")]


def _folded(words: str) -> str:
    found = ""
    for sign in words.upper():
        plain = unicodedata.normalize("NFKD", sign)
        found += sign if sign in _GLYPHS else (plain if plain in _GLYPHS else plain[:1])
    return found
