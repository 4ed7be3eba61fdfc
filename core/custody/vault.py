"""Vaults: the keys that open what is encrypted, and what opens them.

A vault is an X25519 key under a name. Its public half is stored as it is: whoever records needs no
more. The private half is stored encrypted, AES-256-GCM under a key that scrypt (n = 2^17, r = 8,
p = 1, a salt of 16 bytes) makes of a secret: a passphrase, what the system's keyring keeps, or
what lies in a file. Its recovery key is the private half itself, in letters and digits, shown once
when it is made and stored nowhere.

One who has neither the secret nor the recovery key cannot read; there is no third way.
"""

import base64
import errno
import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec

from affetti.core import locations, place, terminal
from affetti.core.custody import keys
from affetti.core.custody.keys import KEY_BYTES, Block
from affetti.core.custody.temporary import replacing
from affetti.core.errors import (
    AffettiError,
    Damaged,
    FileExists,
    FileMissing,
    MissingPackage,
    NewerFormat,
    UsageError,
    VaultClosed,
)
from affetti.core.language import counted, listed, text
from affetti.core.paths import typed
from affetti.core.settings import Settings
from affetti.core.system import private as private_file
from affetti.core.system import to_read

OpenedBy: TypeAlias = Literal["passphrase", "keyring", "file"]

SCRYPT_N: Final = 1 << 17
MIN_PASSPHRASE: Final = 10  # signs
PASSPHRASE_FILE: Final = "AFFETTI_PASSPHRASE_FILE"  # noqa: S105  names a variable
_SCRYPT: Final = {"r": 8, "p": 1, "dklen": KEY_BYTES}
_MAX_SCRYPT_N: Final = 1 << 18
MAX_RECIPIENTS: Final = 64
_SERVICE: Final = "affetti"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_SUFFIX: Final = ".vault.json"
_PUBLIC: Final = "avk"  # begins a public key in letters
_RECOVERY: Final = "avr"  # and a recovery key
_CHECK_BYTES: Final = 4
_FORMAT, _VERSION = "affetti-vault-", 1
_MAX_BYTES: Final = 64 << 10  # of a vault's file, and of a secret's


class Stored(msgspec.Struct, frozen=True):
    """A vault as its file has it; bytes in hexadecimal digits."""

    public: str
    opened_by: OpenedBy
    made: str  # ISO 8601
    scrypt_n: int
    salt: str
    nonce: str
    private: str  # encrypted, with the public key authenticated
    key_file: str = ""  # where its secret lies, if it lies in a file
    format: Literal["affetti-vault-1"] = "affetti-vault-1"


class _Named(msgspec.Struct, frozen=True):
    """What of the file of a vault stays the same in every version."""

    format: str


@dataclass(frozen=True)
class Vault:
    """A vault of this computer."""

    name: str
    stored: Stored

    @property
    def public(self) -> bytes:
        """Its public key, 32 bytes."""
        return bytes.fromhex(self.stored.public)

    @property
    def recipient(self) -> str:
        """Its public key, for whoever records for it elsewhere."""
        return recipient_text(self.public)


@dataclass(frozen=True)
class Lock:
    """What opens a vault."""

    by: OpenedBy
    secret: str = ""  # a passphrase; otherwise made
    key_file: Path | None = None


