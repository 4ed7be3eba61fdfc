"""The `affetti` command: a group that finds its commands through entry points."""

import os
import sys
from importlib.metadata import EntryPoint, entry_points, version
from typing import NoReturn

import click

from affetti.core.errors import AffettiError, ExitCode
from affetti.core.language import text


class LazyGroup(click.Group):
    """A group whose commands are the entry points of `affetti.commands`, imported when needed."""

    @property
    def _found(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group="affetti.commands")}

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


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("affetti"), prog_name="affetti")
def affetti() -> None:
    """Record how music moves a person, and look at it again.

    A face and a piece of music each express something; Affetti records both, says what they
    express, live and replayed, and never claims to know what a person feels.
    """


def complain(error: AffettiError) -> None:
    """Print an error and what to do about it to standard error."""
    click.secho(text("error.first", message=error.message), fg="red", bold=True, err=True)
    if error.hint:
        click.echo(f"       {error.hint}", err=True)


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
    try:
        code = affetti(prog_name="affetti", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else ExitCode.OK)
    except AffettiError as error:
        complain(error)
        sys.exit(error.code)
    except click.exceptions.Abort:
        click.echo(text("error.stopped"), err=True)
        sys.exit(ExitCode.WARNING)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output went away (`affetti info … | head`): nothing to say, and
        # nothing more to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.OK)
    except Exception as error:
        if os.environ.get("AFFETTI_DEBUG"):
            raise
        from affetti.core import logbook

        logbook.begin("affetti")
        logbook.note("not foreseen", error)
        complain(
            AffettiError("cli.something_went_wrong_inside", name=type(error).__name__, error=error)
        )
        sys.exit(ExitCode.INTERNAL)
