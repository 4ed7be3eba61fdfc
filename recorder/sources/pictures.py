"""Decoded frames on their way to pictures as they are meant to be seen.

Whole, not two half pictures woven into one; upright; and with pixels as wide as high.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np

from affetti.recorder.sources.frames import Picture
from affetti.recorder.sources.pyav import pyav

_ODDEST_PIXEL: Final = 8  # times as wide as high, or the other way round


@dataclass(frozen=True)
class Aspect:
    """How the film says that a frame is to be shown."""

    stamp_ns: int | None
    duration_ns: int | None
    pixel: Fraction  # width of a pixel for a height of 1
    matrix: tuple[int, ...]  # 3 x 3, row by row, as FFmpeg has it; empty for none


def aspect(frame: Any, stamp_ns: int | None, duration_ns: int | None, pixel: Any) -> Aspect:
    """Return how a frame is to be shown; one pixel aspect that cannot be is none."""
    plausible = pixel and Fraction(1, _ODDEST_PIXEL) <= pixel <= _ODDEST_PIXEL
    data = frame.side_data.get("DISPLAYMATRIX")
    matrix = tuple(np.frombuffer(bytes(data), np.int32).tolist()) if data is not None else ()
    return Aspect(stamp_ns, duration_ns, Fraction(pixel) if plausible else Fraction(1), matrix)


def upright(frame: Any, shown: Aspect) -> Picture:
    """Return a frame as a picture: no pixel of it is lost, square ones are made by stretching."""
    pixel = shown.pixel
    width_px = round(frame.width * max(pixel, 1))
    height_px = round(frame.height * max(1 / pixel, 1))
    picture: Picture = frame.reformat(
        width=width_px, height=height_px, format="bgr24", threads=1
    ).to_ndarray()
    return np.ascontiguousarray(_turned(picture, shown.matrix))


def _turned(picture: Picture, matrix: tuple[int, ...]) -> Picture:
    if len(matrix) != 9 or not any(matrix[:2]):
        return picture
    # A point (x, y) is shown at (a * x + c * y, b * x + d * y).
    a, b, _, c, d = matrix[:5]
    if abs(a) + abs(d) < abs(b) + abs(c):
        picture, a, d = picture.swapaxes(0, 1), c, b
    return picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


class Deinterlacer:
    """Weaves nothing: makes a whole picture of the half that came first, one for each frame.

    Frames that are not interlaced pass as they are. It is one frame behind as soon as it has
    seen one that is; `flush` gives out what it still has.
    """

    def __init__(self) -> None:
        self._graph: Any = None
        self._form: tuple[int, int, str] | None = None
        self._inside: deque[Aspect] = deque()

    def push(self, frame: Any, shown: Aspect) -> Iterator[tuple[Any, Aspect]]:
        """Take in a frame, and yield those that are ready."""
        form = (frame.width, frame.height, frame.format.name)
        if form != self._form:
            yield from self.flush()
        if self._graph is None and not frame.interlaced_frame:
            yield frame, shown
            return
        if self._graph is None:
            self._graph, self._form = _weaver(frame), form
        self._graph.vpush(frame)
        self._inside.append(shown)
        yield from self._ready()

    def flush(self) -> Iterator[tuple[Any, Aspect]]:
        """Yield what is still inside."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._ready()
        self._graph = self._form = None
        self._inside.clear()

    def _ready(self) -> Iterator[tuple[Any, Aspect]]:
        av = pyav()
        while self._inside:
            try:
                frame = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield frame, self._inside.popleft()


def _weaver(frame: Any) -> Any:
    graph = pyav().filter.Graph()
    graph.threads = 1
    # The filter counts frames, not time: stamps travel beside it.
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 90_000)
    )
    weave = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    graph.link_nodes(source, weave, graph.add("buffersink")).configure()
    return graph
