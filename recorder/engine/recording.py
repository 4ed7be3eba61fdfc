"""One recording, from opening its sources to closing its log."""

import errno
import os
import queue
import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from affetti.core.clock import NS_PER_S, SessionClock
from affetti.core.consent import is_picture_or_sound
from affetti.core.custody import vault
from affetti.core.environment import environment
from affetti.core.errors import (
    AffettiError,
    ConsentRefused,
    DiskFull,
    FileExists,
    FileMissing,
    UsageError,
)
from affetti.core.events import (
    Consent,
    EndReason,
    Event,
    Failure,
    FilmLoss,
    FrameCaptured,
    Modality,
    MusicProposed,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    SessionEnded,
    SessionStarted,
    refuse_unstorable,
)
from affetti.core.language import text
from affetti.core.numbers import DURATION_S, NEUTRAL_REFERENCE_S, checked_seconds
from affetti.core.paths import shown, typed
from affetti.core.people import protocol
from affetti.core.people.person import (
    checked_code,
    coded_file_name,
    refuse_existing,
    session_file_name,
)
from affetti.core.people.playlist import PlaylistEntry
from affetti.core.recording.ahead import Ahead
from affetti.core.recording.names import named_like_parts, part_number, part_path, parts_of
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import discard_blank
from affetti.core.settings import Settings
from affetti.core.state import SessionState
from affetti.core.streams import AUDIO, ROOM, VIDEO, Stream
from affetti.core.synchrony import measured_of
from affetti.models.perception import PERCEPTION_VERSION
from affetti.models.perception.plugins import fingerprints, perceivers, settings_of
from affetti.models.pipelines import digests_of
from affetti.recorder.engine.conductor import Conductor
from affetti.recorder.engine.inbox import Inbox
from affetti.recorder.engine.live import LivePerception, Readers
from affetti.recorder.engine.messages import Plan, Proposal
from affetti.recorder.engine.outlets import LSL, Outlets, offers_of
from affetti.recorder.engine.outlets import NAMES as OUTLETS
from affetti.recorder.engine.threads import ThreadWatch, unexpected
from affetti.recorder.sources import AudioSource, Source, source_at, stop_all
from affetti.recorder.sources.camera import further_camera, open_camera
from affetti.recorder.sources.film import Film
from affetti.recorder.sources.lsl_markers import marker_source
from affetti.recorder.sources.microphone import SoundFile, open_microphone
from affetti.recorder.sources.player import Player

# Sees every event once it is in the log, with its blob, in the writer's thread.
Subscriber = Callable[[Event, bytes], None]

_IDLE_S: Final = 0.1
_PERCEIVED_IN: Final[dict[str, Modality]] = {VIDEO: "face", AUDIO: "music"}
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass
class Sources:
    """The opened sources of a recording."""

    camera: "Source | None" = None
    microphone: AudioSource | None = None
    player: Player | None = None
    others: list[Source] = field(default_factory=list)

    def all(self) -> list[Source]:
        """Return those there are."""
        named = [s for s in (self.camera, self.microphone, self.player) if s is not None]
        return named + self.others

    def streams(self) -> tuple[Stream, ...]:
        """Return what they deliver, in the order of `all`.

        Raises
        ------
        AffettiError
            Two streams have one name, or one is of a form that no recording holds.
        """
        found = tuple(stream for source in self.all() for stream in source.streams)
        for i, stream in enumerate(found):
            if not stream.possible:
                raise _refused(stream, "stream_impossible")
            if stream.name in {other.name for other in found[:i]}:
                raise _refused(stream, "stream_twice")
        return found

    def cards(self, plan: Plan) -> frozenset[str]:
        """Return the streams whose samples a sound card counts."""
        room = self.microphone is not None and not self.microphone.finite
        played = self.player is not None and plan.speaker is not None
        return frozenset(name for name, card in (("room", room), ("playback", played)) if card)

    def stop(self) -> None:
        """Stop them all; the music first, so that the room still hears its end."""
        stop_all(reversed(self.all()))


