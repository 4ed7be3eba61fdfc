"""Of whoever is forgotten, no word and no byte is left in any kind of file that there is.

The kinds are those of the register (`core.custody.artefacts`): one that this test does not make
fails it.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from affetti.core.custody import artefacts, boxes, keys, vault
from affetti.core.custody.artefacts import ARTEFACTS, INDEX, OF_PERSONS, UNFINISHED_NOTE
from affetti.core.errors import ExitCode
from affetti.core.events import Event, FrameCaptured, NoteAdded
from affetti.core.events.entries import new_id
from affetti.core.events.people import GoalSet
from affetti.core.people import annotations, index
from affetti.core.people import log as log_of_person
from affetti.core.people.annotations import Annotation
from affetti.core.recording.names import part_path
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.settings import LogSettings
from tests.command_line import affetti
from tests.conftest import NS, SESSION_ID, jpeg, small_session, started

PERSON = "QZ41X"
WORDS = "otter lamp violet nine"
TOLD = ("kwijibo", "zanzara", "gloxinia", "tarmigan", "vellichor")  # what was said of them
WINDOW = 16


def events(person: str, shade: int) -> Iterator[tuple[Event, bytes]]:
    """Yield a session of one second of a person, whose pictures and tone are their own."""
    _, *rest = small_session(1)
    yield started(person=person), b""
    for event, blob in rest[:-1]:
        own = bytes((each * 7 + shade) % 251 for each in range(len(blob)))
        is_frame = isinstance(event, FrameCaptured)
        yield event, jpeg(shade + 2 * event.frame, (48, 64)) if is_frame else own if blob else b""
    yield NoteAdded(t_ns=NS, text=TOLD[0] if person == PERSON else "something"), b""
    yield rest[-1]


def logged(target: Path, person: str, shade: int, key: keys.DataKey | None) -> set[bytes]:
    """Write a log; return what must be nowhere when it is gone."""
    log = PartLog(target, SESSION_ID, LogSettings(part_mib=8), key)
    windows = set()
    for event, blob in events(person, shade):
        log.append(event, blob)
        windows |= {blob[at : at + WINDOW] for at in range(0, len(blob) - WINDOW, WINDOW)}
    log.close()
    return windows


def damaged(part: Path) -> None:
    """Turn a byte in the middle of what was written, as a disk does."""
    data = bytearray(part.read_bytes())
    end = len(data.rstrip(b"\0"))
    data[end // 2] ^= 1
    part.write_bytes(data)


@pytest.fixture
def data_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], object]:
    monkeypatch.setenv("AFFETTI_VAULTS", str(tmp_path / "vaults"))
    monkeypatch.setenv(vault.PASSPHRASE_FILE, str(tmp_path / "secret"))
    monkeypatch.setattr(vault, "SCRYPT_N", 16)
    (tmp_path / "secret").write_text(WORDS)
    keys.drop()

    def make(encrypted: bool) -> keys.DataKey | None:
        if not encrypted:
            return None
        vault.new("clinic", vault.Lock("passphrase", WORDS))
        return keys.new_key([vault.vault("clinic").public])

    return make


def everything_beside(folder: Path, desk: Path, key: keys.DataKey | None) -> set[bytes]:
    """Make each kind of file of a person that there is; return what is then in them."""
    recording, broken = folder / f"sub-{PERSON}_ses-1.h5", folder / f"sub-{PERSON}_ses-2.h5"
    windows = logged(recording, PERSON, 3, key) | logged(broken, PERSON, 90, key)
    damaged(part_path(recording, 1))
    seal(recording)
    recipients = (vault.vault("clinic").recipient,) if key else ()
    goal = GoalSet(author_id=new_id(), person=PERSON, goal_id=new_id(), words=TOLD[1])
    log_of_person.add([goal], PERSON, folder, recipients, coded_name=False)
    note = Annotation(author_id=new_id(), session_id=SESSION_ID, seq=1, label=TOLD[2], text="x")
    annotations.append(folder / f"{recording.stem}.annotations.jsonl", note, key)
    boxes.write(folder / UNFINISHED_NOTE.name(recording), TOLD[3].encode(), key)
    for words in (
        ("analyze", recording),
        ("export", recording, "--to", "elan", *(["--plain"] if key else [])),
        ("report", recording, "--conclusion", TOLD[4]),
        ("report", recording, "--output", desk / "a page.html"),
        *(("report", recording, "--form", form) for form in ("html", "pdf", "txt")),
        *(("progress", PERSON, folder, "--form", form) for form in ("html", "pdf", "txt")),
    ):
        done = affetti(*words)
        assert done.returncode == 0, (words, done.stderr)
    if key:
        log = next(folder.glob("*.person.jsonl.vault"))
        assert affetti("vault", "open", log, "--output", desk / "log.jsonl").returncode == 0
    index.scanned(folder)
    return windows


def kinds_in(folder: Path) -> set[str]:
    """Return the kinds of the register that lie in a folder."""
    recordings = [folder / f"sub-{PERSON}_ses-{number}.h5" for number in (1, 2)]
    found = {each.artefact.kind for path in recordings for each in artefacts.beside(path)}
    person = folder / f"sub-{PERSON}.h5"
    for path in folder.iterdir():
        found |= {each.kind for each in OF_PERSONS if each.matches(path.name, person)}
        found |= {"index"} if path.name.startswith(INDEX) else set()
    return found


def left(root: Path, but: tuple[Path, ...], wanted: set[bytes]) -> list[tuple[str, bytes]]:
    """Return what of the wanted is in a file below, or in its name."""
    found = []
    for path in root.rglob("*"):
        if any(path == each or each in path.parents for each in but):
            continue
        data = os.fsencode(path.relative_to(root))
        data += b"\n" + path.read_bytes() if path.is_file() else b""
        found += [(str(path), each) for each in wanted if each in data]
    return found


@pytest.mark.campaign
@pytest.mark.parametrize("encrypted", [False, True])
def test_nothing_is_left_of_whoever_is_forgotten(
    tmp_path: Path, data_key: Callable[[bool], keys.DataKey | None], encrypted: bool
) -> None:
    folder, desk = tmp_path / "study", tmp_path / "desk"
    folder.mkdir()
    key = data_key(encrypted)
    other = folder / "sub-P12_ses-1.h5"
    logged(other, "P12", 150, None)
    common = seal(other).path.read_bytes()  # what any picture and any file begins with
    windows = everything_beside(folder, desk, key)
    there = kinds_in(folder)
    needs_a_vault = set() if encrypted else {artefacts.PERSON_EXPORTS.kind}
    expected = {each.kind for each in (*ARTEFACTS, *OF_PERSONS)} | {"index"}
    assert expected - there == needs_a_vault, "this test does not make a kind that there is"
    wanted = {each for each in windows if each not in common and len(set(each)) > 2}
    wanted |= {each.encode() for each in (PERSON, *TOLD)}
    but = (tmp_path / "settings.toml", tmp_path / "secret")
    before = left(tmp_path, (*but, desk), {each.encode() for each in (PERSON, *TOLD)})
    readable = {path for path, words in before if words != PERSON.encode()}
    assert not encrypted or {Path(path).suffix for path in readable} <= {".eaf"}  # asked for plain
    assert encrypted or len({words for _, words in before}) == 1 + len(TOLD)
    assert affetti("forget", PERSON, folder, "--yes").returncode == ExitCode.UNSEALED
    assert affetti("recover", folder).returncode in (ExitCode.OK, ExitCode.WARNING)
    said = affetti("forget", PERSON, folder, "--yes")
    assert said.returncode == 0, said.stderr
    assert str(desk / "a page.html") in said.stdout  # which only its owner can remove
    assert left(tmp_path, (*but, desk), wanted) == []
    assert other.read_bytes() == common
