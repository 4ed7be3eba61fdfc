"""The engine without a screen: for scripts, for tests, and for a machine in a corner."""

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from affetti.core import system, terminal
from affetti.core.custody import vault
from affetti.core.emotions import ranked
from affetti.core.errors import AffettiError, of_code
from affetti.core.events import (
    EmotionFused,
    Event,
    MarkerAdded,
    SelfReported,
    SessionEnded,
    StepBegun,
    TrackEnded,
)
from affetti.core.labels import label as one_label
from affetti.core.language import clock_text, counted, percent, size_text, text, word
from affetti.core.paths import typed
from affetti.core.people.counting import Counting, Press
from affetti.core.people.playlist import PlaylistEntry
from affetti.core.protocol_words import step_words
from affetti.core.recording.losses import film_statement, track_statement
from affetti.core.settings import Settings, load
from affetti.core.state import SessionState
from affetti.recorder.engine import messages
from affetti.recorder.engine.answers import answer_of, example_of, is_answer
from affetti.recorder.engine.engine import Engine
from affetti.recorder.engine.messages import Message, Plan

Say = Callable[[str], None]

_TURN_S: Final = 0.02
_LARGE_BYTES: Final = 1_000_000_000  # of music: its digests take seconds, before there is a word
_MAX_LINE: Final = 10_000  # signs of one marker


