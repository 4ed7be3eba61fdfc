"""The sealed file: where everything lies in it, and how a stranger's file is opened safely.

    /events/json       uint8 [bytes]      the JSON of every event, one after the other
    /events/index      EVENT_ROW [n]      one row an event, in order of `seq`
    /events/digests    uint8 [n, 48]      salt and digest of each event (see `integrity`)
    /events/removed    REMOVED_ROW [n]    digests of what was withdrawn, if anything was
    /video/NAME/bytes      uint8 [bytes]      every frame as it was encoded, one after the other
    /video/NAME/index      FRAME_ROW [n]
    /audio/NAME/samples    int16 [n, channels]
    /audio/NAME/blocks     BLOCK_ROW [n]
    /signals/NAME/samples  [n, channels] of the declared type; for text uint8 [bytes], the JSON
                           of every block, one after the other
    /signals/NAME/stamps_s float64 [n]        raw, by the clock of the source
    /signals/NAME/t_s      float64 [n]        session time; follows from the stamps and from
                                              what was measured of that clock
    /signals/NAME/blocks   SIGNAL_ROW [n]
    /signals/NAME/channels CHANNEL_ROW [channels]
    /blobs/bytes, /blobs/index                uint8 [bytes], BLOB_ROW [n]: what belongs to events
                                              of kinds that whoever sealed it did not know
    /estimates/MODALITY    a column each, of equal length; face, heard, music, fused and others

NAME is that of a declared stream. A time stands twice: as integer nanoseconds of session time,
`t_ns`, which counts, and as seconds, `t_s`, for programs without such integers.

Attributes of the root name the format, its version and the digests over the log and over all
else that a reader uses; attributes of data sets name units. An encrypted recording is the same
file inside of another (`core.recording.box`). A file may come from anyone: links
that leave the file, filters that load code, and shapes that do not fit the file are refused
before anything is read.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from affetti.core import place
from affetti.core.errors import (
    AffettiError,
    Damaged,
    FileMissing,
    NewerFormat,
    NotARecording,
    OlderFormat,
    Unsealed,
    UsageError,
)
from affetti.core.language import text
from affetti.core.recording import box, hdf5
from affetti.core.recording.attributes import has_variable_text, text_attribute
from affetti.core.recording.integrity import BULK
from affetti.core.recording.names import PART_FORMAT, SEALED_FORMAT, parts_of, target_of
from affetti.core.recording.records import KIND_BYTES, SCOPES_BYTES, STREAM_BYTES

FORMAT: Final = SEALED_FORMAT
FORMAT_VERSION: Final = "2.0"

_WHEN: Final = [("seq", "<i8"), ("t_ns", "<i8"), ("t_s", "<f8")]
_WHERE: Final = [("offset", "<u8"), ("length", "<u4")]  # in bytes
_BLOCK: Final = [
    ("sample", "<i8"),  # the index of its first sample in the stream
    ("row", "<i8"),  # its row in `samples`
    ("count", "<i8"),
]
EVENT_ROW: Final = np.dtype(
    [
        *_WHEN,
        ("kind", f"S{KIND_BYTES}"),
        ("stream", f"S{STREAM_BYTES}"),  # "" where it belongs to none
        ("scopes", f"S{SCOPES_BYTES}"),  # of consent that it needs, with commas between
        *_WHERE,  # of the JSON in /events/json
        ("blob_length", "<u4"),  # 0 where no bytes lie beside the JSON
        ("crc32", "<u4"),  # of the JSON followed by the blob
    ]
)
FRAME_ROW: Final = np.dtype([*_WHEN, ("frame", "<i8"), *_WHERE])
BLOCK_ROW: Final = np.dtype([*_WHEN, *_BLOCK])  # t_ns of the first sample
SIGNAL_ROW: Final = np.dtype([*_WHEN, *_BLOCK, *_WHERE])  # of the JSON of text, else 0
BLOB_ROW: Final = np.dtype([("seq", "<i8"), *_WHERE])
CHANNEL_ROW: Final = np.dtype([("name", "S64"), ("unit", "S32")])  # for people, cut where long
_MAX_ROWS: Final = 1 << 28
_MAX_COMPRESSION: Final = 1100  # deflate's best is 1032:1
_SAFE_FILTERS: Final = (
    h5py.h5z.FILTER_DEFLATE,
    h5py.h5z.FILTER_SHUFFLE,
    h5py.h5z.FILTER_FLETCHER32,
)


def damaged(path: Path, what: str) -> AffettiError:
    """Return the error for a recording that is not as it was written."""
    return Damaged("layout.damaged", path=path.name, what=what)


def foreign(path: Path, what: str) -> AffettiError:
    """Return the error for a file that is no recording."""
    return NotARecording("layout.not_affetti_recording", path=path.name, what=what)


@contextmanager
def reading(path: Path, of: h5py.HLObject | None = None) -> Iterator[None]:
    """Turn whatever h5py raises over a damaged file into the one error for it.

    Reading `of`, a part of a file, after the file was closed is no damage, and is said to be that.
    """
    try:
        yield
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        if of is not None and not of:
            raise UsageError("layout.closed_nothing_more_can", path=path.name) from error
        if place.is_trouble(error):
            raise place.trouble(error, path) from error
        detail = str(error).split("(")[-1].strip("()'\"")
        raise damaged(path, text("damage.hdf5_cannot_read", detail=detail)) from error


def open_sealed(path: Path) -> h5py.File:
    """Open a sealed recording for reading, after a look at what it claims to be.

    Raises
    ------
    AffettiError
        It does not exist, is no HDF5 file, is truncated, is another program's or a later
        version's, is a part that was not sealed, or is encrypted and no vault that may read it is
        open.
    """
    _refuse_unreadable(path)
    try:
        file = hdf5.to_read(path)
    except OSError as error:
        if place.is_trouble(error):
            raise place.trouble(error, path) from error
        truncated = "truncated" in str(error)
        what = text("damage.no_end" if truncated else "damage.hdf5_cannot_open")
        raise damaged(path, what) from error
    try:
        _check_claims(path, file)
    except BaseException:
        file.close()
        raise
    return file


def _refuse_unreadable(path: Path) -> None:
    if not place.is_readable_whole(path):
        raise foreign(path, text("damage.pipe"))
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except IsADirectoryError as error:
        raise foreign(path, text("damage.folder")) from error
    except OSError as error:
        if place.kind_of(error) not in (None, "missing"):
            raise place.trouble(error, path) from error
        parts = parts_of(path)
        if parts:
            raise Unsealed(
                "layout.not_sealed_parts_lie", path=path.name, parts=len(parts), whole=path
            ) from error
        raise FileMissing("layout.cannot_read", path=path, error=error.strerror) from error
    if start != b"\x89HDF\r\n\x1a\n" and not box.is_box(path):
        raise foreign(path, text("damage.no_hdf5_file") if start else text("damage.empty"))


def _check_claims(path: Path, file: h5py.File) -> None:
    if has_variable_text(file, "format") and "events" in file:
        raise _older(path, text("layout.earlier"), "1")
    claimed = text_attribute(file, "format")
    if claimed == PART_FORMAT:
        raise Unsealed("layout.part_recording_not_sealed", path=path.name, target=target_of(path))
    if claimed != FORMAT:
        raise foreign(path, text("damage.another_program_wrote"))
    _refuse_version(path, file)


def _refuse_version(path: Path, file: h5py.File) -> None:
    version = text_attribute(file, "format_version")
    number, ours = version.split(".")[0], FORMAT_VERSION.split(".", maxsplit=1)[0]
    if number == ours:
        return
    if number.isdecimal() and int(number) < int(ours):
        maker = text_attribute(file, "software_version") or text("layout.earlier")
        raise _older(path, maker, number)
    raise NewerFormat("layout.format_version_affetti_cannot", path=path.name, version=version)


def _older(path: Path, maker: str, number: str) -> AffettiError:
    """Return the error for a file of an older major version, which is refused by name."""
    ours = FORMAT_VERSION.split(".", maxsplit=1)[0]
    return OlderFormat(
        "layout.recorded_affetti_format_version",
        path=path.name,
        maker=maker,
        number=number,
        ours=ours,
    )


def dataset(
    path: Path,
    file: h5py.File,
    name: str,
    dtype: Any,
    ndim: int = 1,
    *,
    filtered: bool = False,
) -> h5py.Dataset:
    """Return a data set of a recording once it is known to be what it should be.

    Parameters
    ----------
    path
        For messages.
    file, name
        Where to look; every step of `name` must be a hard link.
    dtype, ndim
        What it must be; `dtype` None takes any type of fixed size.
    filtered
        Whether it may be compressed; what is small in the file may then be large in memory.

    Raises
    ------
    AffettiError
        It is missing, or anything about it could harm the reader.
    """
    if not file:
        raise UsageError("layout.closed_nothing_more_can", path=path.name)
    with reading(path, file):
        found = own(file.id, *name.split("/"))
    if found is None:
        raise damaged(path, text("damage.missing_lies_another_place", name=name))
    if not isinstance(found, h5py.h5d.DatasetID):
        raise damaged(path, text("damage.no_data_set", name=name))
    item = h5py.Dataset(found, readonly=True)  # whose shape stays known when it is closed
    with reading(path, item):
        _refuse_hazards(path, name, item, filtered)
    if item.ndim != ndim or (dtype is not None and item.dtype != dtype):
        raise damaged(
            path, text("damage.type_dimensions", name=name, dtype=item.dtype, ndim=item.ndim)
        )
    if dtype is None and (item.dtype.hasobject or item.dtype.kind not in "iufS"):
        raise damaged(path, text("damage.type_never_written", name=name))
    return item


def own(group: Any, *steps: str) -> Any:
    """Return what lies in a group of HDF5's, every step to it a hard link; None: nothing does."""
    for step in steps:
        name = step.encode()
        if not isinstance(group, h5py.h5g.GroupID) or name not in group:
            return None
        if group.links.get_info(name).type != h5py.h5l.TYPE_HARD:
            return None
        group = h5py.h5o.open(group, name)
    return group


