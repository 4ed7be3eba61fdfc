"""`affetti record`: a session, with a screen or without."""

from typing import Any

import click

from affetti.core.numbers import DURATION_S, NEUTRAL_REFERENCE_S, Number
from affetti.recorder.commands.consent import NAMES, consent_named


@click.command()
@click.option("--person", metavar="CODE", default=None, help="A pseudonym: letters and digits.")
@click.option(
    "--consent",
    type=click.Choice(NAMES),
    multiple=True,
    help="What the person agreed to; give it again. Both are video and audio, the sound of the "
    "room. Without a screen, naming a camera, a microphone or a signal says that they did.",
)
@click.option(
    "--camera",
    "cameras",
    metavar="[NAME=]SOURCE",
    multiple=True,
    help="A camera's number, a video file, or a URL. Given again: a further one, which is recorded "
    "as the stream NAME and not read; of a film without its sound.",
)
@click.option(
    "--microphone",
    metavar="SOURCE",
    help="A microphone's name, or an audio file. [default: the sound of the film, if it has one]",
)
@click.option("--play", metavar="FILE", multiple=True, help="A track to play; give it again.")
@click.option(
    "--signal",
    metavar="lsl:NAME",
    multiple=True,
    help="A Lab Streaming Layer stream to record; give it again. It is looked for by asking the "
    "local network (multicast), and its samples come from whoever answers.",
)
@click.option(
    "--markers",
    metavar="lsl:NAME",
    multiple=True,
    help="A Lab Streaming Layer stream of markers of another program, each of which becomes a "
    "marker at its own stamp, set right by the measured offset of the clocks; give it again.",
)
@click.option(
    "--lsl-out",
    is_flag=True,
    help="Offer what is estimated live (face, heard, music, fused), changes of tracks and markers "
    "as Lab Streaming Layer outlets affetti-face and so on. Any program in the local network can "
    "find them (multicast) and read them (TCP, not encrypted): numbers, codes, titles of tracks, "
    "and markers as they are written; never a picture, a sound or the person's code.",
)
@click.option(
    "--playlist",
    metavar="FILE",
    help="Tracks to play before those: CSV with file, title, expected, …, or M3U.",
)
@click.option(
    "--study",
    metavar="FILE.toml",
    help="The protocol of a study, which says what is played and asked, and when; see "
    "`affetti study new`.",
)
@click.option("--speaker", metavar="NAME", default="", help="Where to play. [default: system]")
@click.option("--no-speaker", is_flag=True, help="Play to the log alone, without a sound.")
@click.option("--duration", metavar="SECONDS", type=Number(DURATION_S), help="End then.")
@click.option(
    "--neutral",
    metavar="SECONDS",
    type=Number(NEUTRAL_REFERENCE_S),
    help="The person first shows a neutral face for so long; later faces are read against it.",
)
@click.option(
    "--pipeline",
    metavar="NAME",
    default="affetti",
    show_default=True,
    help="What perceives and fuses: affetti, paper, or one of the settings.",
)
@click.option(
    "--keep",
    type=click.Choice(["all", "estimates"]),
    help="estimates: no picture and no sound of the room is ever on the disk, only what is "
    "estimated of them, which can then never be computed again. [default: as the settings say]",
)
@click.option("--output", metavar="FILE.h5", help="The recording. [default: named after person]")
@click.option(
    "--vault",
    metavar="NAME",
    multiple=True,
    help="Encrypt it for this vault of yours; give it again. [default: that of the settings]",
)
@click.option(
    "--recipient",
    metavar="KEY",
    multiple=True,
    help="Encrypt it for this public key; give it again.",
)
@click.option("--no-vault", is_flag=True, help="Do not encrypt it, whatever the settings say.")
@click.option("--headless", is_flag=True, help="Record without a screen.")
@click.option(
    "--markers-from-stdin",
    is_flag=True,
    help="Each line read becomes a marker; a line of JSON with `self_report` is an answer of the "
    "person, which the protocol of a study waits for.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the recording in brief at the end.")
@click.option("--no-page", is_flag=True, help="Write no page of it, whatever the settings say.")
def record(
    person: str | None,
    consent: tuple[str, ...],
    cameras: tuple[str, ...],
    microphone: str | None,
    play: tuple[str, ...],
    signal: tuple[str, ...],
    markers: tuple[str, ...],
    lsl_out: bool,
    playlist: str | None,
    study: str | None,
    speaker: str,
    no_speaker: bool,
    duration: float | None,
    neutral: float | None,
    pipeline: str,
    keep: Any,
    output: str | None,
    vault: tuple[str, ...],
    recipient: tuple[str, ...],
    no_vault: bool,
    headless: bool,
    markers_from_stdin: bool,
    as_json: bool,
    no_page: bool,
) -> None:
    """Record a session.

    Without --headless a screen opens, and the options fill in its set-up. The page of the session
    is written beside it once it is sealed, as the settings say.

    \b
    affetti record
    affetti record --headless --camera 0 --play happy.ogg --duration 60
    affetti record --playlist study.csv
    affetti record --camera 0 --camera room=film.mp4
    affetti record --study moods/protocol.toml --person P07
    affetti record --vault clinic
    """
    from affetti.core import settings
    from affetti.core.consent import today
    from affetti.core.paths import typed
    from affetti.core.people.person import UNNAMED
    from affetti.core.people.playlist import read_playlist
    from affetti.recorder.engine.messages import Plan

    chosen = _chosen(settings.load(), no_page)
    protocol = _protocol(study, play, playlist, neutral)
    if protocol is not None and pipeline == Plan.pipeline:
        pipeline = protocol.pipeline
    plan = Plan(
        person=person if person is not None else UNNAMED,
        consent=consent_named(consent or ("both", *(["signals"] if signal else [])), today()),
        output=output,
        camera=_first(cameras),
        cameras=cameras[1:],
        microphone=microphone,
        playlist=(*(read_playlist(typed(playlist)) if playlist else ()), *play),
        sources=signal,
        markers=markers,
        lsl_out=lsl_out,
        speaker=None if no_speaker else speaker,
        duration_s=duration,
        neutral_s=neutral,
        pipeline=pipeline,
        keep=keep,
        protocol=protocol,
        unattended=headless,
        recipients=_recipients(chosen, vault, recipient, no_vault),
        counted=_counted(person, chosen, asked=bool(consent)),
    )
    if headless:
        _record_headless(plan, chosen, markers_from_stdin, as_json)
    else:
        from affetti.recorder.tui.session import run

        run(plan, chosen, person_known=person is not None, consent_known=bool(consent))