def new(name: str, lock: Lock, private: bytes | None = None, n: int | None = None) -> str:
    """Make a vault; return its recovery key, which is stored nowhere.

    Parameters
    ----------
    name
        Letters, digits, `_` and `-`.
    lock
        What opens it.
    private
        The key that it had before, where it is made again.
    n
        Of scrypt; by default `SCRYPT_N`.

    Raises
    ------
    AffettiError
        There is one of that name, the passphrase is too short, or nothing can be written there.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import (  # noqa: PLC0415  if needed
        X25519PrivateKey,
    )

    path = _path_of(_checked(name))
    if os.path.lexists(path):
        raise FileExists("vault.name_taken", name=name)
    private = private or os.urandom(KEY_BYTES)
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    secret = _kept_secret(name, lock)
    stored = _locked(private, public, secret, lock, n or SCRYPT_N)
    _write(path, stored)
    keys.hold_private(public, private)
    return recovery_text(private)


def adopt(name: str, copy: Path) -> None:
    """Take in the copy of a vault that was exported; what opened it there opens it here.

    Raises
    ------
    AffettiError
        There is one of that name, or the copy is none.
    """
    path = _path_of(_checked(name))
    if os.path.lexists(path):
        raise FileExists("vault.name_taken", name=name)
    _write(path, _read(copy, name).stored)


def names() -> list[str]:
    """Return the names of the vaults of this computer, in order."""
    folder = locations.vaults_folder()
    if folder is None or not folder.is_dir():
        return []
    found = [name.removesuffix(_SUFFIX) for name in os.listdir(folder) if name.endswith(_SUFFIX)]
    return sorted(name for name in found if _NAME.fullmatch(name))


def legible_vaults() -> tuple[list[Vault], list[AffettiError]]:
    """Return the vaults of this computer, and what is wrong with those that cannot be read.

    One that is damaged keeps no other from opening.
    """
    found, errors = list[Vault](), list[AffettiError]()
    for name in names():
        try:
            found.append(vault(name))
        except AffettiError as error:
            errors.append(error)
    return found, errors


def vault(name: str) -> Vault:
    """Return the vault of a name.

    Raises
    ------
    AffettiError
        There is none, or its file is damaged.
    """
    return _read(_path_of(_checked(name)), name)


def _read(path: Path, name: str) -> Vault:
    try:
        _refuse_pipe(path)
        found = Vault(name, msgspec.json.decode(_beginning_of(path), type=Stored))
        if len(found.public) != KEY_BYTES:
            raise ValueError("no public key")
        return found
    except FileNotFoundError as error:
        raise FileMissing("vault.no_such", name=name) from error
    except (OSError, ValueError, RecursionError) as error:
        if _is_later(path):
            raise NewerFormat("formats.later", path=path) from error
        raise Damaged("vault.file_damaged", path=path) from error


def _is_later(path: Path) -> bool:
    """Whether a vault's file says that a later Affetti made it."""
    try:
        _refuse_pipe(path)
        said = msgspec.json.decode(_beginning_of(path), type=_Named)
    except (OSError, ValueError, RecursionError):
        return False
    number = said.format.removeprefix(_FORMAT)
    return number.isdecimal() and len(number) < 10 and int(number) > _VERSION


def _beginning_of(path: Path) -> bytes:
    """Return a small file, or of one without end no more than any of ours could be.

    Raises
    ------
    OSError
        It cannot be read.
    """
    with open(path, "rb", opener=to_read) as file:
        return file.read(_MAX_BYTES)


def _refuse_pipe(path: Path) -> None:
    """Refuse what we never wrote, and of which opening alone may take for ever.

    Raises
    ------
    OSError
        It is a pipe or a device.
    """
    if not place.is_readable_whole(path):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))


def path_of(name: str) -> Path:
    """Return the file of a vault that is there, which whoever has its secret can open anywhere.

    Raises
    ------
    AffettiError
        There is none.
    """
    _ = vault(name)
    return _path_of(name)


def unlock(name: str, passphrase: str | None = None) -> None:
    """Open a vault in this process: what is encrypted for it can be read from now on.

    Parameters
    ----------
    name
        Of the vault.
    passphrase
        Needed where a passphrase opens it, and where no file that the environment variable
        AFFETTI_PASSPHRASE_FILE names has it.

    Raises
    ------
    AffettiError
        There is no such vault, or the secret is not the one that opens it.
    """
    found = vault(name)
    secret = passphrase if passphrase is not None else _secret_of(found)
    if secret is None:
        raise VaultClosed("vault.needs_passphrase", name=name)
    keys.hold_private(found.public, _unlocked(found, secret))


def forget_secret(found: Vault) -> None:
    """Remove from the system's keyring what opened a vault that is removed."""
    if found.stored.opened_by == "keyring":
        _keyring().delete_password(_SERVICE, found.name)


def public_of(recipient: str) -> bytes:
    """Return a public key from its letters.

    Raises
    ------
    AffettiError
        It is none, or one with a slip in it.
    """
    public = _from_text(recipient, _PUBLIC, "vault.no_recipient")
    if not keys.is_public(public):
        raise UsageError("vault.no_recipient")
    return public


def recipient_text(public: bytes) -> str:
    """Return a public key in letters and digits, with a check of its own."""
    return _PUBLIC + _letters(public)


def recovery_text(private: bytes) -> str:
    """Return a private key in groups of letters and digits, to be written on paper."""
    letters = _letters(private)
    return "-".join([_RECOVERY, *(letters[at : at + 5] for at in range(0, len(letters), 5))])


