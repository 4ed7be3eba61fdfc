"""A sealed recording is being opened to be walked through: shown at once, before what reads it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static
from textual.worker import get_current_worker

from affetti.core.errors import AffettiError
from affetti.core.language import percent, text
from affetti.core.people.authors import OWN, author_id

if TYPE_CHECKING:  # what reads and replays it takes seconds to load
    from affetti.recorder.tui.walk import Walk


class WalkScreen(Screen[None], inherit_bindings=False):
    """Opens a sealed recording, and then gives way to the walk through it.

    Parameters
    ----------
    path
        The recording.
    author
        The code of whoever annotates.
    blind
        Whether to begin with rating, and show no estimate at all.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", text("key.close"), key_display="esc")
    ]

    def __init__(self, path: Path, author: str = OWN, *, blind: bool = False) -> None:
        super().__init__()
        self._path, self._author, self._blind = path, author, blind

    def compose(self) -> ComposeResult:
        """Say that it is being opened."""
        yield Static(text("walk.opening", name=self._path.name), id="title", markup=False)
        yield Static(id="message", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Open it, in a thread: what was skipped live is computed now."""
        self._open()

    @work(thread=True, exclusive=True)
    def _open(self) -> None:
        from affetti.recorder.tui.screens.review_rating import RatingScreen  # noqa: PLC0415
        from affetti.recorder.tui.screens.review_walk import WalkingScreen  # noqa: PLC0415
        from affetti.recorder.tui.walk import Walk  # noqa: PLC0415

        worker = get_current_worker()

        def go_on(done: int, total: int) -> None:
            if worker.is_cancelled:
                raise InterruptedError
            said = text("walk.computing", share=percent(done / max(total, 1), brief=True))
            self.app.call_from_thread(self._tell, said)

        try:
            walk = Walk.open(self._path, author_id(self._author), go_on)
        except InterruptedError:  # nobody waits for it any more
            return
        except AffettiError as error:
            self.app.call_from_thread(self._tell, f"! {error.message} {error.hint}")
            return
        make = RatingScreen if self._blind else WalkingScreen
        self.app.call_from_thread(self._opened, walk, make)

    def _tell(self, words: str) -> None:
        for line in self.query("#message").results(Static):
            line.update(words)

    def _opened(self, walk: "Walk", make: Callable[["Walk"], Screen[None]]) -> None:
        if self.app.screen is not self:
            walk.close()
            return

        def close(_: None) -> None:
            walk.close()
            changed = getattr(self.app, "page_changed", None)
            if walk.changed and changed is not None:
                changed(str(self._path))
            self.action_close()

        self.app.push_screen(make(walk), close)

    def action_close(self) -> None:
        """Go back to where it was opened from, or leave."""
        if len([s for s in self.app.screen_stack if s is not self]) > 1:
            self.dismiss()
        else:
            self.app.exit()
