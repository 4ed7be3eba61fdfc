"""Vaults: what opens them, what does not, and what is said of each."""

import os
import threading
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from affetti.core.custody import keys, vault
from affetti.core.custody.vault import Lock
from affetti.core.errors import AffettiError, Damaged, ExitCode, VaultClosed
from affetti.core.settings import Settings, VaultSettings, load
from tests.command_line import affetti

QUICK = 1 << 4  # of scrypt
WORDS = "otter lamp violet nine"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFFETTI_VAULTS", str(tmp_path / "vaults"))
    monkeypatch.delenv(vault.PASSPHRASE_FILE, raising=False)
    keys.drop()
    return tmp_path


def made(name: str = "clinic", words: str = WORDS) -> bytes:
    """Make a vault, close it, and return its public key."""
    vault.new(name, Lock("passphrase", words), n=QUICK)
    keys.drop()
    return vault.vault(name).public


def data_key_for(*public: bytes) -> keys.DataKey:
    return keys.new_key(public)


def refused(key: keys.DataKey) -> AffettiError:
    with pytest.raises(AffettiError) as caught:
        keys.data_key(key.block, "x.h5")
    return caught.value


def test_a_passphrase_opens_what_was_encrypted_for_its_vault() -> None:
    key = data_key_for(made())
    assert refused(key).code == ExitCode.VAULT_CLOSED
    vault.unlock("clinic", WORDS)
    assert keys.data_key(key.block, "x.h5") == key


def test_what_is_encrypted_for_two_is_opened_by_either() -> None:
    key = data_key_for(made("one"), made("two"))
    for name in ("one", "two"):
        keys.drop()
        vault.unlock(name, WORDS)
        assert keys.data_key(key.block, "x.h5").key == key.key


