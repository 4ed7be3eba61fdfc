"""Rows of a table, packed as they come: tuples in a list take several times the memory and time."""

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_CODES: Final = {"i8": "q", "u8": "Q", "f8": "d", "u4": "I"}


class RowBuffer:
    """Rows of one type, one after the other.

    Parameters
    ----------
    dtype
        Of fields that are little-endian numbers or texts of fixed length, without gaps.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        kinds = [dtype[name].str[1:] for name in dtype.names or ()]
        codes = [f"{kind[1:]}s" if kind.startswith("S") else _CODES[kind] for kind in kinds]
        self._pack = struct.Struct("<" + "".join(codes)).pack
        self._data = bytearray()

    def __len__(self) -> int:
        return len(self._data) // self._dtype.itemsize

    def append(self, *values: Any) -> None:
        """Take in a row, a value for each field; texts as bytes."""
        self._data += self._pack(*values)

    def array(self) -> NDArray[Any]:
        """Return all rows; nothing is taken in afterwards."""
        return np.frombuffer(self._data, self._dtype)
