"""What is in the columns of a study's tables, and of what type they are."""

from typing import Final

from affetti.analyzer.tables.columns import COLUMNS as OF_A_SESSION
from affetti.analyzer.tables.columns import COUNTED, Type

COLUMNS: Final = {
    **{name: OF_A_SESSION[name] for name in COUNTED},
    "session": "name of the recording's file without its suffix",
    "person": "pseudonym of the person, by the design or by the recording",
    "duration_s": "length of the session, seconds",
    "imported": "1 where the recording was made out of a film, else 0",
    "tracks": "how many tracks were played",
    "modality": "face, music or fused",
    "emotion": "which of the four emotions; of a count its label",
    "probability": "mean probability of the emotion in the track, 0 to 1",
    "coverage": "share of the due estimates that said something, 0 to 1",
    "congruence": "1 - mean Jensen-Shannon divergence of face and music: 1 alike, 0 disjoint",
    "quiet": "mean probability by the face without music in this session, 0 to 1",
    "before": "the same in the time before the track, without other tracks",
    "during": "the same in the track",
    "after": "the same in the time after the track, without other tracks",
    "change": "during - quiet",
    "after_minus_before": "after - before",
    **{f"{name}_s": f"seconds with the face seen in `{name}`" for name in ("quiet", "during")},
    **{f"{name}_s": f"seconds with the face seen in `{name}`" for name in ("before", "after")},
    "t_s": "moment of the marker, seconds of session time",
    "since_start_s": "moment of the marker, seconds from the beginning of the track",
    "text": "what the marker is called",
    "condition": "level of the column that sessions are grouped by; `all` without one",
    "title": "title of the track; `all` over all tracks; of a count also `(session)`, all of it",
    "measure": "probability by a modality; or of the face: before, during, after, change, …; or of "
    "a count: rate_per_min, time_share",
    "sessions": "how many sessions the figures rest on",
    "persons": "how many persons; each counts once, with the mean of their values",
    "mean": "mean over persons",
    "sd": "standard deviation over persons",
    "low": "lower bound of the 95 % bootstrap interval over persons",
    "high": "upper bound of the 95 % bootstrap interval over persons",
    "effect": "effect size: mean / sd of a within-person change (Cohen's d_z); of a contrast of "
    "different persons Hedges' g",
    "first": "level that is subtracted",
    "second": "level that it is subtracted from",
    "kind": "paired (persons in both), independent, overlapping or none (nothing is computed)",
    "difference": "mean of second - mean of first",
    "reason": "why it is left out: failed, no_consent, consent_not_stated, not_in_design, "
    "no_condition (the design has none for it), no_recording, or coverage",
}
_TEXTS: Final = frozenset(
    {"session", "person", "modality", "emotion", "text", "condition", "title", "measure"}
    | {"label", "form", "stream"}
    | {"first", "second", "kind", "reason", "session_id", "expected_emotion"}
)
_INTEGERS: Final = frozenset(
    {"imported", "tracks", "track", "sessions", "persons", "times", "left_out", "still_open"}
)
_NUMBERS: Final = frozenset(COLUMNS) - _TEXTS - _INTEGERS | {"start_s", "stop_s", "played_s"}


def type_in_study(column: str, labels: tuple[str, ...]) -> Type:
    """Return the type of a column; those of the design and of a playlist are texts."""
    if column in labels or column in _TEXTS:
        return "string"
    if column in _INTEGERS:
        return "integer"
    return "number" if column in _NUMBERS else "string"
