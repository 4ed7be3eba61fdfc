"""Recordings as somebody may hand them over: altered on purpose, and with all sums made to fit."""

import json
import tempfile
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from msgspec.structs import replace

from affetti.core.recording.attributes import put_attributes
from affetti.core.recording.integrity import Digests, contents_sha256, log_sha256
from affetti.core.recording.records import Record
from affetti.core.recording.session import Session

Fields = dict[str, Any]


def altered_and_resealed(path: Path, change: Callable[[Fields], Fields | bytes | None]) -> Path:
    """Change the events of a sealed file in place, index, check sums and digests with them.

    `change` gets the fields of every event, and gives others, bytes in their place, or None to
    leave it as it is.
    """
    records, stored = _stored(path.read_bytes())
    index, parts, digests = stored.copy(), [], Digests()
    for row, record in zip(index, records, strict=True):
        changed = change(json.loads(record.json))
        data = changed if isinstance(changed, bytes) else record.json
        if isinstance(changed, dict):
            data = json.dumps(changed).encode()
            row["t_ns"], row["t_s"] = changed["t_ns"], changed["t_ns"] / 1e9
            row["kind"] = changed["kind"].encode()
        row["offset"], row["length"] = sum(map(len, parts)), len(data)
        row["crc32"] = zlib.crc32(record.blob, zlib.crc32(data))
        kind = bytes(row["kind"]).decode("ascii", "replace")
        t_ns, crc32 = int(row["t_ns"]), int(row["crc32"])
        digests.add(replace(record, t_ns=t_ns, kind=kind, json=data, crc32=crc32))
        parts.append(data)
    with h5py.File(path, "r+") as file:
        del file["events/json"]
        file["events/json"] = np.frombuffer(b"".join(parts), np.uint8)
        file["events/index"][:] = index
        file["events/digests"][:] = digests.rows()
        put_attributes(file, {"log_sha256": log_sha256(index["seq"], digests.rows())})
    return resealed(path)


@lru_cache(2)
def _stored(data: bytes) -> tuple[list[Record], Any]:
    """Return the records of a sealed file, and its index; of the same again without reading."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "session.h5"
        path.write_bytes(data)
        with Session.open(path, altered=True) as session:
            return list(session.records()), session._index


def resealed(path: Path) -> Path:
    """Compute the digest over the contents of a file anew, as somebody may who altered them."""
    with h5py.File(path, "r+") as file:
        put_attributes(file, {"contents_sha256": contents_sha256(file)})
    return path
