"""`affetti check`: whether recordings are whole and what they should be."""

from pathlib import Path
from typing import Any

import click

from affetti.analyzer.commands.arguments import JSON, SESSIONS
from affetti.analyzer.commands.output import bar
from affetti.core import terminal
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.labels import label
from affetti.core.language import counted, text, word


@click.command()
@SESSIONS
@JSON
def check(sessions: tuple[Path, ...], as_json: bool) -> int:
    """Check that recordings are whole and what they should be.

    Ends with exit code 0 when nothing but notes was found, 1 for warnings, 4 for a recording
    that must not be trusted, and 8 for a file that cannot be read, of which nothing is known.

    \b
    affetti check sub-P07_ses-20261124T101500.h5
    affetti check study/
    """
    from affetti.analyzer.batch import recordings_in
    from affetti.analyzer.checks import RULES, Importance, inspect
    from affetti.core.cli import complain

    found, troubles = {}, []
    for path in recordings_in(sessions):
        try:
            with bar(text("bar.checking", name=path.name)) as progress:
                found[path] = inspect(path, progress)
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


def _head(name: str, rules: int, findings: list[Any]) -> str:
    if not findings:
        return text("check.nothing", name=name, rules=rules)
    return counted("check.found", len(findings), name=name, rules=rules)
