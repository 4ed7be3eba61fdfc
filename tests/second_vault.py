"""A second reader of what is encrypted, written from ENCRYPTION.md alone."""

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import h5py
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

BOX, KEYS, ENCRYPTED = (b"\x89AFF" + name + b"\x01" for name in (b"box", b"key", b"enc"))
PAGE, TAG = 65_536, 16


def data_key(data: bytes, private: X25519PrivateKey) -> tuple[AESGCM, int]:
    """Return the cipher of a block's data key, and the length of the block."""
    (length,) = struct.unpack_from("<I", data, 8)
    end = 12 + length
    if data[:8] != KEYS or zlib.crc32(data[:end]) != struct.unpack_from("<I", data, end)[0]:
        raise ValueError("no block")
    ours = private.public_key().public_bytes_raw().hex()
    wrapped = {r["key"]: r["wrapped"] for r in json.loads(data[12:end])["recipients"]}[ours]
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    key = suite.decrypt(bytes.fromhex(wrapped), private, b"affetti data key 1")
    return AESGCM(key), end + 4


def contents(path: Path, private: X25519PrivateKey) -> bytes:
    """Return what an encrypted file holds."""
    data = path.read_bytes()
    if data[:8] != BOX:
        raise ValueError("not encrypted")
    cipher, length = data_key(data[16:], private)
    begin, file_id = 16 + length, data[8:16]
    pages, left = divmod(len(data) - begin - 8 - TAG, PAGE + TAG + 4)
    if left:
        raise ValueError("cut off")
    at = begin + pages * (PAGE + TAG)
    table = cipher.decrypt(file_id + bytes(4), data[at:], data[:begin])
    numbers = [table[8 + 4 * page : 12 + 4 * page] for page in range(pages)]
    plain = []
    for page, number in enumerate(numbers):
        stored = data[begin + page * (PAGE + TAG) : begin + (page + 1) * (PAGE + TAG)]
        plain.append(cipher.decrypt(file_id + number, stored, struct.pack("<Q", page)))
    return b"".join(plain)[: struct.unpack_from("<Q", table)[0]]


def records(part: Path, private: X25519PrivateKey) -> Iterator[tuple[bytes, bytes]]:
    """Yield the nonce of each record of a part, and the record as a plain log has it."""
    with h5py.File(part, "r") as file:
        log = file["log"][:].tobytes()
        block = file.attrs["vault"].tobytes()
    if not any(log[: len(block)]):  # it was only just begun
        return
    if not log.startswith(block):
        raise ValueError("the blocks differ")
    cipher, at = data_key(block, private)
    while log.startswith(ENCRYPTED, at):
        length, check = struct.unpack_from("<II", log, at + 20)
        header, body = log[at : at + 24], log[at + 28 : at + 28 + length]
        if zlib.crc32(header + body) != check:
            return
        yield header[8:20], cipher.decrypt(header[8:20], body, header)
        at += 28 + length
