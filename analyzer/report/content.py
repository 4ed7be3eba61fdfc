"""What the page of a session says: the first page, what it rests on, and the appendix."""

from datetime import datetime
from importlib.metadata import version
from typing import Final

from markupsafe import Markup, escape

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.measures.estimates import LABELS, MODALITIES, ModalityName
from affetti.analyzer.measures.segments import Segments, segments_of
from affetti.analyzer.measures.self_reports import stretch_about
from affetti.analyzer.measures.summary import Summary
from affetti.analyzer.measures.tracks import TrackResult
from affetti.analyzer.measures.transitions import dwells_of
from affetti.analyzer.report import figures, findings, heard, wording
from affetti.analyzer.report.accuracy import accuracy_of
from affetti.analyzer.report.around import around
from affetti.analyzer.report.beside import NOTHING, Beside
from affetti.analyzer.report.blocks import (
    Bar,
    Bars,
    Block,
    Card,
    Cell,
    Figure,
    Items,
    Moment,
    Moments,
    Page,
    Pair,
    Pairs,
    Part,
    Row,
    Section,
    Table,
    Text,
    Words,
)
from affetti.analyzer.report.counted import of_track
from affetti.analyzer.report.front import MAX_UNSEEN, front_of, nothing_seen
from affetti.analyzer.report.resolution import MAX_SEGMENTS, fine
from affetti.analyzer.report.tracks import coverage_means, self_reports_of, track_words
from affetti.core.clock import NS_PER_S
from affetti.core.journal import sentence
from affetti.core.language import clock_text, language, localised, text, word
from affetti.models.pipelines import digests_of, offered

_MAX_OPEN: Final = 12  # changes that are shown unasked


def page_of(analysis: Analysis, beside: Beside = NOTHING) -> Page:
    """Return the page of a session.

    Parameters
    ----------
    analysis
        Of the session.
    beside
        What is known of it beside its recording.
    """
    info = analysis.info
    return Page(
        language=language(),
        version=version("affetti"),
        subject=info.session_id,
        kicker=text("report.kicker"),
        person=info.person,
        day=wording.day_of(info),
        title=text("report.title", person=info.person, date=wording.day_of(info)),
        facts=_facts(analysis),
        notices=tuple(_notices(analysis)),
        altered=text("report.altered") if info.altered else "",
        sections=tuple(
            section
            for section in (*front_of(analysis, beside), *_body(analysis), *_appendix(analysis))
            if section.blocks
        ),
        rests_on=(beside.before.analysis.info.session_id,) if beside.before else (),
        footer=(text("report.footer.pictures" if _shows(beside) else "report.footer"),),
    )


def _shows(beside: Beside) -> bool:
    return any(picture.jpeg for picture in beside.pictures.values())


def _facts(analysis: Analysis) -> tuple[Pair, ...]:
    info, congruence = analysis.info, analysis.congruence
    percent = wording.percent
    return (
        Pair(text("report.began"), wording.began(info)),
        Pair(text("report.length"), wording.clock(info.duration_s)),
        Pair(text("report.tracks"), str(len(analysis.tracks))),
        Pair(text("report.face_seen"), percent(analysis.summaries["face"].coverage)),
        Pair(text("report.music_heard"), percent(analysis.summaries["music"].coverage)),
        Pair(
            text("figure.congruence"),
            wording.index(congruence.value),
            small=text(
                "report.congruence",
                alike=wording.alike(congruence.value),
                share=percent(congruence.coverage),
            ),
        ),
    )


def _notices(analysis: Analysis) -> list[Words]:
    info = analysis.info
    found: list[Words] = list(nothing_seen(analysis))
    if info.recovery:
        first = text("report.not_whole" if info.end_reason else "report.broke_off")
        found.append(_led(first, info.recovery))
    found += info.source_losses
    found += [_led(text("report.withdrawn"), said) for said in info.withdrawals]
    return found


def _led(first: str, said: str) -> Words:
    return Markup("<b>{}</b> {}").format(first, wording.marked("given", words=said))


def _section(name: str, title: str, *blocks: Block, part: Part = "body") -> Section:
    return Section(name, text(title), tuple(blocks), part)