def _refused(stream: Stream, why: str) -> AffettiError:
    source = stream.source or text("recording.a_source")
    return UsageError(f"recording.{why}", stream=stream.name, source=source)


def recipients_of(plan: Plan, settings: Settings) -> tuple[str, ...]:
    """Return for whom a plan's recording is encrypted, as public keys in letters; (): it is not.

    Raises
    ------
    AffettiError
        The vault that the settings name is not there, or a public key is none.
    """
    return vault.recipients(settings) if plan.recipients is None else plan.recipients


def target_of(
    plan: Plan, settings: Settings, now: datetime, recipients: tuple[str, ...] = ()
) -> Path:
    """Return the file that a plan's recording will become.

    Raises
    ------
    AffettiError
        The person's code or the name cannot be used, or something of that name exists.
    """
    code = checked_code(plan.person)
    if plan.output is None:
        coded = bool(recipients) and settings.vault.coded_names
        target = settings.folder / (coded_file_name() if coded else session_file_name(code, now))
    else:
        target = typed(plan.output)
        if target.suffix != ".h5":
            raise UsageError("recording.output_not_end_h5", target=target.name)
        if part_number(target) is not None:
            raise UsageError("recording.output_named_like_part", target=target.name)
    refuse_existing(target)
    _refuse_parts(target)
    return target


def _refuse_parts(target: Path) -> None:
    if parts_of(target) and not discard_blank(target):
        raise FileExists("recording.unsealed_recording_named_exists", target=target)
    if alike := named_like_parts(target):
        raise FileExists(
            "recording.named_like_part_recorded", alike=alike[0].name, target=target.name
        )


def open_sources(plan: Plan, settings: Settings) -> Sources:
    """Open what a plan names; all of it, or nothing.

    Raises
    ------
    AffettiError
        A source cannot be opened, there is none, or one was not consented to.
    """
    _refuse_unconsented(plan)
    sources = Sources()
    try:
        if playlist := _played(plan):
            tracks = [typed(each) if isinstance(each, str) else each for each in playlist]
            held = plan.protocol is not None
            sources.player = Player(tracks, plan.speaker, plan.volume, held=held)
            sources.player.open()
        if plan.microphone is not None:
            sources.microphone = open_microphone(plan.microphone)
            sources.microphone.open()
        if plan.camera is not None:
            sources.camera = open_camera(plan.camera, settings.video)
            sources.camera.open()
            if sources.microphone is None and plan.consent.grants(ROOM):
                sources.microphone = _own_sound(sources.camera)
        for address in plan.markers:
            sources.others.append(marker_source(address))
            sources.others[-1].open()
        for number, address in enumerate(plan.cameras, start=2):
            sources.others.append(further_camera(address, number, settings.video))
            sources.others[-1].open()
        for address in plan.sources:
            sources.others.append(source_at(address, settings))
            scope = sources.others[-1].scope
            _refuse_scope("recording.no_consent", scope, plan.consent, address)
            sources.others[-1].open()
        sources.streams()
    except BaseException:
        sources.stop()
        raise
    if not sources.all():
        raise UsageError("recording.nothing_record")
    return sources


def _film_loss(camera: Source | None) -> FilmLoss | None:
    if not isinstance(camera, Film) or camera.end is None:
        return None
    return camera.end.loss(camera.description)


def _played(plan: Plan) -> tuple[str | PlaylistEntry, ...]:
    """Return what is played: what is named, or a study's tracks in the order that is the person's.

    Raises
    ------
    AffettiError
        Orders are balanced over people, and the person's code says not which one is theirs.
    """
    if plan.protocol is None:
        return plan.playlist
    order = protocol.order_of(plan.protocol, plan.person)
    return tuple(plan.protocol.tracks[at] for at in order)


