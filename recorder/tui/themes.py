"""Three themes, with the hues of what is expressed in each (`core.hues`).

Words stand out from every ground at 4.5 : 1, as WCAG asks for.
"""

from contextlib import suppress
from typing import Final

from textual.theme import Theme

from affetti.core.custody.artefacts import LETTERS, THEME
from affetti.core.hues import HUES
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
    error="#f08a76",
    variables={
        **HUES["calm"],
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
    success="#1b6b5d",
    warning="#855400",
    error="#b3261e",
    variables={
        **HUES["clinical"],
        "quiet": "#56636d",
        "trough": "#e6ebee",
        "block-cursor-foreground": "#ffffff",
        "footer-key-foreground": "#1f5f8b",
    },
)
CONTRAST: Final = Theme(
    name="contrast",
    dark=True,
    primary="#ffd75f",
    secondary="#bfbfbf",
    accent="#ffd75f",
    foreground="#ffffff",
    background="#000000",
    surface="#101010",
    panel="#303030",
    success="#5fd7af",
    warning="#ffaf5f",
    error="#ff9d8f",
    variables={
        **HUES["contrast"],
        "quiet": "#dadada",
        "trough": "#303030",
        "block-cursor-foreground": "#000000",
        "footer-key-foreground": "#ffd75f",
    },
)
THEMES: Final = (CALM, CLINICAL, CONTRAST)
_LARGE: Final = "large"


def remembered() -> str:
    """Return the name of the theme that was chosen last."""
    name = _kept(THEME)
    return name if name in {theme.name for theme in THEMES} else CALM.name


def remember(name: str) -> None:
    """Keep the name of a theme for the next time, where there is a place for it."""
    _keep(THEME, name)


def remembered_large() -> bool:
    """Return whether large letters were chosen last."""
    return _kept(LETTERS) == _LARGE


def remember_large(large: bool) -> None:
    """Keep whether letters are large for the next time, where there is a place for it."""
    _keep(LETTERS, _LARGE if large else "usual")


def _kept(name: str) -> str:
    folder = remembered_folder()
    with suppress(OSError, ValueError):
        if folder is not None:
            return (folder / name).read_text(encoding="utf-8")[:32].strip()
    return ""


def _keep(name: str, value: str) -> None:
    folder = remembered_folder()
    with suppress(OSError):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(value, encoding="utf-8")
