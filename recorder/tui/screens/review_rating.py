"""Rating without seeing: a second person labels expressions over time, and no estimate is shown."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Footer, Static

from affetti.core.clock import NS_PER_S
from affetti.core.emotions import Expression
from affetti.core.language import clock_text, counted, text, word
from affetti.recorder.tui.screens.review_playing import PlayingScreen
from affetti.recorder.tui.widgets.picture import PictureBox

# From what is pleasant to what is not; the keys stand side by side.
ORDER: Final = (
    Expression.HAPPY,
    Expression.SURPRISE,
    Expression.NEUTRAL,
    Expression.SAD,
    Expression.FEAR,
    Expression.DISGUST,
    Expression.ANGRY,
)


@dataclass(frozen=True)
class _Open:
    label: Expression
    start_ns: int


class RatingScreen(PlayingScreen):
    """Picture and sound, and a key for each expression; a label holds until the next.

    What was labelled is kept with each change, in the annotations beside the recording.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(number),
                f"label('{label}')",
                word("emotion", label),
                tooltip=text("key.label"),
                show=False,
            )
            for number, label in enumerate(ORDER, 1)
        ),
        Binding(
            "0", "label('')", text("key.no_label"), tooltip=text("key.no_label_tip"), show=False
        ),
        Binding("space", "play", text("key.play"), tooltip=text("key.play_tip")),
        Binding("left", "seek(-5)", text("key.seek_back")),
        Binding("right", "seek(5)", text("key.seek_on")),
        Binding("escape,q", "done", text("key.close"), key_display="esc"),
    ]

    BLIND: ClassVar[bool] = True

    _label: _Open | None = None
    _labels = 0

    def compose(self) -> ComposeResult:
        """Lay out the picture, and under it the label that holds."""
        yield Static(text("rating.title"), id="title")
        yield PictureBox(id="picture")
        with Vertical(id="rating"):
            yield Static(id="label")
            yield Static(id="choices")
            yield Static(id="at")
        yield Static(id="message", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def show_moment(self) -> None:
        """Show the picture of this moment, and nothing that was estimated."""
        self.query_one(PictureBox).show(self.picture, (), "" if self.picture else self.no_picture)
        words = word("emotion", self._label.label) if self._label else text("rating.none")
        self.query_one("#label", Static).update(words)
        self.query_one("#choices", Static).update(self._choices())
        at = text(
            "rating.at",
            at=clock_text(self.at_ns / NS_PER_S),
            of=clock_text(self.walk.duration_ns / NS_PER_S),
            labels=counted("count.label", self._labels),
        )
        self.query_one("#at", Static).update(at)

    def _choices(self) -> Content:
        """Return what may be labelled, with its keys: each can be clicked."""
        offered = [(str(n), each, word("emotion", each)) for n, each in enumerate(ORDER, 1)]
        choices = (*offered, ("0", "", text("key.no_label")))
        lines = rows([len(f" {key} {name} ") for key, _, name in choices], self.size.width)
        return Content("\n").join(
            Content(" ").join(self._choice(*choices[number]) for number in line) for line in lines
        )

    def _choice(self, key: str, label: str, name: str) -> Content:
        holds = "" if self._label is None else self._label.label
        style = "reverse " if label and label == holds else ""
        said = f"[{style}@click=screen.label('{label}')] [b]{key}[/b] $name [/]"
        return Content.from_markup(said, name=name)

    def action_label(self, label: str) -> None:
        """From this moment on the face expresses this, as the rater sees it."""
        self._close_label()
        self._label = _Open(Expression(label), self.at_ns) if label else None
        self.show_moment()

    def action_done(self) -> None:
        """Keep the last label, and go back."""
        self._close_label()
        self.stop()
        self.dismiss()

    def moved(self) -> None:
        """Who goes elsewhere says no more of what lies between."""
        self._close_label()

    def ended(self) -> None:
        """Nothing more is to be labelled."""
        self._close_label()

    def _close_label(self) -> None:
        label, self._label = self._label, None
        if label is not None and self.at_ns > label.start_ns and self.write(
            label.label.value, label.start_ns, self.at_ns
        ):  # fmt: skip
            self._labels += 1


def rows(widths: list[int], room: int) -> list[list[int]]:
    """Return in which lines things of some widths stand, by number; none is broken in two.

    Textual breaks a line at any space, and at a no-break space as well.
    """
    lines: list[list[int]] = [[]]
    for number, width in enumerate(widths):
        taken = sum(widths[each] + 1 for each in lines[-1])
        if lines[-1] and taken + width > room:
            lines.append([])
        lines[-1].append(number)
    return lines
