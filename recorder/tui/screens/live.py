"""Live: the face first, then the music, then both; and keys for everything."""

import math
from collections.abc import Callable, Mapping
from typing import ClassVar, Final, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Footer, Static

from affetti.core.clock import NS_PER_S
from affetti.core.consent import today
from affetti.core.events import (
    ConsentChanged,
    FaceNamed,
    MarkerAdded,
    MusicProposed,
    NeutralReferenceRecorded,
    NoteAdded,
    SelfReported,
    TrackEnded,
)
from affetti.core.events.people import MusicLabelled
from affetti.core.journal import sentence
from affetti.core.language import clock, counted, text, word
from affetti.core.people.counting import Counting, fresh_number
from affetti.core.protocol_words import step_words
from affetti.core.recording.losses import track_statement
from affetti.core.settings import SelfReportSettings
from affetti.models.face.reference import TAKEN
from affetti.recorder.engine.messages import (
    AnyMessage,
    ChangeConsent,
    Command,
    Mark,
    NameFace,
    Note,
    NoteBegun,
    Problem,
    Proposal,
    ProposeMusic,
    Recorded,
    ReportSelf,
    ShowNeutralFace,
    SteerTrack,
    Stop,
)
from affetti.recorder.music.fit import Place, place_in
from affetti.recorder.music.piece import Piece
from affetti.recorder.tui.link import EngineLink
from affetti.recorder.tui.marker_keys import key_of
from affetti.recorder.tui.screens.base import MARK
from affetti.recorder.tui.screens.live_consent import WithdrawScreen
from affetti.recorder.tui.screens.live_details import DetailsScreen
from affetti.recorder.tui.screens.live_faces import FacesScreen
from affetti.recorder.tui.screens.music import NO_LABELS, MusicScreen
from affetti.recorder.tui.screens.note import NoteScreen
from affetti.recorder.tui.screens.question import QuestionScreen
from affetti.recorder.tui.screens.running import RunningScreen
from affetti.recorder.tui.screens.selfreport import SelfReportScreen
from affetti.recorder.tui.themes import remembered_large
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.widgets.banner import Banner
from affetti.recorder.tui.widgets.bars import EmotionBars
from affetti.recorder.tui.widgets.heard import Heard
from affetti.recorder.tui.widgets.journal import Journal
from affetti.recorder.tui.widgets.lamps import Lamps
from affetti.recorder.tui.widgets.large import Large
from affetti.recorder.tui.widgets.now_playing import NowPlaying
from affetti.recorder.tui.widgets.picture import PictureBox
from affetti.recorder.tui.widgets.remarks import ROWS, RemarkLine
from affetti.recorder.tui.widgets.timeline import Timeline
from affetti.recorder.tui.widgets.together import TogetherLine
from affetti.recorder.tui.wording import (
    Remark,
    Severity,
    alarms,
    counting_remarks,
    face_reading,
    headline,
    health_details,
    heard_lines,
    lamps,
    response,
    still,
    told,
)

_LOOK_EVERY_S: Final = 0.25
_SAY_FOR_S: Final = {"ok": 8.0, "warning": 40.0, "error": math.inf}
_ANSWER_WITHIN_S: Final = 2.0
_QUIET_S: Final = 1.0  # without a key, before a question for the person opens by itself


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


