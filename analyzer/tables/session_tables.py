"""The tables of one session."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from numpy.typing import NDArray

from affetti.analyzer.analysis import Analysis, SignalTable
from affetti.analyzer.measures.counts import Count, marked_in
from affetti.analyzer.measures.estimates import LABELS, MODALITIES
from affetti.analyzer.measures.heard import Heard
from affetti.analyzer.measures.looks import GAZES, Looks
from affetti.analyzer.measures.self_reports import said_in
from affetti.analyzer.measures.summary import Summary, is_mixed
from affetti.analyzer.measures.transitions import SILENT, transition_counts, transition_shares
from affetti.analyzer.tables.columns import COLUMNS, COUNTED, MOMENT_FIELDS, NOT_STATED, Type
from affetti.analyzer.tables.table import Row, Rows, Table
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, EXPRESSIONS, FloatArray, Label
from affetti.core.events import WORD_SEPARATOR, Columns, Moment
from affetti.core.heard import KINDS


def tables_of(analysis: Analysis) -> list[Table]:
    """Return all tables of an analysis.

    What a playlist says of a track is in every table that has one.
    """
    made = [
        _session(analysis),
        _segments(analysis),
        _states(analysis),
        _transitions(analysis),
        _transition_matrix(analysis),
        _tracks(analysis),
        _looks(analysis),
        _heard(analysis),
        _heard_stretches(analysis),
        _counts(analysis),
        _marked(analysis),
        _moments(analysis),
        _self_reports(analysis),
        _self_report_scales(analysis),
        *(_estimates(analysis, name, table) for name, table in analysis.tables.all().items()),
        *(_signal(analysis, name, table) for name, table in analysis.signals.items()),
    ]
    return [_with_playlist(analysis, table) for table in made]


def _with_playlist(analysis: Analysis, table: Table) -> Table:
    """Return a table with the columns of the playlist, if it has tracks."""
    if "track" not in table.columns:
        return table
    tracks = {track.number: track for track in analysis.state.tracks}
    names = list(dict.fromkeys(name for track in tracks.values() for name in track.columns))
    at = table.columns.index("track")

    def labelled(row: Row) -> Row:
        track = tracks.get(row[at])
        if track is None:
            return [*row, None, *(None for _ in names)]
        return [*row, track.expected, *(track.columns.get(name) for name in names)]

    added = [playlist_column(name) for name in names]
    columns = (*table.columns, "expected_emotion", *added)
    types: dict[str, Type] = {**table.types, **dict.fromkeys(added, "string")}
    return Table(table.name, columns, [labelled(row) for row in table.rows], types)


def playlist_column(name: str) -> str:
    """Return what a column of a playlist is called in tables: other columns keep their names."""
    return f"playlist_{name}" if name in COLUMNS else name


def _table(
    analysis: Analysis,
    name: str,
    columns: Iterable[str],
    rows: Iterable[Row],
    types: Mapping[str, Type] | None = None,
) -> Table:
    """Return a table led by whose session it is, so that many can be stacked."""
    lead = _lead(analysis)
    return Table(name, (*_LEAD, *columns), [[*lead, *row] for row in rows], types or {})


_LEAD: Final = ("session_id", "person", "pipeline")


def _lead(analysis: Analysis) -> Row:
    return [analysis.info.session_id, analysis.info.person, analysis.tables.pipeline]


def _session(analysis: Analysis) -> Table:
    """Return what is to be known of the session itself, in one row."""
    info = analysis.info
    files = [] if info.imported is None else [file.file_name for file in info.imported.files]
    stated = None not in info.consent.values()
    agreed = [scope for scope, granted in info.consent.items() if granted]
    columns = ("recorded", "duration_s", "imported", "consent", "software_version")
    row: Row = [
        info.wall_clock if info.dated else None,
        info.duration_s,
        ", ".join(files),
        ", ".join(agreed) if stated else NOT_STATED,
        info.software_version,
    ]
    return _table(analysis, "session", columns, [row])


def _segments(analysis: Analysis) -> Table:
    columns = (
        *("modality", "segment", "start_s", "stop_s", "expected", "said", "coverage", "covered_s"),
        *EMOTIONS,
        *EXPRESSIONS,
        *("valence", "arousal", "strongest", "mixed"),
    )

    def rows() -> Iterator[Row]:
        for modality, segments in analysis.segments.items():
            valence, arousal = segments.circumplex.T
            mixed = is_mixed(segments.shares, analysis.parameters.mixed_margin)
            for i in range(len(segments)):
                spoken = segments.said[i] > 0
                yield [
                    modality,
                    i,
                    segments.start_s[i],
                    segments.stop_s[i],
                    segments.expected[i],
                    segments.said[i],
                    segments.coverage[i],
                    segments.covered_s[i],
                    *segments.emotions[i],
                    *_of_a_face(segments.labels, segments.shares[i]),
                    valence[i],
                    arousal[i],
                    segments.labels[int(segments.shares[i].argmax())] if spoken else None,
                    mixed[i] if spoken else None,
                ]

    return _table(analysis, "segments", columns, rows())


def _of_a_face(labels: tuple[Label, ...], shares: FloatArray) -> Row:
    """Return the probabilities of the seven expressions; nothing for what is no face."""
    return [*shares] if labels == EXPRESSIONS else [None] * len(EXPRESSIONS)


def _states(analysis: Analysis) -> Table:
    def rows() -> Iterator[Row]:
        for modality, states in analysis.states.items():
            others: Row = [None] * len(EMOTIONS)
            for i, state in enumerate(states.states):
                named = None if state == SILENT else states.labels[state]
                shares = states.probabilities[i]
                four = others if states.labels == EXPRESSIONS else [*shares]
                seven = _of_a_face(states.labels, shares)
                yield [modality, i, i * states.tick_s, named, *four, *seven]

    columns = ("modality", "tick", "t_s", "state", *EMOTIONS, *EXPRESSIONS)
    return _table(analysis, "states", columns, rows())


def _transitions(analysis: Analysis) -> Table:
    columns = ("modality", "t_s", "before", "after", "dwell_s", "probability", "track")
    rows = [
        [
            modality,
            change.t_s,
            change.before,
            change.after,
            change.dwell_s,
            change.probability,
            _track_at(analysis, change.t_s),
        ]
        for modality, changes in analysis.changes.items()
        for change in changes
    ]
    return _table(analysis, "transitions", columns, rows)


def _track_at(analysis: Analysis, t_s: float) -> int | None:
    for track in analysis.tracks:
        if track.start_s <= t_s < track.stop_s:
            return track.number
    return None


def _transition_matrix(analysis: Analysis) -> Table:
    def rows() -> Iterator[Row]:
        for modality, changes in analysis.changes.items():
            labels = LABELS[modality]
            counts = transition_counts(changes, labels)
            shares = transition_shares(counts)
            for i, before in enumerate(labels):
                for j, after in enumerate(labels):
                    if i != j:
                        yield [modality, before, after, counts[i, j], shares[i, j]]

    columns = ("modality", "before", "after", "count", "share")
    return _table(analysis, "transition_matrix", columns, rows())


_SUMMARY: Final = (
    *("expected", "said", "coverage"),
    *EMOTIONS,
    *("strongest", "most_often", "most_often_share", "mixed_share"),
)


def _tracks(analysis: Analysis) -> Table:
    columns = (
        *("track", "title", "start_s", "stop_s", "played_s", "duration_s", "end_reason"),
        *(f"{modality}_{name}" for modality in MODALITIES for name in _SUMMARY),
        *(f"face_{name}" for name in EXPRESSIONS),
        *("music_valence", "music_arousal", "music_reasons"),
        *("face_seen_s", "face_changes", "quiet_seen_s", "quiet_changes", "quiet_step"),
        *("response_s", "response_before", "response_after", "response_step", "no_response"),
        *("congruence", "congruence_coverage"),
    )
    rows = [
        [
            track.number,
            track.title,
            track.start_s,
            track.stop_s,
            track.played_s,
            track.duration_s,
            track.end_reason,
            *(value for name in MODALITIES for value in _summary(track.summaries[name])),
            *track.summaries["face"].shares,
            track.summaries["music"].valence,
            track.summaries["music"].arousal,
            ", ".join(reason.code for reason in track.reasons),
            track.face.seen_s,
            track.face.changes,
            analysis.quiet.seen_s,
            analysis.quiet.changes,
            analysis.quiet.step,
            track.response_s,
            track.response and track.response.before,
            track.response and track.response.after,
            track.face.step,
            track.face.absence,
            track.congruence.value,
            track.congruence.coverage,
        ]
        for track in analysis.tracks
    ]
    return _table(analysis, "tracks", columns, rows)


def _looks(analysis: Analysis) -> Table:
    """Return what the face showed beside its expression: in the session, then in each track."""
    gazes = (f"gaze_{gaze}_share" for gaze in GAZES)
    columns = ("track", "title", "face_looks", "face_signs", "eyes_closed_share", *gazes)
    rows = [[None, "", *_look(analysis.looks)]]
    rows += [[track.number, track.title, *_look(track.looks)] for track in analysis.tracks]
    return _table(analysis, "looks", columns, rows)


def _heard(analysis: Analysis) -> Table:
    """Return what was heard in each stream: in the session, then in each track."""
    shares = (f"{kind}_share" for kind in KINDS)
    columns = ("track", "title", "stream", "due_s", "listened_s", "listened_share", *shares)
    rows = [[None, "", *_heard_in(each)] for each in analysis.heard.values()]
    rows += [
        [track.number, track.title, *_heard_in(each)]
        for track in analysis.tracks
        for each in track.heard.values()
    ]
    return _table(analysis, "heard", columns, rows)


def _heard_in(heard: Heard) -> Row:
    shares = (heard.share(kind) for kind in KINDS)
    return [heard.stream, heard.due_s, heard.listened_s, heard.coverage, *shares]


def _heard_stretches(analysis: Analysis) -> Table:
    """Return when each kind of sound was heard, a stretch a row."""
    rows = [
        [stream, kind, start / NS_PER_S, stop / NS_PER_S, _track_at(analysis, start / NS_PER_S)]
        for stream, heard in analysis.heard.items()
        for kind in heard.kinds
        for start, stop in heard.stretches[kind]
    ]
    columns = ("stream", "sound", "start_s", "stop_s", "track")
    return _table(analysis, "heard_stretches", columns, rows)


def _counts(analysis: Analysis) -> Table:
    """Return what was counted: in the session, then in each track."""
    rows = [[None, "", *_count(each)] for each in analysis.counts]
    rows += [
        [track.number, track.title, *_count(each)]
        for track in analysis.tracks
        for each in track.counts
    ]
    return _table(analysis, "counts", ("track", "title", *COUNTED), rows)


def _count(count: Count) -> Row:
    return [getattr(count, name) for name in COUNTED]


def _marked(analysis: Analysis) -> Table:
    """Return everything that was marked, a press or a stretch a row."""
    rows: list[Row] = [
        [
            each.label,
            each.form,
            each.start_ns / NS_PER_S,
            each.stop_ns / NS_PER_S,
            int(each.still_open),
            _track_at(analysis, each.start_ns / NS_PER_S),
        ]
        for each in marked_in(analysis.state)
    ]
    columns = ("label", "form", "start_s", "stop_s", "still_open", "track")
    return _table(analysis, "marked", columns, rows)


def _look(looks: Looks) -> Row:
    signs = ", ".join(code for code, _ in looks.signs)
    return [looks.made, signs, looks.eyes_closed, *looks.gazes.values()]


def _summary(summary: Summary) -> Row:
    return [
        summary.expected,
        summary.said,
        summary.coverage,
        *summary.emotions,
        summary.strongest,
        summary.most_often,
        float(summary.strongest_shares.max()),
        summary.mixed_share,
    ]


def _cell(moment: Moment, name: str) -> Any:
    """Return what a moment says in a field; words in a row as one text."""
    value = getattr(moment, name, None)
    return WORD_SEPARATOR.join(value) if isinstance(value, tuple) else value


def _moments(analysis: Analysis) -> Table:
    rows: list[Row] = [
        [m.t_ns / NS_PER_S, m.noun, m.words, *(_cell(m, name) for name in MOMENT_FIELDS)]
        for m in sorted(analysis.state.moments, key=lambda moment: moment.t_ns)
    ]
    return _table(analysis, "moments", ("t_s", "kind", "text", *MOMENT_FIELDS), rows)


def _self_reports(analysis: Analysis) -> Table:
    """Return what the person said of themselves, beside what was expressed in the track."""
    columns = (
        *("t_s", "occasion", "track", "title", "skipped", "answered_s"),
        *("valence", "arousal", "emotion", "text"),
        *(f"{name}_strongest" for name in MODALITIES),
        *("music_valence", "music_arousal"),
    )
    rows: list[Row] = [
        [
            said.report.t_ns / NS_PER_S,
            said.report.occasion,
            said.report.track,
            said.track.title if said.track is not None else "",
            int(said.report.skipped),
            said.report.answered_s,
            said.report.valence,
            said.report.arousal,
            said.report.emotion,
            said.report.text,
            *(said.summaries[name].strongest for name in MODALITIES),
            said.summaries["music"].valence,
            said.summaries["music"].arousal,
        ]
        for said in said_in(analysis.state, analysis.estimates)
    ]
    return _table(analysis, "self_reports", columns, rows)


def _self_report_scales(analysis: Analysis) -> Table:
    """Return each rating of a self-report, a row each."""
    rows: list[Row] = [
        [report.t_ns / NS_PER_S, report.occasion, report.track, scale, rating]
        for report in sorted(analysis.state.self_reports, key=lambda report: report.t_ns)
        for scale, rating in report.scales.items()
    ]
    columns = ("t_s", "occasion", "track", "scale", "rating")
    return _table(analysis, "self_report_scales", columns, rows)


def _estimates(analysis: Analysis, name: str, table: Columns) -> Table:
    # `seq` belongs to the log; a replayed estimate was never in it.
    names = tuple(column for column in table if column != "seq")
    rows = Rows(_lead(analysis), [table[column] for column in names])
    types = {column: _type_of_values(table[column]) for column in names}
    return Table(f"estimates_{name}", (*_LEAD, *names), rows, types)


def _type_of_values(values: NDArray[Any]) -> Type:
    """Return the type of what `core.events.columns` or a signal declares."""
    return {"i": "integer", "u": "integer", "f": "number"}.get(values.dtype.kind, "string")  # type: ignore[return-value]


def _signal(analysis: Analysis, name: str, table: SignalTable) -> Table:
    rows = Rows(_lead(analysis), [table.t_s, table.stamps_s, *table.values.T])
    names = _channel_names(table.channels)
    types = dict.fromkeys(names, _type_of_values(table.values))
    return Table(f"signals_{name}", (*_LEAD, "t_s", "stamp_s", *names), rows, types)


def _channel_names(channels: tuple[str, ...]) -> list[str]:
    """Return a name for the column of each channel; one that is taken gets its number."""
    names: list[str] = []
    taken = {*_LEAD, "t_s", "stamp_s"}
    for i, channel in enumerate(channels, start=1):
        names.append(f"{channel}_{i}" if channel in {*taken, *names} else channel)
    return names
