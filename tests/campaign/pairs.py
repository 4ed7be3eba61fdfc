"""Two of everything at once: one recording is sealed once, whoever comes first."""

import os
import random
import shutil
import time
from contextlib import suppress
from pathlib import Path

from affetti.core.custody.recovery import sealed
from affetti.core.errors import ExitCode, FileMissing
from affetti.core.recording.session import Session
from tests.campaign.session import NAME, events
from tests.campaign.torn import _pristine


def trial(folder: Path, seed: int) -> None:
    """Recover in two processes at once."""
    chance = random.Random(seed)
    work = folder / f"pair-{seed}"
    shutil.copytree(_pristine(), work)
    assert recovered_by_two(work / NAME, chance) == [0, 0]
    assert [path.name for path in work.iterdir()] == [NAME]
    with Session.open(work / NAME) as session:
        session.verify_digest()
        assert len(session) == len(events())
    shutil.rmtree(work)


def recovered_by_two(target: Path, chance: random.Random) -> list[int]:
    """Recover one in two processes at once; return with what they ended.

    They are forked: no other thread may be at work here.
    """
    start = time.monotonic() + 0.2
    children = [_child(target, start + chance.uniform(0, 0.05)) for _ in range(2)]
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def _child(target: Path, start: float) -> int:
    child = os.fork()
    if child:
        return child
    with suppress(BaseException):
        time.sleep(max(0.0, start - time.monotonic()))
        try:
            sealed(target)
        except FileMissing as error:  # the other was here, and is done
            os._exit(0 if target.exists() else error.code)
        os._exit(0)
    os._exit(ExitCode.INTERNAL)
