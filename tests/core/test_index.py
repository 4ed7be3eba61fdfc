"""The index of a folder: a cache that changes nothing, wherever it comes from."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from affetti.core.custody.artefacts import ENCRYPTED_SUFFIX, INDEX
from affetti.core.custody.withdrawal import forget
from affetti.core.people.index import indexed, people, scanned
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from tests.conftest import small_session


@pytest.fixture
def recording(write_log: Callable[..., Path]) -> Path:
    return seal(write_log(small_session(2), name="sub-P07_ses-20261124T101500.h5")).path


def test_a_folder_is_listed_the_same_with_its_index_and_without(recording: Path) -> None:
    folder = recording.parent
    assert indexed(folder) == []
    found = scanned(folder)
    with Session.open(recording) as session:
        assert found[0].duration_s == session.duration_s
        assert found[0].wall_clock == session.started.wall_clock
    assert [one.person for one in found] == ["P07"]
    assert [person.code for person in people(found)] == ["P07"]
    assert indexed(folder) == found == scanned(folder)
    (folder / INDEX).unlink()
    assert scanned(folder) == found


def test_what_the_index_says_of_a_changed_file_is_not_believed(recording: Path) -> None:
    folder = recording.parent
    found = scanned(folder)
    with closing(sqlite3.connect(folder / INDEX)) as base:
        base.execute("UPDATE recordings SET person = 'P99'")
        base.commit()
    assert indexed(folder)[0].person == "P99"
    os.utime(recording, (1, 1))
    assert scanned(folder) == found == indexed(folder)


@pytest.mark.parametrize(
    "spoiled", [b"", b"no base at all", b"SQLite format 3\0" + bytes(200)], ids=len
)
def test_a_spoiled_index_is_made_anew(recording: Path, spoiled: bytes) -> None:
    folder = recording.parent
    found = scanned(folder)
    (folder / INDEX).write_bytes(spoiled)
    assert indexed(folder) == []
    assert scanned(folder) == found == indexed(folder)


ENDLESS = (
    "CREATE VIEW recordings AS WITH RECURSIVE more(path, size) AS (SELECT 'a', 1 "
    "UNION ALL SELECT path, size + 1 FROM more) SELECT path, size, 1 AS mtime_ns, 'P' AS person, "
    "'' AS wall_clock, 1.0 AS duration_s, 1 AS tracks FROM more LIMIT 3"  # without it: for ever
)
COMPUTED = (
    "CREATE TABLE recordings (path TEXT AS (printf('%s', size)), size INTEGER DEFAULT 1, "
    "mtime_ns INTEGER DEFAULT 1, person TEXT DEFAULT 'P', wall_clock TEXT DEFAULT '', "
    "duration_s REAL DEFAULT 1.0, tracks INTEGER DEFAULT 1)"
)


@pytest.mark.parametrize("made", [[ENDLESS], [COMPUTED, "INSERT INTO recordings DEFAULT VALUES"]])
def test_what_an_index_would_have_to_compute_is_not_asked_for(
    tmp_path: Path, made: list[str]
) -> None:
    with closing(sqlite3.connect(tmp_path / INDEX)) as base:
        for sql in (*made, "PRAGMA user_version = 1"):
            base.execute(sql)
        base.commit()
    assert indexed(tmp_path) == []


def test_an_index_names_nothing_outside_its_folder(recording: Path) -> None:
    folder = recording.parent
    scanned(folder)
    with closing(sqlite3.connect(folder / INDEX)) as base:
        base.execute("UPDATE recordings SET path = '../other.h5'")
        base.commit()
    assert indexed(folder) == []


def test_forgetting_leaves_no_index_that_tells_of_it(recording: Path) -> None:
    scanned(recording.parent)
    forget(recording)
    assert not (recording.parent / INDEX).exists()
    assert scanned(recording.parent) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="an administrator may write anywhere")
def test_a_folder_that_cannot_be_written_is_listed_all_the_same(recording: Path) -> None:
    recording.parent.chmod(0o500)
    try:
        assert [one.person for one in scanned(recording.parent)] == ["P07"]
    finally:
        recording.parent.chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
@pytest.mark.parametrize("suffix", ["", ENCRYPTED_SUFFIX])
@pytest.mark.parametrize("kind", ["pipe", "folder", "endless", "nowhere"])
def test_what_stands_in_the_place_of_an_index_keeps_nothing_from_being_listed(
    recording: Path, suffix: str, kind: str
) -> None:
    place = recording.parent / f"{INDEX}{suffix}"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("/dev/zero" if kind == "endless" else "nowhere")
    assert indexed(recording.parent) == []
    (found,) = scanned(recording.parent)
    assert found.person == "P07"
    assert place.is_dir() == (kind == "folder")


def test_an_index_that_another_program_has_locked_is_read_and_replaced(recording: Path) -> None:
    folder = recording.parent
    found = scanned(folder)
    with closing(sqlite3.connect(folder / INDEX, isolation_level=None)) as base:
        base.execute("BEGIN EXCLUSIVE")
        assert indexed(folder) == found
        os.utime(recording, (1, 1))
        assert scanned(folder) == found == indexed(folder)
