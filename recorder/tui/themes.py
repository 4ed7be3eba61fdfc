"""Two themes, and the hues of what is expressed in each.

The hues are those of the report, told apart by the colour-blind, and of different
lightnesses, so that they stay apart without hue as well.
"""

from contextlib import suppress
from typing import Final

from textual.theme import Theme

from affetti.core.locations import remembered_folder

CALM: Final = Theme(
    name="calm",
    dark=True,
    primary="#dfa3c0",
    secondary="#8f7f9c",
    accent="#dfa3c0",
    foreground="#efe9ee",
    background="#1c191f",
    surface="#26222a",
    panel="#3b3540",
    success="#62b5a5",
    warning="#f2bd57",
    error="#ee7b66",
    variables={
        "happiness": "#f2bd57",
        "relaxation": "#62b5a5",
        "anger": "#d9694a",
        "sadness": "#4f7bbd",
        "neutral": "#a39aa8",
        "surprise": "#df8fb9",
        "fear": "#9a84d6",
        "disgust": "#97a552",
        "quiet": "#b0a6b3",
        "trough": "#36303b",
        "block-cursor-foreground": "#1c191f",
        "footer-key-foreground": "#dfa3c0",
    },
)
CLINICAL: Final = Theme(
    name="clinical",
    dark=False,
    primary="#1f5f8b",
    secondary="#5c6b77",
    accent="#1f5f8b",
    foreground="#1d2328",
    background="#f7f9fa",
    surface="#ffffff",
    panel="#dbe2e7",
    success="#1f7566",
    warning="#8f5b00",
    error="#b3261e",
    variables={
        "happiness": "#c08510",
        "relaxation": "#2f8577",
        "anger": "#b0402a",
        "sadness": "#2c4f8c",
        "neutral": "#7a7280",
        "surprise": "#b0457c",
        "fear": "#6a52a8",
        "disgust": "#66741f",
        "quiet": "#56636d",
        "trough": "#e6ebee",
        "block-cursor-foreground": "#ffffff",
        "footer-key-foreground": "#1f5f8b",
    },
)
THEMES: Final = (CALM, CLINICAL)
_REMEMBERED: Final = "theme"  # a file with a name in it


def remembered() -> str:
    """Return the name of the theme that was chosen last."""
    folder = remembered_folder()
    names = {theme.name for theme in THEMES}
    with suppress(OSError, ValueError):
        if folder is not None:
            name = (folder / _REMEMBERED).read_text(encoding="utf-8")[:32].strip()
            return name if name in names else CALM.name
    return CALM.name


def remember(name: str) -> None:
    """Keep the name of a theme for the next time, where there is a place for it."""
    folder = remembered_folder()
    with suppress(OSError):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / _REMEMBERED).write_text(name, encoding="utf-8")
