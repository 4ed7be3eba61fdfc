"""The engine: carries out commands, records, and tells a screen about it.

It runs in a process of its own, so that a screen that is slow, hangs or dies costs the
recording nothing: when the pipe breaks, the engine ends the recording, seals it and goes.
"""

import math
import queue
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import msgspec

from affetti.core import logbook
from affetti.core.clock import NS_PER_S, SessionClock
from affetti.core.errors import AffettiError, Damaged, Unsealed, UsageError
from affetti.core.events import (
    ConsentChanged,
    EndReason,
    Event,
    FaceNamed,
    MarkerAdded,
    NoteAdded,
    RecordingPaused,
    RecordingResumed,
    SelfReported,
)
from affetti.core.labels import label as one_label
from affetti.core.labels import lines
from affetti.core.language import listed, text
from affetti.core.recording.names import parts_of, unsealed_in
from affetti.core.recording.sealing import seal
from affetti.core.recording.survey import is_running
from affetti.core.settings import Settings
from affetti.models.pipelines import offered
from affetti.recorder.engine import messages
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.messages import AnyCommand, Message
from affetti.recorder.engine.monitor import Monitor
from affetti.recorder.engine.outbox import Outbox
from affetti.recorder.engine.preview import Preview
from affetti.recorder.engine.recording import Recording, proposed
from affetti.recorder.engine.threads import unexpected

Publish = Callable[[Message], None]

_TURN_S: Final = 0.02
_EVENTS_EVERY_S: Final = 0.1
_PICTURE_EVERY_S: Final = 0.3
_LEVEL_EVERY_S: Final = 0.1
_SEEN_EVERY_S: Final = 0.6
_HEALTH_EVERY_S: Final = 1.0
_FOR_THE_EYE: Final = ("picture", "seen", "level")
_REST_S: Final = 1.0  # at most, for what was sent before a signal
# Commands of a set-up, which no recording waits for.
_BEFORE_IT: Final = (messages.ListDevices, messages.Watch, messages.PlayTone, messages.Record)


