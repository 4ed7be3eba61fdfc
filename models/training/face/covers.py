"""Trains the network that sees whether a mouth or the eyes are covered, on covers that are drawn.

Faces of the training sets are covered with patches, masks along the jaw, fingers, sticks with a
ball, halves and bars, in flat colours, noise, stripes, folds, cuttings of other pictures and the
skin of the face itself; where the mouth and the eyes are, the landmark network says. No real
cover is among them: those are for the test.

    python -m affetti.models.training.face.covers FACES.npz OUT.onnx

`FACES.npz` has `faces`, uint8 [n, side, side], and `points`, float [n, 478, 2], their landmarks
in pixels.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from affetti.core.emotions import FloatArray
from affetti.models.evaluation.face.data import FACE_PX
from affetti.models.training.face.network import OPSET, Standardised

SIDE_PX: Final = 96  # covers are drawn at twice the size, and shrunk with the face
FRAME: Final = 1.26  # a side of the square that is read, in mean sides of the face's outline
FRAME_UP: Final = -0.055  # how far above the middle of the outline its middle lies
BATCH: Final = 128
ROUND: Final = 8_000  # faces that are covered anew
COVERED: Final = 0.6  # so much of a mouth or an eye makes it covered, and so little leaves it open
OPEN: Final = 0.15

_MOUTH: Final = (61, 291, 0, 17, 39, 269, 181, 405)
_EYES: Final = (
    (33, 133, 159, 145, 158, 153, 160, 144),
    (263, 362, 386, 374, 385, 380, 387, 373),
)
_JAW: Final = (
    *(234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152),
    *(377, 400, 378, 379, 365, 397, 288, 361, 323, 454),
)
_NOSE: Final = (6, 197, 195, 5, 4, 1)
_OUTLINE: Final = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
_SKIN: Final = (50, 280, 10, 151, 205, 425)

Mask: TypeAlias = NDArray[np.uint8]
Chance: TypeAlias = np.random.Generator


class Covered(NamedTuple):
    """A face as the network sees it, and how much of its mouth and of its eyes is covered."""

    face: NDArray[np.uint8]
    mouth: float
    eyes: float


class _Face(NamedTuple):
    """A face, float [96, 96], and where its parts are, in pixels."""

    grey: FloatArray
    points: FloatArray

    def middle(self, numbers: Sequence[int]) -> FloatArray:
        return np.asarray(self.points[list(numbers)].mean(axis=0))

    def width(self, numbers: Sequence[int]) -> float:
        return float(np.ptp(self.points[list(numbers), 0])) + 1

    def hull(self, numbers: Sequence[int]) -> Mask:
        return _filled(self.points[list(numbers)])


def _filled(corners: FloatArray) -> Mask:
    mask = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.asarray(corners, np.int32)), 255)
    return mask


def _blob(middle: FloatArray, half_sides: Sequence[float], angle: float, chance: Chance) -> Mask:
    """Return an ellipse, or a polygon of a few corners like one."""
    corners = 40 if chance.random() < 0.4 else int(chance.integers(4, 10))
    turns = np.sort(chance.uniform(0, 2 * np.pi, corners))
    radii = chance.uniform(0.75, 1.2, corners)[:, np.newaxis]
    unit = np.stack([np.cos(turns), np.sin(turns)], axis=1) * radii * np.asarray(half_sides)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return _filled(unit @ turn + middle)


def _patch(face: _Face, chance: Chance) -> Mask:
    width = face.width(_MOUTH)
    sides = width * chance.uniform(0.6, 1.2), width * chance.uniform(0.4, 0.9)
    middle = face.middle(_MOUTH) + chance.normal(0, 0.12, 2) * width
    return _blob(middle, sides, chance.normal(0, 0.4), chance)


def _bar(face: _Face, chance: Chance) -> Mask:
    eyes = [number for eye in _EYES for number in eye]
    width = face.width(eyes)
    sides = width * chance.uniform(0.55, 0.8), width * chance.uniform(0.15, 0.35)
    return _blob(face.middle(eyes), sides, chance.normal(0, 0.1), chance)


def _mask(face: _Face, chance: Chance) -> Mask:
    cut = int(chance.integers(4))
    rim = [*_JAW[cut : len(_JAW) - cut], int(chance.choice(_NOSE))]
    corners = face.points[rim] + chance.normal(0, 0.8, (len(rim), 2))
    return np.asarray(cv2.dilate(_filled(corners), np.ones((3, 3), np.uint8)), np.uint8)


def _hand(face: _Face, chance: Chance) -> Mask:
    """Return four fingers that reach over the mouth, and the palm they come from."""
    size = face.width(_MOUTH) * chance.uniform(0.9, 1.5)
    tip = face.middle(_MOUTH) + chance.normal(0, 0.12, 2) * size
    angle = chance.uniform(-0.6, 1.2)
    ahead = np.array([chance.choice([-1, 1]) * np.cos(angle), np.sin(angle)])
    beside, width = np.array([-ahead[1], ahead[0]]), size * chance.uniform(0.14, 0.22)
    mask = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    for finger in (-1.5, -0.5, 0.5, 1.5):
        root = tip + beside * finger * width * 1.05
        ends = root - ahead * size * chance.uniform(0.2, 0.75), root + ahead * size * 1.2
        first, last = (tuple(int(x) for x in end) for end in ends)
        cv2.line(mask, first, last, 255, max(1, int(width)))
    palm = tip + ahead * size * chance.uniform(0.7, 1.3)
    cv2.circle(mask, (int(palm[0]), int(palm[1])), int(size * chance.uniform(0.4, 0.7)), 255, -1)
    return mask


def _stick(face: _Face, chance: Chance) -> Mask:
    """Return a ball before the mouth and what holds it from below: a microphone, a spoon."""
    width = face.width(_MOUTH)
    middle = face.middle(_MOUTH) + (chance.normal(0, 0.15, 2) + np.array([0, 0.15])) * width
    ball = int(middle[0]), int(middle[1])
    below = int(ball[0] + chance.normal(0, 0.3) * SIDE_PX), ball[1] + SIDE_PX
    mask = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    cv2.circle(mask, ball, int(width * chance.uniform(0.4, 0.7)), 255, -1)
    cv2.line(mask, ball, below, 255, int(max(2, width * chance.uniform(0.2, 0.5))))
    return mask


def _beyond(middle: FloatArray, angle: float, farther: float = 0.0) -> Mask:
    """Return all that lies beyond a line through a point, in the direction of an angle."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    way = (x - middle[0]) * np.cos(angle) + (y - middle[1]) * np.sin(angle)
    return np.where(way > farther, 255, 0).astype(np.uint8)


