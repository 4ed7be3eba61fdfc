"""An encrypted file reads as what was written into it, and tells what is wrong with it."""

import os
import random
from pathlib import Path

import h5py
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import boxes, keys
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.recording import box
from affetti.core.recording.box import PAGE_BYTES, BoxReader, BoxWriter, is_box


@pytest.fixture
def key() -> keys.DataKey:
    keys.drop()
    made = keys.new_key([X25519PrivateKey.generate().public_key().public_bytes_raw()])
    keys.hold(made)
    return made


@pytest.mark.parametrize("size", [0, 1, PAGE_BYTES - 1, PAGE_BYTES, 3 * PAGE_BYTES + 17])
def test_what_is_written_is_read(tmp_path: Path, key: keys.DataKey, size: int) -> None:
    data = os.urandom(size)
    place = boxes.write(tmp_path / "a.txt", data, key)
    assert place.name == "a.txt.vault"
    assert is_box(place)
    assert boxes.read(tmp_path / "a.txt") == data
    assert size < 32 or data[:32] not in place.read_bytes()


def test_any_order_of_writing_and_reading_gives_the_same(
    tmp_path: Path, key: keys.DataKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As HDF5 does: pages come again, and more of them than are kept in memory."""
    monkeypatch.setattr(box, "_PAGES_IN_MEMORY", 3)
    chance, plain = random.Random(1), bytearray(20 * PAGE_BYTES)
    with BoxWriter(tmp_path / "a", key) as new:
        for _ in range(200):
            at, data = chance.randrange(19 * PAGE_BYTES), chance.randbytes(chance.randrange(90_000))
            data = data[: len(plain) - at]
            plain[at : at + len(data)] = data
            new.seek(at)
            new.write(data)
            look = chance.randrange(19 * PAGE_BYTES)
            new.seek(look)
            assert new.read(1000) == plain[look : look + 1000]
        end = max(new.seek(0, os.SEEK_END), 1)
        used = list(new._numbers.values())
    assert len(set(used)) == len(used)
    with BoxReader(tmp_path / "a") as old:
        assert len(old) == end
        assert old.read() == plain[:end]
        for _ in range(50):
            at = chance.randrange(end)
            old.seek(at)
            assert old.read(min(70_000, end - at)) == plain[at : min(at + 70_000, end)]


def test_hdf5_lies_in_it_as_in_a_file(tmp_path: Path, key: keys.DataKey) -> None:
    numbers = np.arange(100_000)
    with BoxWriter(tmp_path / "a.h5", key) as new, h5py.File(new, "w") as file:
        file.create_dataset("numbers", data=numbers, chunks=(1000,), compression="gzip")
    with BoxReader(tmp_path / "a.h5") as old, h5py.File(old, "r") as file:
        assert (file["numbers"][50_000:50_010] == numbers[50_000:50_010]).all()


@pytest.mark.parametrize("at", [9, 60, -10, "page", "order", "end", "block"])
def test_what_was_altered_or_cut_off_is_told(
    tmp_path: Path, key: keys.DataKey, at: int | str
) -> None:
    place = boxes.write(tmp_path / "a", os.urandom(3 * PAGE_BYTES), key)
    data = bytearray(place.read_bytes())
    begin, page = 16 + len(key.block), PAGE_BYTES + 16
    match at:
        case "order":
            first = data[begin : begin + page]
            data[begin : begin + page] = data[begin + page : begin + 2 * page]
            data[begin + page : begin + 2 * page] = first
        case "end":
            del data[-1:]
        case "page":
            data[begin + 100_000] ^= 1
        case "block":
            data[16:24] = bytes(8)
        case int():
            data[at] ^= 1
    place.write_bytes(data)
    with pytest.raises(AffettiError) as caught:
        boxes.read(tmp_path / "a")
    assert caught.value.code == ExitCode.DAMAGED
    assert str(place.name) in caught.value.message


def test_a_writing_that_breaks_off_leaves_no_file_that_opens(
    tmp_path: Path, key: keys.DataKey
) -> None:
    with pytest.raises(RuntimeError), BoxWriter(tmp_path / "a", key) as new:
        new.write(os.urandom(PAGE_BYTES * 2))
        raise RuntimeError
    with pytest.raises(AffettiError) as caught:
        BoxReader(tmp_path / "a")
    assert caught.value.code == ExitCode.DAMAGED


def test_a_file_that_is_replaced_is_the_old_or_the_new(tmp_path: Path, key: keys.DataKey) -> None:
    boxes.replace(tmp_path / "a", b"one", key)
    boxes.replace(tmp_path / "a", b"two", key)
    assert boxes.read(tmp_path / "a") == b"two"
    assert [path.name for path in tmp_path.glob("*a*")] == ["a.vault"]