def private_from(recovery: str) -> bytes:
    """Return a private key from its recovery key; case, spaces and hyphens do not matter.

    Raises
    ------
    AffettiError
        It is none, or one with a slip in it.
    """
    return _from_text(recovery, _RECOVERY, "vault.no_recovery_key")


def recipients(
    settings: Settings, names: Iterable[str] = (), others: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return for whom a recording will be encrypted, as public keys in letters.

    Parameters
    ----------
    settings
        Whose vault and recipients are taken where nobody is named.
    names
        Vaults of this computer.
    others
        Public keys in letters.

    Returns
    -------
    () where it will not be encrypted.

    Raises
    ------
    AffettiError
        There is no such vault, a public key is none, or there are more than `MAX_RECIPIENTS`.
    """
    names, others = tuple(names), tuple(others)
    if not names and not others:
        names, others = tuple(filter(None, [settings.vault.name])), settings.vault.recipients
    told = [vault(name).recipient for name in names]
    told += [recipient_text(public_of(other)) for other in others]
    once = tuple(dict.fromkeys(told))
    if len(once) > MAX_RECIPIENTS:
        raise UsageError("vault.too_many", most=MAX_RECIPIENTS)
    return once


def words(told: tuple[str, ...]) -> str:
    """Say for whom a recording is encrypted: by name where the vault is of this computer."""
    if not told:
        return text("vault.not_encrypted")
    names = {found.recipient: found.name for found in legible_vaults()[0]}
    known = [names[each] for each in told if each in names]
    others = len(told) - len(known)
    kind = "vault.others" if known else "vault.keys"
    said = [*known, *([counted(kind, others)] if others else [])]
    return text("vault.encrypted_for", names=listed(said))


def data_key_for(told: Iterable[str]) -> keys.DataKey | None:
    """Return a new data key for public keys in letters, held in this process; None for nobody.

    Raises
    ------
    AffettiError
        A public key is none.
    """
    publics = tuple(map(public_of, told))
    if not publics:
        return None
    key = keys.new_key(publics)
    keys.hold(key)
    return key


_TRIES: Final = 3
_given_up: Final[set[str]] = set()  # vaults that whoever sits here could not open


def open_for(block: Block, name: str) -> None:
    """Open a vault that may read something, if this computer has one and it can be opened.

    Raises
    ------
    AffettiError
        There is none, or it cannot be opened.
    """
    ours = {found.public: found for found in legible_vaults()[0]}
    fitting = [ours[public] for public in block.public_keys if public in ours]
    for each in block.removed:
        removed = ours.get(bytes.fromhex(each.key))
        if removed is not None and not fitting:
            raise VaultClosed("vault.was_removed", name=name, vault=removed.name, on=each.on)
    if not fitting:
        raise VaultClosed("vault.other_keys", name=name, count=len(block.recipients))
    errors = []
    for found in fitting:
        try:
            return open_one(found)
        except AffettiError as error:
            errors.append(error)
    raise errors[0]


def open_one(found: Vault) -> None:
    """Open a vault in this process: by what needs no person, or by asking one.

    Raises
    ------
    AffettiError
        It cannot be opened.
    """
    if found.public in keys.held()[1]:
        return
    secret = _secret_of(found)
    private = _asked(found) if secret is None else _unlocked(found, secret)
    keys.hold_private(found.public, private)


def _asked(found: Vault, tries: int = _TRIES) -> bytes:
    """Return the private key of a vault by the passphrase of whoever sits at the terminal."""
    asked = found.name not in _given_up
    said = terminal.secret(text("vault.passphrase", name=found.name)) if asked else None
    if said is None:
        raise VaultClosed("vault.needs_passphrase", name=found.name)
    try:
        return _unlocked(found, said)
    except VaultClosed as error:
        if tries == 1:
            _given_up.add(found.name)
            raise
        terminal.say(error.message, err=True)
    return _asked(found, tries - 1)


def _secret_of(found: Vault) -> str | None:
    """Return the secret of a vault where no person needs to be asked for it."""
    match found.stored.opened_by:
        case "keyring":
            secret = _keyring().get_password(_SERVICE, found.name)
            if secret is None:
                raise VaultClosed("vault.keyring_has_none", name=found.name)
            return str(secret)
        case "file":
            return _line_of(Path(found.stored.key_file), found.name, kept=True)
        case "passphrase":
            named = os.environ.get(PASSPHRASE_FILE)
            return _line_of(typed(named), found.name) if named else None


def _line_of(path: Path, name: str, *, kept: bool = False) -> str:
    """Return the first line of a file; where it is `kept` for us, not of a pipe."""
    try:
        if kept:
            _refuse_pipe(path)
        return _beginning_of(path).decode().split("\n", 1)[0].rstrip("\r")
    except (OSError, ValueError) as error:  # no text, or no name that a file can have
        why = getattr(error, "strerror", None) or error
        raise VaultClosed("vault.secret_unreadable", name=name, path=path, error=why) from error


def _kept_secret(name: str, lock: Lock) -> str:
    """Return the secret of a new vault, once it is where it will be looked for."""
    if lock.by == "passphrase":
        if len(lock.secret) < MIN_PASSPHRASE:
            raise UsageError("vault.passphrase_short", least=MIN_PASSPHRASE)
        return lock.secret
    secret = base64.b32encode(os.urandom(KEY_BYTES)).decode().rstrip("=")
    if lock.key_file is None:
        _keyring().set_password(_SERVICE, name, secret)
        return secret
    try:
        with open(lock.key_file, "x", encoding="utf-8", opener=private_file) as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise FileExists("vault.key_file_exists", path=lock.key_file) from error
    except OSError as error:
        raise FileMissing("vault.cannot_write", path=lock.key_file, error=error.strerror) from error
    return secret


def _locked(private: bytes, public: bytes, secret: str, lock: Lock, n: int) -> Stored:
    salt, nonce = os.urandom(16), os.urandom(12)
    sealed = _cipher(secret, salt, n).encrypt(nonce, private, public)
    return Stored(
        public=public.hex(),
        opened_by=lock.by,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        scrypt_n=n,
        salt=salt.hex(),
        nonce=nonce.hex(),
        private=sealed.hex(),
        key_file="" if lock.key_file is None else str(lock.key_file.absolute()),
    )


def _unlocked(found: Vault, secret: str) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  if needed

    stored = found.stored
    if not 2 <= stored.scrypt_n <= _MAX_SCRYPT_N:
        raise Damaged("vault.file_damaged", path=_path_of(found.name))
    try:
        salt, nonce, private = map(bytes.fromhex, (stored.salt, stored.nonce, stored.private))
        cipher = _cipher(secret, salt, stored.scrypt_n)
        return bytes(cipher.decrypt(nonce, private, found.public))
    except InvalidTag as error:
        raise VaultClosed(f"vault.wrong_{stored.opened_by}", name=found.name) from error
    except ValueError as error:
        raise Damaged("vault.file_damaged", path=_path_of(found.name)) from error


def _cipher(secret: str, salt: bytes, n: int) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  if needed

    memory = 2 * 128 * _SCRYPT["r"] * n
    key = hashlib.scrypt(secret.encode(), salt=salt, n=n, maxmem=memory, **_SCRYPT)
    return AESGCM(key)


def _write(path: Path, stored: Stored) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(path) as fd:
            os.write(fd, msgspec.json.format(msgspec.json.encode(stored)) + b"\n")
    except OSError as error:
        raise FileMissing("vault.cannot_write", path=path, error=error.strerror) from error


def _path_of(name: str) -> Path:
    folder = locations.vaults_folder()
    if folder is None:
        raise FileMissing("vault.no_place")
    return folder / f"{name}{_SUFFIX}"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError("vault.name_cannot_used", name=name)
    return name


def _letters(key: bytes) -> str:
    check = hashlib.sha256(key).digest()[:_CHECK_BYTES]
    return base64.b32encode(key + check).decode().rstrip("=").lower()


def _from_text(said: str, begins: str, error: str) -> bytes:
    letters = re.sub(r"[\s-]", "", said).lower()
    try:
        padded = letters.removeprefix(begins).upper()
        data = base64.b32decode(padded + "=" * (-len(padded) % 8))
    except ValueError:
        data = b""
    key = data[:KEY_BYTES]
    good = letters.startswith(begins) and len(key) == KEY_BYTES
    if not good or letters != begins + _letters(key):
        raise UsageError(error)
    return key


def _keyring() -> Any:
    """Return the system's keyring.

    Raises
    ------
    AffettiError
        Its package is not installed, or the system has none.
    """
    try:
        keyring = import_module("keyring")
    except ImportError as error:
        raise MissingPackage("vault.no_keyring_package") from error
    if not keyring.get_keyring().priority > 0:
        raise MissingPackage("vault.no_keyring")
    return keyring
