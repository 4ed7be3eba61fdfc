"""Set-up in three steps: who and what they agree to, with which devices, and which music."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, ContentSwitcher, Footer, Input, Label, Static

from affetti.core.custody import vault
from affetti.core.errors import AffettiError, MediaError, of_code
from affetti.core.language import clock, counted, date, listed, span, text, word
from affetti.core.paths import dropped, shown, typed, typed_all
from affetti.core.people.playlist import PlaylistEntry, write_playlist
from affetti.core.settings import Settings
from affetti.recorder.engine.messages import (
    AnyMessage,
    Devices,
    Level,
    ListDevices,
    Picture,
    PlayTone,
    Problem,
    Proposal,
    Record,
    Seen,
    Watch,
)
from affetti.recorder.music.fit import place_in
from affetti.recorder.sources.track import Track
from affetti.recorder.tui.disk import lasts_s
from affetti.recorder.tui.draft import NEED_VIDEO, USUAL_NEUTRAL_S, Draft
from affetti.recorder.tui.link import EngineLink
from affetti.recorder.tui.person import keep, labels_of
from affetti.recorder.tui.screens.base import EngineScreen
from affetti.recorder.tui.screens.music import MusicScreen
from affetti.recorder.tui.screens.pick import PickScreen, music_folder
from affetti.recorder.tui.screens.save import SaveScreen
from affetti.recorder.tui.usual import playlist_of, playlists_in
from affetti.recorder.tui.view import FaceBox
from affetti.recorder.tui.widgets.consent import YesNo
from affetti.recorder.tui.widgets.headline import Headline
from affetti.recorder.tui.widgets.line import Code
from affetti.recorder.tui.widgets.meter import Hearing, LevelMeter
from affetti.recorder.tui.widgets.paths import DropInput, Dropped, PathSuggester
from affetti.recorder.tui.widgets.picture import PictureBox
from affetti.recorder.tui.widgets.playlist import Playlist, tracks_at
from affetti.recorder.tui.widgets.source import SourceChoice
from affetti.recorder.tui.widgets.volume import Volume
from affetti.recorder.tui.wording import told

STEPS: Final = ("who", "devices", "music")
_PROBLEM_ROWS: Final = 5  # in which a problem has room at the foot of the screen
_SETTLED_S: Final = 0.5  # a choice that rests this long is looked at
_SOON_S: Final = 0.1  # until music may have been read


class SetupScreen(EngineScreen):
    """Everything a recording needs, step by step, and what it lacks yet.

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
    AUTO_FOCUS = ""  # each step puts it where something is lacking
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", text("key.step_back"), key_display="esc"),
        Binding("ctrl+r", "start", text("key.start_recording"), tooltip=text("key.start_at_once")),
        Binding("f4", "browse", text("key.browse"), tooltip=text("key.browse_tip")),
        Binding("f3", "fits", text("key.fits"), tooltip=text("key.music_that_fits_tip")),
        Binding("f6", "saved", text("key.saved_playlists"), tooltip=text("key.saved_tip")),
        Binding("f8", "save", text("key.save_playlist"), tooltip=text("key.save_tip")),
        Binding("f7", "tone", text("key.test_tone"), tooltip=text("key.test_tone_tip")),
        Binding("f5", "refresh", text("key.look_for_devices_again"), show=False),
        # Of priority, so that what is typed right after it goes to the next field already.
        Binding("tab", "app.focus_next", text("key.next_field"), show=False, priority=True),
        Binding(
            "shift+tab", "app.focus_previous", text("key.previous_field"), show=False, priority=True
        ),
        Binding("ctrl+q", "app.leave", text("key.quit"), show=False),
    ]

    def __init__(self, link: EngineLink, draft: Draft, settings: Settings) -> None:
        super().__init__(link)
        self.draft = draft
        self.step = 0
        self._settings = settings
        self._problem: AffettiError | None = None
        self._starting = False
        self._waits = False  # to start, until the music is read
        self._devices_known = False
        self._names: dict[str, str] = {}  # of cameras, by number
        self._missed = ("", "")  # a camera of last time, and the number that is chosen instead
        # What somebody agreed to last time is shown before a device is opened because of it.
        self._confirmed = draft.last is None and draft.known is None
        self._watched = Watch()
        self._settling: Timer | None = None
        self._hearing = Hearing()
        self._seen: Seen | None = None
        self._music_sought = False
        self._wrong: list[tuple[str, AffettiError]] = []  # paths that were typed
        self._reading = asyncio.Lock()  # tracks stand in the order in which they were named

    def compose(self) -> ComposeResult:
        """Lay out the steps, of which one is shown, over what is lacking."""
        yield Static(id="title")
        yield Headline()
        with ContentSwitcher(initial=STEPS[0], id="setup"):
            yield from self._who()
            yield from self._devices()
            yield from self._music()
        with Horizontal(id="bottom"):
            yield Static(id="status", markup=False)
            yield Button(text("setup.next"), id="next", variant="primary", compact=True)
            yield Button(text("setup.start"), id="start", variant="primary", compact=True)
        yield Footer(show_command_palette=False, compact=True)

    def _who(self) -> ComposeResult:
        draft = self.draft
        with Horizontal(id="who"):
            with Vertical(classes="form"):
                yield from _field(
                    text("setup.person"), Code(draft.person, id="person", compact=True)
                )
                yield Static(id="person-hint", classes="hint", markup=False)
                yield Static(self._consent_words(), id="consent-hint", classes="hint")
                yield YesNo(text("setup.video"), draft.video, id="video")
                yield YesNo(text("setup.audio"), draft.audio, id="audio")
                for scope in draft.asked:
                    yield YesNo(text(f"setup.{scope}"), draft.further.get(scope), id=scope)
            with Vertical(classes="side"):
                yield Static(id="who-checks", classes="checks", markup=False)

    def _devices(self) -> ComposeResult:
        with Horizontal(id="devices"):
            with Vertical(classes="form"):
                yield from _field(text("setup.camera"), self._camera())
                yield from _field(text("setup.microphone"), self._microphone())
                yield from _field(text("setup.speaker"), self._speaker())
                yield from _field(text("setup.volume"), Volume(self.draft.volume, id="volume"))
                yield Static(id="face-check", classes="check", markup=False)
                yield LevelMeter(id="level")
                yield Static(id="sound-check", classes="check", markup=False)
            with Vertical(classes="side", id="preview"):
                yield PictureBox(id="picture")

    def _music(self) -> ComposeResult:
        with Horizontal(id="music"):
            with Vertical(classes="form"):
                yield Playlist(id="playlist")
                yield DropInput(
                    placeholder=text("setup.add"),
                    id="add",
                    select_on_focus=False,
                    suggester=PathSuggester(),
                    compact=True,
                )
            with Vertical(classes="side"):
                yield YesNo(text("setup.neutral"), self.draft.neutral_s is not None, id="neutral")
                yield Static(text("setup.neutral_hint"), classes="hint", markup=False)
                yield Static(id="checks", classes="checks", markup=False)
                yield Static(id="disk", classes="hint", markup=False)

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
        for checks in self.query(".checks"):
            checks.border_title = text("setup.checks")
        self.link.send(ListDevices())
        if self.draft.playlist:
            self._music_sought = True
            self._add(list(self.draft.playlist))
        self.go(0)

    def on_unmount(self) -> None:
        """Close what was looked at."""
        if self._watched != Watch() and not self._starting:
            self.link.send(Watch())

    def hear(self, said: AnyMessage) -> None:
        """Show previews and devices, and what went wrong."""
        match said:
            case Devices():
                self._offer(said)
            case Picture() if self._watched.camera is not None:
                self._show_picture(said)
            case Seen() if self._watched.camera is not None:
                self._seen = said
                self._show_checks()
            case Level(stream="room") if self._watched.microphone is not None:
                self._hearing.add(said)
                self.query_one(LevelMeter).show(said)
                self._show_checks()
            case Problem(message=message, hint=hint, code=code, fatal=fatal):
                if fatal:  # the start failed, and closed the preview
                    self._starting = False
                    self._watched = Watch()
                self._complain(of_code(code).told(message, hint))

    def go(self, step: int) -> None:
        """Show a step, and put the focus where something is lacking."""
        self.step = step
        if step:
            self._confirmed = True
        self.query_one(ContentSwitcher).current = STEPS[step]
        self.query_one("#next").display = step < len(STEPS) - 1
        self.query_one("#start").display = step == len(STEPS) - 1
        if step == STEPS.index("music"):
            self._look_for_music()
        self._update()
        self.query_one(self._first_lacking()).focus()
        self.refresh_bindings()

    def action_go(self, step: int) -> None:
        """Show a step that was clicked."""
        self.go(step)

    def action_next(self) -> None:
        """Go to the next step, once nothing is lacking in this one."""
        if self._first_lacking() == "#next":
            self.go(self.step + 1)
        else:
            self._update()
            self.query_one(self._first_lacking()).focus()

    async def action_back(self) -> None:
        """Go to the step before, and from the first one home."""
        if self._starting:
            return
        if self.step:
            self.go(self.step - 1)
        else:
            await self.run_action("app.home")

    def action_start(self) -> None:
        """Begin to record, unless something is lacking."""
        if self._starting or self._waits or self._lacks():
            return
        self._problem = None
        if self._music_is_read():  # started now, it would be without
            self._waits = True
            self.set_timer(_SOON_S, self._start_with_music)
            return
        self._starting = True
        self.draft.remember()
        self.draft.learn(self._settings)
        self._file_consent()
        self.link.send(Record(self.draft.plan()))
        self._update()

    def _music_is_read(self) -> bool:
        reading = (each for each in self.app.workers if each.group == "add")
        return any(each.node is self and not each.is_finished for each in reading)

    def _start_with_music(self) -> None:
        self._waits = False
        if self._problem is None:  # what cannot be played is said first
            self.action_start()

    def _file_consent(self) -> None:
        """Put on file what the person agreed to, where that is done; a recording begins anyway."""
        draft = self.draft
        filed = draft.to_file(self._settings.consent.valid_days)
        if filed is not None:
            try:
                keep([filed], draft.person, self._settings, draft.recipients)
            except AffettiError as error:
                self._complain(error)

    def action_refresh(self) -> None:
        """Ask for devices again."""
        self.link.send(ListDevices())

    def action_tone(self) -> None:
        """Play a tone to the speaker that is chosen."""
        if self.draft.speaker is not None:
            self.link.send(PlayTone(self.draft.speaker, self.draft.volume))

    def action_browse(self) -> None:
        """Choose a file, or a folder of music, from those that there are."""
        if STEPS[self.step] == "music":
            self.app.push_screen(PickScreen("music", music_folder()), self._picked_music)
            return
        choice = next((c for c in self.query(SourceChoice) if c.has_focus_within), None)
        if choice is not None and choice.id != "speaker":
            kind = "film" if choice.id == "camera" else "sound"
            self.app.push_screen(PickScreen(kind, Path.home()), choice.choose)

    def action_saved(self) -> None:
        """Choose a playlist that was saved."""
        self.app.push_screen(
            PickScreen("playlist", playlists_in(self._settings)), self._picked_music
        )

    def action_fits(self) -> None:
        """Propose tracks of the collection, seen from the last one of the playlist."""
        tracks = self.query_one(Playlist).tracks
        last = tracks[-1].sha256 if tracks else ""
        labels = labels_of(self.draft.known)
        self.app.push_screen(
            MusicScreen(lambda found: place_in(found, last), last, labels), self._fitted
        )

    def _fitted(self, proposal: Proposal | None) -> None:
        if proposal is not None:
            self.draft.proposals.append(proposal)
            if proposal.chosen is not None:
                self._add([proposal.chosen])

    def action_save(self) -> None:
        """Save the playlist under a name."""
        if self.draft.playlist:
            self.app.push_screen(SaveScreen(), self._save)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer in each step what belongs to it."""
        here = STEPS[self.step]
        match action:
            case "tone":
                return here == "devices"
            case "browse":
                return here != "who"
            case "saved" | "save" | "fits":
                return here == "music"
        return True

    def on_key(self, event: events.Key) -> None:
        """Take a path that is typed where the focus is on the button: Enter would record."""
        add, start = self.query_one("#add", Input), self.query_one("#start")
        typed = event.is_printable and event.character and event.character != " "
        if typed and start.has_focus and not add.disabled:
            event.stop()
            add.focus()
            add.insert_text_at_cursor(event.character or "")

    @on(Input.Changed, "#person")
    def _name_person(self, event: Input.Changed) -> None:
        self.draft.person = event.value.strip()
        self._update()

    @on(Input.Submitted, "#person")
    def _go_on(self) -> None:
        self.focus_next()

    @on(YesNo.Changed)
    def _agree(self, event: YesNo.Changed) -> None:
        match event.question.id:
            case "video":
                self.draft.video = event.value
            case "audio":
                self.draft.audio = event.value
            case "neutral":
                self.draft.neutral_s = USUAL_NEUTRAL_S if event.value else None
            case scope:
                self.draft.further[str(scope)] = event.value
        self._update()

    @on(SourceChoice.Changed)
    def _choose(self, event: SourceChoice.Changed) -> None:
        match event.choice.id:
            case "camera":
                self.draft.camera = event.value
                self.draft.camera_name = self._names.get(event.value or "", "")
                if event.value != self._missed[1]:
                    self._missed = ("", "")
            case "microphone":
                self.draft.microphone = event.value
            case _:
                self.draft.speaker = event.value
        self._problem = None  # of what was chosen before
        self._update()

    @on(Volume.Changed)
    def _set_volume(self, event: Volume.Changed) -> None:
        self.draft.volume = event.value

    @on(Playlist.Changed)
    def _arrange(self) -> None:
        self.draft.playlist = [track.entry for track in self.query_one(Playlist).tracks]
        self._update()

    @on(Input.Changed, "#add")
    def _type(self) -> None:
        self._update()

    @on(Dropped)
    def _take_dropped(self, event: Dropped) -> None:
        self._add(event.paths)

    def on_paste(self, event: events.Paste) -> None:
        """Add the files that were dropped into the terminal, wherever the focus is."""
        paths = dropped(event.text) if STEPS[self.step] == "music" else []
        if paths:
            event.stop()
            self._add(paths)

    @on(Input.Submitted, "#add")
    def _submit(self, event: Input.Submitted) -> None:
        if event.value.strip():
            event.input.clear()  # what is typed while it is read is the next path
            self._add([event.value])

    @on(Button.Pressed)
    def _press(self, event: Button.Pressed) -> None:
        if event.button.id == "start":
            self.action_start()
        else:
            self.action_next()

    def _picked_music(self, path: Path | None) -> None:
        if path is not None:
            self._add([path])

    def _save(self, name: str | None) -> None:
        if not name:
            return
        tracks = self.query_one(Playlist).tracks
        try:
            path = write_playlist(playlists_in(self._settings), name, [t.entry for t in tracks])
        except AffettiError as error:
            self._complain(error)
        else:
            self.query_one("#status", Static).update(text("setup.saved", path=path))

    def _look_for_music(self) -> None:
        """Look once for what was played to this person last time."""
        last, sought = self.draft.last, self._music_sought
        self._music_sought = True
        if sought:
            return
        known = self.draft.known
        if last is not None and last.titles:
            self._find_music(last.titles)
        elif known is not None and known.playlists:
            self._add([playlists_in(self._settings) / f"{known.playlists[0]}.csv"])

    @work(group="add")
    async def _find_music(self, titles: tuple[str, ...]) -> None:
        async with self._reading:
            await asyncio.to_thread(self._find, titles)

    def _find(self, titles: tuple[str, ...]) -> None:
        entries = playlist_of(titles, self._settings)
        if entries is None:
            error = MediaError("setup.last_music", what=", ".join(titles))
            self.app.call_from_thread(self._complain, error)
        else:
            self._read(entries)

    @work(group="add")
    async def _add(self, named: Sequence[str | Path | PlaylistEntry]) -> None:
        async with self._reading:
            await asyncio.to_thread(self._read, named)

    def _read(self, named: Sequence[str | Path | PlaylistEntry]) -> None:
        try:
            meant = [p for n in named for p in (typed_all(n) if isinstance(n, str) else [n])]
            found = [tracks_at(path) for path in meant]
        except AffettiError as error:
            self.app.call_from_thread(self._not_read, named, error)
            return
        tracks = [track for each, _ in found for track in each]
        left_out = [error for _, errors in found for error in errors]
        self.app.call_from_thread(self._added, tracks, left_out)

    def _added(self, tracks: list[Track], left_out: list[AffettiError]) -> None:
        told = " ".join(error.message for error in left_out)
        if left_out:
            self._problem = MediaError("setup.left_out", what=told)
        elif not self.query_one("#add", Input).value:  # else it may be what is wrong there
            self._problem = None
        self.query_one(Playlist).extend(tracks)

    def _not_read(self, named: Sequence[str | Path | PlaylistEntry], error: AffettiError) -> None:
        """Say what is wrong; a path that was typed comes back, to be put right."""
        if isinstance(named[0], str):
            self._wrong.append((named[0], error))
        else:
            self._complain(error)
        self._give_back()

    def _give_back(self) -> None:
        """Put a path that is wrong into the line, once no other one is being typed there."""
        add = self.query_one("#add", Input)
        if self._wrong and not add.value and not self.app.typed.unhandled:  # type: ignore[attr-defined]
            add.value, error = self._wrong.pop(0)
            add.cursor_position = len(add.value)
            self._complain(error)
        elif self._wrong:
            self.set_timer(_SOON_S, self._give_back)

    def _offer(self, devices: Devices) -> None:
        named = {
            "camera": [(_camera_words(index, devices), index) for index in devices.cameras],
            "microphone": _with_default(devices.microphones),
            "speaker": _with_default(devices.speakers),
        }
        for choice in self.query(SourceChoice):
            choice.offer(named[str(choice.id)])
        self._names = devices.camera_names
        self._follow_camera()
        self._devices_known = True
        self._update()

    def _follow_camera(self) -> None:
        """Choose the camera of last time by its name: its number may be another's by now."""
        last, choice = self.draft.camera_name, self.query_one("#camera", SourceChoice)
        found = [number for number, name in self._names.items() if name == last]
        if last and self._names.get(choice.value or "") not in {None, last}:
            if len(found) == 1:
                choice.change(found[0])
            else:
                self._missed = (last, choice.value or "")
        if not self._missed[0]:
            self.draft.camera_name = self._names.get(choice.value or "", "")

    def _complain(self, error: AffettiError) -> None:
        self._problem = error
        self._update()

    def _lacks(self) -> list[str]:
        lacks = self.draft.lacks()
        if self.query_one("#add", Input).value.strip():
            lacks.append(text("lacks.enter"))
        return lacks

    def _first_lacking(self) -> str:
        """Where the focus belongs in this step: what is lacking first, or the button."""
        draft = self.draft
        match STEPS[self.step]:
            case "who":
                asked = {"video": draft.video, "audio": draft.audio}
                if "signals" in draft.asked:
                    asked["signals"] = draft.further.get("signals")
                open_ = [f"#{scope}" for scope, answer in asked.items() if answer is None]
                open_ += [f"#{scope}" for scope in draft.unanswered()]
                return "#person" if draft.code_problem() else next(iter(open_), "#next")
            case "devices":
                return "#next"
        return "#add" if draft.lacks_of_devices() and draft.protocol is None else "#start"

    def _consent_words(self) -> str:
        last, expired = self.draft.last, self.draft.expired
        if expired is not None:
            return text("setup.consent_expired", date=date(expired.expires))
        if last is None or not last.wall_clock:
            filed = None if self.draft.known is None else self.draft.known.consent
            if filed is not None:
                return text("setup.consent_again", date=date(filed.on))
            return text("setup.consent_asked")
        return text("setup.consent_again", date=date(last.wall_clock))

    def _update(self) -> None:
        """Bring everything that follows from the draft up to date."""
        draft = self.draft
        self.query_one("#title", Static).update(self._steps())
        person = self.query_one("#person-hint", Static)
        person.update(draft.code_problem() or text("setup.never_a_name"))
        person.set_class(bool(draft.person and draft.code_problem()), "-error")
        self.query_one("#camera").disabled = draft.video is False
        for scope in NEED_VIDEO:
            self.query_one(f"#{scope}").disabled = draft.video is False
        led = draft.protocol is not None
        self.query_one("#neutral").disabled = led or draft.used_camera is None
        self.query_one("#add").disabled = led
        self.query_one("#microphone").disabled = draft.audio is False
        self.query_one("#disk", Static).update(_kept_words(self._settings, draft))
        self.query_one("#start", Button).disabled = bool(self._lacks()) or self._starting
        self._show_checks()
        self._update_status()
        self._update_preview()

    def _steps(self) -> Content:
        """Say which step this is, which are done, and let each be clicked."""
        done = (not self.draft.lacks_of_person(), not self.draft.lacks_of_devices(), False)
        parts = []
        for number, (name, is_done) in enumerate(zip(STEPS, done, strict=True)):
            words = f"{number + 1} {text(f'setup.step.{name}')}{' ✓' if is_done else ''}"
            style = "reverse " if number == self.step else ""
            parts.append(f"[{style}@click=screen.go({number})] {words} [/]")
        return Content.from_markup("  ".join((text("setup.heading"), *parts)))

    def _show_checks(self) -> None:
        """Say what is ready, and what is lacking or could be better."""
        draft = self.draft
        who = _who_checks(draft)
        face, sound = self._face_check(), self._sound_check()
        for selector, check in (("#face-check", face), ("#sound-check", sound)):
            widget = self.query_one(selector, Static)
            widget.set_class(check.startswith("!"), "-warning")
            widget.update(check)
        playlist = self.query_one(Playlist).tracks
        music = _music_check(playlist)
        neutral = [text("check.neutral")] if draft.plan_of_neutral() is not None else []
        usual = draft.pipeline == Draft.pipeline
        pipeline = [] if usual else [text("check.pipeline", name=draft.pipeline)]
        self.query_one("#who-checks", Static).update("\n".join(who))
        kept = [text("check.estimates")] if draft.keep == "estimates" else []
        named = listed([shown(each) for each in draft.cameras])
        others = [text("check.cameras", names=named)] if draft.cameras else []
        offered = [text("check.lsl_out")] if draft.lsl_out else []
        settings = [*kept, *neutral, *pipeline, *others, *offered, *_study(draft)]
        every = [*_brief(draft), face, sound, music, *settings, *_open(self._lacks())]
        self.query_one("#checks", Static).update("\n".join(line for line in every if line))

    def _face_check(self) -> str:
        if self.draft.used_camera is None or self._watched.camera is None:
            return _sign_off(_no_picture(self.draft), self.draft.used_camera is None)
        if self._seen is None:
            return f"○ {text('setup.face_waiting')}"
        good = self._seen.advice == "good"
        if good and self._missed[0]:
            return f"! {text('setup.other_camera', name=self._missed[0])}"
        return f"{'✓' if good else '!'} {text(f'advice.{self._seen.advice}')}"

    def _sound_check(self) -> str:
        if self.draft.used_microphone is None or self._watched.microphone is None:
            return _sign_off(_no_sound(self.draft), self.draft.used_microphone is None)
        verdict = self._hearing.verdict
        sign = {"good": "✓", "waiting": "○"}.get(verdict, "!")
        return f"{sign} {text(f'hearing.{verdict}')}"

    def _show_picture(self, picture: Picture) -> None:
        seen = self._seen
        found = () if seen is None else seen.boxes_px
        role = "patient" if len(found) == 1 else "unknown"  # one face is the person's
        boxes = tuple(
            FaceBox(number, box, role, seen is not None and seen.read and not number)
            for number, box in enumerate(found)
        )
        self.query_one(PictureBox).show(picture, boxes)

    def _update_status(self) -> None:
        who = self.draft.person
        large = who if self._lacks() else text("setup.ready_for", person=who)
        self.query_one(Headline).say(large)
        status = self.query_one("#status", Static)
        status.set_class(self._problem is not None, "-error")
        if self._problem is not None:
            problem, width = self._problem, status.size.width
            status.update(f"! {told(problem.message, problem.hint, width, _PROBLEM_ROWS)}")
        elif self._starting:
            status.update(text("setup.starting"))
        elif lacks := self._lacks():
            status.update(text("setup.next_is", what=lacks[0]))
        else:
            status.update(text("setup.ready"))

    def _update_preview(self) -> None:
        draft = self.draft
        if draft.used_camera is None or draft.used_camera != self._watched.camera:
            self._seen = None
            self.query_one(PictureBox).show(None, words=_no_picture(draft))
        self.query_one(LevelMeter).display = draft.used_microphone is not None
        if draft.used_microphone is None or draft.used_microphone != self._watched.microphone:
            self._hearing = Hearing()
            self.query_one(LevelMeter).show(None, _no_sound(draft))
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLED_S, self._look)

    def _look(self) -> None:
        """Look at what is chosen, once the devices are known and the choice rests."""
        watch = Watch(self.draft.used_camera, self.draft.used_microphone)
        ready = self._devices_known and self._confirmed and not self._starting
        if ready and watch != self._watched:
            self._watched = watch
            self.link.send(watch)
            self._show_checks()


