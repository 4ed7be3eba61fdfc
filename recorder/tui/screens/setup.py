"""Set-up: who, what they agree to, with which devices, and which music."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Footer, Input, Label, Static

from affetti.core.errors import AffettiError, MediaError, of_code
from affetti.core.events import IDENTITY, SIGNALS
from affetti.core.language import span, text
from affetti.core.paths import typed, typed_all
from affetti.core.people.playlist import PlaylistEntry
from affetti.core.settings import Settings
from affetti.recorder.engine.messages import (
    AnyMessage,
    Devices,
    Level,
    ListDevices,
    Picture,
    Problem,
    Record,
    Watch,
)
from affetti.recorder.sources.track import Track
from affetti.recorder.tui.disk import lasts_s
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.link import EngineLink
from affetti.recorder.tui.screens.base import EngineScreen
from affetti.recorder.tui.widgets.consent import YesNo
from affetti.recorder.tui.widgets.meter import LevelMeter
from affetti.recorder.tui.widgets.paths import PathSuggester
from affetti.recorder.tui.widgets.picture import PictureBox
from affetti.recorder.tui.widgets.playlist import Playlist, tracks_at
from affetti.recorder.tui.widgets.source import SourceChoice

_SETTLED_S: Final = 0.5  # a choice that rests this long is looked at


class SetupScreen(EngineScreen):
    """Everything a recording needs, and why it cannot start yet.

    Parameters
    ----------
    link
        To the engine.
    draft
        What is known already; filled in further here.
    settings
        For the disk and the size of frames.
    """

    TITLE = text("setup.title")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "start", text("key.start_recording")),
        Binding("f5", "refresh", text("key.look_for_devices_again"), show=False),
        # Of priority, so that what is typed right after it goes to the next field already.
        Binding("tab", "app.focus_next", text("key.next_field"), key_display="tab", priority=True),
        Binding(
            "shift+tab", "app.focus_previous", text("key.previous_field"), show=False, priority=True
        ),
        Binding("ctrl+q", "app.leave", text("key.quit")),
    ]

    def __init__(self, link: EngineLink, draft: Draft, settings: Settings) -> None:
        super().__init__(link)
        self.draft = draft
        self._settings = settings
        self._problem: AffettiError | None = None
        self._starting = False
        self._devices_known = False
        self._watched = Watch()
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out the form beside the preview."""
        draft = self.draft
        yield Static(text("setup.heading"), id="title")
        with Horizontal(id="setup"):
            with Vertical(id="form"):
                yield from _field(
                    text("setup.person"), Input(draft.person, id="person", compact=True)
                )
                yield Static(id="person-hint", classes="hint")
                yield from _field(
                    text("setup.consent"), YesNo(text("setup.video"), draft.video, id="video")
                )
                yield from _field("", YesNo(text("setup.audio"), draft.audio, id="audio"))
                for scope in _asked(draft):
                    question = YesNo(text(f"setup.{scope}"), draft.further.get(scope), id=scope)
                    yield from _field("", question)
                yield from _field(text("setup.camera"), self._camera())
                yield from _field(text("setup.microphone"), self._microphone())
                yield from _field(text("setup.speaker"), self._speaker())
                yield Playlist(id="playlist")
                yield Input(
                    placeholder=text("setup.add"),
                    id="add",
                    suggester=PathSuggester(),
                    compact=True,
                )
            with Vertical(id="preview"):
                yield PictureBox(id="picture")
                yield LevelMeter(id="level")
                yield Static(id="disk", classes="hint")
                yield Button(text("setup.start"), id="start", variant="primary", compact=True)
                yield Static(id="status", markup=False)
        yield Footer(compact=True)

    def _camera(self) -> SourceChoice:
        return SourceChoice(
            self.draft.camera,
            id="camera",
            nothing=text("setup.no_camera"),
            other=text("setup.film"),
            suggester=PathSuggester(),
        )

    def _microphone(self) -> SourceChoice:
        return SourceChoice(
            self.draft.microphone,
            id="microphone",
            nothing=text("setup.no_microphone"),
            other=text("setup.sound_file"),
            suggester=PathSuggester(),
        )

    def _speaker(self) -> SourceChoice:
        return SourceChoice(self.draft.speaker, id="speaker", nothing=text("setup.unheard"))

    def on_mount(self) -> None:
        """Ask for devices, and load the music that was named already."""
        self.query_one("#person", Input).max_length = 32
        self.query_one("#preview").border_title = text("setup.preview")
        self.link.send(ListDevices())
        if self.draft.playlist:
            self._add(list(self.draft.playlist))
        self._update()

    def hear(self, said: AnyMessage) -> None:
        """Show previews and devices, and what went wrong."""
        match said:
            case Devices():
                self._offer(said)
            case Picture() if self.draft.used_camera is not None:
                self.query_one(PictureBox).show(said)
            case Level(stream="room") if self.draft.used_microphone is not None:
                self.query_one(LevelMeter).show(said)
            case Problem(message=message, hint=hint, code=code, fatal=fatal):
                if fatal:  # the start failed, and closed the preview
                    self._starting = False
                    self._watched = Watch()
                self._complain(of_code(code).told(message, hint))

    def action_start(self) -> None:
        """Begin to record, unless something is lacking."""
        if self._starting or self._lacks():
            return
        self._starting = True
        self._problem = None
        self.link.send(Record(self.draft.plan()))
        self._update()

    def action_refresh(self) -> None:
        """Ask for devices again."""
        self.link.send(ListDevices())

    @on(Input.Changed, "#person")
    def _name_person(self, event: Input.Changed) -> None:
        self.draft.person = event.value.strip()
        self._update()

    @on(YesNo.Changed)
    def _agree(self, event: YesNo.Changed) -> None:
        match event.question.id:
            case "video":
                self.draft.video = event.value
            case "audio":
                self.draft.audio = event.value
            case scope:
                self.draft.further[str(scope)] = event.value
        self._update()

    @on(SourceChoice.Changed)
    def _choose(self, event: SourceChoice.Changed) -> None:
        match event.choice.id:
            case "camera":
                self.draft.camera = event.value
            case "microphone":
                self.draft.microphone = event.value
            case _:
                self.draft.speaker = event.value
        self._update()

    @on(Playlist.Changed)
    def _arrange(self) -> None:
        self.draft.playlist = [track.entry for track in self.query_one(Playlist).tracks]
        self._update()

    @on(Input.Changed, "#add")
    def _type(self) -> None:
        self._update()

    @on(Input.Submitted, "#add")
    def _submit(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._add([event.value])

    @on(Button.Pressed, "#start")
    def _press(self) -> None:
        self.action_start()

    @work(thread=True, group="add")
    def _add(self, named: Sequence[str | Path | PlaylistEntry]) -> None:
        try:
            meant = [p for n in named for p in (typed_all(n) if isinstance(n, str) else [n])]
            found = [tracks_at(path) for path in meant]
        except AffettiError as error:
            self.app.call_from_thread(self._complain, error)
            return
        tracks = [track for each, _ in found for track in each]
        left_out = [error for _, errors in found for error in errors]
        self.app.call_from_thread(self._added, tracks, left_out)

    def _added(self, tracks: list[Track], left_out: list[AffettiError]) -> None:
        told = " ".join(error.message for error in left_out)
        self._problem = MediaError("setup.left_out", what=told) if left_out else None
        self.query_one("#add", Input).clear()
        self.query_one(Playlist).extend(tracks)

    def _offer(self, devices: Devices) -> None:
        named = {
            "camera": [(_camera_words(index, devices), index) for index in devices.cameras],
            "microphone": _with_default(devices.microphones),
            "speaker": _with_default(devices.speakers),
        }
        for choice in self.query(SourceChoice):
            choice.offer(named[str(choice.id)])
        self._devices_known = True
        self._update()

    def _complain(self, error: AffettiError) -> None:
        self._problem = error
        self._update()

    def _lacks(self) -> list[str]:
        lacks = self.draft.lacks()
        if self.query_one("#add", Input).value.strip():
            lacks.append(text("lacks.enter"))
        return lacks

    def _update(self) -> None:
        """Bring everything that follows from the draft up to date."""
        draft = self.draft
        person = self.query_one("#person-hint", Static)
        person.update(draft.code_problem() or text("setup.never_a_name"))
        person.set_class(bool(draft.person and draft.code_problem()), "-error")
        self.query_one("#camera").disabled = draft.video is False
        self.query_one(f"#{IDENTITY}").disabled = draft.video is False
        self.query_one("#microphone").disabled = draft.audio is False
        self.query_one("#disk", Static).update(_disk_words(self._settings, draft))
        self.query_one("#start", Button).disabled = bool(self._lacks()) or self._starting
        self._update_status()
        self._update_preview()

    def _update_status(self) -> None:
        status, draft = self.query_one("#status", Static), self.draft
        status.set_class(self._problem is not None, "-error")
        if self._problem is not None:
            status.update(f"! {self._problem.message} {self._problem.hint}")
        elif self._starting:
            status.update(text("setup.starting"))
        elif lacks := self._lacks():
            status.update(text("setup.needed", what="; ".join(lacks)))
        else:
            status.update(_ready_words(draft))

    def _update_preview(self) -> None:
        draft = self.draft
        if draft.used_camera is None or draft.used_camera != self._watched.camera:
            self.query_one(PictureBox).show(None, words=_no_picture(draft))
        if draft.used_microphone is None or draft.used_microphone != self._watched.microphone:
            self.query_one(LevelMeter).show(None, _no_sound(draft))
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLED_S, self._look)

    def _look(self) -> None:
        """Look at what is chosen, once the devices are known and the choice rests."""
        watch = Watch(self.draft.used_camera, self.draft.used_microphone)
        if self._devices_known and not self._starting and watch != self._watched:
            self._watched = watch
            self.link.send(watch)


