"""The same analysis for many recordings, in processes of their own."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Literal

from affetti.analyzer.analysis import Parameters, analyze
from affetti.analyzer.pool import Executor, attempted, refuse_one_target, refuse_without_guard
from affetti.analyzer.provenance import (
    folder_of,
    found_origin,
    is_written,
    note_elsewhere,
    origin_of,
    refuse_other,
    refuse_unwritable,
    write_analysis,
)
from affetti.analyzer.replay import Progress, recorded_offer, replayed
from affetti.analyzer.stored import Stored, stored
from affetti.analyzer.tables.parquet_file import pyarrow
from affetti.core.custody.standing import standing
from affetti.core.errors import AffettiError, UsageError
from affetti.core.recording.session import Session, session_id_of
from affetti.models.pipelines import offered

NAMED: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")  # what an analysis may be called


@dataclass(frozen=True)
class Request:
    """What to do with every recording.

    Attributes
    ----------
    parameters
        Of the analysis.
    output
        The folder that analyses go to; None puts each beside its recording.
    overwrite
        Whether to replace an analysis that was made otherwise.
    command
        As typed, for the provenance.
    pipeline
        The name of what perceives and fuses; None is the pipeline of each recording.
    spreadsheet
        Whether the tables are to be opened in one.
    altered
        Whether a recording that was altered after it was sealed is analyzed all the same.
    plain
        Whether the analysis of an encrypted recording is written without encryption.
    stored
        Whether estimates that were recorded are taken where they are what a replay would give.
    name
        Of the analysis, so that several of one recording stand beside each other; "" for none.
    parquet
        Whether the tables are written as Parquet as well.
    """

    parameters: Parameters = field(default_factory=Parameters)
    output: Path | None = None
    overwrite: bool = False
    command: str = ""
    pipeline: str | None = None
    spreadsheet: bool = False
    altered: bool = False
    plain: bool = False
    stored: bool = False
    name: str = ""
    parquet: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of one recording.

    Attributes
    ----------
    status
        "written"; "current", when the very same analysis was there already; or "failed".
    duration_s, took_s
        Length of the recording, and how long its analysis took.
    error
        Why it failed.
    """

    path: Path
    status: Literal["written", "current", "failed"]
    folder: Path | None = None
    duration_s: float = 0.0
    took_s: float = 0.0
    error: AffettiError | None = None


def analyze_file(path: Path, request: Request, progress: Progress | None = None) -> Outcome:
    """Analyze one recording and write its folder.

    Raises
    ------
    AffettiError
        It cannot be read or is damaged, or its folder holds another analysis.
    """
    began = time.monotonic()
    with Session.open(path, altered=request.altered) as session:
        if request.altered:
            session.notice_alterations()
        own = recorded_offer(session)
        offer = own if request.pipeline is None else offered(request.pipeline)
        other = "" if offer.pipeline == own.pipeline else offer.pipeline.name
        folder = folder_of(path, request.output, request.name or other)
        origin = origin_of(
            session,
            request.parameters,
            offer,
            spreadsheet=request.spreadsheet,
            stored=request.stored,
            parquet=request.parquet,
        )
        key = None if request.plain else session.key
        if origin.is_served_by(found_origin(folder)) and is_written(folder, key):
            return Outcome(path, "current", folder, session.duration_s)
        if not request.overwrite:
            refuse_other(folder, origin)
        refuse_unwritable(folder)
        if request.parquet:
            pyarrow()
        verified = not request.altered  # as it is read; else it was looked at above
        if request.stored:
            found = stored(session, progress, offer, verified=verified)
        else:
            found = Stored(replayed(session, progress, offer, verified=verified))
        analysis = analyze(session, found.tables, request.parameters)
    with standing([session.source]):
        write_analysis(analysis, origin, path, folder, request.command, key=key, stored=found)
        note_elsewhere(path, session.key, folder, key)
    return Outcome(path, "written", folder, session.duration_s, time.monotonic() - began)


def analyze_files(
    paths: list[Path],
    request: Request,
    jobs: int | None = None,
    done: Callable[[Outcome], object] = lambda outcome: None,
    executor: Executor | None = None,
) -> list[Outcome]:
    """Analyze many recordings, `jobs` at a time; one that fails does not stop the others.

    Parameters
    ----------
    paths
        The recordings; `recordings_in` finds those of a folder.
    request
        What to do with each.
    jobs
        How many processes; by default one a processor.
    done
        Called with each outcome as it comes.
    executor
        What carries it out; by default `jobs` processes here, and `analyzer.cluster.Cluster`
        through Dask.

    Returns
    -------
    The outcomes, in the order of `paths`.

    Raises
    ------
    AffettiError
        Two recordings would write into the same folder, or the script that calls this lacks its
        guard.
    """
    folders = {path: folder_of(path, request.output, request.name) for path in paths}
    refuse_one_target(folders, "batch.would_write_into_same")
    refuse_without_guard()
    outcomes = {path: _failed(path, error) for path, error in _twins(paths).items()}
    for outcome in outcomes.values():
        done(outcome)
    left = [path for path in paths if path not in outcomes]
    work = partial(analyze_file, request=request)
    for path, found in attempted(work, left, jobs, "batch", executor):
        outcomes[path] = found if isinstance(found, Outcome) else _failed(path, found)
        done(outcomes[path])
    return [outcomes[path] for path in paths]


def _failed(path: Path, error: AffettiError) -> Outcome:
    return Outcome(path, "failed", error=error)


def _twins(paths: list[Path]) -> dict[Path, AffettiError]:
    """Return what is wrong with files that hold the session of an earlier one."""
    first: dict[str, Path] = {}
    found: dict[Path, AffettiError] = {}
    for path in paths:
        try:
            session_id = session_id_of(path)
        except AffettiError:
            continue  # its own analysis says what is wrong with it
        if (other := first.setdefault(session_id, path)) is not path:
            found[path] = UsageError(
                "batch.holds_same_session_analyzed", path=path.name, other=other
            )
    return found
