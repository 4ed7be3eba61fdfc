"""The data key of a recording, and the block that holds it for each who may read it.

    magic    8 bytes, byte 137 and `AFFkey` and byte 1
    length   of the JSON, 4 bytes
    JSON     {"recipients": [{"key": …, "wrapped": …}, …], "removed": [{"key": …, "on": …}, …]}
    check    CRC-32 over all before it, 4 bytes

`key` is a recipient's public X25519 key and `wrapped` the data key as HPKE (RFC 9180) gives it to
that key: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, base mode, `INFO` for its `info`;
both in hexadecimal digits. `removed` names keys that could read once, and the day they were
removed. Whoever has the private key of one recipient reads all; whoever only writes needs none.

What a process may read it holds here, in its memory: data keys of the recordings that it makes,
and private keys that were opened in it (`core.custody.vault`).
"""

import os
import struct
import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from affetti.core.errors import Damaged, VaultClosed

KEY_BYTES: Final = 32
MAGIC: Final = b"\x89AFFkey\x01"
HANDED_OVER: Final = "AFFETTI_KEYS"  # of the environment: "stdin", where keys come from there
INFO: Final = b"affetti data key 1"
_LENGTH: Final = struct.Struct("<I")
_FRAME_BYTES: Final = len(MAGIC) + 2 * _LENGTH.size
_MAX_BLOCK_BYTES: Final = 1 << 16


class Recipient(msgspec.Struct, frozen=True):
    """One who may read: a public key, and the data key wrapped for it, in hexadecimal digits."""

    key: str
    wrapped: str


class Removed(msgspec.Struct, frozen=True):
    """One who could read once."""

    key: str
    on: str  # the day, ISO 8601


class Block(msgspec.Struct, frozen=True):
    """What a block says."""

    recipients: tuple[Recipient, ...]
    removed: tuple[Removed, ...] = ()

    @property
    def public_keys(self) -> tuple[bytes, ...]:
        """The public keys of all who may read."""
        return tuple(bytes.fromhex(each.key) for each in self.recipients)


@dataclass(frozen=True)
class DataKey:
    """The key that what belongs to one recording is encrypted with, and its block."""

    key: bytes = field(repr=False)
    block: bytes = field(repr=False)

    @property
    def recipients(self) -> tuple[bytes, ...]:
        """The public keys of all who may read."""
        return block_of(self.block).public_keys


def new_key(recipients: Iterable[bytes], removed: tuple[Removed, ...] = ()) -> DataKey:
    """Return a new data key, wrapped for each of some public keys.

    Parameters
    ----------
    recipients
        X25519 public keys, 32 bytes each.
    removed
        Whom to name as having been removed.

    Raises
    ------
    ValueError
        One is no such key, or there is none.
    """
    key = os.urandom(KEY_BYTES)
    wrapped = tuple(Recipient(each.hex(), _wrapped(key, each).hex()) for each in recipients)
    if not wrapped:
        raise ValueError("nobody could read it")
    return DataKey(key, packed(Block(wrapped, removed)))


