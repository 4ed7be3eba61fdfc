"""`affetti info`: what a recording holds."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from affetti.analyzer.commands.arguments import JSON, SESSIONS
from affetti.core import terminal
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.language import clock_text, counted, size_text, text, word

if TYPE_CHECKING:
    from affetti.core.events import Environment
    from affetti.core.recording.info import (
        AudioInfo,
        SessionInfo,
        SignalInfo,
        TrackInfo,
        VideoInfo,
    )
    from affetti.core.recording.session import Session


@click.command()
@SESSIONS
@JSON
def info(sessions: tuple[Path, ...], as_json: bool) -> int:
    """Say what recordings hold.

    Of one that was altered after it was sealed this is said first, and the exit code is 4. A
    folder means every sealed recording in it and below.

    \b
    affetti info sub-P07_ses-20261124T101500.h5
    affetti info study/ --json
    """
    from msgspec.structs import asdict

    from affetti.analyzer.commands.many import worst
    from affetti.analyzer.recordings import recordings_in
    from affetti.core.cli import complain

    paths = recordings_in(sessions)
    alone = sessions == tuple(paths) and len(paths) == 1
    found: list[tuple[Path, SessionInfo]] = []
    for number, path in enumerate(paths):
        try:
            one, lines = _described(path, in_words=not as_json, named=not alone)
        except AffettiError as error:
            if alone:
                raise
            complain(error)
            continue
        found.append((path, one))
        for line in ["", *lines] if number and lines else lines:
            terminal.say(line)
    if as_json:
        told = [{"recording": str(path)} | asdict(one) for path, one in found]
        terminal.print_json(found[0][1] if alone else told)
    codes = [ExitCode.DAMAGED if one.altered else ExitCode.OK for _, one in found]
    return worst(codes, len(paths) - len(found))


def _described(path: Path, *, in_words: bool, named: bool) -> "tuple[SessionInfo, list[str]]":
    from affetti.core.recording.session import Session

    with Session.open(path, altered=True) as opened:
        found = opened.info
        said = (
            [*_info_lines(found), *_course_lines(opened), *_held_lines(opened)] if in_words else []
        )
    if said and named:
        said.insert(0, (text("info.file"), str(path)))
    return found, [f"{label:<12} {what}" for label, what in said]


def _course_lines(session: "Session") -> Iterator[tuple[str, str]]:
    """Yield what could not be seen or heard, and what became of a neutral reference."""
    from affetti.analyzer.measures.heard import heard_of
    from affetti.analyzer.measures.neutral import neutral_outcome
    from affetti.analyzer.measures.unseen import unread_shares, unseen_of
    from affetti.analyzer.report.heard import coverage_text, shares_text
    from affetti.analyzer.report.wording import stream_word, unread_of, unseen, when

    face, whole = session.estimates.face, (0, session.state.now_ns + 1)
    for one in unseen_of(session.state, face):
        yield text("info.unseen"), f"{when(one)}  {unseen(one)}"
    for each in heard_of(session.estimates["heard"], session.state, [whole]).values():
        said = shares_text(each) or "-"
        yield text("info.heard"), f"{stream_word(each.stream)}: {said}; {coverage_text(each)}"
    if unread := unread_shares(face):
        yield text("basis.nobody"), unread_of(unread)
    outcome = neutral_outcome(session.state, face)
    if outcome is not None:
        yield text("info.neutral"), text(f"neutral.{outcome}")


def _held_lines(session: "Session") -> Iterator[tuple[str, str]]:
    """Yield for whom it is encrypted, and which pictures and sound are held, and for how long."""
    from affetti.core import settings
    from affetti.core.custody import vault
    from affetti.core.custody.retention import held_in
    from affetti.core.language import date

    if session.key is not None:
        told = tuple(map(vault.recipient_text, session.key.recipients))
        yield text("info.encryption"), vault.words(told)
    rule = settings.Retention()
    with suppress(AffettiError):  # of settings that cannot be read others tell
        rule = settings.load().retention
    for held in held_in(session, rule):
        what, size = word("raw", held.scope), size_text(held.size)
        if held.due_on is None:
            said = text("info.held_forever", what=what, size=size)
        else:
            message = "info.held_overdue" if held.is_due() else "info.held_until"
            said = text(message, what=what, size=size, on=date(held.due_on.isoformat()))
        yield text("info.held"), said


def _info_lines(found: "SessionInfo") -> Iterator[tuple[str, str]]:
    from affetti.core.recording.losses import unkept_words

    if found.altered:
        yield text("info.altered"), text("info.altered_afterwards")
    yield text("info.session"), found.session_id
    yield text("info.person"), found.person
    message = "info.made" if found.dated else "info.made_unknown"
    made = text(message, at=found.wall_clock, version=found.software_version)
    yield text("info.recorded"), made
    if found.imported is not None:
        files = ", ".join(file.file_name for file in found.imported.files)
        yield text("info.imported"), text("info.imported_of", files=files, at=found.imported.on)
    if found.pipeline:
        version = found.perception_version
        yield text("info.pipeline"), text("info.perceived", name=found.pipeline, version=version)
    yield from _environment_lines(found.environment)
    yield text("info.duration"), clock_text(found.duration_s)
    yield text("info.ending"), _ending(found)
    if found.protocol is not None:
        yield text("info.protocol"), found.protocol.words
        for said in found.protocol.undone:
            yield text("info.undone"), said
    for said in found.source_losses:
        yield text("info.lost"), said
    if said := unkept_words(found.unkept):
        yield text("info.unkept"), said
    for said in found.withdrawals:
        yield text("info.withdrawn"), said
    yield text("info.consent"), _consent(found)
    for whom in found.offered:
        yield text("info.offered"), word("offered", whom)
    yield from _stream_lines(found)
    for track in found.tracks:
        yield text("info.track", number=track.track + 1), _track_line(track)
    for moment in found.moments:
        yield word("moment", moment.kind), f"{clock_text(moment.t_s)}  {moment.text}"
    yield text("info.estimates"), _estimates_line(found)


def _consent(found: "SessionInfo") -> str:
    if None in found.consent.values():
        return text("consent.not_stated")
    agreed = [word("consent", scope) for scope, granted in found.consent.items() if granted]
    return ", ".join(agreed) or text("info.no_consent")


def _stream_lines(found: "SessionInfo") -> Iterator[tuple[str, str]]:
    from affetti.core.recording.losses import device_words

    for number, (name, video) in enumerate(found.video.items()):
        if not video.frames and "video" in found.unkept:
            continue
        label = text("info.video_of", name=name) if number else text("info.video")
        yield label, _video_line(video)
    for name, audio in found.audio.items():
        if not audio.samples and name != "playback" and "room" in found.unkept:
            continue
        yield word("stream", name).capitalize(), _audio_line(audio)
    for name, device in found.devices.items():
        said = text("info.device_of", stream=word("stream", name), what=device_words(device))
        yield text("info.device"), said
    for said in found.synchronous:
        yield text("info.synchrony"), said
    for name, signal in found.signals.items():
        yield text("info.signal", name=name), _signal_line(signal)


def _ending(found: "SessionInfo") -> str:
    if found.recovery:
        return found.recovery
    if found.end_reason is None:
        return text("info.broke_off")
    reason = word("end", found.end_reason)
    if found.failure is not None:
        return text("info.failed", reason=reason, why=word("failure", found.failure))
    return text("info.ended", reason=reason)


def _video_line(video: "VideoInfo") -> str:
    return text(
        "info.frames",
        frames=video.frames,
        rate=video.frames_per_s,
        dropped=video.frames_dropped,
    )


def _audio_line(audio: "AudioInfo") -> str:
    return text(
        "info.sound",
        length=clock_text(audio.samples / audio.rate_hz),
        samples=audio.samples,
        rate_hz=audio.rate_hz,
        channels=counted("count.channel", audio.channels),
        gaps=audio.gaps,
    )


def _track_line(track: "TrackInfo") -> str:
    title = track.title
    if track.expected is not None:
        title += text("track.expected", emotion=word("emotion", track.expected))
    return text(
        "info.played",
        start=clock_text(track.start_s),
        end="?" if track.end_s is None else clock_text(track.end_s),
        title=title,
        reason=word("reason", track.reason) if track.reason else text("info.open"),
    )


def _estimates_line(found: "SessionInfo") -> str:
    made = ", ".join(f"{count} {name}" for name, count in found.estimates.items())
    return text("info.made_live", estimates=made, skipped=sum(found.skipped.values()))


def _environment_lines(found: "Environment") -> Iterator[tuple[str, str]]:
    if found.processor:
        sets = " ".join(found.instruction_sets)
        yield text("info.processor"), f"{found.processor} ({sets})"
    if found.system:
        yield text("info.system"), f"{found.system}, Python {found.python}"
    if found.libraries:
        versions = ", ".join(f"{name} {v}" for name, v in found.libraries.items())
        yield text("info.libraries"), versions


def _signal_line(signal: "SignalInfo") -> str:
    rate = text("info.irregular") if signal.rate_hz is None else f"{signal.rate_hz:g} Hz"
    if signal.measured_rate_hz is not None:
        rate += text("info.came", rate=signal.measured_rate_hz)
    clock = text("info.clock", count=signal.clock_measurements)
    if signal.drift_ppm is not None:
        clock += text("info.drift", ppm=signal.drift_ppm)
    return text(
        "info.samples",
        samples=signal.samples,
        encoding=signal.encoding,
        channels=counted("count.channel", len(signal.channels)),
        rate=rate,
        clock=clock,
        losses=signal.losses,
        dropped=signal.dropped,
    )