def _below(face: _Face, chance: Chance) -> Mask:
    nose, mouth = face.points[4], face.middle(_MOUTH)
    middle = nose + chance.uniform(-0.1, 0.35) * (mouth - nose)
    return _beyond(middle, np.pi / 2 + chance.normal(0, 0.15))


def _half(face: _Face, chance: Chance) -> Mask:
    farther = chance.uniform(-0.1, 0.3) * face.width(_OUTLINE)
    return _beyond(face.points[4], chance.uniform(0, 2 * np.pi), farther)


def _beside(face: _Face, chance: Chance) -> Mask:
    width, angle = face.width(_OUTLINE), chance.uniform(0, 2 * np.pi)
    away = width * chance.uniform(0.45, 0.8) * np.array([np.cos(angle), np.sin(angle)])
    sides = width * chance.uniform(0.1, 0.35, 2)
    return _blob(face.points[1] + away, sides.tolist(), angle, chance)


# How often each is drawn; the rest of the faces, two in seven, stay as they are.
SHAPES: Final[dict[Callable[[_Face, Chance], Mask], int]] = {
    _beside: 2, _patch: 1, _hand: 2, _mask: 2, _stick: 1, _below: 2, _bar: 2, _half: 1,
}  # fmt: skip
_BARE: Final = 4


