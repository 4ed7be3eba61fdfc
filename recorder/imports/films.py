"""A recording out of a film: its pictures, its own sound or that of a file, and what was played."""

import heapq
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Literal

from affetti.core.clock import NS_PER_S
from affetti.core.errors import ConsentRefused, UsageError
from affetti.core.events import (
    Consent,
    FilmLoss,
    Imported,
    ImportedFile,
    unstated,
)
from affetti.core.people.person import UNNAMED, checked_code
from affetti.core.people.playlist import PlaylistEntry
from affetti.core.recording.names import part_number
from affetti.core.settings import Settings
from affetti.core.streams import CAMERA, PLAYBACK, ROOM, VIDEO, Stream, audio_stream, video_stream
from affetti.recorder.imports.log import (
    READING,
    WHOLE,
    ImportLog,
    Progress,
    Status,
    make,
    sha256_of,
)
from affetti.recorder.imports.steps import (
    Music,
    Pictures,
    SoundFile,
    Step,
    ahead,
    beside,
    soundtrack_steps,
)
from affetti.recorder.sources.container import Container, first_decoded
from affetti.recorder.sources.film import FilmEnd
from affetti.recorder.sources.soundtrack import Soundtrack
from affetti.recorder.sources.track import Track, common_format, open_track


@dataclass(frozen=True)
class Request:
    """What to make of films.

    Attributes
    ----------
    person
        A pseudonym.
    consent
        What the person agreed to; None where nobody says so. Then what is in the film is kept.
    output
        The folder of the recordings, or the recording where it ends in `.h5`; None puts each
        beside its film, under its name.
    sound, sound_at_s
        A file of the room's sound, instead of the film's own, and when it begins in the film.
    music, music_at_s
        What was played, one track after another, and when the first begins in the film.
    settings
        How pictures and the log are kept, and what is.
    """

    person: str = UNNAMED
    consent: Consent | None = None
    output: Path | None = None
    sound: Path | None = None
    sound_at_s: float = 0.0
    music: tuple[PlaylistEntry, ...] = ()
    music_at_s: float = 0.0
    settings: Settings = field(default_factory=Settings)


def target_of(film: Path, output: Path | None) -> Path:
    """Return the recording that a film becomes.

    Raises
    ------
    AffettiError
        It would be named like a part of a recording.
    """
    named = output is not None and output.suffix == ".h5"
    target = output if named and output is not None else (output or film.parent) / film.name
    target = target.with_suffix(".h5")
    if part_number(target) is not None:
        raise UsageError("recording.output_named_like_part", target=target.name)
    return target


def import_film(path: Path, request: Request, progress: Progress | None = None) -> Status:
    """Make a recording out of a film; "current" where it was made before, and is whole.

    Every picture that can be decoded is kept upright, with its own time stamp; sound lies beside
    them by its own. What cannot be read is told in the recording as it is of a live one.

    Parameters
    ----------
    path
        The film: whatever `affetti record --camera` takes as one.
    request
        What to make of it.
    progress
        Called with the share that is done, and all there is.

    Raises
    ------
    AffettiError
        A file cannot be read, its picture was not consented to, or another recording is there.
    """
    checked_code(request.person)
    if request.consent is not None and not request.consent.grants(VIDEO):
        raise ConsentRefused("recording.no_consent.video", scope=VIDEO)
    with ExitStack() as open_files:
        files = _Files(path, request, open_files)
        return make(target_of(path, request.output), files, request.settings, progress)