def _asked(draft: Draft) -> tuple[str, ...]:
    """Return the scopes of consent, beside video and sound, that a draft's devices raise."""
    return (IDENTITY, SIGNALS) if draft.sources else (IDENTITY,)


def _ready_words(draft: Draft) -> str:
    words = [text("setup.ready")]
    if draft.pipeline != Draft.pipeline:
        words.append(text("setup.ready_pipeline", name=draft.pipeline))
    if draft.keep == "estimates":
        words.append(text("setup.ready_estimates"))
    if draft.neutral_s is not None:
        words.append(text("setup.ready_neutral", seconds=draft.neutral_s))
    return " ".join(words)


def _field(name: str, widget: Widget) -> ComposeResult:
    with Horizontal(classes="field", id=f"field-{widget.id}"):
        yield Label(name)
        yield widget


def _camera_words(index: str, devices: Devices) -> str:
    name = devices.camera_names.get(index)
    message = "setup.camera_named" if name else "setup.camera_number"
    return text(message, number=index, name=name)


def _with_default(names: tuple[str, ...]) -> list[tuple[str, str]]:
    default = [(text("setup.default"), "")] if names else []
    return default + [(name, name) for name in names]


def _no_picture(draft: Draft) -> str:
    if draft.video is None:
        return text("setup.face_no_consent")
    if not draft.video:
        return text("setup.face_not_recorded")
    none = draft.used_camera is None
    return text("setup.face_no_camera" if none else "setup.face_waiting")


def _no_sound(draft: Draft) -> str:
    if draft.audio is None:
        return text("setup.room_no_consent")
    if not draft.audio:
        return text("setup.room_not_recorded")
    none = draft.used_microphone is None
    return text("setup.room_no_microphone" if none else "setup.room_listening")


def _disk_words(settings: Settings, draft: Draft) -> str:
    """Say how long the disk lasts."""
    try:
        folder = typed(draft.output).parent if draft.output else settings.folder
    except AffettiError:
        return text("setup.disk_unknown")
    left_s = lasts_s(settings, folder)
    return text("setup.disk_unknown") if left_s is None else text("setup.disk", span=span(left_s))
