"""Attributes of HDF5 objects: texts of a fixed length, and what is read of a file from elsewhere.

A text of variable length lies in a heap of the file, and one wrong byte of that heap is enough for
HDF5 2.0 to read it for ever. So none is written, and none is read.
"""

from collections.abc import Mapping
from typing import Any, Final

import h5py
import numpy as np

_MAX_BYTES: Final = 4096


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
    try:
        kind = item.attrs.get_id(name).get_type()
        if not isinstance(kind, h5py.h5t.TypeStringID) or kind.is_variable_str():
            return ""
        if kind.get_size() > _MAX_BYTES:
            return ""
        value = item.attrs[name]
        return bytes(value).decode() if isinstance(value, bytes) else ""
    except (OSError, KeyError, TypeError, ValueError, RuntimeError):
        return ""


def has_variable_text(item: h5py.HLObject, name: str) -> bool:
    """Return whether there is a text attribute of variable length, as 0.1.0 wrote them."""
    try:
        kind = item.attrs.get_id(name).get_type()
    except (OSError, KeyError, TypeError, ValueError, RuntimeError):
        return False
    return isinstance(kind, h5py.h5t.TypeStringID) and bool(kind.is_variable_str())
