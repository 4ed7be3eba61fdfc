"""The `affetti` command: a group that finds its commands through entry points."""

import errno
import os
import sys
from contextlib import suppress
from functools import cached_property
from importlib.metadata import EntryPoint, distributions, version
from typing import Any, Final, NoReturn

import click

from affetti.core import help as spoken_help
from affetti.core import language, place, system, terminal
from affetti.core.errors import AffettiError, ExitCode, SettingsError, UsageError
from affetti.core.language import listed, text

_COMMANDS: Final = "affetti.commands"
_HOME: Final = "home"  # the command that is meant where none is named
_LANGUAGE: Final = "--language"


class LazyGroup(click.Group):
    """A group whose commands are the entry points of `affetti.commands`, imported when needed."""

    @cached_property
    def _found(self) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for package in distributions():
            # Few packages name a command of ours: taking apart what all of them name would take
            # longer than all else of `--help`.
            if _COMMANDS in (package.read_text("entry_points.txt") or ""):
                points = package.entry_points.select(group=_COMMANDS)
                found = {point.name: point for point in points} | found
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *self._found})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        point = self._found.get(cmd_name)
        if point is None:
            return super().get_command(ctx, cmd_name)
        command = point.load()
        return command if isinstance(command, click.Command) else None


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    _LANGUAGE,
    metavar="CODE",
    expose_value=False,
    help="Speak this language: de or en. [default: that of the settings, or the system's]",
)
@click.version_option(version("affetti"), prog_name="affetti")
@click.pass_context
def affetti(context: click.Context) -> Any:
    """Record how music moves a person, and look at it again.

    A face and a piece of music each express something; Affetti records both, says what they
    express, live and replayed, and never claims to know what a person feels.

    Without a command, in a terminal, it opens where people and recordings are: `affetti home`.
    """
    if context.invoked_subcommand is not None:
        return None
    home = affetti.get_command(context, _HOME)
    if home is None or not all(map(terminal.is_terminal, (sys.stdin, sys.stdout, sys.stderr))):
        click.echo(context.get_help(), err=True)
        return int(ExitCode.USAGE)
    return context.invoke(home)


def complain(error: AffettiError) -> None:
    """Print an error and what to do about it to standard error."""
    said = text("error.first", message=error.message)
    terminal.say(said, fg="red", bold=True, err=True)
    if error.hint:
        terminal.say(f"       {error.hint}", err=True)


def _end(error: AffettiError) -> NoReturn:
    with suppress(OSError, ValueError):  # of standard error nobody can be told
        complain(error)
    sys.exit(error.code)


def main() -> NoReturn:
    """Run the command line; the exit codes are those of `core.errors.ExitCode`."""
    # Numerical libraries read these when they load. One thread costs a third of the processor
    # time here, and sums come out the same on any number of cores.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    # A recorder of patients reports to nobody, nor do libraries of ours behind its back.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    # Processes that this one starts find no module in the folder where the command runs.
    os.environ["PYTHONSAFEPATH"] = "1"
    # Recordings, tables and reports are about patients: only their owner may read them.
    os.umask(0o077)
    system.forbid_core_dumps()
    system.end_as_by_hand()
    terminal.begin()
    try:
        _choose_language(sys.argv[1:])
        language.load()  # while files can be opened
        if os.environ.get("AFFETTI_KEYS"):
            from affetti.core.custody import keys

            keys.from_parent()
        code = _carried_out()
        terminal.finish()
        sys.exit(code if isinstance(code, int) else ExitCode.OK)
    except AffettiError as error:
        _end(error)
    except click.exceptions.Abort:
        with suppress(OSError):  # of a terminal that was closed
            click.echo(text("error.stopped"), err=True)
        sys.exit(ExitCode.WARNING)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OSError as error:
        terminal.drop()
        if error.errno == errno.EPIPE:
            sys.exit(ExitCode.OK)  # whoever read our output went away (`affetti info … | head`)
        if error.errno not in place.KINDS:
            _unforeseen(error)
        _end(place.trouble(error))
    except Exception as error:
        _unforeseen(error)


def _choose_language(words: list[str]) -> None:
    """Speak the language that is asked for, and let processes that this one starts speak it too.

    Raises
    ------
    UsageError, SettingsError
        There is no such language.
    """
    asked = _asked_language(words)
    named = asked or os.environ.get(language.NAMED) or language.named_in_settings()
    if not named:
        return
    spoken = language.spoken_as(named)
    os.environ[language.NAMED] = spoken or language.ENGLISH
    if spoken is None:
        kind = UsageError if asked else SettingsError
        raise kind("language.unknown", name=named, languages=listed(language.languages()))


def _asked_language(words: list[str]) -> str:
    """Return the language that options before the command ask for; "" where they do not.

    Click would know it only after it has said what it was asked about itself.
    """
    for i, word in enumerate(words):
        option, _, named = word.partition("=")
        if option == _LANGUAGE:
            return named or "".join(words[i + 1 : i + 2])
        if not word.startswith("-"):
            break
    return ""


def _carried_out() -> Any:
    try:
        return spoken_help.said(affetti)(prog_name="affetti", standalone_mode=False)
    except SystemExit:
        # Click has seen that whoever read our output went away, and calls that a failure.
        if "PacifyFlushWrapper" in type(sys.stdout).__name__:
            raise BrokenPipeError(errno.EPIPE, "") from None
        raise


def _unforeseen(error: Exception) -> NoReturn:
    """Note a defect of ours, and say that it is one."""
    if os.environ.get("AFFETTI_DEBUG"):
        raise error
    from affetti.core import logbook

    logbook.begin("affetti")
    logbook.note("not foreseen", error)
    name = type(error).__name__
    _end(AffettiError("cli.something_went_wrong_inside", name=name, error=error))
