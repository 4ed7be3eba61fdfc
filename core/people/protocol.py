"""Protocols of studies: what is played to whom in which order, and what is asked in between.

A protocol is a TOML file. It names the study, its tracks with the emotion that each is expected
to express and any further columns, in which order they are played, how long it is silent
around them, whether the light is looked at and a neutral face shown first, when the person is asked
how it is for them, and what consent the study asks for. Paths are relative to its folder, so that
a colleague can be handed the folder.
"""

import hashlib
import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

from affetti.core.choices import Chosen, bounded
from affetti.core.errors import AffettiError, FileMissing, UsageError
from affetti.core.events import SCOPES, ProtocolStarted, Step
from affetti.core.events.moments import AFTER, BEFORE, BETWEEN
from affetti.core.labels import label
from affetti.core.language import text
from affetti.core.letters import decoded
from affetti.core.numbers import NEUTRAL_REFERENCE_S
from affetti.core.people.person import checked_code
from affetti.core.people.playlist import PlaylistEntry, track_of_table
from affetti.core.toml import tables

Order: TypeAlias = Literal["fixed", "shuffled", "balanced"]
Occasion: TypeAlias = Literal["before", "between", "after"]

MAX_TRACKS: Final = 200
SILENCE_S: Final = (0.0, 3_600.0)
LIGHT_S: Final = (0.0, 600.0)
PLAY_S: Final = (1.0, 24 * 3_600.0)
SEED: Final = (0.0, 2.0**53)
_PLAY: Final = "play_s"
_MAX_BYTES: Final = 1 << 20
_MAX_NAME: Final = 64  # signs
_MAX_SCALES: Final = 20
_PIPELINE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_NUMBER: Final = re.compile(r"([0-9]{1,9})$")


