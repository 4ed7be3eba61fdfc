"""What is in the tables of a study that was evaluated, and of what type it is."""

from collections.abc import Iterable
from typing import Final

from affetti.analyzer.measures.estimates import MODALITIES
from affetti.analyzer.tables.columns import Type
from affetti.analyzer.tables.table import Row, Table

_REFERENCES: Final = ("expected", "self_report", "raters")
_LEAD: Final = ("pipeline", "reference", "by", "level", "modality")
OF_TRACK: Final = (
    *("session_id", "session", "person", "track", "title", "pipeline", *_REFERENCES),
    *(f"said_{name}" for name in MODALITIES),
    *(f"coverage_{name}" for name in MODALITIES),
)
OF_SCORE: Final = (
    *(*_LEAD, "tracks", "silent", "persons", "accuracy", "accuracy_low", "accuracy_high", "kappa"),
    *("macro_f1", "macro_f1_low", "macro_f1_high"),
)
OF_EMOTION: Final = (
    *(*_LEAD, "emotion", "tracks"),
    *(f"{name}{end}" for name in ("precision", "recall", "f1") for end in ("", "_low", "_high")),
)
OF_PAIR: Final = (*_LEAD, "truth", "said", "tracks")
OF_PUBLISHED: Final = (
    *("pipeline", "modality", "place", "held_against", "published"),
    *("accuracy", "accuracy_low", "accuracy_high", "inside"),
)
OF_EXCLUDED: Final = ("session_id", "session", "reason")
_FIGURES: Final = ("accuracy", "macro_f1", "precision", "recall", "f1")
_COLUMNS: Final = {
    "session_id": "the recording's identifier",
    "session": "name of the recording's file without its suffix",
    "person": "pseudonym of the person",
    "track": "position of the track in the playlist of the session, from 0",
    "title": "title of the track",
    "pipeline": "what perceived and fused",
    "reference": "what is held against: expected (by the playlist), self_report, or raters",
    "by": "column of the tracks, of one value of which the row is; empty: of all",
    "level": "that value",
    "modality": "face, music or fused",
    "expected": "emotion that the playlist expects the track to express",
    "self_report": "emotion that the person named: by a word, else by valence and arousal",
    "raters": "emotion that raters' labels have for most of their time in the track",
    **{f"said_{m}": f"emotion of the highest mean probability by {m}" for m in MODALITIES},
    **{
        f"coverage_{m}": f"share of the due estimates of {m} that said something"
        for m in MODALITIES
    },
    "tracks": "how many playings are compared, or have the emotion, or were told so",
    "silent": "playings of which too little was seen or heard",
    "persons": "how many people's they are",
    "kappa": "Cohen's kappa (scikit-learn)",
    "emotion": "which of the four",
    "truth": "emotion that is held against",
    "said": "emotion that was said",
    **{name: f"{name} (scikit-learn), 0 to 1; macro: the mean over emotions" for name in _FIGURES},
    **{f"{name}_low": "lower bound of its 95 % interval over people" for name in _FIGURES},
    **{f"{name}_high": "upper bound of its 95 % interval over people" for name in _FIGURES},
    "place": "where the publication gives it: abstract, results or conclusion",
    "held_against": "1 where the study is held against it, 0 where another figure disagrees",
    "published": "accuracy that the publication gives, 0 to 1",
    "inside": "1 where that lies in the interval of what was found, else 0",
    "reason": "why it is left out: failed, no_consent or consent_not_stated",
}
_WHOLE: Final = frozenset({"track", "tracks", "silent", "persons", "held_against", "inside"})
_NUMBERS: Final = frozenset(
    {"kappa", "published"}
    | {f"{name}{end}" for name in _FIGURES for end in ("", "_low", "_high")}
    | {f"coverage_{name}" for name in MODALITIES}
)


def table_of(name: str, columns: tuple[str, ...], rows: Iterable[Row]) -> Table:
    """Return a table of a study that was evaluated; columns that are not ours are texts."""
    types: dict[str, Type] = {
        each: "integer" if each in _WHOLE else "number" if each in _NUMBERS else "string"
        for each in columns
    }
    return Table(name, columns, list(rows), types, _COLUMNS)