def _texture(face: _Face, others: NDArray[np.uint8], chance: Chance) -> FloatArray:
    """Return what a cover looks like, float [96, 96]."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX].astype(np.float64)
    angle, grey = chance.uniform(0, np.pi), chance.uniform(0, 255)
    along = x * np.cos(angle) + y * np.sin(angle)
    match int(chance.integers(7)):
        case 0:
            return np.full_like(along, grey)
        case 1:
            return np.asarray(grey + chance.normal(0, chance.uniform(3, 60), along.shape))
        case 2:
            few = chance.uniform(0, 255, (int(chance.integers(2, 9)),) * 2)
            return np.asarray(cv2.resize(few, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC))
        case 3:
            stripes = np.sign(np.sin(chance.uniform(0.1, 1.2) * along))
            return np.asarray(grey + chance.uniform(10, 90) * stripes)
        case 4:
            folds = chance.uniform(0, 25) * np.sin(chance.uniform(0.1, 0.5) * along)
            return np.asarray(grey + chance.uniform(-3, 3) * (along - along.mean()) + folds)
        case _:
            return _cutting(others, chance)


def _cutting(others: NDArray[np.uint8], chance: Chance) -> FloatArray:
    other = others[chance.integers(len(others))].astype(np.float64)
    side = int(chance.integers(12, len(other)))
    top, left = chance.integers(0, len(other) - side + 1, 2)
    cut = cv2.resize(other[top : top + side, left : left + side], (SIDE_PX, SIDE_PX))
    flat = (cut - cut.mean()) * chance.uniform(0.3, 1.2)
    return np.asarray(flat + chance.uniform(20, 235))


def _skin(face: _Face, chance: Chance) -> FloatArray:
    """Return the skin of the face itself, with the lines of fingers."""
    places = np.clip(face.points[list(_SKIN)].astype(int), 0, SIDE_PX - 1)
    tone = float(np.median(face.grey[places[:, 1], places[:, 0]])) + chance.normal(0, 14)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX].astype(np.float64)
    angle = chance.uniform(0, np.pi)
    along = (x * np.cos(angle) + y * np.sin(angle)) / (SIDE_PX * chance.uniform(0.09, 0.16))
    lines = np.abs(np.sin(np.pi * along)) ** chance.uniform(0.3, 1) - 0.6
    shade = cv2.resize(chance.normal(0, 8, (6, 6)), (SIDE_PX, SIDE_PX))
    return np.asarray(tone + chance.uniform(5, 30) * lines + shade)


def covered(
    grey: NDArray[np.uint8], points: FloatArray, others: NDArray[np.uint8], chance: Chance
) -> Covered:
    """Return a face with a cover drawn over it, or none, as a camera might show it.

    Parameters
    ----------
    grey
        A face, uint8 [side, side].
    points
        Its landmarks, float [478, 2], in pixels.
    others
        Further faces, uint8 [n, side, side], to cut covers from.
    chance
        Where all that is left to chance comes from.
    """
    scale = SIDE_PX / len(grey)
    large = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    face = _Face(large.astype(np.float64), (points + 0.5) * scale - 0.5)
    weights = np.array([_BARE, *SHAPES.values()], np.float64)
    chosen = int(chance.choice(len(weights), p=weights / weights.sum()))
    shown, mask = face.grey, np.zeros((SIDE_PX, SIDE_PX))
    if chosen:
        shape = list(SHAPES)[chosen - 1]
        mask = cv2.GaussianBlur(shape(face, chance) / 255.0, (0, 0), chance.uniform(0.3, 0.9))
        is_skin = chance.random() < (0.85 if shape is _hand else 0.2)
        cover = _skin(face, chance) if is_skin else _texture(face, others, chance)
        shown = shown * (1 - mask) + np.clip(cover, 0, 255) * mask
    eyes = min(_share(mask, face.hull(eye)) for eye in _EYES)
    seen = _as_seen(_framed(shown, face, chance), chance)
    return Covered(seen, _share(mask, face.hull(_MOUTH)), eyes)


def _share(mask: FloatArray, part: Mask) -> float:
    """Return how much of a part of the face is covered."""
    inside = mask[part > 0]
    return float((inside > 0.5).mean()) if inside.size else 0.0


def _framed(shown: FloatArray, face: _Face, chance: Chance) -> FloatArray:
    """Return a face as a detector frames it, about: float [48, 48]."""
    outline = face.points[list(_OUTLINE)]
    low, high = outline.min(axis=0), outline.max(axis=0)
    size = high - low
    middle = (low + high) / 2 + (np.array([0, FRAME_UP]) + chance.normal(0, 0.03, 2)) * size
    angle, side = chance.normal(0, 0.08), FRAME * float(size.mean()) * chance.uniform(0.9, 1.12)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn *= FACE_PX / side
    placement = np.c_[turn, (FACE_PX - 1) / 2 - turn @ middle]
    to = (FACE_PX, FACE_PX)
    framed = cv2.warpAffine(shown, placement, to, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(framed[:, ::-1] if chance.random() < 0.5 else framed)


def _as_seen(framed: FloatArray, chance: Chance) -> NDArray[np.uint8]:
    """Return a face out of focus, from afar, in bad light or with noise, as it happens."""
    seen = np.ascontiguousarray(framed)
    if chance.random() < 0.3:
        seen = cv2.GaussianBlur(seen, (0, 0), chance.uniform(0.3, 1.1))
    if chance.random() < 0.25:
        few = int(FACE_PX * chance.uniform(0.45, 0.9))
        seen = cv2.resize(seen, (few, few), interpolation=cv2.INTER_AREA)
        seen = cv2.resize(seen, (FACE_PX, FACE_PX))
    if chance.random() < 0.4:
        y, x = np.mgrid[:FACE_PX, :FACE_PX] / FACE_PX - 0.5
        angle = chance.uniform(0, 2 * np.pi)
        seen = seen * (1 + chance.uniform(0, 0.9) * (x * np.cos(angle) + y * np.sin(angle)))
    seen = seen * chance.uniform(0.4, 1.15) + chance.uniform(-10, 20)
    if chance.random() < 0.4:
        seen = seen + chance.normal(0, chance.uniform(1, 7), seen.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)


class CoverNet(nn.Module):  # type: ignore[misc]
    """Five convolutions and two layers, 0.1 million weights."""

    def __init__(self) -> None:
        super().__init__()
        widths = ((1, 12, 2), (12, 16, 1), (16, 24, 2), (24, 32, 1), (32, 48, 2))
        self.standardised = Standardised()
        self.body = nn.Sequential(*(_convolution(*each) for each in widths))
        self.dropout = nn.Dropout(0.3)
        self.hidden = nn.Linear(48 * (FACE_PX // 8) ** 2, 48)
        self.out = nn.Linear(48, 2)

    def forward(self, faces: Any) -> Any:
        """Return the log-odds that mouth and eyes are covered, [N, 2], of grey [N, 1, 48, 48]."""
        seen = self.body(self.standardised(faces)).flatten(1)
        return self.out(torch.relu(self.hidden(self.dropout(seen))))


def _convolution(channels: int, width: int, stride: int) -> Any:
    convolution = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU())


class _Probabilities(nn.Module):  # type: ignore[misc]
    def __init__(self, network: CoverNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, faces: Any) -> Any:
        return torch.sigmoid(self.network(faces))


def train(
    faces: NDArray[np.uint8], points: FloatArray, rounds: int = 5, passes: int = 3, seed: int = 0
) -> CoverNet:
    """Return a network trained on faces that are covered anew in each round.

    Parameters
    ----------
    faces, points
        uint8 [n, side, side] and float [n, 478, 2].
    rounds, passes
        How often covers are drawn, and how often each is shown.
    seed
        For all that is left to chance.
    """
    torch.manual_seed(seed)
    chance, network = np.random.default_rng(seed), CoverNet()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    size = min(ROUND, 4 * len(faces))
    batches = -(-size // BATCH)
    steps = rounds * passes * batches
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(rounds):
        drawn = chance.integers(len(faces), size=size)
        seen = [covered(faces[i], points[i], faces, chance) for i in drawn]
        x = torch.tensor(np.array([each.face for each in seen])).float()[:, None]
        y = torch.tensor([[each.mouth, each.eyes] for each in seen])
        for order in np.array_split(_orders(chance, size, passes), passes * batches):
            loss = _loss(network(x[order]), y[order])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    network.eval()
    return network


def _orders(chance: Chance, size: int, passes: int) -> NDArray[np.int64]:
    return np.concatenate([chance.permutation(size) for _ in range(passes)])


def _loss(odds: Any, shares: Any) -> Any:
    """Return the cross-entropy; what is half covered is neither one nor the other."""
    counts = ((shares <= OPEN) | (shares >= COVERED)).float()
    wanted = (shares >= COVERED).float() * 0.98 + 0.01
    each = functional.binary_cross_entropy_with_logits(odds, wanted, reduction="none")
    return (each * counts).sum() / counts.sum().clamp(min=1)


def export(network: CoverNet, path: Path) -> None:
    """Write the network as ONNX: `faces`, float32 [n, 1, 48, 48], to `covered`, [n, 2]."""
    torch.onnx.export(
        _Probabilities(network).eval(),
        (torch.zeros(1, 1, FACE_PX, FACE_PX),),
        str(path),
        input_names=["faces"],
        output_names=["covered"],
        dynamic_axes={"faces": {0: "n"}, "covered": {0: "n"}},
        opset_version=OPSET,
        dynamo=False,
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    with np.load(sys.argv[1]) as found:
        trained = train(found["faces"], found["points"].astype(np.float64))
    export(trained, Path(sys.argv[2]))
