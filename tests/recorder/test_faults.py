"""A fault anywhere in the recorder ends the recording as it says, or lets it go on as it says."""

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import msgspec
import pytest
from msgspec.structs import replace

from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import FrameCaptured, NoteAdded, consent_to
from affetti.core.recording.names import parts_of
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.engine import messages
from affetti.recorder.engine.engine import Engine
from affetti.recorder.engine.headless import Headless
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.messages import Plan
from affetti.recorder.engine.process import start_engine
from tests.command_line import affetti
from tests.recorder.films import moving_film, tone
from tests.recorder.test_engine import until
from tests.recorder.test_recording import COMMAND, begin, until_on_disk

pytestmark = pytest.mark.one_of_each

SECONDS = 1.6  # long enough for what happens once a second to happen twice
GONE = "affetti.recorder.engine.recording:Recording.look_for_log"
PLAN = Plan(person="P1", consent=consent_to("video", "room"), speaker=None, unattended=True)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return replace(
        PLAN,
        camera=str(moving_film(tmp_path / "film.avi", seconds=SECONDS)),
        microphone=str(tone(tmp_path / "room.wav", SECONDS, 22_050, 1)),
        playlist=(str(tone(tmp_path / "track.wav", SECONDS)),),
        output=str(tmp_path / "out.h5"),
    )


def fail_after(monkeypatch: pytest.MonkeyPatch, place: str, calls: int) -> None:
    """Let a function of the product raise at every call after the first few."""
    module, _, path = place.partition(":")
    owner = importlib.import_module(module)
    *outer, name = path.split(".")
    for each in outer:
        owner = getattr(owner, each)
    true, count = getattr(owner, name), [0]

    def faulty(*arguments: object, **named: object) -> object:
        count[0] += 1
        if count[0] > calls:
            raise RuntimeError("injected")
        return true(*arguments, **named)

    monkeypatch.setattr(owner, name, faulty)


def record(
    plan: Plan, readers: Readers, *, is_watched: bool = True
) -> tuple[list[messages.Message], set[str]]:
    """Record in this process; return what was said, and the threads that were left over."""
    said: list[messages.Message] = []
    before = set(threading.enumerate())
    engine = Engine(Settings(), said.append, is_watched=is_watched)
    engine._readers = readers
    engine.carry_out(messages.Record(plan))
    deadline = time.monotonic() + 60
    while engine.recording is not None:
        assert time.monotonic() < deadline, "the recording did not end"
        engine.turn()
        time.sleep(0.02)
    # A decoder whose player died waits in a daemon thread, which holds up nothing.
    left = {t.name for t in set(threading.enumerate()) - before if not t.daemon}
    busy = {t.name for t in threading.enumerate()} & {"write log", "read faces", "video file"}
    return said, left | busy


def problems_of(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, readers: Readers, place: str, calls: int
) -> tuple[list[messages.Problem], list[messages.Message]]:
    """Record with a fault; return the problems that were told, and all else that was said."""
    with monkeypatch.context() as patch:
        fail_after(patch, place, calls)
        said, left = record(plan, readers)
    assert not left
    return [message for message in said if isinstance(message, messages.Problem)], said


ENDS = [
    ("affetti.core.recording.parts:PartLog.append", 30),
    ("affetti.core.recording.parts:_Part.sync", 1),
    ("affetti.core.state:SessionState.apply", 30),
    ("affetti.recorder.engine.live:LivePerception.push", 30),
    ("affetti.recorder.engine.inbox:Inbox.put", 30),
    ("affetti.recorder.engine.inbox:Inbox.get", 30),
    ("affetti.recorder.sources.camera:FrameLog.keep", 10),
    ("affetti.recorder.sources.stream:StreamLog.keep", 10),
    ("affetti.recorder.sources.microphone:_blocks", 0),
    ("affetti.recorder.sources.deck:Deck.pull", 10),
    ("affetti.recorder.engine.recording:Recording._sources_ended", 10),
    ("affetti.recorder.engine.recording:Recording.end_neutral_reference_when_due", 10),
    (GONE, 1),
]
GOES_ON = [
    ("affetti.recorder.engine.monitor:Monitor.see", 10),
    ("affetti.recorder.engine.monitor:Monitor.take_events", 3),
    ("affetti.recorder.engine.monitor:Monitor.picture", 2),
    ("affetti.recorder.engine.monitor:_level", 2),
    ("affetti.recorder.engine.monitor:drift_ppm", 0),
    ("affetti.models.perception:FacePerception._estimate", 5),
    ("affetti.models.perception:FusionPerception.push", 5),
    ("affetti.recorder.sources.deck:decode", 0),
]


