"""What face and music expressed during each track: what the report says of it, too."""

from typing import ClassVar, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.widgets import Static

from affetti.analyzer.measures.course import Course
from affetti.analyzer.measures.tracks import TrackResult
from affetti.analyzer.report import wording
from affetti.analyzer.report.tracks import TrackWords, coverage_means, self_reports_of, track_words
from affetti.core.emotions import EMOTIONS, EXPRESSIONS, Label
from affetti.core.language import counted, percent, text, word
from affetti.recorder.tui.widgets.bars import bar, label_width

_NAME_AND_BAR: Final = 20  # cells; two of these stand beside each other in 80 columns
_MIN_BAR: Final = 4
_PAIRS: Final = 76  # columns, from which on two bars have room beside each other
_TRIPLES: Final = 110  # and three
_INDENT: Final = (0, 0, 0, 3)


class TracksSaid(Static):
    """The tracks of a recording, and what could not be seen or heard of it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"emotion--{label}" for label in (*EMOTIONS, *EXPRESSIONS)),
        "emotion--quiet",
        "emotion--trough",
    }

    def show(self, course: Course, skipped: int = 0) -> None:
        """Show the tracks.

        Parameters
        ----------
        course
            Of the session.
        skipped
            How many estimates are still missing in it.
        """
        self.update(self._tracks(course, skipped))

    def _tracks(self, course: Course, skipped: int) -> RenderableType:
        if not course.tracks:
            return Group(*self._whole(course), *self._gaps(course, skipped))
        tracks = [self._track(track, course) for track in course.tracks]
        means = Text(coverage_means(course.state), self.get_component_rich_style("emotion--quiet"))
        return Group(*tracks, means, Text(), *self._gaps(course, skipped))

    def _track(self, track: TrackResult, course: Course) -> RenderableType:
        words = track_words(track, course.quiet)
        quiet = self.get_component_rich_style("emotion--quiet")
        title = _hanging(
            f"{track.number + 1}  ",
            Text.assemble((words.title, "bold"), f"   {words.times}, {words.played}"),
        )
        lines = Table.grid(padding=(0, 2))
        face, music, both = words.lines
        for name, line in ((_whose(face.name, course), face), (music.name, music)):
            lines.add_row(f"   {name}", line.words, Text(line.coverage, quiet))
        coverage = Text(words.congruence_coverage, quiet)
        lines.add_row(f"   {text('report.face_and_music')}", words.congruence, coverage)
        # Last and quiet: it is of nobody.
        nobodys = "" if track.together.alone else f" · {text('live.nobodys')}"
        fused = (f"   {both.name}", f"{both.words}{nobodys}", both.coverage)
        lines.add_row(*(Text(cell, quiet) for cell in fused))
        for said in self_reports_of(track, course.state):
            lines.add_row(f"   {text('moment.self-report')}", said)
        bars = self._bars(track)
        expected = [Padding(Text(words.expected), _INDENT)] if words.expected else []
        return Group(title, *expected, lines, bars, *_indented(words, quiet), Text())

    def _whole(self, course: Course) -> list[RenderableType]:
        """Say what was expressed where no track was played: over the session, of what spoke."""
        spoke = {name: each for name, each in course.summaries.items() if name != "fused"}
        spoke = {name: each for name, each in spoke.items() if each.said or each.unread}
        if not spoke:
            return [Text(text("review.no_music"))]
        quiet = self.get_component_rich_style("emotion--quiet")
        lines = Table.grid(padding=(0, 2))
        for name, each in spoke.items():
            covered = Text(wording.coverage(name, each.coverage), quiet)
            said = wording.expressed(name, each)
            lines.add_row(f"   {wording.modality_name(name)}", said, covered)
        return [Text(text("review.no_music_whole")), lines, Text()]

    def _bars(self, track: TrackResult) -> RenderableType:
        """Draw the strongest of what the face and of what the music expressed.

        Not of both: a bar is read as somebody's, whatever is written beside it.
        """
        table = Table.grid(padding=(0, 1))
        columns = self.app.size.width
        abreast = 1 + (columns >= _PAIRS) + (columns >= _TRIPLES)
        quiet = self.get_component_rich_style("emotion--quiet")
        for name, summary in track.summaries.items():
            if name == "fused" or not summary.said:
                continue
            order = summary.shares.argsort(kind="stable")[::-1][: max(abreast, 2)]
            cells = [self._bar(summary.labels[i], float(summary.shares[i])) for i in order]
            title = Text(f"   {wording.modality_name(name)}:", quiet)
            for at in range(0, len(cells), abreast):
                table.add_row(title if at == 0 else Text(), *cells[at : at + abreast])
        return table

    def _bar(self, label: Label, share: float) -> Text:
        trough = self.get_component_rich_style("emotion--trough")
        style = self.get_component_rich_style(f"emotion--{label}") + trough.background_style
        drawn = bar(share, max(_MIN_BAR, _NAME_AND_BAR - label_width()), style, trough)
        named = f" {word('emotion', label):<{label_width() + 1}}"
        return Text.assemble(named, drawn, f" {percent(share, brief=True):>5}")

    def _gaps(self, course: Course, skipped: int) -> list[RenderableType]:
        """Say what could not be seen or heard, and what the report will add."""
        lines: list[RenderableType] = []
        if course.unseen:
            lines.append(Text(text("report.unseen"), "bold"))
            lines += [
                _hanging(f"   {wording.when(u)}  ", Text(wording.unseen(u))) for u in course.unseen
            ]
        if course.neutral is not None:
            outcome = text(f"neutral.{course.neutral}")
            lines.append(Text(text("neutral.line", outcome=outcome)))
        if skipped:
            made = counted("review.skipped", skipped)
            lines.append(Text(made, self.get_component_rich_style("emotion--quiet")))
        return lines


def _indented(words: TrackWords, style: Style) -> list[RenderableType]:
    return [Padding(Text(words.response, style), _INDENT)]


def _whose(face: str, course: Course) -> str:
    """Return what the face is called: whose it is, where a code says so."""
    started = course.state.started
    person = started.person if started is not None else ""
    return text("review.face_of", person=person) if person else face


def _hanging(begin: str, words: Text) -> Table:
    """Return words behind their beginning, also where they wrap."""
    line = Table.grid()
    line.add_column(no_wrap=True)
    line.add_row(Text(begin, "bold"), words)
    return line
