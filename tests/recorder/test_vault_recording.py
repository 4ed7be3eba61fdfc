"""A recording for a vault: its name, its parts, its file and its report say nothing of anybody."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core import locations
from affetti.core.custody import boxes, keys, vault
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import consent_to
from affetti.core.recording.box import is_box
from affetti.core.recording.session import Session
from affetti.core.settings import Settings, VaultSettings
from affetti.recorder.engine import messages
from affetti.recorder.engine.messages import Plan
from affetti.recorder.engine.recording import recipients_of, target_of
from affetti.recorder.tui.commands import affetti as run
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.screens.gone import kept
from affetti.recorder.tui.screens.setup import _kept_words
from affetti.recorder.tui.view import RecordingView
from tests.command_line import affetti
from tests.recorder.films import moving_film

NOW = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
NOBODY = consent_to(since="2026-11-24")


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> X25519PrivateKey:
    monkeypatch.setenv("AFFETTI_VAULTS", str(tmp_path / "vaults"))
    keys.drop()
    return X25519PrivateKey.generate()


def recipient(owner: X25519PrivateKey) -> str:
    return vault.recipient_text(owner.public_key().public_bytes_raw())


def comes(owner: X25519PrivateKey) -> None:
    keys.drop()
    keys.hold_private(owner.public_key().public_bytes_raw(), owner.private_bytes_raw())


def test_its_name_says_nothing_unless_it_is_given(owner: X25519PrivateKey, tmp_path: Path) -> None:
    settings = Settings(sessions_folder=str(tmp_path))
    plan = Plan(person="P07", consent=NOBODY)
    coded = target_of(plan, settings, NOW, (recipient(owner),))
    assert re.fullmatch(r"ses-[0-9a-f]{16}\.h5", coded.name)
    assert target_of(plan, settings, NOW).name == "sub-P07_ses-20261124T101500.h5"
    plain = Settings(sessions_folder=str(tmp_path), vault=VaultSettings(coded_names=False))
    assert "P07" in target_of(plan, plain, NOW, (recipient(owner),)).name
    named = Plan(person="P07", consent=NOBODY, output=str(tmp_path / "mine.h5"))
    assert target_of(named, settings, NOW, (recipient(owner),)).name == "mine.h5"


def test_the_settings_decide_where_nobody_else_does(owner: X25519PrivateKey) -> None:
    settings = Settings(vault=VaultSettings(recipients=(recipient(owner),)))
    assert recipients_of(Plan(person="P07", consent=NOBODY), settings) == (recipient(owner),)
    assert recipients_of(Plan(person="P07", consent=NOBODY, recipients=()), settings) == ()
    assert recipients_of(Plan(person="P07", consent=NOBODY), Settings()) == ()
    absent = Settings(vault=VaultSettings(name="gone"))
    with pytest.raises(AffettiError) as caught:  # and does not record without
        recipients_of(Plan(person="P07", consent=NOBODY), absent)
    assert caught.value.code == ExitCode.FILE_MISSING


def test_what_the_set_up_was_given_it_gives_on(owner: X25519PrivateKey) -> None:
    for given in ((recipient(owner),), (), None):
        plan = Plan(person="P07", consent=NOBODY, recipients=given)
        draft = Draft.of_plan(plan, Settings(), person_known=True, consent_known=True)
        assert draft.plan().recipients == given
        assert draft.next_session().plan().recipients == given


def test_the_set_up_says_for_whom_it_will_be_encrypted(owner: X25519PrivateKey) -> None:
    said = _kept_words(Settings(vault=VaultSettings(recipients=(recipient(owner),))), Draft())
    assert "encrypted for one key" in said
    assert "encrypted" not in _kept_words(Settings(), Draft())
    assert "no vault gone" in _kept_words(Settings(vault=VaultSettings(name="gone")), Draft())


def test_a_note_that_was_being_typed_is_encrypted(owner: X25519PrivateKey, tmp_path: Path) -> None:
    kept("she wept", tmp_path / "x.h5", "0" * 32, (recipient(owner),))
    (found,) = tmp_path.glob("x.*")
    assert found.name == "x.note.txt.vault"
    assert b"wept" not in found.read_bytes()
    comes(owner)
    assert boxes.read(tmp_path / "x.note.txt").startswith(b"she wept")


def test_nobody_records_with_a_vault_and_without() -> None:
    done = affetti("record", "--headless", "--no-vault", "--vault", "clinic")
    assert done.returncode == ExitCode.USAGE


@pytest.mark.campaign
async def test_a_recording_is_encrypted_and_can_be_looked_at_by_who_made_it(
    owner: X25519PrivateKey, tmp_path: Path
) -> None:
    moving_film(tmp_path / "film.avi", seconds=2, per_s=15)
    (tmp_path / "settings.toml").write_text(
        f'sessions_folder = "{tmp_path / "held"}"\n[vault]\nrecipients = ["{recipient(owner)}"]\n'
    )
    words = ["--camera", tmp_path / "film.avi", "--person", "P07"]
    done = affetti("record", "--headless", *words)
    assert done.returncode == 0, done.stderr
    assert "encrypted" in done.stderr
    files = sorted((tmp_path / "held").iterdir())
    (made,) = [path for path in files if path.suffix == ".h5"]
    assert all(map(is_box, files))  # the page of it, too
    assert not any("P07" in path.name for path in files)
    with Session.open(made) as session:  # its data key is held still
        key = session.key
        assert session.started.person == "P07"
    assert key is not None
    keys.drop()
    with pytest.raises(AffettiError):
        Session.open(made)
    view = RecordingView()
    view.hear(messages.Sealed(str(made), "sources_ended", key.key, key.block))
    code, said = await run("report", str(made))
    assert code == 0, said
    assert said.endswith(".report.html.vault")
    assert is_box(Path(said))
    comes(owner)
    assert b"P07" in boxes.read(Path(said.removesuffix(".vault")))


WATCHED = """
import os, sys
told = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def hear(event, what):
    if event == "open" and isinstance(what[0], (str, bytes)):
        if what[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            os.write(told, os.path.abspath(os.fsencode(what[0])) + b"\\n")
sys.addaudithook(hear)
from affetti.core.cli import main
main()
"""


@pytest.mark.campaign
def test_nothing_is_written_anywhere_before_it_is_encrypted(
    owner: X25519PrivateKey, tmp_path: Path
) -> None:
    """Every file that a process opens for writing is known, and so is what each may hold."""
    moving_film(tmp_path / "film.avi", seconds=2, per_s=15)
    held, told = tmp_path / "held", tmp_path / "told"
    private = owner.private_bytes_raw()
    vault.new("clinic", vault.Lock("file", key_file=tmp_path / "key"), private, n=16)
    settings = f'sessions_folder = "{held}"\n[vault]\nname = "clinic"\n'
    (tmp_path / "settings.toml").write_text(settings)
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    (tmp_path / "tmp").mkdir()

    def run(*words: object) -> None:
        command = [sys.executable, "-P", "-c", WATCHED, str(told), *map(str, words)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    run("record", "--headless", "--camera", tmp_path / "film.avi", "--person", "P07")
    (made,) = held.glob("*.h5")
    run("report", made)
    run("analyze", made)
    run("withdraw", made, "video", "--yes")
    names = {Path(line) for line in told.read_text().splitlines()}
    beside = {path for path in names if held in path.parents}
    assert beside
    kinds = re.compile(r"ses-\w+(\.part\d+)?\.h5|\.affetti-\w+-\w+\.writing|.+\.vault")
    assert [path for path in beside if not kinds.fullmatch(path.name)] == []
    # The folder itself: a file without a name and without a byte, to see whether it can be written.
    elsewhere = names - beside - {Path(os.devnull), held}
    kept = [
        str(locations.log_folder()),
        str(locations.cache_folder()),
        os.environ.get("NUMBA_CACHE_DIR", "-"),
        "/dev/",
    ]
    strange = [str(path) for path in elsewhere if not str(path).startswith(tuple(kept))]
    assert [path for path in strange if "__pycache__" not in path] == []