class Silence(Chosen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long it is silent, in seconds, before the first track, between tracks, after the last."""

    before_s: Annotated[float, bounded(SILENCE_S)] = 0.0
    between_s: Annotated[float, bounded(SILENCE_S)] = 0.0
    after_s: Annotated[float, bounded(SILENCE_S)] = 0.0


class SelfReports(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When the person is asked how it is for them, and what is rated from 0 to 10 then."""

    when: tuple[Occasion, ...] = ()
    scales: tuple[str, ...] = ()


class ReportSettings(Chosen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the tables of the study are made by, where nothing else is asked for."""

    by: tuple[str, ...] = ()  # columns of tracks
    coverage: Annotated[float, bounded((0.0, 1.0))] = 0.5  # of a track, below which it is left out
    pipelines: tuple[str, ...] = ()  # beside that of the recordings


class Protocol(Chosen, frozen=True, kw_only=True):
    """A study's protocol, as it was read; `read_protocol` is the door.

    Attributes
    ----------
    name, version
        What it is called, and how its author counts.
    tracks
        What is played, as the file lists it.
    play_s
        Of each track how long it is played at most; None: to its end.
    order, seed
        How the order of a session comes about, and what a shuffled one follows from.
    light_s
        How long at most the light on the face is looked at before anything else; 0: not.
    neutral_s
        How long a neutral face is shown; None: none is.
    consent
        The scopes that the person is asked for.
    constructed
        Whether its sessions are made to try it out, of films, and are nobody's response.
    sha256
        Of the file.
    """

    name: str
    version: str = "1"
    tracks: tuple[PlaylistEntry, ...] = ()
    play_s: tuple[float | None, ...] = ()
    order: Order = "fixed"
    seed: int | None = None
    light_s: float = 0.0
    neutral_s: float | None = None
    silence: Silence = Silence()
    self_report: SelfReports = SelfReports()
    pipeline: str = "affetti"
    consent: tuple[str, ...] = ()
    constructed: bool = False
    report: ReportSettings = ReportSettings()
    sha256: str = "0" * 64

    @property
    def asks(self) -> int:
        """How often the person is asked how it is for them."""
        steps = steps_of(self, tuple(range(len(self.tracks))))
        return sum(step.kind == "self_report" for step in steps)


class _File(Chosen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand in the file."""

    name: str
    version: str = "1"
    order: Order = "fixed"
    seed: Annotated[int, bounded(SEED)] = 0
    light_s: Annotated[float, bounded(LIGHT_S)] = 0.0
    neutral_s: Annotated[float, bounded((0.0, NEUTRAL_REFERENCE_S[1]))] = 0.0
    pipeline: str = "affetti"
    consent: tuple[str, ...] = ()
    constructed: bool = False
    silence: Silence = Silence()
    self_report: SelfReports = SelfReports()
    report: ReportSettings = ReportSettings()
    track: list[dict[str, Any]] = msgspec.field(default_factory=list)


def read_protocol(path: Path) -> Protocol:
    """Read a protocol.

    Raises
    ------
    AffettiError
        It cannot be read, is no protocol, or a track that it names is not there.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise FileMissing("protocol.unreadable", path=path, error=error.strerror) from error
    if len(data) > _MAX_BYTES:
        raise _wrong(path, text("protocol.wrong.too_long"))
    return _checked(path, _decoded(path, data), hashlib.sha256(data).hexdigest())


def _decoded(path: Path, data: bytes) -> _File:
    try:
        said = tables(decoded(data))
        return msgspec.convert(said, _File)
    except UnicodeDecodeError as error:
        raise _wrong(path, text("protocol.wrong.no_text")) from error
    except RecursionError as error:
        raise _wrong(path, text("protocol.wrong.too_deep")) from error
    except AffettiError as error:
        raise _wrong(path, error.message) from error
    except (ValueError, msgspec.ValidationError) as error:
        raise _wrong(path, label(str(error))) from error


def _checked(path: Path, file: _File, sha256: str) -> Protocol:
    name, version = label(file.name).strip(), label(file.version).strip()
    if not 0 < len(name) <= _MAX_NAME or not 0 < len(version) <= _MAX_NAME:
        raise _wrong(path, text("protocol.wrong.name", most=_MAX_NAME))
    if not 0 < len(file.track) <= MAX_TRACKS:
        raise _wrong(path, text("protocol.wrong.tracks", most=MAX_TRACKS))
    if 0 < file.neutral_s < NEUTRAL_REFERENCE_S[0]:
        raise _wrong(path, text("protocol.wrong.neutral", least=NEUTRAL_REFERENCE_S[0]))
    if unknown := next((scope for scope in file.consent if scope not in SCOPES), None):
        raise _wrong(path, text("protocol.wrong.scope", scope=label(unknown)))
    if not _PIPELINE.fullmatch(file.pipeline):
        raise _wrong(path, text("protocol.wrong.pipeline", name=label(file.pipeline)))
    tracks = list(enumerate(file.track, start=1))
    return Protocol(
        name=name,
        version=version,
        tracks=tuple(track_of_table(path, at, each, (_PLAY,)) for at, each in tracks),
        play_s=tuple(_play_s(path, at, each.get(_PLAY)) for at, each in tracks),
        order=file.order,
        seed=file.seed if file.order == "shuffled" else None,
        light_s=file.light_s,
        neutral_s=file.neutral_s or None,
        silence=file.silence,
        self_report=_asked(path, file.self_report),
        pipeline=file.pipeline,
        consent=file.consent,
        constructed=file.constructed,
        report=file.report,
        sha256=sha256,
    )


def _play_s(path: Path, number: int, seconds: Any) -> float | None:
    """Return for how long a track is played, from what its table says."""
    if seconds is None:
        return None
    if isinstance(seconds, str):  # as a table has it
        with suppress(ValueError):
            seconds = float(seconds)
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not known or not PLAY_S[0] <= seconds <= PLAY_S[1]:
        words = text("protocol.wrong.play_s", least=PLAY_S[0], most=PLAY_S[1])
        raise UsageError("playlist.track_wrong", path=path.name, track=number, what=words)
    return float(seconds)


def _asked(path: Path, said: SelfReports) -> SelfReports:
    scales = tuple(label(scale).strip() for scale in said.scales)
    possible = all(0 < len(scale) <= _MAX_NAME for scale in scales)
    if len(scales) > _MAX_SCALES or not possible or len(set(scales)) < len(scales):
        raise _wrong(path, text("protocol.wrong.scales", most=_MAX_SCALES))
    return SelfReports(when=tuple(dict.fromkeys(said.when)), scales=scales)


def _wrong(path: Path, what: str) -> UsageError:
    return UsageError("protocol.wrong", path=path.name, what=what.rstrip("."))


def williams(count: int) -> tuple[tuple[int, ...], ...]:
    """Return orders of `count` things in which each stands behind each other one equally often.

    A Latin square for an even count, two of them for an odd one, by Williams, "Experimental
    designs balanced for the estimation of residual effects of treatments" (1949).
    """
    zigzag = [0]
    for step in range(1, count):
        zigzag.append(step // 2 + 1 if step % 2 else count - step // 2)
    rows = [tuple((at + shift) % count for at in zigzag) for shift in range(count)]
    mirrored = [tuple(reversed(row)) for row in rows] if count % 2 and count > 1 else []
    return (*rows, *mirrored)


def row_of(protocol: Protocol, person: str) -> int | None:
    """Return which of the balanced orders is a person's; None where orders are not balanced.

    It follows from the number that the person's code ends in: P01 has the first one.

    Raises
    ------
    AffettiError
        The code ends in no number.
    """
    if protocol.order != "balanced":
        return None
    number = _NUMBER.search(checked_code(person))
    if number is None:
        raise UsageError("protocol.no_number", person=person)
    return (int(number[1]) - 1) % len(williams(len(protocol.tracks)))


def order_of(protocol: Protocol, person: str) -> tuple[int, ...]:
    """Return the order in which a person hears the tracks: positions in the protocol, from 0.

    A shuffled order follows from seed and code, and is another one for each person.

    Raises
    ------
    AffettiError
        Orders are balanced, and the person's code ends in no number.
    """
    count = len(protocol.tracks)
    row = row_of(protocol, person)
    if row is not None:
        return williams(count)[row]
    if protocol.order == "fixed":
        return tuple(range(count))
    drawn = [f"{protocol.seed}/{person}/{at}".encode() for at in range(count)]
    return tuple(sorted(range(count), key=lambda at: hashlib.sha256(drawn[at]).digest()))


def steps_of(protocol: Protocol, order: tuple[int, ...]) -> tuple[Step, ...]:
    """Return what a session does one after the other, its tracks in some order."""
    silence, when = protocol.silence, protocol.self_report.when
    steps = []
    if protocol.light_s:
        steps.append(Step(kind="light", seconds=protocol.light_s))
    if protocol.neutral_s:
        steps.append(Step(kind="neutral", seconds=protocol.neutral_s))
    if BEFORE in when:
        steps.append(Step(kind="self_report", occasion=BEFORE))
    steps += _silent(silence.before_s)
    for at, track in enumerate(order):
        if at:
            if BETWEEN in when:
                steps.append(Step(kind="self_report", occasion=BETWEEN))
            steps += _silent(silence.between_s)
        steps.append(Step(kind="track", track=at, seconds=protocol.play_s[track]))
    if AFTER in when:
        steps.append(Step(kind="self_report", occasion=AFTER))
    return (*steps, *_silent(silence.after_s))


def _silent(seconds: float) -> list[Step]:
    return [Step(kind="silence", seconds=seconds)] if seconds else []


def started(protocol: Protocol, person: str, t_ns: int) -> ProtocolStarted:
    """Return the event that says what is planned for a person, from `t_ns` on.

    Raises
    ------
    AffettiError
        As of `order_of`.
    """
    order = order_of(protocol, person)
    return ProtocolStarted(
        t_ns=t_ns,
        name=protocol.name,
        version=protocol.version,
        sha256=protocol.sha256,
        order=protocol.order,
        seed=protocol.seed,
        row=row_of(protocol, person),
        tracks=order,
        steps=steps_of(protocol, order),
        scales=protocol.self_report.scales,
        constructed=protocol.constructed,
    )
