"""A sealed recording to walk through: what was seen, heard, said and noted at each moment of it."""

import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import numpy as np

from affetti.analyzer.analysis import Analysis, analyze
from affetti.analyzer.measures.estimates import LABELS, MODALITIES, ModalityName
from affetti.analyzer.measures.self_reports import AROUND_NS
from affetti.analyzer.replay import Progress, shown
from affetti.analyzer.report.around import around
from affetti.analyzer.report.beside import kind_of, said_of
from affetti.core.clock import NS_PER_S
from affetti.core.custody import boxes
from affetti.core.custody.artefacts import ANNOTATIONS
from affetti.core.errors import Damaged
from affetti.core.events import FaceEstimated, HeardEstimated, Moment
from affetti.core.events.entries import Retracted
from affetti.core.events.estimates import deciding
from affetti.core.journal import sentence
from affetti.core.language import brief_day, text, word
from affetti.core.people import annotations
from affetti.core.people.annotations import Annotation
from affetti.core.people.authors import author_id, authors
from affetti.core.recording.pictures import jpeg_size_px
from affetti.core.recording.session import Session
from affetti.core.recording.stored import Audio
from affetti.core.streams import PLAYBACK, ROOM
from affetti.recorder.engine.messages import Picture
from affetti.recorder.tui.seconds import Seconds
from affetti.recorder.tui.view import FaceBox, box_of

_HEARD_NS: Final = 2 * NS_PER_S
_AT_ONCE_NS: Final = NS_PER_S  # a camera's first picture may be so late


@dataclass(frozen=True)
class Item:
    """Something that was noted: while it was recorded, or afterwards.

    Attributes
    ----------
    t_ns
        Of the session.
    kind, words
        What it is called, and what it says.
    of
        The moment of the recording, or the annotation.
    by
        Who wrote an annotation and when, in words; "" for a moment.
    """

    t_ns: int
    kind: str
    words: str
    of: Moment | Annotation
    by: str = ""


class Walk:
    """An opened recording with its analysis and its annotations.

    Parameters
    ----------
    session
        The recording, open until `close`.
    analysis
        Of it: what a report says too.
    author_id
        Of whoever annotates.
    """

    def __init__(self, session: Session, analysis: Analysis, author_id: str) -> None:
        self.session, self.analysis = session, analysis
        self.state = session.state
        self.duration_ns = max(self.state.now_ns, 1)
        self.seconds: dict[str, Seconds] = {name: _seconds(name, analysis) for name in MODALITIES}
        self._author_id = author_id
        self._faces = [e for e in session.events if isinstance(e, FaceEstimated)]
        self._faces_ns = [e.t_ns for e in self._faces]
        self._heard = [e for e in session.events if isinstance(e, HeardEstimated)]
        self._log = session.path.with_name(ANNOTATIONS.name(session.path))
        self._entries = self._read()
        self.changed = False  # whether anything was added
        self.refused = ""  # why the picture that was asked for last is not shown, if it was altered

    @classmethod
    def open(cls, path: Path, author_id: str, progress: Progress | None = None) -> Self:
        """Open a sealed recording; what was skipped while it was recorded is computed now.

        Raises
        ------
        AffettiError
            It cannot be read, or what was annotated of it cannot.
        """
        session = Session.open(path)
        try:
            return cls(session, analyze(session, shown(session, progress)), author_id)
        except BaseException:
            session.close()
            raise

    def close(self) -> None:
        """Close the recording."""
        self.session.close()

    @property
    def sounds(self) -> dict[str, Audio]:
        """The sounds that can be played, the room first."""
        there = [name for name in (ROOM, PLAYBACK) if name in self.state.audio]
        opened = {name: self.session.audio(name) for name in there}
        return {name: audio for name, audio in opened.items() if audio.samples}

    def picture(self, t_ns: int) -> Picture | None:
        """Return the picture on view at a moment; None where there is none, or it was altered."""
        frames, self.refused = self.session.frames, ""
        if not len(frames) or t_ns < frames.t_ns[0] - _AT_ONCE_NS:
            return None
        try:
            jpeg = frames.at(t_ns / NS_PER_S).jpeg
            size = jpeg_size_px(jpeg)
        except (IndexError, ValueError):
            return None
        except Damaged as error:
            self.refused = error.message
            return None
        return Picture(jpeg, *size) if size is not None else None

    def boxes(self, t_ns: int) -> tuple[FaceBox, ...]:
        """Return the faces that were seen at a moment, from left to right."""
        at = bisect_right(self._faces_ns, t_ns) - 1
        age_ns = self.session.started.perception.face_max_age_ns
        if at < 0 or t_ns - self._faces_ns[at] > age_ns:
            return ()
        faces = sorted(self._faces[at].faces, key=lambda face: face.box_px[0])
        return tuple(map(box_of, faces))

    def around(self, t_ns: int) -> list[tuple[str, str]]:
        """Return what face, music and both expressed about a moment, as the report has it."""
        stretch = max(t_ns - AROUND_NS, 0), min(t_ns + AROUND_NS, self.duration_ns)
        return [
            (word("modality", name), around(self.analysis, name, stretch)) for name in MODALITIES
        ]

    def heard(self, t_ns: int) -> list[str]:
        """Return what was heard at a moment, a line for each stream."""
        lines = []
        for stream in (ROOM, PLAYBACK):
            kinds = [
                e.heard
                for e in self._heard
                if e.stream == stream and 0 <= t_ns - e.t_ns < _HEARD_NS
            ]
            if kinds:
                said = ", ".join(word("heard", kind) for kind in kinds[-1])
                lines.append(text(f"live.heard.{stream}", kinds=said or text("live.heard.none")))
        return lines

    def items(self) -> list[Item]:
        """Return what was noted, in the order of session time."""
        known = authors()
        noted = [Item(m.t_ns, word("moment", m.noun), sentence(m), m) for m in self.state.moments]
        by_seq = {m.seq: m.t_ns for m in self.state.moments}
        added = [
            Item(
                _place(each, by_seq),
                word("annotation", kind_of(each)),
                said_of(each),
                each,
                text("walk.by", who=known.get(each.author_id, text("walk.other")),
                     on=brief_day(each.written)),
            )
            for each in annotations.standing(self._entries)
            if each.session_id == self.session.session_id
        ]  # fmt: skip
        return sorted([*noted, *added], key=lambda item: item.t_ns)

    def add(
        self,
        label: str,
        start_ns: int,
        stop_ns: int | None = None,
        *,
        words: str = "",
        values: dict[str, float] | None = None,
        seq: int | None = None,
        blind: bool = False,
    ) -> Annotation:
        """Write an annotation: of an event by its `seq`, or of a stretch.

        Raises
        ------
        OSError
            It cannot be written.
        """
        stretch = (start_ns, start_ns if stop_ns is None else stop_ns) if seq is None else None
        entry = Annotation(
            author_id=self._author_id,
            session_id=self.session.session_id,
            seq=seq,
            start_ns=None if stretch is None else stretch[0],
            stop_ns=None if stretch is None else stretch[1],
            label=label,
            text=words,
            values=values or {},
            blind=blind,
        )
        self._append(entry)
        return entry

    def change(self, old: Annotation, words: str, values: dict[str, float]) -> None:
        """Put other words in the place of an annotation; the old ones stay readable."""
        fields: dict[str, Any] = {"text": words, "values": values, **_anew(self._author_id)}
        self._append(msgspec.structs.replace(old, **fields))
        self.retract(old)

    def retract(self, entry: Annotation) -> None:
        """Take an annotation back; it stays readable."""
        self._append(Retracted(author_id=self._author_id, of_entry_id=entry.entry_id))

    def _append(self, entry: annotations.AnyEntry) -> None:
        annotations.append(self._log, entry, self.session.key)
        self._entries.append(entry)
        self.changed = True

    def _read(self) -> list[annotations.AnyEntry]:
        return annotations.read(self._log) if boxes.found_at(self._log) else []


