"""What is sealed while it is recorded is, at its end, what it would have become at once."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from affetti.core.custody import keys
from affetti.core.custody.recovery import sealed
from affetti.core.custody.temporary import leftovers
from affetti.core.recording import ahead as ahead_module
from affetti.core.recording import writer
from affetti.core.recording.ahead import Ahead
from affetti.core.recording.names import part_path, parts_of
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from tests.campaign.calls import watched
from tests.campaign.session import NAME, SMALL, events, held_key, log
from tests.conftest import SESSION_ID


@contextmanager
def followed(
    target: Path, key: keys.DataKey | None = None, *, to_the_end: bool = True
) -> Iterator[Ahead]:
    """Write the session while it is sealed ahead, up to its last events or on; close the log."""
    target.parent.mkdir(exist_ok=True)
    parts = PartLog(target, SESSION_ID, SMALL, key)
    with closing(Ahead(target, 0.0)) as made:
        told = events()
        for i, (event, blob) in enumerate(told):
            if i == len(told) - 3:
                until(lambda: made.size > 0.8 * parts.bytes_written or not made._thread.is_alive())
                if not to_the_end:
                    made._stop()
            parts.append(event, blob)
        parts.close()
        yield made


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def told_by(target: Path) -> list[object]:
    with Session.open(target) as session:
        session.verify_digest()
        records = [(r.seq, r.kind, r.stream, r.scopes, r.json, r.blob) for r in session.records()]
        frames = [frame.jpeg for frame in session.frames]
        columns = {
            name: {column: values.tolist() for column, values in table.items()}
            for name, table in session.estimates.items()
            if len(table["t_ns"])
        }
        return [records[1:], columns, len(frames), frames]


@pytest.mark.parametrize("encrypted", [False, True])
def test_it_is_the_same_as_one_that_is_sealed_at_its_end(tmp_path: Path, encrypted: bool) -> None:
    key = held_key() if encrypted else None
    for name in "ab":
        (tmp_path / name).mkdir()
    target = log(tmp_path / "a", key)
    assert seal(target).whole
    with followed(tmp_path / "b" / NAME, key, to_the_end=False) as made:
        assert len(parts_of(made._target)) > 1
        draft = made._draft
        assert draft is not None
        taken = draft.size
        report = seal(tmp_path / "b" / NAME, ahead=made)
    assert not report.recovered
    assert draft.size > taken
    assert told_by(tmp_path / "b" / NAME) == told_by(target)
    assert os.listdir(tmp_path / "b") == [NAME]


def test_what_was_taken_in_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with followed(tmp_path / "r" / NAME) as made:
        whole, before = 0, made.size

        def told(done: int, of: int) -> None:
            nonlocal whole
            whole = of

        add = writer.SealedWriter.add_event
        added = []

        def counted(self: writer.SealedWriter, *told: object) -> None:
            added.append(told)
            add(self, *told)  # type: ignore[arg-type]

        monkeypatch.setattr(writer.SealedWriter, "add_event", counted)
        seal(tmp_path / "r" / NAME, told, made)
    assert len(added) < len(events()) / 2
    assert whole > before


def test_a_disk_with_little_room_ends_it_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead_module, "_LEAST_ROOM", 1 << 62)
    with followed(tmp_path / "r" / NAME) as made:
        assert not leftovers(tmp_path / "r" / NAME)
        assert not made.size
        assert not seal(tmp_path / "r" / NAME, ahead=made).recovered
    assert os.listdir(tmp_path / "r") == [NAME]


def test_a_part_that_was_reserved_and_is_given_back_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = []

    def with_one_that_goes(target: Path) -> list[Path]:
        turns.append(target)
        return [*parts_of(target), part_path(target, 9)]

    monkeypatch.setattr(ahead_module, "parts_of", with_one_that_goes)
    monkeypatch.setattr(ahead_module, "_EVERY_S", 0.01)
    with followed(tmp_path / "r" / NAME) as made:
        until(lambda: len(turns) > 3 or not made._thread.is_alive())
        assert made._thread.is_alive()
        assert made.size
        assert not seal(tmp_path / "r" / NAME, ahead=made).recovered
    assert os.listdir(tmp_path / "r") == [NAME]


def test_a_draft_that_cannot_be_written_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: object, *told: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(writer.SealedWriter, "add_event", fails)
        with followed(tmp_path / "r" / NAME) as made:
            until(lambda: not made._thread.is_alive())
            broken.undo()
            assert not leftovers(tmp_path / "r" / NAME)
            assert not seal(tmp_path / "r" / NAME, ahead=made).recovered
    assert os.listdir(tmp_path / "r") == [NAME]


def test_one_that_is_not_wanted_leaves_nothing(tmp_path: Path) -> None:
    with followed(tmp_path / "r" / NAME) as made:
        assert leftovers(tmp_path / "r" / NAME)
        made.close()
        assert not leftovers(tmp_path / "r" / NAME)
    assert not sealed(tmp_path / "r" / NAME).recovered  # type: ignore[union-attr]


def test_what_was_damaged_after_it_was_taken_in_is_whole(tmp_path: Path) -> None:
    """The draft has the record as it was; the part that has it no longer is kept."""
    with followed(tmp_path / "r" / NAME) as made:
        first = parts_of(tmp_path / "r" / NAME)[0]
        data = bytearray(first.read_bytes())
        at = data.index(b"marker 0")
        data[at : at + 8] = b"MARKER 0"
        first.write_bytes(data)
        assert not seal(tmp_path / "r" / NAME, ahead=made).recovered
    with Session.open(tmp_path / "r" / NAME) as session:
        assert session.markers[0].label == "marker 0"


def test_a_kill_leaves_a_draft_that_recovery_clears_away(tmp_path: Path) -> None:
    def record() -> None:
        (tmp_path / "r").mkdir()
        parts = PartLog(tmp_path / "r" / NAME, SESSION_ID, SMALL)
        made = Ahead(tmp_path / "r" / NAME, 0.0)
        for event, blob in events()[:-1]:
            parts.append(event, blob)
        until(lambda: made.size > 0)
        os._exit(9)

    if (pid := os.fork()) == 0:
        record()
    os.waitpid(pid, 0)
    assert leftovers(tmp_path / "r" / NAME)
    report = sealed(tmp_path / "r" / NAME)
    assert report is not None
    assert report.recovered
    assert os.listdir(tmp_path / "r") == [NAME]


def sealed_but_killed(target: Path, key: keys.DataKey | None, call: int) -> None:
    """Record in a child that is killed before the n-th changing call of sealing at the end."""
    if (pid := os.fork()) == 0:
        left = call

        def one(name: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        with followed(target, key) as made, watched(one):
            seal(target, ahead=made)
        os._exit(0)
    os.waitpid(pid, 0)


@pytest.mark.skipif(not hasattr(os, "pwrite"), reason="kills at calls that are not here")
@pytest.mark.parametrize("encrypted", [False, True])
def test_whenever_its_end_is_killed_all_of_it_is_there(tmp_path: Path, encrypted: bool) -> None:
    key = held_key() if encrypted else None
    for call in range(0, 24, 2):
        target = tmp_path / str(call) / NAME
        sealed_but_killed(target, key, call)
        if parts_of(target):
            report = sealed(target)
            assert report is not None
            assert not report.recovered
        with Session.open(target) as session:
            session.verify_digest()
            assert len(session) == len(events())
        left = set(os.listdir(target.parent)) - {NAME}
        assert all(name.endswith(".writing") for name in left), left
        assert all(os.path.samefile(target, target.parent / name) for name in left)
