"""Attributes of HDF5 objects: texts of a fixed length, and what is read of a file from elsewhere.

A text of variable length lies in a heap of the file, and one wrong byte of that heap is enough for
HDF5 2.0 to read it for ever. So none is written, and none is read.
"""

from collections.abc import Mapping
from typing import Any, Final

import h5py
import numpy as np

_MAX_BYTES: Final = 4096
_MAX_BLOCK_BYTES: Final = 64 << 10
_UNREADABLE: Final = (OSError, KeyError, TypeError, ValueError, RuntimeError)


def put_attributes(item: h5py.HLObject, values: Mapping[str, Any]) -> None:
    """Write attributes: numbers as they are, texts in UTF-8 and as long as they are."""
    for name, value in values.items():
        if isinstance(value, str):
            data = value.encode()
            dtype = h5py.string_dtype("utf-8", max(1, len(data)))
            item.attrs.create(name, np.bytes_(data), dtype=dtype)
        else:
            item.attrs[name] = value


def text_attribute(item: h5py.HLObject, name: str) -> str:
    """Return a text attribute, or "" where there is none, or it is none of a fixed length."""
    kind = _text_type(item, name)
    if kind is None or kind.is_variable_str() or kind.get_size() > _MAX_BYTES:
        return ""
    try:
        value = item.attrs[name]
        return bytes(value).decode() if isinstance(value, bytes) else ""
    except _UNREADABLE:
        return ""


def bytes_attribute(item: h5py.HLObject, name: str) -> bytes:
    """Return an attribute of bytes, uint8 [n]; b"" where there is none, or it is none."""
    try:
        found = item.attrs.get_id(name)
        if found.dtype != np.uint8 or found.get_storage_size() > _MAX_BLOCK_BYTES:
            return b""
        return np.asarray(item.attrs[name], np.uint8).tobytes()
    except _UNREADABLE:
        return b""


def has_variable_text(item: h5py.HLObject, name: str) -> bool:
    """Return whether there is a text attribute of variable length, as 0.1.0 wrote them."""
    kind = _text_type(item, name)
    return kind is not None and bool(kind.is_variable_str())


def _text_type(item: h5py.HLObject, name: str) -> Any:
    """Return HDF5's type of a text attribute; None where there is none, or it is no text."""
    try:
        kind = item.attrs.get_id(name).get_type()
    except _UNREADABLE:
        return None
    return kind if isinstance(kind, h5py.h5t.TypeStringID) else None
