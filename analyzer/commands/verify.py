"""`affetti verify`: whether a replay gives what was shown live."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.analyzer.commands.arguments import JSON, SESSION
from affetti.analyzer.commands.output import bar, plain, print_json
from affetti.core.errors import ExitCode

if TYPE_CHECKING:
    from affetti.analyzer.verify import Verification


@click.command()
@SESSION
@click.option(
    "--zoo",
    "zoos",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FOLDER",
    help="A folder of model folders in which models of older versions lie; give it again.",
)
@JSON
def verify(session: Path, zoos: tuple[Path, ...], as_json: bool) -> int:
    """Replay a session and compare with what was shown live.

    Every estimate is computed again from the recorded frames and sound. On the kind of machine
    that recorded it is the same to the last digit; on another it may differ within the tolerance
    that each of its fields declares. Ends with exit code 15 where it departs.

    The pipeline and the very models of the recording are used; those of an older version are
    looked for in --zoo.

    \b
    affetti verify sub-P07_ses-20261124T101500.h5
    """
    from affetti.analyzer.verify import verify as verify_session
    from affetti.core.recording.session import Session

    with Session.open(session) as opened, bar(f"Replaying {session.name}") as progress:
        found = verify_session(opened, progress, zoos)
    if as_json:
        print_json(_verification_fields(found))
    else:
        _print_verification(session.name, found)
    return ExitCode.OK if found.reproduced else ExitCode.MISMATCH


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
        click.echo(plain(f"{name} {_other_making(found)}: Affetti {found.proved_by} proves it."))
        click.echo("    The file itself is intact.")
        return
    for line in _verdict_lines(name, found):
        click.echo(plain(line))
    if left := _counts(found.skipped):
        click.echo(f"    Estimates that the live side skipped: {left}.")
    if lost := _counts(found.unrecorded):
        click.echo(f"    The recording broke off before {lost} could be written.")


def _other_making(found: "Verification") -> str:
    if found.other_models:
        return f"was recorded with models that are not here ({', '.join(found.other_models)})"
    return "was recorded by a version that perceives otherwise than this one"


def _verdict_lines(name: str, found: "Verification") -> Iterator[str]:
    counts = ", ".join(f"{count} {kind}" for kind, count in found.compared.items())
    if found.verdict == "identical" and not any(found.compared.values()):
        yield f"{name} holds no live estimate, and a replay makes none."
    elif found.verdict == "identical":
        yield f"{name}: identical; every live estimate was reproduced exactly ({counts})."
    elif found.verdict == "within tolerance":
        yield f"{name}: the same within tolerance ({counts})."
        yield f"    Not the same to the last digit: {_counts(found.differing)}."
        yield from _largest_lines(found)
    else:
        yield f"{name}: the replay departs from the live estimates. First difference:"
        yield f"    {found.difference}"
    if found.verdict != "identical":
        why = found.reason or "the processor and the libraries are those that recorded"
        yield f"    {why[0].upper()}{why[1:]}."


def _largest_lines(found: "Verification") -> Iterator[str]:
    largest = (
        f"{kind} {f} {x:.3g}" for kind, all_ in found.largest.items() for f, x in all_.items()
    )
    if listed := ", ".join(largest):
        yield f"    Largest differences: {listed}."
    if sided := _counts(found.one_sided):
        yield f"    On one side only, at the border of what is read at all: {sided}."


def _counts(by_kind: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in by_kind.items() if count)
