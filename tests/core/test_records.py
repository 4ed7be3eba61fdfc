"""A record says what it is by itself, and nothing that was altered in it goes unseen."""

import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import h5py
import pytest

from affetti.core.recording.names import part_path
from affetti.core.recording.parts import INDEX_ROW
from affetti.core.recording.records import (
    HEADER_BYTES,
    MAGIC,
    Record,
    pack,
    read_record,
    record_of,
)
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.recording.survey import survey
from tests.conftest import SESSION_ID, small_session

pytestmark = pytest.mark.one_of_each

WriteLog = Callable[..., Path]
PAGE = 4096
RECORD = record_of(7, 123_456_789, "MarkerAdded", b'{"kind":"MarkerAdded"}', b"blob")


def unpack(data: bytes) -> tuple[str, Record] | None:
    place = read_record(BytesIO(data), 0, len(data))
    return None if place is None else (place.session_id, place.record)


def test_a_record_reads_back_as_it_was_packed() -> None:
    assert unpack(pack(SESSION_ID, RECORD)) == (SESSION_ID, RECORD)


def test_no_altered_bit_of_a_record_goes_unseen() -> None:
    whole = pack(SESSION_ID, RECORD)
    for bit in range(8 * len(whole)):
        altered = bytearray(whole)
        altered[bit // 8] ^= 1 << bit % 8
        assert unpack(bytes(altered)) is None
    for length in range(len(whole)):
        assert unpack(whole[:length]) is None


def index_of(part: Path) -> int:
    with h5py.File(part) as file:
        return int(file["index"].id.get_offset())


@pytest.mark.parametrize("block", range(5))
def test_rows_torn_at_the_border_of_a_page_cost_no_record(write_log: WriteLog, block: int) -> None:
    """A power failure keeps one of the two pages that a row, or several, lie on."""
    items = small_session(1)
    target = write_log(items)
    part = part_path(target, 1)
    whole, index_at = part.read_bytes(), index_of(part)
    for seed in range(20 * block, 20 * block + 20):
        chance = random.Random(seed)
        border = chance.randrange(1, INDEX_ROW.itemsize * len(items))
        data = bytearray(whole)
        if chance.random() < 0.5:
            data[index_at + border : index_at + PAGE] = bytes(PAGE - border)
        else:
            data[index_at : index_at + border] = bytes(border)
        with part.open("r+b") as file:
            file.seek(index_at)
            file.write(data[index_at : index_at + PAGE])
        found = survey(target)
        assert found.rows["seq"].tolist() == list(range(len(items)))
        assert [record.blob for record in found.records()] == [blob for _, blob in items]
    assert not seal(target).recovered


@pytest.mark.parametrize("field", list(INDEX_ROW.names or ()))
def test_an_altered_row_neither_loses_nor_reorders_a_record(
    write_log: WriteLog, field: str
) -> None:
    items = small_session()
    target = write_log(items)
    part = part_path(target, 1)
    with h5py.File(part, "r+") as file:
        rows = file["index"][:10]
        rows[field][5] = b"x" if field == "kind" else 3
        file["index"][:10] = rows
    seal(target)
    with Session.open(target) as session:
        assert [event.seq for event in session.events] == list(range(len(items)))
        assert [type(event) for event in session.events] == [type(event) for event, _ in items]


def test_a_log_is_read_without_its_index(write_log: WriteLog) -> None:
    items = small_session()
    target = write_log(items)
    with h5py.File(part_path(target, 1), "r+") as file:
        del file["index"]
    assert len(survey(target).rows) == len(items)


def test_a_log_is_read_without_anything_that_hdf5_says(write_log: WriteLog) -> None:
    items = small_session()
    target = write_log(items)
    with part_path(target, 1).open("r+b") as file:
        file.write(bytes(512))
    found = survey(target)
    assert found.session_id == SESSION_ID
    assert found.whole == (False,)
    assert [record.blob for record in found.records()] == [blob for _, blob in items]


@pytest.mark.campaign
def test_a_torn_header_costs_its_record_alone(write_log: WriteLog) -> None:
    target = write_log()
    part = part_path(target, 1)
    whole = survey(target)
    for seed in range(20):
        chance = random.Random(seed)
        lost = chance.randrange(len(whole.rows))
        at = whole.log_offsets[0] + int(whole.rows["offset"][lost])
        data = bytearray(part.read_bytes())
        kept = bytes(data)
        start = chance.randrange(HEADER_BYTES)
        data[at + start] ^= 0x5A
        part.write_bytes(data)
        found = survey(target)
        assert sorted(set(whole.rows["seq"]) - set(found.rows["seq"])) == [lost]
        assert found.damaged_records == 1
        assert found.whole == (False,)
        part.write_bytes(kept)


def test_a_row_tells_of_a_record_that_the_log_lost(write_log: WriteLog) -> None:
    target = write_log()
    whole = survey(target)
    last = whole.rows[-1]
    with part_path(target, 1).open("r+b") as file:
        file.seek(whole.log_offsets[0] + int(last["offset"]))
        file.write(bytes(int(last["length"])))
    found = survey(target)
    assert found.damaged_records == 1
    assert found.whole == (False,)
    assert found.named["kind"][-1] == b"SessionEnded"


def test_the_bytes_of_a_record_inside_a_blob_are_no_record(write_log: WriteLog) -> None:
    items = small_session(1)
    frame = items[1][0]
    items[1] = (frame, MAGIC + pack(SESSION_ID, RECORD) + MAGIC)
    found = survey(write_log(items))
    assert found.whole == (True,)
    assert found.rows["seq"].tolist() == list(range(len(items)))
