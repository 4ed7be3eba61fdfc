"""The first page: what a therapist writes of a session, in her words, and what rests on it.

Goals, her conclusion and her notes come first; then three moments, what she counted, what the face
did in each track beside what it does without music and last time, what the person said, and what
could not be seen.
"""

import math
from collections.abc import Iterator
from typing import Final

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.measures.responses import quiet_stretches
from affetti.analyzer.measures.summary import Summary, summary_of
from affetti.analyzer.measures.tracks import TrackResult
from affetti.analyzer.measures.unseen import Unseen, unread_shares
from affetti.analyzer.report import figures, wording
from affetti.analyzer.report.around import around
from affetti.analyzer.report.beside import Beside
from affetti.analyzer.report.blocks import (
    Blank,
    Block,
    Cell,
    Figure,
    Items,
    Moment,
    Moments,
    Pair,
    Section,
    Table,
    Text,
)
from affetti.analyzer.report.counted import counted_of
from affetti.analyzer.report.findings import LOW_COVERAGE
from affetti.analyzer.report.resolution import fine
from affetti.core.clock import NS_PER_S
from affetti.core.journal import sentence
from affetti.core.language import clock_text, date, decimal, text, word
from affetti.core.people.annotations import CHOSEN, NOTE, REMEMBER

_AROUND_NS: Final = NS_PER_S * 5 // 2
_LEAST_S: Final = 1.0  # a face that was seen for less without music has no figure
MAX_UNSEEN: Final = 6  # on the first page; all of them stand further down


def front_of(analysis: Analysis, beside: Beside) -> list[Section]:
    """Return the sections of the first page, those that have something to say."""
    sections = [
        ("goals", _goals(beside)),
        ("conclusion", _conclusion(beside)),
        ("notes", _notes(analysis, beside)),
        ("three", _moments(analysis, beside)),
        ("counted", counted_of(analysis)),
        ("face", _face(analysis, beside)),
        ("person", _person(analysis)),
        ("gaps", _unseen(analysis)),
    ]
    return [
        Section(name, text(f"page.{name}"), tuple(blocks), "front")
        for name, blocks in sections
        if blocks
    ]


def nothing_seen(analysis: Analysis) -> Iterator[str]:
    """Yield, where it is so, that nothing could be said of the face, and no music was heard."""
    if not analysis.summaries["face"].said:
        unread = analysis.summaries["face"].unread
        yield (
            text("page.face_unread", why=wording.unread(unread)) if unread else text("page.no_face")
        )
    if not analysis.summaries["music"].said:
        yield text("page.no_music")


def _goals(beside: Beside) -> list[Block]:
    rows = tuple(
        (
            Cell(aim.words, "given"),
            Cell(word("goal", aim.state)),
            Cell(text("page.since", date=date(aim.since))),
        )
        for aim in beside.aims
    )
    blocks: list[Block] = [Table((), rows, kind="goals")] if rows else []
    later = [Text(text("page.goals.later"), "caption")] if beside.aims_changed else []
    return [*blocks, *later]


def _conclusion(beside: Beside) -> list[Block]:
    if beside.conclusion:
        return [Text(beside.conclusion, "given")]
    return [Blank(text("page.not_concluded"))]


def _notes(analysis: Analysis, beside: Beside) -> list[Block]:
    """Return what is to be remembered, and what she noted then and afterwards."""
    remember = [each.text for each in beside.annotations if each.label == REMEMBER]
    noted = [(note.t_ns, note.text) for note in analysis.state.notes]
    noted += [(each.start_ns or 0, each.text) for each in beside.annotations if each.label == NOTE]
    items = [
        text("page.note", at=clock_text(t_ns / NS_PER_S), words=words)
        for t_ns, words in sorted(noted)
    ]
    blocks: list[Block] = [Text(words, "given remember") for words in remember]
    return [*blocks, Items(tuple(items), "given")] if items else blocks


def _moments(analysis: Analysis, beside: Beside) -> list[Block]:
    moments = tuple(
        _moment(number, t_ns, analysis, beside)
        for number, t_ns in enumerate(beside.chosen_ns, start=1)
    )
    if not moments:
        return []
    told = text("page.three.chosen" if beside.by_her else "page.three.clearest")
    return [Moments(moments, side=True), Text(told, "caption")]


def _moment(number: int, t_ns: int, analysis: Analysis, beside: Beside) -> Moment:
    change = next((c for c in analysis.face.changes if round(c.t_s * NS_PER_S) == t_ns), None)
    said = [e.text for e in beside.annotations if e.label == CHOSEN and e.start_ns == t_ns]
    words = next(filter(None, said), "")
    if not words and change is not None:
        words = text(
            "page.changed",
            before=wording.emotion_word(change.before),
            after=wording.emotion_word(change.after),
            lasted=wording.seconds(change.dwell_s),
        )
    stretch = max(t_ns - _AROUND_NS, 0), min(t_ns + _AROUND_NS, analysis.state.now_ns)
    lines = (
        Pair(wording.modality_name("face"), around(analysis, "face", stretch)),
        *_playing(analysis, t_ns),
    )
    at = clock_text(t_ns / NS_PER_S)
    return Moment(number, at, "", words, lines, beside.pictures.get(t_ns))


def _playing(analysis: Analysis, t_ns: int) -> Iterator[Pair]:
    t_s = t_ns / NS_PER_S
    for track in analysis.tracks:
        if track.start_s <= t_s < track.stop_s:
            yield Pair(text("report.track"), wording.titled(track.title))


