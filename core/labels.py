"""Texts from outside, a title say, as they may be shown or kept: the one door for all of them.

What a terminal would obey, what would end a line, and what would turn the text around it the
other way is taken out; joiners stay, of which emoji and Persian words are made.
"""

import re
from typing import Final

_ENDS: Final = "\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]"
_BREAK: Final = re.compile(_ENDS)
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\t]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")  # bytes that were no UTF-8, to Python
# Embeddings and overrides of direction, deprecated signs of format, byte order marks,
# annotations, what is no character, and tags, unless they are those of a flag.
_HIDDEN: Final = re.compile(
    "(\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f)"
    "|[\u202a-\u202e\u206a-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_ISOLATES: Final = frozenset("\u2066\u2067\u2068")
_END_OF_ISOLATE: Final = "\u2069"


def label(text: str) -> str:
    """Return a text as one line; what ended a line, and other controls, are blanks."""
    return _line(_BREAK.sub(" ", text))


def lines(text: str) -> str:
    """Return a text of several lines, each by itself as `label` has it."""
    return "\n".join(_line(each) for each in _BREAK.split(text))


def _line(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    blank = _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text))
    return _closed(_HIDDEN.sub(lambda found: found[1] or "", blank))


def _closed(text: str) -> str:
    """Return a text in which every isolate of direction ends, and none ends that did not begin."""
    kept, depth = [], 0
    for sign in text:
        depth += sign in _ISOLATES
        if sign == _END_OF_ISOLATE:
            if not depth:
                continue
            depth -= 1
        kept.append(sign)
    return "".join(kept) + _END_OF_ISOLATE * depth
