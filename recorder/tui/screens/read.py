"""A page to read on the screen: of a session, or of a person over sessions; nothing is written."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from affetti.core.errors import AffettiError
from affetti.core.language import text
from affetti.recorder.tui.screens.dialog import Dialog


class ReadScreen(Dialog[None]):
    """Shows a page as text once it is made; of what is encrypted nothing leaves the screen.

    Parameters
    ----------
    title
        What it is, in words.
    make
        Makes the text; called in a thread.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", text("key.close"), key_display="esc")
    ]

    def __init__(self, title: str, make: Callable[[], str]) -> None:
        super().__init__()
        self._title, self._make = title, make

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        with VerticalScroll(classes="dialog", can_focus=True):
            yield Static(self._title, classes="question", markup=False)
            yield Static(text("read.making"), id="page", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Make the page."""
        self._begin()

    @work(thread=True, exclusive=True)
    def _begin(self) -> None:
        try:
            said = self._make()
        except AffettiError as error:
            said = f"! {error.message} {error.hint}"
        self.app.call_from_thread(self._show, said)

    def _show(self, said: str) -> None:
        for page in self.query("#page").results(Static):
            page.update(said)


def page_of_session(path: Path) -> str:
    """Return the page of a recording as text.

    Raises
    ------
    AffettiError
        It cannot be read.
    """
    from affetti.analyzer.analysis import analyze  # noqa: PLC0415  loaded once it is asked for
    from affetti.analyzer.replay import shown  # noqa: PLC0415
    from affetti.analyzer.report.beside import beside  # noqa: PLC0415
    from affetti.analyzer.report.content import page_of  # noqa: PLC0415
    from affetti.analyzer.report.plain import plain_text  # noqa: PLC0415
    from affetti.core.recording.session import Session  # noqa: PLC0415

    with Session.open(path) as session:
        analysis = analyze(session, shown(session))
        return plain_text(page_of(analysis, beside(session, analysis)))


def page_of_person(person: str, folder: Path) -> str:
    """Return a person's progress as text.

    Raises
    ------
    AffettiError
        Nothing is known of the person.
    """
    from affetti.analyzer.report.plain import plain_text  # noqa: PLC0415
    from affetti.analyzer.report.progress import page_over, progress_of  # noqa: PLC0415

    return plain_text(page_over(progress_of(person, folder)))
