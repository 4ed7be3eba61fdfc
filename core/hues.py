"""The hues of what is expressed, in each theme of the screen and on the page: one palette.

They are told apart by who lacks a kind of cone as well (CIE 1976 differences of 20 and more in each
kind of vision), mostly by their lightness, and stand out from every ground at least 3 : 1.
"""

from collections.abc import Mapping
from typing import Final

HUES: Final[Mapping[str, Mapping[str, str]]] = {
    "calm": {
        "happiness": "#eca93a",
        "relaxation": "#65d8c9",
        "anger": "#ca5f31",
        "sadness": "#4f8fff",
        "neutral": "#937c7c",
        "surprise": "#e2addc",
        "fear": "#7478b6",
        "disgust": "#afc17b",
    },
    "clinical": {
        "happiness": "#ae7700",
        "relaxation": "#2f8577",
        "anger": "#932108",
        "sadness": "#183c82",
        "neutral": "#8e808d",
        "surprise": "#781d4e",
        "fear": "#6d6eff",
        "disgust": "#58874d",
    },
    "contrast": {
        "happiness": "#f5c238",
        "relaxation": "#5fd7af",
        "anger": "#ee6e52",
        "sadness": "#3879dd",
        "neutral": "#dbd1c1",
        "surprise": "#da78ad",
        "fear": "#a8aeff",
        "disgust": "#c5fc96",
    },
}
LIGHT: Final = HUES["clinical"]  # on paper, and on a light page
DARK: Final = HUES["calm"]  # on a dark page
_DARK_INK: Final = "#000000"
_LIGHT_INK: Final = "#ffffff"


def ink_on(hue: str) -> str:
    """Return black or white ink, whichever is read better on a hue, both as `#rrggbb`."""
    return max((_DARK_INK, _LIGHT_INK), key=lambda ink: contrast(ink, hue))


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, 1 to 21, as WCAG 2 defines it."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
