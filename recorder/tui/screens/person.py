"""The page of a person: goals, what is counted, their music, consent on file, sessions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from affetti.core.consent import days_from_today, today
from affetti.core.emotions import EMOTIONS
from affetti.core.errors import AffettiError, UsageError
from affetti.core.events import MarkerKey
from affetti.core.events.entries import Retracted, new_id
from affetti.core.events.moments import PRESS, STRETCH
from affetti.core.events.people import (
    GOAL_STATES,
    ConsentFiled,
    GoalDropped,
    GoalReworded,
    GoalSet,
    GoalStateChanged,
    MarkersChosen,
    MusicLabelled,
    NeutralDescribed,
    PlaylistsChosen,
    ScalesChosen,
)
from affetti.core.language import brief_day, clock, counted, date, text, word
from affetti.core.paths import typed
from affetti.core.people.authors import author_id
from affetti.core.people.history import AnyPersonEntry, Goal, PersonState, has_expired
from affetti.core.people.index import Listed
from affetti.core.people.log import person_state
from affetti.core.people.marker_sets import MAX_LABEL, MarkerSet, write_set
from affetti.core.settings import Settings
from affetti.recorder.tui.person import import_markers, keep
from affetti.recorder.tui.person_words import Line, Section, lines_of
from affetti.recorder.tui.screens.ask import AskScreen, ChooseScreen, KeyScreen
from affetti.recorder.tui.screens.dialog import Dialog
from affetti.recorder.tui.screens.person_consent import ConsentFileScreen
from affetti.recorder.tui.theirs import Theirs, theirs
from affetti.recorder.tui.usual import playlists_in
from affetti.recorder.tui.widgets.headline import Headline

_LEFT: Final[tuple[Section, ...]] = ("goals", "markers", "labels")
_RIGHT: Final[tuple[Section, ...]] = ("consent", "neutral", "asked", "playlists")
_SESSION: Final = "session:"


@dataclass(frozen=True)
class Chosen:
    """What is to be done with a person, or with one of their recordings."""

    what: Literal["record", "open"]
    recording: Listed | None = None


class PersonScreen(Dialog[Chosen]):
    """What is kept of a person beside their recordings, shown and changed.

    Parameters
    ----------
    person
        The code.
    recordings
        Theirs, the newest first.
    settings
        Where all of it lies.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "change", text("key.change_it"), tooltip=text("key.change_it_tip")),
        Binding("a", "add", text("key.add"), tooltip=text("key.add_tip")),
        Binding("delete", "remove", text("key.take_out"), key_display="del"),
        Binding("1", "state(0)", text("goal.not_yet"), tooltip=text("key.goal_not_yet")),
        Binding("2", "state(1)", text("goal.emerging"), tooltip=text("key.goal_emerging")),
        Binding("3", "state(2)", text("goal.achieved"), tooltip=text("key.goal_achieved")),
        Binding("r", "record", text("key.record_them"), tooltip=text("key.record_them_tip")),
        Binding("i", "import", text("key.import_set"), show=False),
        Binding("e", "export", text("key.export_set"), show=False),
        Binding("tab,right,left", "other_list", text("key.other_list"), show=False),
        Binding("escape,f4", "dismiss(None)", text("key.back_home"), key_display="esc"),
    ]

    def __init__(self, person: str, recordings: Sequence[Listed], settings: Settings) -> None:
        super().__init__()
        self._code, self._recordings, self._settings = person, recordings, settings
        self._state = PersonState(person)
        self._theirs = Theirs()

    def compose(self) -> ComposeResult:
        """Lay out what changes beside what stays."""
        yield Static(self._title(), id="title", markup=False)
        yield Headline()
        with Horizontal(id="person-page"):
            yield OptionList(id="own", markup=False, compact=True)
            yield OptionList(id="kept", markup=False, compact=True)
        yield Static(id="about", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Show what is kept, and look into the recordings meanwhile."""
        self.query_one(Headline).say(self._code)
        self.query_one("#own").border_title = text("person.own")
        self.query_one("#kept").border_title = text("person.kept")
        for where in ("#own", "#kept"):
            self.query_one(where).border_subtitle = text("person.enter")
        self._read()
        self.query_one("#own").focus()
        self._look_into_recordings()

    def action_other_list(self) -> None:
        """Go to the other list."""
        there = "#own" if self.query_one("#kept").has_focus else "#kept"
        self.query_one(there).focus()

    def action_record(self) -> None:
        """Set up a recording."""
        self.dismiss(Chosen("record"))

    def action_state(self, at: int) -> None:
        """Say how far a goal is reached."""
        goal = self._goal()
        if goal is not None and not goal.dropped and goal.state != GOAL_STATES[at]:
            self._keep(GoalStateChanged, goal_id=goal.goal_id, state=GOAL_STATES[at])

    def action_change(self) -> None:
        """Change what is highlighted."""
        section, of = self._highlighted()
        if section == "sessions":
            self._open(of)
        elif section is not None:
            self._change(section, of)

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        self.action_change()

    def action_add(self) -> None:
        """Add to the section that is highlighted."""
        section, _ = self._highlighted()
        if section is not None and section != "sessions":
            self._change(section, "")

    def action_remove(self) -> None:
        """Take out what is highlighted."""
        section, of = self._highlighted()
        state = self._state
        match section:
            case "goals":
                self._drop()
            case "markers" if of:
                left = tuple(each for each in state.markers if each.key != of)
                self._keep(MarkersChosen, markers=left, name=state.markers_name)
            case "labels" if of:
                self._keep(MusicLabelled, sha256=of, title=state.labels[of].title)
            case "playlists" if of:
                left_names = tuple(name for name in state.playlists if name != of)
                self._keep(PlaylistsChosen, names=left_names)

    @work
    async def action_import(self) -> None:
        """Take the marker keys of a file."""
        said = await self._ask(text("person.import_from"), text("person.import_hint"))
        if said:
            self._try(lambda: self._imported(said))

    @work
    async def action_export(self) -> None:
        """Write the marker keys to a file."""
        said = await self._ask(text("person.export_to"), text("person.export_hint"))
        if said:
            self._try(lambda: self._exported(said))

    @work
    async def _change(self, section: Section, of: str) -> None:
        """Ask what is to be, and keep it."""
        match section:
            case "goals":
                await self._change_goal(of)
            case "markers":
                await self._change_marker(of)
            case "labels":
                await self._change_label(of)
            case "consent":
                await self._change_consent()
            case "neutral":
                await self._change_neutral()
            case "asked":
                await self._change_scales()
            case "playlists":
                await self._add_playlist()

    async def _change_goal(self, of: str) -> None:
        goal = self._state.goals.get(of)
        if goal is not None and goal.dropped:
            self._take_up(goal)
            return
        said = await self._ask(text("person.goal"), said=goal.words if goal else "")
        if not said:
            return
        if goal is None:
            self._keep(GoalSet, goal_id=new_id(), words=said)
        elif said != goal.words:
            self._keep(GoalReworded, goal_id=goal.goal_id, words=said)

    def _take_up(self, goal: Goal) -> None:
        drops = [entry for entry in goal.history if isinstance(entry, GoalDropped)]
        self._write_down([Retracted(author_id=author_id(), of_entry_id=e.entry_id) for e in drops])

    @work
    async def _drop(self) -> None:
        goal = self._goal()
        if goal is None or goal.dropped:
            return
        why = await self._ask(text("person.drop", goal=goal.words), text("person.drop_hint"))
        if why is not None:
            self._keep(GoalDropped, goal_id=goal.goal_id, reason=why)

    async def _change_marker(self, of: str) -> None:
        before = next((m for m in self._state.markers if m.key == of), None)
        said = await self._ask(
            text("person.marker"),
            text("person.marker_hint"),
            before.label if before else "",
            MAX_LABEL,
        )
        if not said:
            return
        others = [each for each in self._state.markers if each is not before]
        key = await self._press(said, others)
        if key is None:
            return
        forms = [(form, text(f"person.{form}")) for form in (PRESS, STRETCH)]
        form = await self._choose(text("person.form", label=said), forms)
        if form is not None:
            made = MarkerKey(said, key, "stretch" if form == STRETCH else "press")
            kept = [made if each is before else each for each in self._state.markers]
            markers = tuple(kept if before else [*kept, made])
            self._keep(MarkersChosen, markers=markers, name=self._state.markers_name)

    async def _change_label(self, of: str) -> None:
        titles = self._theirs.tracks
        if not of:
            if not titles:
                self._say(text("person.no_tracks"))
                return
            of = await self._choose(text("person.which_track"), list(titles.items())) or ""
        if not of:
            return
        before = self._state.labels.get(of)
        title = titles.get(of, "") or (before.title if before else "")
        emotions = [("", text("person.no_emotion")), *((e, word("emotion", e)) for e in EMOTIONS)]
        emotion = await self._choose(text("person.for_them", title=title), emotions)
        if emotion is None:
            return
        said = await self._ask(
            text("person.in_words", title=title), said=before.text if before else ""
        )
        if said is not None:
            self._keep(MusicLabelled, sha256=of, title=title, emotion=emotion, text=said)

    async def _change_consent(self) -> None:
        filed = self._state.consent
        scopes = {} if filed is None else filed.consent.scopes
        held = {scope: grant.granted for scope, grant in scopes.items()}
        days = self._settings.consent.valid_days
        usual = days_from_today(days) if days else ""
        goes_on = filed is not None and not has_expired(filed)
        expires = filed.expires if filed is not None and goes_on else usual
        asked = ConsentFileScreen(self._code, held, expires)
        said = await self.app.push_screen_wait(asked)
        if said is not None:
            self._keep(ConsentFiled, consent=said[0], on=today(), expires=said[1])

    async def _change_neutral(self) -> None:
        before = self._state.neutral
        said = await self._ask(
            text("person.neutral_question"),
            text("person.neutral_hint"),
            before.text if before else "",
        )
        if said:
            self._keep(NeutralDescribed, text=said, session_id=self._theirs.session_id or None)

    async def _change_scales(self) -> None:
        before = self._state.scales or ()
        said = await self._ask(text("person.scales"), text("person.scales_hint"), ", ".join(before))
        if said is None:
            return
        scales = tuple(dict.fromkeys(each.strip() for each in said.split(",") if each.strip()))
        when = [("", text("person.on_key")), ("after", text("person.after_tracks"))]
        after = await self._choose(text("person.when"), when)
        if after is not None:
            self._keep(ScalesChosen, scales=scales, after_tracks=bool(after))

    async def _add_playlist(self) -> None:
        folder = playlists_in(self._settings)
        names = sorted(path.stem for path in folder.glob("*.csv")) if folder.is_dir() else []
        offered = [(name, name) for name in names if name not in self._state.playlists]
        if not offered:
            self._say(text("person.no_saved"))
            return
        name = await self._choose(text("person.which_playlist"), offered)
        if name is not None:
            self._keep(PlaylistsChosen, names=(*self._state.playlists, name))

    async def _ask(
        self, question: str, explanation: str = "", said: str = "", longest: int = 300
    ) -> str | None:
        asked = AskScreen(question, explanation, said, longest)
        return await self.app.push_screen_wait(asked)

    async def _press(self, marker: str, others: Sequence[MarkerKey]) -> str | None:
        return await self.app.push_screen_wait(KeyScreen(marker, others))

    async def _choose(self, question: str, offered: Sequence[tuple[str, str]]) -> str | None:
        return await self.app.push_screen_wait(ChooseScreen(question, offered))

    def _imported(self, said: str) -> None:
        taken = import_markers(self._code, typed(said), self._settings)
        self._read()
        self._say(counted("markers.imported", len(taken.markers), person=self._code))

    def _exported(self, said: str) -> None:
        state, path = self._state, typed(said)
        if not state.markers:
            raise UsageError("markers.none", person=self._code)
        write_set(path, MarkerSet(state.markers, state.markers_name))
        self._say(counted("markers.exported", len(state.markers), path=path))

    def _keep(self, kind: Callable[..., AnyPersonEntry], **fields: object) -> None:
        self._write_down([kind(author_id=author_id(), person=self._code, **fields)])

    def _write_down(self, entries: list[AnyPersonEntry]) -> None:
        def add() -> None:
            keep(entries, self._code, self._settings)
            self._read()

        self._try(add)

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except AffettiError as error:
            self._say(f"! {error.message} {error.hint}")

    def _read(self) -> None:
        """Read what is kept, and show it."""
        try:
            self._state = person_state(self._code, self._settings.folder)
        except AffettiError as error:
            self._say(f"! {error.message} {error.hint}")
        self._show()

    @work(thread=True)
    def _look_into_recordings(self) -> None:
        found = theirs(self._recordings)
        self.app.call_from_thread(self._know, found)

    def _know(self, found: Theirs) -> None:
        self._theirs = found
        if self.is_mounted:
            self._show()

    def _show(self) -> None:
        for where, named in (("#own", _LEFT), ("#kept", _RIGHT)):
            options = [option for section in named for option in self._options(section)]
            if where == "#kept":
                options += self._sessions()
            _fill(self.query_one(where, OptionList), options)

    def _options(self, section: Section) -> list[Option]:
        lines = lines_of(self._state, section)
        if section == "neutral" and self._theirs.neutral:
            became = text(f"neutral.{self._theirs.neutral}")
            on_day = date(self._theirs.neutral_on) if self._theirs.neutral_on else text("unknown")
            told = Line("neutral", "outcome", text("person.reference", date=on_day, became=became))
            lines = [told, *(line for line in lines if line.of)]
        return [_heading(text(f"person.{section}")), *map(_option, lines)]

    def _sessions(self) -> list[Option]:
        lines = [
            Option(
                _cut(f"{brief_day(one.wall_clock)} {clock(one.duration_s):>7}  ♪ {one.tracks}"),
                f"{_SESSION}{one.path}",
            )
            for one in self._recordings
        ]
        return [_heading(text("person.sessions")), *lines]

    @on(OptionList.OptionHighlighted)
    @on(events.DescendantFocus)
    def _tell(self) -> None:
        """Say of what is highlighted how it came about."""
        section, of = self._highlighted()
        if section is None or section == "sessions":
            self._say("")
            return
        line = next((each for each in lines_of(self._state, section) if each.of == of), None)
        self._say("" if line is None else line.more or line.words)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the states of a goal at a goal alone."""
        if action == "state" and self.is_mounted:
            goal = self._goal()
            return goal is not None and not goal.dropped
        return True

    def _goal(self) -> Goal | None:
        section, of = self._highlighted()
        return self._state.goals.get(of) if section == "goals" else None

    def _highlighted(self) -> tuple["Section | Literal['sessions'] | None", str]:
        where = "#kept" if self.query_one("#kept").has_focus else "#own"
        options = self.query_one(where, OptionList)
        id = (
            None
            if options.highlighted is None
            else options.get_option_at_index(options.highlighted).id
        )
        if not id:
            return None, ""
        if id.startswith(_SESSION):
            return "sessions", id.removeprefix(_SESSION)
        section, _, of = id.partition(":")
        return next((s for s in (*_LEFT, *_RIGHT) if s == section), None), of

    def _open(self, path: str) -> None:
        one = next((each for each in self._recordings if str(each.path) == path), None)
        if one is not None:
            self.dismiss(Chosen("open", one))

    def _say(self, words: str) -> None:
        about = self.query_one("#about", Static)
        about.set_class(words.startswith("!"), "-error")
        about.update(words)

    def _title(self) -> str:
        words = [self._code, counted("home.count_sessions", len(self._recordings))]
        if self._recordings and self._recordings[0].wall_clock:
            words.append(text("person.last", date=date(self._recordings[0].wall_clock)))
        return "   ".join(words)


def _heading(words: str) -> Option:
    return Option(Text(words, "bold", no_wrap=True), disabled=True)


def _option(line: Line) -> Option:
    words = Text(f"  {line.words}", "dim" if line.quiet else "", no_wrap=True, overflow="ellipsis")
    return Option(words, f"{line.section}:{line.of}")


def _cut(words: str) -> Text:
    return Text(f"  {words}", no_wrap=True, overflow="ellipsis")


def _fill(options: OptionList, lines: list[Option]) -> None:
    """Fill a list anew; highlighted is what was added, else what was, else the first of its kind.

    Another one of that kind can be added at once.
    """
    old = [option.id for option in options.options]
    at = options.highlighted
    before = (None if at is None else old[at]) or ""
    options.clear_options()
    options.add_options(lines)
    ids = [line.id or "" for line in lines]
    section = before.partition(":")[0]
    same = [id for id in ids if before and id.partition(":")[0] == section]
    fresh = [id for id in same if id not in old]
    kept = [*fresh[-1:], *(id for id in same if id == before), *same]
    first = next((i for i, line in enumerate(lines) if not line.disabled), None)
    options.highlighted = ids.index(kept[0]) if kept else first
