"""Two themes, and the hues of what is expressed in each.

The hues are those of the report, told apart by the colour-blind, and of different
lightnesses, so that they stay apart without hue as well.
"""

from typing import Final

from textual.theme import Theme

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
