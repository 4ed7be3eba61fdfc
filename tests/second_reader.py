"""A second reader of recordings, written from FORMAT.md alone: nothing of Affetti is in it."""

import hashlib
import json
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py

MAGIC = b"\x89AFFrec\x04"
PART_HEADER = struct.Struct("<8s16sqq24s32s48sIII")
SEALED_HEADER = struct.Struct("<qq24s32s48sII")
COVERED = re.compile(r"/(video|audio|signals)/[^/]+/(bytes|samples|stamps_s)|/blobs/bytes")
SLAB = 4_194_304


class Record(NamedTuple):
    """One event as it is stored."""

    seq: int
    t_ns: int
    kind: str
    stream: str
    scopes: str
    json: bytes
    blob: bytes

    @property
    def event(self) -> Any:
        """What its JSON says."""
        return json.loads(self.json)


class Recording:
    """A sealed file, read whole."""

    def __init__(self, path: Path) -> None:
        self.file = h5py.File(path, "r")
        if self.file.attrs["format"] != b"affetti-session":
            raise ValueError(f"{path} is no recording")
        self.index = self.file["events/index"][:]
        self.json = self.file["events/json"][:].tobytes()
        self.blobs = dict(self._blobs())

    def _blobs(self) -> Iterator[tuple[int, bytes]]:
        for video in self.file.get("video", {}).values():
            yield from _cut(video["index"], video["bytes"], "offset", "length")
        for sound in self.file.get("audio", {}).values():
            yield from _cut(sound["blocks"], sound["samples"], "row", "count")
        for signal in self.file.get("signals", {}).values():
            text = signal["samples"].attrs["encoding"] == b"text"
            where = ("offset", "length") if text else ("row", "count")
            values = dict(_cut(signal["blocks"], signal["samples"], *where))
            for seq, stamps in _cut(signal["blocks"], signal["stamps_s"], "row", "count"):
                yield seq, stamps + values[seq]
        if "blobs" in self.file:
            blobs = self.file["blobs"]
            yield from _cut(blobs["index"], blobs["bytes"], "offset", "length")

    def records(self) -> Iterator[Record]:
        """Yield every event, in order."""
        for row in self.index:
            begin, seq = int(row["offset"]), int(row["seq"])
            data = self.json[begin : begin + int(row["length"])]
            texts = (row[name].decode() for name in ("kind", "stream", "scopes"))
            blob = self.blobs.get(seq, b"")
            assert len(blob) == row["blob_length"], seq
            assert zlib.crc32(data + blob) == row["crc32"], seq
            yield Record(seq, int(row["t_ns"]), *texts, data, blob)

    def estimates(self) -> dict[str, dict[str, list[Any]]]:
        """Return the tables of estimates: modality, column, values."""
        groups = self.file.get("estimates", {})
        return {name: {c: table[c][:].tolist() for c in table} for name, table in groups.items()}

    def log_sha256(self, before: int = 1 << 62) -> str:
        """Return the digest over the log, once each event was compared with its own."""
        digests = {}
        for record, row in zip(self.records(), self.file["events/digests"][:], strict=True):
            salt, stored = row.tobytes()[:16], row.tobytes()[16:]
            texts = (text.encode() for text in record[2:5])
            lengths = len(record.json), len(record.blob)
            header = SEALED_HEADER.pack(record.seq, record.t_ns, *texts, *lengths)
            whole = hashlib.sha256(salt + header + record.json + record.blob).digest()
            assert whole == stored, record.seq
            digests[record.seq] = stored
        if "events/removed" in self.file:
            digests |= {int(r["seq"]): r["sha256"].tobytes() for r in self.file["events/removed"]}
        kept = (digest for seq, digest in sorted(digests.items()) if seq < before)
        return hashlib.sha256(b"".join(kept)).hexdigest()

    def contents_sha256(self) -> str:
        """Return the digest over all else."""
        whole = hashlib.sha256()
        for piece in _pieces(self.file, ""):
            whole.update(len(piece).to_bytes(8, "little") + piece)
        return whole.hexdigest()


def _cut(rows: Any, dataset: Any, start: str, count: str) -> Iterator[tuple[int, bytes]]:
    data = dataset[:]
    for row in rows[:]:
        begin = int(row[start])
        yield int(row["seq"]), data[begin : begin + int(row[count])].tobytes()


def _type(dtype: Any) -> str:
    return str(dtype.descr if dtype.names else dtype.str)


def _attributes(item: Any, root: bool) -> Iterator[bytes]:
    for name in sorted(item.attrs, key=str.encode):
        if not (root and name in ("format", "contents_sha256")):
            value = item.attrs.get_id(name)
            yield f"attribute {name} {_type(value.dtype)} {value.shape}".encode()
            size = value.dtype.itemsize  # a text is given without the zeros at its end
            yield (
                item.attrs[name].tobytes()
                if value.dtype.kind != "S"
                else bytes(item.attrs[name]).ljust(size, b"\0")
            )


def _pieces(item: Any, path: str) -> Iterator[bytes]:
    if isinstance(item, h5py.Group):
        yield f"group {path}".encode()
        yield from _attributes(item, not path)
        for name in sorted(item, key=str.encode):
            yield from _pieces(item[name], f"{path}/{name}")
        return
    yield f"data {path} {_type(item.dtype)} {item.shape}".encode()
    yield from _attributes(item, False)
    if item.size and not COVERED.fullmatch(path):
        rows = max(1, SLAB // (item.dtype.itemsize * item.size // item.shape[0]))
        for at in range(0, item.shape[0], rows):
            yield item[at : at + rows].tobytes()


def records_of_part(path: Path) -> Iterator[Record]:
    """Yield the records of a part of a recording that was never sealed, without HDF5."""
    data, at = path.read_bytes(), 0
    known: set[int] = set()
    while (at := data.find(MAGIC, at)) >= 0:
        header = data[at : at + PART_HEADER.size]
        if len(header) < PART_HEADER.size:
            return
        _, _, seq, t_ns, *texts, long, blob_long, check = PART_HEADER.unpack(header)
        begin = at + PART_HEADER.size
        body = data[begin : begin + long + blob_long]
        if zlib.crc32(header[:-4], zlib.crc32(body)) != check:
            at += 1
            continue
        words = (text.rstrip(b"\0").decode() for text in texts)
        if seq not in known:
            yield Record(seq, t_ns, *words, body[:long], body[long:])
        known.add(seq)
        at = begin + long + blob_long
