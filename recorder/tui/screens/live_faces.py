"""Whose face is whose: said on the picture, with a key for each."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Static

from affetti.core.language import text
from affetti.recorder.tui.screens.base import MARK
from affetti.recorder.tui.screens.dialog import Dialog
from affetti.recorder.tui.view import FaceBox
from affetti.recorder.tui.widgets.picture import whose


class FacesScreen(Dialog[None]):
    """Lies beside the picture, on which the faces are numbered, and closes when it was said.

    Parameters
    ----------
    faces
        Those in view, from left to right; asked again and again.
    choose
        Told which face is being named, by its `face_id`; None at the end.
    name
        Told whose a face is: its `face_id`, and a role.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "name('patient')", text("key.face_patient")),
        Binding("h", "name('therapist')", text("key.face_therapist")),
        Binding("o", "name('other')", text("key.face_other")),
        Binding("f,right,tab", "step(1)", text("key.face_next"), key_display="f"),
        Binding("left,shift+tab", "step(-1)", show=False),
        *(Binding(str(n), f"face({n})", show=False) for n in range(1, 10)),
        Binding("escape,q", "dismiss", text("key.close"), key_display="esc"),
        MARK,
    ]

    def __init__(
        self,
        faces: Callable[[], tuple[FaceBox, ...]],
        choose: Callable[[int | None], object],
        name: Callable[[int, str], object],
        person: str = "",
    ) -> None:
        super().__init__()
        self._person = person
        self._faces, self._choose, self._say = faces, choose, name
        self._chosen: int | None = None

    def compose(self) -> ComposeResult:
        """Lay out the faces in words."""
        with Vertical(classes="dialog", id="faces"):
            yield Static(text("faces.title"), classes="question")
            yield Static(id="faces-list", markup=False)
            yield Static(text("faces.explanation"), classes="explanation")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Begin with the face that is not the patient's: it is that one that is to be named."""
        others = [face for face in self._faces() if face.role != "patient"]
        first = next(iter([*others, *self._faces()]), None)
        self._chosen = first.face_id if first is not None else None
        self.set_interval(0.25, self.look)
        self.look()

    def on_unmount(self) -> None:
        """No face is being named any more."""
        self._choose(None)

    def look(self) -> None:
        """Show the faces as they are now."""
        faces = self._faces()
        if faces and self._chosen not in [face.face_id for face in faces]:
            self._chosen = faces[0].face_id
        self._choose(self._chosen if faces else None)
        lines = [
            f"{'▶' if face.face_id == self._chosen else ' '} {number}  "
            f"{whose(face.role, self._person)}"
            for number, face in enumerate(faces, 1)
        ]
        self.query_one("#faces-list", Static).update("\n".join(lines) or text("live.no_face"))

    def action_step(self, by: int) -> None:
        """Go to the next face, or the one before."""
        ids = [face.face_id for face in self._faces()]
        if ids:
            at = ids.index(self._chosen) if self._chosen in ids else -1
            self._chosen = ids[(at + by) % len(ids)]
            self.look()

    def action_face(self, number: int) -> None:
        """Go to a face by its number."""
        faces = self._faces()
        if number <= len(faces):
            self._chosen = faces[number - 1].face_id
            self.look()

    def action_name(self, role: str) -> None:
        """Say whose the face is, and close."""
        if self._chosen is not None and self._faces():
            self._say(self._chosen, role)
            self.dismiss()
