"""Home: people, their recordings, and what can be done with them."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from affetti.core.errors import AffettiError
from affetti.core.language import brief_date, clock, counted, size_text, span, text, word
from affetti.core.people.index import Listed, Person, indexed, newest_first, people, scanned
from affetti.core.people.person import checked_code
from affetti.core.settings import Settings
from affetti.recorder.tui.commands import affetti
from affetti.recorder.tui.disk import lasts_s
from affetti.recorder.tui.screens.forget import ForgetScreen
from affetti.recorder.tui.screens.question import QuestionScreen
from affetti.recorder.tui.screens.unlock import UnlockScreen
from affetti.recorder.tui.widgets.headline import Headline

if TYPE_CHECKING:  # loaded once home is shown
    from affetti.core.people.last_time import LastTime
    from affetti.recorder.tui.screens.person import Chosen
    from affetti.recorder.tui.view import RecordingView

_CODE_WIDTH: Final = 10
_NEW: Final = "new:"  # of an option's id


class _List(OptionList):
    """A list in which a click chooses a line, and a second one opens it."""

    async def _on_click(self, event: events.Click) -> None:
        at = event.style.meta.get("option")
        if at is not None and not self.get_option_at_index(at).disabled:
            self.highlighted = at
            if event.chain > 1:
                self.action_select()
        event.prevent_default()


class HomeScreen(Screen[None], inherit_bindings=False):
    """People by their codes, and their sessions; what is typed filters both.

    Parameters
    ----------
    settings
        Where recordings lie.
    """

    TITLE = text("home.title")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "new", text("key.new_person"), tooltip=text("key.new_person_tip")),
        Binding("f3", "report", text("key.report"), tooltip=text("key.report_highlighted")),
        Binding(
            "delete",
            "forget",
            text("key.forget"),
            key_display="del",
            tooltip=text("key.forget_tip"),
        ),
        Binding("f4", "person", text("key.person"), tooltip=text("key.person_tip")),
        Binding("f6", "read", text("key.read"), tooltip=text("key.read_tip"), show=False),
        Binding("f7", "export", text("key.export"), tooltip=text("key.export_tip"), show=False),
        Binding("f9", "app.settings", text("key.settings"), tooltip=text("key.settings_tip")),
        Binding("f5", "refresh", text("key.look_again"), show=False),
        Binding(
            "tab,right,left", "other_list", text("key.other_list"), key_display="tab", show=False
        ),
        Binding("escape", "clear", text("key.clear"), show=False, tooltip=text("key.clear_tip")),
        Binding("ctrl+q", "app.leave", text("key.quit")),
    ]

    class SetUp(Message):
        """A recording is to be set up, of somebody known or new."""

        def __init__(self, person: str, last: "LastTime | None") -> None:
            super().__init__()
            self.person, self.last = person, last

    class Review(Message):
        """An old recording is to be looked at."""

        def __init__(self, view: "RecordingView") -> None:
            super().__init__()
            self.view = view

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._recordings: list[Listed] = []
        self._people: list[Person] = []
        self._noted: list[str] = []  # who has a log, and perhaps no recording
        self._typed = ""
        self._busy = False
        self._known = False  # whether the folder was looked through
        self._news = ""  # what became of what was asked for, until something else is looked at
        self._due = 0  # recordings of which something is due to be removed

    def compose(self) -> ComposeResult:
        """Lay out the two lists under what is typed."""
        yield Static(id="title", markup=False)
        yield Headline()
        yield Static(id="find")
        with Horizontal(id="home"):
            yield _List(id="people", markup=False, compact=True)
            yield _List(id="sessions", markup=False, compact=True)
        yield Static(id="about", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Show what is known at once, and then look through the folder."""
        self.query_one("#people").border_title = text("home.people")
        self.query_one("#sessions").border_title = text("home.sessions")
        self._show(indexed(self._settings.folder))
        self.query_one("#people").focus()
        self.call_after_refresh(self._scan)

    @property
    def _about(self) -> Listed | None:
        """The recording that a key means: the highlighted one, or a person's last."""
        if self.query_one("#sessions").has_focus:
            return self._session(self._highlighted("#sessions"))
        person = self._person(self._highlighted("#people"))
        return person.last if person else None

    def on_key(self, event: events.Key) -> None:
        """Filter by what is typed."""
        if event.key == "backspace":
            self._filter(self._typed[:-1])
        elif event.is_printable and event.character:
            self._filter(self._typed + event.character)
        else:
            return
        event.stop()

    def on_paste(self, event: events.Paste) -> None:
        """Filter by what is pasted."""
        self._filter(self._typed + event.text.strip())

    def action_clear(self) -> None:
        """Show everything."""
        self._filter("")

    def action_other_list(self) -> None:
        """Go to the other list."""
        there = "#people" if self.query_one("#sessions").has_focus else "#sessions"
        self.query_one(there).focus()

    def action_new(self) -> None:
        """Set up a recording of somebody new."""
        code = self._typed if self._is_new(self._typed) else ""
        self.post_message(self.SetUp(code, None))

    def action_refresh(self) -> None:
        """Look through the folder again."""
        self._scan()

    def action_report(self) -> None:
        """Write the report of the recording that is meant."""
        about = self._about
        if about is not None and about.state == "sealed" and not self._busy:
            self._run(text("review.writing"), "report", str(about.path))

    def action_export(self) -> None:
        """Write the recording that is meant as another program reads it, as which is asked."""
        from affetti.analyzer.commands.export import NAMES  # noqa: PLC0415
        from affetti.recorder.tui.screens.ask import ChooseScreen  # noqa: PLC0415

        about = self._about
        if about is None or about.state != "sealed" or self._busy:
            return
        formats = [(name, word("format", name)) for name in NAMES]
        question = text("home.export", name=about.path.name)
        self.app.push_screen(
            ChooseScreen(question, formats), lambda to: self._export(about.path, to)
        )

    def _export(self, path: Path, to: str | None) -> None:
        """Export it; what is encrypted only after a question."""
        from affetti.core.recording.box import is_box  # noqa: PLC0415

        if to is None:
            return

        def export(plain: bool | None) -> None:
            words = ("--plain",) if is_box(path) else ()
            if plain:
                self._run(text("home.exporting"), "export", str(path), "--to", to, *words)

        if not is_box(path):
            export(True)
            return
        question = text("home.export_encrypted")
        self.app.push_screen(QuestionScreen(question, text("home.export_encrypted_means")), export)

    def action_read(self) -> None:
        """Show the page of the session that is meant, or of the person over all sessions."""
        from affetti.recorder.tui.screens.read import (  # noqa: PLC0415
            ReadScreen,
            page_of_person,
            page_of_session,
        )

        if self.query_one("#sessions").has_focus:
            about = self._about
            if about is not None and about.state == "sealed":
                make = partial(page_of_session, about.path)
                self.app.push_screen(ReadScreen(text("read.session", name=about.path.name), make))
        elif (person := self._person(self._highlighted("#people"))) is not None:
            make = partial(page_of_person, person.code, self._settings.folder)
            self.app.push_screen(ReadScreen(text("read.person", person=person.code), make))

    def action_person(self) -> None:
        """Open the page of the person that is meant."""
        from affetti.recorder.tui.screens.person import PersonScreen  # noqa: PLC0415

        code = self._meant()
        if not code or self._busy:
            return
        theirs = [one for one in self._recordings if one.person == code]

        def go_on(chosen: "Chosen | None") -> None:
            if chosen is None:
                return
            if chosen.recording is not None:
                self._open(chosen.recording.path)
            elif (person := self._person(code)) is not None:
                self._set_up(person)
            else:
                self.post_message(self.SetUp(code, None))

        self.app.push_screen(PersonScreen(code, theirs, self._settings), go_on)

    def _meant(self) -> str:
        """Return the code of the person that a key means, one that was typed anew among them."""
        named = self._highlighted("#people") if self.query_one("#people").has_focus else None
        if named is not None:
            return named.removeprefix(_NEW)
        about = self._about
        return about.person if about is not None else ""

    def action_forget(self) -> None:
        """Remove a person's recordings, or one recording, once that was confirmed."""
        if self._busy:
            return
        if self.query_one("#people").has_focus:
            named = self._highlighted("#people")
            person, noted = self._person(named), (named or "").removeprefix(_NEW)
            if person is not None:
                self._forget_person(person.code, person.recordings)
            elif noted in self._noted:
                self._forget_person(noted, 0)
        elif (about := self._session(self._highlighted("#sessions"))) is not None:
            self._forget_session(about)

    @on(OptionList.OptionHighlighted)
    @on(events.DescendantFocus)
    def _tell(self) -> None:
        """Say of a session where it lies, or what is wrong with it; of a person what keys do."""
        if self._busy:
            return
        self._news = ""
        about = self._about
        self.query_one(Headline).say(self._meant())
        if about is not None and about.state == "sealed" and self.query_one("#people").has_focus:
            self._say(text("home.about_person"))
        elif about is not None:
            self._say(_about_words(about))
        elif self._recordings or not self._known:
            self._say("")
        else:
            self._say(text("home.nothing_yet"))

    @on(OptionList.OptionSelected, "#people")
    def _choose_person(self, event: OptionList.OptionSelected) -> None:
        named = str(event.option_id)
        if self.app.typed.goes_on:  # type: ignore[attr-defined]  # is no answer to what would open
            return
        if named.startswith(_NEW):
            self.post_message(self.SetUp(named.removeprefix(_NEW), None))
        elif (person := self._person(named)) is not None:
            self._set_up(person)

    @on(OptionList.OptionSelected, "#sessions")
    def _choose_session(self, event: OptionList.OptionSelected) -> None:
        chosen = self._session(str(event.option_id))
        goes_on = self.app.typed.goes_on  # type: ignore[attr-defined]
        if chosen is None or self._busy or goes_on:
            return
        match chosen.state:
            case "sealed":
                self._open(chosen.path)
            case "unsealed":
                self._run(text("home.sealing"), "recover", str(chosen.path))
            case "locked":
                self.app.push_screen(UnlockScreen(), self._open_vaults)
            case _:
                self._say(f"! {chosen.problem or text(f'home.is_{chosen.state}')}")

    def _forget_person(self, code: str, recordings: int) -> None:
        def forget(yes: bool | None) -> None:
            if yes:
                where = str(self._settings.folder)
                self._run(text("home.forgetting"), "forget", code, where, "--yes")

        self.app.push_screen(ForgetScreen(code, recordings), forget)

    def _forget_session(self, session: Listed) -> None:
        if session.state != "sealed":
            self._say(f"! {text('home.not_forgotten')}")
            return

        def forget(yes: bool | None) -> None:
            if yes:
                self._remove(session.path)

        question = text("home.forget_one", person=session.person, when=_when(session.wall_clock))
        self.app.push_screen(QuestionScreen(question, text("home.forget_one_means")), forget)

    @work(thread=True, exclusive=True, group="scan")
    def _scan(self) -> None:
        from affetti.core.people.log import persons_in  # noqa: PLC0415  what home starts without

        try:
            found = scanned(self._settings.folder)
        except AffettiError as error:
            self.app.call_from_thread(self._not_found, f"! {error.message} {error.hint}")
            return
        with suppress(AffettiError):
            self._noted = persons_in(self._settings.folder)
        self.app.call_from_thread(self._scanned, found)
        if self._settings.retention.says_something:
            self._look_for_due()
        _warm()

    def _not_found(self, said: str) -> None:
        """Say why the folder cannot be looked through; how much it holds is not known then."""
        self.query_one("#title", Static).update(text("home.title"))
        self._say(said)

    def _look_for_due(self) -> None:
        """Find what is due to be removed, by the rules of the settings."""
        from affetti.core.custody.retention import outlook  # noqa: PLC0415  it opens recordings

        with suppress(AffettiError):
            self._due = len(outlook([self._settings.folder], self._settings.retention).due)
            self.app.call_from_thread(self._retitle)

    def _scanned(self, found: list[Listed]) -> None:
        self._known = True
        self._show(found)
        if not self._news:
            self._tell()

    @work(thread=True, exclusive=True, group="open")
    def _set_up(self, person: Person) -> None:
        """Set up a recording of somebody known, with what was agreed to last time."""
        from affetti.core.people.last_time import last_time  # noqa: PLC0415

        last = None
        theirs = [one for one in self._recordings if one.person == person.code]
        if theirs[0].state == "sealed":
            with suppress(AffettiError):  # asked anew, then
                last = last_time(theirs[0].path)
        self.post_message(self.SetUp(person.code, last))

    @work(thread=True, exclusive=True, group="open")
    def _open(self, path: Path) -> None:
        from affetti.recorder.tui.reopened import reopened  # noqa: PLC0415

        self.app.call_from_thread(self._begin, text("home.opening"))
        try:
            view = reopened(path)
        except AffettiError as error:
            self.app.call_from_thread(self._end, f"! {error.message} {error.hint}")
            return
        self._busy = False
        self.post_message(self.Review(view))

    def _open_vaults(self, passphrase: str | None) -> None:
        if passphrase:
            self._unlock(passphrase)

    @work(thread=True, exclusive=True, group="run")
    def _unlock(self, passphrase: str) -> None:
        """Open the vaults of this computer that a passphrase opens."""
        from affetti.core.custody import vault  # noqa: PLC0415  which has keys for what is closed

        self.app.call_from_thread(self._begin, text("home.unlocking"))
        said = text("home.no_vault")
        for found in vault.legible_vaults()[0]:
            if found.stored.opened_by == "passphrase":
                try:
                    vault.unlock(found.name, passphrase)
                except AffettiError as error:
                    said = f"! {error.message} {error.hint}"
                else:
                    said = text("home.unlocked", name=found.name)
                    break
        self.app.call_from_thread(self._end, said)

    @work(thread=True, exclusive=True, group="run")
    def _remove(self, path: Path) -> None:
        from affetti.core.custody.withdrawal import forget  # noqa: PLC0415

        self.app.call_from_thread(self._begin, text("home.forgetting"))
        try:
            gone = counted("home.gone", len(forget(path)))
        except AffettiError as error:
            gone = f"! {error.message} {error.hint}"
        self.app.call_from_thread(self._end, gone)

    @work(exclusive=True, group="run")
    async def _run(self, meanwhile: str, *words: str) -> None:
        self._begin(meanwhile)
        code, said = await affetti(*words)
        self._end(f"! {said}" if code else said)

    def _begin(self, meanwhile: str) -> None:
        self._busy = True
        self._say(meanwhile)

    def _end(self, said: str) -> None:
        self._busy = False
        self._news = said
        self._say(said)
        self._scan()

    def _filter(self, typed: str) -> None:
        self._typed = typed.lstrip()
        self._list()
        self._tell()

    def _show(self, recordings: Iterable[Listed]) -> None:
        self._recordings = newest_first(recordings)
        self._people = people(self._recordings)
        self._retitle()
        self._list()

    def _list(self) -> None:
        """Fill both lists with what fits to what is typed."""
        find = self.query_one("#find", Static)
        find.set_class(not self._typed, "hint")
        find.update(
            Text.assemble((text("home.find"), "bold"), f" {self._typed}", ("▏", "blink"))
            if self._typed
            else Text(text("home.find_hint"))
        )
        typed = self._typed.lower()
        persons = [p for p in self._people if typed in p.code.lower()]
        options = [Option(_person_line(p), p.code) for p in persons]
        noted = [code for code in self._noted if typed in code.lower() and self._is_new(code)]
        options += [Option(_noted_line(code), _NEW + code) for code in noted]
        if self._is_new(self._typed) and self._typed not in noted:
            options.append(Option(text("home.new", code=self._typed), _NEW + self._typed))
        _fill(self.query_one("#people", _List), options)
        shown = [one for one in self._recordings if typed in _words(one)]
        _fill(self.query_one("#sessions", _List), [_session_option(one) for one in shown])

    def _retitle(self) -> None:
        self.query_one("#title", Static).update(self._title())

    def _title(self) -> str:
        if not (self._known or self._recordings):
            return f"{text('home.title')}   {text('home.looking')}"  # none is not known yet
        held = sum(one.size for one in self._recordings)
        words = [
            text("home.title"),
            counted("home.count_people", len(self._people)),
            counted("home.count_recordings", len(self._recordings), size=size_text(held)),
        ]
        left_s = lasts_s(self._settings, self._settings.folder)
        if left_s is not None:
            words.append(text("home.room", span=span(left_s)))
        if self._due:
            words.append(counted("home.due", self._due))
        shown = words[0]
        for each in words[1:]:  # what has no room is not cut in its middle
            if cell_len(shown) + 3 + cell_len(each) <= self.size.width - 2:
                shown += f"   {each}"
        return shown

    def _say(self, words: str) -> None:
        about = self.query_one("#about", Static)
        about.set_class(words.startswith("!"), "-error")
        about.update(words)

    def _is_new(self, code: str) -> bool:
        try:
            checked_code(code)
        except AffettiError:
            return False
        return all(code != person.code for person in self._people)

    def _highlighted(self, where: str) -> str | None:
        options = self.query_one(where, _List)
        at = options.highlighted
        return None if at is None else options.get_option_at_index(at).id

    def _person(self, code: str | None) -> Person | None:
        return next((person for person in self._people if person.code == code), None)

    def _session(self, path: str | None) -> Listed | None:
        return next((one for one in self._recordings if str(one.path) == path), None)


