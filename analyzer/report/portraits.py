"""A face at a moment: its outline, drawn, or where that was consented to, a picture."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.report.blocks import Picture
from affetti.analyzer.report.svg import element
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EXPRESSIONS, FloatArray
from affetti.core.events.consent import PICTURES_IN_REPORTS, VIDEO
from affetti.core.language import clock_text, text
from affetti.core.recording.pictures import decoded
from affetti.core.recording.session import Session

_NEAR_NS: Final = 2 * NS_PER_S  # so long after a moment its face is looked for
_SIDE: Final = 100.0
_MARGIN: Final = 0.25  # around the face in a picture, in widths of it
_PICTURE_PX: Final = 320
# Points of MediaPipe's mesh, as lines: the oval, brows, lids, nose and lips. Closed ones end
# where they began.
_LINES: Final[tuple[tuple[int, ...], ...]] = (
    (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
     148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10),
    (70, 63, 105, 66, 107), (336, 296, 334, 293, 300),
    (33, 160, 158, 133, 153, 144, 33), (362, 385, 387, 263, 373, 380, 362),
    (168, 6, 197, 195, 5, 4), (98, 97, 2, 326, 327),
    (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91, 61),
    (78, 81, 13, 311, 308, 402, 14, 178, 78),
)  # fmt: skip
_IRISES: Final = (468, 473)


def portraits_of(
    session: Session, analysis: Analysis, moments_ns: Sequence[int]
) -> Mapping[int, Picture]:
    """Return how the face was at some moments, where it was read about then.

    Parameters
    ----------
    session
        The recording, open.
    analysis
        Of it.
    moments_ns
        Session time.

    Returns
    -------
    By moment. A picture where the person agreed to pictures in reports, and still does; else the
    outline of the face. Nothing where pictures were not kept, or no face was read.
    """
    state = analysis.state
    if not session.video or VIDEO in state.unkept or not state.consent.grants(VIDEO):
        return {}
    shown = state.consent.grants(PICTURES_IN_REPORTS)
    found = {t_ns: _portrait(session, analysis, t_ns, shown) for t_ns in moments_ns}
    return {t_ns: picture for t_ns, picture in found.items() if picture is not None}


def _portrait(session: Session, analysis: Analysis, t_ns: int, shown: bool) -> Picture | None:
    row = _row(analysis, t_ns)
    if row is None:
        return None
    table = analysis.tables.face
    at_ns = int(table["t_ns"][row])
    try:
        image = decoded(session.frames.at(at_ns / NS_PER_S).jpeg)
    except IndexError:
        return None
    if image is None:
        return None
    names = ("left_px", "top_px", "width_px", "height_px")
    box = tuple(int(table[name][row]) for name in names)
    title = text("page.face_at", at=clock_text(at_ns / NS_PER_S))
    if shown:
        return Picture(title, jpeg=_cut(image, box))
    roll = float(np.nan_to_num(table["roll_deg"][row]))
    return _outlined(image, box, roll, title)


def _row(analysis: Analysis, t_ns: int) -> int | None:
    """Return the estimate of a face just after a moment that is the surest of what it says."""
    table = analysis.tables.face
    if EXPRESSIONS[0].value not in table:
        return None
    times = np.asarray(table["t_ns"], np.int64)
    shares = np.column_stack([np.asarray(table[e.value], np.float64) for e in EXPRESSIONS])
    near = (times >= t_ns) & (times <= t_ns + _NEAR_NS) & ~np.isnan(shares[:, 0])
    rows = np.flatnonzero(near)
    return int(rows[shares[rows].max(axis=1).argmax()]) if len(rows) else None


def _outlined(
    image: NDArray[np.uint8], box: tuple[int, ...], roll_deg: float, title: str
) -> Picture | None:
    from affetti.models.face.landmarks import (  # noqa: PLC0415  only where a face is drawn
        MIN_PRESENCE,
        LandmarkNetwork,
    )

    left, top, width, height = box
    found = LandmarkNetwork().find(image, (left, top, width, height), roll_deg)
    return Picture(title, svg=outline(found.points)) if found.presence >= MIN_PRESENCE else None


def outline(points: FloatArray) -> Markup:
    """Return a face as lines, from its landmarks, float64 [478, 3]."""
    flat = points[:, :2]
    oval = flat[list(_LINES[0])]
    low, high = oval.min(axis=0), oval.max(axis=0)
    scale = (_SIDE - 8) / float((high - low).max())
    placed = (flat - (low + high) / 2) * scale + _SIDE / 2
    lines = [element("polyline", points=_points(placed[list(line)])) for line in _LINES]
    eyes = [element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="2.2", class_="iris")
            for x, y in placed[list(_IRISES)]]  # fmt: skip
    return Markup("").join([*lines, *eyes])


def _points(places: FloatArray) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _cut(image: NDArray[np.uint8], box: tuple[int, ...]) -> bytes:
    """Return the face alone, as a JPEG of moderate size."""
    import cv2  # noqa: PLC0415  only where a picture is shown

    left, top, width, height = box
    margin = round(_MARGIN * max(width, height))
    cut: Any = image[max(top - margin, 0) : top + height + margin,
                     max(left - margin, 0) : left + width + margin]  # fmt: skip
    scale = min(1.0, _PICTURE_PX / max(cut.shape[:2]))
    smaller = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", smaller, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])