def _body(analysis: Analysis) -> list[Section]:
    moments = _moments(analysis)
    flags = [figures.Moment(m.number, t_s, f"{m.kind}: {m.words}") for t_s, m in moments]
    return [
        _section(
            "glance",
            "report.glance",
            Items(tuple(findings.findings_of(analysis)), "findings"),
            Text(text("report.reminder"), "reminder"),
        ),
        _section("course", "report.course", _timeline(analysis, flags), _segments(analysis)),
        _section("tracks", "report.track_by_track", *_tracks(analysis)),
        _section("moments", "report.moments", *_listed_moments([m for _, m in moments])),
        _section("basis", "report.basis", *_unseen(analysis), _basis(analysis)),
        _section("limits", "report.limits", _limits()),
    ]


def _timeline(analysis: Analysis, flags: list[figures.Moment]) -> Figure:
    caption = [text("report.caption")]
    if any(one.cause in ("paused", "no_consent") for one in analysis.unseen):
        caption.append(text("report.caption.paused"))
    if flags:
        drawn = "ticks" if figures.are_ticks(flags) else "moments"
        caption.append(text(f"report.caption.{drawn}"))
    legend = tuple((label.value, wording.emotion_word(label)) for label in figures.LEGEND)
    return Figure(
        figures.timeline(analysis, fine(analysis), flags),
        " ".join(caption),
        legend=(*legend, ("gap", text("report.nothing_said"))),
    )


def _segments(analysis: Analysis) -> Table:
    seconds, segments = _told_segments(analysis)
    head = (text("report.from"), *(wording.modality_name(name) for name in MODALITIES))
    rows = tuple(
        (
            Cell(clock_text(segments["fused"].start_s[i])),
            *(_segment(segments[name], i) for name in MODALITIES),
        )
        for i in range(len(segments["fused"]))
    )
    caption = text("report.segments", seconds=localised(f"{seconds:g}"))
    return Table(head, rows, caption, summary=text("report.as_table"))


