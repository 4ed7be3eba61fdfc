"""Live: what face and music express, the track that plays, and keys for everything."""

import time
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer

from affetti.core.clock import NS_PER_S
from affetti.core.events import MarkerAdded, NoteAdded
from affetti.core.language import clock, text
from affetti.models.face.reference import TAKEN
from affetti.recorder.engine.messages import (
    AnyMessage,
    ChangePerson,
    Command,
    Mark,
    Note,
    PauseRecording,
    Problem,
    Recorded,
    ResumeRecording,
    ShowNeutralFace,
    SteerTrack,
    Stop,
)
from affetti.recorder.tui.link import EngineLink
from affetti.recorder.tui.screens.base import MARK, EngineScreen
from affetti.recorder.tui.screens.note import NoteScreen
from affetti.recorder.tui.screens.question import QuestionScreen
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.widgets.bars import EmotionBars
from affetti.recorder.tui.widgets.congruence import CongruenceLine
from affetti.recorder.tui.widgets.journal import Journal
from affetti.recorder.tui.widgets.now_playing import NowPlaying
from affetti.recorder.tui.widgets.picture import PictureBox
from affetti.recorder.tui.widgets.remarks import RemarkLine
from affetti.recorder.tui.widgets.timeline import Timeline
from affetti.recorder.tui.wording import (
    Remark,
    Severity,
    face_reading,
    fused_reading,
    health_remarks,
    music_reading,
    response,
)

_LOOK_EVERY_S: Final = 0.25
_SAY_FOR_S: Final = 8.0
_ANSWER_WITHIN_S: Final = 2.0


def _key(key: str, action: str, description: str, tooltip: str, show: bool = True) -> Binding:
    return Binding(
        key,
        action,
        description,
        key_display=key[0] if "," in key else None,
        show=show,
        priority=True,
        tooltip=tooltip,
    )


