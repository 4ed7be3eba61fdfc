"""The page of a session, written by itself: once it is sealed, and again when something was added.

In a process of its own that nobody waits for and that yields to every other: sealing is over by
then, and nothing that goes wrong with a page is anything to a recording.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from affetti.core import system
from affetti.core.custody import boxes, keys
from affetti.core.custody.artefacts import PAPER, PLAIN_REPORT, REPORT, Artefact
from affetti.core.settings import Settings

_FORMS: Final[Mapping[str, Artefact]] = {"html": REPORT, "pdf": PAPER, "txt": PLAIN_REPORT}


def page_at(recording: Path, settings: Settings) -> Path | None:
    """Return where the page is that was written of a recording, encrypted or not; None: nowhere."""
    return boxes.found_at(recording.with_name(_FORMS[settings.report.form].name(recording)))


def write_page(path: str, settings: Settings) -> "subprocess.Popen[bytes] | None":
    """Begin to write the page of a recording beside it, as the settings say; None: they do not.

    Parameters
    ----------
    path
        The sealed recording.
    settings
        Whether it is written by itself, and as what.
    """
    if not settings.report.at_end:
        return None
    words = ("-P", "-m", "affetti", "report", path, "--form", settings.report.form)
    with suppress(OSError):
        process = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "NO_COLOR": "1", keys.HANDED_OVER: "stdin"},
            start_new_session=True,  # it outlives the screen
        )
        system.yield_to_others(process.pid)
        if process.stdin is not None:
            with suppress(OSError), process.stdin as pipe:  # it is gone already
                pipe.write(keys.to_hand_over())
        return process
    return None
