"""The log of a recording that is made of files: written as fast as they can be read."""

import hashlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias

from affetti.core.clock import SessionClock
from affetti.core.consent import declared, is_picture_or_sound
from affetti.core.custody import vault
from affetti.core.custody.keys import DataKey
from affetti.core.environment import environment
from affetti.core.errors import DiskFull, FileExists, FileMissing
from affetti.core.events import (
    Consent,
    Event,
    FilmLoss,
    Imported,
    ImportedFile,
    SessionEnded,
    SessionStarted,
    decode,
    storable,
)
from affetti.core.recording.names import named_like_parts, parts_of
from affetti.core.recording.parts import PartLog, remove
from affetti.core.recording.sealing import discard_blank, seal
from affetti.core.recording.session import Session
from affetti.core.recording.survey import survey
from affetti.core.settings import Settings
from affetti.core.streams import Stream
from affetti.models.perception import PERCEPTION_VERSION, Perception
from affetti.models.pipelines import AFFETTI, Offer, digests_of

Progress: TypeAlias = Callable[[int, int], None]  # done, and all there is
Status: TypeAlias = Literal["written", "current"]

WHOLE: Final = 1000  # of the progress of an import
READING: Final = 900  # the share of it that reading takes; sealing takes the rest


class Files(Protocol):
    """What one recording is made of."""

    person: str
    consent: Consent
    made: str | None  # when they were, as they say
    end_ns: int  # known once they are written

    def listed(self) -> Iterator[ImportedFile]:
        """Yield what they are."""
        ...

    def write(
        self, log: "ImportLog", imported: Imported, progress: Progress | None
    ) -> FilmLoss | None:
        """Write them, from the first event on; return what was lost of a film."""
        ...


def make(
    target: Path, files: Files, settings: Settings, progress: Progress | None = None
) -> Status:
    """Make a recording out of files; "current" where that was done before, and is whole.

    Raises
    ------
    AffettiError
        A file cannot be read, or another recording is there.
    """
    listed = tuple(files.listed())

    def is_this(started: SessionStarted) -> bool:
        said = (started.person, started.consent) == (files.person, files.consent)
        said = said and started.keeps == settings.keep
        return said and started.imported is not None and started.imported.files == listed

    if is_made(target, is_this):
        return "current"
    key = vault.data_key_for(vault.recipients(settings))
    try:
        imported = Imported(on=now(), files=listed, made=files.made)
        return _made(files, ImportLog(target, settings, key), imported, progress)
    except DiskFull as error:
        raise DiskFull("imports.disk_full", folder=target.parent) from error


def _made(files: Files, log: "ImportLog", imported: Imported, progress: Progress | None) -> Status:
    try:
        film = files.write(log, imported, progress)
        log.finish(files.end_ns, film, _sealing(progress))
    except BaseException:
        log.discard()
        raise
    return "written"


def _sealing(progress: Progress | None) -> Progress | None:
    if progress is None:
        return None

    def sealing(done: int, total: int) -> None:
        progress(READING + (WHOLE - READING) * done // max(total, 1), WHOLE)

    return sealing


def sha256_of(path: Path) -> str:
    """Return the digest of a file; AffettiError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileMissing("imports.unreadable", path=path, error=error.strerror) from error


def now() -> str:
    """Return the time on the wall, as recordings have it."""
    return datetime.now(UTC).astimezone().isoformat(timespec="microseconds")


class ImportLog:
    """Takes in the events of one recording, and seals them; it is a sink for sources.

    Parameters
    ----------
    target
        The sealed file to make.
    settings
        Of the log, and of what is kept: of pictures and of the room's sound only what is
        estimated of them, say, which then is made at once.
    key
        What it is encrypted with; None: it is not.

    Raises
    ------
    AffettiError
        The folder cannot be written, the disk has no room, or a model is missing.
    """

    def __init__(self, target: Path, settings: Settings, key: DataKey | None = None) -> None:
        self.clock = SessionClock()  # no source here looks at it: files have times of their own
        self._target = target
        self._session_id = uuid.uuid4().hex
        self._keep = settings.keep
        self._streams: dict[str, Stream] = {}
        self._perception = _perception() if self._keep == "estimates" else None
        self._log = PartLog(target, self._session_id, settings.log, key)
        self._end_ns = 0

    def begin(self, imported: Imported, files: Files, **said: Any) -> None:
        """Write the first event: what is imported, and whatever else is `said` of the session."""
        self.put(
            SessionStarted(
                t_ns=0,
                session_id=self._session_id,
                software_version=version("affetti"),
                wall_clock=imported.made or imported.on,
                models=digests_of(Offer(AFFETTI).models),
                pipeline=AFFETTI,
                perception_version=PERCEPTION_VERSION,
                environment=environment(),
                imported=imported,
                person=files.person,
                consent=files.consent,
                keeps=self._keep,
                **said,
            )
        )

    def put(self, event: Event, blob: bytes = b"") -> bool:
        """Write an event; where only estimates are kept, what is estimated of it instead."""
        event = storable(event)
        self._streams |= declared(event)
        if self._perception is None or not is_picture_or_sound(event, self._streams):
            event = self._log.append(event, blob)
        if self._perception is not None and event.traits.perceived:
            for estimate in self._perception.push(event, blob):
                self._log.append(storable(estimate))
        return True

    def finish(self, end_ns: int, film: FilmLoss | None, progress: Progress | None) -> None:
        """Write that everything ended then, and seal the recording."""
        self.put(SessionEnded(t_ns=end_ns, reason="sources_ended", film=film))
        self._log.close()
        seal(self._target, progress)

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError, ValueError):
            self._log.close()
        with suppress(OSError):
            self._log.discard()


def _perception() -> Perception:
    chosen = Offer(AFFETTI).open()
    return Perception(
        chosen.read_face,
        chosen.read_music,
        others=(),
        look=chosen.look,
        describe=chosen.describe,
        listen=chosen.listen,
    )


def is_made(target: Path, wanted: Callable[[SessionStarted], bool]) -> bool:
    """Whether a recording of the very same files is there already, and whole.

    What an import left that was broken off is removed: the files that it was made of are there.

    Raises
    ------
    AffettiError
        Something else is there.
    """
    if parts_of(target):
        _remove_broken_off(target, wanted)
    if alike := named_like_parts(target):
        raise FileExists(
            "recording.named_like_part_recorded", alike=alike[0].name, target=target.name
        )
    if not target.exists():
        return False
    with Session.open(target) as session:
        if session.info.recovered or not wanted(session.started):
            raise FileExists("imports.another", target=target)
    return True


def _remove_broken_off(target: Path, wanted: Callable[[SessionStarted], bool]) -> None:
    if discard_blank(target):
        return
    found = survey(target)
    first = next(found.records(), None)
    started = first and decode(first.json, found.schema_version)
    if not isinstance(started, SessionStarted) or not wanted(started):
        raise FileExists("recording.unsealed_recording_named_exists", target=target)
    remove(found.inodes)
