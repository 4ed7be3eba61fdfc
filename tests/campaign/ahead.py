"""Recordings that are killed while they are being sealed ahead: what the others promise, and more.

What a kill leaves is searched before anything reads it. Of an encrypted recording it must say
nothing, the draft of the sealed file included, and no nonce may be there twice. Every fourth
is told to end first, so that some are killed while the rest is sealed; every sixth is recovered
while it runs, which has to be refused, and by two at once when it is dead.
"""

import random
import shutil
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Final
from unittest.mock import patch

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import keys, vault
from affetti.core.custody.recovery import sealed
from affetti.core.custody.temporary import leftovers
from affetti.core.errors import FileMissing, Unsealed
from affetti.core.recording import ahead
from affetti.core.recording.ahead import Ahead
from affetti.core.recording.names import parts_of
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from tests import second_vault
from tests.campaign.session import NAME, SMALL, events
from tests.campaign.victims import (
    Victim,
    lost_on_a_slow_disk,
    recorded_until,
    recording,
    recovered,
    removed,
)
from tests.conftest import SESSION_ID
from tests.recorder.test_kill import AT_MOST_LOST_S

_WORDS: Final = (b"marker", b"QZ41X", b"SessionStarted", b"FrameCaptured", b'"t_ns"')
_ONE_OF: Final = 25  # pictures is looked for,
_RUN: Final = 24  # and so many bytes of it
_SHORT_PARTS: Final = "[log]\npart_s = 5\n"
_AT_THE_END_S: Final = 1.5
_PATIENCE_S: Final = 120


def kill(folder: Path, seed: int) -> float:
    """Kill a recording of some seconds that is sealed ahead; return the seconds that were lost."""
    chance = random.Random(seed)
    environment = {"seal_ahead": str(chance.uniform(1.0, 4.0))}
    settings = _SHORT_PARTS if seed % 3 else ""
    return _killed(folder / f"ahead-{seed}", seed, chance.uniform(0.0, 12.0), environment, settings)


def kill_after_a_minute(folder: Path, seed: int) -> float:
    """Kill a recording of some minutes, as it is; return the seconds that were lost."""
    return _killed(folder / f"minute-{seed}", seed, random.Random(seed).uniform(0.0, 45.0))


def kill_on_a_slow_disk(folder: Path, seed: int) -> float:
    """Kill one that is sealed ahead on a disk that takes 2.5 s each time; return what was lost."""
    work = folder / f"slow-{seed}"
    environment = {"seal_ahead": "2.0"}
    lost_s = lost_on_a_slow_disk(work, seed, lambda target: bool(leftovers(target)), environment)
    _see_nothing_beside(work / NAME)
    shutil.rmtree(work)
    return lost_s


def _killed(
    work: Path,
    seed: int,
    after_s: float,
    environment: dict[str, str] | None = None,
    settings: str = "",
) -> float:
    chance = random.Random(seed)
    owner = X25519PrivateKey.generate() if seed % 2 else None
    options: tuple[str, ...] = ("--person", "QZ41X")
    if seed % 5 == 4:
        options = (*options, "--keep", "estimates")
    if owner:
        recipient = vault.recipient_text(owner.public_key().public_bytes_raw())
        options = (*options, "--recipient", recipient)
    with recording(work, options, environment, settings) as victim:
        _tell_markers(victim, chance, after_s)
        draft = leftovers(victim.target)
        if seed % 6 == 5:
            _refused_to_two(victim.target)
            assert leftovers(victim.target) == draft
        ends = seed % 4 == 3
        over = victim.tell_to_end(chance.uniform(0.0, _AT_THE_END_S)) if ends else time.time()
        victim.kill()
    if owner is not None:
        _see_no_word(victim.target, owner)
        keys.hold_private(owner.public_key().public_bytes_raw(), owner.private_bytes_raw())
    lost_s = _brought_back(victim, over, seed, ended=ends)
    if owner is not None:
        _see_encrypted(victim.target)
    removed(victim.target, seed)
    shutil.rmtree(work)
    return lost_s


def _tell_markers(victim: Victim, chance: random.Random, after_s: float) -> None:
    """Tell it markers until so long after a draft was begun."""
    patience, end, sent = time.monotonic() + _PATIENCE_S, None, 0
    while end is None or time.monotonic() < end:
        if end is None and leftovers(victim.target):
            end = time.monotonic() + after_s
        assert end is not None or time.monotonic() < patience, "no draft was begun"
        time.sleep(chance.uniform(0.0, 0.3))
        victim.mark(f"marker {sent}")
        sent += 1