class Engine:
    """Carries out commands one after the other; `turn` keeps everything else going.

    Parameters
    ----------
    settings
        How to record.
    publish
        Takes every message, in this thread.
    is_watched
        Whether anybody looks: else no pictures and no levels of sound are made to be shown.
    """

    def __init__(self, settings: Settings, publish: Publish, *, is_watched: bool = True) -> None:
        self._settings = settings
        self._is_watched = is_watched
        self._hand_out = publish
        self._unheard: Exception | None = None  # why nobody hears us any more
        self._readers = Readers()
        self._preview: Preview | None = None
        self._monitor = Monitor()
        due = ("events", "picture", "seen", "level", "health", "log")
        self._due = dict.fromkeys(due, 0.0)
        self._told: set[str] = set()  # problems that were told already
        self._begun: NoteAdded | None = None  # a note that is being typed
        self._safe_seq = -1  # that was told
        self.recording: Recording | None = None
        self.quitting = False
        # Carries out what a screen that is gone had sent before; told whether it is.
        self.take_rest: Callable[[], bool] = lambda: False

    def carry_out(self, command: AnyCommand) -> None:
        """Do what a command says; what goes wrong is published as a `Problem`."""
        try:
            self._carry_out(command)
        except Exception as error:
            fatal = isinstance(command, messages.Record)
            id, name = "start" if fatal else "command", type(command).__name__
            self.complain(unexpected(id, error, command=name), fatal)

    def turn(self) -> None:
        """Publish what is due, and end a recording that is over or cannot go on."""
        now = time.monotonic()
        for what, every_s, publish in (
            ("events", _EVENTS_EVERY_S, self._publish_events),
            ("picture", _PICTURE_EVERY_S, self._publish_picture),
            ("seen", _SEEN_EVERY_S, self._publish_seen),
            ("level", _LEVEL_EVERY_S, self._publish_levels),
            ("health", _HEALTH_EVERY_S, self._publish_health),
        ):
            wanted = self._is_watched or what not in _FOR_THE_EYE
            if wanted and self._is_due(what, now, every_s):
                self._show(publish)
        if self.recording is not None:
            self._look_after(self.recording, now)

    def end(self, reason: EndReason) -> None:
        """End the recording, if there is one, and seal it; what goes wrong is published."""
        recording, self.recording = self.recording, None
        if recording is None:
            return
        self._add_begun_note(recording)
        try:
            recording.finish(reason)
            self._show(self._publish_events)
            self._show(lambda: self._publish_safe(recording))
            self._seal(recording, reason)
        except Exception as error:
            self.complain(unexpected("end", error, target=recording.target), fatal=True)

    def _add_begun_note(self, recording: Recording) -> None:
        note, self._begun = self._begun, None
        if note is not None and note.text:
            self._show(lambda: recording.inbox.put(note))

    def close(self, reason: EndReason) -> None:
        """End whatever is going on."""
        self._show(lambda: self._watch(None, None))
        self.end(reason)

    def complain(self, error: AffettiError, fatal: bool = False) -> None:
        """Publish an error; fatal where a recording did not begin, or has ended because of it."""
        logbook.note(f"problem: {type(error).__name__}{', fatal' if fatal else ''}")
        self._publish(messages.Problem(error.message, error.hint, int(error.code), fatal))

    def _publish(self, message: Message) -> None:
        try:
            self._hand_out(message)
        except Exception as error:
            self._unheard = self._unheard or error

    def _show(self, publish: Callable[[], object]) -> None:
        """Do something that a recording does not depend on."""
        try:
            publish()
        except Exception as error:
            self._complain_once(unexpected("beside", error))

    def _look_after(self, recording: Recording, now: float) -> None:
        """End a recording that is over, or that cannot go on, and its neutral reference."""
        try:
            if self._unheard is not None and not self.take_rest():
                recording.fail(unexpected("unheard", self._unheard))
            if self._is_due("log", now, _HEALTH_EVERY_S):
                recording.look_for_log()
            recording.lead()
            recording.end_neutral_reference_when_due()
            reason = recording.over
        except Exception as error:
            recording.fail(error)
            reason = "failed"
        if reason is not None:
            self.end(reason)

    def _seal(self, recording: Recording, reason: EndReason) -> None:
        failure, target = recording.failure, recording.target
        if failure is not None:
            reason = recording.over or reason
            self.complain(failure, fatal=True)
            if not parts_of(target):
                recording.ahead.close()
                return  # which the failure says
        try:
            report = seal(target, self._sealing, recording.ahead)
        except Exception as error:
            problem = unexpected("sealing", error, name=target.name, target=target)
            self.complain(_after(failure, problem), fatal=True)
            return
        if report.recovered:
            hint = text("engine.check_names", path=report.path)
            self.complain(Damaged.told(report.statement, hint))
        logbook.note(f"a recording is sealed: {reason}")
        key = recording.key
        told = (key.key, key.block) if key is not None else (b"", b"")
        self._publish(messages.Sealed(str(report.path), reason, *told))

    def _carry_out(self, command: AnyCommand) -> None:
        match command:
            case messages.ListDevices():
                self._list_devices()
            case messages.Watch(camera=camera, microphone=microphone):
                self._watch(camera, microphone)
            case messages.PlayTone(speaker=speaker, volume=volume):
                self._play_tone(speaker, volume)
            case messages.Record(plan=plan):
                self._record(plan)
            case messages.Stop():
                self.end("stopped")
            case messages.Quit():
                self.quitting = True
                self.close("stopped")
            case _:
                self._steer(command)

    def _steer(self, command: AnyCommand) -> None:
        """Carry out a command that makes sense only while recording."""
        if self.recording is None:
            raise UsageError("engine.nothing_being_recorded")
        put, now_ns = self.recording.inbox.put, _sent_ns(command, self.recording.clock)
        event = _event_of(command, now_ns)
        if event is not None:
            put(event)
            return
        match command:
            case messages.Note(text=text, ago_s=ago_s):
                self._begun = None
                put(NoteAdded(t_ns=_moment_ns(now_ns, ago_s), text=lines(text)))
            case messages.NoteBegun(text=text, ago_s=ago_s):
                self._begun = NoteAdded(t_ns=_moment_ns(now_ns, ago_s), text=lines(text))
            case messages.ShowNeutralFace(seconds=seconds):
                self.recording.begin_neutral_reference(seconds)
            case messages.SteerTrack(action=action):
                self._steer_track(action)
            case messages.ProposeMusic(proposal=proposal):
                self._propose(self.recording, proposal)
            case _:
                raise NotImplementedError(type(command).__name__)

    def _propose(self, recording: Recording, proposal: messages.Proposal) -> None:
        """Keep what was proposed, and let the track that was chosen follow."""
        now_ns, number, player = recording.clock.now_ns(), None, recording.sources.player
        if proposal.chosen is not None:
            if player is None:
                raise UsageError("engine.no_playlist")
            number, track = player.add(proposal.chosen)
            chosen = {"chosen_sha256": track.sha256, "title": track.title}
            proposal = msgspec.structs.replace(proposal, **chosen)
        recording.inbox.put(proposed(proposal, now_ns, number))
        if player is not None and number is not None:
            player.play_next(number)

    def _steer_track(self, action: str) -> None:
        player = self.recording.sources.player if self.recording else None
        if player is None:
            raise UsageError("engine.no_playlist")
        if self.recording is not None and self.recording.conductor is not None:
            self._steer_protocol(self.recording, action)
            return
        actions: dict[str, Callable[[], None]] = {
            "next": player.next,
            "previous": player.previous,
            "pause": player.pause,
            "resume": player.resume,
            "stop": player.stop_track,
        }
        actions[action]()

    def _steer_protocol(self, recording: Recording, action: str) -> None:
        """Go on to the next step of a protocol; what it leads itself is not steered by hand."""
        player, conductor = recording.sources.player, recording.conductor
        playing = recording.state.track is not None
        if action == "next" and conductor is not None:
            conductor.go_on()
        elif action in ("pause", "resume") and playing and player is not None:
            (player.pause if action == "pause" else player.resume)()
        else:
            raise UsageError("engine.protocol_leads")

    def _list_devices(self) -> None:
        self._readers.load()  # who chooses devices will record
        from affetti.recorder.sources import devices, soundcards  # noqa: PLC0415  asks every camera

        if self.recording is None:
            soundcards.refresh()
        self._publish(
            messages.Devices(
                tuple(devices.cameras()),
                tuple(devices.microphones()),
                tuple(devices.speakers()),
                {camera.number: camera.name for camera in devices.known_cameras()},
            )
        )

    def _play_tone(self, speaker: str, volume: int) -> None:
        if self.recording is not None:
            raise UsageError("engine.recording_running_already")
        from affetti.recorder.sources.tone import play_tone  # noqa: PLC0415  PortAudio

        play_tone(speaker, min(max(volume, 0), 100))

    def _watch(self, camera: str | None, microphone: str | None) -> None:
        preview, self._preview = self._preview, None
        if preview is not None:
            preview.close()
            self._monitor.clear()
        if camera is not None or microphone is not None:
            self._preview = Preview(camera, microphone, self._settings, self._monitor.see)

    def _record(self, plan: messages.Plan) -> None:
        if self.recording is not None:
            raise UsageError("engine.recording_running_already")
        self._watch(None, None)
        self._monitor.clear()
        if plan.pipeline != self._readers.offer.pipeline.name:
            self._readers = Readers(offered(plan.pipeline, self._settings))
        self._begun, self._safe_seq = None, -1
        self.recording = Recording(plan, self._settings, self._readers, self._monitor.see)
        self._readers.load(self.recording.perceived)
        logbook.note("a recording begins")
        started = messages.Started(str(self.recording.target), self.recording.recipients)
        self._publish(started)
        self._tell_unsealed(self.recording.target)

    def _tell_unsealed(self, ours: Path) -> None:
        """Say that recordings which broke off lie beside the one that begins."""
        with suppress(AffettiError, OSError):
            left = [target for target in unsealed_in(ours.parent) if target != ours]
            left = [target for target in left if not any(map(is_running, parts_of(target)))]
            if left:
                names = listed([target.name for target in left])
                self.complain(Unsealed("engine.unsealed_lie", folder=ours.parent, names=names))

    def _is_due(self, what: str, now: float, every_s: float) -> bool:
        if now < self._due[what]:
            return False
        self._due[what] = now + every_s
        return True

    def _publish_events(self) -> None:
        events = self._monitor.take_events()
        if events:
            self._publish(messages.Recorded(events))
        if self.recording is not None:
            self._publish_safe(self.recording)

    def _publish_safe(self, recording: Recording) -> None:
        if recording.safe_seq > self._safe_seq:
            self._safe_seq = recording.safe_seq
            self._publish(messages.Safe(self._safe_seq))

    def _publish_picture(self) -> None:
        picture = self._monitor.picture()
        if picture is not None:
            self._publish(picture)

    def _publish_seen(self) -> None:
        """Say how well a face is seen, before a recording; in it the estimates do."""
        if self._preview is None or not self._readers.ready("face"):
            return
        from affetti.recorder.engine.sight import seen  # noqa: PLC0415  OpenCV

        jpeg = self._monitor.take_shown()
        found = seen(jpeg, self._readers) if jpeg else None
        if found is not None:
            self._publish(found)

    def _publish_levels(self) -> None:
        for level in self._monitor.levels():
            self._publish(level)

    def _publish_health(self) -> None:
        if self.recording is not None:
            self._publish(self._monitor.health(self.recording, self._readers))
            self._complain_once(self.recording.live.problem)
            self._complain_once(self.recording.problem)
        self._complain_once(self._readers.problem)
        self._complain_once(self._preview.problem if self._preview else None)

    def _complain_once(self, error: AffettiError | None) -> None:
        if error is not None and error.message not in self._told:
            self._told.add(error.message)
            self.complain(error)

    def _sealing(self, done: int, total: int) -> None:
        self._publish(messages.Sealing(done, total))


