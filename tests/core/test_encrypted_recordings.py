"""An encrypted recording shows nothing to who has no key, and everything to who has one."""

import ast
import os
import re
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import boxes, exports, keys, recovery, sharing, withdrawal
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import Event, encode
from affetti.core.people import index
from affetti.core.people.annotations import Annotation, append, read
from affetti.core.recording.box import PAGE_BYTES, is_box
from affetti.core.recording.names import part_path, parts_of, sealed_in, unsealed_in
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import LogSettings
from tests import second_reader, second_vault
from tests.command_line import affetti
from tests.conftest import SESSION_ID, small_session
from tests.core.every_kind import every_kind

Items = list[tuple[Event, bytes]]


class Owner:
    """Somebody with a private key."""

    def __init__(self) -> None:
        self.private = X25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes_raw()

    def comes(self) -> None:
        """This process may read what is encrypted for them, and nothing else."""
        keys.drop()
        keys.hold_private(self.public, self.private.private_bytes_raw())


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Owner:
    monkeypatch.setenv("AFFETTI_VAULTS", str(tmp_path / "vaults"))
    keys.drop()
    return Owner()


def logged(folder: Path, items: Items, *owners: Owner, name: str = "x.h5") -> Path:
    """Write a log as a recorder does, which has public keys alone; then forget its key."""
    folder.mkdir(exist_ok=True)
    key = keys.new_key(each.public for each in owners) if owners else None
    log = PartLog(folder / name, SESSION_ID, LogSettings(part_mib=8), key)
    for event, blob in items:
        log.append(event, blob)
    log.close()
    keys.drop()
    return folder / name


def payloads(items: Items) -> set[bytes]:
    """Return what must be nowhere: every text, every blob in pieces, every name of a kind."""
    found = {type(event).__name__.encode() for event, _ in items}
    for event, blob in items:
        json = encode(event)
        found |= {json[at : at + 24] for at in range(0, len(json) - 24, 7)}
        found |= {blob[at : at + 16] for at in range(0, len(blob) - 16, 16)}
    found = {each for each in sorted(found)[::4] if len(set(each)) > 2}
    return found | {b"w\xc3\xb6rd", b'"P07"', b"affetti-session", b"\x89HDF\r\n\x1a\n"}


