"""Walking through a recording: a timeline to scrub, and what was there at each moment of it."""

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from affetti.analyzer.report.wording import UNKNOWN
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, EXPRESSIONS
from affetti.core.language import clock, clock_text, date, localised, text, word
from affetti.core.people.annotations import (
    CHOSEN,
    CONCLUSION,
    MARKER,
    NOTE,
    RATING,
    REMEMBER,
    Annotation,
)
from affetti.recorder.tui.screens.dialog import Dialog
from affetti.recorder.tui.screens.review_entry import EntryScreen, rating_of
from affetti.recorder.tui.screens.review_playing import PlayingScreen
from affetti.recorder.tui.screens.review_rating import RatingScreen
from affetti.recorder.tui.walk import Item, Walk
from affetti.recorder.tui.widgets.picture import PictureBox
from affetti.recorder.tui.widgets.timeline import Chart, Timeline
from affetti.recorder.tui.widgets.tracks_said import TracksSaid


class TracksScreen(Dialog[None]):
    """What the report says of each track.

    Parameters
    ----------
    walk
        The opened recording.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,d,q", "dismiss", text("key.close"), key_display="esc")
    ]

    def __init__(self, walk: Walk) -> None:
        super().__init__()
        self._walk = walk

    def compose(self) -> ComposeResult:
        """Lay out the tracks."""
        with VerticalScroll(classes="dialog", can_focus=True):
            yield Static(text("review.tracks"), classes="question")
            yield TracksSaid(id="tracks")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Fill in what is said."""
        self.query_one(TracksSaid).show(self._walk.analysis)


