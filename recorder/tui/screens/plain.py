"""The plain screen of a running recording, for when the others fail: words, and a few keys."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Static

from affetti.core.clock import NS_PER_S
from affetti.core.events import MarkerAdded, NoteAdded
from affetti.core.journal import sentence
from affetti.core.language import clock, counted, text
from affetti.core.people.counting import fresh_number
from affetti.recorder.engine.messages import (
    AnyMessage,
    Command,
    Mark,
    Note,
    NoteBegun,
    Problem,
    Recorded,
    SteerTrack,
    Stop,
)
from affetti.recorder.tui.link import EngineLink
from affetti.recorder.tui.screens.base import MARK
from affetti.recorder.tui.screens.note import NoteScreen
from affetti.recorder.tui.screens.question import QuestionScreen
from affetti.recorder.tui.screens.running import RunningScreen
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.widgets.banner import Banner
from affetti.recorder.tui.wording import alarms, headline

_LOOK_EVERY_S: Final = 0.5


class PlainScreen(RunningScreen):
    """A running recording in words: that it goes on, its time, what is lost, and what is said.

    Parameters
    ----------
    link
        To the engine.
    view
        The recording.
    said
        What happened.
    number
        Of the latest marker that was sent.
    """

    # All of priority: the letters after a quick "t" must go to the note that it opens.
    BINDINGS: ClassVar[list[BindingType]] = [
        MARK,
        Binding("pageup,pagedown", "app.mark", text("key.mark"), show=False, priority=True),
        Binding("t,N", "note", text("key.note"), priority=True),
        Binding("s", "silence", text("key.silence"), priority=True),
        Binding("P", "pause_recording", text("key.pause_rec"), priority=True),
        Binding("P", "resume_recording", text("key.go_on"), priority=True),
        Binding("r", "app.try_again", text("key.whole_screen"), priority=True),
        Binding("q", "stop", text("key.end"), priority=True),
    ]

    def __init__(self, link: EngineLink, view: RecordingView, said: str, number: int) -> None:
        super().__init__(link, view)
        self.number = number
        self._said = said
        self._latest = ""

    def compose(self) -> ComposeResult:
        """Lay out the lines."""
        yield Static(id="plain-state", markup=False)
        yield Banner(id="banner")
        yield Static(self._said, classes="remark--warning", markup=False)
        yield Static(id="plain-latest", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Look now and then."""
        self.set_interval(_LOOK_EVERY_S, self.look)
        self.look()

    def look(self) -> None:
        """Say how the recording is."""
        state = self.view.state
        words = [
            headline(self.view).words,
            counted("count.marker", len(state.markers)),
            counted("count.note", len(state.notes)),
        ]
        self.query_one("#plain-state", Static).update(" · ".join(words))
        self.query_one(Banner).show(alarms(self.view))
        self.query_one("#plain-latest", Static).update(self._latest)
        self._look_at_pause()

    def hear(self, said: AnyMessage) -> None:
        """Acknowledge markers and notes, and pass on what went wrong."""
        match said:
            case Recorded(events=events):
                for event in events:
                    self._acknowledge(event)
            case Problem(message=message, hint=hint):
                self._latest = f"{message} {hint}"

    def _acknowledge(self, event: object) -> None:
        match event:
            case MarkerAdded(t_ns=t_ns):
                at = clock(t_ns / NS_PER_S)
                self._latest = text("live.marked", what=sentence(event), at=at)
            case NoteAdded(t_ns=t_ns):
                self._latest = text("live.noted", at=clock(t_ns / NS_PER_S))

    def count(self, key: str, pressed_s: float) -> bool:
        """Count nothing: of keys of the person's own this screen knows nothing."""
        return False

    def mark(self, ago_s: float = 0.0) -> None:
        """Mark the moment `ago_s` ago."""
        number = max(self.number + 1, fresh_number(self.view.state.markers))
        if self._send(Mark(number=number, ago_s=ago_s)):
            self.number = number

    def action_note(self) -> None:
        """Write a note."""
        self.app.push_screen(
            NoteScreen(
                lambda note, ago_s: self._send(Note(note, ago_s)),
                lambda so_far, ago_s: self._send(NoteBegun(so_far, ago_s)),
            )
        )

    def action_silence(self) -> None:
        """Stop the music."""
        self._send(SteerTrack("stop"))

    def action_stop(self) -> None:
        """End the recording, once it was asked whether to."""
        question = QuestionScreen(
            text("live.end_question"), text("live.end_explanation"), ends=True
        )
        self.app.push_screen(question, lambda yes: self._stop() if yes else None)

    def _stop(self) -> None:
        if self._send(Stop()):
            self._latest = text("live.ending")

    def _send(self, command: Command) -> bool:
        sent = self.link.send(command)
        if not sent:
            self._latest = text("live.engine_gone")
        return sent
