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
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from affetti.core.errors import Damaged, VaultClosed

KEY_BYTES: Final = 32
MAGIC: Final = b"\x89AFFkey\x01"
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


def packed(block: Block) -> bytes:
    """Return a block as it is stored."""
    said = msgspec.json.encode(block)
    whole = MAGIC + _LENGTH.pack(len(said)) + said
    return whole + _LENGTH.pack(zlib.crc32(whole))


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
        _ = block.public_keys
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError("no block of keys") from error
    return block


# What this process may read.
_data_keys: Final[dict[bytes, bytes]] = {}  # by block
_private_keys: Final[dict[bytes, bytes]] = {}  # by public key
_askers: Final[list[Callable[[Block, str], None]]] = []  # who may open one that is not open


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


def held() -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """Return all keys, for a process that this one starts and that goes on for it."""
    return dict(_data_keys), dict(_private_keys)


def take_over(keys: tuple[Mapping[bytes, bytes], Mapping[bytes, bytes]]) -> None:
    """Hold what another process held."""
    _data_keys.update(keys[0])
    _private_keys.update(keys[1])


def when_closed(ask: Callable[[Block, str], None]) -> None:
    """Name who may open a key that is needed: called with the block and the name of the file."""
    _askers[:] = [ask]


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
        No vault that is open may read it, or the block was altered.
    """
    try:
        block = block_of(stored)
    except ValueError as error:
        raise Damaged("vault.block_damaged", name=name) from error
    found = _data_keys.get(stored) or _unwrapped(block, name)
    if found is None:
        for ask in _askers:
            ask(block, name)
        found = _unwrapped(block, name)
    if found is None:
        raise _closed(block, name)
    _data_keys[stored] = found
    return DataKey(found, stored)


def _closed(block: Block, name: str) -> VaultClosed:
    removed = {bytes.fromhex(each.key): each.on for each in block.removed}
    for public in _private_keys:
        if public in removed:
            return VaultClosed("vault.was_removed", name=name, on=removed[public])
    if _private_keys:
        return VaultClosed("vault.other_keys", name=name)
    return VaultClosed("vault.closed", name=name)


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
