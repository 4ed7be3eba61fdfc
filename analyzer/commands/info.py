"""`affetti info`: what a recording holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from affetti.analyzer.commands.arguments import JSON, SESSION
from affetti.analyzer.commands.output import plain, print_json
from affetti.core.language import clock_text, text

if TYPE_CHECKING:
    from affetti.core.events import Environment
    from affetti.core.recording.info import SessionInfo, SignalInfo
    from affetti.core.recording.session import Session


@click.command()
@SESSION
@JSON
def info(session: Path, as_json: bool) -> None:
    """Say what a recording holds.

    \b
    affetti info sub-P07_ses-20261124T101500.h5
    affetti info sub-P07_ses-20261124T101500.h5 --json
    """
    import msgspec

    from affetti.core.recording.session import Session

    with Session.open(session) as opened:
        found = opened.info
        course = list(_course_lines(opened))
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        for label, text in [*_info_lines(found), *course]:
            click.echo(f"{label:<12} {plain(text)}")


def _course_lines(session: "Session") -> Iterator[tuple[str, str]]:
    """Yield what could not be seen or heard, and what became of a neutral reference."""
    from affetti.analyzer.measures.neutral import neutral_outcome
    from affetti.analyzer.measures.unseen import unseen_of
    from affetti.analyzer.report.wording import unseen, when
    from affetti.core.language import text

    face = session.estimates.face
    for one in unseen_of(session.state, face):
        yield "Unseen", f"{when(one)}  {unseen(one)}"
    outcome = neutral_outcome(session.state, face)
    if outcome is not None:
        yield "Neutral", text(f"neutral.{outcome}")


def _info_lines(found: "SessionInfo") -> Iterator[tuple[str, str]]:
    from affetti.core.language import word

    yield "Session", found.session_id
    yield "Person", found.person
    yield "Recorded", f"{found.wall_clock}, with Affetti {found.software_version}"
    if found.pipeline:
        yield "Pipeline", f"{found.pipeline} (perception {found.perception_version})"
    yield from _environment_lines(found.environment)
    yield "Duration", clock_text(found.duration_s)
    ending = f"ended ({found.end_reason})" if found.end_reason else "broke off"
    yield "Ending", found.recovery or ending
    agreed = [scope for scope, granted in found.consent.items() if granted]
    yield "Consent", ", ".join(agreed) or "to nothing"
    for number, (name, video) in enumerate(found.video.items()):
        dropped = f"{video.frames_dropped} dropped"
        frames = f"{video.frames} frames, {video.frames_per_s:.2f} a second, {dropped}"
        yield f"Video {name}" if number else "Video", frames
    for name, audio in found.audio.items():
        length = clock_text(audio.samples / audio.rate_hz)
        form = f"{audio.rate_hz} Hz, {audio.channels} channel{'s' if audio.channels > 1 else ''}"
        yield name.capitalize(), f"{length} ({audio.samples} samples), {form}, {audio.gaps} gaps"
    for name, signal in found.signals.items():
        yield f"Signal {name}", _signal_line(signal)
    for track in found.tracks:
        end = "?" if track.end_s is None else clock_text(track.end_s)
        times = f"{clock_text(track.start_s)} to {end}"
        named = track.title
        if track.expected is not None:
            named += text("track.expected", emotion=word("emotion", track.expected))
        yield f"Track {track.track + 1}", f"{times}  {named} ({track.reason or 'open'})"
    for moment in found.moments:
        yield word("moment", moment.kind), f"{clock_text(moment.t_s)}  {moment.text}"
    estimates = ", ".join(f"{count} {name}" for name, count in found.estimates.items())
    skipped = sum(found.skipped.values())
    yield "Estimates", f"{estimates}; {skipped} skipped"


def _environment_lines(found: "Environment") -> Iterator[tuple[str, str]]:
    if found.processor:
        yield "Processor", f"{found.processor} ({' '.join(found.instruction_sets)})"
    if found.system:
        yield "System", f"{found.system}, Python {found.python}"
    if found.libraries:
        yield "Libraries", ", ".join(f"{name} {v}" for name, v in found.libraries.items())


def _signal_line(signal: "SignalInfo") -> str:
    named = "irregular" if signal.rate_hz is None else f"{signal.rate_hz:g} Hz"
    came = "" if signal.measured_rate_hz is None else f" ({signal.measured_rate_hz:.2f} came)"
    clock = f"its clock measured {signal.clock_measurements} times"
    if signal.drift_ppm is not None:
        clock += f", drift {signal.drift_ppm:+.1f} ppm"
    lost = f"lost {signal.losses} times, {signal.dropped} samples dropped"
    channels = f"{len(signal.channels)} channel{'s' if len(signal.channels) > 1 else ''}"
    form = f"{signal.encoding}, {channels}, {named}{came}"
    return f"{signal.samples} samples, {form}; {clock}; {lost}"
