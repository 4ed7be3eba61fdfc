"""A question of consent: yes or no, and neither until someone has chosen."""

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from affetti.core.language import text


class YesNo(Widget, can_focus=True):
    """Two answers in one line, before what is asked; `value` is None until one was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,j", "answer(True)", text("key.yes"), key_display=text("key.of_yes")),
        Binding("n", "answer(False)", text("key.no")),
        Binding("left", "answer(True)", text("key.yes"), show=False),
        Binding("right", "answer(False)", text("key.no"), show=False),
        Binding("space", "change", text("key.change"), show=False),
        Binding("enter", "app.focus_next", text("key.next_field"), show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"consent--chosen", "consent--other", "consent--what"}

    class Changed(Message):
        """An answer was given."""

        def __init__(self, question: "YesNo", value: bool) -> None:
            super().__init__()
            self.question = question
            self.value = value

        @property
        def control(self) -> "YesNo":
            """The question that was answered."""
            return self.question

    def __init__(self, what: str, value: bool | None = None, *, id: str) -> None:
        super().__init__(id=id)
        self.value = value
        self._what = what

    def render(self) -> Text:
        """Draw both answers."""
        line = Text()
        for answer in (True, False):
            chosen = self.value is answer
            style = self.get_component_rich_style("consent--chosen" if chosen else "consent--other")
            line.append(f"{_drawn(answer, chosen)} ", style)
        return line.append(self._what, self.get_component_rich_style("consent--what"))

    def on_key(self, event: events.Key) -> None:
        """Take the keys of the bindings before they travel on.

        Textual looks bindings up where the focus is by then; what is typed in haste, "y, Tab, n",
        would all answer the second question.
        """
        answers = {"y": True, "j": True, "left": True, "n": False, "right": False}
        if event.key in answers:
            event.stop()
            self.action_answer(answers[event.key])

    def action_answer(self, value: bool) -> None:
        """Choose an answer."""
        if value is not self.value:
            self.value = value
            self.refresh()
            self.post_message(self.Changed(self, value))

    def action_change(self) -> None:
        """Choose the other answer; the first time, yes."""
        self.action_answer(not self.value)

    def on_click(self, event: events.Click) -> None:
        """Choose the answer under the pointer."""
        offset = event.get_content_offset(self)
        if offset is not None:
            self.action_answer(offset.x < len(_drawn(True, True)))


def _drawn(answer: bool, chosen: bool) -> str:
    return f"({'●' if chosen else ' '}) {text('answer.yes' if answer else 'answer.no')} "
