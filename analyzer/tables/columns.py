"""Every column of the tables of a session, described once: what is in it, and its type.

The type of a column follows from its declaration here or from that of the events, never from what
is in it.
"""

from typing import Final, Literal, TypeAlias

from affetti.analyzer.measures.estimates import MODALITIES
from affetti.core.emotions import EMOTIONS, EXPRESSIONS
from affetti.core.events import (
    ESTIMATE_TABLES,
    Event,
    Moment,
    column_fields,
    fields_of,
    leaves,
)
from affetti.core.heard import KINDS

Type: TypeAlias = Literal["string", "integer", "number"]  # as Table Schema calls them

NOT_STATED: Final = "not_stated"

# What moments say beside their words: every field of every kind, with its description.
MOMENT_FIELDS: Final[dict[str, str]] = {
    field.name: field.description
    for kind in leaves(Moment)
    for field in fields_of(kind)
    if field.name not in (*Event.__struct_fields__, *(k.words_field for k in leaves(Moment)))
    and field.name != "scales"  # they have a table of their own
}

# Every column of every table, described once; the descriptions go into the provenance.
COLUMNS: Final[dict[str, str]] = {
    **MOMENT_FIELDS,
    **{
        column: ", ".join(filter(None, (field.description, field.unit)))
        for kind in ESTIMATE_TABLES.values()
        for column, field in column_fields(kind).items()
        if column != "seq"
    },
    "session_id": "the recording's identifier",
    "person": "pseudonym of the person",
    "recorded": "when it was recorded, ISO 8601; empty where an imported film does not say",
    "imported": "files that it was made of, where it was not recorded live",
    "consent": f"scopes that were consented to; {NOT_STATED} where nobody says",
    "software_version": "version of Affetti that made the recording",
    "pipeline": "what perceived and fused, such as affetti or paper",
    "modality": "face, music, fused (all together), or that of a plug-in",
    "segment": "number of the segment, from 0",
    "tick": "number of the tick, from 0",
    "start_s": "begin, seconds of session time",
    "stop_s": "end (exclusive), seconds of session time",
    "t_s": "moment, seconds of session time",
    "expected": "estimates that were due, pauses taken out",
    "said": "estimates that said something",
    "coverage": "said / expected, 0 to 1; empty where none was due",
    "covered_s": "seconds that they stand for; for the face, the time with a face seen",
    **{e.value: f"probability that {e.value} is expressed, 0 to 1" for e in EMOTIONS},
    "valence": "-1 unpleasant to 1 pleasant; as estimated of the music, or as a person said it",
    "arousal": "-1 calm to 1 activated; as estimated of the music, or as a person said it",
    **{e.value: f"probability of the facial expression {e.value}, 0 to 1" for e in EXPRESSIONS},
    "strongest": "what has the highest probability: of a face one of seven, else one of four",
    "mixed": "1 where the two highest probabilities are closer than mixed_margin, else 0",
    "state": "the smoothed state, what is expressed; empty in a long silence",
    "before": "what was expressed before the change",
    "after": "what was expressed after it",
    "dwell_s": "how long the new state lasted, seconds",
    "probability": "mean probability of the new state while it lasted, 0 to 1",
    "expected_emotion": "what the playlist expects the track to express; empty where it does not",
    "track": "position of the track in the playlist, from 0; empty outside any track",
    "count": "number of changes",
    "share": "share among all changes away from `before`; empty where there was none",
    "title": "title of the track",
    "played_s": "how long the track was heard, seconds, pauses taken out",
    "end_reason": "why the track ended; empty where the recording broke off in it",
    **{
        f"{m}_{name}": text
        for m in MODALITIES
        for name, text in {
            "expected": f"{m} estimates that were due in the track",
            "said": f"{m} estimates that said something",
            "coverage": f"{m}_said / {m}_expected, 0 to 1",
            **{e.value: f"mean probability of {e.value} by {m}, 0 to 1" for e in EMOTIONS},
            "strongest": f"what has the highest mean probability by {m}",
            "most_often": f"what was {m}'s strongest most often, moment by moment",
            "most_often_share": f"share of {m}_said in which it was, 0 to 1",
            "mixed_share": f"share of {m}_said whose two strongest are closer than mixed_margin",
        }.items()
    },
    **{f"face_{e.value}": f"mean probability of {e.value} by face, 0 to 1" for e in EXPRESSIONS},
    "music_valence": "mean valence by music, -1 unpleasant to 1 pleasant",
    "music_arousal": "mean arousal by music, -1 calm to 1 activated",
    "music_reasons": "what of the sound spoke most often for the music's strongest emotion",
    "duration_s": "length of the track's file, or of the session, seconds",
    "face_looks": "looks at the face's landmarks, one to three a second while it is followed",
    "face_signs": "codes of the signs that the face showed most often",
    "eyes_closed_share": "share of the looks with both eyes closed or cast down, 0 to 1",
    "gaze_camera_share": "share of the looks at the camera, 0 to 1",
    "gaze_left_share": "share of the looks to the left of the picture, 0 to 1",
    "gaze_right_share": "share of the looks to the right of the picture, 0 to 1",
    "face_seen_s": "how long the face was seen in the track, seconds",
    "face_changes": "lasting changes of the face's expression in the track",
    "quiet_seen_s": "how long the face was seen without music in the session, seconds",
    "quiet_changes": "lasting changes of the face's expression without music",
    "quiet_step": "the share of the expression that moves without music, 95th percentile",
    "due_s": "how long there was something to listen to, seconds",
    "listened_s": "how long it was listened to, seconds",
    "listened_share": "listened_s / due_s, 0 to 1; empty where nothing was due",
    **{f"{kind}_share": f"share of listened_s in which {kind} was heard, 0 to 1" for kind in KINDS},
    "sound": "what kind of sound was heard: " + ", ".join(KINDS),
    "response_s": "time from onset to the face's response, seconds; empty where none is claimed",
    "response_step": "the share of the expression that moved in the response, 0 to 1",
    "no_response": "why none is claimed: no_quiet, no_change or not_more",
    "response_before": "what the face expressed before that change",
    "response_after": "what it expressed after it",
    "congruence": "1 - mean Jensen-Shannon divergence of face and music: 1 alike, 0 disjoint",
    "congruence_coverage": "share of ticks at which both spoke, 0 to 1",
    "kind": "what was noted: " + ", ".join(kind.noun for kind in leaves(Moment)),
    "label": "what was marked, in the therapist's word, or heard, as in `sound`",
    "form": "press, stretch (marked at start and end), or heard",
    "times": "how often",
    "rate_per_min": "times / counted_s, per minute",
    "counted_s": "the time that counts: of what is heard, what was listened to; else the session, "
    "or the track while it was heard; pauses, and time without any consent, taken out; seconds",
    "total_s": "how long in all, seconds; empty of a press",
    "mean_s": "how long on average, seconds; empty of a press",
    "longest_s": "how long at most, seconds; empty of a press",
    "time_share": "total_s / counted_s, 0 to 1; empty of a press",
    "latency_s": "from the track's start to the first, pauses taken out, seconds; 0 where it goes "
    "on from before",
    "left_out": "how often it was marked in time that does not count",
    "still_open": "how many were started and not ended; they end with the session",
    "scale": "what the person was asked to rate, in the therapist's words",
    "rating": "0 to 10, as the person said it",
    "text": "what the therapist, or the person, wrote",
    "t_ns": "moment, nanoseconds of session time",
    "reasons": "what of the sound spoke for the strongest emotion, or what the face showed",
    "divergence_bits": "Jensen-Shannon divergence of face and music, 0 alike to 1 disjoint",
}