def _event_of(command: AnyCommand, now_ns: int) -> Event | None:
    """Return the event that a command is no more than; None for one that does more."""
    event: Event | None = None
    match command:
        case messages.Mark(label=label, number=number, edge=edge, ago_s=ago_s):
            t_ns = _moment_ns(now_ns, ago_s)
            event = MarkerAdded(t_ns=t_ns, label=one_label(label), number=number, edge=edge)
        case messages.ReportSelf():
            event = _self_report(command, now_ns)
        case messages.NameFace(face_id=face_id, role=role):
            event = FaceNamed(t_ns=now_ns, face_id=face_id, role=role)
        case messages.PauseRecording():
            event = RecordingPaused(t_ns=now_ns)
        case messages.ResumeRecording():
            event = RecordingResumed(t_ns=now_ns)
        case messages.ChangeConsent(consent=consent):
            event = ConsentChanged(t_ns=now_ns, consent=consent)
    return event


def _self_report(said: messages.ReportSelf, now_ns: int) -> SelfReported:
    return SelfReported(
        t_ns=now_ns,
        occasion=said.occasion,
        track=said.track,
        valence=said.valence,
        arousal=said.arousal,
        emotion=one_label(said.emotion) or None,
        scales={one_label(name): rating for name, rating in said.scales.items()},
        skipped=said.skipped,
        answered_s=said.answered_s,
    )