def test_a_file_names_the_passphrase(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = data_key_for(made())
    (place / "words.txt").write_text(WORDS + "\nnot this\n")
    monkeypatch.setenv(vault.PASSPHRASE_FILE, str(place / "words.txt"))
    assert keys.data_key(key.block, "x.h5").key == key.key


def test_a_key_file_opens_its_vault_and_is_never_overwritten(place: Path) -> None:
    stick = place / "stick"
    vault.new("clinic", Lock("file", key_file=stick), n=QUICK)
    keys.drop()
    key = data_key_for(vault.vault("clinic").public)
    assert keys.data_key(key.block, "x.h5").key == key.key
    with pytest.raises(AffettiError) as caught:
        vault.new("other", Lock("file", key_file=stick), n=QUICK)
    assert caught.value.code == ExitCode.FILE_EXISTS
    keys.drop()
    stick.unlink()
    assert "stick" in refused(key).message


def test_wrong_words_another_vault_and_a_removed_one_are_told_apart() -> None:
    ours, other = made(), made("other")
    with pytest.raises(AffettiError) as caught:
        vault.unlock("clinic", "something else entirely")
    assert caught.value.code == ExitCode.VAULT_CLOSED
    wrong = caught.value.message
    vault.unlock("clinic", WORDS)
    stranger = refused(data_key_for(os.urandom(32))).message
    gone = (keys.Removed(ours.hex(), "2026-11-26"),)
    removed = refused(keys.new_key([os.urandom(32)], gone)).message
    assert len({wrong, stranger, removed}) == 3
    assert "passphrase" in wrong
    assert "other vaults" in stranger
    assert "2026-11-26" in removed
    assert refused(data_key_for(other)).hint


def test_an_altered_block_is_damage(place: Path) -> None:
    public = made()
    key = data_key_for(public)
    vault.unlock("clinic", WORDS)
    block = keys.block_of(key.block)
    wrapped = bytearray(bytes.fromhex(block.recipients[0].wrapped))
    wrapped[40] ^= 1
    altered = keys.packed(keys.Block((keys.Recipient(public.hex(), wrapped.hex()),)))
    with pytest.raises(AffettiError) as caught:
        keys.data_key(altered, "x.h5")
    assert caught.value.code == ExitCode.DAMAGED
    for byte in range(len(key.block)):
        turned = bytearray(key.block)
        turned[byte] ^= 1
        assert keys.block_at(bytes(turned)) != key.block


def test_a_recovery_key_makes_the_vault_again(place: Path) -> None:
    recovery = vault.new("clinic", Lock("passphrase", WORDS), n=QUICK)
    key = data_key_for(vault.vault("clinic").public)
    vault.path_of("clinic").unlink()
    keys.drop()
    private = vault.private_from(recovery.upper().replace("-", " "))
    vault.new("again", Lock("passphrase", WORDS), private, n=QUICK)
    assert keys.data_key(key.block, "x.h5").key == key.key


def test_a_slip_in_a_key_that_was_written_down_is_noticed() -> None:
    recovery = vault.new("clinic", Lock("passphrase", WORDS), n=QUICK)
    for at in range(4, len(recovery)):
        slip = recovery[:at] + ("a" if recovery[at] != "a" else "b") + recovery[at + 1 :]
        if recovery[at] != "-":
            with pytest.raises(AffettiError):
                vault.private_from(slip)
    with pytest.raises(AffettiError):
        vault.public_of(recovery)


def test_the_private_key_stands_nowhere() -> None:
    recovery = vault.new("clinic", Lock("passphrase", WORDS), n=QUICK)
    stored = vault.path_of("clinic").read_bytes()
    private = vault.private_from(recovery)
    assert private not in stored
    assert private.hex().encode() not in stored
    assert vault.path_of("clinic").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", "a b", "../x", "-a", "a" * 33, "ä"])
def test_names_that_are_no_names_are_refused(name: str) -> None:
    with pytest.raises(AffettiError):
        vault.new(name, Lock("passphrase", WORDS), n=QUICK)


def test_short_passphrases_and_names_that_are_taken_are_refused() -> None:
    with pytest.raises(AffettiError) as caught:
        vault.new("clinic", Lock("passphrase", "short"), n=QUICK)
    assert caught.value.code == ExitCode.USAGE
    made()
    with pytest.raises(AffettiError) as caught:
        made()
    assert caught.value.code == ExitCode.FILE_EXISTS


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"public": 1}', b"[" * 90_000, "x"])
def test_a_damaged_vault_is_told(content: bytes | str) -> None:
    made()
    path = vault.path_of("clinic")
    if isinstance(content, str):  # a letter that is no hexadecimal digit, in its public key
        public = vault.vault("clinic").public.hex()
        content = path.read_bytes().replace(public.encode(), content.encode() + public[1:].encode())
    path.write_bytes(content)
    with pytest.raises(AffettiError) as caught:
        vault.vault("clinic")
    assert caught.value.code == ExitCode.DAMAGED


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no file without an end")
def test_a_file_without_an_end_is_no_vault_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    made()
    monkeypatch.setenv(vault.PASSPHRASE_FILE, "/dev/zero")
    with pytest.raises(AffettiError):
        vault.unlock("clinic")
    (vault.path_of("clinic").parent / "endless.vault.json").symlink_to("/dev/zero")
    found, errors = vault.legible_vaults()
    assert [each.name for each in found] == ["clinic"]
    assert [type(error) for error in errors] == [Damaged]
    said = affetti("vault", "list")
    assert said.returncode == ExitCode.DAMAGED
    assert found[0].recipient in said.stdout
    assert "endless" in said.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_a_pipe_that_nobody_writes_to_is_an_empty_file(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made()
    os.mkfifo(place / "pipe")
    monkeypatch.setenv(vault.PASSPHRASE_FILE, str(place / "pipe"))
    with pytest.raises(VaultClosed):
        vault.unlock("clinic")
    settings = load(place / "pipe")
    assert settings == Settings()
    reader, writer = os.pipe()  # as a shell makes it for `<(command)`
    monkeypatch.setenv(vault.PASSPHRASE_FILE, f"/dev/fd/{reader}")
    late = threading.Timer(0.05, lambda: (os.write(writer, WORDS.encode()), os.close(writer)))
    late.start()
    vault.unlock("clinic")
    os.close(reader)


@pytest.mark.parametrize("public", [bytes(32), b"\1" + bytes(31)])
def test_a_key_with_which_nothing_can_be_secret_is_none(public: bytes) -> None:
    with pytest.raises(AffettiError) as caught:
        vault.recipients(Settings(), others=[vault.recipient_text(public)])
    assert caught.value.code == ExitCode.USAGE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such pipes here")
def test_nobody_waits_for_a_pipe_in_the_place_of_a_vault_or_of_what_opens_it(place: Path) -> None:
    vault.new("clinic", Lock("file", key_file=place / "key"), n=QUICK)
    keys.drop()
    key = data_key_for(vault.vault("clinic").public)
    for path, kind in ((place / "key", VaultClosed), (vault.path_of("clinic"), Damaged)):
        path.unlink()
        os.mkfifo(path)
        writing = os.open(path, os.O_RDWR)  # whoever opened it would read, and not wait for ever
        os.write(writing, b"nothing of ours\n")
        with pytest.raises(kind):
            vault.unlock("clinic")
        os.close(writing)
    assert refused(key).code == ExitCode.VAULT_CLOSED


def test_the_name_of_a_key_file_that_can_be_none_is_told(place: Path) -> None:
    vault.new("clinic", Lock("file", key_file=place / "key"), n=QUICK)
    keys.drop()
    stored = vault.vault("clinic").stored
    spoiled = msgspec.structs.replace(stored, key_file="a\0b")
    vault.path_of("clinic").write_bytes(msgspec.json.encode(spoiled))
    with pytest.raises(VaultClosed):
        vault.unlock("clinic")


def test_one_damaged_vault_keeps_no_other_from_opening() -> None:
    key = data_key_for(made())
    (vault.path_of("clinic").parent / "broken.vault.json").write_bytes(b"{")
    (vault.path_of("clinic").parent / "a b.vault.json").write_bytes(b"{")
    vault.unlock("clinic", WORDS)
    assert keys.data_key(key.block, "x.h5").key == key.key
    keys.drop()
    assert refused(key).code == ExitCode.VAULT_CLOSED
    assert vault.words((vault.vault("clinic").recipient,)) == "encrypted for clinic"


def test_there_is_an_end_to_those_for_whom_one_records() -> None:
    many = [vault.recipient_text(os.urandom(32)) for _ in range(vault.MAX_RECIPIENTS + 1)]
    assert len(vault.recipients(Settings(), others=many[1:])) == vault.MAX_RECIPIENTS
    with pytest.raises(AffettiError) as caught:
        vault.recipients(Settings(), others=many)
    assert caught.value.code == ExitCode.USAGE


def test_for_whom_it_is_recorded_follows_from_what_was_named_else_from_the_settings() -> None:
    one, two = vault.recipient_text(made("one")), vault.recipient_text(made("two"))
    assert vault.recipients(Settings()) == ()
    settings = Settings(vault=VaultSettings(name="one", recipients=(two,)))
    assert vault.recipients(settings) == (one, two)
    assert vault.recipients(settings, ["two"]) == (two,)
    assert vault.recipients(Settings(), ["one"], [two, one]) == (one, two)
    with pytest.raises(AffettiError) as caught:
        vault.recipients(Settings(vault=VaultSettings(name="three")))
    assert caught.value.code == ExitCode.FILE_MISSING


def test_the_systems_keyring_opens_a_vault(place: Path) -> None:
    keyring = pytest.importorskip("keyring")
    from keyring.backend import KeyringBackend

    class Keeper(KeyringBackend):
        """A keyring as a system has one, without the system."""

        priority = 1
        kept: dict[tuple[str, str], str]

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.kept[service, username]

    before, keeper = keyring.get_keyring(), Keeper()
    keeper.kept = {}
    keyring.set_keyring(keeper)
    try:
        vault.new("clinic", Lock("keyring"), n=QUICK)
        keys.drop()
        key = data_key_for(vault.vault("clinic").public)
        assert keys.data_key(key.block, "x.h5").key == key.key
        keys.drop()
        vault.forget_secret(vault.vault("clinic"))
        assert refused(key).code == ExitCode.VAULT_CLOSED
    finally:
        keyring.set_keyring(before)


def test_a_system_without_a_keyring_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with suppress(ImportError):
        import keyring
        from keyring.backends.fail import Keyring

        monkeypatch.setattr(keyring.core, "_keyring_backend", Keyring())
    with pytest.raises(AffettiError) as caught:
        vault.new("clinic", Lock("keyring"), n=QUICK)
    assert caught.value.code == ExitCode.MISSING_PACKAGE
    assert vault.names() == []