def _fill(options: _List, lines: list[Option]) -> None:
    """Fill a list anew; what was highlighted stays so, where it is there still."""
    at = options.highlighted
    before = None if at is None else options.get_option_at_index(at).id
    options.clear_options()
    options.add_options(lines)
    ids = [line.id for line in lines]
    if lines:
        with options.prevent(OptionList.OptionHighlighted):  # nobody moved
            options.highlighted = ids.index(before) if before in ids else 0


def _person_line(person: Person) -> Text:
    when = _when(person.last.wall_clock, brief=True)
    line = f"{_cut(person.code):<{_CODE_WIDTH}} {when:<11} {person.recordings:>3}"
    return Text(line, no_wrap=True, overflow="ellipsis")


def _noted_line(code: str) -> Text:
    line = f"{_cut(code):<{_CODE_WIDTH}} {text('home.no_session')}"
    return Text(line, no_wrap=True, overflow="ellipsis")


def _session_option(one: Listed) -> Option:
    when = _when(one.wall_clock)
    who = _cut(one.person) if one.person else one.path.name
    if one.state == "sealed":
        line = f"{when:<16} {who:<{_CODE_WIDTH}} {clock(one.duration_s):>7}  ♪ {one.tracks}"
        return Option(Text(line, no_wrap=True, overflow="ellipsis"), str(one.path))
    sign = "! " if one.state in ("unsealed", "unreadable") else ""
    state = f"{sign}{text(f'home.is_{one.state}')}"
    # A file's name may be cut; that it broke off may not.
    known = f"{when:<16} {who:<{_CODE_WIDTH}} {state}"
    line = known if one.person else f"{state}  {who}"
    style = "bold" if one.state == "unsealed" else ""
    return Option(Text(line, style, no_wrap=True, overflow="ellipsis"), str(one.path))


def _about_words(one: Listed) -> str:
    if one.state == "locked":
        return text("home.unlock_it")
    if one.problem:
        return f"! {one.problem}"
    return text("home.seal_it") if one.state == "unsealed" else str(one.path)


def _cut(code: str) -> str:
    return code if len(code) <= _CODE_WIDTH else f"{code[: _CODE_WIDTH - 1]}…"


def _words(one: Listed) -> str:
    return f"{one.person} {_when(one.wall_clock)} {one.path.name}".lower()


def _when(wall_clock: str, brief: bool = False) -> str:
    """Return a date and time as lists have them; the nearest days by their word, if brief."""
    try:
        moment = datetime.fromisoformat(wall_clock).astimezone()
    except (ValueError, OverflowError):
        return text("unknown")
    if brief:
        days = (datetime.now().astimezone().date() - moment.date()) // timedelta(days=1)
        if days in (0, 1):
            return text(f"home.days_ago.{days}", time=f"{moment:%H:%M}")
        return brief_date(moment)
    return f"{brief_date(moment)} {moment:%H:%M}"


def _warm() -> None:
    """Load what the next screens need, while somebody looks at this one."""
    import affetti.recorder.tui.screens.setup  # noqa: F401, PLC0415