@pytest.mark.parametrize(("place", "calls"), ENDS)
def test_a_fault_that_stops_the_recording_ends_it_as_it_says(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, readers: Readers, place: str, calls: int
) -> None:
    problems, said = problems_of(monkeypatch, plan, readers, place, calls)
    assert problems[0].fatal
    assert "injected" in problems[0].message
    problems = [problem for problem in problems if problem.fatal]
    target = Path(str(plan.output))
    sealed = [m for m in said if isinstance(m, messages.Sealed)]
    if not sealed:
        assert "affetti recover" in problems[-1].hint
        seal(target)
    assert not parts_of(target)
    with Session.open(target) as session:
        session.verify_digest()
        assert session.info.recovered or session.info.end_reason == "failed"


@pytest.mark.campaign
@pytest.mark.parametrize(("place", "calls"), GOES_ON)
def test_a_fault_beside_the_recording_lets_it_go_on(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, readers: Readers, place: str, calls: int
) -> None:
    problems, _ = problems_of(monkeypatch, plan, readers, place, calls)
    assert not any(problem.fatal for problem in problems)
    assert all("goes on" in problem.hint for problem in problems)
    with Session.open(str(plan.output)) as session:
        session.verify_digest()
        assert session.info.end_reason == "sources_ended"
        assert session.info.frames == 25 * SECONDS


def refused(path: object) -> NoReturn:
    raise OSError(5, "Input/output error")


def without_figures(path: object) -> SimpleNamespace:
    """Answer as a share does that does not tell how large it is."""
    return SimpleNamespace(total=0, used=0, free=0)


@pytest.mark.parametrize("answer", [refused, without_figures])
def test_a_disk_that_does_not_say_its_room_is_only_unknown(
    monkeypatch: pytest.MonkeyPatch,
    plan: Plan,
    readers: Readers,
    answer: Callable[[object], object],
) -> None:
    monkeypatch.setattr("shutil.disk_usage", answer)
    said, _ = record(plan, readers)
    assert {m.disk_s for m in said if isinstance(m, messages.Health)} == {None}
    assert not [m for m in said if isinstance(m, messages.Problem)]


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("place", "calls"),
    [
        ("affetti.recorder.sources.player:Player.start", 0),
        ("affetti.recorder.sources.film:Film.start", 0),
        ("affetti.recorder.engine.recording:SessionClock", 0),
        ("affetti.recorder.sources.film:Film.open", 0),
    ],
)
def test_a_fault_at_the_beginning_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, readers: Readers, place: str, calls: int
) -> None:
    (problem,), _ = problems_of(monkeypatch, plan, readers, place, calls)
    assert problem.fatal
    assert not parts_of(Path(str(plan.output)))
    said, _ = record(plan, readers)
    assert any(isinstance(message, messages.Sealed) for message in said)


def test_without_anyone_to_tell_the_recording_ends(
    monkeypatch: pytest.MonkeyPatch, plan: Plan
) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(signal, "signal", lambda number, handler: before.get(number))
    fail_after(monkeypatch, "affetti.recorder.engine.headless:Headless._hear", 5)
    with pytest.raises(AffettiError, match="what became of it is not known"):
        Headless(Settings(), lambda line: None).run(plan)
    with Session.open(str(plan.output)) as session:
        assert session.info.end_reason == "failed"


PROGRAM = """
import sys, pytest
from tests.recorder.test_faults import fail_after
from affetti.core.cli import main
place, calls = sys.argv.pop(1), int(sys.argv.pop(1))
fail_after(pytest.MonkeyPatch(), place, calls)
main()
"""


