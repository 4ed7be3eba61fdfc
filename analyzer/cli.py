"""The analyzer's commands: a thin skin over the library of this package."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.core.errors import AffettiError, ExitCode
from affetti.core.language import clock_text
from affetti.core.seconds import Seconds

if TYPE_CHECKING:
    from affetti.analyzer.batch import Outcome, Request
    from affetti.analyzer.replay import Verification
    from affetti.core.recording.info import SessionInfo

_SESSION = click.argument("session", type=click.Path(path_type=Path))
_SESSIONS = click.argument(
    "sessions", metavar="SESSION...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print for a machine to read.")


@contextmanager
def _bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error; give a function of what is done and all there is."""
    with click.progressbar(length=1000, label=label, file=sys.stderr, width=30) as bar:

        def progress(done: int, total: int) -> None:
            bar.update(max(0, 1000 * done // max(total, 1) - bar.pos))

        yield progress


def _command() -> str:
    return shlex.join(["affetti", *sys.argv[1:]])


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


@click.command()
@_SESSIONS
@click.option(
    "--window",
    "window_s",
    type=Seconds(0.0, above=True),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="Length of a window.",
)
@click.option(
    "--dwell",
    "dwell_s",
    type=Seconds(0.0, above=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an expression stays on average, for the smoothing of states.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where the analyses go. [default: beside each recording]",
)
@click.option("--overwrite", is_flag=True, help="Replace an analysis that was made otherwise.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Recordings at a time. [default: one a processor]",
)
@_JSON
def analyze(
    sessions: tuple[Path, ...],
    window_s: float,
    dwell_s: float,
    output: Path | None,
    overwrite: bool,
    jobs: int | None,
    as_json: bool,
) -> int:
    r"""Compute tables of what a session expressed.

    Replays the recorded frames and sound and writes NAME.analysis: probabilities in windows,
    states and transitions, results a track, every estimate, and where they come from. A folder
    means every sealed recording in it. What was analyzed in the same way before is left as it is.

    \b
    affetti analyze sub-P07_ses-20261124T101500.h5
    affetti analyze study/ --window 10 --jobs 8
    """
    from affetti.analyzer.analysis import Parameters
    from affetti.analyzer.batch import Request, recordings_in
    from affetti.analyzer.measures.transitions import StickyChain

    parameters = Parameters(window_s=window_s, chain=StickyChain(expected_dwell_s=dwell_s))
    request = Request(parameters, output, overwrite, _command())
    paths = recordings_in(sessions)
    outcomes = [_analyze_one(paths[0], request)] if len(paths) == 1 else _many(paths, request, jobs)
    if as_json:
        _print_json([_outcome_fields(outcome) for outcome in outcomes])
    else:
        _print_outcomes(outcomes)
    failed = any(outcome.status == "failed" for outcome in outcomes)
    return ExitCode.WARNING if failed else ExitCode.OK


def _analyze_one(path: Path, request: "Request") -> "Outcome":
    from affetti.analyzer.batch import analyze_file

    with _bar(f"Replaying {path.name}") as progress:
        return analyze_file(path, request, progress)


def _many(paths: list[Path], request: "Request", jobs: int | None) -> "list[Outcome]":
    from affetti.analyzer.batch import analyze_files

    with click.progressbar(
        length=len(paths), label="Recordings", file=sys.stderr, show_pos=True
    ) as bar:
        return analyze_files(paths, request, jobs, lambda outcome: bar.update(1))


def _outcome_fields(outcome: "Outcome") -> dict[str, Any]:
    return {
        "recording": str(outcome.path),
        "status": outcome.status,
        "folder": str(outcome.folder) if outcome.folder else None,
        "duration_s": round(outcome.duration_s, 3),
        "took_s": round(outcome.took_s, 3),
        "error": outcome.error.message if outcome.error else None,
        "exit_code": int(outcome.error.code) if outcome.error else 0,
    }


def _print_outcomes(outcomes: "list[Outcome]") -> None:
    for outcome in outcomes:
        match outcome.status:
            case "written":
                click.echo(f"{outcome.path.name}: {outcome.folder}")
            case "current":
                click.echo(f"{outcome.path.name}: {outcome.folder} is up to date")
            case "failed" if outcome.error is not None:
                click.secho(f"{outcome.path.name}: {outcome.error.message}", fg="red", err=True)
                click.echo(f"    {outcome.error.hint}", err=True)
    if len(outcomes) > 1:
        counts = {
            text: sum(outcome.status == status for outcome in outcomes)
            for status, text in (
                ("written", "analyzed"),
                ("current", "up to date"),
                ("failed", "failed"),
            )
        }
        parts = [f"{count} {text}" for text, count in counts.items() if count]
        click.echo(f"{len(outcomes)} recordings: {', '.join(parts)}.")


@click.command()
@_SESSION
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="The report. [default: NAME.report.html beside the recording]",
)
def report(session: Path, output: Path | None) -> None:
    r"""Write a report for a therapist to read.

    One HTML file with everything in it, figures as well; it needs no network and holds no
    picture and no sound of the person.

    \b
    affetti report sub-P07_ses-20261124T101500.h5
    """
    from affetti.analyzer.report import write_report

    with _bar(f"Reading {session.name}") as progress:
        path = write_report(session, output, progress)
    click.echo(path)


@click.command()
@_SESSION
@_JSON
def verify(session: Path, as_json: bool) -> int:
    r"""Replay a session and compare with what was shown live.

    Every estimate is computed again from the recorded frames and sound and must be the same to
    the last digit. Ends with exit code 15 where it is not.

    \b
    affetti verify sub-P07_ses-20261124T101500.h5
    """
    from affetti.analyzer.replay import verify as verify_session
    from affetti.core.recording.session import Session

    with Session.open(session) as opened, _bar(f"Replaying {session.name}") as progress:
        found = verify_session(opened, progress)
    if as_json:
        _print_json(_verification_fields(found))
    else:
        _print_verification(session.name, found)
    return ExitCode.OK if found.reproduced else ExitCode.MISMATCH


def _verification_fields(found: "Verification") -> dict[str, Any]:
    difference = found.difference
    return {
        "reproduced": found.reproduced,
        "compared": found.compared,
        "skipped": found.skipped,
        "unrecorded": found.unrecorded,
        "other_models": found.other_models,
        "difference": difference
        and {
            "modality": difference.modality,
            "seq": difference.seq,
            "t_s": difference.t_s,
            "field": difference.field,
            "live": difference.live,
            "replayed": difference.replayed,
        },
    }


def _print_verification(name: str, found: "Verification") -> None:
    if found.other_models:
        click.echo(
            f"{name} was recorded with other models than are installed here "
            f"({', '.join(found.other_models)}): its live estimates cannot be reproduced with "
            "these. The file itself is intact."
        )
        return
    counts = ", ".join(f"{count} {kind}" for kind, count in found.compared.items())
    if found.difference is None and not any(found.compared.values()):
        click.echo(f"{name} holds no live estimate, and a replay makes none.")
    elif found.difference is None:
        click.echo(f"{name}: every live estimate was reproduced exactly ({counts}).")
    else:
        click.echo(f"{name}: the replay departs from the live estimates. First difference:")
        click.echo(f"    {found.difference}")
    if left := [f"{count} {kind}" for kind, count in found.skipped.items() if count]:
        click.echo(f"    Estimates that the live side skipped: {', '.join(left)}.")
    if lost := [f"{count} {kind}" for kind, count in found.unrecorded.items() if count]:
        click.echo(f"    The recording broke off before {', '.join(lost)} could be written.")


@click.command()
@_SESSION
@_JSON
def info(session: Path, as_json: bool) -> None:
    r"""Say what a recording holds.

    \b
    affetti info sub-P07_ses-20261124T101500.h5
    affetti info sub-P07_ses-20261124T101500.h5 --json
    """
    import msgspec

    from affetti.core.recording.session import Session

    with Session.open(session) as opened:
        found = opened.info
    if as_json:
        _print_json(msgspec.to_builtins(found))
    else:
        for label, text in _info_lines(found):
            click.echo(f"{label:<12} {_plain(text)}")


def _plain(text: str) -> str:
    """Return text on one line and without what a terminal would obey; a recording may lie."""
    return "".join(c if c.isprintable() else " " for c in text)


def _info_lines(found: "SessionInfo") -> Iterator[tuple[str, str]]:
    yield "Session", found.session_id
    yield "Person", found.person
    yield "Recorded", f"{found.wall_clock}, with Affetti {found.software_version}"
    yield "Duration", clock_text(found.duration_s)
    ending = f"ended ({found.end_reason})" if found.end_reason else "broke off"
    yield "Ending", found.recovery or ending
    agreed = [name for name in ("video", "audio") if getattr(found.consent, name)]
    yield "Consent", " and ".join(agreed) or "to neither video nor audio"
    if found.frames:
        dropped = f"{found.frames_dropped} dropped"
        yield "Video", f"{found.frames} frames, {found.frames_per_s:.2f} a second, {dropped}"
    for name, audio in found.audio.items():
        length = clock_text(audio.samples / audio.rate_hz)
        form = f"{audio.rate_hz} Hz, {audio.channels} channel{'s' if audio.channels > 1 else ''}"
        yield name.capitalize(), f"{length} ({audio.samples} samples), {form}, {audio.gaps} gaps"
    for track in found.tracks:
        end = "?" if track.end_s is None else clock_text(track.end_s)
        times = f"{clock_text(track.start_s)} to {end}"
        yield f"Track {track.track + 1}", f"{times}  {track.title} ({track.reason or 'open'})"
    for marker in found.markers:
        yield "Marker", f"{clock_text(marker.t_s)}  {marker.text}"
    for note in found.notes:
        yield "Note", f"{clock_text(note.t_s)}  {note.text}"
    estimates = ", ".join(f"{count} {name}" for name, count in found.estimates.items())
    skipped = sum(found.skipped.values())
    yield "Estimates", f"{estimates}; {skipped} skipped"


@click.command()
@_SESSIONS
@_JSON
def check(sessions: tuple[Path, ...], as_json: bool) -> int:
    r"""Check that recordings are whole and what they should be.

    Ends with exit code 0 when nothing but notes was found, 1 for warnings, and 4 for a
    recording that must not be trusted.

    \b
    affetti check sub-P07_ses-20261124T101500.h5
    affetti check study/
    """
    from affetti.analyzer.batch import recordings_in
    from affetti.analyzer.checks import RULES, Importance, inspect

    found = {}
    for path in recordings_in(sessions):
        with _bar(f"Checking {path.name}") as progress:
            found[path] = inspect(path, progress)
    if as_json:
        _print_json(
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
            click.echo(f"{path.name}: {len(RULES)} rules, " + _count(findings))
            for finding in findings:
                name = finding.importance.name
                click.echo(
                    f"  {click.style(f'{name:<8}', fg=colours[name])} {_plain(finding.message)}"
                )
    worst = min((f.importance for each in found.values() for f in each), default=Importance.NOTE)
    return {Importance.CRITICAL: ExitCode.DAMAGED, Importance.WARNING: ExitCode.WARNING}.get(
        worst, ExitCode.OK
    )


def _count(findings: list[Any]) -> str:
    if not findings:
        return "nothing found."
    return f"{len(findings)} finding{'s' if len(findings) > 1 else ''}:"


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path(path_type=Path))
def recover(paths: tuple[Path, ...]) -> int:
    r"""Seal recordings that broke off, and say what was lost.

    PATH is a recording, one of its segments, or a folder of them; without one, the folder of
    the settings is looked through.

    \b
    affetti recover
    affetti recover sub-P07_ses-20261124T101500.h5
    """
    from affetti.core import settings
    from affetti.core.cli import complain
    from affetti.core.custody.recovery import unsealed
    from affetti.core.recording.sealing import seal

    targets = unsealed(paths or (settings.load().folder,))
    if not targets:
        click.echo("Nothing to recover: every recording there is sealed.")
    failures, whole = [], True
    for target in targets:
        try:
            with _bar(f"Sealing {target.name}") as progress:
                done = seal(target, progress)
            click.echo(f"{done.path}: {done.statement}")
            whole = whole and done.whole
        except AffettiError as error:
            failures.append(error)
            complain(error)
    if len(targets) == 1 and failures:
        return failures[0].code
    return ExitCode.WARNING if failures or not whole else ExitCode.OK


@click.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("affetti-demo"),
    show_default=True,
    metavar="FOLDER",
    help="Where the analysis and the report go.",
)
def demo(output: Path) -> None:
    r"""Replay the bundled sample session and write its report.

    Needs no camera, no sound card and no network.

    \b
    affetti demo
    affetti demo --output /tmp/affetti-demo
    """
    from affetti.analyzer.demo import run_demo

    with _bar("Replaying the sample session") as progress:
        done = run_demo(output, _command(), progress)
    click.echo(
        f"Replayed {done.duration_s:.0f} s of a real recording in {done.took_s:.1f} s: the face, "
        "the music and both fused.\n"
        f"Tables for research:  {done.analysis}\n"
        f"Report for reading:   {done.report}"
    )
