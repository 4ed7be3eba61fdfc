"""Music that fits: a map of the collection, what is proposed on it, and one's own choice."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from affetti.core.errors import AffettiError
from affetti.core.events.people import MusicLabelled
from affetti.core.language import text, word
from affetti.core.people.playlist import PlaylistEntry
from affetti.recorder.engine.messages import Proposal
from affetti.recorder.music.collection import collected
from affetti.recorder.music.fit import DIRECTIONS, Direction, Known, Place, known, proposed
from affetti.recorder.music.piece import Piece
from affetti.recorder.music.wording import brief_words, signed
from affetti.recorder.tui.person_words import said
from affetti.recorder.tui.screens.base import MARK
from affetti.recorder.tui.screens.dialog import Dialog
from affetti.recorder.tui.widgets.music_map import MusicMap

NO_LABELS: Final[Mapping[str, MusicLabelled]] = MappingProxyType({})
_OWN: Final = "★"
# From the collection to where the music is now; None: that is not known.
Where = Callable[[list[Piece]], Place | None]


class MusicScreen(Dialog[Proposal]):
    """Proposes tracks of the collection; closes with what was proposed, and chosen if one was.

    Parameters
    ----------
    where
        Where the music is now, from the collection.
    without
        The digest of a track that is not proposed: the one that plays.
    labels
        What tracks are for the person, in the therapist's words, by digest: they come first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "turn('calmer')", text("key.calmer")),
        Binding("l", "turn('livelier')", text("key.livelier")),
        Binding("n", "turn('nearer')", text("key.nearer")),
        Binding("f", "turn('farther')", text("key.farther")),
        Binding("left", "step(-1)", show=False),
        Binding("right", "step(1)", show=False),
        Binding("enter", "choose", text("key.choose_track"), priority=True),
        *(Binding(str(n), f"number({n})", show=False) for n in range(1, 10)),
        Binding("escape,q", "leave", text("key.close"), key_display="esc"),
        MARK,
    ]

    def __init__(
        self, where: Where, without: str = "", labels: Mapping[str, MusicLabelled] = NO_LABELS
    ) -> None:
        super().__init__()
        self._where, self._without, self._labels = where, without, labels
        self._pieces: list[Piece] = []
        self._now: Place | None = None
        self._how = Known(0.0, 0.0)
        self._direction: Direction = DIRECTIONS[0]
        self._offered: tuple[Piece, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out the map beside what is proposed."""
        with Vertical(classes="dialog", id="music-that-fits"):
            yield Static(id="directions")
            with Horizontal(id="on-the-map"):
                yield MusicMap(id="map")
                yield OptionList(id="proposed", markup=False, compact=True)
            yield Static(text("music.loading"), id="how", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Look for what was scanned."""
        self.query_one(OptionList).focus()
        self._load()

    @work(thread=True)
    def _load(self) -> None:
        try:
            pieces, how = collected(), known()
        except AffettiError as error:
            self.app.call_from_thread(self._tell, f"{error.message} {error.hint}")
            return
        self.app.call_from_thread(self._loaded, pieces, how)

    def _tell(self, words: str) -> None:
        self.query_one("#how", Static).update(words)

    def _loaded(self, pieces: list[Piece], how: Known) -> None:
        self._now, self._how = self._where(pieces), how
        self._pieces = [piece for piece in pieces if piece.sha256 != self._without]
        self._show()

    def action_turn(self, direction: Direction) -> None:
        """Propose what lies in a direction."""
        self._direction = direction
        self._show()

    def action_step(self, by: int) -> None:
        """Go to the next direction, or the one before."""
        at = DIRECTIONS.index(self._direction) + by
        self.action_turn(DIRECTIONS[at % len(DIRECTIONS)])

    def action_number(self, number: int) -> None:
        """Choose by its number on the map."""
        if number <= len(self._offered):
            self._choose(self._offered[number - 1])

    def action_choose(self) -> None:
        """Choose what is highlighted."""
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._offered):
            self._choose(self._offered[at])

    def action_leave(self) -> None:
        """Close; nothing was chosen."""
        self.dismiss(self._proposal() if self._offered else None)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_index < len(self._offered):
            self._choose(self._offered[event.option_index])

    def _choose(self, piece: Piece) -> None:
        self.dismiss(self._proposal(piece))

    def _proposal(self, chosen: Piece | None = None) -> Proposal:
        now = self._now
        return Proposal(
            direction=self._direction,
            titles=tuple(piece.title for piece in self._offered),
            sha256=tuple(piece.sha256 for piece in self._offered),
            chosen=None if chosen is None else PlaylistEntry(path=str(chosen.path)),
            chosen_sha256=None if chosen is None else chosen.sha256,
            title="" if chosen is None else chosen.title,
            valence=None if now is None else now.valence,
            arousal=None if now is None else now.arousal,
        )

    def _show(self) -> None:
        now = self._now or Place(0.0, 0.0)
        named = {digest: label.emotion for digest, label in self._labels.items()}
        self._offered = proposed(self._pieces, now, self._direction, self._how, named)
        self.query_one("#directions", Static).update(self._directions())
        self.query_one(MusicMap).show(self._pieces, self._offered, self._now)
        options = self.query_one(OptionList)
        options.clear_options()
        lines = enumerate(self._offered, 1)
        options.add_options(Option(self._line(number, piece)) for number, piece in lines)
        options.highlighted = 0 if self._offered else None
        self._tell(self._said())

    def _said(self) -> str:
        if not self._pieces:
            return text("music.none_scanned")
        if not self._offered:
            return text("music.none_fits", direction=word("direction", self._direction))
        where = text("music.from_the_middle") if self._now is None else text("music.from_now")
        own = any(piece.sha256 in self._labels for piece in self._offered)
        return " ".join([where, *([text("music.own")] if own else []), brief_words(self._how)])

    def _directions(self) -> Text:
        line = Text(f"{text('music.title')}  ", no_wrap=True)
        for direction in DIRECTIONS:
            style = "reverse" if direction == self._direction else ""
            line.append(f" {word('direction', direction)} ", style)
        return line

    def _line(self, number: int, piece: Piece) -> Text:
        reading = piece.reading
        places = f"{signed(reading.arousal):>5}{signed(reading.valence):>6}"
        label = self._labels.get(piece.sha256)
        own = "" if label is None else f" {_OWN} {said(label)}"
        line = Text(f"{number} {places}  {piece.title}{own}", no_wrap=True, overflow="ellipsis")
        line.stylize("bold", 0, 1)
        return line