class _Files:
    """The files of one recording, open."""

    def __init__(self, path: Path, request: Request, stack: ExitStack) -> None:
        self._path, self._request = path, request
        self._container = Container(path)
        stack.callback(self._container.close)
        self._own, self._sound, self._music = self._sounds(stack)
        self.person = request.person
        self.consent = unstated(VIDEO, ROOM) if request.consent is None else request.consent
        self.made = self._container.made
        self.end_ns = 0

    def _sounds(self, stack: ExitStack) -> tuple[Soundtrack | None, Track | None, list[Track]]:
        request = self._request
        consent = request.consent
        music = [open_track(entry) for entry in request.music]
        if consent is not None and not consent.grants(ROOM):
            if request.sound is not None:
                raise ConsentRefused("recording.no_consent.audio", scope=ROOM)
            return None, None, music
        if request.sound is not None:
            return None, open_track(request.sound), music
        own = Soundtrack.of(self._path)
        if own is not None:
            stack.callback(own.close)
        return own, None, music

    def listed(self) -> Iterator[ImportedFile]:
        """Yield the files, by what they hold."""
        yield ImportedFile(file_name=self._path.name, sha256=sha256_of(self._path), role="film")
        if self._sound is not None:
            yield _listed(self._sound, ROOM, self._request.sound_at_s)
        for track in self._music:
            yield _listed(track, "music", self._request.music_at_s)

    def write(
        self, log: ImportLog, imported: Imported, progress: Progress | None
    ) -> FilmLoss | None:
        """Write all of them; return what was lost of the film."""
        failed, first, rest = first_decoded(self._container, self._path.name)
        room = self._room()
        log.begin(
            imported,
            self,
            camera=self._path.name,
            microphone=None if room is None else room.source,
            speaker="none" if self._music else None,
            streams=tuple(self._streams(room)),
            playlist=tuple(track.title for track in self._music),
        )
        quality = self._request.settings.video.jpeg_quality
        with closing(ahead(rest)) as coming:
            items = chain(failed, [first], coming)
            pictures = Pictures(items, self._nominal_ns, log, CAMERA, quality)
            self._carry_out(pictures, log, progress)
        reason: Literal["finished", "cut_off"] = (
            "cut_off" if self._container.cut_off else "finished"
        )
        holes = tuple(pictures.holes.closed)
        end = FilmEnd(reason, pictures.over_ns, self._container.stated_ns, holes)
        return end.loss(self._path.name)

    def _carry_out(self, pictures: Pictures, log: ImportLog, progress: Progress | None) -> None:
        heard: Iterator[Step] = iter(())
        file: SoundFile | None = None
        if self._own is not None:
            heard = soundtrack_steps(self._own, log)
        elif self._sound is not None:
            at_ns = round(self._request.sound_at_s * NS_PER_S)
            file = SoundFile(self._sound, common_format([self._sound]), at_ns)
            heard = file.steps(log)
        music = self._music_for(log)
        seen = pictures.steps(lambda: self._container.pictures_end_ns)
        steps = heapq.merge(seen, heard, key=itemgetter(0))
        stated_ns = self._container.stated_ns or 0
        for t_ns, write in beside(steps, iter(()) if music is None else music.steps()):
            write()
            if progress is not None and stated_ns:
                progress(round(READING * min(1.0, t_ns / stated_ns)), WHOLE)
        ends = [pictures.over_ns, self._own.end_ns if self._own else 0, file.over_ns if file else 0]
        self.end_ns = max(ends)
        if music is not None:
            music.stop()

    def _music_for(self, log: ImportLog) -> Music | None:
        if not self._music:
            return None
        at_ns = round(self._request.music_at_s * NS_PER_S)
        return Music(self._music, common_format(self._music), at_ns, log)

    @property
    def _nominal_ns(self) -> int:
        rate_hz = self._container.frames_per_s or self._request.settings.video.frames_per_s
        return round(NS_PER_S / rate_hz)

    def _room(self) -> Stream | None:
        if self._own is not None:
            return audio_stream(ROOM, self._own.form, source=self._path.name)
        if self._sound is not None:
            form = common_format([self._sound])
            return audio_stream(ROOM, form, source=self._sound.path.name)
        return None

    def _streams(self, room: Stream | None) -> Iterator[Stream]:
        rate_hz = self._container.frames_per_s
        yield video_stream(CAMERA, rate_hz=rate_hz, source=self._path.name)
        if room is not None:
            yield room
        if self._music:
            yield audio_stream(PLAYBACK, common_format(self._music))


def _listed(track: Track, role: str, at_s: float) -> ImportedFile:
    start_ns = round(at_s * NS_PER_S)
    return ImportedFile(
        file_name=track.path.name, sha256=track.sha256, role=role, start_ns=start_ns
    )