def _who_checks(draft: Draft) -> list[str]:
    """Say of each thing that is asked in the first step whether it is answered."""
    code = text("lacks.other_code" if draft.person else "lacks.code")
    lines = [f"○ {code}" if draft.code_problem() else f"✓ {draft.person}"]
    if draft.last is not None and draft.last.wall_clock:
        lines.append(f"✓ {text('check.last', date=date(draft.last.wall_clock))}")
    for scope, answer in (("video", draft.video), ("audio", draft.audio)):
        lines.append(f"○ {text(f'lacks.{scope}')}" if answer is None else _answered(scope, answer))
    lines += [_answered(s, bool(draft.further[s])) for s in draft.asked if s in draft.further]
    if "signals" in draft.asked and "signals" not in draft.further:
        lines.append(f"○ {text('lacks.signals')}")
    lines += [f"○ {text('lacks.scope', what=word('consent', s))}" for s in draft.unanswered()]
    return lines


def _study(draft: Draft) -> list[str]:
    """Say whether the protocol of a study leads through the recording."""
    led = draft.protocol
    return [] if led is None else [f"✓ {text('check.study', name=led.name, version=led.version)}"]


def _answered(scope: str, answer: bool) -> str:
    what, said = text(f"setup.{scope}"), text("answer.yes" if answer else "answer.no")
    return f"✓ {text('check.answer', what=what, answer=said)}"


