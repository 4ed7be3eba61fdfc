"""What shows that a sealed file is as it was sealed, and whoever reads it asks for.

    /events/digests   uint8 [n, 48]   of each record a salt of 16 bytes and behind it the SHA-256
                                      over salt, header, JSON and blob
    /events/removed   REMOVED_ROW [m] of each record that was withdrawn, its digest without the
                                      salt; only where there are some
    log_sha256        over all those digests in order of `seq`, without the salts
    contents_sha256   over everything else that a reader uses: names, types, shapes and attributes
                      of all objects, and the data of all but `BULK`, which the records cover

A salt goes with its record, so that nobody can guess from a digest that stays what a short note
said that was removed; and what stays can be verified as before. What is here finds accidents and
carelessness. It has no key: it does not stop somebody who alters a file and computes all of it
anew.
"""

import hashlib
import math
import re
import secrets
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import h5py
import numpy as np
from numpy.typing import NDArray

from affetti.core.recording.records import KIND_BYTES, SCOPES_BYTES, STREAM_BYTES, Record
from affetti.core.recording.rows import packing

SALT_BYTES: Final = 16
SHA_BYTES: Final = hashlib.sha256().digest_size
ROW_BYTES: Final = SALT_BYTES + SHA_BYTES
REMOVED_ROW: Final = np.dtype([("seq", "<i8"), ("sha256", "u1", (SHA_BYTES,))])
NOTHING_REMOVED: Final = np.empty(0, REMOVED_ROW)
# What is too large to be read whenever a file is opened; its bytes are those of the records.
BULK: Final = re.compile(
    r"/video/[^/]+/bytes|/audio/[^/]+/samples|/signals/[^/]+/(samples|stamps_s)|/blobs/bytes"
)
_SALTS_AT_ONCE: Final = 1024
_LAST: Final = ("format", "contents_sha256")  # attributes of the root that are written last
_HEADER_ROW: Final = np.dtype(
    [
        ("seq", "<i8"),
        ("t_ns", "<i8"),
        ("kind", f"S{KIND_BYTES}"),
        ("stream", f"S{STREAM_BYTES}"),
        ("scopes", f"S{SCOPES_BYTES}"),
        ("length", "<u4"),
        ("blob_length", "<u4"),
    ]
)
_HEADER: Final = packing(_HEADER_ROW)
SALTED_BYTES: Final = SALT_BYTES + _HEADER.size
_SLAB_BYTES: Final = 4 << 20
_MAX_ATTRIBUTE_BYTES: Final = 64 << 10
_MAX_DEPTH: Final = 8

Look: TypeAlias = Callable[[str, h5py.Dataset], None]


def record_sha256(record: Record, salt: bytes) -> bytes:
    """Return the digest of a record, 32 bytes."""
    texts = record.kind.encode(), record.stream.encode(), record.scopes.encode()
    lengths = len(record.json), len(record.blob)
    header = _HEADER.pack(record.seq, record.t_ns, *texts, *lengths)
    digest = hashlib.sha256(b"".join((salt, header, record.json)))
    digest.update(record.blob)
    return digest.digest()


def is_sealed(record: Record, row: NDArray[np.uint8]) -> bool:
    """Return whether a record is the one that a row of digests was made of."""
    salt = row[:SALT_BYTES].tobytes()
    return record_sha256(record, salt) == row[SALT_BYTES:].tobytes()


def salted_headers(index: NDArray[Any], digests: NDArray[np.uint8]) -> bytes:
    """Return salt and header of each record one behind the other, `SALTED_BYTES` each.

    Parameters
    ----------
    index
        A row a record, `core.recording.layout.EVENT_ROW` [n].
    digests
        Of each, uint8 [n, 48].
    """
    headers = np.empty(len(index), _HEADER_ROW)
    for name in _HEADER_ROW.names or ():
        headers[name] = index[name]
    salted = np.empty((len(index), SALTED_BYTES), np.uint8)
    salted[:, :SALT_BYTES] = digests[:, :SALT_BYTES]
    salted[:, SALT_BYTES:] = headers.view(np.uint8).reshape(len(index), -1)
    return salted.tobytes()


