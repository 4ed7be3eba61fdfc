"""What a later version wrote is said to be that, is never called damaged, and stays as it is."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import boxes, keys, recovery, vault
from affetti.core.custody.vault import Lock
from affetti.core.errors import Damaged, ExitCode, NewerFormat
from affetti.core.events.entries import new_id
from affetti.core.people import annotations, authors, log
from affetti.core.people.annotations import Annotation
from affetti.core.recording import box
from affetti.core.recording.names import parts_of
from affetti.core.recording.session import Session
from tests.command_line import affetti
from tests.conftest import SESSION_ID

WriteLog = Callable[..., Path]
VAULT = "clinic"


@pytest.fixture
def vaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "vaults"
    monkeypatch.setenv("AFFETTI_VAULTS", str(folder))
    monkeypatch.delenv(vault.PASSPHRASE_FILE, raising=False)
    vault.new(VAULT, Lock("passphrase", "otter lamp violet nine"), n=1 << 4)
    keys.drop()
    return folder


def test_a_vault_of_a_later_version_is_not_called_damaged(vaults: Path) -> None:
    (path,) = vaults.iterdir()
    said = json.loads(path.read_bytes())
    path.write_text(json.dumps({"format": "affetti-vault-2", "public": said["public"]}))
    with pytest.raises(NewerFormat) as caught:
        vault.vault(VAULT)
    assert "Update Affetti" in caught.value.hint
    assert affetti("vault", "export", VAULT).returncode == ExitCode.NEWER_FORMAT
    vault.new("other", Lock("passphrase", "otter lamp violet nine"), n=1 << 4)
    keys.drop()
    public = vault.vault("other").public
    vault.unlock("other", "otter lamp violet nine")  # which it keeps from nothing
    data_key = keys.new_key([public])
    assert keys.data_key(data_key.block, "x.h5") == data_key
    for damaged in ('{"format": "affetti-vault-1"}', '{"format": "affetti-vault-"}', "{"):
        path.write_text(damaged)
        with pytest.raises(Damaged):
            vault.vault(VAULT)


@pytest.mark.parametrize("at", ["file", "block"])
def test_an_encrypted_file_of_a_later_version_is_not_called_damaged(
    tmp_path: Path, vaults: Path, at: str
) -> None:
    assert vaults.exists()
    private = X25519PrivateKey.generate()
    key = keys.new_key([private.public_key().public_bytes_raw()])
    place = boxes.write(tmp_path / "x.annotations.jsonl", b"words\n", key)
    data = bytearray(place.read_bytes())
    magic = box.MAGIC if at == "file" else keys.MAGIC
    data[data.index(magic) + len(magic) - 1] += 1
    place.write_bytes(data)
    with pytest.raises(NewerFormat):
        boxes.read(tmp_path / "x.annotations.jsonl")
    recording = tmp_path / "x.h5"
    recording.write_bytes(data)
    with pytest.raises(NewerFormat):
        Session.open(recording)


def test_a_line_of_a_later_version_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.annotations.jsonl"
    ours = Annotation(author_id=new_id(), session_id=SESSION_ID, seq=3, label="note")
    annotations.append(path, ours)
    later = {"kind": "Linked", "entry_id": new_id(), "author_id": new_id(), "to": "x"}
    before = path.read_text()
    path.write_text(f"{before}{json.dumps(later)}\n")
    with pytest.raises(NewerFormat) as caught:
        annotations.read(path)
    assert path.name in caught.value.message
    path.write_text(f'{before}{{"kind": "Annotation"}}\n')
    with pytest.raises(Damaged):
        annotations.read(path)
    of_person = tmp_path / "sub-P07.person.jsonl"
    of_person.write_text(f"{json.dumps({**later, 'person': 'P07'})}\n")
    with pytest.raises(NewerFormat):
        log.person_state("P07", tmp_path)


def test_a_short_log_of_a_later_version_is_not_put_away_as_scraps(write_log: WriteLog) -> None:
    target = write_log()
    for part in parts_of(target):
        data = part.read_bytes().replace(b"\x89AFFrec\x04", b"\x89AFFrec\x05")
        part.write_bytes(data.replace(b"3.0\0", b"4.0\0"))
    with pytest.raises(NewerFormat):
        recovery.sealed(target)
    assert parts_of(target)


def test_a_list_of_authors_that_cannot_be_read_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authors, "remembered_folder", lambda: tmp_path)
    mine = authors.author_id("A1")
    assert authors.author_id("A1") == mine
    place = tmp_path / authors.AUTHORS
    for said in (b'{"format": 2, "authors": []}', b"\xff", b"[" * 100_000):
        place.write_bytes(said)
        assert authors.author_id("A1") != mine
        assert place.read_bytes() == said
        assert authors.authors() == {}
