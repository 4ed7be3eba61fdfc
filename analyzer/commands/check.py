"""`affetti check`: whether recordings are whole and what they should be."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from affetti.analyzer.commands.arguments import JOBS, JSON, SESSIONS
from affetti.core import terminal
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.labels import label
from affetti.core.language import counted, text, word

if TYPE_CHECKING:
    from affetti.analyzer.checks import Finding
    from affetti.analyzer.replay import Progress

_COLOURS: Final = {"CRITICAL": "red", "WARNING": "yellow", "NOTE": "cyan"}


@click.command()
@SESSIONS
@JOBS
@JSON
def check(sessions: tuple[Path, ...], jobs: int | None, as_json: bool) -> int:
    """Check that recordings are whole and what they should be.

    Ends with exit code 0 when nothing but notes was found, 1 for warnings, 4 for a recording
    that must not be trusted, and 8 for a file that cannot be read, of which nothing is known.

    \b
    affetti check sub-P07_ses-20261124T101500.h5
    affetti check study/
    """
    from affetti.analyzer.checks import Importance
    from affetti.analyzer.commands.many import each
    from affetti.analyzer.recordings import recordings_in
    from affetti.core.cli import complain

    found, troubles = {}, []
    paths = recordings_in(sessions)
    try:
        for path, findings in each(paths, _inspected, "bar.checking", jobs):
            if isinstance(findings, AffettiError):
                troubles.append(findings)
            else:
                found[path] = findings
    except AffettiError as error:
        troubles.append(error)
        complain(error)
    if as_json:
        terminal.print_json([_entry(path, findings) for path, findings in found.items()])
    else:
        for path, findings in found.items():
            _print(path, findings)
    worst = min((f.importance for each in found.values() for f in each), default=Importance.NOTE)
    if worst == Importance.CRITICAL:
        return ExitCode.DAMAGED
    if troubles:
        return troubles[0].code
    return ExitCode.WARNING if worst == Importance.WARNING else ExitCode.OK


def _inspected(path: Path, progress: "Progress | None") -> "list[Finding]":
    from affetti.analyzer.checks import inspect

    return inspect(path, progress)


def _entry(path: Path, findings: "list[Finding]") -> dict[str, Any]:
    """Return what was found in a recording, for `--json`."""
    from affetti.analyzer.checks import RULES

    told = [
        {
            "rule": finding.rule,
            "importance": finding.importance.name.lower(),
            "message": finding.message,
        }
        for finding in findings
    ]
    return {"recording": str(path), "rules": len(RULES), "findings": told}


def _print(path: Path, findings: "list[Finding]") -> None:
    """Print what was found in a recording, a line each."""
    terminal.say(_head(path.name, findings))
    for finding in findings:
        name = finding.importance.name
        importance = click.style(f"{word('importance', name):<8}", fg=_COLOURS[name])
        click.echo(f"  {importance} {label(finding.message)}")


def _head(name: str, findings: "list[Finding]") -> str:
    from affetti.analyzer.checks import RULES

    if not findings:
        return text("check.nothing", name=name, rules=len(RULES))
    return counted("check.found", len(findings), name=name, rules=len(RULES))
