"""Help: every key of the screen beneath, made from its bindings, so that it cannot drift."""

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.dom import DOMNode
from textual.widgets import Footer, Static

from affetti.core.language import text
from affetti.recorder.tui.screens.base import MARK
from affetti.recorder.tui.screens.dialog import Dialog


def own_bindings(kind: type) -> list[Binding]:
    """Return the keys that a class of ours declares, or takes from one of ours.

    Those of Textual's classes go without saying: how a line is edited and a list is scrolled.
    """
    home = next((each for each in kind.__mro__ if "BINDINGS" in vars(each)), object)
    if not home.__module__.startswith("affetti."):
        return []
    return [binding for binding in vars(home)["BINDINGS"] if isinstance(binding, Binding)]


class HelpScreen(Dialog[None]):
    """Lists keys, and says what each does.

    Parameters
    ----------
    nodes
        The screen beneath, its parts, and the app: whatever may have bindings of its own.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "dismiss", text("key.close"), key_display="esc"),
        MARK,
    ]

    def __init__(self, nodes: Iterable[DOMNode]) -> None:
        super().__init__()
        kinds = {type(node): node for node in nodes}
        self._listed = [
            binding
            for kind, node in kinds.items()
            for binding in own_bindings(kind)
            # What only a recording has; what a screen will offer later is listed.
            if not isinstance(node, App) or node.check_action(binding.action, ()) is not False
        ]

    def compose(self) -> ComposeResult:
        """Lay out the keys."""
        with VerticalScroll(classes="dialog", can_focus=True):
            yield Static(text("help.keys"), classes="question")
            yield Static(self.table())
            yield Static(text("help.explanation"), classes="explanation")
        yield Footer(show_command_palette=False, compact=True)

    def table(self) -> Table:
        """Return the keys with what they do, one row for each thing to do."""
        keys: dict[str, list[str]] = {}
        for binding in self._listed:
            says = binding.tooltip or binding.description
            key = self.app.get_key_display(binding)
            if key not in keys.setdefault(says, []):
                keys[says].append(key)
        table = Table.grid(padding=(0, 2))
        for says, names in keys.items():
            table.add_row(Text(" ".join(names), "bold"), Text(says))
        return table