def look(path: Path, name: str, item: h5py.Dataset) -> None:
    """Refuse a data set that could harm whoever reads it, whether or not it is one of ours.

    Raises
    ------
    AffettiError
        It lies in another file, needs a filter, or claims more than the file can hold.
    """
    filtered = BULK.fullmatch(f"/{name}") is not None
    _refuse_hazards(path, name, item, filtered)


def _refuse_hazards(path: Path, name: str, item: h5py.Dataset, filtered: bool) -> None:
    plist = item.id.get_create_plist()
    if plist.get_layout() not in (h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED):
        raise damaged(path, text("damage.virtual_compact", name=name))
    if plist.get_external_count():
        raise damaged(path, text("damage.keeps_data_another_file", name=name))
    for i in range(plist.get_nfilters()):
        if not filtered or plist.get_filter(i)[0] not in _SAFE_FILTERS:
            raise damaged(path, text("damage.uses_filter_never_written", name=name))
    shape = item.shape
    size = math.prod(shape) * item.dtype.itemsize
    compressed = bool(plist.get_nfilters())
    room = path.stat().st_size * (_MAX_COMPRESSION if compressed else 1)
    if len(shape) > 2 or (shape and shape[0] > _MAX_ROWS * 64) or size > room:
        raise damaged(path, text("damage.claims_bytes_more_than", name=name, size=size))


def table(
    path: Path, file: h5py.File, name: str, dtype: np.dtype[Any] | None, most: int = _MAX_ROWS
) -> Any:
    """Return a table of rows, whole; for indexes, which are small against what they index.

    Raises
    ------
    AffettiError
        It has more rows than `most`, or is not what it should be.
    """
    item = dataset(path, file, name, dtype)
    if item.shape[0] > most:
        raise damaged(path, text("damage.claims_rows", name=name, shape=item.shape[0]))
    with reading(path, item):
        return item[:]
