"""A stretch of a session as a film for the system's player, there only while it is looked at.

It lies beside its recording under a name of the register, so that one that a power cut left there
is found, forgotten and withdrawn with it. Of an encrypted recording it is an export, and noted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.exports import Progress, Source, film
from affetti.core.custody import exports
from affetti.core.custody.artefacts import COPY
from affetti.core.custody.temporary import drop
from affetti.core.errors import FileMissing, UsageError
from affetti.core.recording.session import Session

MAX_S: Final = 600.0
_SUFFIX: Final = ".opened.mp4"


def opened_at(recording: Path) -> Path:
    """Return where the film of a stretch of a recording lies while it is looked at."""
    return recording.with_name(COPY.name(recording, _SUFFIX))


@contextmanager
def stretch(
    session: Session, analysis: Analysis, start_s: float, stop_s: float, progress: Progress
) -> Iterator[Path]:
    """Give the film of a stretch, and remove it afterwards.

    Parameters
    ----------
    session, analysis
        The open recording, and what was found in it.
    start_s, stop_s
        Session time.
    progress
        Called with what is done of what there is to do.

    Raises
    ------
    AffettiError
        There are no pictures in it, it is too long, or it cannot be written.
    """
    if not 0 <= start_s < stop_s <= start_s + MAX_S:
        raise UsageError("review.no_stretch", longest=round(MAX_S / 60))
    target = opened_at(session.path)
    source = Source(session, analysis, progress, (start_s, stop_s))
    try:
        target.unlink(missing_ok=True)  # what a power cut left
        film.write(source, target, "mp4")
        if session.key is not None:
            exports.note(session.path, session.key, "mp4", target)
        yield target
    except OSError as error:
        raise FileMissing("export.cannot_be_written", path=target, error=error.strerror) from error
    finally:
        drop(target)