@pytest.mark.parametrize(
    "place",
    [
        "affetti.recorder.engine.engine:Engine.turn",
        "affetti.recorder.engine.engine:Engine._look_after",
        "affetti.core.recording.parts:PartLog.append",
        "affetti.recorder.engine.inbox:Inbox.get",
        "affetti.recorder.sources.camera:FrameLog.keep",
    ],
)
def test_the_process_ends_after_a_fault(tmp_path: Path, long_film: Path, place: str) -> None:
    target = tmp_path / "out.h5"
    command = [sys.executable, "-c", PROGRAM, place, "20", *COMMAND[3:]]
    done = subprocess.run(
        [*command, "--camera", str(long_film), "--output", str(target)],
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == ExitCode.INTERNAL, done.stderr
    assert "injected" in done.stderr
    assert "safe" not in done.stderr
    assert "Traceback" not in done.stderr
    if parts_of(target):
        seal(target)
    with Session.open(target) as session:
        session.verify_digest()


def rename(folder: Path) -> Path:
    return folder.rename(folder.with_name("elsewhere"))


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@pytest.mark.parametrize("remove", [rename, empty])
@pytest.mark.campaign
def test_a_folder_that_vanishes_ends_the_recording_with_a_clear_word(
    tmp_path: Path, long_film: Path, remove: Callable[[Path], Path | None]
) -> None:
    target = tmp_path / "folder" / "out.h5"
    process = begin(target, "--camera", long_film)
    until_on_disk(target, FrameCaptured, 11)
    moved = remove(target.parent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == ExitCode.FILE_MISSING, said
    assert "out.part*.h5" in said
    assert "safe" not in said
    if moved is not None:
        report = seal(moved / "out.h5")
        assert not report.recovered
        with Session.open(report.path) as session:
            assert session.info.end_reason == "failed"
            assert session.info.frames > 10


@pytest.mark.campaign
def test_a_screen_hears_of_a_vanished_folder(tmp_path: Path, long_film: Path) -> None:
    target = tmp_path / "folder" / "out.h5"
    engine = start_engine(Settings(sessions_folder=str(tmp_path)))
    plan = replace(PLAN, camera=str(long_film), output=str(target))
    messages.send(engine.pipe, messages.Record(plan))
    until(engine, messages.Started)
    rename(target.parent)
    problem = until(engine, messages.Problem)[-1]
    assert isinstance(problem, messages.Problem)
    assert problem.fatal
    messages.send(engine.pipe, messages.Quit())
    assert engine.join(60)
    engine.close()


@pytest.mark.parametrize(
    "nonsense",
    [b"", b"\xff", msgspec.msgpack.encode({"type": "Fly"}),
     msgspec.msgpack.encode({"type": "Mark", "label": 7}),
     msgspec.msgpack.encode({"type": "Mark", "label": "x"})[:-2]],
)  # fmt: skip
@pytest.mark.campaign
def test_a_command_that_is_none_is_answered_and_ends_nothing(
    tmp_path: Path, long_film: Path, nonsense: bytes
) -> None:
    engine = start_engine(Settings(sessions_folder=str(tmp_path)))
    messages.send(engine.pipe, messages.Record(replace(PLAN, camera=str(long_film))))
    until(engine, messages.Started)
    engine.pipe.send_bytes(nonsense)
    problem = until(engine, messages.Problem)[-1]
    assert isinstance(problem, messages.Problem)
    assert not problem.fatal
    messages.send(engine.pipe, messages.Mark("after"))
    messages.send(engine.pipe, messages.Stop())
    sealed = until(engine, messages.Sealed)[-1]
    assert isinstance(sealed, messages.Sealed)
    assert sealed.reason == "stopped"
    engine.close()
    assert engine.join(60)


@pytest.mark.parametrize("option", ["--duration", "--neutral"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e300"])
def test_numbers_that_are_no_time_are_refused(
    tmp_path: Path, plan: Plan, option: str, value: str
) -> None:
    target = tmp_path / "out.h5"
    done = affetti("record", "--headless", "--camera", plan.camera, "--output", target,
                   option, value)  # fmt: skip
    assert done.returncode == ExitCode.USAGE
    assert not parts_of(target)


@pytest.mark.parametrize("field", ["duration_s", "neutral_s"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 0.0, 1e300])
def test_a_plan_with_such_numbers_is_refused(
    plan: Plan, readers: Readers, field: str, value: float
) -> None:
    said, left = record(replace(plan, **{field: value}), readers)
    assert not left
    (problem,) = [m for m in said if isinstance(m, messages.Problem)]
    assert problem.fatal
    assert problem.code == ExitCode.USAGE
    assert not parts_of(Path(str(plan.output)))


def test_where_nobody_looks_nothing_is_made_to_be_shown(plan: Plan, readers: Readers) -> None:
    said, _ = record(replace(plan, duration_s=2.0), readers, is_watched=False)
    kinds = {type(message) for message in said}
    assert {messages.Recorded, messages.Health, messages.Sealed} <= kinds
    assert not kinds & {messages.Picture, messages.Seen, messages.Level}


def test_such_numbers_in_commands_lose_no_note(plan: Plan, readers: Readers) -> None:
    said: list[messages.Message] = []
    engine = Engine(Settings(), said.append)
    engine._readers = readers
    engine.carry_out(messages.Record(plan))
    for number in (float("nan"), float("inf"), -1e300, 1e300, -5.0):
        engine.carry_out(messages.Note("kept", number))
        engine.carry_out(messages.ShowNeutralFace(number))
    engine.end("stopped")
    assert len([m for m in said if isinstance(m, messages.Problem)]) == 5
    with Session.open(str(plan.output)) as session:
        notes = [event for event in session.events if isinstance(event, NoteAdded)]
        assert len(notes) == 5
        assert all(0 <= note.t_ns <= session.duration_s * 1e9 for note in notes)


@pytest.mark.campaign
def test_a_signal_ends_a_recording_whose_screen_is_broken(tmp_path: Path, long_film: Path) -> None:
    target = tmp_path / "out.h5"
    command = [
        sys.executable,
        "-c",
        PROGRAM,
        "affetti.recorder.engine.monitor:Monitor.health",
        "1",
    ]
    process = subprocess.Popen(
        [*command, *COMMAND[3:], "--camera", str(long_film), "--output", str(target)],
        stderr=subprocess.PIPE, text=True, env={**os.environ},
    )  # fmt: skip
    while not parts_of(target):
        time.sleep(0.05)
    until_on_disk(target, FrameCaptured)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    with Session.open(target) as session:
        assert session.info.end_reason == "signal"
