"""`affetti verify`: whether a replay gives what was shown live."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.analyzer.commands.arguments import JOBS, JSON, SESSIONS
from affetti.core import terminal
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.labels import label
from affetti.core.language import text
from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.analyzer.replay import Progress
    from affetti.analyzer.verify import Verification


@click.command()
@SESSIONS
@click.option(
    "--zoo",
    "zoos",
    type=TypedPath(path_type=Path),
    multiple=True,
    metavar="FOLDER",
    help="A folder of model folders in which models of older versions lie; give it again.",
)
@JOBS
@JSON
def verify(
    sessions: tuple[Path, ...], zoos: tuple[Path, ...], jobs: int | None, as_json: bool
) -> int:
    """Replay sessions and compare with what was shown live.

    Every estimate is computed again from the recorded frames and sound. On the kind of machine
    that recorded it is the same to the last digit; on another it may differ within the tolerance
    that each of its fields declares. Ends with exit code 15 where it departs.

    The pipeline and the very models of the recording are used; those of an older version are
    looked for in --zoo. A folder means every sealed recording in it and below.

    \b
    affetti verify sub-P07_ses-20261124T101500.h5
    affetti verify study/ --jobs 8
    """
    from affetti.analyzer.commands.many import each, worst
    from affetti.analyzer.recordings import recordings_in

    paths, fields, codes = recordings_in(sessions), [], []
    for path, found in each(paths, partial(_verified, zoos=zoos), "bar.replaying", jobs):
        if isinstance(found, AffettiError):
            continue
        codes.append(ExitCode.OK if found.reproduced else ExitCode.MISMATCH)
        fields.append({"recording": str(path), **_verification_fields(found)})
        if not as_json:
            _print_verification(path.name, found)
    if as_json:
        terminal.print_json(fields[0] if sessions == tuple(paths) and len(paths) == 1 else fields)
    return worst(codes, len(paths) - len(codes))


def _verified(path: Path, progress: "Progress | None", zoos: tuple[Path, ...]) -> "Verification":
    from affetti.analyzer.verify import verify as verify_session
    from affetti.core.recording.session import Session

    with Session.open(path) as session:
        return verify_session(session, progress, zoos)


def _verification_fields(found: "Verification") -> dict[str, Any]:
    import msgspec

    difference = found.difference
    return {
        "verdict": found.verdict,
        "reproduced": found.reproduced,
        "compared": found.compared,
        "differing": found.differing,
        "one_sided": found.one_sided,
        "largest": found.largest,
        "skipped": found.skipped,
        "unrecorded": found.unrecorded,
        "unprovable": found.unprovable,
        "other_models": found.other_models,
        "proved_by": found.proved_by,
        "pipeline": found.pipeline,
        "reason": found.reason,
        "recorded_on": msgspec.to_builtins(found.recorded_on),
        "replayed_on": msgspec.to_builtins(found.replayed_on),
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
    if found.proved_by is not None:
        click.echo(label(_elsewhere(name, found)))
        click.echo("    " + text("verify.intact"))
        return
    first, *rest = _verdict_lines(name, found)
    for line in (first, *(f"    {line}" for line in rest)):
        click.echo(label(line))
    if left := _counts(found.skipped):
        click.echo("    " + text("verify.skipped", estimates=left))
    if lost := _counts(found.unrecorded):
        click.echo("    " + text("verify.unrecorded", estimates=lost))
    if unkept := _counts(found.unprovable):
        click.echo("    " + text("verify.unprovable", estimates=unkept))


def _elsewhere(name: str, found: "Verification") -> str:
    message = "verify.other_models" if found.other_models else "verify.other_perception"
    models = ", ".join(found.other_models)
    return text(message, name=name, models=models, version=found.proved_by)


def _verdict_lines(name: str, found: "Verification") -> Iterator[str]:
    counts = ", ".join(f"{count} {kind}" for kind, count in found.compared.items())
    if found.verdict == "identical":
        yield text(f"verify.{_identical(found)}", name=name, counts=counts)
        return
    if found.verdict == "departs":
        yield text("verify.departs", name=name)
        yield str(found.difference)
    else:
        yield text("verify.within", name=name, counts=counts)
        yield text("verify.differing", estimates=_counts(found.differing))
        yield from _largest_lines(found)
    why = found.reason or text("verify.same_machine")
    yield text("verify.why", why=f"{why[0].upper()}{why[1:]}")


def _identical(found: "Verification") -> str:
    left_out = any(found.unprovable.values())
    if any(found.compared.values()):
        return "identical_rest" if left_out else "identical"
    return "nothing_left" if left_out else "nothing"


def _largest_lines(found: "Verification") -> Iterator[str]:
    largest = (
        f"{kind} {f} {x:.3g}" for kind, all_ in found.largest.items() for f, x in all_.items()
    )
    if listed := ", ".join(largest):
        yield text("verify.largest", fields=listed)
    if sided := _counts(found.one_sided):
        yield text("verify.one_sided", estimates=sided)


def _counts(by_kind: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in by_kind.items() if count)