def _chosen(settings: Any, no_page: bool) -> Any:
    from msgspec.structs import replace

    return replace(settings, report=replace(settings.report, at_end=False)) if no_page else settings


def _first(cameras: tuple[str, ...]) -> str | None:
    """Return the camera whose pictures are read; its stream has the name that it always has."""
    from affetti.core.errors import UsageError
    from affetti.recorder.sources.camera import named_camera

    if not cameras:
        return None
    name, source = named_camera(cameras[0])
    if name not in ("", "camera"):
        raise UsageError("record.first_camera", name=name)
    return source


def _protocol(
    study: str | None, play: tuple[str, ...], playlist: str | None, neutral: float | None
) -> Any:
    """Return the protocol of a study; None where none leads."""
    from affetti.core.errors import UsageError
    from affetti.core.paths import typed
    from affetti.core.people.protocol import read_protocol

    if study is None:
        return None
    if play or playlist or neutral is not None:
        raise UsageError("record.study_leads")
    return read_protocol(typed(study))


def _counted(person: str | None, settings: Any, *, asked: bool) -> Any:
    """Return what is counted of a person; tell of a consent on file that has expired."""
    from affetti.core import terminal
    from affetti.core.errors import AffettiError, PersonCodeError
    from affetti.core.language import date, text
    from affetti.core.people.history import has_expired
    from affetti.core.people.log import person_state

    if person is None:
        return ()
    try:
        known = person_state(person, settings.folder)
    except PersonCodeError:
        raise
    except AffettiError as error:  # a log that cannot be read keeps nobody from recording
        terminal.say(error.message, err=True)
        return ()
    filed = known.consent
    if not asked and filed is not None and has_expired(filed):
        terminal.say(text("record.consent_expired", date=date(filed.expires)), err=True)
    return known.markers


def _recipients(
    settings: Any, names: tuple[str, ...], others: tuple[str, ...], none: bool
) -> tuple[str, ...]:
    """Return for whom the recording is encrypted, as public keys."""
    from affetti.core.custody import vault
    from affetti.core.errors import UsageError

    if none and (names or others):
        raise UsageError("record.vault_or_none")
    return () if none else vault.recipients(settings, names, others)


def _tell_consent(plan: Any, say: Any) -> None:
    from affetti.core.language import listed, text, word

    asked = [word("consent", s) for s in plan.protocol.consent if not plan.consent.grants(s)]
    if asked:
        say(text("protocol.consent", scopes=listed(asked)))


def _tell_unasked(plan: Any, markers: bool, say: Any) -> None:
    from affetti.core.language import counted

    asks = plan.protocol.asks
    if asks and not markers:
        say(counted("protocol.unasked", asks))


def _record_headless(plan: Any, settings: Any, markers: bool, as_json: bool) -> None:
    from affetti.core import logbook, terminal
    from affetti.core.language import text
    from affetti.recorder.engine.headless import Headless
    from affetti.recorder.engine.lines import TerminalLines
    from affetti.recorder.tui.usual import remember_named

    logbook.begin("engine")
    lines = TerminalLines()
    if plan.protocol is not None:
        _tell_consent(plan, lines.say)
        _tell_unasked(plan, markers, lines.say)
    headless = Headless(settings, lines.say, lines.status if lines.interactive else None)
    try:
        path = headless.run(plan, markers)
        lines.say(text("record.sealed", path=path))
        remember_named(settings, plan.camera, plan.microphone, plan.speaker)
        _write_page(path, settings, lines.say, wait=not headless.signalled)
    finally:
        lines.close(lambda: headless.signalled)
    if as_json:
        from affetti.core.recording.session import Session

        with Session.open(path) as session:
            terminal.print_json(session.info)


def _write_page(path: Any, settings: Any, say: Any, *, wait: bool) -> None:
    """Write the page of a recording; who ends the process by a signal is not kept waiting."""
    from affetti.core.language import text
    from affetti.recorder.pages import page_at, write_page

    process = write_page(str(path), settings)
    if process is None or not wait:
        return
    failed = process.wait() != 0
    page = page_at(path, settings)
    if failed or page is None:
        say(text("record.no_page", path=path))
    else:
        say(text("record.page", path=page))
