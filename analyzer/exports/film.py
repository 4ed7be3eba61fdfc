"""A film of a session: its pictures at their true times, and below them what was said.

`mp4` has the pictures as they are, a box around the face that is read, and all sound. In
`mp4-faceless` nobody can be recognised: no point of a picture is in it. The face that is read is
drawn (`analyzer.exports.outline`) from what was recorded of its place, its turn and its expression;
nothing that was written is shown; and of the sound only the music that was played is heard, for a
voice is a person's as well.

Measured on six films, 217 frames, aligned by the landmarks of the true face: by the network that
tells faces apart (`models.face.identity`) no drawn frame lies within .60 of the person, from where
on a face is surely another's (the nearest at .63, their own frames within .34), and none is nearer
to them than to the other five by the .06 that count. Of a mosaic of six cells a face, every frame
of one film was nearest to its own person.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
import soxr
from numpy.typing import NDArray

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.exports import Source, new_file
from affetti.analyzer.exports.outline import FIELD, Drawn, draw
from affetti.analyzer.exports.sound import pieces
from affetti.analyzer.measures.estimates import Estimates
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EXPRESSIONS
from affetti.core.errors import UsageError
from affetti.core.events import Moment
from affetti.core.language import clock, text, word
from affetti.core.recording.stored import Audio, Frame, Frames

_HZ: Final = 48_000
_BLOCK_S: Final = 10.0
_TICKS: Final = 1000  # a second: times of frames are whole milliseconds
_MIN_WIDTH_PX: Final = 640
_STRIP_PX: Final = 132
_NEWEST_NS: Final = NS_PER_S  # what was said longer ago is not said of this picture
_MARKED_NS: Final = 2 * NS_PER_S
_BACK: Final = (28, 24, 22)
_INK: Final = (236, 232, 228)
_FAINT: Final = (150, 142, 134)
_BAR: Final = (196, 160, 84)
_BOX: Final = (120, 220, 120)
_SIDES: Final = ("left_px", "top_px", "width_px", "height_px")
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX

Image = NDArray[np.uint8]


def write(source: Source, target: Path, name: str) -> list[Path]:
    """Write a session; see `analyzer.exports.Format.write`."""
    if not len(_frames(source)):
        raise UsageError("export.no_pictures", path=source.session.path.name)
    faceless = name != "mp4"
    with new_file(target) as file, av.open(file, "w", format="mp4") as film:
        _fill(film, source, faceless)
    return [target]


def _frames(source: Source) -> Frames:
    frames = source.session.frames
    return frames if source.stretch_s is None else frames.between(*source.stretch_s)


def _fill(film: Any, source: Source, faceless: bool) -> None:
    frames = _frames(source)
    scene = Scene(source.analysis, faceless)
    first = scene.drawn(frames[0])
    video = film.add_stream("libx264", rate=_TICKS)
    video.height, video.width = first.shape[:2]
    video.pix_fmt, video.time_base = "yuv420p", Fraction(1, _TICKS)
    video.codec_context.time_base = video.time_base
    video.options = {"crf": "23", "preset": "fast"}
    sounds = _sounds(source, faceless)
    audio = film.add_stream("aac", rate=_HZ, layout="stereo") if sounds else None
    before = -1
    for done in range(len(frames)):
        frame = frames[done]
        picture = av.VideoFrame.from_ndarray(scene.drawn(frame), "bgr24")
        before = max(before + 1, round((frame.t_s - source.span_s[0]) * _TICKS))
        picture.pts, picture.time_base = before, Fraction(1, _TICKS)  # muxing changes the stream's
        film.mux(video.encode(picture))
        source.progress(done + 1, len(frames))
    film.mux(video.encode())
    if audio is not None:
        for block in _mixed(sounds, *source.span_s):
            film.mux(audio.encode(block))
        film.mux(audio.encode())


# What is seen.


@dataclass(frozen=True)
class _Row:
    """What was said of one modality, to be drawn as bars."""

    name: str
    estimates: Estimates

    def at(self, t_ns: int) -> NDArray[np.float64] | None:
        """Return the newest distribution at a moment; None where nothing was said."""
        index = int(np.searchsorted(self.estimates.t_ns, t_ns, side="right")) - 1
        if index < 0 or t_ns - int(self.estimates.t_ns[index]) > _NEWEST_NS + self._period_ns:
            return None
        shares: NDArray[np.float64] = self.estimates.shares[index]
        return None if np.isnan(shares).any() else shares

    @property
    def _period_ns(self) -> int:
        return self.estimates.period_ns


class Scene:
    """Draws the pictures of a session.

    Parameters
    ----------
    analysis
        What was found in it.
    faceless
        Whether nobody may be recognised.
    """

    def __init__(self, analysis: Analysis, faceless: bool) -> None:
        self._analysis = analysis
        self._faceless = faceless
        self._rows = [_Row(name, each) for name, each in analysis.estimates.items()]
        face = analysis.tables.all()["face"]
        self._boxes = {int(frame): i for i, frame in enumerate(face.get("frame", ()))}
        self._face = face
        self._seen_ns = np.asarray(face.get("t_ns", ()), np.int64)

    def drawn(self, frame: Frame) -> Image:
        """Return a frame with what was said of it: uint8 [H, W, 3], both sides even."""
        picture = frame.image()
        scale = max(1.0, _MIN_WIDTH_PX / picture.shape[1])
        size = [2 * round(side * scale / 2) for side in picture.shape[1::-1]]
        if self._faceless:
            shown = self._outlined((size[0], size[1]), frame.t_ns, scale)
        else:
            boxed = self._boxed(picture, frame.frame)
            shown = cv2.resize(boxed, size, interpolation=cv2.INTER_AREA if scale == 1 else 1)
        strip = np.full((_STRIP_PX, size[0], 3), _BACK, np.uint8)
        self._say(strip, frame.t_ns)
        return np.ascontiguousarray(np.vstack([shown, strip]), np.uint8)

    def _outlined(self, size: tuple[int, int], t_ns: int, scale: float) -> Image:
        """Return a picture of that width and height with the drawing of the newest face."""
        picture = np.full((size[1], size[0], 3), FIELD, np.uint8)
        row = int(np.searchsorted(self._seen_ns, t_ns, side="right")) - 1
        if row >= 0 and t_ns - int(self._seen_ns[row]) <= _NEWEST_NS:
            face = self._face_at(row, scale)
            if face is not None:
                draw(picture, face)
        return picture

    def _face_at(self, row: int, scale: float) -> Drawn | None:
        def of(name: str) -> float:
            return float(self._face[name][row])

        left, top, width, height = (of(side) * scale for side in _SIDES)
        if np.isnan(left):
            return None
        said = np.array([of(expression) for expression in EXPRESSIONS])
        roll, yaw = (0.0 if np.isnan(of(name)) else of(name) for name in ("roll_deg", "yaw_deg"))
        centre = (left + width / 2, top + height / 2)
        return Drawn(centre, width / 2, roll, yaw, None if np.isnan(said).any() else said)

    def _boxed(self, picture: Image, number: int) -> Image:
        row = self._boxes.get(number)
        if row is None or np.isnan([self._face[side][row] for side in _SIDES]).any():
            return picture
        left, top, width, height = (int(self._face[side][row]) for side in _SIDES)
        read = not np.isnan(self._face["neutral"][row])
        colour = _BOX if read else _FAINT
        boxed = picture.copy()
        cv2.rectangle(boxed, (left, top), (left + width, top + height), colour, 2, cv2.LINE_AA)
        return boxed

    def _say(self, strip: Image, t_ns: int) -> None:
        track = next(
            (t for t in self._analysis.tracks if t.start_s <= t_ns / NS_PER_S < t.stop_s), None
        )
        marked = [m for m in self._analysis.state.moments if 0 <= t_ns - m.t_ns < _MARKED_NS]
        words = [clock(t_ns / NS_PER_S)]
        words += [] if track is None else [track.title]
        words += [f"[{self._said(moment)}]" for moment in marked[-1:]]
        _put(strip, "   ".join(words), (12, 20), _INK, 0.5)
        across = strip.shape[1] // len(self._rows)
        for i, row in enumerate(self._rows):
            self._bars(strip[:, i * across : (i + 1) * across], row, t_ns)

    def _said(self, moment: Moment) -> str:
        return moment.noun if self._faceless else moment.words or moment.noun

    def _bars(self, strip: Image, row: _Row, t_ns: int) -> None:
        shares = row.at(t_ns)
        _put(strip, word("modality", row.name), (12, 42), _FAINT, 0.42)
        if shares is None:
            _put(strip, text("unknown"), (12, 62), _FAINT, 0.42)
            return
        room = strip.shape[1] - 24 - 78
        for i, (label, share) in enumerate(zip(row.estimates.labels, shares, strict=True)):
            y = 55 + i * 11
            _put(strip, word("emotion", label.value), (12, y + 4), _INK, 0.34)
            end = 90 + max(1, round(room * float(share)))
            cv2.rectangle(strip, (90, y - 3), (end, y + 3), _BAR, cv2.FILLED)


def _put(
    picture: Image, words: str, at: tuple[int, int], colour: tuple[int, int, int], size: float
) -> None:
    cv2.putText(picture, _ascii(words), at, _FONT, size, colour, 1, cv2.LINE_AA)


def _ascii(words: str) -> str:
    """Return words in the only letters that OpenCV draws."""
    folded = unicodedata.normalize("NFKD", words.replace("ß", "ss"))
    plain = "".join(each for each in folded if not unicodedata.combining(each))
    return plain.encode("ascii", "replace").decode()


# What is heard.


def _sounds(source: Source, faceless: bool) -> "list[_Sound]":
    streams = source.session.streams
    names = [name for name, each in streams.items() if each.kind == "audio"]
    kept = [name for name in names if not (faceless and streams[name].scope)]
    return [_Sound(source.session.audio(name), source.span_s[0]) for name in kept]


class _Sound:
    """A stream of sound as a film has it: stereo, and silent where nothing came.

    Its pieces lie where `analyzer.exports.sound` says.
    """

    def __init__(self, audio: Audio, start_s: float = 0.0) -> None:
        self._audio = audio
        self._resampler = soxr.ResampleStream(audio.rate_hz, _HZ, 2, dtype="float32")
        self._pieces = list(pieces(audio))
        # Of its own samples, since the session's beginning.
        self._at = round(start_s * audio.rate_hz)
        self.ready: NDArray[np.float32] = np.zeros((0, 2), np.float32)

    def go_on(self, until_s: float, last: bool) -> None:
        """Make what is heard up to a moment `ready`, float32 [n, 2] at the film's rate."""
        stop = max(round(until_s * self._audio.rate_hz), self._at)
        heard = np.zeros((stop - self._at, 2), np.float32)
        for at, row, count in self._pieces:
            begin, end = max(at, self._at), min(at + count, stop)
            if begin < end:
                samples = self._audio.read_samples(row + begin - at, row + end - at)
                pair = samples[:, [0, min(1, samples.shape[1] - 1)]]
                heard[begin - self._at : begin - self._at + len(pair)] += pair / np.float32(32768)
        self._at = stop
        made = self._resampler.resample_chunk(heard, last=last)
        self.ready = np.concatenate([self.ready, made])


def _mixed(sounds: list[_Sound], begin_s: float, end_s: float) -> Iterator[Any]:
    """Yield the sum of some streams in blocks of at most ten seconds."""
    done = 0
    for start_s in np.arange(begin_s, end_s, _BLOCK_S):
        until_s = min(float(start_s) + _BLOCK_S, end_s)
        for sound in sounds:
            sound.go_on(until_s, until_s >= end_s)
        count = min(len(sound.ready) for sound in sounds)
        total = sum((sound.ready[:count] for sound in sounds), np.zeros((count, 2), np.float32))
        for sound in sounds:
            sound.ready = sound.ready[count:]
        if count:
            planes = np.ascontiguousarray(np.clip(total, -1, 1).T)
            block = av.AudioFrame.from_ndarray(planes, "fltp", "stereo")
            block.sample_rate, block.pts, block.time_base = _HZ, done, Fraction(1, _HZ)
            done += count
            yield block