def _own_sound(camera: Source) -> AudioSource | None:
    """Return the sound that a film brings along; None where it has none, or is no film."""
    return camera.own_sound() if isinstance(camera, Film) else None


def proposed(proposal: Proposal, t_ns: int, number: int | None) -> MusicProposed:
    """Return what was proposed of a collection of music, and which track was chosen, as an event.

    Parameters
    ----------
    proposal
        As the screen says it.
    t_ns
        When.
    number
        The place of the chosen track in the playlist; None where none was.
    """
    return MusicProposed(
        t_ns=t_ns,
        direction=proposal.direction,
        proposed=proposal.titles,
        proposed_sha256=proposal.sha256,
        title=proposal.title,
        chosen_sha256=proposal.chosen_sha256,
        chosen_track=number,
        from_valence=proposal.valence,
        from_arousal=proposal.arousal,
    )


def _number_in(plan: Plan, proposal: Proposal) -> int | None:
    """Return where in the playlist the track is that was chosen; None: it was taken out again."""
    paths = [each if isinstance(each, str) else each.path for each in plan.playlist]
    chosen = proposal.chosen
    return paths.index(chosen.path) if chosen is not None and chosen.path in paths else None


def _refuse_impossible(plan: Plan) -> None:
    for address in (*plan.sources, *plan.markers):
        if plan.lsl_out and address.removeprefix(f"{LSL}:") in OUTLETS:
            raise UsageError("recording.own_outlet", address=address)
    if plan.duration_s is not None:
        checked_seconds("recording", plan.duration_s, DURATION_S)
    if plan.neutral_s is not None:
        checked_seconds("neutral_reference", plan.neutral_s, NEUTRAL_REFERENCE_S)


def _refuse_unconsented(plan: Plan) -> None:
    for name, source, scope in (
        ("video", plan.camera, VIDEO),
        ("video", plan.cameras or None, VIDEO),
        ("audio", plan.microphone, ROOM),
    ):
        if source is not None:
            _refuse_scope(f"recording.no_consent.{name}", scope, plan.consent)


def _refuse_scope(error: str, scope: str | None, consent: Consent, address: str = "") -> None:
    if scope is not None and not consent.grants(scope):
        raise ConsentRefused(error, address=shown(address), scope=scope)


