"""How many bytes a file says that it has: whether it breaks off.

Sources: the layouts of RIFF and RF64 (EBU Tech 3306), AIFF, AU, CAF (Apple), W64 (Sony), ASF
(Microsoft) and Matroska (RFC 9559). Films have some of them as well. A header that was written to
a pipe states 0, or as much as it can.
"""

import struct
from pathlib import Path
from typing import BinaryIO, Final

_CHUNKS: Final = 10_000  # of a CAF file; one with more is believed whole
_W64: Final = b"riff\x2e\x91\xcf\x11"
_ASF: Final = bytes.fromhex("3026b2758e66cf11")
_ASF_PROPERTIES: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_EBML: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT: Final = b"\x18\x53\x80\x67"
_BROADCAST: Final = 1  # a flag of ASF: lengths are not known
_LARGEST: Final = ((0x7FFF_0000, 0x7FFF_FFFF), (0xFFFF_0000, 0xFFFF_FFFF))  # of a pipe's header


def breaks_off(path: Path, head: bytes) -> bool:
    """Whether a file is shorter than its header says; False where it does not say.

    Parameters
    ----------
    path
        The file.
    head
        Its first bytes, 64 KiB where there are so many.

    Raises
    ------
    OSError
        It cannot be read.
    """
    if head[:4] == b"caff":
        with path.open("rb") as file:
            stated = _caf_bytes(file)
    else:
        stated = _stated_bytes(head)
    return stated > path.stat().st_size


def _stated_bytes(head: bytes) -> int:
    read = {b"RIFF": _riff, b"RIFX": _form, b"FORM": _form, b"RF64": _rf64, b".snd": _au}
    read |= {_EBML: _matroska}
    others = {_W64: _w64, _ASF: _asf}
    try:
        return (read.get(head[:4]) or others.get(head[:8]) or _none)(head)
    except struct.error:  # the header itself breaks off
        return 0


def _none(head: bytes) -> int:
    return 0


def _riff(head: bytes) -> int:
    return _framed(struct.unpack_from("<I", head, 4)[0])


def _form(head: bytes) -> int:
    return _framed(struct.unpack_from(">I", head, 4)[0])


def _rf64(head: bytes) -> int:
    return _framed(struct.unpack_from("<Q", head, 20)[0]) if head[12:16] == b"ds64" else 0


def _au(head: bytes) -> int:
    begin, size = struct.unpack_from(">II", head, 4)
    return int(begin + size) if _known(size) else 0


def _w64(head: bytes) -> int:
    size = int(struct.unpack_from("<Q", head, 16)[0])
    return size if size < 1 << 62 else 0


def _framed(size: int) -> int:
    """Return how long a file is whose first 8 bytes its size leaves out."""
    return size + 8 if _known(size) else 0


def _known(size: int) -> bool:
    return size > 0 and not any(first <= size <= last for first, last in _LARGEST)


def _asf(head: bytes) -> int:
    at = head.find(_ASF_PROPERTIES)
    if at < 0:
        return 0
    (size,) = struct.unpack_from("<Q", head, at + 40)
    (flags,) = struct.unpack_from("<I", head, at + 88)
    return 0 if flags & _BROADCAST else int(size)


def _matroska(head: bytes) -> int:
    """Return where the one segment ends, which holds everything but a few bytes before it."""
    size, begin = _ebml_size(head, len(_EBML))
    at = begin + size
    if head[at : at + len(_SEGMENT)] != _SEGMENT:
        return 0
    size, begin = _ebml_size(head, at + len(_SEGMENT))
    return begin + size if size else 0


def _ebml_size(head: bytes, at: int) -> tuple[int, int]:
    """Return a size, 0 where it says that it is unknown, and where what it is of begins."""
    (first,) = struct.unpack_from("B", head, at)
    length = 9 - first.bit_length()
    value = int.from_bytes(head[at : at + length], "big") & ((1 << 7 * length) - 1)
    return (0 if value == (1 << 7 * length) - 1 else value), at + length


def _caf_bytes(file: BinaryIO) -> int:
    """Return where the last chunk of a CAF file ends; the last may say that it goes on."""
    end = 8
    for _ in range(_CHUNKS):
        file.seek(end)
        head = file.read(12)
        if len(head) < 12:
            return end
        (size,) = struct.unpack_from(">q", head, 4)
        if size < 0:
            return 0
        end += 12 + size
    return 0
