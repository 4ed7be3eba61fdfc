"""Review: the sealed file, what each track met with, and the report."""

import asyncio
import os
import sys
from typing import ClassVar, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, ProgressBar, Static

from affetti.analyzer.measures.course import Course
from affetti.analyzer.measures.tracks import TrackResult
from affetti.analyzer.report import wording
from affetti.analyzer.report.tracks import TrackWords, track_words
from affetti.core.custody import keys
from affetti.core.emotions import EMOTIONS
from affetti.core.language import clock, counted, one_line, percent, text, word
from affetti.recorder.engine.messages import AnyMessage, Sealing
from affetti.recorder.tui.link import EngineLink
from affetti.recorder.tui.screens.base import EngineScreen
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.widgets.bars import bar, label_width
from affetti.recorder.tui.widgets.journal import entries

_BAR_WIDTH: Final = 12


class ReviewScreen(EngineScreen):
    """An ended recording: sealing, and then what was recorded.

    Parameters
    ----------
    link
        To the engine.
    view
        The recording.
    unfinished_note
        What was being typed when the recording ended, and is not in it.
    """

    TITLE = text("review.title")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "report", text("key.write_report"), tooltip=text("key.write_the_report")),
        Binding("n", "app.new_session", text("key.new_session")),
        Binding("h,escape", "app.home", text("key.home"), tooltip=text("key.home_tip")),
        Binding("q", "app.leave", text("key.quit")),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"emotion--{emotion}" for emotion in EMOTIONS),
        "emotion--quiet",
        "emotion--trough",
    }

    def __init__(self, link: EngineLink, view: RecordingView, unfinished_note: str = "") -> None:
        super().__init__(link)
        self.view = view
        self._unfinished_note = unfinished_note
        self._reporting = False

    def compose(self) -> ComposeResult:
        """Lay out the file, the tracks and the markers."""
        yield Static(id="title", markup=False)
        yield ProgressBar(id="sealing", show_eta=False)
        with VerticalScroll(id="review"):
            yield Static(id="file", markup=False)
            yield Static(id="report", markup=False)
            yield Static(id="tracks")
            yield Static(id="entries", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Show what is known so far."""
        self.query_one("#review").focus()
        self.query_one("#file").border_title = text("review.file")
        self.query_one("#tracks").border_title = text("review.tracks")
        self.query_one("#entries").border_title = text("moments.title")
        self.query_one("#report").border_title = text("review.report")
        self.query_one("#report").display = False
        self._update()

    def hear(self, said: AnyMessage) -> None:
        """Follow the sealing."""
        if isinstance(said, Sealing):
            self.query_one(ProgressBar).update(total=max(said.total, 1), progress=said.done)
        else:
            self._update()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the report only of a sealed file."""
        if action == "report":
            return self.view.sealed is not None and not self._reporting
        return True

    @work(group="report")
    async def action_report(self) -> None:
        """Write the report, in the analyzer's own process."""
        if self.view.sealed is None:
            return
        self._reporting = True
        self.refresh_bindings()
        self._say_of_report(text("review.writing"), "")
        code, said = await _run_report(self.view.sealed.path)
        self._reporting = False
        self.refresh_bindings()
        self._say_of_report(said, "-error" if code else "-done")

    def _say_of_report(self, words: str, kind: str) -> None:
        report = self.query_one("#report", Static)
        report.display = True
        report.set_classes(kind)
        report.update(words)

    def _update(self) -> None:
        view, state = self.view, self.view.state
        person = state.started.person if state.started else ""
        title = text(
            "review.session_ended" if state.ended else "review.session",
            person=person,
            duration=clock(state.duration_s),
            ended=word("end", state.ended.reason) if state.ended else "",
        )
        self.query_one("#title", Static).update(title)
        self.query_one(ProgressBar).display = view.sealed is None and view.failure is None
        self.query_one("#file", Static).update(self._file_words())
        self.query_one("#file").set_class(
            view.sealed is None and view.failure is not None, "-error"
        )
        self.query_one("#tracks", Static).update(self._tracks())
        self.query_one("#entries", Static).update(self._entries())
        self.refresh_bindings()

    def _entries(self) -> str:
        lines = entries(self.view.state)
        recorded = {note.text for note in self.view.state.notes}
        if self._unfinished_note and self._unfinished_note not in recorded:
            lines.append(text("review.too_late", note=one_line(self._unfinished_note)))
        return "\n".join(lines) or text("review.nothing")

    def _file_words(self) -> str:
        view = self.view
        words = [f"! {view.failure.message} {view.failure.hint}"] if view.failure else []
        if view.sealed is not None:
            words.append(text("review.sealed", path=view.sealed.path))
        elif view.failure is None:
            words.append(text("review.sealing", path=view.path))
        return "\n".join(words)

    def _tracks(self) -> RenderableType:
        course = self.view.course()
        if not course.tracks:
            return Group(Text(text("review.no_music")), *self._gaps(course))
        tracks = [self._track(track, course) for track in course.tracks]
        return Group(*tracks, *self._gaps(course))

    def _track(self, track: TrackResult, course: Course) -> RenderableType:
        words = track_words(track, course.quiet)
        quiet = self.get_component_rich_style("emotion--quiet")
        title = Text.assemble(
            (f"{track.number + 1}  {words.title}", "bold"), f"   {words.times}, {words.played}"
        )
        lines = Table.grid(padding=(0, 2))
        for line in words.lines:
            lines.add_row(f"   {line.name}", line.words, Text(line.coverage, quiet))
        coverage = Text(words.congruence_coverage, quiet)
        lines.add_row(f"   {text('report.face_and_music')}", words.congruence, coverage)
        both = track.summaries["fused"].said and not track.together.alone
        bars = self._bars(track) if both else ()
        if words.expected:
            title = Text("\n").join([title, Text(f"   {words.expected}")])
        return Group(title, lines, *bars, *_indented(words, quiet), Text())

    def _bars(self, track: TrackResult) -> tuple[RenderableType, ...]:
        """Draw the four probabilities of face and music together."""
        table = Table.grid(padding=(0, 1))
        trough = self.get_component_rich_style("emotion--trough")
        cells = []
        for emotion, share in zip(EMOTIONS, track.summaries["fused"].emotions, strict=True):
            style = self.get_component_rich_style(f"emotion--{emotion}") + trough.background_style
            drawn = bar(float(share), _BAR_WIDTH, style, trough)
            figure = percent(float(share), brief=True)
            cells.append(
                Text.assemble(
                    f"   {word('emotion', emotion):<{label_width() + 1}}", drawn, f" {figure:>5}"
                )
            )
        for left, right in zip(cells[:2], cells[2:], strict=True):
            table.add_row(left, right)
        return (table,)

    def _gaps(self, course: Course) -> list[RenderableType]:
        """Say what could not be seen or heard, and what the report will add."""
        lines: list[RenderableType] = []
        if course.unseen:
            lines.append(Text(text("report.unseen"), "bold"))
            lines += [Text(f"   {wording.when(u)}  {wording.unseen(u)}") for u in course.unseen]
        if course.neutral is not None:
            outcome = text(f"neutral.{course.neutral}")
            lines.append(Text(text("neutral.line", outcome=outcome)))
        skipped = sum(self.view.state.skipped.values())
        if skipped:
            made = counted("review.skipped", skipped)
            lines.append(Text(made, self.get_component_rich_style("emotion--quiet")))
        return lines


def _indented(words: TrackWords, style: Style) -> list[RenderableType]:
    return [Padding(Text(words.response, style), (0, 0, 0, 3))]


async def _run_report(path: str) -> tuple[int, str]:
    """Run `affetti report`; return its exit code and what it said last."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", "affetti", "report", path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_COLOR": "1", keys.HANDED_OVER: "stdin"},
    )
    out, err = await process.communicate(keys.to_hand_over())
    code = process.returncode or 0
    said = (err if code else out).decode(errors="replace").strip()
    return code, said or text("review.report_silent", code=code)
