"""A recording for a vault: its name, its parts, its file and its report say nothing of anybody."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import boxes, keys, vault
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import consent_to
from affetti.core.recording.box import is_box
from affetti.core.recording.session import Session
from affetti.core.settings import Settings, VaultSettings
from affetti.recorder.engine import messages
from affetti.recorder.engine.messages import Plan
from affetti.recorder.engine.recording import recipients_of, target_of
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.screens.gone import kept
from affetti.recorder.tui.screens.review import _run_report
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
    assert "encrypted for one other key" in said
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
    (made,) = (tmp_path / "held").iterdir()
    assert is_box(made)
    assert "P07" not in made.name
    with Session.open(made) as session:  # its data key is held still
        key = session.key
        assert session.started.person == "P07"
    assert key is not None
    keys.drop()
    with pytest.raises(AffettiError):
        Session.open(made)
    view = RecordingView()
    view.hear(messages.Sealed(str(made), "sources_ended", key.key, key.block))
    code, said = await _run_report(str(made))
    assert code == 0, said
    assert said.endswith(".report.html.vault")
    assert is_box(Path(said))
    comes(owner)
    assert b"P07" in boxes.read(Path(said.removesuffix(".vault")))
