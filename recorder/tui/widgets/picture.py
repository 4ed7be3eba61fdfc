"""A small picture in half blocks: two pixels in each cell of the terminal."""

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from affetti.core.events import PATIENT
from affetti.core.language import text, word
from affetti.recorder.engine.messages import Picture
from affetti.recorder.tui.view import FaceBox

_LEVEL: Final = 4
_DIMMED: Final = 3  # how much darker an old picture is
_READ_RGB: Final = (255, 255, 255)
_UNREAD_RGB: Final = (128, 128, 128)
_CHOSEN_RGB: Final = (255, 208, 80)
_LABELS: Final = {True: Style(color="#000000", bgcolor="#ffffff", bold=True),
                  False: Style(color="#ffffff", bgcolor="#404040")}  # fmt: skip
_CHOSEN_LABEL: Final = Style(color="#000000", bgcolor="#ffd050", bold=True)


class PictureBox(Widget):
    """Shows the latest picture, as large as fits, with a box around each face and whose it is.

    That of the face that is read is bright, the others are grey; one that is being named is
    yellow, and all are numbered then.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._picture: Picture | None = None
        self._boxes: tuple[FaceBox, ...] = ()
        self._chosen: int | None = None
        self._words = ""
        self.person = ""  # who the patient is
        self._strips: list[Strip] = []
        self._drawn_as: Size | None = None  # None: not yet

    def show(
        self,
        picture: Picture | None,
        boxes: tuple[FaceBox, ...] = (),
        words: str = "",
        chosen: int | None = None,
    ) -> None:
        """Show a picture, or words where there is none; both where the picture is an old one.

        Parameters
        ----------
        picture
            As the engine sent it.
        boxes
            Faces, from left to right.
        words
            What to say in place of a picture, or over one, which is dimmed then.
        chosen
            The `face_id` of the face that is being named.
        """
        shown = (boxes, words, chosen)
        if picture is self._picture and shown == (self._boxes, self._words, self._chosen):
            return
        self._picture, self._boxes, self._words, self._chosen = picture, *shown
        self._drawn_as = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line of the picture."""
        if self._drawn_as != self.size:
            self._drawn_as = self.size
            self._draw()
            blank = Strip.blank(self.size.width, self.rich_style)
            self._strips += [blank] * max(0, self.size.height - len(self._strips))
        return self._strips[y]

    def notify_style_update(self) -> None:
        """Draw it anew in other colours."""
        super().notify_style_update()
        self._drawn_as = None

    def _draw(self) -> None:
        width, height = self.size
        pixels = _fitted(self._picture, width, 2 * height) if self._picture else None
        if pixels is None or self._picture is None:
            self._strips = self._said(width, height)
        else:
            if self._words:
                pixels = pixels // _DIMMED
            # The bright one last, so that it lies on top.
            for box in sorted(self._boxes, key=lambda each: each.read):
                _outline(pixels, box.box_px, self._picture, self._colour(box))
            self._strips = self._labelled(pixels, self._picture)
            if self._words:
                self._strips[height // 2 : height // 2 + 1] = self._said(width, 1)

    def _colour(self, box: FaceBox) -> tuple[int, int, int]:
        if box.face_id == self._chosen:
            return _CHOSEN_RGB
        return _READ_RGB if box.read else _UNREAD_RGB

    def _labelled(self, pixels: NDArray[np.uint8], picture: Picture) -> list[Strip]:
        """Return the lines of the picture, over each box whose face it is."""
        width, height = self.size
        strips = self._placed(pixels, width, height)
        left = (width - pixels.shape[1]) // 2
        above = (height - len(pixels) // 2) // 2
        ends: dict[int, int] = {}  # of the labels in a line
        for number, box in enumerate(self._boxes, 1):
            x = left + round(box.box_px[0] * pixels.shape[1] / picture.width_px)
            y = above + round(box.box_px[1] * len(pixels) / 2 / picture.height_px) - 1
            name = whose(box.role, self.person)
            label = f" {number} {name} " if self._chosen is not None else f" {name} "
            style = _CHOSEN_LABEL if box.face_id == self._chosen else _LABELS[box.read]
            x, y = max(0, min(x, width - len(label))), max(y, above)
            while x < ends.get(y, 0):
                y += 1
            ends[y] = x + len(label)
            _overlay(strips, x, y, label, style)
        return strips

    def _said(self, width: int, height: int) -> list[Strip]:
        style = self.rich_style
        line = Strip([Segment(self._words[:width].center(width), style)], width)
        return [Strip.blank(width, style)] * max(0, (height - 1) // 2) + [line]

    def _placed(self, pixels: NDArray[np.uint8], width: int, height: int) -> list[Strip]:
        style = self.rich_style
        left = (width - pixels.shape[1]) // 2
        margin = [Segment(" " * left, style)]
        rest = [Segment(" " * (width - left - pixels.shape[1]), style)]
        above = [Strip.blank(width, style)] * ((height - len(pixels) // 2) // 2)
        rows = zip(pixels[::2], pixels[1::2], strict=True)
        return above + [Strip([*margin, *_cells(*row), *rest], width) for row in rows]


def whose(role: str, person: str) -> str:
    """Return whose a face is; of the patient's with their code, by which all else calls them."""
    if role == PATIENT and person:
        return text("whose.patient_of", person=person)
    return word("whose", role)


def _overlay(strips: list[Strip], x: int, y: int, label: str, style: Style) -> None:
    if 0 <= y < len(strips):
        line, stop = strips[y], x + len(label)
        written = Strip([Segment(label, style)], len(label))
        strips[y] = Strip.join([line.crop(0, x), written, line.crop(stop, line.cell_length)])


def _cells(upper: NDArray[np.uint8], lower: NDArray[np.uint8]) -> list[Segment]:
    pairs = zip(_levels(upper), _levels(lower), strict=True)
    return [_cell(above, below) for above, below in pairs]


def _levels(pixels: NDArray[np.uint8]) -> list[tuple[int, int, int]]:
    """Return pixels in fewer levels: what nobody tells apart need not be made anew."""
    coarse = np.minimum(pixels.astype(np.int16) + _LEVEL // 2, 255) // _LEVEL * _LEVEL
    return [(r, g, b) for r, g, b in coarse.tolist()]


@lru_cache(maxsize=1 << 14)
def _cell(above: tuple[int, int, int], below: tuple[int, int, int]) -> Segment:
    return Segment("▀", Style.from_color(Color.from_rgb(*above), Color.from_rgb(*below)))


def _fitted(picture: Picture, width: int, height: int) -> NDArray[np.uint8] | None:
    """Decode a picture and scale it to fit; uint8 [H, W, 3] RGB with even H, or None."""
    import cv2  # noqa: PLC0415  not before there is a picture

    full: Any = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    if full is None or width < 2 or height < 2:
        return None
    scale = min(width / picture.width_px, height / picture.height_px)
    size = (max(1, round(picture.width_px * scale)), max(2, round(picture.height_px * scale) & ~1))
    blue_first = np.asarray(cv2.resize(full, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(blue_first[..., ::-1])


def _outline(
    pixels: NDArray[np.uint8], box: tuple[int, ...], picture: Picture, rgb: tuple[int, int, int]
) -> None:
    """Draw the corners of a box, one pixel thin, into the scaled picture."""
    height, width = pixels.shape[:2]
    x, y = width / picture.width_px, height / picture.height_px
    left, right = (int(np.clip(at * x, 0, width - 1)) for at in (box[0], box[0] + box[2]))
    top, bottom = (int(np.clip(at * y, 0, height - 1)) for at in (box[1], box[1] + box[3]))
    across, down = ((far - near + 3) // 4 for near, far in ((left, right), (top, bottom)))
    for x_begin, x_end in ((left, left + across), (right - across + 1, right + 1)):
        pixels[[top, bottom], x_begin:x_end] = rgb
    for y_begin, y_end in ((top, top + down), (bottom - down + 1, bottom + 1)):
        pixels[y_begin:y_end, [left, right]] = rgb
