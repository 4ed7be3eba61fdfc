"""One record of the live log: the only place that knows how it lies on the disk.

    header   magic, session, seq, t_ns, kind, stream, scopes of consent, length of the JSON,
             length of the blob, check
    JSON     of the event
    blob     as the event says

The header alone says whose and of what stream a record is, what consent it concerns and whether
bytes lie behind its JSON, so that a record of a kind that is not known can be withdrawn. The
check is a CRC-32 over the JSON, the blob and all of the header before it: whatever gives a
record its meaning. Records stand one behind the other and say how long they are and whose, so a
log is read from its own words, and after damage from the next magic on.

In an encrypted log a whole record, header and all, is the plain text of

    header   magic, id of the part, number, length of what follows, check
    cipher   AES-256-GCM of the record, with its tag of 16 bytes

The nonce is the id, 8 random bytes, with the number behind it: a part numbers its records from 0
and is never gone on with, so that none comes twice. The header up to the check is authenticated
with the record. The check is a CRC-32 over that and the cipher, which tells a torn record from
one that was altered, to whoever has no key as well.
"""

import errno
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC: Final = b"\x89AFFrec\x04"
KIND_BYTES: Final = 24
STREAM_BYTES: Final = 32
SCOPES_BYTES: Final = 48
_HEADER: Final = struct.Struct(f"<8s16sqq{KIND_BYTES}s{STREAM_BYTES}s{SCOPES_BYTES}sII")
_CHECK: Final = struct.Struct("<I")
HEADER_BYTES: Final = _HEADER.size + _CHECK.size
ENCRYPTED: Final = b"\x89AFFenc\x01"  # the magic of an encrypted record
ID_BYTES: Final = 8
_SHELL: Final = struct.Struct(f"<8s{ID_BYTES}sII")
_SHELL_BYTES: Final = _SHELL.size + _CHECK.size
TAG_BYTES: Final = 16
OVERHEAD_BYTES: Final = _SHELL_BYTES + TAG_BYTES  # of an encrypted record over a plain one
_MAX_NUMBER: Final = (1 << 32) - 1
_CHUNK_BYTES: Final = 1 << 20
_BLANK: Final = memoryview(bytes(_CHUNK_BYTES))


class Record(msgspec.Struct, frozen=True, gc=False):
    """One event as it is stored."""

    seq: int
    t_ns: int
    kind: str
    json: bytes
    blob: bytes
    crc32: int  # of the JSON followed by the blob
    stream: str = ""  # that it belongs to, if any
    scopes: str = ""  # what has to be consented to for it, with commas between

    def __repr__(self) -> str:  # without its bytes, which may be a person's words
        return f"Record(seq={self.seq}, t_ns={self.t_ns}, kind={self.kind!r})"


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a record lies in a file, and whose it is."""

    at: int
    length: int  # of all of it, in bytes
    session_id: str
    record: Record


def record_of(
    seq: int,
    t_ns: int,
    kind: str,
    json: bytes,
    blob: bytes,
    *,
    stream: str = "",
    scopes: str = "",
) -> Record:
    """Return the record of an event, with its check sum."""
    crc32 = zlib.crc32(blob, zlib.crc32(json))
    return Record(seq, t_ns, kind, json, blob, crc32, stream, scopes)


def scopes_text(scopes: Iterable[str]) -> str:
    """Return scopes of consent as a record's header has them."""
    return ",".join(sorted(scopes))


def pack(session_id: str, record: Record) -> bytes:
    """Return a record as it lies in the log.

    Parameters
    ----------
    session_id
        32 hexadecimal digits.
    record
        Its `kind` has at most 24 bytes, its `stream` 32, and its `scopes` 48.

    Raises
    ------
    ValueError
        One of them is longer.
    """
    session = bytes.fromhex(session_id)
    texts = record.kind.encode(), record.stream.encode(), record.scopes.encode()
    if any(map(int.__gt__, map(len, texts), (KIND_BYTES, STREAM_BYTES, SCOPES_BYTES))):
        raise ValueError("a header has no room for what it should say")
    lengths = len(record.json), len(record.blob)
    header = _HEADER.pack(MAGIC, session, record.seq, record.t_ns, *texts, *lengths)
    check = zlib.crc32(header, record.crc32)
    return b"".join((header, _CHECK.pack(check), record.json, record.blob))


