"""The app: it hears the engine, keeps the recording's view, and moves between the screens."""

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events
from textual.app import App, SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import ModalScreen, Screen

from affetti.core import logbook
from affetti.core.errors import AffettiError, Unsealed
from affetti.core.language import known, text
from affetti.core.settings import Settings
from affetti.recorder.tui.key_order import Handled, KeyOrder
from affetti.recorder.tui.marker_keys import PEDALS
from affetti.recorder.tui.screens.dialog import Commands
from affetti.recorder.tui.screens.help import HelpScreen, own_bindings
from affetti.recorder.tui.screens.home import HomeScreen
from affetti.recorder.tui.screens.question import QuestionScreen
from affetti.recorder.tui.screens.settings import SettingsScreen
from affetti.recorder.tui.themes import (
    CALM,
    CLINICAL,
    THEMES,
    remember,
    remember_large,
    remembered,
    remembered_large,
)

if TYPE_CHECKING:  # what records takes a second to load: when a recording is set up
    from affetti.recorder.engine.messages import AnyMessage, Note
    from affetti.recorder.tui.comeback import Left
    from affetti.recorder.tui.draft import Draft
    from affetti.recorder.tui.link import EngineLink, EngineSaid
    from affetti.recorder.tui.screens.base import EngineScreen
    from affetti.recorder.tui.screens.live import LiveScreen
    from affetti.recorder.tui.screens.note import NoteScreen
    from affetti.recorder.tui.screens.plain import PlainScreen
    from affetti.recorder.tui.view import RecordingView

# Keys that are no commands: they move about, open the list itself, or end without a question.
_WITHDRAWABLE: Final = ("video", "room", "signals")  # scopes
_NO_COMMANDS: Final = frozenset(
    {
        *("app.focus_next", "app.focus_previous", "command_palette", "mark", "interrupt"),
        *("cursor_down", "cursor_up", "first", "last", "page_down", "page_up", "select"),
        *("scroll_down", "scroll_up", "scroll_left", "scroll_right", "scroll_home", "scroll_end"),
    }
)
_SOON_S: Final = 0.05  # until keys that are being handled are
_AT_THE_BEGINNING_NS: Final = 2_000_000_000


