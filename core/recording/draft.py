"""A sealed file in the making, written while the parts are read for the first time."""

from array import array
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np
from numpy.typing import NDArray

from affetti.core.custody.temporary import drop, name_beside
from affetti.core.events import AnyEvent, UnknownEvent, decode
from affetti.core.recording import hdf5
from affetti.core.recording.box import BoxWriter
from affetti.core.recording.fitness import Fitness
from affetti.core.recording.names import DAMAGE
from affetti.core.recording.records import HEADER_BYTES, Record
from affetti.core.recording.steady import SteadyFile
from affetti.core.recording.survey import Heading, Survey
from affetti.core.recording.writer import SealedWriter


class Draft:
    """Takes in the records of a log that are fit: as they come, or chosen when all are known.

    Use it in a `with` block. Leaving that removes the file, unless it was moved to its name.

    Parameters
    ----------
    target
        What it is to become. It lies beside that, under a name that nobody can foresee.
    told
        Called with the size of each record that was taken in, in bytes.

    Attributes
    ----------
    path
        Where it lies.
    told
        The same; it may be another later on.
    size
        Of all that were taken in, in bytes.
    error
        What kept a record from being written; None so far.
    """

    def __init__(self, target: Path, told: Callable[[int], None] = lambda size: None) -> None:
        self.path = name_beside(target)
        self.told = told
        self.size = 0
        self._of: Heading | None = None
        self._fitness = Fitness("", "")
        self._seqs = array("q")
        self._fit = bytearray()
        self._open = ExitStack()
        self._writer: SealedWriter | None = None
        self._file: SteadyFile | BoxWriter | None = None
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file, unless it was moved to its name."""
        try:
            with suppress(*DAMAGE):  # what is still open is not wanted
                self._open.close()
        finally:
            drop(self.path)

    def see(self, heading: Heading, record: Record) -> None:
        """Judge the next record of a part, and take it in if it is fit.

        What kept it from being written is raised by `finish`: it is no trouble of the part.
        """
        if self._of is None:
            self._of = heading
            self._fitness = Fitness(heading.session_id, heading.schema_version)
        same = heading == self._of
        event = self._fitness.event_of(record) if same else None
        self._seqs.append(record.seq if same else -1)
        self._fit.append(event is not None)
        if event is not None and self.error is None:
            try:
                self._take(heading, event, record)
            except DAMAGE as error:
                self.error = error

    def judged(self, found: Survey) -> tuple[NDArray[np.bool_], Fitness] | None:
        """Return which of the surveyed records are fit, and are in here.

        Returns
        -------
        None where they did not come in the order in which they stand: they have to be judged anew.
        """
        if self._of is None or self._of[:2] != (found.session_id, found.schema_version):
            return None
        if not np.array_equal(np.frombuffer(self._seqs, np.int64), found.rows["seq"]):
            return None
        return np.frombuffer(self._fit, np.bool_), self._fitness

    def copy(self, found: Survey, chosen: NDArray[np.bool_]) -> None:
        """Take in the chosen of the surveyed records.

        Raises
        ------
        OSError
            One cannot be read, or nothing can be written.
        """
        heading = Heading(found.session_id, found.schema_version, found.key)
        for record in found.records(chosen):
            self._take(heading, decode(record.json, found.schema_version), record)

    def finish(self, last: Record | None) -> None:
        """Take in the last words of a log that has none, complete the file, and close it.

        Raises
        ------
        OSError
            It could not be written. Or whatever else it was.
        """
        if self.error is not None:
            raise self.error
        if self._writer is None:
            raise OSError("there is nothing in it")
        if last is not None:
            self._writer.add(last)
        self._writer.finish()
        self._open.close()

    def _take(self, heading: Heading, event: AnyEvent | UnknownEvent, record: Record) -> None:
        writer = self._writer or self._begun(heading)
        writer.add_event(event, record)
        if self._file is not None:
            self._file.raise_error()
        size = HEADER_BYTES + len(record.json) + len(record.blob)
        self.size += size
        self.told(size)

    def _begun(self, heading: Heading) -> SealedWriter:
        self._file = hdf5.new(self.path, heading.key)
        self._open.enter_context(self._file)
        file = self._open.enter_context(h5py.File(self._file, "w", libver="earliest"))
        self._writer = SealedWriter(file, heading.schema_version)
        return self._writer
