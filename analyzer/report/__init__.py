"""The page of one session, in plain language: HTML, PDF and text say the same.

The screen takes its words from here, too, and must not load what writes a page for them.
"""

from typing import TYPE_CHECKING

from affetti.lazy import names

if TYPE_CHECKING:
    from affetti.analyzer.report.page import html_of, report_path, save_report, write_report

__all__ = ["html_of", "report_path", "save_report", "write_report"]

__getattr__ = names(__name__, {name: f"{__name__}.page:{name}" for name in __all__})