class Digests:
    """The digests of records, one after the other, each with a salt of its own."""

    def __init__(self) -> None:
        self._rows = bytearray()
        self._salts: Iterator[bytes] = iter(())

    def add(self, record: Record, sealed: NDArray[np.uint8] | None = None) -> None:
        """Take in the next record, and its salt and digest where it was sealed before."""
        if sealed is not None:
            self._rows += sealed.tobytes()
            return
        salt = next(self._salts, None) or self._salted()
        self._rows += salt
        self._rows += record_sha256(record, salt)

    def _salted(self) -> bytes:
        """Return the first of many salts: asking the system for each takes longer than a digest."""
        many = secrets.token_bytes(_SALTS_AT_ONCE * SALT_BYTES)
        self._salts = (many[at : at + SALT_BYTES] for at in range(0, len(many), SALT_BYTES))
        return next(self._salts)

    def rows(self) -> NDArray[np.uint8]:
        """Return them as they are stored, uint8 [n, 48]."""
        return np.frombuffer(self._rows, np.uint8).reshape(-1, ROW_BYTES)


def log_sha256(
    seqs: NDArray[np.int64], rows: NDArray[np.uint8], removed: NDArray[Any] = NOTHING_REMOVED
) -> str:
    """Return the digest over a log: over the digests of its records, in order.

    Parameters
    ----------
    seqs, rows
        Of the records that are there; `rows` uint8 [n, 48].
    removed
        Those that were withdrawn, `REMOVED_ROW` [m].
    """
    order = np.argsort(np.concatenate([seqs, removed["seq"]]), kind="stable")
    digests = np.concatenate([rows[:, SALT_BYTES:], removed["sha256"]])[order]
    return hashlib.sha256(np.ascontiguousarray(digests).tobytes()).hexdigest()


def contents_sha256(file: h5py.File, look: Look | None = None) -> str:
    """Return the digest over all of a file but what the records cover.

    Parameters
    ----------
    file
        Open for reading.
    look
        Called with the name of each data set and the data set, before it is read; it raises an
        error for one that should not be.

    Raises
    ------
    ValueError
        Something lies too deep to be ours.
    OSError, RuntimeError, KeyError, TypeError
        HDF5 cannot read it.
    """
    digest = hashlib.sha256()
    for piece in _group(file, "", look, 0):
        digest.update(len(piece).to_bytes(8, "little"))
        digest.update(piece)
    return digest.hexdigest()


def _group(group: h5py.Group, name: str, look: Look | None, depth: int) -> Iterator[bytes]:
    if depth > _MAX_DEPTH:
        raise ValueError("groups too deep")
    yield f"group {name}".encode("utf-8", "surrogateescape")
    yield from _attributes(group, () if name else _LAST)
    links = group.id.links
    for each in sorted(group.id):
        inner = f"{name}/{each.decode('utf-8', 'surrogateescape')}"
        is_hard = links.get_info(each).type == h5py.h5l.TYPE_HARD
        match h5py.h5o.open(group.id, each) if is_hard else None:
            case h5py.h5g.GroupID() as found:
                yield from _group(h5py.Group(found), inner, look, depth + 1)
            case h5py.h5d.DatasetID() as found:
                item = h5py.Dataset(found)
                if look is not None:
                    look(inner[1:], item)
                yield from _dataset(item, inner)
            case _:
                yield f"something else {inner}".encode("utf-8", "surrogateescape")


def _dataset(item: h5py.Dataset, name: str) -> Iterator[bytes]:
    dtype, shape = item.id.dtype, item.shape
    yield f"data {name} {_type(dtype)} {shape}".encode("utf-8", "surrogateescape")
    yield from _attributes(item)
    size = math.prod(shape) if shape is not None else 0
    if BULK.fullmatch(name) or dtype.hasobject or not size:
        return
    if not shape:
        yield item[()].tobytes()
        return
    rows = max(1, _SLAB_BYTES * shape[0] // (size * dtype.itemsize or 1))
    for at in range(0, shape[0], rows):
        yield item[at : at + rows].tobytes()


def _attributes(item: h5py.HLObject, but: tuple[str, ...] = ()) -> Iterator[bytes]:
    found = {}
    for i in range(h5py.h5a.get_num_attrs(item.id)):
        one = h5py.h5a.open(item.id, index=i)
        found[bytes(one.name)] = one
    for name, one in sorted(found.items()):
        if name.decode("utf-8", "replace") not in but:
            dtype, shape = one.dtype, one.shape
            yield b"attribute " + name + f" {_type(dtype)} {shape}".encode()
            yield _value(one, dtype, shape)


def _value(attribute: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the bytes of an attribute; of one that is not read (see `attributes`), a word."""
    if dtype.hasobject or attribute.get_storage_size() > _MAX_ATTRIBUTE_BYTES:
        return b"not read"
    value = np.zeros(shape, dtype)
    attribute.read(value)
    return value.tobytes()


def _type(dtype: np.dtype[Any]) -> str:
    return str(dtype.descr if dtype.names else dtype.str)