def _brought_back(victim: Victim, over: float, seed: int, *, ended: bool) -> float:
    """Recover it, unless it is sealed; return the seconds that were lost."""
    target = victim.target
    if parts_of(target):
        if seed % 6 == 5:
            _recovered_by_two(target)
        else:
            assert recovered(target).recovered or ended
    _see_nothing_beside(target)
    lost_s = over - recorded_until(target)
    with Session.open(target) as session:
        session.verify_digest()
        assert session.info.recovered or ended
        labels = [marker.label for marker in session.markers]
        said_s = session.info.lost_s
    assert labels == [f"marker {i}" for i in range(len(labels))]
    assert len(labels) >= victim.acknowledged > 0, "a marker was lost"
    assert lost_s <= AT_MOST_LOST_S, f"{lost_s:.2f} s lost"
    assert lost_s <= said_s or ended, f"{lost_s:.2f} s lost, {said_s:.2f} s said"
    return lost_s


def _recovered_by_two(target: Path) -> None:
    """Recover it twice at once, in threads: a fork would hold the locks of the other trials."""

    def recovered_once(_: int) -> None:
        with suppress(FileMissing):  # the other was here, and is done
            sealed(target)

    with ThreadPoolExecutor(2) as both:
        list(both.map(recovered_once, range(2)))
    assert target.exists()


def _refused_to_two(target: Path) -> None:
    """See that nobody recovers what is being recorded."""

    def refused(_: int) -> None:
        with pytest.raises(Unsealed):
            sealed(target)

    with ThreadPoolExecutor(2) as both:
        list(both.map(refused, range(2)))


def _see_nothing_beside(target: Path) -> None:
    left = {path.name for path in target.parent.iterdir()}
    assert left <= {target.name, target.with_suffix(".toml").name, "state"}, left
    assert target.name in left


def _see_no_word(target: Path, owner: X25519PrivateKey) -> None:
    """See that what a kill left says nothing without its key, and that no nonce is there twice."""
    left = [*parts_of(target), *leftovers(target), *filter(Path.exists, [target])]
    told = {path: path.read_bytes() for path in left}
    logs = [p for p in (target.parent / "state").rglob("*") if p.is_file()]
    words = (*_WORDS, *_pieces_of_pictures(target, owner))
    for path, data in [*told.items(), *((path, path.read_bytes()) for path in logs)]:
        assert not [word for word in words if word in data], path.name
    used = [nonce for part in parts_of(target) for nonce, _ in second_vault.records(part, owner)]
    for path in leftovers(target):
        used += nonces_of_draft(told[path], owner)
    assert len(used) == len(set(used))


def _pieces_of_pictures(target: Path, owner: X25519PrivateKey) -> Iterator[bytes]:
    for part in parts_of(target):
        for number, (_, record) in enumerate(second_vault.records(part, owner)):
            if b"FrameCaptured" in record[:200] and number % _ONE_OF == 0:
                middle = len(record) // 2
                yield record[middle : middle + _RUN]


def nonces_of_draft(data: bytes, owner: X25519PrivateKey) -> list[bytes]:
    """Return the nonces of a draft's pages, found by trying: its table is not written yet."""
    if len(data) < 16 or not data.startswith(second_vault.BOX):
        assert not data
        return []
    cipher, length = second_vault.data_key(data[16:], owner)
    found, at, stored = [], 16 + length, second_vault.PAGE + second_vault.TAG
    pages = (len(data) - at) // stored
    for page in range(pages):
        cut = data[at + page * stored : at + (page + 1) * stored]
        if any(cut):  # else it is a hole: nothing was written there yet
            found.append(_nonce_of(cipher, data[8:16], page, cut))
    return found


def _nonce_of(cipher: second_vault.AESGCM, begin: bytes, page: int, stored: bytes) -> bytes:
    for number in sorted(range(1, 1 << 14), key=lambda n: abs(n - page - 1)):
        nonce = begin + struct.pack("<I", number)
        try:
            cipher.decrypt(nonce, stored, struct.pack("<Q", page))
        except InvalidTag:
            continue
        return nonce
    raise AssertionError("a page of the draft cannot be decrypted")


def _see_encrypted(target: Path) -> None:
    with Session.open(target) as session:
        assert session.key is not None


def written_and_sealed(
    target: Path, key: keys.DataKey | None, told: Callable[[int], object]
) -> None:
    """Write the session of the trials while it is sealed ahead, and seal it, in one process.

    `told` hears of each event once it is written. It waits for what seals
    every few events, so that the calls of both come in much the same order each time.
    """
    log = PartLog(target, SESSION_ID, SMALL, key)
    with patch.object(ahead, "_EVERY_S", 0.002), closing(Ahead(target, 0.0)) as made:
        for number, (event, blob) in enumerate(events(), start=1):
            told(log.append(event, blob).seq)
            if number % 4 == 0:
                _wait_for(made, number)
        log.close()
        seal(target, ahead=made)


def _wait_for(made: Ahead, count: int) -> None:
    while made._thread.is_alive() and (made._draft is None or len(made._draft._seqs) < count):
        time.sleep(0.001)
