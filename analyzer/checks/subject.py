"""A recording under inspection."""

from functools import cached_property
from typing import Final

import numpy as np

from affetti.analyzer.checks.repeats import Repeats
from affetti.analyzer.replay import Progress
from affetti.core.events import AnyEvent, FrameCaptured, UnknownEvent, stream_of
from affetti.core.recording.integrity import is_sealed
from affetti.core.recording.pictures import decoded, jpeg_size_px
from affetti.core.recording.records import Record
from affetti.core.recording.session import Session
from affetti.core.streams import JPEG

_DECODED_PICTURES: Final = 200  # of a recording's frames, evenly spaced; all are looked at


class Subject:
    """A recording under inspection: what several rules look at is read once.

    Parameters
    ----------
    session
        The recording.
    progress
        Called with the events read and the events in all.
    """

    def __init__(self, session: Session, progress: Progress | None = None) -> None:
        self.session = session
        self._progress = progress

    def lacks(self, first: int, last: int) -> bool:
        """Return whether records between two numbers are missing from the file."""
        at = np.searchsorted(self.contents.seqs, (first, last))
        return last - first > int(at[1] - at[0]) + (first < 0)

    @cached_property
    def contents(self) -> "_Contents":
        """What one pass over all records found."""
        found, total = _Contents(), len(self.session)
        digests = self.session.digests
        every = max(1, len(self.session.frames) // _DECODED_PICTURES)
        jpegs = {name for name, each in self.session.streams.items() if each.encoding == JPEG}
        all_of = zip(self.session.records(), self.session.events, digests, strict=True)
        for done, (record, event, digest) in enumerate(all_of, start=1):
            found.seqs.append(record.seq)
            if not is_sealed(record, digest):
                found.altered.append(record.seq)
            if not _is_as_it_says(record, event):
                found.misplaced.append(record.seq)
            found.repeats.see(record, event)
            if isinstance(event, FrameCaptured) and event.stream in jpegs:
                found.look_at_picture(event, record.blob, every)
            if self._progress is not None:
                self._progress(done, total)
        found.sha256 = self.session.chain_sha256()
        return found


def _is_as_it_says(record: Record, event: AnyEvent | UnknownEvent) -> bool:
    """Return whether the header of a record says what its event says."""
    own_stream = isinstance(event, UnknownEvent) or record.stream == stream_of(event)
    kind = event.kind if isinstance(event, UnknownEvent) else type(event).__name__
    return own_stream and (record.seq, record.t_ns, record.kind) == (event.seq, event.t_ns, kind)


class _Contents:
    def __init__(self) -> None:
        self.repeats = Repeats()
        self.misplaced: list[int] = []
        self.seqs: list[int] = []
        self.altered: list[int] = []
        self.unreadable_frames: list[int] = []
        self.sha256 = ""
        self._frames = 0

    def look_at_picture(self, event: FrameCaptured, jpeg: bytes, every: int) -> None:
        size_px = event.width_px, event.height_px
        whole = jpeg_size_px(jpeg) == size_px and jpeg.endswith(b"\xff\xd9")
        if not whole or (self._frames % every == 0 and decoded(jpeg, size_px) is None):
            self.unreadable_frames.append(self._frames)
        self._frames += 1
