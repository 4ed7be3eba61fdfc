"""The bundled sample session, analyzed and reported: what `affetti demo` does."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from affetti.analyzer.analysis import Parameters, analyze
from affetti.analyzer.provenance import folder_of, origin_of, refuse_unwritable, write_analysis
from affetti.analyzer.replay import Progress, replayed
from affetti.analyzer.report import html_of, report_path, save_report
from affetti.core.errors import FileMissing
from affetti.core.recording.session import Session

SAMPLE: Final = Path(__file__).parent.parent / "sample_sessions" / "sample.h5"


@dataclass(frozen=True)
class Demo:
    """What the demo wrote, and how fast."""

    analysis: Path
    report: Path
    duration_s: float
    took_s: float


def run_demo(output: Path, command: str, progress: Progress | None = None) -> Demo:
    """Replay the sample session and write its analysis and its report into `output`.

    Raises
    ------
    AffettiError
        The sample is not there, or `output` cannot be written.
    """
    if not SAMPLE.exists():
        raise FileMissing("demo.sample_session_not_at", path=SAMPLE)
    began = time.monotonic()
    folder, report = folder_of(SAMPLE, output), report_path(SAMPLE, output)
    refuse_unwritable(folder)
    with Session.open(SAMPLE) as session:
        parameters = Parameters()
        analysis = analyze(session, replayed(session, progress), parameters)
        write_analysis(analysis, origin_of(session, parameters), SAMPLE, folder, command)
    save_report(html_of(analysis).encode(), report, analysis.info.session_id)
    return Demo(folder, report, analysis.info.duration_s, time.monotonic() - began)
