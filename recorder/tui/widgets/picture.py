"""A small picture in half blocks: two pixels in each cell of the terminal."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from affetti.recorder.engine.messages import Picture

Box = tuple[int, int, int, int]  # left, top, width, height

_DIMMED: Final = 3  # how much darker an old picture is
_READ_RGB: Final = (255, 255, 255)
_UNREAD_RGB: Final = (128, 128, 128)


class PictureBox(Widget):
    """Shows the latest picture, as large as fits, with a box around each face.

    That of the face that is read is bright, the others are grey.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._picture: Picture | None = None
        self._boxes: tuple[tuple[Box, bool], ...] = ()
        self._words = ""
        self._strips: list[Strip] = []
        self._drawn_as: tuple[Size, Style] | None = None  # None: not yet

    def show(
        self,
        picture: Picture | None,
        boxes: tuple[tuple[Box, bool], ...] = (),
        words: str = "",
    ) -> None:
        """Show a picture, or words where there is none; both where the picture is an old one.

        Parameters
        ----------
        picture
            As the engine sent it.
        boxes
            Faces in the pixels of the full frame (left, top, width, height), and whether each is
            the one that is read.
        words
            What to say in place of a picture, or over one, which is dimmed then.
        """
        if picture is self._picture and boxes == self._boxes and words == self._words:
            return
        self._picture, self._boxes, self._words = picture, boxes, words
        self._drawn_as = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line of the picture."""
        if self._drawn_as != (self.size, self.rich_style):
            self._drawn_as = (self.size, self.rich_style)
            self._draw()
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, self.rich_style)

    def _draw(self) -> None:
        width, height = self.size
        pixels = _fitted(self._picture, width, 2 * height) if self._picture else None
        if pixels is None or self._picture is None:
            self._strips = self._said(width, height)
        else:
            if self._words:
                pixels = pixels // _DIMMED
            # The bright one last, so that it lies on top.
            for box, is_read in sorted(self._boxes, key=lambda each: each[1]):
                _outline(pixels, box, self._picture, _READ_RGB if is_read else _UNREAD_RGB)
            self._strips = self._placed(pixels, width, height)
            if self._words:
                self._strips[height // 2 : height // 2 + 1] = self._said(width, 1)

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


def _cells(upper: NDArray[np.uint8], lower: NDArray[np.uint8]) -> list[Segment]:
    return [
        Segment("▀", Style(color=_rgb(above), bgcolor=_rgb(below)))
        for above, below in zip(upper.tolist(), lower.tolist(), strict=True)
    ]


def _rgb(pixel: list[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*pixel)


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
    pixels: NDArray[np.uint8], box: Box, picture: Picture, rgb: tuple[int, int, int]
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
