"""Live: what face and music express, the track that plays, and keys for everything."""

import time
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    MarkerAdded,
    NeutralReferenceRecorded,
    NoteAdded,
    PersonChanged,
    TrackEnded,
)
from affetti.core.language import clock, counted, text, word
from affetti.core.recording.losses import track_statement
from affetti.models.face.reference import TAKEN
from affetti.recorder.engine.messages import (
    AnyMessage,
    ChangePerson,
    Command,
    Mark,
    Note,
    NoteBegun,
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
    heard_remarks,
    music_reading,
    response,
    still,
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

    TITLE = text("live.title")
    # All of priority: nothing here takes typing, and the letters after a quick "t" must go to
    # the note that it opens, not to the keys of this screen.
    BINDINGS: ClassVar[list[BindingType]] = [
        MARK,
        # What a foot pedal or a presenter sends.
        Binding(
            "pageup,pagedown",
            "app.mark",
            text("key.mark"),
            key_display=text("key.pages"),
            show=False,
            priority=True,
            tooltip=text("key.mark_by_pedal"),
        ),
        _key("t,N", "note", text("key.note"), text("key.write_a_note")),
        _key("space", "toggle_track", text("key.music"), text("key.pause_the_track_or")),
        _key("n", "track('next')", text("key.next"), text("key.next_track")),
        _key("p", "track('previous')", text("key.back"), text("key.this_track_again_or")),
        _key("s", "track('stop')", text("key.silence"), text("key.stop_the_track")),
        _key("P", "pause_recording", text("key.pause_rec"), text("key.pause_the_recording_or")),
        _key("P", "resume_recording", text("key.go_on"), text("key.record_again")),
        _key("q", "stop", text("key.end"), text("key.end_the_recording_and")),
        _key("b", "neutral", text("key.neutral"), text("key.neutral_face"), show=False),
        _key(
            "f",
            "change_person",
            text("key.other"),
            text("key.several_faces_the_person"),
            show=False,
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
        self._was_paused = False
        self._neutral_is_due = False  # what became of it is not known yet

    def compose(self) -> ComposeResult:
        """Lay out the readings over picture, timeline and track."""
        yield RemarkLine(id="header")
        with Horizontal(id="readings"):
            yield EmotionBars(text("modality.face"), id="face")
            yield EmotionBars(text("modality.music"), id="music")
            yield EmotionBars(text("modality.fused"), id="together")
        with Horizontal(id="lower"):
            with Vertical(id="seen"):
                yield PictureBox(id="picture")
                yield Journal(id="journal")
            with Vertical(id="course"):
                yield Timeline(id="timeline")
                yield CongruenceLine(id="congruence")
                yield RemarkLine(id="heard")
                yield NowPlaying(id="track")
        yield RemarkLine(id="message")
        yield RemarkLine(id="health")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Look at the recording a few times a second: often enough, and never flickering."""
        self.query_one("#picture").border_title = text("live.camera")
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
        if view.state.paused != self._was_paused:
            self._was_paused = view.state.paused
            self.refresh_bindings()
        self.query_one("#face", EmotionBars).show(face_reading(view))
        self.query_one("#music", EmotionBars).show(music_reading(view))
        self.query_one("#together", EmotionBars).show(fused_reading(view))
        self._look_at_picture()
        self.query_one(CongruenceLine).show(view)
        self.query_one("#heard", RemarkLine).show(heard_remarks(view))
        self.query_one(Timeline).show(view)
        self.query_one(Timeline).border_subtitle = response(view)
        self.query_one(NowPlaying).show(view)
        self.query_one(Journal).show(view.state)
        self.query_one("#health", RemarkLine).show(health_remarks(view))
        self._look_for_answers()
        self._look_for_neutral()

    def mark(self) -> None:
        """Mark this moment; it is acknowledged when it is in the log."""
        number = max(self._marks, len(self.view.state.markers)) + 1
        label = _marker(number)
        if self._send(Mark(label)):
            self._marks, self._marked_ns = number, self.view.monotonic_ns()
            self._say(text("live.marking", label=label))

    def action_note(self) -> None:
        """Write a note."""
        begun = time.monotonic()
        self.app.push_screen(
            NoteScreen(
                lambda note: self._write(note, begun),
                lambda so_far: self._send(NoteBegun(so_far, time.monotonic() - begun)),
            )
        )

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
            self._say(text("live.neutral"))

    def action_change_person(self) -> None:
        """Take another of the faces in view for the person."""
        self._send(ChangePerson())

    def action_pause_recording(self) -> None:
        """Pause the recording."""
        self._send(PauseRecording())

    def action_resume_recording(self) -> None:
        """Record again."""
        self._send(ResumeRecording())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to go on only while the recording is paused, and to pause it only otherwise."""
        match action:
            case "pause_recording":
                return not self.view.state.paused
            case "resume_recording":
                return self.view.state.paused
        return True

    def action_stop(self) -> None:
        """End the recording, once it was asked whether to."""
        question = QuestionScreen(
            text("live.end_question"), text("live.end_explanation"), ends=True
        )
        self.app.push_screen(question, lambda yes: self.stop() if yes else None)

    def stop(self) -> None:
        """End the recording and seal it."""
        if not self._stopping and self._send(Stop()):
            self._stopping = True
            self._say(text("live.ending"))

    def _write(self, note: str, begun: float) -> None:
        if self._send(Note(note, time.monotonic() - begun)):
            self._say(text("live.noting"))

    def _send(self, command: Command) -> bool:
        sent = self.link.send(command)
        if not sent:
            self._say(text("live.engine_gone"), "error")
        return sent

    def _acknowledge(self, event: object) -> None:
        match event:
            case MarkerAdded(label=label, t_ns=t_ns):
                self._say(text("live.marked", label=label, at=clock(t_ns / NS_PER_S)))
            case NoteAdded(t_ns=t_ns):
                self._say(text("live.noted", at=clock(t_ns / NS_PER_S)))
            case TrackEnded(loss=loss) if loss is not None:
                said = track_statement(self.view.state.tracks[-1].file_name, loss)
                self._say(said, "warning")
            case NeutralReferenceRecorded():
                self._neutral_is_due = True
            case PersonChanged():
                self._say(self._other_face())

    def _other_face(self) -> str:
        face = self.view.state.face
        others = len(face.faces) - 1 if face is not None else 0
        return text("live.other_face" if others > 0 else "live.no_other_face")

    def _look_for_answers(self) -> None:
        now_ns = self.view.monotonic_ns()
        missing = self._marks - len(self.view.state.markers)
        if missing > 0 and now_ns - self._marked_ns > _ANSWER_WITHIN_S * NS_PER_S:
            self._say(text("live.not_yet", label=_marker(self._marks)), "warning")
        elif self._said.severity == "ok" and now_ns - self._said_ns > _SAY_FOR_S * NS_PER_S:
            self._say("")

    def _look_for_neutral(self) -> None:
        """Say once what became of a neutral reference, in the words of the report."""
        outcome = self.view.neutral()
        if self._neutral_is_due and outcome is not None:
            self._neutral_is_due = False
            words = text("live.neutral_became", what=text(f"neutral.{outcome}"))
            self._say(words, "ok" if outcome in TAKEN else "warning")

    def _say(self, words: str, severity: Severity = "ok") -> None:
        self._said, self._said_ns = Remark(words, severity), self.view.monotonic_ns()
        self.query_one("#message", RemarkLine).show([self._said])

    def _header(self) -> list[Remark]:
        state = self.view.state
        person = state.started.person if state.started else ""
        time = clock(self.view.now_ns / NS_PER_S)
        header = [Remark(text("live.recording", person=person, time=time))]
        if state.paused:
            header = [Remark(text("live.is_paused", person=person, time=time), "warning")]
        header.append(Remark(counted("count.marker", len(state.markers))))
        header.append(Remark(counted("count.note", len(state.notes))))
        if state.neutral_reference is not None and state.neutral_reference.end_ns is None:
            shown_s = (self.view.now_ns - state.neutral_reference.start_ns) / NS_PER_S
            header.append(Remark(text("live.neutral_now", seconds=shown_s), "warning"))
        outcome = self.view.neutral()
        if outcome is not None and outcome != "accepted":
            short = "neutral.short_doubtful" if outcome in TAKEN else "neutral.short"
            header.append(Remark(text(short), "warning"))
        if state.face is not None and state.face.nobody is not None:
            header.append(Remark(text(f"nobody.{state.face.nobody}"), "warning"))
        elif state.face is not None and len(state.face.faces) > 1:
            header.append(Remark(text("live.faces", faces=len(state.face.faces))))
        for device, lost in state.lost.items():
            gone_s = lost.duration_ns(self.view.now_ns) / NS_PER_S
            lost_for = text("live.lost", device=word("device", device), seconds=gone_s)
            header.append(Remark(lost_for, "error"))
        return header

    def _look_at_picture(self) -> None:
        view = self.view
        hidden = view.state.paused or not view.state.consent.grants("video")
        words = face_reading(view).words if hidden or view.picture is None else still(view)
        boxes = () if words else view.face_boxes()
        self.query_one(PictureBox).show(None if hidden else view.picture, boxes, words)


def _marker(number: int) -> str:
    return text("live.marker", number=number)
