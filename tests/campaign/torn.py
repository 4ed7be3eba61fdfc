"""A page that was half written: a torn row costs nothing, a torn record itself alone."""

import random
import shutil
from functools import cache
from pathlib import Path

import h5py

from affetti.core.events import SessionRecovered
from affetti.core.recording.names import parts_of
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from tests.campaign.session import NAME, events, lasting_folder, log

_PAGE = 4096
_EVENTS = len(events())


@cache
def _pristine() -> Path:
    return log(lasting_folder()).parent


def trial(folder: Path, seed: int) -> None:
    """Tear a row of an index, or a record, at a border of a page or anywhere, and seal."""
    chance = random.Random(seed)
    work = folder / f"torn-{seed}"
    shutil.copytree(_pristine(), work)
    part = chance.choice(parts_of(work / NAME))
    with h5py.File(part, locking=False) as file:
        rows = file["index"][:]
        index_at, log_at = file["index"].id.get_offset(), file["log"].id.get_offset()
        size = file["index"].dtype.itemsize
    written = [i for i, row in enumerate(rows) if row["length"]]
    number = chance.choice(written)
    row = rows[number]
    is_row = chance.random() < 0.7
    begin = index_at + number * size if is_row else log_at + int(row["offset"])
    length = size if is_row else int(row["length"])
    _tear(part, begin, length, chance)
    report = seal(work / NAME)
    with Session.open(work / NAME) as session:
        session.verify_digest()
        kept = {e.seq for e in session.events if not isinstance(e, SessionRecovered)}
    lost = set() if is_row else {int(row["seq"])} - {0}  # which has a copy
    assert set(range(_EVENTS)) - kept == lost, f"lost {set(range(_EVENTS)) - kept}, tore {lost}"
    assert not lost or report.recovered
    shutil.rmtree(work)


def _tear(part: Path, begin: int, length: int, chance: random.Random) -> None:
    """Take back what stands behind a point within a stretch, as if it had not been written."""
    border = begin + _PAGE - begin % _PAGE
    inside = begin < border < begin + length
    cut = border if inside and chance.random() < 0.5 else begin + chance.randrange(length)
    with part.open("r+b") as file:
        file.seek(cut)
        old = file.read(begin + length - cut)
        new = chance.choice([bytes(len(old)), chance.randbytes(len(old))])
        if new == old:  # what is zero already is not torn
            new = b"\xff" * len(old)
        file.seek(cut)
        file.write(new)