def add_note(path: Path, t_ns: int, words: str) -> None:
    """Write a note beside a sealed recording.

    Raises
    ------
    AffettiError, OSError
        The recording cannot be read, or the note cannot be written.
    """
    with Session.open(path) as session:
        noted = Annotation(
            author_id=author_id(),
            session_id=session.session_id,
            start_ns=t_ns,
            stop_ns=t_ns,
            label=annotations.NOTE,
            text=words,
        )
        annotations.append(path.with_name(ANNOTATIONS.name(path)), noted, session.key)


def _anew(author_id: str) -> dict[str, Any]:
    fresh = Retracted(author_id=author_id, of_entry_id="0" * 32)
    return {"entry_id": fresh.entry_id, "written": fresh.written, "author_id": author_id}


def _place(annotation: Annotation, by_seq: dict[int, int]) -> int:
    if annotation.start_ns is not None:
        return annotation.start_ns
    return by_seq.get(annotation.seq if annotation.seq is not None else -1, 0)


def _seconds(name: ModalityName, analysis: Analysis) -> Seconds:
    estimates = analysis.estimates[name]
    seconds = Seconds(LABELS[name])
    said = ~np.isnan(estimates.shares[:, 0])
    if name == "fused":  # what one of them said is in its own row
        fused = analysis.tables.all()["fused"]
        joint = np.array([len(deciding(code)) > 1 for code in fused["decided_by"]], bool)
        said &= np.isin(estimates.t_ns, np.asarray(fused["t_ns"])[joint])
    for t_ns, shares in zip(estimates.t_ns[said], estimates.shares[said], strict=True):
        seconds.add(int(t_ns), tuple(shares.tolist()))
    return seconds


class Clockwork:
    """Where playing is, by a clock: for pictures alone, or until the sound tells better."""

    def __init__(self, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._monotonic_ns = monotonic_ns
        self._began: tuple[int, int] | None = None

    def begin(self, t_ns: int) -> None:
        """Play from a moment on."""
        self._began = self._monotonic_ns(), t_ns

    def t_ns(self) -> int:
        """Return the moment that is played now."""
        if self._began is None:
            return 0
        return self._began[1] + self._monotonic_ns() - self._began[0]
