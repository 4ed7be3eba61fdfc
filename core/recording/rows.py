"""Rows of a table, packed as they come: tuples in a list take several times the memory and time."""

import struct
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_PIECE_BYTES: Final = 128 << 10
_CODES: Final = {"i8": "q", "u8": "Q", "f8": "d", "u4": "I"}


def packing(dtype: np.dtype[Any]) -> struct.Struct:
    """Return what packs the fields of a row, little-endian numbers and texts, without gaps."""
    kinds = [dtype[name].str[1:] for name in dtype.names or ()]
    codes = [f"{kind[1:]}s" if kind.startswith("S") else _CODES[kind] for kind in kinds]
    return struct.Struct("<" + "".join(codes))


class RowBuffer:
    """Rows of one type, one after the other.

    Parameters
    ----------
    dtype
        Of fields that are little-endian numbers or texts of fixed length, without gaps.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._pack = packing(dtype).pack
        self._data = bytearray()
        self._packed: list[bytes] = []  # what came before: most of a row is like the one before it

    def append(self, *values: Any) -> None:
        """Take in a row, a value for each field; texts as bytes."""
        self._data += self._pack(*values)
        if len(self._data) >= _PIECE_BYTES:
            self.pack()

    def pack(self) -> None:
        """Make small what came so far; more may follow."""
        if self._data:
            self._packed.append(zlib.compress(self._data, 1))
            self._data = bytearray()

    def array(self) -> NDArray[Any]:
        """Return all rows so far."""
        pieces = [*map(zlib.decompress, self._packed), bytes(self._data)]
        return np.frombuffer(bytearray().join(pieces), self._dtype)
