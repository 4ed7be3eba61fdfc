"""The analyzer: recordings replayed, measured, explained and checked."""

from typing import TYPE_CHECKING

from affetti.lazy import names

if TYPE_CHECKING:
    from affetti.analyzer.agreement import agreement_of, rated
    from affetti.analyzer.analysis import Analysis, Parameters
    from affetti.analyzer.batch import Outcome, Request, analyze_files
    from affetti.analyzer.checks import Finding, Importance, inspect
    from affetti.analyzer.comparison import difference_of, totals_of
    from affetti.analyzer.demo import run_demo
    from affetti.analyzer.exports import export
    from affetti.analyzer.imports import labels_in
    from affetti.analyzer.labelling import add_labels
    from affetti.analyzer.recordings import recordings_in
    from affetti.analyzer.replay import EstimateTables, completed, other_models, replayed
    from affetti.analyzer.report import write_report
    from affetti.analyzer.study.evaluation import Evaluation, evaluated
    from affetti.analyzer.tables.csv_file import read_csv, write_csv
    from affetti.analyzer.tables.session_tables import tables_of
    from affetti.analyzer.tables.table import Table
    from affetti.analyzer.verify import Difference, Verification

__all__ = [
    "Analysis",
    "Difference",
    "EstimateTables",
    "Evaluation",
    "Finding",
    "Importance",
    "Outcome",
    "Parameters",
    "Request",
    "Table",
    "Verification",
    "add_labels",
    "agreement_of",
    "analyze_files",
    "completed",
    "difference_of",
    "evaluated",
    "export",
    "inspect",
    "labels_in",
    "other_models",
    "rated",
    "read_csv",
    "recordings_in",
    "replayed",
    "run_demo",
    "tables_of",
    "totals_of",
    "write_csv",
    "write_report",
]

_HOMES = {
    "agreement": ("agreement_of", "rated"),
    "analysis": ("Analysis", "Parameters"),
    "batch": ("Outcome", "Request", "analyze_files"),
    "recordings": ("recordings_in",),
    "checks": ("Finding", "Importance", "inspect"),
    "comparison": ("difference_of", "totals_of"),
    "demo": ("run_demo",),
    "exports": ("export",),
    "imports": ("labels_in",),
    "labelling": ("add_labels",),
    "replay": ("EstimateTables", "completed", "other_models", "replayed"),
    "report": ("write_report",),
    "study.evaluation": ("Evaluation", "evaluated"),
    "tables.csv_file": ("read_csv", "write_csv"),
    "tables.session_tables": ("tables_of",),
    "tables.table": ("Table",),
    "verify": ("Difference", "Verification"),
}

__getattr__ = names(
    __name__,
    {name: f"{__name__}.{home}:{name}" for home, offers in _HOMES.items() for name in offers},
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
