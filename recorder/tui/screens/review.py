"""Review: the sealed file, what each track met with, and the report."""

from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, ProgressBar, Static
from textual.worker import get_current_worker

from affetti.analyzer.analysis import analyze
from affetti.analyzer.measures.course import Course
from affetti.analyzer.replay import shown
from affetti.core.custody.artefacts import UNFINISHED_NOTE
from affetti.core.custody.withdrawal import remove
from affetti.core.errors import AffettiError
from affetti.core.language import clock, one_line, text, word
from affetti.core.recording.session import Session
from affetti.recorder.engine.messages import AnyMessage, Sealed, Sealing
from affetti.recorder.tui.commands import affetti
from affetti.recorder.tui.link import EngineLink
from affetti.recorder.tui.screens.base import EngineScreen
from affetti.recorder.tui.screens.gone import kept
from affetti.recorder.tui.screens.review_opening import WalkScreen
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.walk import add_note
from affetti.recorder.tui.widgets.headline import Headline
from affetti.recorder.tui.widgets.journal import entries
from affetti.recorder.tui.widgets.tracks_said import TracksSaid


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
        Binding("enter,w", "walk", text("key.walk"), tooltip=text("key.walk_tip"), key_display="w"),
        Binding("r", "report", text("key.write_report"), tooltip=text("key.write_the_report")),
        Binding("n", "app.new_session", text("key.new_session")),
        Binding("h,escape", "app.home", text("key.home"), tooltip=text("key.home_tip")),
        Binding("q", "app.leave", text("key.quit")),
    ]

    def __init__(self, link: EngineLink, view: RecordingView, unfinished_note: str = "") -> None:
        super().__init__(link)
        self.view = view
        self._unfinished_note = unfinished_note
        self._due: list[str] = []  # notes that were finished, and are not written yet
        self._beside: list[str] = []  # those that are
        self._reporting = False
        self._course: Course | None = None  # with what was not made live

    def compose(self) -> ComposeResult:
        """Lay out the file, the tracks and the markers."""
        yield Static(id="title", markup=False)
        yield Headline()
        yield ProgressBar(id="sealing", show_eta=False)
        with VerticalScroll(id="review"):
            yield Static(id="file", markup=False)
            yield Static(id="report", markup=False)
            yield TracksSaid(id="tracks")
            yield Static(id="entries", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Show what is known so far."""
        self.query_one("#review").focus()
        self.query_one("#file").border_title = text("review.file")
        self.query_one("#tracks").border_title = text("review.tracks")
        self.query_one("#entries").border_title = text("moments.title")
        self.query_one("#report").border_title = text("review.report")
        self.query_one("#report").display = False
        self.look()
        if self.view.sealed is not None:
            self._complete(Path(self.view.sealed.path))

    def keep(self, note: str, ago_s: float = 0.0) -> None:
        """Keep a note while it is still being typed: with each key in a file of its own.

        Parameters
        ----------
        note
            What is typed of it so far, behind those that wait for the recording to be sealed.
        ago_s
            When it was begun; the moment is known from the recording.
        """
        self._unfinished_note = note
        started, path = self.view.state.started, Path(self.view.path)
        unwritten = "\n".join(filter(None, (*self._due, note)))
        if unwritten and started is not None:
            kept(unwritten, path, started.session_id, self.view.recipients)
        else:
            self._drop_kept()
        self.look()

    def _drop_kept(self) -> None:
        kept_at = Path(self.view.path).with_name(UNFINISHED_NOTE.name(Path(self.view.path)))
        with suppress(AffettiError, OSError):
            remove(kept_at)

    def note(self, note: str, ago_s: float = 0.0) -> None:
        """Write a note beside the recording, now or when it is sealed."""
        self._unfinished_note = ""
        self._due.append(note)
        self._file_notes()
        self.look()

    def _file_notes(self) -> None:
        if not self._due or self.view.sealed is None:
            return
        with suppress(AffettiError, OSError):
            path = Path(self.view.sealed.path)
            while self._due:
                add_note(path, self._noted_ns(self._due[0]), self._due[0])
                self._beside.append(self._due.pop(0))
            if not self._unfinished_note:
                self._drop_kept()
            self.app.page_changed(str(path))  # type: ignore[attr-defined]

    def _noted_ns(self, whole: str) -> int:
        """Return when it was begun, where its beginning is in the recording; else the end."""
        notes = self.view.state.notes
        begun = [note.t_ns for note in notes[-1:] if note.text and whole.startswith(note.text)]
        return begun[0] if begun else max(self.view.state.now_ns, 0)

    def hear(self, said: AnyMessage) -> None:
        """Follow the sealing."""
        if isinstance(said, Sealing):
            self.query_one(ProgressBar).update(total=max(said.total, 1), progress=said.done)
            self.query_one(ProgressBar).display = self.view.is_sealing
            self.query_one("#file", Static).update(self._file_words())
        if isinstance(said, Sealed):
            self._file_notes()
        if not isinstance(said, Sealing):
            self.look()
        if isinstance(said, Sealed):
            self._complete(Path(said.path))

    @work(thread=True, exclusive=True, group="complete")
    def _complete(self, path: Path) -> None:
        """Compute what could not be made live, as the report does, and say that instead."""
        worker = get_current_worker()
        if not sum(self.view.state.skipped.values()):
            return

        def go_on(done: int, total: int) -> None:
            if worker.is_cancelled:
                raise InterruptedError

        with suppress(AffettiError, OSError, InterruptedError), Session.open(path) as session:
            course = analyze(session, shown(session, go_on))
            self.app.call_from_thread(self._completed, course)

    def _completed(self, course: Course) -> None:
        self._course = course
        self.look()

    def action_walk(self) -> None:
        """Walk through the recording."""
        if self.view.sealed is not None:
            self.app.push_screen(WalkScreen(Path(self.view.sealed.path)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the report only of a sealed file."""
        if action == "report":
            return self.view.sealed is not None and not self._reporting
        if action == "walk":
            return self.view.sealed is not None
        return True

    @work(group="report")
    async def action_report(self) -> None:
        """Write the report, in the analyzer's own process."""
        if self.view.sealed is None:
            return
        self._reporting = True
        self.refresh_bindings()
        self._say_of_report(text("review.writing"), "")
        code, said = await affetti("report", self.view.sealed.path)
        self._reporting = False
        self.refresh_bindings()
        self._say_of_report(said, "-error" if code else "-done")

    def _say_of_report(self, words: str, kind: str) -> None:
        report = self.query_one("#report", Static)
        report.display = True
        report.set_classes(kind)
        report.update(words)

    def look(self) -> None:
        """Show the recording as it is now."""
        view, state = self.view, self.view.state
        person = state.started.person if state.started else ""
        title = text(
            "review.session_ended" if state.ended else "review.session",
            person=person,
            duration=clock(state.duration_s),
            ended=word("end", state.ended.reason) if state.ended else "",
        )
        self.query_one("#title", Static).update(title)
        self.query_one(Headline).say(f"{person} {clock(state.duration_s)}")
        self.query_one(ProgressBar).display = view.is_sealing
        self.query_one("#file", Static).update(self._file_words())
        self.query_one("#file").set_class(
            view.sealed is None and view.failure is not None, "-error"
        )
        skipped = 0 if self._course is not None else sum(state.skipped.values())
        self.query_one(TracksSaid).show(self._course or view.course(), skipped)
        self.query_one("#entries", Static).update(self._entries())
        self.refresh_bindings()

    def _entries(self) -> str:
        lines = entries(self.view.state)
        said = "review.too_late" if self.view.failure is not None else "review.beside"
        late = [("review.beside", note) for note in self._beside]
        late += [(said, note) for note in self._due] + [("review.too_late", self._unfinished_note)]
        known = {"", *(note.text for note in self.view.state.notes)}
        lines += [text(how, note=one_line(note)) for how, note in late if note not in known]
        return "\n".join(lines) or text("review.nothing")

    def _file_words(self) -> str:
        view = self.view
        words = [f"! {view.failure.message} {view.failure.hint}"] if view.failure else []
        if view.sealed is not None:
            words.append(text("review.sealed", path=view.sealed.path))
        elif view.is_sealing:
            words.append(text("review.sealing", path=view.path))
        elif view.gone:
            words.append(text("review.not_sealed", path=view.path))
        return "\n".join(words)