def _sent_ns(command: AnyCommand, clock: SessionClock) -> int:
    """Return the session time at which a command was sent; now, where it does not say."""
    now_ns, sent_ns = clock.now_ns(), getattr(command, "sent_ns", None)
    return now_ns if sent_ns is None else max(0, min(now_ns, sent_ns - clock.start_ns))


def _moment_ns(now_ns: int, ago_s: float) -> int:
    """Return the session time `ago_s` ago, at the earliest 0; now, where that is no past time."""
    if math.isnan(ago_s) or ago_s < 0:
        return now_ns
    return now_ns - round(min(ago_s * NS_PER_S, now_ns))


def _after(failure: AffettiError | None, problem: AffettiError) -> AffettiError:
    """Return a problem, and what went wrong before it, as one error."""
    if failure is None:
        return problem
    return type(failure).told(f"{failure.message} {problem.message}", problem.hint)


def serve(pipe: Connection, settings: Settings) -> None:
    """Run an engine at the end of a pipe, until the screen quits or is gone."""
    server = _Server(pipe, settings)
    signal.signal(signal.SIGTERM, server.on_terminate)
    server.run()


class _Server:
    def __init__(self, pipe: Connection, settings: Settings) -> None:
        self._pipe = pipe
        self._commands: queue.SimpleQueue[AnyCommand | AffettiError | None] = queue.SimpleQueue()
        self._terminated = False
        self._gone = False  # the screen, and all that it sent was carried out
        self._outbox = Outbox(pipe)
        self._engine = Engine(settings, self._outbox.put)
        self._engine.take_rest = self._take_rest

    def run(self) -> None:
        try:
            self._run()
        finally:
            self._engine.close("signal" if self._terminated else "ui_gone")
            self._outbox.close(lambda: self._terminated)

    def _run(self) -> None:
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        while not (self._engine.quitting or self._terminated):
            try:
                command = self._commands.get(timeout=_TURN_S)
            except queue.Empty:
                pass
            else:
                if command is None:
                    break
                if isinstance(command, AffettiError):
                    self._engine.complain(command)
                else:
                    self._engine.carry_out(command)
            self._engine.turn()
        if self._terminated:
            self._carry_out_rest()

    def _take_rest(self) -> bool:
        """Carry out what was sent by a screen that reads no more; return whether it is gone.

        Where writing to it fails first, what it sent last waits still: the end of a note.
        """
        self._carry_out_rest()
        return self._gone

    def _carry_out_rest(self) -> None:
        """Take in what the screen had sent by the time this process was told to end."""
        until_s = time.monotonic() + _REST_S
        while self._engine.recording is not None and time.monotonic() < until_s:
            try:
                command = self._commands.get(timeout=_TURN_S)
            except queue.Empty:
                if not self._has_more():
                    return
                continue
            if command is None:
                self._gone = True
                self._commands.put(None)  # for whoever waits for a command
                return
            if not isinstance(command, (AffettiError, *_BEFORE_IT)):
                self._engine.carry_out(command)

    def _has_more(self) -> bool:
        """Whether the pipe holds what the thread that listens has not read yet."""
        try:
            return self._pipe.poll()
        except (OSError, ValueError):
            return False

    def on_terminate(self, number: int, frame: object) -> None:
        self._terminated = True

    def _listen(self) -> None:
        try:
            while True:
                self._commands.put(self._understand(self._pipe.recv_bytes()))
        except Exception:  # nothing more is heard of the screen, for whatever reason
            self._commands.put(None)

    def _understand(self, data: bytes) -> AnyCommand | AffettiError:
        try:
            return messages.command_of(data)
        except Exception as error:
            return unexpected("no_command", error)
