"""FORMAT.md is true: a reader that was written from it alone reads what Affetti reads."""

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import msgspec
import numpy as np
import pytest

from affetti.core.custody.withdrawal import withdraw
from affetti.core.events import KINDS, Event, decode
from affetti.core.recording.names import parts_of
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.recording.survey import survey
from affetti.core.streams import Stream
from tests import second_reader
from tests.core.every_kind import every_kind
from tests.second_reader import Recording, records_of_part

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "FORMAT.md").read_text(encoding="utf-8")


def assert_read_alike(path: Path) -> None:
    ours = Recording(path)
    records, tables = [tuple(record) for record in ours.records()], ours.estimates()
    assert ours.contents_sha256() == ours.file.attrs["contents_sha256"].decode()
    log_sha256 = ours.log_sha256()
    stored = {name: ours.file[name][:] for name in named_in(ours.file)}
    ours.file.close()
    with Session.open(path) as session:
        session.verify_digest()
        assert records == [
            (r.seq, r.t_ns, r.kind, r.stream, r.scopes, r.json, r.blob) for r in session.records()
        ]
        assert [decode(record[5]) for record in records] == session.events
        assert log_sha256 == session.log_sha256
        for name, frames in session.video.items():
            seqs = stored[f"video/{name}/index"]["seq"].tolist()
            assert [ours.blobs[seq] for seq in seqs] == [frame.jpeg for frame in frames]
        for name in session.state.audio:
            sound = stored.get(f"audio/{name}/samples", [])
            assert np.array_equal(sound, session.audio(name).read()) or not len(sound)
        for name, signal in session.signals.items():
            if len(signal):
                np.testing.assert_array_equal(stored[f"signals/{name}/t_s"], signal.t_s)
        assert set(tables) == set(session.estimates)
        for modality, table in tables.items():
            for column, values in session.estimates[modality].items():
                told = [v.decode() if isinstance(v, bytes) else v for v in table[column]]
                np.testing.assert_array_equal(told, values.tolist())


def named_in(file: h5py.File) -> list[str]:
    """Return the names of all data sets of a file."""
    found: list[str] = []
    file.visititems(lambda name, item: found.append(name) if hasattr(item, "shape") else None)
    return found


@pytest.mark.campaign
def test_the_second_reader_reads_the_bundled_recording(sample_session: Path) -> None:
    assert_read_alike(sample_session)


def test_the_second_reader_reads_every_kind_of_event(write_log: Callable[..., Path]) -> None:
    target = write_log(list(every_kind()))
    stored = list(survey(target).records())
    found = [record for part in parts_of(target) for record in records_of_part(part)]
    assert [(r.seq, r.kind, r.stream, r.scopes, r.json, r.blob) for r in found] == [
        (r.seq, r.kind, r.stream, r.scopes, r.json, r.blob) for r in stored
    ]
    assert {record.kind for record in found} >= set(KINDS)
    assert_read_alike(seal(target).path)


@pytest.mark.campaign
def test_it_verifies_what_is_left_of_a_recording(write_log: Callable[..., Path]) -> None:
    path = seal(write_log(list(every_kind()))).path
    with Session.open(path) as session:
        before = session.log_sha256
    withdraw(path, ["video"])
    assert_read_alike(path)
    read = Recording(path)
    last = [record.event for record in read.records()][-1]
    assert last["kind"] == "Withdrawn"
    assert read.log_sha256(before=last["seq"]) == last["log_sha256"] == before
    read.file.close()


def test_it_notices_an_altered_record(write_log: Callable[..., Path]) -> None:
    path = seal(write_log()).path
    data = bytearray(path.read_bytes())
    at = data.index(b"marker 2")
    data[at : at + 8] = b"marker 7"
    path.write_bytes(data)
    with pytest.raises(AssertionError):
        Recording(path).log_sha256()


def test_it_knows_nothing_of_ours() -> None:
    tree = ast.parse(Path(second_reader.__file__).read_text(encoding="utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
             for alias in node.names}  # fmt: skip
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in named} <= {"h5py", *sys.stdlib_module_names}


def fields(kind: type[Event]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(kind)}


def test_the_page_names_every_kind_and_every_field() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    lacking = []
    for name, kind in KINDS.items():
        row = next((r for r in rows if f"`{name}`" in r.split("|")[1]), "")
        missing = {f for f in fields(kind) if not re.search(rf"\b{f}\b", row)} - {"seq", "t_ns"}
        if not row or (missing and "the same" not in row):
            lacking.append((name, missing))
    assert not lacking, f"FORMAT.md lacks {lacking}"
    for stream_field in msgspec.structs.fields(Stream):
        assert f"`{stream_field.name}`" in PAGE
