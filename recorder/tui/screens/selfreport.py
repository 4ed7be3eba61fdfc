"""The person says how it is for them: one question at a time, each answered by a key or a click.

Nothing of what was estimated is on this screen: the person answers, and is not scored.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Footer, Input, Static

from affetti.core.language import text
from affetti.core.occasion import occasion_of
from affetti.core.state import SessionState
from affetti.recorder.engine.messages import ReportSelf
from affetti.recorder.tui.screens.dialog import Dialog
from affetti.recorder.tui.widgets.headline import Headline
from affetti.recorder.tui.widgets.line import Line
from affetti.recorder.tui.widgets.manikins import FIGURES, VALUES, Answer

_TEN: Final = "x"
_DIGITS: Final = {**{str(n): n for n in range(10)}, _TEN: 10}
WORD: Final = "word"
_TYPED_ON_S: Final = 1.0  # by somebody who does not know that the screen beneath takes commands


@dataclass
class Answers:
    """What was answered so far; what was skipped is not in it."""

    figures: dict[str, float] = field(default_factory=dict)  # valence, arousal
    scales: dict[str, float] = field(default_factory=dict)
    word: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing was answered."""
        return not (self.figures or self.scales or self.word)


class SelfReportScreen(Dialog[None]):
    """Asks, from the first question to the last, and hands over what was answered.

    Parameters
    ----------
    state
        Of the session, which tells the occasion.
    scales
        What is rated from 0 to 10, in the therapist's words.
    report
        Given the answers once, at the end, or when it was skipped.
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "skip", text("key.skip"), tooltip=text("key.skip_question")),
        Binding("escape", "finish", text("key.skip_rest"), tooltip=text("key.skip_rest_tip")),
        Binding(
            "backspace",
            "back",
            text("key.back"),
            key_display="backspace",  # the sign for it is wider than a cell in many terminals
            tooltip=text("key.question_before"),
        ),
        Binding("f2", "app.mark", text("key.mark"), show=False),
    ]

    def __init__(
        self, state: SessionState, scales: Sequence[str], report: Callable[[ReportSelf], object]
    ) -> None:
        super().__init__()
        self._occasion, self._track = occasion_of(state)
        self._scales = tuple(scales)
        self._report = report
        self._asked_s = time.monotonic()
        self._questions = (*FIGURES, *self._scales, WORD)
        self._at = 0
        self._answers = Answers()

    def compose(self) -> ComposeResult:
        """Lay out one question."""
        with Vertical(id="self-report"):
            yield Static(id="progress")
            yield Headline()
            yield Static(id="question", markup=False)
            yield Horizontal(id="answers")
            yield Static(id="ends")
            yield Line(id="word", placeholder=text("self_report.word_placeholder"))
        yield Footer(show_command_palette=False, compact=True)

    async def on_mount(self) -> None:
        """Ask the first question."""
        await self._ask()

    @property
    def _question(self) -> str:
        return self._questions[self._at]

    async def _ask(self) -> None:
        question, word = self._question, self.query_one("#word", Input)
        known = question in FIGURES or (question == WORD and self._at == len(self._questions) - 1)
        asked = text(f"self_report.{question}") if known else question
        self.query_one("#question", Static).update(asked)
        self.query_one(Headline).say(asked)
        progress = text("self_report.progress", at=self._at + 1, of=len(self._questions))
        self.query_one("#progress", Static).update(progress)
        at_word = self._at == len(self._questions) - 1
        word.display = at_word
        answers = self.query_one("#answers", Horizontal)
        await answers.remove_children()
        await answers.mount(*self._offered())
        rated = question if question in FIGURES else "scale"
        ends = text("self_report.enter" if at_word else f"self_report.{rated}.ends")
        self.query_one("#ends", Static).update(ends)
        self.set_focus(word if at_word else None)

    def _offered(self) -> list[Answer]:
        question = self._question
        if question in FIGURES:
            draw = FIGURES[question]
            return [Answer(draw(i), str(i + 1), value) for i, value in enumerate(VALUES)]
        if self._at == len(self._questions) - 1:
            return []
        return [
            Answer("", f"{n}\n({key})" if key == _TEN else f"{n}\n", n)
            for key, n in _DIGITS.items()
        ]

    async def on_key(self, event: events.Key) -> None:
        """Take the key of an answer."""
        value = self._value_of(event.key)
        if value is not None:
            event.stop()
            await self._answer(value)

    def _value_of(self, key: str) -> float | None:
        if self._at == len(self._questions) - 1:
            return None
        if self._question not in FIGURES:
            return _DIGITS.get(key)
        at = _DIGITS.get(key, 0) - 1
        return VALUES[at] if 0 <= at < len(VALUES) else None

    async def on_answer_chosen(self, event: Answer.Chosen) -> None:
        """Take an answer that was clicked."""
        event.stop()
        await self._answer(event.value)

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the word."""
        event.stop()
        typed = self.app.typed  # type: ignore[attr-defined]
        if typed.followed:  # whoever answers gives no commands: it is more of the word
            event.input.insert_text_at_cursor(" ")
            return
        self._answers.word = event.value.strip()
        await self._go_on()
        typed.shut(Message().time + _TYPED_ON_S)

    async def _answer(self, value: float) -> None:
        kept = self._answers.figures if self._question in FIGURES else self._answers.scales
        kept[self._question] = value
        await self._go_on()

    async def _go_on(self) -> None:
        if self._at + 1 == len(self._questions):
            self.action_finish()
        else:
            self._at += 1
            await self._ask()

    async def action_skip(self) -> None:
        """Leave this question, and go on."""
        await self._go_on()

    async def action_back(self) -> None:
        """Ask the question before again."""
        if self._at:
            self._at -= 1
            await self._ask()

    def action_finish(self) -> None:
        """Hand over what was answered; where nothing was, that it was skipped."""
        if self.app.screen is not self:
            return
        said = self._answers
        self._report(
            ReportSelf(
                occasion=self._occasion,
                track=self._track,
                valence=said.figures.get("valence"),
                arousal=said.figures.get("arousal"),
                emotion=said.word,
                scales=said.scales,
                skipped=said.empty,
                answered_s=round(time.monotonic() - self._asked_s, 1),
            )
        )
        self.dismiss()
