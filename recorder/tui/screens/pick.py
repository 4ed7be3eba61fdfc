"""A file or a folder, chosen from those that there are."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Final

import platformdirs
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import DirectoryTree, Footer, Static

from affetti.core.language import text
from affetti.core.people.playlist import SUFFIXES as PLAYLISTS
from affetti.recorder.sources.track import SUFFIXES as SOUNDS
from affetti.recorder.tui.screens.dialog import Dialog

_FILMS: Final = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"})
_KINDS: Final = {
    "music": SOUNDS | PLAYLISTS,
    "playlist": PLAYLISTS,
    "sound": SOUNDS,
    "film": _FILMS,
}


class PickScreen(Dialog[Path]):
    """Offers files of one kind below a folder; of music, whole folders as well.

    Parameters
    ----------
    kind
        "music", "playlist", "sound" or "film".
    folder
        Where to begin.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "take_folder", text("key.take_folder")),
        Binding("backspace", "up", text("key.folder_above")),
        Binding("escape", "dismiss(None)", text("key.close"), key_display="esc"),
    ]

    def __init__(self, kind: str, folder: Path) -> None:
        super().__init__()
        self._kind = kind
        self._folder = folder

    def compose(self) -> ComposeResult:
        """Lay out the tree under where it begins."""
        with Vertical(classes="dialog -tall-dialog"):
            yield Static(text(f"pick.{self._kind}"), classes="question")
            yield Static(str(self._folder), id="where", markup=False)
            yield _Files(self._folder, _KINDS[self._kind])
        yield Footer(show_command_palette=False, compact=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a whole folder of music alone."""
        return action != "take_folder" or self._kind == "music"

    def action_take_folder(self) -> None:
        """Take the folder that is highlighted."""
        node = self.query_one(_Files).cursor_node
        if node is not None and node.data is not None and node.data.path.is_dir():
            self.dismiss(node.data.path)

    def action_up(self) -> None:
        """Begin in the folder above."""
        tree = self.query_one(_Files)
        above = Path(tree.path).absolute().parent
        tree.path = above
        self.query_one("#where", Static).update(str(above))

    @on(DirectoryTree.FileSelected)
    def _take(self, event: DirectoryTree.FileSelected) -> None:
        self.dismiss(event.path)


class _Files(DirectoryTree):
    """Folders, and files with some suffixes; nothing that is hidden."""

    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "
    ICON_FILE = "  "

    def __init__(self, folder: Path, suffixes: frozenset[str]) -> None:
        super().__init__(folder)
        self._suffixes = suffixes

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        return [path for path in paths if not path.name.startswith(".") and self._shows(path)]

    def _shows(self, path: Path) -> bool:
        try:
            return path.is_dir() or path.suffix.lower() in self._suffixes
        except OSError:
            return False


def music_folder() -> Path:
    """Return where music is looked for first."""
    try:
        folder = platformdirs.user_music_path()
        return folder if folder.is_dir() else Path.home()
    except (OSError, RuntimeError, KeyError):
        return Path.cwd()