class Recording:
    """A running recording. Begins on construction; `finish` ends it, and only then seal it.

    Parameters
    ----------
    plan, settings
        What to record, and how.
    readers
        The models for live estimates.
    subscriber
        Sees every event once it is in the log.

    Raises
    ------
    AffettiError
        It cannot begin. Then nothing was written.
    """

    def __init__(
        self, plan: Plan, settings: Settings, readers: Readers, subscriber: Subscriber
    ) -> None:
        _refuse_impossible(plan)
        self._offer = readers.offer
        self._models = digests_of(readers.offer.models)
        self._others = perceivers()
        now = datetime.now(UTC).astimezone()
        self.recipients = recipients_of(plan, settings)
        self.target = target_of(plan, settings, now, self.recipients)
        self.key = vault.data_key_for(self.recipients)
        self.plan = plan
        self.sources = open_sources(plan, settings)
        self.state = SessionState()  # as of the last event written; the writer's thread owns it
        self.failure: AffettiError | None = None
        self._cause: _Cause | None = None  # of the failure
        self.problem: AffettiError | None = None  # the latest event that was lost, if any
        self._neutral_end_ns: int | None = None
        self.conductor: Conductor | None = None  # of a study's protocol
        with ExitStack() as undo:
            undo.callback(self.sources.stop)
            session_id = uuid.uuid4().hex
            self._log = PartLog(self.target, session_id, settings.log, self.key)
            self.ahead = Ahead(self.target)
            undo.callback(self._discard)
            undo.callback(self._log.close)
            self.clock = SessionClock()
            self._log.live_by(self.clock.now_ns)
            wall_clock = datetime.now(UTC).astimezone().isoformat(timespec="microseconds")
            self.inbox = Inbox(self.clock, plan.consent)
            self.live = LivePerception(
                readers, self.clock, self.inbox.put, self.inbox.put_made, self._others
            )
            self._outlets = self._offered(session_id)
            undo.pop_all()
        self._subscriber = subscriber
        self._keep = plan.keep or settings.keep
        self.frames = 0  # that were captured, kept or not
        self._drained = threading.Event()
        self._ended = threading.Event()
        self._writer = threading.Thread(target=self._write, name="write log", daemon=True)
        self._watch = ThreadWatch(self.fail)
        try:
            self._begin(self._started(session_id, wall_clock))
        except BaseException:
            self.finish("failed")
            self._discard()  # it holds a beginning and an end, and nothing else
            raise

    @property
    def bytes_written(self) -> int:
        """How much the log has taken so far."""
        return self._log.bytes_written

    @property
    def bytes_to_seal(self) -> int:
        """How much of that is in no sealed file yet, which will need as much room again."""
        return max(0, self._log.bytes_written - self.ahead.size)

    @property
    def unsafe_s(self) -> float:
        """For how long what was recorded may not be on the disk yet, in seconds; 0: all is."""
        return self._log.unsafe_s

    @property
    def safe_seq(self) -> int:
        """The `seq` of the last event up to which all are known to be on the disk; -1: of none."""
        return self._log.safe_seq

    @property
    def perceived(self) -> frozenset[Modality]:
        """What there is to perceive in the streams of its sources."""
        kinds = {stream.kind for stream in self.sources.streams()}
        return frozenset(_PERCEIVED_IN[kind] for kind in kinds & _PERCEIVED_IN.keys())

    @property
    def _failed(self) -> EndReason:
        full = isinstance(self.failure, DiskFull)
        return "disk_full" if full else "failed"

    @property
    def over(self) -> EndReason | None:
        """Why the recording should end now, or None: it failed, or its time or files are over."""
        if self.failure is not None:
            return self._failed
        limit_s = self.plan.duration_s
        if limit_s is not None and self.clock.now_ns() >= limit_s * NS_PER_S:
            return "duration"
        if self.conductor is not None:
            done = self.conductor.over and self.plan.unattended
            return "protocol_over" if done else None
        return "sources_ended" if self._sources_ended() else None

    def begin_neutral_reference(self, seconds: float) -> None:
        """Note that the person shows a neutral face from now on, for so long."""
        checked_seconds("neutral_reference", seconds, NEUTRAL_REFERENCE_S)
        now_ns = self.clock.now_ns()
        self._neutral_end_ns = now_ns + round(seconds * NS_PER_S)
        self.inbox.put(NeutralReferenceStarted(t_ns=now_ns))

    def end_neutral_reference(self) -> None:
        """Note the end of the neutral face before its time, the next time it is looked for."""
        if self._neutral_end_ns is not None:
            self._neutral_end_ns = self.clock.now_ns()

    def lead(self) -> None:
        """Go on in the protocol, where a study's leads through the session."""
        if self.conductor is not None:
            self.conductor.turn(self.state, self.clock.now_ns())

    def expect_answers(self, expected: bool) -> None:
        """Say, from any thread, whether self-reports that a protocol asks for will come."""
        if self.conductor is not None:
            self.conductor.expect_answers(expected)

    def end_neutral_reference_when_due(self) -> None:
        """Note the end of the neutral face once its time is over."""
        now_ns = self.clock.now_ns()
        if self._neutral_end_ns is not None and now_ns >= self._neutral_end_ns:
            self._neutral_end_ns = None
            self.inbox.put(NeutralReferenceRecorded(t_ns=now_ns))

    def fail(self, error: Exception) -> None:
        """Note, from any thread, why the recording cannot go on; the first reason stays."""
        self._fail(_failure(error), _cause_of(error))

    def look_for_log(self) -> None:
        """Note that the recording cannot go on when its log is gone from its folder."""
        if self.failure is None and not os.path.exists(part_path(self.target, 1)):
            self._fail(_gone(self.target), _Cause("log_gone"))

    def _fail(self, failure: AffettiError, cause: "_Cause") -> None:
        if self.failure is None:
            self._cause, self.failure = cause, failure

    def finish(self, reason: EndReason) -> None:
        """Stop the sources, write all that is under way, and close the log.

        What goes wrong meanwhile is the recording's `failure`; nothing is raised.
        """
        if self._ended.is_set():
            return
        self._ended.set()
        self._attempt(self.sources.stop)
        self.inbox.close()
        if self._writer.is_alive():
            self._drained.wait()
        self._attempt(self.live.close)
        self._attempt(self._put_end, reason)
        self.inbox.close()
        if self._writer.ident is not None:
            self._writer.join()
        if self._outlets is not None:
            self._outlets.close()
        self._attempt(self.look_for_log)
        self._attempt(self._log.close)
        self._watch.close()

    def _offered(self, session_id: str) -> Outlets | None:
        """Return what offers live estimates to other programs; None where nobody asked for it."""
        if not self.plan.lsl_out:
            return None
        offers = offers_of(self.perceived, plays=self.sources.player is not None)
        return Outlets(session_id, self.clock, lambda: self.inbox.ends, self._trouble, offers)

    def _trouble(self, problem: AffettiError) -> None:
        self.problem = problem

    def _discard(self) -> None:
        self.ahead.close()
        with suppress(OSError):
            self._log.discard()  # it holds a beginning and an end, and nothing else

    def _begin(self, started: SessionStarted) -> None:
        self.inbox.put(started)
        for each in self.plan.proposals:
            self.inbox.put(proposed(each, self.clock.now_ns(), _number_in(self.plan, each)))
        self._writer.start()
        began_ns = self.clock.now_ns()
        for source in self.sources.all():
            if isinstance(source, Film | SoundFile):  # which belong together
                source.begin_ns = began_ns
            source.start(self.inbox)
        if self.plan.neutral_s is not None:
            self.begin_neutral_reference(self.plan.neutral_s)
        if self.plan.protocol is not None:
            self.conductor = self._conductor(self.plan.protocol)

    def _conductor(self, planned: protocol.Protocol) -> Conductor:
        begun = protocol.started(planned, self.plan.person, self.clock.now_ns())
        self.inbox.put(begun)
        return Conductor(
            begun,
            self.inbox.put,
            self.sources.player,
            self.begin_neutral_reference,
            self.end_neutral_reference,
            attended=not self.plan.unattended,
        )

    def _put_end(self, reason: EndReason) -> None:
        if self.failure is not None:
            reason = self._failed
        self.inbox.put(
            SessionEnded(
                t_ns=self.clock.now_ns(),
                reason=reason,
                failure=None if self._cause is None else self._cause.code,
                error="" if self._cause is None else self._cause.error,
                film=_film_loss(self.sources.camera),
                films=tuple(filter(None, map(_film_loss, self.sources.others))),
            )
        )

    def _sources_ended(self) -> bool:
        """Whether every source that has an end has come to it.

        With a live device beside them, only an unattended recording ends with its files: a
        therapist may want to go on talking after the last track.
        """
        finite = [s for s in self.sources.all() if s.finite]
        attended = len(finite) < len(self.sources.all()) and not self.plan.unattended
        return bool(finite) and not attended and all(s.ended.is_set() for s in finite)

    def _started(self, session_id: str, wall_clock: str) -> SessionStarted:
        camera, microphone = self.sources.camera, self.sources.microphone
        speaker = self.plan.speaker if self.plan.speaker is not None else "none"
        streams = self.sources.streams()
        return SessionStarted(
            t_ns=0,
            session_id=session_id,
            person=self.plan.person,
            consent=self.plan.consent,
            software_version=version("affetti"),
            wall_clock=wall_clock,
            camera=getattr(camera, "description", None),
            microphone=getattr(microphone, "description", None),
            speaker=(speaker or "default") if self.sources.player else None,
            streams=streams,
            synchrony=measured_of(streams, datetime.fromisoformat(wall_clock)),
            playlist=tuple(self.sources.player.titles) if self.sources.player else (),
            markers=self.plan.counted,
            models=self._models,
            pipeline=self._offer.pipeline,
            perception_version=PERCEPTION_VERSION,
            perceivers=fingerprints(self._others),
            perception=settings_of(self._others),
            environment=environment(),
            keeps=self._keep,
            offered=(LSL,) if self.plan.lsl_out else (),
        )

    def _write(self) -> None:
        """Write until the inbox was closed twice: once before, once after perception ended."""
        try:
            for _ in range(2):
                self._write_until_closed()
                self._drained.set()
        except Exception as error:
            self.fail(error)
        finally:
            self._drained.set()  # whoever waits for this thread goes on, whatever became of it

    def _write_until_closed(self) -> None:
        while True:
            try:
                item = self.inbox.get(_IDLE_S)
            except queue.Empty:
                self._attempt(self._log.raise_error)
                continue
            if item is None:
                return
            self._attempt(self._write_one, *item)

    def _attempt(self, write: Callable[..., object], *what: object) -> None:
        """Do something to the log; what goes wrong ends the recording, and not this thread."""
        try:
            write(*what)
        except Exception as error:
            self.fail(error)

    def _write_one(self, event: Event, blob: bytes) -> None:
        if self.failure is not None and not isinstance(event, SessionEnded):
            return  # the log takes nothing more but its last word
        try:
            refuse_unstorable(event)
        except ValueError as error:
            self._lose(event, error)
            return
        self.frames += isinstance(event, FrameCaptured)
        written = event
        if self._keeps(event):
            written = self._log.append(event, blob)
            self.state.apply(written)
        if written.traits.perceived:
            self.live.push(written, blob)
        if self._outlets is not None:
            self._outlets.see(written)
        try:
            self._subscriber(written, blob)
        except Exception as error:  # who looks on never stops what they look at
            self.problem = unexpected("event", error)

    def _keeps(self, event: Event) -> bool:
        """Whether an event goes into the log; what does not is perceived all the same."""
        only_estimates = self._keep == "estimates"
        return not (only_estimates and is_picture_or_sound(event, self.state.streams))

    def _lose(self, event: Event, error: ValueError) -> None:
        """Go on without an event that no log can hold."""
        if isinstance(event, SessionStarted):
            raise error
        self.problem = AffettiError(
            "recording.one_could_not_recorded", name=type(event).__name__, error=error
        )


@dataclass(frozen=True)
class _Cause:
    """What ended a recording, as it is recorded."""

    code: Failure
    error: str = ""  # what the system or a library calls it; nothing that a person wrote


def _cause_of(error: Exception) -> _Cause:
    if isinstance(error, DiskFull):
        return _Cause("log_full")
    if not isinstance(error, OSError):
        return _Cause("unexpected", type(error.__cause__ or error).__name__)
    code: Failure = "log_full" if error.errno in _FULL else "log_unwritable"
    return _Cause(code, errno.errorcode.get(error.errno or 0, type(error).__name__))


def _failure(error: Exception) -> AffettiError:
    """Return what to tell a person of an error that ends a recording."""
    if not isinstance(error, OSError):
        return unexpected("recording", error)
    kind = DiskFull if error.errno in _FULL else FileMissing
    return kind("recording.log_unwritable", error=error.strerror or error)


def _gone(target: Path) -> AffettiError:
    return FileMissing(
        "recording.recording_gone_folder_moved", parent=target.parent, stem=target.stem
    )
