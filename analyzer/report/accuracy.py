"""How often the models of a recording were right, as their cards have it measured."""

from collections.abc import Mapping
from typing import Final

from affetti.analyzer.report.blocks import Pair
from affetti.core.language import text
from affetti.models.manifest import by_digest

# Per cent, from the cards in `models/zoo`; a test compares them.
FIGURES: Final[Mapping[str, Mapping[str, float]]] = {
    "face_expression": {"fer": 77.0, "second": 58.1, "raf": 79.4},
    "music_emotion": {"quadrants": 59.8, "arousal": 86.0, "valence": 69.6},
    "heard_events": {"music": 99.2, "speech": 2.9, "other": 9.2},
}


def accuracy_of(models: Mapping[str, str]) -> tuple[Pair, ...]:
    """Return what is known of how often each model was right, of those of a recording.

    Parameters
    ----------
    models
        Their digests, by role or name.
    """
    names = {found.name for digest in models.values() if (found := by_digest(digest)) is not None}
    return tuple(
        Pair(text("report.model", name=name), text(f"accuracy.{name}", **figures))
        for name, figures in FIGURES.items()
        if name in names
    )