def _face(analysis: Analysis, beside: Beside) -> list[Block]:
    """Return what the face did in each track, beside what it does without music and last time."""
    if not analysis.summaries["face"].said or not analysis.tracks:
        return []
    quiet = without_music(analysis)
    rows = [_face_row(track, analysis, quiet, beside) for track in analysis.tracks]
    rows.append(_quiet_row(analysis, quiet))
    head = (
        text("report.track"),
        text("page.expressed"),
        text("page.beside_quiet"),
        text("page.changes_per_min"),
        text("page.last_time"),
    )
    caption = [] if analysis.quiet.enough else [
        Text(text("page.too_little_quiet", seen=wording.seconds(analysis.quiet.seen_s)), "caption")
    ]  # fmt: skip
    return [Table(head, tuple(rows), kind="face-table"), *caption, *_last(beside)]


def without_music(analysis: Analysis) -> Summary:
    """Return what the face expressed in the quiet stretches."""
    state = analysis.state
    settings = state.started.perception if state.started else None
    stretches = (
        quiet_stretches(state, settings, analysis.tables.music) if settings is not None else []
    )
    return summary_of(analysis.estimates["face"], stretches, analysis.parameters.mixed_margin)


def _face_row(
    track: TrackResult, analysis: Analysis, quiet: Summary, beside: Beside
) -> tuple[Cell, ...]:
    face = track.summaries["face"]
    return (
        Cell(f"{track.number + 1} {wording.titled(track.title)}"),
        Cell(wording.expressed("face", face), small=_coverage(face)),
        Cell(compared(face, quiet, analysis)),
        Cell(per_min(track.face.per_min), "figure"),
        Cell(_last_time(track.title, beside)),
    )


def _quiet_row(analysis: Analysis, quiet: Summary) -> tuple[Cell, ...]:
    seen_s = analysis.quiet.seen_s
    expressed = wording.UNKNOWN if seen_s < _LEAST_S else wording.expressed("face", quiet)
    return (
        Cell(text("page.without_music")),
        Cell(expressed, small=text("page.seen_for", seen=wording.seconds(seen_s))),
        Cell(""),
        Cell(per_min(analysis.quiet.per_min), "figure"),
        Cell(""),
    )


def compared(face: Summary, quiet: Summary, analysis: Analysis) -> str:
    """Return by what the face in a track differs most from the face without music.

    With both figures, and only where both rest on enough: of a track that was seen for half of its
    time, and of `MIN_QUIET_S` without music.
    """
    if not face.said or not quiet.said or not analysis.quiet.enough:
        return wording.UNKNOWN
    if face.coverage < LOW_COVERAGE:
        return text("page.seen_too_little")
    moved = face.shares - quiet.shares
    at = int(abs(moved).argmax())
    name = wording.emotion_word(face.labels[at])
    then, now = float(quiet.shares[at]), float(face.shares[at])
    if round(100 * then) == round(100 * now):
        return text("page.as_without")
    way = "page.more" if now > then else "page.less"
    return text(way, what=name, now=wording.percent(now), then=wording.percent(then))


def per_min(rate: float) -> str:
    """Return a number a minute; a dash where it is not known."""
    return wording.UNKNOWN if math.isnan(rate) else decimal(rate, 1)


def _coverage(summary: Summary) -> str:
    return wording.coverage("face", summary.coverage)


def _last_time(title: str, beside: Beside) -> str:
    before = beside.before
    if before is None:
        return wording.UNKNOWN
    same = [track for track in before.analysis.tracks if track.title == title]
    if not same:
        return text("page.not_played")
    face = same[-1].summaries["face"]
    words = wording.expressed("face", face)
    return text("report.around", words=words, coverage=_coverage(face)) if face.said else words


def _last(beside: Beside) -> list[Block]:
    if beside.before is None:
        return [Text(text("page.no_last"), "caption")]
    info = beside.before.analysis.info
    face = beside.before.analysis.summaries["face"]
    return [
        Text(
            text(
                "page.last_was",
                day=wording.day_of(info),
                length=wording.clock(info.duration_s),
                seen=wording.percent(face.coverage),
            ),
            "caption",
        )
    ]


def _person(analysis: Analysis) -> list[Block]:
    reports = sorted(analysis.state.self_reports, key=lambda report: report.t_ns)
    items = tuple(
        text("self_report.said", at=clock_text(each.t_ns / NS_PER_S), words=sentence(each))
        for each in reports
    )
    return [Items(items, "given")] if items else []


def _unseen(analysis: Analysis) -> list[Block]:
    """Return what could not be seen, the longest of it in order of time."""
    face, music = analysis.summaries["face"], analysis.summaries["music"]
    whole = [
        _of_all("face", face),
        _of_all("music", music),
    ]
    if unread := unread_shares(analysis.tables.face):
        whole.insert(1, text("page.gap.unread", shares=wording.unread_of(unread)))
    longest = sorted(analysis.unseen, key=_length)[-MAX_UNSEEN:]
    items = [
        text("page.gap", when=wording.when(one), why=wording.unseen(one))
        for one in sorted(longest, key=lambda one: one.start_s)
    ]
    left = len(analysis.unseen) - len(longest)
    if left:
        items.append(wording.number(left, "gap_more"))
    strips = figures.coverage_strips(fine(analysis), analysis)
    figure = Figure(strips, text("report.strips_caption"), kind="half")
    return [Items((*whole, *items)), figure]


def _of_all(name: str, summary: Summary) -> str:
    """Return how much was covered in all; where nothing was due at any time, that."""
    if math.isnan(summary.coverage):
        return text(f"page.gap.{name}.never")
    return text(f"page.gap.{name}", share=wording.percent(summary.coverage))


def _length(one: Unseen) -> float:
    return one.stop_s - one.start_s
