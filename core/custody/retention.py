"""For how long pictures and sound are kept: what a rule of the settings says is due, and its doing.

When their time is over, the pictures or the sound of the room leave a recording, by the same
removal as a withdrawal of consent, and the estimates of them stay. Nothing goes by itself: whoever
is shown what is due says yes to it.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import h5py

from affetti.core.custody import withdrawal
from affetti.core.custody.withdrawal import Progress, Withdrawal
from affetti.core.errors import AffettiError
from affetti.core.recording import hdf5
from affetti.core.recording.names import DAMAGE, one_of_each, sealed_in
from affetti.core.recording.session import Session
from affetti.core.settings import Retention, Rule
from affetti.core.streams import AUDIO, PLAYBACK, ROOM, VIDEO

REASON: Final = "retention"  # what a recording says of why


@dataclass(frozen=True)
class Held:
    """Pictures, or sound of the room, that a recording holds.

    Attributes
    ----------
    scope
        Of consent: `video` or `room`.
    size
        In bytes, as they were captured.
    due_on
        The day from which on they are due to go; None: they are kept for ever.
    """

    scope: str
    size: int
    due_on: date | None

    def is_due(self, on: date | None = None) -> bool:
        """Return whether it is due on a day, by default today."""
        return self.due_on is not None and self.due_on <= (on or _today())


@dataclass(frozen=True)
class Due:
    """A recording of which something is due to go.

    Attributes
    ----------
    path
        The sealed file.
    person
        The code.
    recorded_on
        The day.
    held
        What goes.
    """

    path: Path
    person: str
    recorded_on: date
    held: tuple[Held, ...]

    @property
    def size(self) -> int:
        """How many bytes go."""
        return sum(each.size for each in self.held)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes of what goes."""
        return tuple(each.scope for each in self.held)


@dataclass(frozen=True)
class Outlook:
    """What is due of many recordings, and what will be.

    Attributes
    ----------
    due
        What is due, the longest first.
    next_on
        When something is due next; None: nothing is, ever.
    unread
        Recordings of which nobody knows, and why.
    """

    due: tuple[Due, ...]
    next_on: date | None
    unread: tuple[tuple[Path, AffettiError], ...] = ()


def held_in(session: Session, retention: Retention) -> list[Held]:
    """Return the pictures and the sound that a recording holds, with the day they are due."""
    rule = retention.of(session.started.person)
    sizes: dict[str, int] = {}
    for name, stream in session.streams.items():
        if stream.scope not in (VIDEO, ROOM):
            continue
        size = 0
        if stream.kind == VIDEO:
            size = session.video[name].size
        elif stream.kind == AUDIO:
            sound = session.audio(name)
            size = 2 * sound.samples * sound.channels
        sizes[stream.scope] = sizes.get(stream.scope, 0) + size
    day = recorded_on(session)
    return [Held(scope, size, _due_on(rule, scope, day)) for scope, size in sizes.items() if size]


def recorded_on(session: Session) -> date:
    """Return the day on which a session was recorded, where it was recorded."""
    return datetime.fromisoformat(session.started.wall_clock).date()


def outlook(places: Iterable[Path], retention: Retention, on: date | None = None) -> Outlook:
    """Return what is due of recordings, by a rule.

    Parameters
    ----------
    places
        Recordings, or folders of them.
    retention
        The rules of the settings.
    on
        The day; by default today.

    Raises
    ------
    AffettiError
        A folder cannot be looked through.
    """
    due, later, unread = [], [], []
    if retention.says_something:
        for path in _that_may_hold(places):
            try:
                with Session.open(path, altered=True) as session:
                    found = held_in(session, retention)
                    over = tuple(each for each in found if each.is_due(on))
                    later += [e.due_on for e in found if e.due_on and not e.is_due(on)]
                    if over:
                        day = recorded_on(session)
                        due.append(Due(path, session.started.person, day, over))
            except AffettiError as error:
                unread.append((path, error))
    due.sort(key=lambda each: (each.recorded_on, each.path))
    return Outlook(tuple(due), min(later, default=None), tuple(unread))


def carry_out(due: Due, progress: Progress | None = None) -> Withdrawal:
    """Remove from a recording what is due; the estimates of it stay.

    Reports beside the recording, which may show pictures, and parts that could not be read go as
    well. Analyses stay.

    Raises
    ------
    AffettiError
        As of `withdrawal.withdraw`. The recording is as it was then.
    """
    return withdrawal.withdraw(
        due.path, due.scopes, reason=REASON, estimates_stay=True, progress=progress
    )


def _today() -> date:
    return datetime.now().astimezone().date()


def _due_on(rule: Rule, scope: str, day: date) -> date | None:
    days = rule.pictures_days if scope == VIDEO else rule.sound_days
    if not days:
        return None
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return None


def _that_may_hold(places: Iterable[Path]) -> Iterator[Path]:
    """Yield the sealed recordings in places, but those that hold nothing that could be due."""
    every = (each for p in places for each in (sealed_in(p) if os.path.isdir(p) else [p]))
    return (path for path in one_of_each(every) if _may_hold(path))


def _may_hold(path: Path) -> bool:
    """Whether a file may hold pictures or sound of the room; True where that is not known."""
    try:
        with hdf5.to_read(path) as file:
            return any(_sizes(file))
    except (*DAMAGE, AffettiError):
        return True


def _sizes(file: h5py.File) -> Iterator[int]:
    for video in _groups(file, "video").values():
        yield video["bytes"].size
    for name, sound in _groups(file, "audio").items():
        if name != PLAYBACK:
            yield sound["samples"].size


def _groups(file: h5py.File, name: str) -> Any:
    return file[name] if isinstance(file.get(name, getlink=True), h5py.HardLink) else {}