def _brief(draft: Draft) -> list[str]:
    """Say who is recorded and what they agree to, in two lines."""
    agreed = [word("consent", scope) for scope in draft.granted()]
    consent = text("check.consent", what=", ".join(agreed) or text("consent.nothing"))
    code = [] if draft.code_problem() else [f"✓ {draft.person}"]
    return [*code, f"✓ {consent}"]


def _music_check(tracks: list[Track]) -> str:
    if not tracks:
        return f"– {text('check.no_music')}"
    total = clock(sum(track.duration_s for track in tracks))
    return f"✓ {text('check.music', tracks=counted('count.track', len(tracks)), total=total)}"


def _open(lacks: list[str]) -> list[str]:
    return [f"○ {each}" for each in lacks]


def _sign_off(words: str, off: bool) -> str:
    """Return words for what is not used, or not yet looked at."""
    return f"{'–' if off else '○'} {words}"


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


def _kept_words(settings: Settings, draft: Draft) -> str:
    """Say how long the disk lasts, and for whom the recording will be encrypted."""
    disk = _disk_words(settings, draft)
    try:
        told = vault.recipients(settings) if draft.recipients is None else draft.recipients
        return f"{disk}\n{text('setup.encrypted', words=vault.words(told))}" if told else disk
    except AffettiError as error:
        return f"{disk}\n! {error.message} {error.hint}"


def _disk_words(settings: Settings, draft: Draft) -> str:
    """Say how long the disk lasts."""
    try:
        folder = typed(draft.output).parent if draft.output else settings.folder
    except AffettiError:
        return text("setup.disk_unknown")
    left_s = lasts_s(settings, folder)
    return text("setup.disk_unknown") if left_s is None else text("setup.disk", span=span(left_s))
