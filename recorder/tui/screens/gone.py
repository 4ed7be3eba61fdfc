"""The engine has ended by itself: what that means, said plainly."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from affetti.core.custody import boxes, vault
from affetti.core.custody.artefacts import UNFINISHED_NOTE
from affetti.core.errors import AffettiError
from affetti.core.language import text
from affetti.recorder.tui.screens.dialog import Dialog


class GoneScreen(Dialog[None]):
    """Says where the recording is and how to bring it back; nothing is left but to leave.

    Parameters
    ----------
    error
        What happened, and what to do.
    note
        What became of a note that was being typed, in words.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,enter,escape", "app.leave", text("key.quit"))
    ]

    def __init__(self, error: AffettiError, note: str = "") -> None:
        super().__init__()
        self._error = error
        self._note = note

    def compose(self) -> ComposeResult:
        """Lay out the message and what to do."""
        with VerticalScroll(classes="dialog -error", can_focus=True):
            yield Static(self._error.message, classes="question", markup=False)
            yield Static(self._error.hint, markup=False)
            if self._note:
                yield Static(self._note, markup=False)
        yield Footer(show_command_palette=False, compact=True)


def kept(note: str, recording: Path, session_id: str, recipients: tuple[str, ...] = ()) -> str:
    """Write down a note that was being typed beside a recording; say where, or what it was.

    It is encrypted for whom the recording is.
    """
    path = recording.with_name(UNFINISHED_NOTE.name(recording))
    key = vault.data_key_for(recipients)
    try:
        path = boxes.replace(path, f"{note}\n\n{session_id}\n".encode(), key)
    except OSError:
        return text("gone.note", note=note)
    return text("gone.note_kept", path=path)
