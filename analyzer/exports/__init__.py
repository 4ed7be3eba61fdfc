"""Sessions as other programs read them: a module a format, and the one register of them.

A format writes files into a folder and says which. Whatever is written is noted beside the
recording (`core.custody.exports`), so that whoever withdraws their consent is told of it.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from affetti.analyzer.analysis import Analysis, analyze
from affetti.analyzer.replay import reported
from affetti.analyzer.tables.parquet_file import pyarrow
from affetti.core import system
from affetti.core.custody import exports
from affetti.core.custody.artefacts import COPY
from affetti.core.custody.standing import standing
from affetti.core.custody.temporary import clear, drop, name_beside, publish, try_writing
from affetti.core.custody.withdrawal import remove
from affetti.core.errors import FileExists, FileMissing, UsageError
from affetti.core.place import told_as
from affetti.core.recording.session import Session
from affetti.core.system import private

Progress: TypeAlias = Callable[[int, int], None]  # done, and all there is


@dataclass(frozen=True)
class Source:
    """A session to export.

    Attributes
    ----------
    session, analysis
        The open recording, and what was found in it.
    progress
        Called with what is done of what there is to do.
    stretch_s
        From when to when, in session time, where only a film of that is wanted.
    """

    session: Session
    analysis: Analysis
    progress: Progress
    stretch_s: tuple[float, float] | None = None

    @property
    def span_s(self) -> tuple[float, float]:
        """From when to when, in session time."""
        return self.stretch_s or (0.0, self.analysis.state.duration_s)


@dataclass(frozen=True)
class Format:
    """A format of other programs.

    Attributes
    ----------
    name
        As it is asked for.
    suffix
        Of its file, or of a folder of a session's own; "" where a folder holds many sessions.
    module
        Whose `write` writes it.
    """

    name: str
    suffix: str
    module: str

    def write(self, source: Source, target: Path) -> list[Path]:
        """Write a session to a file that is not there yet, or into a folder; return the files.

        Raises
        ------
        AffettiError
            The session lacks what the format is of.
        OSError
            It cannot be written.
        """
        written: list[Path] = import_module(self.module).write(source, target, self.name)
        return written

    def refuse_without_packages(self) -> None:
        """Raise an error where a package is missing that the format alone needs."""
        if self.name == "parquet":
            pyarrow()

    def shared(self, target: Path) -> list[Path]:
        """Return what names the person besides, with those of other sessions in the folder."""
        return [] if self.suffix else [target / PARTICIPANTS]


PARTICIPANTS: Final = "participants.tsv"  # of a BIDS data set

FORMATS: Final[dict[str, Format]] = {
    name: Format(name, suffix, f"{__name__}.{module}")
    for name, suffix, module in (
        ("bids", "", "bids"),
        ("bids-media", "", "bids"),
        ("elan", ".eaf", "elan"),
        ("mp4", ".mp4", "film"),
        ("mp4-faceless", ".faceless.mp4", "film"),
        ("parquet", ".parquet", "parquet"),
        ("textgrid", ".TextGrid", "textgrid"),
        ("webvtt", ".vtt", "webvtt"),
    )
}


def export(
    recording: Path,
    to: str,
    output: Path | None = None,
    progress: Progress | None = None,
    *,
    altered: bool = False,
    plain: bool = False,
) -> list[Path]:
    """Write a session as another program reads it.

    Parameters
    ----------
    recording
        A sealed recording.
    to
        Of `FORMATS`.
    output
        A folder; by default the recording's own. A BIDS data set may hold other sessions.
    progress
        Called with what is done of what there is to do.
    altered
        Whether a recording that was altered after it was sealed is exported all the same.
    plain
        Whether one that is encrypted is: what other programs read is not.

    Returns
    -------
    The files that were written.

    Raises
    ------
    AffettiError
        It cannot be read, was altered or is encrypted, lacks what the format is of, or something
        that is there already has the name.
    """
    form, tell = FORMATS[to], progress or _unheeded
    with Session.open(recording, altered=altered) as session:
        if session.key is not None and not plain:
            raise UsageError("export.encrypted", path=recording.name)
        if not altered:
            session.verify_digest()
        form.refuse_without_packages()
        target = target_of(recording, form, output)
        with _told(target):
            if form.suffix and os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, "", str(target))
            try_writing(target.parent if form.suffix else target)
        analysis = analyze(session, reported(session, lambda done, of: tell(done, 2 * of)))
        source = Source(session, analysis, lambda done, of: tell(of + done, 2 * of))
        with _told(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            written = form.write(source, target)
            with _removed_unless_standing(session, written):
                for path in (*written, *form.shared(target)):
                    exports.note(recording, session.key, form.name, path)
    return written


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """Say of what cannot be written which file that is, and what to do."""
    with told_as("export.cannot_be_written", path=target):
        try:
            yield
        except FileExistsError as error:
            raise FileExists("export.exists", path=error.filename or target) from error


@contextmanager
def _removed_unless_standing(session: Session, copies: list[Path]) -> Iterator[None]:
    """Remove copies again where their recording was removed or changed while they were made."""
    try:
        with standing([session.source]):
            yield
    except FileMissing:
        for copy in copies:
            remove(copy)
        raise


def target_of(recording: Path, form: Format, output: Path | None) -> Path:
    """Return where a session goes: beside the recording by a name of its own, or in a folder."""
    if not form.suffix:
        return output or recording.with_name(COPY.name(recording, f".{form.name}"))
    if output is None:
        return recording.with_name(COPY.name(recording, form.suffix))
    return output / (recording.stem + form.suffix)


@contextmanager
def new_file(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write that only its owner can read; it gets its name once it is whole.

    Raises
    ------
    FileExistsError
        The name is taken.
    OSError
        It cannot be written.
    """
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "", str(target))
    clear(target)
    temporary = name_beside(target)
    try:
        with open(temporary, "x+b", opener=private) as file:
            with suppress(OSError):  # a file system without locks
                system.lock(file.fileno())
            yield file
            file.flush()
            os.fsync(file.fileno())
        publish(temporary, target)
    finally:
        drop(temporary)


def _unheeded(done: int, total: int) -> None:
    pass