class LiveScreen(EngineScreen):
    """A running recording.

    Parameters
    ----------
    link
        To the engine.
    view
        The recording.
    """

    TITLE = "Recording"
    # All of priority: nothing here takes typing, and the letters after a quick "t" must go to
    # the note that it opens, not to the keys of this screen.
    BINDINGS: ClassVar[list[BindingType]] = [
        MARK,
        _key("t,N", "note", "Note", "Write a note"),
        _key("space", "toggle_track", "Music", "Pause the track, or go on"),
        _key("n", "track('next')", "Next", "Next track"),
        _key("p", "track('previous')", "Back", "This track again, or the one before"),
        _key("s", "track('stop')", "Silence", "Stop the track"),
        _key("P", "toggle_recording", "Pause rec", "Pause the recording, or go on"),
        _key("q", "stop", "End", "End the recording and seal it, after a question"),
        _key(
            "b",
            "neutral",
            "Neutral",
            "Record a neutral face, to read later ones against",
            show=False,
        ),
        _key(
            "f", "change_person", "Other", "Several faces: the person is the next one", show=False
        ),
    ]

    def __init__(self, link: EngineLink, view: RecordingView) -> None:
        super().__init__(link)
        self.view = view
        self._marks = 0  # sent so far
        self._marked_ns = 0  # when the last one was
        self._said = Remark("")
        self._said_ns = 0
        self._stopping = False

    def compose(self) -> ComposeResult:
        """Lay out the readings over picture, timeline and track."""
        yield RemarkLine(id="header")
        with Horizontal(id="readings"):
            yield EmotionBars("Face", id="face")
            yield EmotionBars("Music", id="music")
            yield EmotionBars("Together", id="together")
        with Horizontal(id="lower"):
            with Vertical(id="seen"):
                yield PictureBox(id="picture")
                yield Journal(id="journal")
            with Vertical(id="course"):
                yield Timeline(id="timeline")
                yield CongruenceLine(id="congruence")
                yield NowPlaying(id="track")
        yield RemarkLine(id="message")
        yield RemarkLine(id="health")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Look at the recording a few times a second: often enough, and never flickering."""
        self.query_one("#picture").border_title = "Camera"
        self.set_interval(_LOOK_EVERY_S, self.look)
        self.call_after_refresh(self.look)

    def hear(self, said: AnyMessage) -> None:
        """Acknowledge markers and notes at once, and pass on what went wrong."""
        match said:
            case Recorded(events=events):
                for event in events:
                    self._acknowledge(event)
            case Problem(message=message, hint=hint, fatal=fatal):
                self._say(f"{message} {hint}", "error" if fatal else "warning")

    def look(self) -> None:
        """Show the recording as it is now."""
        view = self.view
        self.query_one("#header", RemarkLine).show(self._header())
        self.query_one("#face", EmotionBars).show(face_reading(view))
        self.query_one("#music", EmotionBars).show(music_reading(view))
        self.query_one("#together", EmotionBars).show(fused_reading(view))
        self._look_at_picture()
        self.query_one(CongruenceLine).show(view)
        self.query_one(Timeline).show(view)
        self.query_one(Timeline).border_subtitle = response(view)
        self.query_one(NowPlaying).show(view)
        self.query_one(Journal).show(view.state)
        self.query_one("#health", RemarkLine).show(health_remarks(view))
        self._look_for_answers()

    def mark(self) -> None:
        """Mark this moment; it is acknowledged when it is in the log."""
        number = max(self._marks, len(self.view.state.markers)) + 1
        if self._send(Mark(f"Marker {number}")):
            self._marks, self._marked_ns = number, self.view.monotonic_ns()
            self._say(f"▲ Marker {number} …")

    def action_note(self) -> None:
        """Write a note."""
        begun = time.monotonic()
        self.app.push_screen(NoteScreen(lambda text: self._write(text, begun)))

    def action_toggle_track(self) -> None:
        """Pause the track, or go on."""
        track = self.view.state.track
        playing = track is not None and not track.paused
        self._send(SteerTrack("pause" if playing else "resume"))

    def action_track(self, action: str) -> None:
        """Steer the playlist."""
        match action:
            case "next" | "previous" | "stop":
                self._send(SteerTrack(action))

    def action_neutral(self) -> None:
        """Record the person's neutral face."""
        if self._send(ShowNeutralFace()):
            self._say("Neutral face, please …")

    def action_change_person(self) -> None:
        """Take another of the faces in view for the person."""
        self._send(ChangePerson())

    def action_toggle_recording(self) -> None:
        """Pause the recording, or go on."""
        self._send(ResumeRecording() if self.view.state.paused else PauseRecording())

    def action_stop(self) -> None:
        """End the recording, once it was asked whether to."""
        question = QuestionScreen(
            "End the recording?", "It is sealed into one file then, and cannot go on."
        )
        self.app.push_screen(question, lambda yes: self.stop() if yes else None)

    def stop(self) -> None:
        """End the recording and seal it."""
        if not self._stopping and self._send(Stop()):
            self._stopping = True
            self._say("Ending the recording …")

    def _write(self, text: str, begun: float) -> None:
        if self._send(Note(text, time.monotonic() - begun)):
            self._say("Note …")

    def _send(self, command: Command) -> bool:
        sent = self.link.send(command)
        if not sent:
            self._say("The engine is gone; that was not recorded.", "error")
        return sent

    def _acknowledge(self, event: object) -> None:
        match event:
            case MarkerAdded(label=label, t_ns=t_ns):
                self._say(f"▲ {label} at {clock(t_ns / NS_PER_S)} is in the log")
            case NoteAdded(t_ns=t_ns):
                self._say(f"Note at {clock(t_ns / NS_PER_S)} is in the log")

    def _look_for_answers(self) -> None:
        now_ns = self.view.monotonic_ns()
        missing = self._marks - len(self.view.state.markers)
        if missing > 0 and now_ns - self._marked_ns > _ANSWER_WITHIN_S * NS_PER_S:
            self._say(f"Marker {self._marks} is not in the log yet", "warning")
        elif self._said.severity == "ok" and now_ns - self._said_ns > _SAY_FOR_S * NS_PER_S:
            self._say("")

    def _say(self, words: str, severity: Severity = "ok") -> None:
        self._said, self._said_ns = Remark(words, severity), self.view.monotonic_ns()
        self.query_one("#message", RemarkLine).show([self._said])

    def _header(self) -> list[Remark]:
        state = self.view.state
        person = state.started.person if state.started else ""
        time = clock(self.view.now_ns / NS_PER_S)
        header = [Remark(f"● Recording {person}  {time}")]
        if state.paused:
            header = [Remark(f"‖ Paused {person}  {time}  no face, no room is kept", "warning")]
        header.append(Remark(_count(len(state.markers), "marker")))
        header.append(Remark(_count(len(state.notes), "note")))
        if state.neutral_reference is not None and state.neutral_reference.end_ns is None:
            header.append(Remark("neutral face, please"))
        outcome = self.view.neutral()
        if outcome is not None and outcome != "accepted":
            short = "neutral.short_doubtful" if outcome in TAKEN else "neutral.short"
            header.append(Remark(text(short), "warning"))
        if state.face is not None and len(state.face.faces) > 1:
            header.append(Remark(f"{len(state.face.faces)} faces, f: the other"))
        for device, lost in state.lost.items():
            gone_s = lost.duration_ns(self.view.now_ns) / NS_PER_S
            header.append(Remark(f"{device} lost for {gone_s:.0f} s", "error"))
        return header

    def _look_at_picture(self) -> None:
        view = self.view
        hidden = view.state.paused or not view.state.consent.grants("video")
        face = view.state.face
        box_px = None
        if face is not None and face.emotions is not None and view.face_emotions() is not None:
            box_px = face.box_px
        words = face_reading(view).words if hidden or view.picture is None else ""
        self.query_one(PictureBox).show(None if hidden else view.picture, box_px, words)


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
