"""Who may read an encrypted recording, afterwards: it is encrypted anew, with all beside it.

A new data key is made, and wrapped for those who may read from now on. Whoever could read before
may have kept a copy; that, no encryption takes back.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from affetti.core import place, system
from affetti.core.consent import today
from affetti.core.custody import keys
from affetti.core.custody.artefacts import PART, beside
from affetti.core.custody.keys import DataKey, Removed
from affetti.core.custody.temporary import drop, name_beside
from affetti.core.custody.vault import MAX_RECIPIENTS
from affetti.core.errors import Damaged, DiskFull, Unsealed, UsageError
from affetti.core.recording.box import BoxReader, BoxWriter, is_box
from affetti.core.settings import MIB

Progress = Callable[[int, int], None]  # bytes done, bytes in all
_CHUNK_BYTES: Final = 4 << 20


def share(
    path: Path,
    add: Iterable[bytes] = (),
    remove: Iterable[bytes] = (),
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Let others read an encrypted recording, or some no longer; return what was encrypted anew.

    Parameters
    ----------
    path
        A sealed recording.
    add, remove
        Public keys.
    progress
        Called with the bytes done and the bytes in all.

    Raises
    ------
    AffettiError
        It is not encrypted or not sealed, or no vault that may read it is open; nobody could read
        it; or the disk has no room. What was not reached is as it was.
    """
    if any(found.artefact is PART for found in beside(path)):
        raise Unsealed("vault.share_parts", path=path.name)
    if not is_box(path):
        raise UsageError("vault.not_encrypted", path=path.name)
    with BoxReader(path) as box:
        key = _new_key(box.key, frozenset(add), frozenset(remove), path)
    found = [path, *_boxes_beside(path)]
    total, done = sum(each.stat().st_size for each in found), 0
    for each in reversed(found):  # the recording last: until then whoever does it can read all
        _encrypt_anew(each, key)
        done += each.stat().st_size
        if progress is not None:
            progress(min(done, total), total)
    return tuple(found)


def _new_key(old: DataKey, add: frozenset[bytes], remove: frozenset[bytes], path: Path) -> DataKey:
    block = keys.block_of(old.block)
    may = [*dict.fromkeys((*block.public_keys, *sorted(add)))]
    staying = [public for public in may if public not in remove]
    if not staying:
        raise UsageError("vault.nobody_left", path=path.name)
    if len(staying) > MAX_RECIPIENTS:
        raise UsageError("vault.too_many", most=MAX_RECIPIENTS)
    gone = [each for each in block.removed if bytes.fromhex(each.key) not in add]
    gone += [Removed(public.hex(), today()) for public in block.public_keys if public in remove]
    return keys.new_key(staying, tuple(gone[-MAX_RECIPIENTS:]))


def _boxes_beside(path: Path) -> Iterator[Path]:
    for found in beside(path):
        if not found.artefact.suffix:
            continue  # what a killed sealing left is no whole file
        inside = sorted(found.path.rglob("*")) if found.path.is_dir() else [found.path]
        yield from (each for each in inside if each.is_file() and each != path and is_box(each))


def _encrypt_anew(path: Path, key: DataKey) -> None:
    free, size = system.free_bytes(path.parent), path.stat().st_size
    if free is not None and free < size + 4 * MIB:
        raise DiskFull("withdrawal.no_room", path=path.name, size=size / MIB)
    temporary = name_beside(path)
    keys.hold(key)
    try:
        with place.told(path), BoxReader(path) as old, BoxWriter(temporary, key) as new:
            for chunk in _chunks(old):
                new.write(chunk)
                new.raise_error()
        if _digest(temporary) != _digest(path):
            raise Damaged("vault.altered", name=temporary.name)
        os.replace(temporary, path)
        system.sync_folder(path.parent)
    finally:
        drop(temporary)


def _chunks(box: BoxReader) -> Iterator[bytes]:
    while chunk := box.read(min(_CHUNK_BYTES, len(box) - box.tell())):
        yield chunk


def _digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with BoxReader(path) as box:
        for chunk in _chunks(box):
            digest.update(chunk)
    return digest.digest()