class Envelope:
    """Encrypts the records of one part; no two with one nonce.

    Parameters
    ----------
    key
        32 bytes, the data key of the recording.

    Attributes
    ----------
    id
        Of the part, 8 random bytes.
    """

    def __init__(self, key: bytes) -> None:
        self.id = os.urandom(ID_BYTES)
        self._cipher = cipher_of(key)
        self._number = 0

    def around(self, packed: bytes) -> bytes:
        """Return a packed record as an encrypted log has it.

        Raises
        ------
        OverflowError
            There were as many as there are nonces.
        """
        if self._number > _MAX_NUMBER:
            raise OverflowError("no nonce is left")
        header = _SHELL.pack(ENCRYPTED, self.id, self._number, len(packed) + TAG_BYTES)
        cipher = self._cipher.encrypt(_nonce(header), packed, header)
        self._number += 1
        check = zlib.crc32(cipher, zlib.crc32(header))
        return b"".join((header, _CHECK.pack(check), cipher))


def cipher_of(key: bytes) -> "AESGCM":
    """Return the cipher of a data key."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  if needed

    return AESGCM(key)


def _nonce(header: bytes) -> bytes:
    return header[len(ENCRYPTED) : len(ENCRYPTED) + ID_BYTES + 4]


def packed_length(header: bytes) -> int | None:
    """Return how long the record is that begins with `header`; None where none begins."""
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        return None
    *_, json_length, blob_length = _HEADER.unpack_from(header)
    return HEADER_BYTES + int(json_length) + int(blob_length)


def read_record(file: BinaryIO, at: int, stop: int, cipher: "AESGCM | None" = None) -> Place | None:
    """Return the record that begins at a place of a file; None where none does, or it is not whole.

    Parameters
    ----------
    file
        Open for reading.
    at, stop
        Where it begins, and where it ends at the latest, in bytes.
    cipher
        Of an encrypted log.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    file.seek(at)
    if cipher is not None:
        return _read_encrypted(file, at, stop, cipher)
    header = file.read(min(HEADER_BYTES, max(stop - at, 0)))
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        return None
    said = _HEADER.unpack_from(header)
    json_length, blob_length = said[-2:]
    length = HEADER_BYTES + json_length + blob_length
    if at + length > stop:
        return None
    json, blob = file.read(json_length), file.read(blob_length)
    whole = (len(json), len(blob)) == (json_length, blob_length)
    found = _unpacked(header, said, json, blob) if whole else None
    return None if found is None else Place(at, length, *found)


def _read_encrypted(file: BinaryIO, at: int, stop: int, cipher: "AESGCM") -> Place | None:
    header = file.read(min(_SHELL_BYTES, max(stop - at, 0)))
    if len(header) < _SHELL_BYTES or not header.startswith(ENCRYPTED):
        return None
    *_, size = _SHELL.unpack_from(header)
    if size < HEADER_BYTES + TAG_BYTES or at + _SHELL_BYTES + size > stop:
        return None
    packed = _decrypted(header, file.read(size), cipher)
    if packed is None or packed_length(packed[:HEADER_BYTES]) != len(packed):
        return None
    header, said = packed[:HEADER_BYTES], _HEADER.unpack_from(packed)
    cut = HEADER_BYTES + said[-2]
    found = _unpacked(header, said, packed[HEADER_BYTES:cut], packed[cut:])
    return None if found is None else Place(at, _SHELL_BYTES + size, *found)


def _decrypted(header: bytes, body: bytes, cipher: "AESGCM") -> bytes | None:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  if needed

    shell = header[: _SHELL.size]
    check = zlib.crc32(body, zlib.crc32(shell))
    if (check,) != _CHECK.unpack_from(header, _SHELL.size):
        return None
    try:
        return cipher.decrypt(_nonce(shell), body, shell)
    except InvalidTag:
        return None


