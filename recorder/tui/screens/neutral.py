"""The neutral reference while it is recorded: how long it lasts still, and what became of it."""

import math
from collections.abc import Callable
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Digits, Footer, Static

from affetti.core.clock import NS_PER_S
from affetti.core.language import text
from affetti.models.face.reference import TAKEN
from affetti.recorder.tui.screens.base import MARK
from affetti.recorder.tui.screens.dialog import Dialog
from affetti.recorder.tui.view import RecordingView

_LOOK_EVERY_S: Final = 0.2
_PATIENCE_S: Final = 3.0  # until faces of after the reference should have been read
_STAYS_S: Final = 2.5  # once it was taken
_LED_STAYS_S: Final = 8.0  # once it was refused, where a protocol goes on meanwhile


class NeutralScreen(Dialog[None]):
    """Counts down, says what became of the reference, and closes by itself where it was taken.

    Where it was refused it waits for a key, unless a protocol leads, whose next step may be to ask
    the person.

    Parameters
    ----------
    view
        Of the recording.
    lasts_s
        How long the face is to be neutral.
    again
        Begins another reference.
    note
        Opens a note, in place of this.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "again", text("key.neutral_again"), show=False),
        Binding("escape,enter", "dismiss", text("key.close"), key_display="esc"),
        Binding("t,N", "note", text("key.note"), tooltip=text("key.write_a_note"), key_display="t"),
        MARK,
        Binding("pageup,pagedown", "app.mark", text("key.mark"), show=False, priority=True),
    ]

    def __init__(
        self,
        view: RecordingView,
        lasts_s: float,
        again: Callable[[], object],
        note: Callable[[], object],
    ) -> None:
        super().__init__()
        self._view = view
        self._lasts_s = lasts_s
        self._again = again
        self._note = note
        self._begun_ns = 0  # of the reference that is shown
        self._over_ns: int | None = None  # when it was, by the machine's clock

    def compose(self) -> ComposeResult:
        """Lay out the countdown under what is asked."""
        with Vertical(classes="dialog"):
            yield Static(text("neutral.ask"), classes="question")
            yield Digits(id="countdown")
            yield Static(id="outcome", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Look a few times a second."""
        self.set_interval(_LOOK_EVERY_S, self.look)
        self.look()

    def look(self) -> None:
        """Show how long it lasts still, or what became of it."""
        span = self._view.state.neutral_reference
        if span is None or self._view.state.ended is not None:
            self.dismiss()
            return
        if span.start_ns != self._begun_ns:
            self._begun_ns, self._over_ns = span.start_ns, None
        countdown = self.query_one("#countdown", Digits)
        countdown.display = span.end_ns is None
        if span.end_ns is None:
            shown_s = (self._view.now_ns - span.start_ns) / NS_PER_S
            countdown.update(str(max(0, math.ceil(self._lasts_s - shown_s))))
            self._say("", "")
        else:
            self._look_for_outcome()

    def action_again(self) -> None:
        """Begin another reference, where one has ended."""
        span = self._view.state.neutral_reference
        if span is not None and span.end_ns is not None:
            self._again()

    def action_note(self) -> None:
        """Write a note instead: the reference goes on, and what became of it is said above."""
        self.dismiss()
        self._note()

    def _look_for_outcome(self) -> None:
        now_ns = self._view.monotonic_ns()
        self._over_ns = self._over_ns or now_ns
        waited_s = (now_ns - self._over_ns) / NS_PER_S
        outcome = self._view.neutral()
        if outcome is None and waited_s < _PATIENCE_S:
            self._say(text("neutral.judging"), "")
        elif outcome in TAKEN:
            self._say(f"✓ {text(f'neutral.{outcome}')}", "")
            if waited_s > _STAYS_S:
                self.dismiss()
        else:
            said = text(f"neutral.{outcome or 'too_few'}")
            self._say(f"! {said}. {text('neutral.once_more')}", "-error")
            if self._view.state.protocol is not None and waited_s > _LED_STAYS_S:
                self.dismiss()

    def _say(self, words: str, kind: str) -> None:
        outcome = self.query_one("#outcome", Static)
        outcome.set_classes(kind)
        outcome.update(words)
