"""An encrypted file: what would lie in it plain, in pages that are encrypted one by one.

    magic    8 bytes, byte 137 and `AFFbox` and byte 1
    id       of the file, 8 random bytes
    block    of its key (`core.custody.keys`)
    pages    AES-256-GCM of 65536 bytes each, with its tag of 16 bytes; zeros fill up the last
    table    AES-256-GCM of a length, 8 bytes, and a number for each page, 4 bytes; with its tag

The nonce of a page is the id of the file with the page's number in the table behind it, that of the
table the id with a 0; the place of a page, 8 bytes, is authenticated with it, and with the table
all that stands before the pages. A page that is written again gets a number that none had, and a
file that was closed is never written again: no nonce comes twice. All numbers are little-endian.

A sealed recording lies in such a file as HDF5; so does whatever lies beside it, each in its own
form. It is read by range: nothing is ever decrypted to a disk.
"""

import os
import struct
from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from affetti.core import place
from affetti.core.custody import keys
from affetti.core.custody.keys import DataKey, is_later
from affetti.core.errors import Damaged, FileMissing, NewerFormat
from affetti.core.recording.records import ID_BYTES, TAG_BYTES, cipher_of
from affetti.core.recording.steady import Positioned, SteadyFile

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC: Final = b"\x89AFFbox\x01"
PAGE_BYTES: Final = 1 << 16
_STORED_BYTES: Final = PAGE_BYTES + TAG_BYTES
_NUMBER: Final = struct.Struct("<I")
_LENGTH: Final = struct.Struct("<Q")
_BEGIN_BYTES: Final = len(MAGIC) + ID_BYTES
_MAX_NUMBER: Final = (1 << 32) - 1
_PAGES_IN_MEMORY: Final = 128


def is_box(path: Path) -> bool:
    """Whether a file says of itself that it is encrypted.

    Raises
    ------
    OSError
        It cannot be read.
    """
    if not place.is_readable_whole(path):
        return False
    with path.open("rb") as file:
        begin = file.read(len(MAGIC))
    return begin == MAGIC or is_later(begin, MAGIC)


def unlock(path: Path) -> None:
    """Open what may read a file, if it is encrypted, so that this process and its own can.

    Raises
    ------
    AffettiError
        No vault that may read it is open, or it is damaged.
    OSError
        It cannot be read.
    """
    if not place.is_readable_whole(path):
        return  # whoever reads it says so
    with path.open("rb") as file:
        begin = file.read(_BEGIN_BYTES + keys.MAX_STORED_BYTES)
    if begin.startswith(MAGIC) or is_later(begin, MAGIC):
        keys.data_key(_block_in(begin, path), path.name)


def _block_in(begin: bytes, path: Path) -> bytes:
    if is_later(begin, MAGIC) or is_later(begin[_BEGIN_BYTES:], keys.MAGIC):
        raise NewerFormat("formats.later", path=path.name)
    block = keys.block_at(begin[_BEGIN_BYTES:])
    if not begin.startswith(MAGIC) or block is None:
        raise Damaged("vault.block_damaged", name=path.name)
    return block


class _Pages(Positioned):
    """Bytes by their place, page by page, the latest of them in memory."""

    def __init__(self, file_id: bytes, key: bytes, begin: int) -> None:
        self._id, self._cipher, self._begin = file_id, cipher_of(key), begin
        self._pages: OrderedDict[int, bytearray] = OrderedDict()
        self._at = self._end = 0

    def readinto(self, buffer: memoryview) -> int:
        """Read bytes; zeros behind the end."""
        for page, inside, outside in _cuts(self._at, len(buffer)):
            buffer[outside] = self._page(page)[inside]
        self._at += len(buffer)
        return len(buffer)

    def read(self, size: int = -1) -> bytes:
        """Read bytes, without a size all that are left: h5py asks for `readinto`."""
        data = bytearray(self._end - self._at if size < 0 else size)
        self.readinto(memoryview(data))
        return bytes(data)

    def _page(self, page: int) -> bytearray:
        if page in self._pages:
            self._pages.move_to_end(page)
            return self._pages[page]
        while len(self._pages) >= _PAGES_IN_MEMORY:
            self._let_go(*self._pages.popitem(last=False))
        self._pages[page] = self._stored(page)
        return self._pages[page]

    def _place(self, page: int) -> int:
        return self._begin + page * _STORED_BYTES

    def _nonce(self, number: int) -> bytes:
        return self._id + _NUMBER.pack(number)

    def _stored(self, page: int) -> bytearray:
        raise NotImplementedError

    def _let_go(self, page: int, data: bytearray) -> None:
        """Nothing needs to be kept of a page that was only read."""


def _cuts(at: int, size: int) -> list[tuple[int, slice, slice]]:
    """Return of a stretch its pages, with what of each is meant, and where that stands in it."""
    found, done = [], 0
    while done < size:
        page, begin = divmod(at + done, PAGE_BYTES)
        count = min(PAGE_BYTES - begin, size - done)
        found.append((page, slice(begin, begin + count), slice(done, done + count)))
        done += count
    return found