def is_public(public: bytes) -> bool:
    """Return whether 32 bytes are a public key that a secret can be shared with: some are not.

    With a point of low order every secret is the same (RFC 7748, section 6.1).
    """
    from cryptography.hazmat.primitives.asymmetric import x25519  # noqa: PLC0415  if needed

    try:
        ours = x25519.X25519PrivateKey.generate()
        ours.exchange(x25519.X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return False
    return True


def packed(block: Block) -> bytes:
    """Return a block as it is stored."""
    said = msgspec.json.encode(block)
    whole = MAGIC + _LENGTH.pack(len(said)) + said
    return whole + _LENGTH.pack(zlib.crc32(whole))


def is_later(begin: bytes, magic: bytes) -> bool:
    """Whether what begins so is of a later version than ours, whose magic ends with its number."""
    at = len(magic) - 1
    return begin[:at] == magic[:at] and begin[at:] > magic[at:] and not begin.startswith(magic)


def block_at(data: bytes) -> bytes | None:
    """Return the block that some bytes begin with; None where none does, or it is not whole."""
    if not data.startswith(MAGIC) or len(data) < _FRAME_BYTES:
        return None
    (length,) = _LENGTH.unpack_from(data, len(MAGIC))
    end = len(MAGIC) + _LENGTH.size + length
    whole = data[: end + _LENGTH.size]
    if length > _MAX_BLOCK_BYTES or len(whole) < end + _LENGTH.size:
        return None
    return whole if (zlib.crc32(whole[:end]),) == _LENGTH.unpack_from(whole, end) else None


MAX_STORED_BYTES: Final = _MAX_BLOCK_BYTES + _FRAME_BYTES


def block_of(stored: bytes) -> Block:
    """Return what a whole block says.

    Raises
    ------
    ValueError
        It says nothing that a block says.
    """
    cut = len(MAGIC) + _LENGTH.size
    try:
        block = msgspec.json.decode(stored[cut : -_LENGTH.size], type=Block)
        _ = block.public_keys, [bytes.fromhex(each.wrapped) for each in block.recipients]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError("no block of keys") from error
    return block


# What this process may read.
_data_keys: Final[dict[bytes, bytes]] = {}  # by block
_private_keys: Final[dict[bytes, bytes]] = {}  # by public key


def hold(data_key: DataKey) -> None:
    """Keep a data key in memory, so that what it encrypts can be read."""
    _data_keys[data_key.block] = data_key.key


def hold_private(public: bytes, private: bytes) -> None:
    """Keep a private key in memory."""
    _private_keys[public] = private


def drop() -> None:
    """Forget all keys."""
    _data_keys.clear()
    _private_keys.clear()


def to_hand_over() -> bytes:
    """Return all keys, for a process that this one starts and that goes on for it."""
    return msgspec.msgpack.encode(held())


def from_parent() -> None:
    """Take over the keys that the process which started this one hands over, if it does."""
    if os.environ.pop(HANDED_OVER, "") != "stdin":
        return
    take_over(sys.stdin.buffer.read())


def held() -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """Return the data keys by their block, and the private keys by their public one."""
    return dict(_data_keys), dict(_private_keys)


def take_over(handed: bytes) -> None:
    """Hold what the process that started this one held."""
    kind = tuple[dict[bytes, bytes], dict[bytes, bytes]]
    data_keys, private_keys = msgspec.msgpack.decode(handed, type=kind)
    _data_keys.update(data_keys)
    _private_keys.update(private_keys)


def data_key(stored: bytes, name: str) -> DataKey:
    """Return the data key that a block holds.

    Parameters
    ----------
    stored
        The block.
    name
        Of its file, for messages.

    Raises
    ------
    AffettiError
        No vault of this computer may read it, or it cannot be opened; or the block was altered.
    """
    from affetti.core.custody import vault  # noqa: PLC0415  which has keys for what is closed

    try:
        block = block_of(stored)
    except ValueError as error:
        raise Damaged("vault.block_damaged", name=name) from error
    found = _data_keys.get(stored) or _unwrapped(block, name)
    if found is None:
        vault.open_for(block, name)
        found = _unwrapped(block, name)
    if found is None:
        raise VaultClosed("vault.other_keys", name=name, count=len(block.recipients))
    _data_keys[stored] = found
    return DataKey(found, stored)


def _unwrapped(block: Block, name: str) -> bytes | None:
    for each in block.recipients:
        private = _private_keys.get(bytes.fromhex(each.key))
        if private is not None:
            return _opened(bytes.fromhex(each.wrapped), private, name)
    return None


def _suite() -> Any:
    from cryptography.hazmat.primitives import hpke  # noqa: PLC0415  most recordings need none

    return hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def _wrapped(key: bytes, public: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import x25519  # noqa: PLC0415

    return bytes(_suite().encrypt(key, x25519.X25519PublicKey.from_public_bytes(public), INFO))


def _opened(wrapped: bytes, private: bytes, name: str) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import x25519  # noqa: PLC0415

    ours = x25519.X25519PrivateKey.from_private_bytes(private)
    try:
        key = bytes(_suite().decrypt(wrapped, ours, INFO))
    except (InvalidTag, ValueError) as error:
        raise Damaged("vault.block_damaged", name=name) from error
    if len(key) != KEY_BYTES:
        raise Damaged("vault.block_damaged", name=name)
    return key