class WalkingScreen(PlayingScreen):
    """The walk itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", text("key.play"), tooltip=text("key.play_tip"), priority=True),
        Binding("left", "seek(-5)", text("key.seek_back"), show=False),
        Binding("right", "seek(5)", text("key.seek_on"), show=False),
        Binding("shift+left", "seek(-30)", text("key.seek_back_far"), show=False),
        Binding("shift+right", "seek(30)", text("key.seek_on_far"), show=False),
        Binding("home", "seek(-1e9)", text("key.seek_begin"), show=False),
        Binding("enter", "from_item", text("key.from_item"), show=False, priority=True),
        Binding("m", "mark", text("key.mark"), tooltip=text("key.mark_afterwards")),
        Binding("t", "note", text("key.note"), tooltip=text("key.note_afterwards")),
        Binding("g", "rate", text("key.rate"), tooltip=text("key.rate_tip")),
        Binding("o", "remember", text("key.remember"), tooltip=text("key.remember_tip")),
        Binding("c", "conclude", text("key.conclude"), tooltip=text("key.conclude_tip")),
        Binding("p", "choose", text("key.for_page"), tooltip=text("key.for_page_tip"), show=False),
        Binding("e", "edit", text("key.edit"), tooltip=text("key.edit_tip"), show=False),
        Binding("delete", "take_back", text("key.take_back"), show=False, key_display="del"),
        Binding("d", "tracks", text("key.tracks"), tooltip=text("key.tracks_tip"), show=False),
        Binding("b", "rate_blind", text("key.blind"), tooltip=text("key.blind_tip"), show=False),
        Binding("s", "other_sound", text("key.other_sound"), show=False),
        Binding("escape,q", "close", text("key.close"), key_display="esc"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"emotion--{label}" for label in (*EMOTIONS, *EXPRESSIONS)),
        "emotion--quiet",
    }

    def compose(self) -> ComposeResult:
        """Lay out picture and moment over the timeline and what was noted."""
        yield Static(self._title_words(), id="title", markup=False)
        with Horizontal(id="upper"):
            box = PictureBox(id="picture")
            box.person = self.walk.session.started.person
            yield box
            yield Static(id="moment")
        yield Timeline(id="timeline")
        with Vertical(id="noted"):
            yield OptionList(id="items", compact=True, markup=False)
        yield Static(id="message", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Show what was noted, and the first moment."""
        super().on_mount()
        self.query_one("#items").border_title = text("walk.noted")
        self._list()
        self.query_one("#items").focus()

    def show_moment(self) -> None:
        """Show picture, timeline and words of this moment."""
        walk, at_ns = self.walk, self.at_ns
        picture = self.picture
        said = "" if picture is not None else self.no_picture
        self.query_one(PictureBox).show(picture, walk.boxes(at_ns) if picture else (), said)
        state = walk.state
        chart = Chart(state.tracks, state.markers, walk.seconds, walk.duration_ns, at_ns)
        self.query_one(Timeline).draw(chart)
        moment = self.query_one("#moment", Static)
        sign = "▶" if self.playing else "‖"
        sound = word("stream", self._sound) if self._sound else text("walk.without_sound")
        at = clock_text(at_ns / NS_PER_S)
        moment.border_title = f"{sign} {at} {text('walk.expressed')}"
        moment.border_subtitle = f"♪ {sound}"
        moment.update(self._moment())

    def action_from_item(self) -> None:
        """Play from what is highlighted."""
        item = self._item
        if item is not None:
            self.stop()
            self.go_to(item.t_ns)
            self.play()

    def action_mark(self) -> None:
        """Mark this moment."""
        if self.write(MARKER, self.at_ns):
            self._noted(MARKER)

    def action_note(self) -> None:
        """Write a note of this moment."""
        self._ask(NOTE, text("walk.note_explanation", at=self._at))

    def action_remember(self) -> None:
        """Write down one thing to remember of this session."""
        self._ask(REMEMBER, text("walk.remember_explanation"))

    def action_conclude(self) -> None:
        """Write down what is concluded of this session, which is first on its page."""
        self._ask(CONCLUSION, text("walk.conclude_explanation"))

    def action_choose(self) -> None:
        """Choose this moment for the first page."""
        self._ask(CHOSEN, text("walk.choose_explanation", at=self._at))

    def action_rate(self) -> None:
        """Rate this moment."""
        self._ask(RATING, text("walk.rate_explanation", at=self._at))

    def action_edit(self) -> None:
        """Write something else of what is highlighted."""
        item = self._item
        if item is None:
            return
        before = item.of.text if isinstance(item.of, Annotation) else item.of.words
        rated = isinstance(item.of, Annotation) and item.of.label == RATING
        if rated and isinstance(item.of, Annotation):
            before = ", ".join(
                f"{name} {localised(f'{value:g}')}" for name, value in item.of.values.items()
            )
        asked = EntryScreen(
            text("walk.edit", kind=item.kind, at=clock(item.t_ns / NS_PER_S)),
            text("walk.edit_explanation"),
            before,
        )
        self.app.push_screen(asked, lambda line: self._change(item, line))

    def action_take_back(self) -> None:
        """Take back what is highlighted, where it was added afterwards."""
        item = self._item
        if item is None:
            return
        if isinstance(item.of, Annotation):
            self._try(lambda of=item.of: self.walk.retract(of), text("walk.taken_back"))
        else:
            self.say(text("walk.sealed"))

    def action_tracks(self) -> None:
        """Show what the report says of each track."""
        self.app.push_screen(TracksScreen(self.walk))

    def action_rate_blind(self) -> None:
        """Label what the face expresses, without any estimate in view."""
        self.stop()
        self.app.push_screen(RatingScreen(self.walk, self.at_ns), lambda _: self._list())

    def action_other_sound(self) -> None:
        """Play the room, or the music as it was played."""
        names = list(self.walk.sounds)
        if len(names) > 1:
            self._sound = names[(names.index(self._sound) + 1) % len(names)]
            self.go_to(self.at_ns)

    def action_close(self) -> None:
        """Close the recording."""
        self.stop()
        self.dismiss()

    def on_timeline_sought(self, event: Timeline.Sought) -> None:
        """Go to what is clicked in the timeline."""
        self.go_to(event.t_ns)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Go to what is highlighted."""
        item = self._item
        if item is not None and not self.playing and self._follows:
            self.go_to(item.t_ns)
        self._follows = True

    _follows = False  # not the first time, when the list is filled

    @property
    def _at(self) -> str:
        return clock_text(self.at_ns / NS_PER_S)

    @property
    def _item(self) -> Item | None:
        at = self.query_one("#items", OptionList).highlighted
        items = self.walk.items()
        return items[at] if at is not None and at < len(items) else None

    def _title_words(self) -> str:
        started = self.walk.session.started
        return text(
            "walk.title",
            person=started.person,
            on=date(started.wall_clock),
            duration=clock(self.walk.duration_ns / NS_PER_S),
        )

    def _moment(self) -> Table:
        """Return what was expressed and heard about this moment, and what played."""
        quiet = self.get_component_rich_style("emotion--quiet")
        table = Table.grid(padding=(0, 1))
        for name, words in self.walk.around(self.at_ns):
            said = text("walk.nothing_here") if words == UNKNOWN else words
            table.add_row(Text(name, quiet), Text(said))
        for i, line in enumerate(self.walk.heard(self.at_ns)):
            table.add_row(Text(text("live.heard.title") if i == 0 else "", quiet), Text(line))
        track = next(
            (
                t
                for t in self.walk.state.tracks
                if t.start_ns <= self.at_ns < (t.end_ns or self.walk.duration_ns)
            ),
            None,
        )
        if track is not None:
            table.add_row(
                Text(word("row", "tracks"), quiet), Text(text("track.titled", title=track.title))
            )
        return table

    def _list(self) -> None:
        shown = self.query_one("#items", OptionList)
        at, self._follows = shown.highlighted, False
        shown.clear_options()
        items = self.walk.items()
        if not items:
            shown.add_option(Option(text("walk.nothing_noted"), disabled=True))
            return
        shown.add_options([Option(_line(item)) for item in items])
        shown.highlighted = min(at or 0, len(items) - 1)

    def _ask(self, label: str, explanation: str) -> None:
        self.stop()
        asked = EntryScreen(word("annotation", label), explanation)
        self.app.push_screen(asked, lambda line: self._written(label, line))

    def _written(self, label: str, line: str | None) -> None:
        if not line:
            return
        values = rating_of(line) if label == RATING else None
        if label == RATING and values is None:
            self.say(text("walk.no_rating"))
            return
        whole = (
            (0, self.walk.duration_ns)
            if label in (REMEMBER, CONCLUSION)
            else (self.at_ns, self.at_ns)
        )
        if self.write(label, *whole, words="" if values else line, values=values):
            self._noted(label)

    def _change(self, item: Item, line: str | None) -> None:
        if not line:
            return
        if not isinstance(item.of, Annotation):
            self._try(
                lambda of=item.of: self.walk.add(NOTE, of.t_ns, words=line, seq=of.seq),
                text("walk.written", kind=word("annotation", NOTE)),
            )
            return
        values = rating_of(line) if item.of.label == RATING else item.of.values
        if values is None:
            self.say(text("walk.no_rating"))
            return
        words = "" if item.of.label == RATING else line
        done = text("walk.written", kind=item.kind)
        self._try(lambda of=item.of: self.walk.change(of, words, values), done)

    def _try(self, write: object, done: str) -> None:
        try:
            write()  # type: ignore[operator]
        except OSError as error:
            self.say(text("walk.not_written", error=error.strerror or str(error)))
            return
        self.say(done)
        self._list()

    def _noted(self, label: str) -> None:
        self.say(text("walk.written", kind=word("annotation", label)))
        self._list()


def _line(item: Item) -> str:
    at = clock(item.t_ns / NS_PER_S)
    by = f"  ({item.by})" if item.by else ""
    kind = f"{item.kind} " if item.by else ""
    return f"{at:>8}  {kind}{item.words}{by}"