class Headless:
    """Records one plan and tells about it in lines of text.

    Parameters
    ----------
    settings
        How to record.
    say
        Takes a line that stays.
    status
        Takes a line that the next one replaces; None where there is no terminal.
    """

    def __init__(self, settings: Settings, say: Say, status: Say | None = None) -> None:
        self._say = say
        self._status = status
        self._state = SessionState()
        self._safe_seq = -1
        self._unsafe: deque[tuple[int, str]] = deque()  # `seq`, and what to say once it is safe
        self._asks = False  # whether somebody may answer
        self._error: AffettiError | None = None
        self._sealed: Path | None = None
        self._signalled = threading.Event()
        self._counting = Counting(())
        self._engine = Engine(settings, self._hear, is_watched=False)

    def run(self, plan: Plan, markers: bool = False) -> Path:
        """Record until the plan's end, an interrupt or a failure; return the sealed file.

        Parameters
        ----------
        plan
            What to record.
        markers
            Whether each line of standard input becomes a marker, or a self-report: see
            `recorder.engine.answers`.

        Raises
        ------
        AffettiError
            It could not begin, or not go on to its end, or could not be sealed.
        """
        with _heeded(self._signalled):
            return self._run(plan, markers)

    @property
    def signalled(self) -> bool:
        """Whether a signal ended it."""
        return self._signalled.is_set()

    def _run(self, plan: Plan, markers: bool) -> Path:
        self._counting = Counting(plan.counted)
        size = sum(map(_size_of, _played(plan)))
        if size >= _LARGE_BYTES:
            self._say(text("headless.reading_music", size=size_text(size)))
        self._engine.carry_out(messages.Record(plan))
        try:
            if plan.lsl_out and self._engine.recording is not None:
                self._say(text("headless.lsl_out"))
            if markers and self._engine.recording is not None:
                self._expect_lines()
            while self._engine.recording is not None:
                self._engine.turn()
                if self._signalled.wait(_TURN_S):
                    self._engine.end("signal")
        finally:
            self._engine.close("failed")
        if self._error is not None:
            raise self._with_outcome(self._error)
        if self._sealed is None:
            raise AffettiError("headless.recording_ended_became_not")
        return self._sealed

    def _with_outcome(self, error: AffettiError) -> AffettiError:
        if self._sealed is None:
            return error
        sealed = text("headless.sealed_until", path=self._sealed)
        return type(error).told(error.message, f"{error.hint} {sealed}".strip())

    def _expect_lines(self) -> None:
        """Read standard input from here on; until its end somebody may answer."""
        if "stdin" in terminal.missing:
            self._say(text("headless.no_input"))
            return
        self._expect_answers(True)
        threading.Thread(target=self._read_lines, name="read markers", daemon=True).start()

    def _expect_answers(self, expected: bool) -> None:
        self._asks, recording = expected, self._engine.recording
        if recording is not None:
            recording.expect_answers(expected)

    def _read_lines(self) -> None:
        try:
            # Bytes that are no UTF-8 are shown as U+FFFD; a line without an end is cut in pieces.
            with open(0, encoding="utf-8-sig", errors="replace", closefd=False) as lines:
                while line := lines.readline(_MAX_LINE):
                    if not (self._answer(line) or self._mark(one_label(line).strip())):
                        return
        except Exception as error:
            self._say(text("headless.no_markers", error=error))
        finally:
            self._expect_answers(False)

    def _answer(self, line: str) -> bool:
        """Add a self-report; False where the line is none, and is a marker."""
        recording = self._engine.recording
        if recording is None or not is_answer(line):
            return False
        try:
            recording.inbox.put(answer_of(line, recording.state, recording.clock.now_ns()))
        except ValueError as error:
            self._say(text("headless.no_answer", error=error))
            return False
        return True

    def _mark(self, label: str) -> bool:
        """Add a marker, unless it says nothing; False when the recording is over.

        What is counted by that key or word is; of a stretch one line is the start, the next the
        end.
        """
        recording = self._engine.recording
        if recording is not None and label:
            now_ns, counted = recording.clock.now_ns(), self._counting.of_line(label)
            press = Press(label)
            if counted is not None:
                press = self._counting.press(counted, sum(self._counting.times.values()) + 1)
            marker = MarkerAdded(
                t_ns=now_ns, label=press.label, number=press.number, edge=press.edge
            )
            recording.inbox.put(marker)
        return recording is not None

    def _hear(self, message: Message) -> None:
        match message:
            case messages.Started(path=path, recipients=recipients):
                self._say(_begun(path, recipients))
            case messages.Recorded(events=events):
                for event in events:
                    self._hear_event(event)
                self._tell_safe()
            case messages.Safe(seq=seq):
                self._safe_seq = seq
                self._tell_safe()
            case messages.Health():
                self._tell_health(message)
            case messages.Problem(message=said, hint=hint, code=code, fatal=fatal):
                self._hear_problem(of_code(code).told(said, hint), fatal)
            case messages.Sealing(done=done, total=total):
                if self._status is not None:
                    self._status(text("headless.sealing", percent=100 * done // max(total, 1)))
            case messages.Sealed(path=path):
                self._sealed = Path(path)

    def _hear_event(self, event: Event) -> None:
        self._state.apply(event)
        match event:
            case MarkerAdded():
                words = text("headless.marked", number=len(self._state.markers))
                self._unsafe.append((event.seq, words))
            case SelfReported():
                words = text("headless.answered", number=len(self._state.self_reports))
                self._unsafe.append((event.seq, words))
            case StepBegun(step_kind=kind):
                self._say(step_words(self._state))
                if kind == "self_report" and self._asks:
                    self._say(self._question())
            case SessionEnded(film_losses=films):
                for film in films:
                    self._say(film_statement(film))
            case TrackEnded(loss=loss) if loss is not None:
                self._say(track_statement(self._state.tracks[-1].file_name, loss))

    def _question(self) -> str:
        course = self._state.protocol
        scales = course.started.scales if course is not None else ()
        return text("headless.asked", line=example_of(scales))

    def _hear_problem(self, error: AffettiError, fatal: bool) -> None:
        if fatal:
            self._error = error  # a later one names those before it
        else:
            self._say(f"{error.message} {error.hint}")

    def _tell_safe(self) -> None:
        while self._unsafe and self._unsafe[0][0] <= self._safe_seq:
            self._say(self._unsafe.popleft()[1])

    def _tell_health(self, health: messages.Health) -> None:
        if self._status is None:
            return
        state = self._state
        parts = [clock_text(state.duration_s), text("health.rate", rate=health.frames_per_s)]
        if health.frames_dropped:
            parts.append(counted("health.dropped", health.frames_dropped))
        if health.audio_gaps:
            parts.append(counted("headless.gaps", health.audio_gaps))
        if health.unsafe_s > messages.SLOW_DISK_S:
            parts.append(text("health.unsafe", seconds=health.unsafe_s))
        ready = health.models_ready
        parts.append(_expressed(state.fused) if ready else text("headless.loading"))
        self._status("  ".join(parts))


def _played(plan: Plan) -> tuple[PlaylistEntry | str, ...]:
    return plan.playlist if plan.protocol is None else plan.protocol.tracks


def _size_of(track: PlaylistEntry | str) -> int:
    """Return how large the file of a track is; 0 where that cannot be told."""
    try:
        return typed(track if isinstance(track, str) else track.path).stat().st_size
    except (AffettiError, OSError, ValueError):
        return 0  # whoever opens it says why


@contextmanager
def _heeded(signalled: threading.Event) -> Iterator[None]:
    """Let signals that end a process only set an event."""
    before = {}
    for number in system.ENDINGS:
        # Whoever started us with `nohup` wants the recording to outlive the terminal.
        if number != system.HANG_UP or signal.getsignal(number) != signal.SIG_IGN:
            before[number] = signal.signal(number, lambda number, frame: signalled.set())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _begun(path: str, recipients: tuple[str, ...]) -> str:
    said = [text("headless.recording", path=path)]
    if recipients:
        said.append(text("vault.is", words=vault.words(recipients)))
    return " ".join(said)


def record(plan: Plan, settings: Settings | None = None, say: Say = lambda line: None) -> Path:
    """Record one plan without a screen, until its end or Ctrl+C; return the sealed file.

    To be called in the main thread: it listens to signals.

    Parameters
    ----------
    plan
        What to record; give it a `duration_s` or let its files end.
    settings
        How to record; by default those of the settings file.
    say
        Takes each line that `affetti record --headless` would print.

    Raises
    ------
    AffettiError
        It could not begin, or not go on to its end, or could not be sealed.
    """
    return Headless(settings or load(), say).run(msgspec.structs.replace(plan, unattended=True))


def _expressed(fused: EmotionFused | None) -> str:
    if fused is None or fused.emotions is None:
        return text("headless.nothing_yet")
    strongest = word("emotion", ranked(fused.emotions)[0])
    return text("figure.share", emotion=strongest, share=percent(max(fused.emotions)))