def _unpacked(
    header: bytes, said: tuple[Any, ...], json: bytes, blob: bytes
) -> tuple[str, Record] | None:
    _, session, seq, t_ns, kind, stream, scopes, _, _ = said
    crc32 = zlib.crc32(blob, zlib.crc32(json))
    if (zlib.crc32(header[: _HEADER.size], crc32),) != _CHECK.unpack_from(header, _HEADER.size):
        return None
    texts = _word(kind), _word(stream), _word(scopes)
    record = Record(seq, t_ns, texts[0], json, blob, crc32, *texts[1:])
    return session.hex(), record


@lru_cache(1024)  # few words, in every record
def _word(padded: bytes) -> str:
    return padded.rstrip(b"\0").decode("ascii", "replace")


class Scan:
    """The whole records in a stretch of a file, in the order they lie there.

    Parameters
    ----------
    file
        Open for reading.
    start, stop
        The stretch, in bytes.
    cipher
        Of an encrypted log.

    Attributes
    ----------
    clean
        Once all were taken: whether there was nothing but whole records, one behind the other,
        and zeros after the last.
    """

    def __init__(
        self, file: BinaryIO, start: int, stop: int, cipher: "AESGCM | None" = None
    ) -> None:
        self._file = file
        self._cipher = cipher
        self._magic = MAGIC if cipher is None else ENCRYPTED
        self._start, self._stop = start, stop
        self._written = _written(file, start, stop)
        self.clean = True

    def __iter__(self) -> Iterator[Place]:
        """Yield the records.

        Raises
        ------
        OSError
            The file cannot be read.
        """
        at: int | None = self._start
        while at is not None:
            place = read_record(self._file, at, self._stop, self._cipher)
            if place is not None:
                yield place
                at += place.length
                continue
            following, blank = self._next(at)
            self.clean &= blank and following is None
            at = following

    def one_at(self, at: int, stop: int) -> Place | None:
        """Return the record that begins at a place of the file, in the stretch or not; or None."""
        return read_record(self._file, at, stop, self._cipher)

    def found(self, magic: bytes) -> int | None:
        """Return where some bytes stand in the stretch, its very beginning aside; None: nowhere."""
        self._magic = magic
        return self._next(self._start)[0]

    def _next(self, at: int) -> tuple[int | None, bool]:
        """Return where the next record may begin, and whether there are but zeros up to it."""
        blank = True
        while (at := self._written_from(at)) < self._stop:
            self._file.seek(at)
            chunk = self._file.read(min(_CHUNK_BYTES, self._stop - at))
            if not chunk:
                break
            # Comparing is ten times as fast as searching, and most of what is reserved is blank.
            zeros = chunk == _BLANK[: len(chunk)]
            blank = blank and zeros
            found = -1 if zeros else chunk.find(self._magic, 1)
            if found > 0:
                return at + found, blank
            step = len(chunk) - len(self._magic)
            at += step if step > 0 else len(chunk)
        return None, blank

    def _written_from(self, at: int) -> int:
        """Return `at`, or a later place before which the file was reserved and never written."""
        for begin, end in self._written:
            if at < end:
                # One byte sooner, for `_next` looks behind the first.
                return max(at, begin - 1)
        return self._stop


def _written(file: BinaryIO, start: int, stop: int) -> list[tuple[int, int]]:
    """Return the stretches of a file that may hold anything; all of it where nobody can tell.

    Asked before the file is read: what was read ahead counts as written from then on.
    """
    if not hasattr(os, "SEEK_DATA"):
        return [(start, stop)]
    here, found, at = os.lseek(file.fileno(), 0, os.SEEK_CUR), [], start
    try:
        while at < stop:
            begin = os.lseek(file.fileno(), at, os.SEEK_DATA)
            at = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
            found.append((begin, min(at, stop)))
    except OSError as error:
        if error.errno != errno.ENXIO:  # which says that nothing more was written
            return [(start, stop)]
    finally:
        os.lseek(file.fileno(), here, os.SEEK_SET)
    return found


def holds_records(path: Path) -> bool:
    """Whether a record, whole or not, encrypted or not, begins anywhere in a file.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with path.open("rb") as file:
        scan = Scan(file, 0, path.stat().st_size)
        return any(scan.found(magic) is not None for magic in (MAGIC, ENCRYPTED))