class LiveScreen(RunningScreen):
    """A running recording.

    Parameters
    ----------
    link
        To the engine.
    view
        The recording.
    asked
        What the person is asked, and when.
    labels
        What tracks are for the person, by digest.
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
        _key("M,f3", "mark_stretch", text("key.stretch"), text("key.mark_stretch"), show=False),
        _key("t,N", "note", text("key.note"), text("key.write_a_note")),
        _key("space", "toggle_track", text("key.music"), text("key.pause_the_track_or")),
        _key("n", "track('next')", text("key.next"), text("key.next_track")),
        _key(
            "p", "track('previous')", text("key.back"), text("key.this_track_again_or"), show=False
        ),
        _key("c", "choose_music", text("key.fits"), text("key.music_that_fits_tip"), show=False),
        _key("s", "track('stop')", text("key.silence"), text("key.stop_the_track")),
        _key("P", "pause_recording", text("key.pause_rec"), text("key.pause_the_recording_or")),
        _key("P", "resume_recording", text("key.go_on"), text("key.record_again")),
        _key("q", "stop", text("key.end"), text("key.end_the_recording_and")),
        _key("b", "neutral", text("key.neutral"), text("key.neutral_face"), show=False),
        _key("a", "ask", text("key.ask"), text("key.ask_patient")),
        _key("f", "faces", text("key.faces"), text("key.whose_face"), show=False),
        _key(
            "e", "all_seven", text("key.all_seven"), text("key.all_seven_expressions"), show=False
        ),
        _key("d", "details", text("key.details"), text("key.figures_of_recording"), show=False),
        _key("w", "withdraw", text("key.withdraw"), text("key.withdraw_consent"), show=False),
    ]

    def __init__(
        self,
        link: EngineLink,
        view: RecordingView,
        asked: SelfReportSettings = SelfReportSettings(),  # noqa: B008  it is frozen
        labels: Mapping[str, MusicLabelled] = NO_LABELS,
    ) -> None:
        super().__init__(link, view)
        self._asked = asked
        self._labels = labels
        self._marks = 0  # sent so far
        self._number = 0  # of the latest marker
        self._marked_ns = 0  # when the last one was
        self._latest = ""  # what it is called
        self._said = Remark("")
        self._said_ns = 0
        self._stopping = False
        self._neutral_is_due = False  # what became of it is not known yet
        self._all = False  # whether all seven expressions are shown
        self._stretch: int | None = None  # the number of the stretch that is being marked
        self._counted = Counting(())  # until the session says what is counted
        self._naming: int | None = None  # the face that is being named
        self._asked_at = -1  # the step of a protocol that the person was asked in
        self._due: Callable[[ReportSelf], object] | None = None  # what the person is to be asked

    @property
    def number(self) -> int:
        """Of the latest marker that was sent; no two have the same."""
        return self._number

    def take_over(self, before: object, said: str) -> None:
        """Go on from a screen that failed, and say so.

        Parameters
        ----------
        before
            That screen, where it was of the running recording.
        said
            What happened.
        """
        self._said, self._said_ns = Remark(said, "warning"), self.view.monotonic_ns()
        self._marks = len(self.view.state.markers)
        if isinstance(before, LiveScreen):
            self._number, self._stretch = before._number, before._stretch
            self._counted, self._asked_at = before._counted, before._asked_at
            self._stopping, self._neutral_is_due = before._stopping, before._neutral_is_due
            self._marks, self._marked_ns, self._latest = (
                before._marks,
                before._marked_ns,
                before._latest,
            )
        else:
            self._number = getattr(before, "number", 0)

    def compose(self) -> ComposeResult:
        """Lay out face and picture over music, both together, and the course of the session."""
        yield Lamps(id="header")
        yield Banner(id="banner")
        yield Static(id="step", markup=False)
        with Horizontal(id="upper"):
            yield EmotionBars(text("modality.face"), id="face")
            with Vertical(id="seen"):
                yield PictureBox(id="picture")
                yield Journal(id="journal")
        with Horizontal(id="sound"):
            yield NowPlaying(id="track")
            yield Heard(id="heard")
        yield TogetherLine(id="together")
        yield Large(id="large")
        yield Timeline(id="timeline")
        yield RemarkLine(id="message")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Look at the recording a few times a second: often enough, and never flickering."""
        self.query_one("#picture").border_title = text("live.camera")
        self.set_class(remembered_large(), "-large")
        self.set_interval(_LOOK_EVERY_S, self.look)
        self.call_after_refresh(self.look)

    def hear(self, said: AnyMessage) -> None:
        """Acknowledge markers and notes at once, and pass on what went wrong."""
        match said:
            case Recorded(events=events):
                for event in events:
                    self._acknowledge(event)
            case Problem(message=message, hint=hint, fatal=fatal):
                words = told(message, hint, self.size.width, ROWS)
                self._say(words, "error" if fatal else "warning")

    def look(self) -> None:
        """Show the recording as it is now."""
        view = self.view
        details = health_details(view)
        alarming = alarms(view)
        header = self._header(details)
        self.query_one(Lamps).show(header, lamps(details), alarmed=bool(alarming))
        self.query_one(Banner).show(alarming)
        self._look_at_pause()
        if self.has_class("-large"):
            self.query_one(Large).show(view)
        self.query_one("#face", EmotionBars).show(face_reading(view))
        self._look_at_picture()
        self.query_one(NowPlaying).show(view)
        self.query_one(Heard).show(heard_lines(view))
        self.query_one(TogetherLine).show(view)
        self.query_one(Timeline).show(view)
        self.query_one(Timeline).border_subtitle = response(view)
        self.query_one(Journal).show(view.state)
        self._look_for_answers()
        self._look_for_neutral()
        self._look_for_step()
        self._ask_when_due()
        self._show_said()

    def on_key(self, event: events.Key) -> None:
        """Mark what is counted with a key; the keys of this screen itself come first."""
        if self.count(key_of(event), event.time):
            event.stop()

    @property
    def _counting(self) -> Counting:
        started = self.view.state.started
        if started is not None and self._counted.markers != started.markers:
            self._counted = Counting(started.markers)
        return self._counted

    def count(self, key: str, pressed_s: float) -> bool:
        """Mark what is counted with a key; return whether something is.

        Parameters
        ----------
        key
            As sets of marker keys name it.
        pressed_s
            When it was pressed, on the clock of Textual's messages.
        """
        marker = self._counting.of_key(key)
        if marker is None:
            return False
        press = self._counting.press(marker, self._fresh_number())
        ago_s = max(Message().time - pressed_s, 0.0)
        self._send_mark(Mark(press.label, press.number, press.edge, ago_s))
        return True

    def mark(self, ago_s: float = 0.0) -> None:
        """Mark the moment `ago_s` ago; it is acknowledged when it is in the log."""
        self._mark(ago_s=ago_s)

    def action_mark_stretch(self) -> None:
        """Mark where a stretch starts, and the next time where it ends."""
        if self._stretch is None:
            self._stretch = self._mark("start")
        elif self._mark("end", self._stretch) is not None:
            self._stretch = None

    def _mark(
        self,
        edge: Literal["start", "end"] | None = None,
        number: int | None = None,
        ago_s: float = 0.0,
    ) -> int | None:
        """Send a marker, and return its number; None where it could not be sent."""
        number = self._fresh_number() if number is None else number
        sent = self._send_mark(Mark(number=number, edge=edge, ago_s=ago_s))
        return number if sent else None

    def _fresh_number(self) -> int:
        return max(self._number + 1, fresh_number(self.view.state.markers))

    def _send_mark(self, mark: Mark) -> bool:
        if not self._send(mark):
            return False
        self._number = max(self._number, mark.number or 0)
        self._marks = max(self._marks, len(self.view.state.markers)) + 1
        self._marked_ns = self.view.monotonic_ns()
        self._latest = _marker(mark)
        self._say(text("live.marking", what=self._latest))
        return True

    def action_note(self) -> None:
        """Write a note."""
        self.app.push_screen(
            NoteScreen(self._write, lambda so_far, ago_s: self._send(NoteBegun(so_far, ago_s)))
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

    def action_ask(self) -> None:
        """Turn the screen over to the person, who says how it is for them."""
        report, self._due = self._due or self._send, None
        self.app.push_screen(self._question(report))

    def _question(self, report: Callable[[ReportSelf], object]) -> SelfReportScreen:
        state = self.view.state
        led = state.protocol
        scales = self._asked.scales if led is None else led.started.scales
        return SelfReportScreen(state, scales, report)

    def _ask_when_due(self) -> None:
        """Ask by itself, once nothing else is open and nobody types: no key is an answer."""
        report, app = self._due, self.app
        if report is None or app.screen is not self or self._stopping:
            return
        if app.quiet_s > _QUIET_S:  # type: ignore[attr-defined]
            self._due = None
            app.push_by_itself(self._question(report))  # type: ignore[attr-defined]

    def _ask_after_track(self) -> None:
        """Ask by itself, soon; the music waits for the answer."""
        waits = self.view.state.coming is not None
        if waits:
            self._send(SteerTrack("pause"))

        def go_on(said: ReportSelf) -> None:
            self._send(said)
            if waits:
                self._send(SteerTrack("resume"))

        self._due = go_on

    def action_choose_music(self) -> None:
        """Propose tracks of the collection, of which one may come next."""
        track = self.view.state.track
        without = track.sha256 if track is not None else ""
        self.app.push_screen(MusicScreen(self._place_now, without, self._labels), self._propose)

    def _place_now(self, pieces: list[Piece]) -> Place | None:
        """Return where the music is: what was heard last, or what is known of the last track."""
        music, track = self.view.state.music, self.view.state.track
        if music is not None and music.valence is not None and music.arousal is not None:
            return Place(music.valence, music.arousal)
        return place_in(pieces, track.sha256) if track is not None else None

    def _propose(self, proposal: Proposal | None) -> None:
        if proposal is not None and self._send(ProposeMusic(proposal)) and proposal.title:
            self._say(text("live.proposing", title=proposal.title))

    def action_faces(self) -> None:
        """Say whose face is whose."""
        faces, person = self.view.face_boxes, self._person
        self.app.push_screen(FacesScreen(faces, self._choose_face, self._name_face, person))

    @property
    def _person(self) -> str:
        started = self.view.state.started
        return started.person if started is not None else ""

    def action_all_seven(self) -> None:
        """Show all seven expressions of the face, or the strongest again."""
        self._all = not self._all
        self.query_one("#face", EmotionBars).show_all(self._all)

    def action_details(self) -> None:
        """Show every figure that was measured."""
        self.app.push_screen(DetailsScreen(lambda: health_details(self.view)))

    def action_withdraw(self) -> None:
        """Ask what the person no longer consents to."""
        granted = self.view.state.consent.granted
        self.app.push_screen(WithdrawScreen(granted), self._withdraw)

    def _withdraw(self, scope: str | None) -> None:
        if scope is not None:
            left = self.view.state.consent.changed(ended=[scope], since=today())
            self._send(ChangeConsent(left))

    def _choose_face(self, face_id: int | None) -> None:
        self._naming = face_id
        self._look_at_picture()

    def _name_face(self, face_id: int, role: str) -> None:
        if self._send(NameFace(face_id, role)):
            self._say(text("live.naming", role=word("role", role)))

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

    def _write(self, note: str, ago_s: float) -> None:
        if self._send(Note(note, ago_s)):
            self._say(text("live.noting"))

    def _send(self, command: Command) -> bool:
        sent = self.link.send(command)
        if not sent:
            self._say(text("live.engine_gone"), "error")
        return sent

    def _acknowledge(self, event: object) -> None:
        match event:
            case MarkerAdded(t_ns=t_ns):
                self._say(text("live.marked", what=sentence(event), at=clock(t_ns / NS_PER_S)))
            case NoteAdded(t_ns=t_ns):
                self._say(text("live.noted", at=clock(t_ns / NS_PER_S)))
            case SelfReported() | FaceNamed() | ConsentChanged() | MusicProposed():
                at = clock(event.t_ns / NS_PER_S)
                self._say(text("live.logged", what=sentence(event), at=at))
            case TrackEnded():
                self._track_ended(event)
            case NeutralReferenceRecorded():
                self._neutral_is_due = True

    def _track_ended(self, event: TrackEnded) -> None:
        if event.loss is not None:
            said = track_statement(self.view.state.tracks[-1].file_name, event.loss)
            self._say(said, "warning")
        led = self.view.state.protocol is not None  # by a protocol, which says when to ask
        if (
            self._asked.after_tracks
            and not led
            and event.reason == "finished"
            and not self._stopping
        ):
            self._ask_after_track()

    def _look_for_answers(self) -> None:
        now_ns = self.view.monotonic_ns()
        missing = self._marks - len(self.view.state.markers)
        if missing > 0 and now_ns - self._marked_ns > _ANSWER_WITHIN_S * NS_PER_S:
            words = text("live.not_yet", what=self._latest)
            self._say(words, "warning")
        elif now_ns - self._said_ns > _SAY_FOR_S[self._said.severity] * NS_PER_S:
            self._say("")

    def _look_for_neutral(self) -> None:
        """Say once what became of a neutral reference, in one line with what to do."""
        outcome = self.view.neutral()
        if self._neutral_is_due and outcome is not None:
            self._neutral_is_due = False
            if outcome in TAKEN:
                self._say(text("live.neutral_became", what=text(f"neutral.{outcome}")))
            else:
                why = text(f"neutral.why.{outcome}")
                self._say(text("live.neutral_refused", why=why), "warning")

    def _look_for_step(self) -> None:
        """Say which step of a protocol goes on, and ask the person once where it is to ask."""
        state = self.view.state
        words = step_words(state, self.view.now_ns)
        step = self.query_one("#step", Static)
        step.display = bool(words)
        course = state.protocol
        if not words or course is None:
            return
        step.update(words if course.over else f"{words} · {text('protocol.key')}")
        at = course.current
        asks = course.step is not None and course.step.kind == "self_report"
        if asks and at is not None and at != self._asked_at:
            self._asked_at = at
            self._due = self._send
        elif not asks:
            self._due = None

    def _say(self, words: str, severity: Severity = "ok") -> None:
        self._said, self._said_ns = Remark(words, severity), self.view.monotonic_ns()
        self._show_said()

    def _show_said(self) -> None:
        """Show what was said last, or else with which keys is counted."""
        shown = [self._said] if self._said.words else counting_remarks(self._counting)
        self.query_one("#message", RemarkLine).show(shown)

    def _header(self, details: dict[str, list[Remark]]) -> list[Remark]:
        state = self.view.state
        header = [headline(self.view)]
        header += [
            Remark(text("live.counting", what=label), "warning") for label in self._counting.open
        ]
        if self._stretch is not None:
            header.append(Remark(text("live.stretch", number=self._stretch), "warning"))
        if state.neutral_reference is not None and state.neutral_reference.end_ns is None:
            header.append(Remark(text("live.neutral_now"), "warning"))
        if state.paused or self.view.gone or state.face is None or "camera" in state.lost:
            pass  # nobody is looked at
        elif state.face.nobody is not None and self.view.face_expressions() is None:
            header.append(Remark(text(f"nobody.{state.face.nobody}"), "warning"))
        elif len(state.face.faces) > 1:
            header.append(Remark(text("live.faces", faces=len(state.face.faces))))
        estimates = details.get("estimates", [])
        header += [remark for remark in estimates if remark.severity != "ok"]
        outcome = self.view.neutral()
        if outcome is not None and outcome != "accepted":  # an old story: it comes after the news
            short = "neutral.short_doubtful" if outcome in TAKEN else "neutral.short"
            header.append(Remark(text(short), "warning"))
        header.append(Remark(counted("count.marker", len(state.markers))))
        header.append(Remark(counted("count.note", len(state.notes))))
        return header

    def _look_at_picture(self) -> None:
        view = self.view
        hidden = view.state.paused or not view.state.consent.grants("video")
        words = face_reading(view).words if hidden or view.picture is None else still(view)
        boxes = () if words else view.face_boxes()
        picture = None if hidden else view.picture
        box = self.query_one(PictureBox)
        box.person = self._person
        box.show(picture, boxes, words, self._naming)


def _marker(mark: Mark) -> str:
    return sentence(MarkerAdded(t_ns=0, label=mark.label, number=mark.number, edge=mark.edge))