# The columns whose values are no numbers, and those that are whole ones; all others are numbers.
TEXTS: Final = frozenset(
    {"recorded", "imported", "consent", "software_version"}
    | {"session_id", "person", "pipeline", "modality", "strongest", "state", "before", "after"}
    | {"expected_emotion", "title", "end_reason", "music_reasons", "face_signs", "kind", "text"}
    | {"edge", "occasion", "scale", "label", "form"}
    | {"direction", "proposed", "proposed_sha256", "chosen_sha256"}
    | {"response_before", "response_after", "no_response", "emotion", "stream", "sound"}
    | {f"{m}_{name}" for m in MODALITIES for name in ("strongest", "most_often")}
)
INTEGERS: Final = frozenset(
    {"segment", "tick", "expected", "said", "mixed", "track", "count", "face_looks", "listened_s"}
    | {"face_changes", "quiet_changes", "number", "skipped", "times", "left_out", "still_open"}
    | {"chosen_track"}
    | {f"{m}_{name}" for m in MODALITIES for name in ("expected", "said")}
)


# What is told of everything that is counted.
COUNTED: Final = (
    *("label", "form", "stream", "times", "rate_per_min", "counted_s", "total_s", "mean_s"),
    *("longest_s", "time_share", "latency_s", "left_out", "still_open"),
)


def description_of(column: str) -> str:
    """Return what is in a column; one that is not ours, a plug-in or a playlist named."""
    others = "as the playlist, a plug-in's perceiver or the source of a signal has it"
    return COLUMNS.get(column, SIGNAL_COLUMNS.get(column, others))


# What the table of a signal has beside its channels.
SIGNAL_COLUMNS: Final = {"stamp_s": "stamp as the source of the signal gave it, seconds"}
