"""The consent on file of a person: scope by scope, and the day on which it expires."""

from datetime import date
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer, Input, Label, Static

from affetti.core.consent import today
from affetti.core.events import SCOPES, Consent, consent_to
from affetti.core.language import brief_date, text, typed_day, word
from affetti.recorder.tui.screens.dialog import Dialog
from affetti.recorder.tui.widgets.consent import YesNo
from affetti.recorder.tui.widgets.line import Code

_EXAMPLE: Final = brief_date(date(2027, 11, 26))


class ConsentFileScreen(Dialog[tuple[Consent, str]]):
    """Asks what a person agreed to today; dismissed with that and the day of expiry, or None.

    Parameters
    ----------
    person
        The code.
    held
        What is on file, by scope.
    expires
        The day, ISO 8601; "" where it has none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "keep", text("key.file_consent"), priority=True),
        Binding("escape", "dismiss(None)", text("key.close"), key_display="esc"),
    ]

    def __init__(self, person: str, held: dict[str, bool], expires: str) -> None:
        super().__init__()
        self._person, self._held, self._expires = person, held, expires

    def compose(self) -> ComposeResult:
        """Lay out the scopes over the day."""
        with Vertical(classes="dialog"):
            asked = text("person.consent_question", person=self._person)
            yield Static(asked, classes="question", markup=False)
            for scope in SCOPES:
                yield YesNo(word("consent", scope), self._held.get(scope), id=f"scope-{scope}")
            with Horizontal(classes="field"):
                yield Label(text("person.until"))
                said = brief_date(date.fromisoformat(self._expires)) if self._expires else ""
                yield Code(said, placeholder=_EXAMPLE, max_length=10, compact=True)
            yield Static(text("person.until_hint"), id="wrong", classes="explanation")
        yield Footer(show_command_palette=False, compact=True)

    def action_keep(self) -> None:
        """Put it on file, once every scope was answered and the day is one."""
        if isinstance(self.focused, Code) and self.app.typed.goes_on:  # type: ignore[attr-defined]
            return
        answers = {scope: self.query_one(f"#scope-{scope}", YesNo).value for scope in SCOPES}
        if None in answers.values():
            self._refuse(text("person.answer_all"))
            return
        said = self.query_one(Input).value.strip()
        expires = typed_day(said)
        if said and not expires > today():
            self._refuse(text("person.no_day", said=said))
            return
        granted = [scope for scope, yes in answers.items() if yes]
        self.dismiss((consent_to(*granted, since=today()), expires))

    def _refuse(self, words: str) -> None:
        wrong = self.query_one("#wrong", Static)
        wrong.add_class("-error")
        wrong.update(f"! {words}")