def _told_segments(analysis: Analysis) -> tuple[float, dict[ModalityName, Segments]]:
    """Return the segments of the table, and how long they are.

    Those of `segments.csv`, or where they would be too many for a page, of a multiple of them.
    """
    segment_s = analysis.parameters.segment_s
    count = len(analysis.segments["fused"])
    if count <= MAX_SEGMENTS:
        return segment_s, analysis.segments
    longer_s = segment_s * -(-count // MAX_SEGMENTS)
    length_ns = round(longer_s * NS_PER_S)
    return longer_s, {
        name: segments_of(each, length_ns, analysis.state.now_ns)
        for name, each in analysis.estimates.items()
    }


def _segment(segments: Segments, i: int) -> Cell:
    """Return a cell: the probabilities, and how much of the segment they rest on."""
    if not segments.said[i]:
        return Cell(wording.UNKNOWN)
    shares = [float(share) for share in segments.shares[i]]
    return Cell(
        wording.strongest(shares, segments.labels),
        small=" ".join(wording.index(share) for share in shares),
        note=text("coverage", share=wording.percent(float(segments.coverage[i]))),
        kind="segment",
    )


def _tracks(analysis: Analysis) -> list[Block]:
    if not analysis.tracks:
        return []
    cards = [_card(i, track, analysis) for i, track in enumerate(analysis.tracks)]
    means = Text(coverage_means(analysis.state), "caption")
    return [*cards, means, _track_table(analysis)]


def _card(i: int, track: TrackResult, analysis: Analysis) -> Card:
    words = track_words(track, analysis.quiet)
    bars = tuple(
        Bar(line.name, line.words, _bar(f"track-{i}-{name}", name, track, line.words, line.name),
            line.coverage)
        for name, line in zip(track.summaries, words.lines, strict=True)
    )  # fmt: skip
    expected: list[Block] = [Text(words.expected, "expected")] if words.expected else []
    pairs = [
        *(Pair(text("moment.self-report"), said, "self-report")
          for said in self_reports_of(track, analysis.state)),
        Pair(text("report.response"), words.response, "response"),
        Pair(text("report.face_and_music"), words.congruence, "congruence",
             words.congruence_coverage),
        Pair(text("report.spoke_for_it"), _capital(findings.reasons_text(track))),
        Pair(text("report.face_showed"), _capital(findings.signs_text(track)), "signs"),
        Pair(text("report.music_lies"),
             _capital(findings.circumplex_text(track.summaries["music"]))),
        *of_track(track),
        *(Pair(heard.title(each), heard.shares_text(each) or wording.UNKNOWN, "heard-in")
          for each in track.heard.values()),
        Pair(text("report.mixed"),
             text("report.mixed_share",
                  share=wording.percent(track.summaries["face"].mixed_share))),
    ]  # fmt: skip
    aside = f"{words.times}, {words.played}"
    blocks = (*expected, Bars(bars), Pairs(tuple(pairs), "track-facts"))
    return Card(track.number + 1, words.title, aside, blocks)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _bar(id: str, name: ModalityName, track: TrackResult, words: str, title: str) -> Markup | str:
    if name == "fused" and track.together.alone:
        return ""
    said = text("figure.bar", modality=title, track=track.number + 1)
    return figures.bar(id, said, track.summaries[name], words)


def _track_table(analysis: Analysis) -> Table:
    legend = [wording.emotion_word(label) for label in figures.LEGEND]
    head = (
        text("report.track"),
        text("report.of"),
        *legend,
        text("report.strongest"),
        text("report.most_often"),
        text("report.coverage"),
    )
    rows = tuple(
        _track_row(track, name, words.name, words.words, words.coverage)
        for track in analysis.tracks
        for name, words in zip(
            track.summaries, track_words(track, analysis.quiet).lines, strict=True
        )
    )
    caption = text("report.tracks_caption")
    return Table(head, rows, caption, summary=text("report.as_table"))


def _track_row(
    track: TrackResult, name: ModalityName, shown: str, words: str, coverage: str
) -> tuple[Cell, ...]:
    summary = track.summaries[name]
    often = wording.emotion_word(summary.most_often) if summary.most_often else wording.UNKNOWN
    if summary.said:
        share = wording.percent(float(summary.strongest_shares.max()))
        often = text("finding.share", what=often, share=share)
    shares = [
        Cell("" if share is None else wording.percent(share), "figure")
        for share in _in_legend(summary)
    ]
    return (Cell(wording.titled(track.title)), Cell(shown), *shares, Cell(words), Cell(often),
            Cell(coverage, "figure"))  # fmt: skip


def _in_legend(summary: Summary) -> list[float | None]:
    """Return the mean of each label of the legend; None of one that is not this modality's."""
    means = zip(summary.labels, summary.shares, strict=True)
    shares = {figures.COLOURED_AS.get(label, label): float(share) for label, share in means}
    return [shares.get(label) for label in figures.LEGEND]


def _moments(analysis: Analysis) -> list[tuple[float, Moment]]:
    events = sorted(analysis.state.moments, key=lambda event: event.t_ns)
    return [
        (
            event.t_ns / NS_PER_S,
            Moment(
                number,
                clock_text(event.t_ns / NS_PER_S),
                word("moment", event.noun),
                sentence(event),
                tuple(
                    Pair(
                        wording.modality_name(name),
                        around(analysis, name, stretch_about(event, analysis.state)),
                    )
                    for name in MODALITIES
                ),
            ),
        )
        for number, event in enumerate(events, start=1)
    ]


def _listed_moments(moments: list[Moment]) -> list[Block]:
    if not moments:
        return []
    return [Moments(tuple(moments)), Text(text("report.moments_caption"), "caption")]


def _basis(analysis: Analysis) -> Pairs:
    return Pairs(tuple(Pair(label, said) for label, said in findings.basis_of(analysis)), "basis")


def _unseen(analysis: Analysis) -> list[Block]:
    if not analysis.unseen:
        return []
    rows = tuple(
        (
            Cell(wording.when(one), "when"),
            Cell(wording.seconds(one.stop_s - one.start_s) if one.stop_s > one.start_s else "",
                 "figure"),
            Cell(wording.unseen(one), "why"),
        )
        for one in analysis.unseen
    )  # fmt: skip
    head = (text("report.when"), text("report.how_long"), text("report.why"))
    again = len(rows) <= MAX_UNSEEN
    return [
        Text(text("report.unseen"), "h3", again=again),
        Table(head, rows, kind="unseen", again=again),
        Text(text("report.unseen_caption"), "caption"),
    ]


def _limits() -> Items:
    names = ("feeling", "diagnosis", "errors", "coverage", "mixed")
    return Items(tuple(wording.marked(f"report.limits.{name}") for name in names), "limits")


def _appendix(analysis: Analysis) -> list[Section]:
    return [
        _section("changes", "report.changes", *_changes(analysis), part="appendix"),
        _section("accuracy", "page.accuracy", *_accuracy(analysis), part="appendix"),
        _section("method", "report.made_how", _method(analysis), part="appendix"),
    ]


def _changes(analysis: Analysis) -> list[Block]:
    diagrams = tuple(_diagram(name, analysis) for name in MODALITIES if _spoke(name, analysis))
    if not diagrams:
        return []
    listed = sum(map(len, analysis.changes.values())) <= _MAX_OPEN
    return [
        Row(diagrams, again=listed),
        Text(text("report.changes_caption"), "caption", again=listed),
        _change_table(analysis),
    ]


def _spoke(name: ModalityName, analysis: Analysis) -> bool:
    alone = name == "fused" and analysis.together.alone
    return analysis.summaries[name].said > 0 and not alone


def _diagram(name: ModalityName, analysis: Analysis) -> Figure:
    title = wording.modality_name(name)
    svg = figures.transition_diagram(
        f"changes-{name}",
        text("figure.changes_of", modality=title),
        dwells_of(analysis.states[name]),
        analysis.changes[name],
        LABELS[name],
    )
    coverage = findings.coverage_text(name, analysis.summaries[name].coverage)
    return Figure(svg, f"{_capital(coverage)}.", title)


def _change_table(analysis: Analysis) -> Block:
    changes = sorted(
        ((change, name) for name in MODALITIES for change in analysis.changes[name]),
        key=lambda pair: pair[0].t_s,
    )
    if not changes:
        return Text(text("report.no_changes"))
    rows = tuple(
        (
            Cell(wording.clock(change.t_s)),
            Cell(wording.modality_name(name)),
            Cell(wording.emotion_word(change.before)),
            Cell(wording.emotion_word(change.after)),
            Cell(wording.seconds(change.dwell_s), "figure"),
            Cell(wording.percent(change.probability), "figure"),
        )
        for change, name in changes
    )
    columns = ("at", "of", "from", "to", "lasted", "probability")
    return Table(
        tuple(text(f"report.{name}") for name in columns),
        rows,
        summary=text("report.one_by_one", changes=wording.number(len(changes), "change")),
        opened=len(changes) <= _MAX_OPEN,
    )


def _accuracy(analysis: Analysis) -> list[Block]:
    rows = accuracy_of(models_of(analysis))
    return [Pairs(rows, "basis"), Text(text("page.accuracy.caption"), "caption")] if rows else []


def _method(analysis: Analysis) -> Pairs:
    info, parameters = analysis.info, analysis.parameters
    chain = parameters.chain
    states = text(
        "report.states.how",
        dwell_s=chain.expected_dwell_s,
        floor=chain.floor,
        silence_s=chain.longest_silence_s,
    )
    made = text(
        "report.made.how",
        made=datetime.now().astimezone().isoformat(timespec="minutes"),
        version=version("affetti"),
        recorded=info.software_version,
    )
    rows = [
        (text("report.states"), states),
        (text("report.response_how"),
         text("report.response_how.how", lasting_s=parameters.lasting_s)),
        (text("report.mixed_how"), text("report.mixed_how.how", margin=parameters.mixed_margin)),
        (text("figure.congruence"), text("report.congruence_how")),
        (text("report.made"), made),
        (text("report.session"), _code(info.session_id)),
        (text("report.log_sha256"), _code(info.log_sha256)),
        *((text("report.model", name=name), _code(digest))
          for name, digest in models_of(analysis).items()),
    ]  # fmt: skip
    return Pairs(tuple(Pair(name, words) for name, words in rows), "method")


def _code(digest: str) -> Markup:
    return Markup("<code>{}</code>").format(escape(digest))


def models_of(analysis: Analysis) -> dict[str, str]:
    """Return the digests of the models that the estimates were made with."""
    if analysis.tables.source != "replayed":
        return analysis.info.models
    return digests_of(offered(analysis.tables.pipeline).models)
