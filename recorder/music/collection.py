"""Which tracks there are, and what each expresses: read once, and kept by what is in the file.

What was read is a cache of the user's own (`core.custody.artefacts.MUSIC`), which can be thrown
away at any time. It holds while the bytes of a track, the models and perception are the same; a
track that was moved or renamed is known again.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from affetti.analyzer.pool import attempted, refuse_without_guard
from affetti.core.custody.artefacts import MUSIC
from affetti.core.custody.temporary import replacing
from affetti.core.errors import AffettiError, FileMissing
from affetti.core.locations import cache_folder
from affetti.core.recording.names import files_below, named
from affetti.models import manifest
from affetti.recorder.music.piece import EVERY_S, Piece, TrackReading
from affetti.recorder.sources.track import SUFFIXES, Track, open_track

if TYPE_CHECKING:
    from affetti.models.pipelines import Perceivers

Status: TypeAlias = Literal["read", "known", "failed"]

_MAX_BYTES: Final = 256 << 20
# What a reading is made by: the models that the product's pipeline hears music with.
MODELS: Final = ("heard_events", "music_emotion", "musicnn_back", "musicnn_front")


def stamp() -> str:
    """Return what a reading depends on beside the track, as one digest.

    Another version of perception, or another model, makes another reading.
    """
    from affetti.models.perception import PERCEPTION_VERSION  # noqa: PLC0415  loads for seconds

    models = manifest.manifest()
    digests = [models[name].pinned for name in MODELS]
    return hashlib.sha256(msgspec.json.encode([PERCEPTION_VERSION, EVERY_S, digests])).hexdigest()


class _File(msgspec.Struct, frozen=True):
    """What was found at a path, and how it is seen that it is still that."""

    size: int
    mtime_ns: int
    sha256: str
    title: str
    duration_s: float


class _Kept(msgspec.Struct):
    """The cache: readings by the digest of a track, and where tracks were found."""

    stamp: str = ""
    readings: dict[str, TrackReading] = {}
    files: dict[str, _File] = {}


@dataclass(frozen=True)
class Outcome:
    """What became of one file of a scan.

    Attributes
    ----------
    status
        "read"; "known", when what is in it was read before; or "failed".
    piece
        What was found.
    error
        Why it failed.
    is_kept
        Whether what was found is known the next time: not where the cache cannot be written.
    """

    path: Path
    status: Status
    piece: Piece | None = None
    error: AffettiError | None = None
    is_kept: bool = True


def tracks_in(paths: Iterable[Path]) -> list[Path]:
    """Return the tracks named: files as they are, folders as the sound files inside and below.

    Raises
    ------
    AffettiError
        A folder holds none.
    """
    return named(paths, _inside)


def _inside(folder: Path) -> list[Path]:
    found = files_below(folder, SUFFIXES)
    if not found:
        raise FileMissing("playlist.no_sound_file", path=folder)
    return found


def scan(
    paths: list[Path],
    jobs: int | None = None,
    done: Callable[[Outcome], object] = lambda outcome: None,
) -> list[Outcome]:
    """Read tracks that were not read before; each is kept as soon as it is read.

    Parameters
    ----------
    paths
        The files; `tracks_in` finds those of a folder.
    jobs
        How many processes; by default one a processor.
    done
        Called with each outcome as it comes.

    Returns
    -------
    The outcomes, in the order of `paths`.

    Raises
    ------
    AffettiError
        The script that calls this lacks its guard, or a model is missing.
    """
    kept = _of(stamp())
    outcomes: dict[Path, Outcome] = {}

    def tell(outcome: Outcome) -> None:
        outcomes[outcome.path] = outcome
        done(outcome)

    for path in paths:
        piece = _known(path, kept)
        if piece is not None:
            tell(Outcome(path, "known", piece))
    new = [path for path in paths if path not in outcomes]
    for path, found in _read_all(new, frozenset(kept.readings), jobs):
        if isinstance(found, AffettiError):
            tell(Outcome(path, "failed", error=found))
        else:
            tell(_keep(path, found))
    return [outcomes[path] for path in paths]


def collected() -> list[Piece]:
    """Return every track that was read and is still there, by title; nothing is read anew."""
    kept = _of(stamp())
    found = [_known(Path(path), kept) for path in kept.files]
    return sorted((each for each in found if each is not None), key=lambda each: each.title)


def _read_all(
    new: list[Path], known: frozenset[str], jobs: int | None
) -> Iterator[tuple[Path, "_Found | AffettiError"]]:
    """Yield what is found in files: in this process where one is enough."""
    if jobs == 1 or len(new) <= 1:
        for path in new:
            try:
                yield path, _read(path, known)
            except AffettiError as error:
                yield path, error
        return
    refuse_without_guard()
    yield from attempted(partial(_read, known=known), new, jobs, "music")


@dataclass(frozen=True)
class _Found:
    """A file that was looked at; without a reading, what is in it was read before."""

    file: _File
    reading: TrackReading | None


def _read(path: Path, known: frozenset[str]) -> _Found:
    track = open_track(path)
    size, mtime_ns = track.identity[-2:]
    file = _File(size, mtime_ns, track.sha256, track.title, track.duration_s)
    return _Found(file, None if track.sha256 in known else _reading(track))


def _reading(track: Track) -> TrackReading:
    from affetti.recorder.music.reading import read_track  # noqa: PLC0415  loads for seconds

    return read_track(track, _perceivers())


@cache  # of a process
def _perceivers() -> "Perceivers":
    from affetti.models.pipelines import AFFETTI, offered  # noqa: PLC0415  loads for seconds

    return offered(AFFETTI.name).open()


def _keep(path: Path, found: _Found) -> Outcome:
    """Keep what was found, beside what others may have kept in the meantime."""
    kept = _of(stamp())
    if found.reading is not None:
        kept.readings[found.file.sha256] = found.reading
    kept.files[os.path.abspath(path)] = found.file
    is_kept = _write(kept)
    reading = found.reading or kept.readings.get(found.file.sha256)
    if reading is None:  # thrown away meanwhile
        return Outcome(path, "failed", error=FileMissing("music.thrown_away", path=path.name))
    status: Status = "known" if found.reading is None else "read"
    return Outcome(path, status, _piece(path, found.file, reading), is_kept=is_kept)


def _known(path: Path, kept: _Kept) -> Piece | None:
    """Return a track that was read and has not changed; None for any other."""
    file = kept.files.get(os.path.abspath(path))
    reading = kept.readings.get(file.sha256) if file is not None else None
    if file is None or reading is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    unchanged = (found.st_size, found.st_mtime_ns) == (file.size, file.mtime_ns)
    return _piece(path, file, reading) if unchanged else None


def _piece(path: Path, file: _File, reading: TrackReading) -> Piece:
    return Piece(path, file.title, file.duration_s, file.sha256, reading)


def _of(now: str) -> _Kept:
    """Return the cache, without readings that were made by anything else than is here now."""
    path = cache_folder() / MUSIC
    try:
        if path.stat().st_size > _MAX_BYTES:
            return _Kept(now)
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return _Kept(now)
    return kept if kept.stamp == now else _Kept(now, files=kept.files)


def _write(kept: _Kept) -> bool:
    """Write the cache; False where it cannot be kept, so that all is read again."""
    data = msgspec.json.encode(kept)
    path = cache_folder() / MUSIC
    try:
        with replacing(path) as fd, open(fd, "wb", closefd=False) as file:
            file.write(data)
    except OSError:
        return False
    return True
