"""`affetti check`: whether recordings are whole and what they should be."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.analyzer.commands.arguments import JOBS, JSON, SESSIONS
from affetti.core import terminal
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.labels import label
from affetti.core.language import counted, text, word

if TYPE_CHECKING:
    from affetti.analyzer.checks import Finding
    from affetti.analyzer.replay import Progress


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
    from affetti.analyzer.batch import recordings_in
    from affetti.analyzer.checks import RULES, Importance
    from affetti.analyzer.commands.many import each
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
        terminal.print_json(
            [
                {
                    "recording": str(path),
                    "rules": len(RULES),
                    "findings": [
                        {
                            "rule": finding.rule,
                            "importance": finding.importance.name.lower(),
                            "message": finding.message,
                        }
                        for finding in findings
                    ],
                }
                for path, findings in found.items()
            ]
        )
    else:
        colours = {"CRITICAL": "red", "WARNING": "yellow", "NOTE": "cyan"}
        for path, findings in found.items():
            terminal.say(_head(path.name, len(RULES), findings))
            for finding in findings:
                name = finding.importance.name
                importance = click.style(f"{word('importance', name):<8}", fg=colours[name])
                click.echo(f"  {importance} {label(finding.message)}")
    worst = min((f.importance for each in found.values() for f in each), default=Importance.NOTE)
    if worst == Importance.CRITICAL:
        return ExitCode.DAMAGED
    if troubles:
        return troubles[0].code
    return ExitCode.WARNING if worst == Importance.WARNING else ExitCode.OK


def _inspected(path: Path, progress: "Progress | None") -> "list[Finding]":
    from affetti.analyzer.checks import inspect

    return inspect(path, progress)


def _head(name: str, rules: int, findings: list[Any]) -> str:
    if not findings:
        return text("check.nothing", name=name, rules=rules)
    return counted("check.found", len(findings), name=name, rules=rules)