def seen(folder: Path, wanted: set[bytes]) -> set[bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    everything = b"\n".join([*(p.read_bytes() for p in files), *(os.fsencode(p) for p in files)])
    everything = re.sub(rb"\0{64,}", b"", everything)  # of a part most is blank
    return {each for each in wanted if each in everything}


def test_it_reads_as_a_plain_one(tmp_path: Path, owner: Owner) -> None:
    items = list(every_kind())
    plain = seal(logged(tmp_path / "plain", items)).path
    target = logged(tmp_path / "hidden", items, owner)
    owner.comes()
    hidden = seal(target).path
    with Session.open(plain) as one, Session.open(hidden) as other:
        assert list(one.records()) == list(other.verified_records())
        assert one.info.session_id == other.info.session_id
        assert set(one.video) == set(other.video)
        assert other.frames[3].jpeg == one.frames[3].jpeg
        assert (other.audio("room").read(0.5, 1.0) == one.audio("room").read(0.5, 1.0)).all()
        assert one.key is None
        assert other.key is not None


def test_nothing_of_it_can_be_seen(tmp_path: Path, owner: Owner) -> None:
    """Neither in the parts that a kill leaves, nor sealed, nor in what lies beside it."""
    items = list(every_kind())
    wanted = payloads(items)
    target = logged(tmp_path / "it", items, owner)
    # A part is HDF5, and has the random id of its session.
    said = {b"\x89HDF\r\n\x1a\n", *(w for w in wanted if w in 2 * SESSION_ID.encode())}
    assert seen(tmp_path / "it", wanted - said) == set()
    owner.comes()
    seal(target)
    with Session.open(target) as session:
        key = session.key
    report = boxes.write(target.with_name("x.report.html"), b"P07 said w\xc3\xb6rd", key)
    note = Annotation(author_id="0" * 32, session_id=SESSION_ID, seq=1, text="P07 said wörd")
    append(target.with_name("x.annotations.jsonl"), note, key)
    assert report.exists()
    assert index.scanned(tmp_path / "it")[0].person == items[0][0].person  # type: ignore[attr-defined]
    assert seen(tmp_path / "it", wanted) == set()
    assert read(target.with_name("x.annotations.jsonl")) == [note]
    plain = logged(tmp_path / "plain", items)
    assert len(seen(plain.parent, wanted)) > len(wanted) / 2  # the search would find it


def test_what_a_list_keeps_of_it_is_encrypted_and_is_used(
    tmp_path: Path, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = logged(tmp_path / "it", small_session(1), owner)
    owner.comes()
    seal(target)
    listed = index.scanned(target.parent)
    assert [(one.state, one.person) for one in listed] == [("sealed", "P07")]
    kept = [path for path in target.parent.iterdir() if path != target]
    assert [path.suffix for path in kept] == [".vault"]
    assert b"SQLite" not in kept[0].read_bytes()
    with monkeypatch.context() as changed:
        changed.delattr(index, "_opened")  # all is known
        assert index.scanned(target.parent) == listed
    keys.drop()
    (locked,) = index.scanned(target.parent)
    assert (locked.state, locked.person) == ("locked", "")
    assert kept[0].exists()
    owner.comes()
    assert index.scanned(target.parent) == listed
    withdrawal.forget(target)
    assert not any(path.exists() for path in [*kept, target])


def test_a_recording_that_broke_off_is_sealed_by_who_may_read_it(
    tmp_path: Path, owner: Owner
) -> None:
    target = logged(tmp_path / "it", small_session(2, ended=False), owner)
    for closed in (seal, recovery.sealed):
        with pytest.raises(AffettiError) as caught:
            closed(target)
        assert caught.value.code == ExitCode.VAULT_CLOSED
    assert unsealed_in(tmp_path / "it") == [target]
    owner.comes()
    report = seal(target)
    assert report.recovered
    assert sealed_in(tmp_path / "it") == [target]
    assert is_box(target)
    with Session.open(target) as session:
        assert len(session.markers) == 2


@pytest.mark.campaign
def test_a_sealing_that_was_killed_is_gone_on_with(tmp_path: Path, owner: Owner) -> None:
    target = logged(tmp_path / "it", small_session(2), owner)
    part = part_path(target, 1).read_bytes()
    owner.comes()
    seal(target)
    part_path(target, 1).write_bytes(part)
    begun = target.with_name(f".affetti-{'0' * 8}-1.writing")
    begun.write_bytes(target.read_bytes()[:-100])
    assert not seal(target).recovered
    assert parts_of(target) == []


@pytest.mark.one_of_each
@pytest.mark.parametrize("work", ["open", "check", "analyze", "report", "withdraw", "forget"])
def test_without_a_key_everything_ends_with_one_message(
    tmp_path: Path, owner: Owner, work: str
) -> None:
    target = logged(tmp_path / "it", small_session(1), owner)
    owner.comes()
    seal(target)
    keys.drop()
    words = {
        "open": ["info", target],
        "withdraw": ["withdraw", target, "all", "--yes"],
        "forget": ["forget", "P07", target.parent, "--yes"],
    }.get(work, [work, target])
    before = target.read_bytes()
    done = affetti(*words)
    assert done.returncode == (ExitCode.FILE_MISSING if work == "forget" else ExitCode.VAULT_CLOSED)
    assert "encrypted for other vaults" in done.stderr
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_what_is_withdrawn_is_gone_and_the_rest_stays_encrypted(
    tmp_path: Path, owner: Owner
) -> None:
    target = logged(tmp_path / "it", small_session(2), owner)
    owner.comes()
    seal(target)
    with Session.open(target) as session:
        boxes.write(target.with_name("x.report.html"), b"a report", session.key)
    done = withdrawal.withdraw(target, ["video"])
    assert [path.name for path in done.removed] == ["x.report.html.vault"]
    assert is_box(target)
    with Session.open(target) as session:
        session.verify_digest()
        assert not len(session.frames)
        assert len(session.markers) == 2


def test_of_whom_an_unsealed_one_is_can_be_told_with_a_key_alone(
    tmp_path: Path, owner: Owner
) -> None:
    target = logged(tmp_path / "it", small_session(1), owner, name="ses-12ab.h5")
    with pytest.raises(AffettiError) as caught:
        withdrawal.unsealed_of("P07", [tmp_path])
    assert caught.value.code == ExitCode.VAULT_CLOSED
    owner.comes()
    person = small_session(1)[0][0].person  # type: ignore[attr-defined]
    assert withdrawal.unsealed_of(person, [tmp_path]) == [target]
    assert withdrawal.unsealed_of("other", [tmp_path]) == []


@pytest.mark.campaign
def test_others_may_read_it_afterwards_and_one_no_longer(tmp_path: Path, owner: Owner) -> None:
    target = logged(tmp_path / "it", small_session(1), owner)
    other = Owner()
    owner.comes()
    seal(target)
    with Session.open(target) as session:
        boxes.write(target.with_name("x.report.html"), b"a report", session.key)
    before = target.read_bytes()
    assert len(sharing.share(target, [other.public], [owner.public])) == 2
    other.comes()
    assert boxes.read(target.with_name("x.report.html")) == b"a report"
    with Session.open(target) as session:
        session.verify_digest()
        assert session.key is not None
        assert session.key.recipients == (other.public,)
    owner.comes()
    with pytest.raises(AffettiError) as caught:
        Session.open(target)
    assert caught.value.code == ExitCode.VAULT_CLOSED
    other.comes()
    with pytest.raises(AffettiError):
        sharing.share(target, remove=[other.public])
    pages = {before[at : at + 64] for at in range(400, len(before) - 64, PAGE_BYTES)}
    assert not any(page in target.read_bytes() for page in pages)


@pytest.mark.campaign
def test_copies_outside_of_the_vault_are_noted_and_named(tmp_path: Path, owner: Owner) -> None:
    target = logged(tmp_path / "it", small_session(1), owner)
    owner.comes()
    seal(target)
    copy = tmp_path / "copy.h5"
    boxes.copy_plain(target, copy)
    with Session.open(target) as session, Session.open(copy) as plain:
        assert list(plain.verified_records()) == list(session.records())
        assert session.key is not None
        exports.note(target, session.key, target.name, copy)
    assert [each.target for each in exports.noted(target)] == [str(copy)]
    assert exports.recording_of(target.with_name("x.report.html.vault")) == target
    assert exports.recording_of(target.parent / "x.analysis" / "a.csv.vault") == target
    assert b"copy.h5" not in target.with_name("x.exports.jsonl.vault").read_bytes()


@pytest.mark.one_of_each
@pytest.mark.parametrize("place", ["picture", "events", "table"])
def test_a_turned_byte_is_told_from_a_closed_vault(
    tmp_path: Path, owner: Owner, place: str
) -> None:
    target = logged(tmp_path / "it", small_session(2), owner)
    owner.comes()
    seal(target)
    data = bytearray(target.read_bytes())
    data[{"picture": len(data) // 2, "events": 2000, "table": -20}[place]] ^= 1
    target.write_bytes(data)
    with pytest.raises(AffettiError) as caught, Session.open(target) as session:
        session.verify_digest()
    assert caught.value.code == ExitCode.DAMAGED


def test_a_second_reader_opens_what_affetti_writes(tmp_path: Path, owner: Owner) -> None:
    items = list(every_kind())
    target = logged(tmp_path / "it", items, owner)
    found = list(second_vault.records(part_path(target, 1), owner.private))
    assert len(found) == len({nonce for nonce, _ in found}) == len(items)
    for (_, record), (event, blob) in zip(found, items, strict=True):
        assert type(event).__name__.encode() in record
        assert record.endswith(blob)
    owner.comes()
    seal(target)
    (tmp_path / "plain.h5").write_bytes(second_vault.contents(target, owner.private))
    read = second_reader.Recording(tmp_path / "plain.h5")
    with Session.open(target) as session:
        assert read.log_sha256() == session.log_sha256
        assert [record.blob for record in read.records()] == [r.blob for r in session.records()]
    read.file.close()


def test_it_knows_nothing_of_ours() -> None:
    tree = ast.parse(Path(second_vault.__file__).read_text(encoding="utf-8"))
    named = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    allowed = {"h5py", "cryptography", *sys.stdlib_module_names}
    assert {name.split(".")[0] for name in named} <= allowed


@pytest.mark.campaign
def test_processes_of_their_own_read_what_their_parent_may(tmp_path: Path, owner: Owner) -> None:
    for name in ("a", "b"):
        target = logged(tmp_path / "it", small_session(1), owner, name=f"{name}.h5")
        owner.comes()
        seal(target)
    keys.drop()
    owner.comes()
    done = affetti("check", tmp_path / "it")
    assert done.returncode == 0, done.stderr
    keys.drop()
    assert affetti("check", tmp_path / "it").returncode == ExitCode.VAULT_CLOSED