class BoxWriter(_Pages):
    """A new encrypted file to write into, as `SteadyFile` is a plain one.

    Use it in a `with` block. Leaving that without an exception writes what is left, makes sure of
    the disk, and raises what went wrong; otherwise what is there is no whole file.

    Parameters
    ----------
    path
        Where nothing may be yet.
    key
        What it is encrypted with.

    Raises
    ------
    OSError
        The file cannot be created.
    """

    def __init__(self, path: Path, key: DataKey) -> None:
        file_id = os.urandom(ID_BYTES)
        self._header = MAGIC + file_id + key.block
        super().__init__(file_id, key.key, len(self._header))
        self._file = SteadyFile(path)
        self._file.write(memoryview(self._header))
        self._numbers: dict[int, int] = {}  # of the pages that were written
        self._next = 1  # 0 is the table's
        self._changed: set[int] = set()

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._file.__exit__(kind, error, at)

    def raise_error(self) -> None:
        """Raise what went wrong so far, if anything did.

        Raises
        ------
        OSError
            A write failed.
        """
        self._file.raise_error()

    def write(self, data: memoryview | bytes) -> int:
        """Write bytes, or remember that they could not be written."""
        view = memoryview(data).cast("B")
        for page, inside, outside in _cuts(self._at, len(view)):
            self._page(page)[inside] = view[outside]
            self._changed.add(page)
        self._at += len(view)
        self._end = max(self._end, self._at)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Give the file a length."""
        self._end = self._at if size is None else size
        return self._end

    def flush(self) -> None:
        """Nothing is written before it has to be."""

    def _stored(self, page: int) -> bytearray:
        number = self._numbers.get(page)
        if number is None or self._file.error is not None:
            return bytearray(PAGE_BYTES)
        self._file.seek(self._place(page))
        stored = self._file.read(_STORED_BYTES)
        return bytearray(self._cipher.decrypt(self._nonce(number), stored, _LENGTH.pack(page)))

    def _let_go(self, page: int, data: bytearray) -> None:
        if page not in self._changed:
            return
        if self._next > _MAX_NUMBER:
            raise OverflowError("no nonce is left")
        number, self._next = self._next, self._next + 1
        stored = self._cipher.encrypt(self._nonce(number), bytes(data), _LENGTH.pack(page))
        self._file.seek(self._place(page))
        self._file.write(memoryview(stored))
        self._numbers[page] = number
        self._changed.discard(page)

    def _finish(self) -> None:
        pages = -(-self._end // PAGE_BYTES)
        for page in range(pages):
            if page not in self._numbers and page not in self._pages:
                self._page(page)  # nothing was ever written there: zeros
            if page not in self._numbers:
                self._changed.add(page)
        while self._pages:
            self._let_go(*self._pages.popitem(last=False))
        numbers = b"".join(_NUMBER.pack(self._numbers[page]) for page in range(pages))
        table = _LENGTH.pack(self._end) + numbers
        self._file.seek(self._place(pages))
        self._file.write(memoryview(self._cipher.encrypt(self._nonce(0), table, self._header)))
        self._file.truncate()


class BoxReader(_Pages):
    """An encrypted file to read from, by range, as `h5py.File` does or anyone.

    Parameters
    ----------
    path
        The file.

    Attributes
    ----------
    key
        What it is encrypted with.

    Raises
    ------
    AffettiError
        It is not whole, was altered, or no vault that may read it is open.
    OSError
        It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not place.is_readable_whole(path):
            raise FileMissing("vault.no_file", path=path)
        self._file = path.open("rb")
        try:
            header = self._file.read(_BEGIN_BYTES + keys.MAX_STORED_BYTES)
            block = _block_in(header, path)
            header = header[: _BEGIN_BYTES + len(block)]
            self.key = keys.data_key(block, path.name)
            super().__init__(header[len(MAGIC) : _BEGIN_BYTES], self.key.key, len(header))
            self._numbers = self._table(header)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return self._end

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _table(self, header: bytes) -> list[int]:
        size = os.fstat(self._file.fileno()).st_size - len(header) - _LENGTH.size - TAG_BYTES
        pages, left = divmod(size, _STORED_BYTES + _NUMBER.size)
        if size < 0 or left:
            raise Damaged("vault.cut", name=self.path.name)
        self._file.seek(self._place(pages))
        table = _decrypted(self._cipher, self._nonce(0), self._file.read(), header)
        if table is None:
            raise Damaged("vault.altered", name=self.path.name)
        (self._end,) = _LENGTH.unpack_from(table)
        return [number for (number,) in _NUMBER.iter_unpack(table[_LENGTH.size :])]

    def _stored(self, page: int) -> bytearray:
        if page >= len(self._numbers):
            return bytearray(PAGE_BYTES)
        self._file.seek(self._place(page))
        stored, nonce = self._file.read(_STORED_BYTES), self._nonce(self._numbers[page])
        data = _decrypted(self._cipher, nonce, stored, _LENGTH.pack(page))
        if data is None:
            raise Damaged("vault.altered", name=self.path.name)
        return bytearray(data)


def _decrypted(cipher: "AESGCM", nonce: bytes, stored: bytes, beside: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  if needed

    try:
        return cipher.decrypt(nonce, stored, beside)
    except InvalidTag:
        return None