class AffettiApp(App[None]):
    """The recorder's screen.

    Parameters
    ----------
    engine
        The screen's end of the pipe to the engine, or what starts one and gives it; that is
        called when it is needed first.
    settings
        How to record.
    draft
        What is known of the first recording already; its set-up opens then, and home without.
    monotonic_ns
        The machine's monotonic clock.
    at_home
        Whether home opens, where nothing is known of a recording.
    left
        A recording that goes on, by a screen that failed; it opens then.
    """

    TITLE = "Affetti"
    CSS_PATH = "affetti.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", text("key.help"), priority=True, tooltip=text("key.this_list")),
        Binding(
            "ctrl+p",
            "command_palette",
            text("key.commands"),
            show=False,
            tooltip=text("key.every_command"),
        ),
        Binding(
            "f2",
            "mark",
            text("key.mark"),
            show=False,
            priority=True,
            tooltip=text("key.mark_this_moment"),
        ),
        Binding(
            "ctrl+c",
            "interrupt",
            text("key.end"),
            show=False,
            priority=True,
            tooltip=text("key.end_and_seal_at"),
        ),
        Binding(
            "f9", "settings", text("key.settings"), tooltip=text("key.settings_tip"), show=False
        ),
        Binding("ctrl+l", "large", text("key.large"), tooltip=text("key.large_tip"), show=False),
        Binding(
            "ctrl+q", "leave", text("key.quit"), show=False, tooltip=text("key.quit_never_unasked")
        ),
    ]
    COMMAND_PALETTE_BINDING = "ctrl+p"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  as Textual has it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        engine: Connection | Callable[[], Connection],
        settings: Settings,
        draft: "Draft | None" = None,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        *,
        at_home: bool = False,
        left: "Left | None" = None,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.view: RecordingView | None = None  # of the latest recording
        self.problem: AffettiError | None = None  # for whoever started the app
        self.write_page: Callable[[str], object] | None = None  # of a recording, by itself
        self.failed: Exception | None = None  # what was not foreseen, and closed the screen
        self.large = False  # whether letters are
        self._at_home = at_home
        self._draft = draft
        self._monotonic_ns = monotonic_ns
        self._engine = engine
        self._opened: EngineLink | None = None  # its link
        self._left = left
        self._leaves: Left | None = None  # to the screen after this one
        self._begun_s = time.monotonic()
        self._ending = False  # a signal says so
        self.last_words: list[AnyMessage] = []  # of the engine, once it does
        self._pressed_s = 0.0  # when the latest key or button was, on the clock of messages
        self.typed = KeyOrder(self)  # and not handled yet

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give themes of Textual's own the hues of ours."""
        return CALM.variables

    def get_key_display(self, binding: Binding) -> str:
        """Name a key as keyboards of the language do: of several the first."""
        if not binding.key_display:
            binding = replace(binding, key=binding.key.partition(",")[0])
        parts = super().get_key_display(binding).split("+")
        named = (f"key_name.{part}" for part in parts)
        return "+".join(
            text(name) if known(name) else part for name, part in zip(named, parts, strict=True)
        )

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer what a key does, and what is too rare or too grave for one.

        Textual's own screenshot is left out: a picture of a person must not be written by the way.
        """
        for active in screen.active_bindings.values():
            binding = active.binding
            action, node = binding.action, active.node
            own = (each for kind in type(node).__mro__ for each in own_bindings(kind))
            ours = any(each.action == action for each in own)
            offered = active.enabled and ours and action not in _NO_COMMANDS
            if binding.description and offered:
                yield SystemCommand(
                    binding.tooltip or binding.description,
                    text("app.key", key=self.get_key_display(binding)),
                    lambda action=action, node=node: self.run_worker(self.run_action(action, node)),
                )
        theme = text("app.light" if self.current_theme.dark else "app.dark")
        yield SystemCommand(theme, text("app.change_colours"), self._change_theme)
        yield from self._consent_commands()

    def on_mount(self) -> None:
        """Take the colours that were chosen last, and open the first screen."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = remembered()
        self._show_letters(remembered_large())
        self.open_first()

    def open_first(self) -> None:
        """Open home, or the set-up, or the recording that a screen before this one left."""
        if self._left is not None:
            self._come_back(self._left)
        else:
            self.push_screen(HomeScreen(self.settings) if self._at_home else self._set_up())

    def on_unmount(self) -> None:
        """Stop listening, unless a screen comes that goes on listening."""
        if self._opened is not None and self._leaves is None:
            self._opened.close()

    @property
    def draft(self) -> "Draft":
        """What is known of the next recording."""
        if self._draft is None:
            from affetti.recorder.tui.draft import Draft

            self._draft = Draft.of_settings(self.settings)
        return self._draft

    @draft.setter
    def draft(self, draft: "Draft") -> None:
        self._draft = draft

    def set_up(self, draft: "Draft") -> None:
        """Set up a recording, of which something is known already."""
        self.draft = draft
        self.switch_screen(self._set_up())

    def on_home_screen_set_up(self, event: HomeScreen.SetUp) -> None:
        """Set up a recording of somebody."""
        from affetti.recorder.tui.draft import Draft
        from affetti.recorder.tui.person import known_of

        known = known_of(event.person, self.settings) if event.person else None
        self.set_up(Draft.of_person(self.settings, event.person, event.last, known))

    def on_home_screen_review(self, event: HomeScreen.Review) -> None:
        """Look at an old recording."""
        from affetti.recorder.tui.screens.review import ReviewScreen

        self.switch_screen(ReviewScreen(self._link, event.view))

    @property
    def recording(self) -> bool:
        """Whether a recording is running or being sealed."""
        view = self.view
        return view is not None and view.sealed is None and view.failure is None

    async def on_event(self, event: events.Event) -> None:
        """Take in an event; what is typed is taken in order, each key once the one before is done.

        A dialog that closed by itself was meant by keys that were pressed while it was open.
        """
        if isinstance(event, events.MouseDown):
            self._pressed_s = event.time
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self.typed.take(event)
        elif not isinstance(event, events.Key) or self.typed.is_meant(event):
            await super().on_event(event)

    async def handle(self, typed: events.Key | events.Paste) -> bool:
        """Handle what was typed, now that its turn has come; return whether somebody else has to.

        A foot pedal marks, whatever is open over the live screen.
        """
        self._pressed_s = typed.time
        if isinstance(typed, events.Key) and typed.key in PEDALS:
            live = self._live()
            if live is not None and live.count(typed.key, typed.time):
                return False
        await super().on_event(typed)
        return True

    @property
    def quiet_s(self) -> float:
        """For how long nothing was typed or clicked."""
        return 0.0 if self.typed.unhandled else max(Message().time - self._pressed_s, 0.0)

    async def on_handled(self, event: Handled) -> None:
        """Go on with the next key."""
        await self.typed.handled(event)

    def pop_screen(self) -> AwaitComplete:
        """Close what is open over a screen."""
        popped = super().pop_screen()
        self.typed.changed(closed=True)
        return popped

    def switch_screen(self, screen: Screen[Any] | str) -> AwaitComplete:
        """Show another screen instead."""
        switched = super().switch_screen(screen)
        self.typed.changed()
        return switched

    def push_by_itself(self, screen: Screen[Any]) -> None:
        """Open something that no key opened: what was typed before was not meant for it."""
        self.push_screen(screen)
        self.typed.shut(Message().time)

    def end(self) -> None:
        """Show nothing more: a signal has ended engine and screen. May be called in its handler."""
        self._ending = True

    def _handle_exception(self, error: Exception) -> None:
        """Note a defect of ours and close the screen; `_open` says what became of a recording.

        Textual's own way takes seconds, and prints what variables held: words about a person.
        """
        if self.is_headless or os.environ.get("AFFETTI_DEBUG"):
            super()._handle_exception(error)
            return
        logbook.note("not foreseen", error)
        if not (self._ending or self._exit):  # of what is being closed, parts are gone already
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Close the screen because of a defect of ours; a recording is left to the next."""
        if self.failed is None:
            self.failed = error
            if self.view is not None and self.recording:
                with suppress(Exception):  # what is broken may be what would be left
                    self._leaves = self._what_is_left(self.view, error)
        self.panic()

    def successor(self) -> "AffettiApp | None":
        """Return a screen for the recording that this one, which failed, leaves; None: it does not.

        A recording that is sealed by now needs none.
        """
        left = self._leaves
        if left is None or left.over or self._ending or not self.recording:
            self.close_link()
            return None
        app = AffettiApp(self._engine, self.settings, left.draft, self._monotonic_ns, left=left)
        app.write_page, app.last_words = self.write_page, self.last_words
        return app

    def close_link(self) -> None:
        """Hear no more of the engine."""
        if self._opened is not None:
            self._opened.close()

    def action_try_again(self) -> None:
        """Open the whole screen again, instead of the plain one."""
        if self.view is not None and self._left is not None and self.recording:
            self._left.failures = 0  # somebody looks after it
            live = self._live_screen(self.view)
            live.take_over(self._live(), "")
            self._go(live)

    def unsent(self, patience_s: float) -> int:
        """Wait until the engine has been sent all; return how many commands still wait."""
        return 0 if self._opened is None else self._opened.unsent(patience_s)

    def on_engine_said(self, event: "EngineSaid") -> None:
        """Take in a message, and show it."""
        from affetti.recorder.engine.messages import LAST_WORDS, Sealed, Started
        from affetti.recorder.tui.screens.base import EngineScreen
        from affetti.recorder.tui.view import RecordingView

        said = event.said
        self._link.heard()
        if self._ending:
            self.last_words += [said] if isinstance(said, LAST_WORDS) else []
            return
        if isinstance(said, Started):
            self.view = RecordingView(self._monotonic_ns)
        try:
            if self.view is not None and self.view.sealed is None:
                self.view.hear(said)
        finally:  # whatever fails here: what the person no longer agrees to is on file
            self._file_consent(said)
        self._move(said)
        self._look_for_neutral(said)
        if isinstance(said, Sealed):
            self.page_changed(said.path)
        if self._exit or not self.is_running:
            return  # of screens that are being taken down, parts are gone already
        for screen in self.screen_stack:
            # Without children it is not composed yet.
            if isinstance(screen, EngineScreen) and screen.is_mounted and screen.children:
                screen.hear(said)

    def page_changed(self, path: str) -> None:
        """Have the page of a recording written, for the first time or anew."""
        if self.write_page is not None:
            self.write_page(path)

    def on_engine_gone(self) -> None:
        """Say that the engine has ended, where the recording is, and what brings it back."""
        self._link.heard()
        if self._ending:
            return
        from affetti.recorder.tui.screens.gone import GoneScreen

        view = self.view
        if view is not None:
            view.gone = True
        unsealed = view if view is not None and _is_unsealed(view) else None
        self.problem = _gone(unsealed)
        self._show_gone()
        note = self._kept_note(unsealed) if unsealed else ""
        self.push_by_itself(GoneScreen(self.problem, note))

    def _show_gone(self) -> None:
        """Show beneath what is said of it that nothing is recorded, nor sealed, any more."""
        from affetti.recorder.tui.screens.plain import PlainScreen
        from affetti.recorder.tui.screens.review import ReviewScreen

        for screen in self.screen_stack:
            if isinstance(screen, ReviewScreen | PlainScreen) and screen.children:
                screen.look()

    def action_command_palette(self) -> None:
        """List the commands."""
        if not isinstance(self.screen, Commands):
            found = text("app.find_command")
            self.push_screen(Commands(placeholder=found, id="--command-palette"))

    def action_help(self) -> None:
        """List the keys of the present screen."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen([self.screen, *self.screen.query("*"), self]))

    def action_settings(self) -> None:
        """Show what can be set."""
        if not isinstance(self.screen, ModalScreen):
            self.push_screen(SettingsScreen(self.settings))

    def action_large(self) -> None:
        """Show what matters most in large letters, or all of it again."""
        self._show_letters(not self.large)
        remember_large(self.large)

    def _show_letters(self, large: bool) -> None:
        self.large = large
        self.set_class(large, "-large")
        for screen in self.screen_stack:
            screen.set_class(large, "-large")

    def action_mark(self) -> None:
        """Mark this moment, whatever is open over the live screen."""
        live = self._live()
        if live is not None:
            live.mark(max(Message().time - self._pressed_s, 0.0))

    def action_interrupt(self) -> None:
        """Ask whether to end a recording, and the second time end it; leave when there is none.

        Elsewhere Ctrl+C copies: a habit must not end a session.
        """
        live = self._live()
        if live is None or self.problem is not None:
            self.exit()
        elif isinstance(self.screen, QuestionScreen) and self.screen.ends:
            self.screen.dismiss(True)
        else:
            from affetti.recorder.tui.screens.note import NoteScreen

            if isinstance(self.screen, NoteScreen):
                self.screen.finish()
            live.action_stop()

    def action_leave(self) -> None:
        """Leave; a running recording is asked about first."""
        live = self._live()
        if live is None or self.problem is not None:
            self.exit()
        elif live is self.screen:
            live.action_stop()

    def action_home(self) -> None:
        """Go to where people and recordings are, unless one is being made."""
        if not (self.recording or isinstance(self.screen, HomeScreen | ModalScreen)):
            self.switch_screen(HomeScreen(self.settings))

    def action_new_session(self) -> None:
        """Set up another recording with the same devices and music."""
        from affetti.recorder.tui.screens.review import ReviewScreen

        if isinstance(self.screen, ReviewScreen):
            self.set_up(self.draft.next_session())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a marker only while recording, and another session only when this one is done."""
        match action:
            case "mark":
                return self._live() is not None
            case "new_session" | "home":
                return not self.recording
        return True

    @property
    def _link(self) -> "EngineLink":
        if self._opened is None:
            from affetti.recorder.tui.link import EngineLink

            self._opened = EngineLink(self._engine, self.post_message)
        return self._opened

    def _set_up(self) -> Screen[None]:
        from affetti.recorder.tui.screens.setup import SetupScreen

        self._link.start()
        return SetupScreen(self._link, self.draft, self.settings)

    def _move(self, said: "AnyMessage") -> None:
        """Go to the screen that a message calls for."""
        view = self.view
        if view is None:
            return
        from affetti.recorder.engine.messages import Started

        if isinstance(said, Started):
            self._go(self._live_screen(view))
        elif self._live() is not None and (view.state.ended is not None or _over(view, said)):
            # It takes a second to load, in which no key would be heard.
            from affetti.recorder.tui.screens.review import ReviewScreen

            note = self._open_note()
            closes = note is not None and note.is_over and self.screen is note
            if note is not None and (self.typed.unhandled or closes):
                self.set_timer(_SOON_S, lambda: self._move(said))
                return
            if note is not None and note.is_over:  # beneath something else
                note = None
            review = ReviewScreen(self._link, view, note.text if note else "")
            self._go(review)
            if note is not None:  # whoever types it goes on, and no letter is a command
                self.push_screen(note.again(review.note, review.keep))
                self.typed.shut(0.0)  # it means the note, whenever it was typed

    def _live_screen(self, view: "RecordingView") -> "LiveScreen":
        from affetti.recorder.tui.person import asked_of, labels_of
        from affetti.recorder.tui.screens.live import LiveScreen

        asked = asked_of(self.draft.known, self.settings)
        return LiveScreen(self._link, view, asked, labels_of(self.draft.known))

    def _what_is_left(self, view: "RecordingView", error: Exception) -> "Left":
        from affetti.recorder.tui.comeback import Left, failures_in_a_row

        before = self._left.failures if self._left is not None else 0
        failures = failures_in_a_row(before, time.monotonic() - self._begun_s)
        left = Left(self._link, view, self.draft, type(error).__name__, failures)
        with suppress(Exception):  # the screens may be what failed
            left.live, left.note = self._live(), self._note_so_far()
        return left

    def _come_back(self, left: "Left") -> None:
        """Open the recording that a screen left, say what happened, and hear what came since."""
        from affetti.recorder.tui.screens.plain import PlainScreen

        self._opened, self.view = left.link, left.view
        if left.note is not None:
            left.link.send(left.note)
        said = text(
            "live.came_back" if left.note is None else "live.came_back_note", kind=left.kind
        )
        number = left.live.number if left.live is not None else 0
        if left.plain:
            self.push_screen(PlainScreen(left.link, left.view, said, number))
        elif left.view.state.ended is not None or left.view.sealing is not None:
            from affetti.recorder.tui.screens.review import ReviewScreen

            self.push_screen(ReviewScreen(left.link, left.view, ""))
        else:
            live = self._live_screen(left.view)
            live.take_over(left.live, said)
            self.push_screen(live)
        left.live = left.note = None
        left.link.post_to(self.post_message)

    def _look_for_neutral(self, said: "AnyMessage") -> None:
        """Count down while a neutral reference is recorded, unless something else is open."""
        from affetti.core.events import NeutralReferenceStarted
        from affetti.recorder.engine.messages import Recorded

        if not isinstance(said, Recorded):
            return
        live = self._live()
        begun = any(isinstance(event, NeutralReferenceStarted) for event in said.events)
        if begun and live is not None and live is self.screen and self.view is not None:
            from affetti.recorder.engine.messages import ShowNeutralFace
            from affetti.recorder.tui.screens.live import LiveScreen
            from affetti.recorder.tui.screens.neutral import NeutralScreen

            if not isinstance(live, LiveScreen):
                return

            lasts_s = ShowNeutralFace().seconds
            span = self.view.state.neutral_reference
            if span is not None and span.start_ns < _AT_THE_BEGINNING_NS:
                lasts_s = self.draft.plan_of_neutral() or lasts_s
            led = self.view.state.protocol
            if led is not None and led.step is not None and led.step.kind == "neutral":
                lasts_s = led.step.seconds or lasts_s
            self.push_by_itself(
                NeutralScreen(self.view, lasts_s, live.action_neutral, live.action_note)
            )

    def _file_consent(self, said: "AnyMessage") -> None:
        """Put on file what the person no longer agrees to, where their consent is."""
        from affetti.core.events import ConsentChanged
        from affetti.recorder.engine.messages import Recorded
        from affetti.recorder.tui.person import consent_ended

        known = self._draft.known if self._draft is not None else None
        if known is None or known.consent is None or not isinstance(said, Recorded):
            return
        changes = [event for event in said.events if isinstance(event, ConsentChanged)]
        view = self.view
        if changes and view is not None and view.state.started is not None:
            session_id, recipients = view.state.started.session_id, self.draft.recipients
            known.consent = consent_ended(
                known.consent, changes[-1].consent, session_id, self.settings, recipients
            )

    def _go(self, screen: "EngineScreen") -> None:
        """Replace the present screen, and whatever is open over it."""
        from affetti.recorder.tui.screens.base import EngineScreen

        while not isinstance(self.screen, EngineScreen):
            self.pop_screen()
        self.switch_screen(screen)

    def _open_note(self) -> "NoteScreen | None":
        from affetti.recorder.tui.screens.note import NoteScreen

        return next((s for s in self.screen_stack if isinstance(s, NoteScreen)), None)

    def _note_so_far(self) -> "Note | None":
        """Return a note that is being typed as one that is finished; None where there is none."""
        from affetti.recorder.engine.messages import Note
        from affetti.recorder.tui.screens.note import NoteScreen

        for screen in self.screen_stack:
            if isinstance(screen, NoteScreen) and screen.text:
                return Note(screen.text, time.monotonic() - screen.begun_s)
        return None

    def _kept_note(self, view: "RecordingView") -> str:
        from affetti.recorder.tui.screens.gone import kept

        open_note, started = self._open_note(), view.state.started
        note = open_note.text if open_note is not None else ""
        if not note or started is None:
            return note
        return kept(note, Path(view.path), started.session_id, view.recipients)

    def _live(self) -> "LiveScreen | PlainScreen | None":
        if self.view is None:
            return None
        from affetti.recorder.tui.screens.live import LiveScreen
        from affetti.recorder.tui.screens.plain import PlainScreen

        shown = (s for s in self.screen_stack if isinstance(s, LiveScreen | PlainScreen))
        return next(shown, None)

    def _change_theme(self) -> None:
        self.theme = CLINICAL.name if self.current_theme.dark else CALM.name
        remember(self.theme)

    def _consent_commands(self) -> Iterable[SystemCommand]:
        if self.view is None or self._live() is None:
            return
        for scope in _WITHDRAWABLE:
            if self.view.state.consent.grants(scope):
                yield SystemCommand(
                    text(f"withdraw.{scope}"),
                    text(f"withdraw.{scope}.what"),
                    lambda scope=scope: self._withdraw(scope),
                )

    def _withdraw(self, scope: str) -> None:
        if self.view is None:
            return
        from affetti.core.consent import today
        from affetti.recorder.engine.messages import ChangeConsent

        consent = self.view.state.consent
        left = consent.changed(ended=[scope], since=today())

        def change(yes: bool | None) -> None:
            if yes:
                self._link.send(ChangeConsent(left))

        self.push_screen(
            QuestionScreen(text(f"withdraw.{scope}.question"), text("withdraw.explanation")),
            change,
        )


def _over(view: "RecordingView", said: "AnyMessage") -> bool:
    from affetti.recorder.engine.messages import Sealing

    return isinstance(said, Sealing) or view.sealed is not None or view.failure is not None


def _is_unsealed(view: "RecordingView") -> bool:
    """Whether there is something to seal, as far as is known; where it failed, what lies there."""
    from affetti.core.recording.names import parts_of

    if view.sealed is not None:
        return False
    return view.failure is None or bool(parts_of(Path(view.path)))


def _gone(view: "RecordingView | None") -> AffettiError:
    if view is None:
        return AffettiError("app.recording_engine_stopped")
    return Unsealed("app.recording_engine_stopped_recorded", path=view.path)
