"""Decoded frames on their way to pictures as they are meant to be seen.

Whole, not two half pictures woven into one; upright; and with pixels as wide as high.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
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
    data = frame.side_data.get("DISPLAYMATRIX")
    matrix = tuple(np.frombuffer(bytes(data), np.int32).tolist()) if data is not None else ()
    return Aspect(stamp_ns, duration_ns, _plausible(pixel), matrix)


@lru_cache
def _plausible(pixel: Any) -> Fraction:
    possible = pixel and Fraction(1, _ODDEST_PIXEL) <= pixel <= _ODDEST_PIXEL
    return Fraction(pixel) if possible else Fraction(1)


class Upright:
    """Makes pictures of the frames of one film: what one frame's colours take serves the next."""

    def __init__(self) -> None:
        self._reformatter = pyav().video.reformatter.VideoReformatter()

    def picture(self, frame: Any, shown: Aspect) -> Picture:
        """Return a frame as a picture; no pixel is lost, square ones are made by stretching."""
        width_px, height_px = _shown_px(frame.width, frame.height, shown.pixel)
        picture: Picture = self._reformatter.reformat(
            frame, width=width_px, height=height_px, format="bgr24", threads=1
        ).to_ndarray()
        return np.ascontiguousarray(_turned(picture, shown.matrix))


@lru_cache
def _shown_px(width_px: int, height_px: int, pixel: Fraction) -> tuple[int, int]:
    one = Fraction(1)
    return round(width_px * max(pixel, one)), round(height_px * max(one / pixel, one))


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
