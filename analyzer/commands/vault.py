"""`affetti vault`: the keys that open what is encrypted."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.analyzer.commands.arguments import JSON
from affetti.analyzer.commands.output import bar
from affetti.core import terminal
from affetti.core.errors import ExitCode, FileMissing, UsageError
from affetti.core.language import brief_day, counted, text
from affetti.core.paths import TypedPath
from affetti.core.system import to_read

if TYPE_CHECKING:
    from affetti.core.custody.vault import Lock, Vault

_FILE = TypedPath(dir_okay=False, path_type=Path)
_NAME = click.argument("name", metavar="NAME")
_YES = click.option("--yes", is_flag=True, help="Do not ask.")


def _locks(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--passphrase-file", type=_FILE, help="Its first line is the passphrase."),
        click.option("--keyring", is_flag=True, help="The system's keyring opens it."),
        click.option("--key-file", type=_FILE, help="A new file that opens it, on a stick say."),
    ):
        command = option(command)
    return command


@click.group()
def vault() -> None:
    """Keys for recordings that are encrypted.

    A vault has a public key, for which recordings are encrypted, and a private one, which opens
    them. A passphrase opens the vault, or the system's keyring, or a file. `affetti record
    --vault NAME` records for it; so does every recording where the settings name it.
    """


@vault.command()
@_NAME
@_locks
@_YES
def new(
    name: str, passphrase_file: Path | None, keyring: bool, key_file: Path | None, yes: bool
) -> None:
    """Make a vault, and print its recovery key, once.

    \b
    affetti vault new clinic
    affetti vault new clinic --key-file /media/stick/clinic.key
    """
    from affetti.core.custody import vault as vaults

    _explain(name, yes)
    lock = _lock(name, passphrase_file, keyring, key_file)
    _tell_new(name, vaults.new(name, lock))


@vault.command()
@_NAME
@click.option("--recovery-file", type=_FILE, help="Its first line is the recovery key.")
@click.option("--copy", type=_FILE, help="A copy that `affetti vault export` made, instead.")
@_locks
def restore(
    name: str,
    recovery_file: Path | None,
    copy: Path | None,
    passphrase_file: Path | None,
    keyring: bool,
    key_file: Path | None,
) -> None:
    """Make a vault again from its recovery key or a copy, on this or another computer.

    \b
    affetti vault restore clinic
    affetti vault restore clinic --copy clinic.vault.json
    """
    from affetti.core.custody import vault as vaults

    if copy is not None:
        vaults.adopt(name, copy)
        terminal.say(text("vault.restored", name=name, key=vaults.vault(name).recipient))
        return
    if recovery_file is None:
        said = click.prompt(text("vault.recovery_prompt"), hide_input=True, err=True)
    else:
        said = _first_line(recovery_file)
    private = vaults.private_from(said)
    vaults.new(name, _lock(name, passphrase_file, keyring, key_file), private)
    terminal.say(text("vault.restored", name=name, key=vaults.vault(name).recipient))


@vault.command("list")
@JSON
def list_(as_json: bool) -> ExitCode:
    """List the vaults of this computer with their public keys."""
    from affetti.core.custody import vault as vaults

    found, errors = vaults.legible_vaults()
    for error in errors:
        terminal.say(f"{error.message} {error.hint}", err=True)
    code = errors[0].code if errors else ExitCode.OK
    if as_json:
        terminal.print_json([_fields(each) for each in found])
        return code
    for each in found:
        opened = text(f"vault.by_{each.stored.opened_by}", file=each.stored.key_file)
        terminal.say(
            text("vault.listed", name=each.name, opened=opened, made=brief_day(each.stored.made))
        )
        terminal.say(f"  {each.recipient}")
    if not found and not errors:
        terminal.say(text("vault.none"))
    return code


@vault.command()
@_NAME
@click.option("--output", type=_FILE, metavar="FILE", help="A copy of the vault itself.")
def export(name: str, output: Path | None) -> None:
    """Print the public key of a vault, for whoever records for it elsewhere.

    With --output the vault itself is copied, as it lies here: what opens it here opens the copy.
    `affetti vault restore --copy` takes it in on another computer.

    \b
    affetti vault export clinic
    affetti vault export clinic --output clinic.vault.json
    """
    import shutil

    from affetti.core.custody import vault as vaults
    from affetti.core.people.person import refuse_existing

    found = vaults.vault(name)
    if output is None:
        click.echo(found.recipient)
        return
    refuse_existing(output)
    shutil.copyfile(vaults.path_of(name), output)
    terminal.say(text("vault.exported", name=name, path=output))


@vault.command()
@_NAME
@_YES
def remove(name: str, yes: bool) -> None:
    """Remove a vault from this computer; what is encrypted for it alone stays closed here."""
    from affetti.core.custody import vault as vaults
    from affetti.core.custody import withdrawal

    found = vaults.vault(name)
    terminal.say(text("vault.removing", name=name), err=True)
    if not yes:
        terminal.confirm(text("vault.remove_really", name=name), err=True)
    withdrawal.remove(vaults.path_of(name))
    vaults.forget_secret(found)
    terminal.say(text("vault.removed", name=name))


@vault.command()
@click.argument("sessions", metavar="SESSION...", nargs=-1, required=True, type=_FILE)
@click.option("--add", multiple=True, metavar="KEY", help="A vault's name or public key.")
@click.option("--remove", "gone", multiple=True, metavar="KEY", help="A name or public key.")
def share(sessions: tuple[Path, ...], add: tuple[str, ...], gone: tuple[str, ...]) -> None:
    """Let other vaults read a recording, or some no longer.

    The recording and all that lies beside it are encrypted anew. Who could read it before may
    have kept a copy.

    \b
    affetti vault share ses-1f0c.h5 --add avk…
    """
    from affetti.core.custody.sharing import share as shared

    if not add and not gone:
        raise UsageError("vault.share_nobody")
    publics = [_public(each) for each in add], [_public(each) for each in gone]
    for path in sessions:
        with bar(text("bar.encrypting", name=path.name)) as progress:
            done = shared(path, *publics, progress)
        terminal.say(counted("vault.shared", len(done), name=path.name))
    if gone:
        terminal.say(text("vault.shared_copies"))


@vault.command("open")
@click.argument("file", type=_FILE)
@click.option("--output", type=_FILE, required=True, metavar="FILE", help="The copy.")
def open_(file: Path, output: Path) -> None:
    """Make a copy of an encrypted file that is not encrypted: a recording, a report, a table.

    The copy is noted beside the recording, and named to whoever withdraws consent later.

    \b
    affetti vault open ses-1f0c.report.html.vault --output report.html
    """
    from affetti.core.custody import boxes, exports
    from affetti.core.people.person import refuse_existing
    from affetti.core.place import told
    from affetti.core.recording.box import BoxReader, is_box

    if not file.exists():
        raise FileMissing("vault.no_file", path=file)
    if not is_box(file):
        raise UsageError("vault.not_encrypted", path=file.name)
    refuse_existing(output)
    recording = exports.recording_of(file)
    with told(output):
        boxes.copy_plain(file, output)
    with BoxReader(file) as box:
        exports.note(recording, box.key, file.name, output)
    terminal.say(text("vault.opened", name=file.name, path=output))


def _explain(name: str, yes: bool) -> None:
    terminal.say(text("vault.before", name=name), err=True)
    if not yes:
        terminal.confirm(text("vault.understood"), err=True)


def _tell_new(name: str, recovery: str) -> None:
    from affetti.core.custody import vault as vaults

    terminal.say(text("vault.made", name=name))
    terminal.say(text("vault.public", key=vaults.vault(name).recipient))
    terminal.say(text("vault.recovery"))
    click.echo(f"\n    {recovery}\n")
    terminal.say(text("vault.recovery_keep"))


def _lock(name: str, passphrase_file: Path | None, keyring: bool, key_file: Path | None) -> "Lock":
    from affetti.core.custody.vault import Lock

    if sum(map(bool, (passphrase_file, keyring, key_file))) > 1:
        raise UsageError("vault.one_lock")
    if keyring:
        return Lock("keyring")
    if key_file is not None:
        return Lock("file", key_file=key_file)
    if passphrase_file is not None:
        return Lock("passphrase", _first_line(passphrase_file))
    asked = text("vault.new_passphrase", name=name)
    again = text("vault.again")
    said = click.prompt(asked, hide_input=True, confirmation_prompt=again, err=True)
    return Lock("passphrase", str(said))


def _first_line(path: Path) -> str:
    try:
        with open(path, encoding="utf-8", opener=to_read) as file:
            return file.read().split("\n", 1)[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise FileMissing("vault.cannot_read", path=path, error=why) from error


def _public(said: str) -> bytes:
    from affetti.core.custody import vault as vaults

    return vaults.vault(said).public if said in vaults.names() else vaults.public_of(said)


def _fields(found: "Vault") -> dict[str, Any]:
    return {
        "name": found.name,
        "public_key": found.recipient,
        "opened_by": found.stored.opened_by,
        "made": found.stored.made,
    }
