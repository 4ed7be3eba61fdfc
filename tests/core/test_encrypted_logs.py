"""A log that is encrypted while it is written: nothing of it can be read, and nothing is lost."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import keys
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.recording.names import part_path, parts_of
from affetti.core.recording.parts import INDEX_ROW, PartLog
from affetti.core.recording.records import ENCRYPTED, MAGIC
from affetti.core.recording.survey import are_blank, survey
from affetti.core.settings import LogSettings
from tests.conftest import SESSION_ID, small_session


@pytest.fixture
def key() -> keys.DataKey:
    """Of a recording that this process makes."""
    keys.drop()
    made = keys.new_key([X25519PrivateKey.generate().public_key().public_bytes_raw()])
    keys.hold(made)
    return made


ITEMS = small_session(1)


def written(folder: Path, key: keys.DataKey | None) -> Path:
    target = folder / "x.h5"
    log = PartLog(target, SESSION_ID, LogSettings(part_mib=8), key)
    for event, blob in ITEMS:
        log.append(event, blob)
    log.close()
    return target


def test_an_encrypted_log_reads_as_a_plain_one(tmp_path: Path, key: keys.DataKey) -> None:
    for name in ("plain", "hidden"):
        (tmp_path / name).mkdir()
    plain = survey(written(tmp_path / "plain", None))
    hidden = survey(written(tmp_path / "hidden", key))
    assert list(hidden.records()) == list(plain.records())
    assert hidden.whole == plain.whole == (True,)
    assert not hidden.damaged_records


def test_no_word_and_no_picture_stands_in_an_encrypted_log(
    tmp_path: Path, key: keys.DataKey
) -> None:
    target = written(tmp_path, key)
    data = part_path(target, 1).read_bytes()
    assert MAGIC not in data
    for event, blob in ITEMS:
        assert type(event).__name__.encode() not in data
        assert not blob or blob not in data
    with h5py.File(part_path(target, 1)) as file:
        rows = file["index"][:]
    rows = rows[rows["length"] > 0]
    assert len(rows) == len(ITEMS)
    for name in set(INDEX_ROW.names or ()) - {"seq", "offset", "length", "row_crc32"}:
        assert not rows[name].astype(bool).any()


def nonces(path: Path) -> list[bytes]:
    data, found, at = path.read_bytes(), [], -1
    while (at := data.find(ENCRYPTED, at + 1)) >= 0:
        found.append(data[at + 8 : at + 20])
    return found


def test_no_nonce_comes_twice_in_the_parts_of_one_key(tmp_path: Path, key: keys.DataKey) -> None:
    target = tmp_path / "x.h5"
    log = PartLog(target, SESSION_ID, LogSettings(part_mib=8), key)
    for event, blob in small_session(3):
        log.append(event, blob + os.urandom(300_000) if blob else blob)
    log.close()
    assert len(parts_of(target)) > 1
    used = [nonce for part in parts_of(target) for nonce in nonces(part)]
    copies = len(parts_of(target))  # of the first record, one in each
    assert len(used) == len(set(used)) == len(small_session(3)) + copies


def test_without_a_key_an_encrypted_log_is_refused_in_words(
    tmp_path: Path, key: keys.DataKey
) -> None:
    target = written(tmp_path, key)
    keys.drop()
    with pytest.raises(AffettiError) as caught:
        survey(target)
    assert caught.value.code == ExitCode.VAULT_CLOSED
    assert "encrypted" in caught.value.message


def test_a_turned_bit_costs_its_record_and_no_other(tmp_path: Path, key: keys.DataKey) -> None:
    part = part_path(written(tmp_path, key), 1)
    data = bytearray(part.read_bytes())
    at = -1
    for _ in range(4):
        at = data.index(ENCRYPTED, at + 1)
    data[at + 100] ^= 1
    part.write_bytes(data)
    found = survey(tmp_path / "x.h5")
    assert found.damaged_records == 1
    assert 3 not in found.rows["seq"]
    assert found.whole == (False,)


def test_a_log_for_as_many_as_there_can_be_is_written(tmp_path: Path) -> None:
    publics = [X25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(64)]
    many = keys.new_key(publics)
    keys.hold(many)
    assert len(survey(written(tmp_path, many)).rows) == len(ITEMS)


@pytest.mark.one_of_each
@pytest.mark.parametrize("harm", ["attribute", "log", "form"])
def test_one_of_the_two_places_of_a_key_is_enough(
    tmp_path: Path, key: keys.DataKey, harm: str
) -> None:
    part = part_path(written(tmp_path, key), 1)
    data = bytearray(part.read_bytes())
    first = data.find(keys.MAGIC)
    second = data.find(keys.MAGIC, first + 1)
    at = {"attribute": first, "log": second, "form": 0}[harm]
    data[at : at + 64] = bytes(64)
    part.write_bytes(data)
    found = survey(tmp_path / "x.h5")
    assert np.array_equal(found.rows["seq"], np.arange(len(ITEMS)))


def test_a_start_without_a_record_is_known_for_one_without_a_key(
    tmp_path: Path, key: keys.DataKey
) -> None:
    target = tmp_path / "x.h5"
    PartLog(target, SESSION_ID, LogSettings(part_mib=8), key).close()
    keys.drop()
    assert are_blank(parts_of(target))
    written(tmp_path / "other", key)
    assert not are_blank(parts_of(tmp_path / "other" / "x.h5"))
