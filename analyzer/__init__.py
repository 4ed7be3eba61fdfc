"""The analyzer: recordings replayed, measured, explained and checked."""

from typing import TYPE_CHECKING

from affetti.lazy import names

if TYPE_CHECKING:
    from affetti.analyzer.analysis import Analysis, Parameters
    from affetti.analyzer.batch import Outcome, Request, analyze_files, recordings_in
    from affetti.analyzer.checks import Finding, Importance, inspect
    from affetti.analyzer.demo import run_demo
    from affetti.analyzer.replay import EstimateTables, completed, other_models, replayed
    from affetti.analyzer.report import write_report
    from affetti.analyzer.tables import Table, tables_of
    from affetti.analyzer.tables.csv_file import read_csv, write_csv
    from affetti.analyzer.verify import Difference, Verification

__all__ = [
    "Analysis",
    "Difference",
    "EstimateTables",
    "Finding",
    "Importance",
    "Outcome",
    "Parameters",
    "Request",
    "Table",
    "Verification",
    "analyze_files",
    "completed",
    "inspect",
    "other_models",
    "read_csv",
    "recordings_in",
    "replayed",
    "run_demo",
    "tables_of",
    "write_csv",
    "write_report",
]

_HOMES = {
    "analysis": ("Analysis", "Parameters"),
    "batch": ("Outcome", "Request", "analyze_files", "recordings_in"),
    "checks": ("Finding", "Importance", "inspect"),
    "demo": ("run_demo",),
    "replay": ("EstimateTables", "completed", "other_models", "replayed"),
    "report": ("write_report",),
    "tables": ("Table", "tables_of"),
    "tables.csv_file": ("read_csv", "write_csv"),
    "verify": ("Difference", "Verification"),
}

__getattr__ = names(
    __name__,
    {name: f"{__name__}.{home}:{name}" for home, offers in _HOMES.items() for name in offers},
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
