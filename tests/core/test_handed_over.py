"""Files as somebody may hand them over: keys that are none, parts of another key, links."""

import os
from pathlib import Path

import pytest

from affetti.core.custody import keys
from affetti.core.custody.exports import noted
from affetti.core.errors import Damaged, FileMissing
from affetti.core.events.entries import new_id
from affetti.core.people import annotations
from affetti.core.people.annotations import Annotation
from affetti.core.recording import hdf5
from affetti.core.recording.names import part_path
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import LogSettings
from tests.campaign.session import held_key
from tests.conftest import SESSION_ID, small_session


def write_part(target: Path, key: keys.DataKey | None, number: int = 1) -> None:
    """Write a session into one part, and call it another."""
    aside = target.with_name("aside.h5")
    log = PartLog(aside, SESSION_ID, LogSettings(part_mib=8), key)
    for event, blob in small_session(1):
        log.append(event, blob)
    log.close()
    os.rename(part_path(aside, 1), part_path(target, number))


def test_a_wrapped_key_that_is_no_number_is_damage() -> None:
    key = held_key()
    (other,) = keys.block_of(key.block).recipients
    block = keys.Block((keys.Recipient(other.key, "zz"),), ())
    with pytest.raises(Damaged, match="block that holds its key"):
        keys.data_key(keys.packed(block), "a.h5")


@pytest.mark.parametrize("plain_first", [True, pytest.param(False, marks=pytest.mark.campaign)])
def test_a_part_of_another_key_is_of_another_recording(tmp_path: Path, plain_first: bool) -> None:
    key = held_key()
    write_part(tmp_path / "a.h5", None if plain_first else key)
    write_part(tmp_path / "a.h5", key if plain_first else None, 2)
    with pytest.raises(Damaged, match="belongs to another recording"):
        seal(tmp_path / "a.h5")
    part_path(tmp_path / "a.h5", 2).unlink()
    assert not seal(tmp_path / "a.h5").recovered


@pytest.mark.parametrize("encrypted", [False, True])
def test_extensions_of_hdf5_that_are_never_written_are_not_read(
    tmp_path: Path, encrypted: bool
) -> None:
    key = held_key() if encrypted else None
    path = tmp_path / "a.h5"
    with hdf5.created(path, key, libver="latest") as file:
        file.attrs["format"] = "affetti-session"
    with pytest.raises(Damaged, match="HDF5"):
        Session.open(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no file without an end")
def test_annotations_without_an_end_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.annotations.jsonl").symlink_to("/dev/zero")
    with pytest.raises(FileMissing):
        annotations.read(tmp_path / "a.annotations.jsonl")


def test_a_list_of_copies_that_is_nested_too_deep_is_damage(tmp_path: Path) -> None:
    (tmp_path / "a.exports.jsonl").write_bytes(b'{"a":' * 100_000)
    with pytest.raises(Damaged, match="list of copies"):
        noted(tmp_path / "a.h5")


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no links that could be refused")
@pytest.mark.parametrize("there", [True, False])
def test_annotations_are_not_written_through_a_link(tmp_path: Path, there: bool) -> None:
    other = tmp_path / "other.txt"
    if there:
        other.write_text("precious")
    (tmp_path / "a.annotations.jsonl").symlink_to(other)
    entry = Annotation(author_id=new_id(), session_id=SESSION_ID, seq=3, label="smile")
    with pytest.raises(OSError):  # noqa: PT011  each system says it in its own words
        annotations.append(tmp_path / "a.annotations.jsonl", entry)
    assert not other.exists() if not there else other.read_text() == "precious"
