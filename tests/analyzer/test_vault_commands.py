"""`affetti vault`: a key from its making to its removal, and what is said before a loss."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from affetti.analyzer.exports import FORMATS
from affetti.analyzer.tables.csv_file import read_csv
from affetti.core.custody import keys, vault
from affetti.core.errors import ExitCode
from affetti.core.events.people import GoalSet
from affetti.core.people.log import add
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import LogSettings
from tests.command_line import affetti
from tests.conftest import SESSION_ID, small_session

WORDS = "otter lamp violet nine"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFFETTI_VAULTS", str(tmp_path / "vaults"))
    monkeypatch.setenv(vault.PASSPHRASE_FILE, str(tmp_path / "words"))
    monkeypatch.setattr(vault, "SCRYPT_N", 16)
    (tmp_path / "words").write_text(WORDS)
    keys.drop()
    return tmp_path


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[[str], Path]:
    def record(name: str) -> Path:
        """Record for a vault; whoever does so reads nothing."""
        key = keys.new_key([vault.vault(name).public])
        log = PartLog(tmp_path / "it" / "x.h5", SESSION_ID, LogSettings(part_mib=8), key)
        for event, blob in small_session(1):
            log.append(event, blob)
        log.close()
        return tmp_path / "it" / "x.h5"

    return record


def new(place: Path, name: str = "clinic") -> str:
    """Make a vault; return its recovery key."""
    made = affetti("vault", "new", name, "--passphrase-file", place / "words", "--yes")
    keys.drop()
    assert made.returncode == 0
    return next(line.strip() for line in made.stdout.splitlines() if line.startswith("    avr"))


def test_losing_a_vault_is_explained_before_it_is_made(place: Path) -> None:
    refused = affetti("vault", "new", "clinic", "--passphrase-file", place / "words", typed="n\n")
    assert refused.returncode == ExitCode.WARNING
    assert "lost, for everybody and for good" in " ".join(refused.stderr.split())
    assert vault.names() == []


def test_its_public_key_can_be_had_and_its_recovery_key_only_once(place: Path) -> None:
    recovery = new(place)
    said = [affetti("vault", "list"), affetti("vault", "export", "clinic")]
    recipient = vault.vault("clinic").recipient
    assert all(recipient in each.stdout for each in said)
    assert not any(recovery in each.stdout for each in said)
    (listed,) = json.loads(affetti("vault", "list", "--json").stdout)
    assert (listed["name"], listed["public_key"]) == ("clinic", recipient)


@pytest.mark.parametrize(
    ("typed", "code"), [("j\n", 0), ("perhaps\nyes\n", 0), ("nein\n", 1), ("\n", 1), ("", 1)]
)
def test_a_yes_is_one_in_either_language(place: Path, typed: str, code: int) -> None:
    new(place)
    removed = affetti("vault", "remove", "clinic", typed=typed)
    assert (removed.returncode != 0) == bool(code)
    left = json.loads(affetti("vault", "list", "--json").stdout)
    assert bool(left) == bool(code)


def test_a_removed_vault_is_restored_from_its_recovery_key(
    place: Path, recorded: Callable[[str], Path]
) -> None:
    recovery = new(place)
    target = recorded("clinic")
    removed = affetti("vault", "remove", "clinic", typed="y\n")
    assert removed.returncode == 0
    assert "lost for good" in removed.stderr
    keys.drop()
    assert affetti("recover", target).returncode == ExitCode.VAULT_CLOSED
    (place / "paper").write_text(recovery)
    words = ["--recovery-file", place / "paper", "--passphrase-file", place / "words"]
    assert affetti("vault", "restore", "again", *words).returncode == 0
    keys.drop()
    assert affetti("recover", target).returncode == 0
    assert "encrypted for again" in affetti("info", target).stdout


@pytest.mark.campaign
def test_a_copy_of_a_vault_opens_what_it_opened(
    place: Path, recorded: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    new(place)
    target = recorded("clinic")
    copy = place / "clinic.vault.json"
    assert affetti("vault", "export", "clinic", "--output", copy).returncode == 0
    assert affetti("vault", "export", "clinic", "--output", copy).returncode == 7
    keys.drop()
    monkeypatch.setenv("AFFETTI_VAULTS", str(place / "empty"))
    assert affetti("recover", target).returncode == ExitCode.VAULT_CLOSED
    assert affetti("vault", "restore", "moved", "--copy", copy).returncode == 0
    assert affetti("recover", target).returncode == 0


def test_what_is_opened_is_noted_and_named_when_consent_ends(
    place: Path, recorded: Callable[[str], Path]
) -> None:
    new(place)
    target = recorded("clinic")
    seal(target)
    copy = place / "copy.h5"
    assert affetti("vault", "open", target, "--output", copy).returncode == 0
    with Session.open(copy) as plain:
        plain.verify_digest()
    assert affetti("vault", "open", target, "--output", copy).returncode == ExitCode.FILE_EXISTS
    assert affetti("vault", "open", copy, "--output", place / "b").returncode == ExitCode.USAGE
    withdrawn = affetti("withdraw", target, "video", "--yes")
    assert str(copy) in withdrawn.stdout


def test_a_recording_is_shared_by_name_or_key(place: Path, recorded: Callable[[str], Path]) -> None:
    new(place)
    new(place, "other")
    target = recorded("clinic")
    seal(target)
    done = affetti("vault", "share", target, "--add", "other", "--remove", "clinic")
    assert done.returncode == 0
    assert "kept a copy" in done.stdout
    keys.drop()
    vault.path_of("other").unlink()
    closed = affetti("info", target)
    assert closed.returncode == ExitCode.VAULT_CLOSED
    assert "was removed" in closed.stderr
    assert affetti("vault", "share", target).returncode == ExitCode.USAGE


def test_labels_are_encrypted_and_what_is_exported_is_not_unless_it_is_wished(
    place: Path, recorded: Callable[[str], Path]
) -> None:
    new(place)
    target = recorded("clinic")
    seal(target)
    (place / "labels.csv").write_text("start_s,stop_s,label\n0,1,swaying\n0,1,happy\n")
    words = ("--session", target, "--rater", "R2", "--blind")
    assert affetti("labels", "import", place / "labels.csv", *words).returncode == 0
    for name in FORMATS:
        said = affetti("export", target, "--to", name)
        assert said.returncode == ExitCode.USAGE
        assert "--plain" in said.stderr
    files = [path for path in target.parent.rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == ["x.annotations.jsonl.vault", "x.h5"]
    told = (b"swaying", b"happy", b'"P07"', b"session_id")
    assert not any(word in path.read_bytes() for path in files for word in told)
    plain = affetti("export", target, "--to", "elan", "--plain", "--output", place / "out")
    assert plain.returncode == 0
    noted = target.with_name("x.exports.jsonl.vault")
    assert b"out" not in noted.read_bytes()
    assert str(place / "out" / "x.eaf") in affetti("withdraw", target, "all", "--yes").stdout


@pytest.mark.campaign
def test_an_analysis_and_a_report_are_encrypted_as_their_recording_is(
    place: Path, recorded: Callable[[str], Path]
) -> None:
    new(place)
    target = recorded("clinic")
    seal(target)
    for command in (["analyze", "--parquet"], ["analyze", "--name", "slow"], ["report"]):
        assert affetti(*command, target).returncode == 0
    files = [path for path in target.parent.rglob("*") if path.is_file() and path != target]
    assert files
    assert all(path.suffix == ".vault" for path in files)
    assert {"x.analysis", "x.slow.analysis"} <= {path.parent.name for path in files}
    words = (b"session_id", b"affetti-session", b"<html", b"PAR1")
    assert not any(word in path.read_bytes() for path in [*files, target] for word in words)
    read = read_csv(target.with_name("x.analysis") / "moments.csv")
    assert read["t_s"] == [0.5]
    assert "x.analysis" in affetti("analyze", target).stdout  # is there already
    assert len([path for path in target.parent.rglob("*") if path.is_file()]) == len(files) + 1
    plain = affetti("report", target, "--plain", "--output", place / "r.html")
    assert plain.returncode == 0
    assert b"P07" in (place / "r.html").read_bytes()
    assert "Removed: r.html" in affetti("withdraw", target, "all", "--yes").stdout
    assert not (place / "r.html").exists()


def test_only_one_thing_opens_a_vault(place: Path) -> None:
    both = affetti("vault", "new", "a", "--key-file", place / "k", "--keyring", "--yes")
    assert both.returncode == ExitCode.USAGE


@pytest.mark.campaign
def test_every_form_of_a_page_is_encrypted_and_goes_with_its_person(
    place: Path, recorded: Callable[[str], Path]
) -> None:
    new(place)
    target = seal(recorded("clinic")).path
    folder, person = target.parent, "P07"
    goal = GoalSet(author_id="0" * 32, person=person, goal_id="ab" * 16, words="Sings a verse")
    add([goal], person, folder, (vault.vault("clinic").recipient,))
    assert affetti("report", target, "--conclusion", "She sang alone.").returncode == 0
    for form in ("html", "pdf", "txt"):
        for command in (("report", target), ("progress", person, folder)):
            assert affetti(*command, "--form", form).returncode == 0
    assert affetti("report", target, "--output", folder / "my page.pdf").returncode == 0
    assert affetti("report", target, "--output", place / "desk" / "page.html").returncode == 0
    files = [each for each in folder.rglob("*") if each.is_file()]
    names = {each.name for each in files}
    pages = {f"{stem}.{form}.vault" for form in ("html", "pdf", "txt")
             for stem in ("x.report", "sub-P07.progress")}  # fmt: skip
    assert names >= {*pages, "my page.pdf.vault"}
    told = b"Sings a verse", b"She sang alone", b"affetti-session", b"<!doctype", b"desk/page.html"
    for file in (*files, place / "desk" / "page.html.vault"):
        assert [words for words in told if words in file.read_bytes()] == [], file.name
    said = affetti("forget", person, folder, "--yes")
    assert said.returncode == 0
    assert str(place / "desk" / "page.html.vault") in said.stdout  # which only its owner can remove
    assert [each for each in folder.rglob("*") if each.is_file()] == []
