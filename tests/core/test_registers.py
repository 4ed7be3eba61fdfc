"""Whatever is registered is encrypted, withdrawn and forgotten, byte by byte."""

import re
from pathlib import Path

import pytest

from affetti.core.custody import boxes, withdrawal
from affetti.core.custody.artefacts import (
    ARTEFACTS,
    ENCRYPTED_SUFFIX,
    INDEX,
    OF_THE_USER,
    PART,
    RECORDING,
    THEME,
    UNREADABLE,
    Artefact,
    beside,
)
from affetti.core.custody.keys import DataKey
from affetti.core.people.authors import author_id
from affetti.core.people.index import scanned
from affetti.core.recording.sealing import seal
from affetti.recorder.tui import themes, usual
from tests.campaign.session import held_key, log

SECRET = b"what nobody else may read"
MADE_OTHERWISE = (RECORDING, PART, UNREADABLE)
ENCRYPTED = pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of recordings."""
    made = tmp_path / "recordings"
    made.mkdir()
    return made


def variant(artefact: Artefact) -> str:
    """Return a part of a name that varies, as the register has it."""
    offers = ("", ".eaf", "001", ".opened.mp4")
    return next(each for each in offers if re.fullmatch(artefact.varies, each))


def recorded(folder: Path, encrypted: bool) -> Path:
    """Return a recording with one of everything beside it that the register knows."""
    key = held_key() if encrypted else None
    recording = log(folder, key)
    seal(recording)
    for artefact in ARTEFACTS:
        if artefact not in MADE_OTHERWISE:
            write(recording.with_name(artefact.name(recording, variant(artefact))), key)
    scanned(folder)
    return recording


def write(path: Path, key: DataKey | None) -> None:
    boxes.write(path, SECRET, key)


def bytes_below(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


@ENCRYPTED
def test_all_beside_a_recording_is_registered_and_forgotten(folder: Path, encrypted: bool) -> None:
    recording = recorded(folder, encrypted)
    known = {each.path for each in beside(recording)}
    indexes = {folder / INDEX, folder / f"{INDEX}{ENCRYPTED_SUFFIX}"}
    assert set(folder.iterdir()) - indexes == known
    assert {each.artefact for each in beside(recording)} >= set(ARTEFACTS) - {PART, UNREADABLE}
    withdrawal.forget(recording)
    assert list(folder.iterdir()) == []


def test_nothing_beside_an_encrypted_recording_can_be_read(folder: Path) -> None:
    recorded(folder, encrypted=True)
    there = bytes_below(folder)
    # Three letters alone are in any megabytes of chance.
    for each in (SECRET, b"marker 3", b'"P07"', b"sub-P07", b"MarkerAdded"):
        assert each not in there


def test_what_can_be_made_again_goes_with_what_is_withdrawn(folder: Path) -> None:
    recording = recorded(folder, encrypted=False)
    withdrawal.withdraw(recording, ["video"])
    left = {each.artefact for each in beside(recording)}
    assert not [artefact.kind for artefact in left if artefact.derived]


def test_in_the_folders_of_the_user_is_only_what_is_of_the_user(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    usual.remember(usual.Usual(camera="0"))
    themes.remember("clinical")
    themes.remember_large(True)
    author_id("R2")
    written = {path.name for path in folder.rglob("*") if path.is_file()}
    assert written <= set(OF_THE_USER)
    assert THEME in written
    assert len(written) == 4
