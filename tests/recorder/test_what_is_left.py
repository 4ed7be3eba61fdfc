"""Whatever screen and commands write of a person: encrypted, withdrawn and forgotten, byte by byte.

Every kind of file is made by what makes it in a session, not by its name alone.
"""

import hashlib
import os
from collections.abc import Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core import logbook
from affetti.core.consent import today
from affetti.core.custody import keys, vault
from affetti.core.custody.artefacts import (
    ANALYSIS,
    ANNOTATIONS,
    COPY,
    ENCRYPTED_SUFFIX,
    EXPORTS,
    INDEX,
    MUSIC,
    PLAYLISTS,
    REPORT,
    SET_UP,
    UNFINISHED_NOTE,
    beside,
)
from affetti.core.events import MarkerKey, consent_to
from affetti.core.events.entries import new_id
from affetti.core.events.people import (
    ConsentFiled,
    GoalSet,
    MarkersChosen,
    MusicLabelled,
    ScalesChosen,
)
from affetti.core.people import log as person_log
from affetti.core.people.index import scanned
from affetti.core.people.playlist import PlaylistEntry, write_playlist
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.engine import messages
from affetti.recorder.engine.messages import Plan
from affetti.recorder.engine.process import start_engine
from affetti.recorder.tui import themes
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.screens.gone import kept
from affetti.recorder.tui.usual import playlists_in
from affetti.recorder.tui.walk import Walk, add_note
from tests.command_line import affetti
from tests.recorder.films import face_film, tone

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.skipif(os.name == "nt", reason="the player is a script"),
]

CODE = "QZX731"
TITLE = "Cloudberry Reel"
WORDS = {
    "note": "wept at the footbridge",
    "marker": "taps the table thrice",
    "word": "velvetine",
    "scale": "heaviness of limbs",
    "noted afterwards": "remember the lighthouse",
    "rating": "steadiness of gaze",
    "draft": "half a sentence about orchards",
    "goal": "to sing with her sister Maud",
    "label": "stands for the harbour town",
    "counted": "hums along quietly",
}
SECRETS = (CODE, *WORDS.values())
OTHER = "ZYW402"
FILMS = {CODE: "walrus at noon", OTHER: "heron at dusk"}
# What belongs to the place names its music, and nobody.
OF_THE_PLACE = {MUSIC, SET_UP}


@pytest.fixture(params=[False, True], ids=["plain", "encrypted"])
def made(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    sample_session: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A sealed recording in a folder of its own, beside which everything lies that there is."""
    for name in ("CACHE", "CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("AFFETTI_VAULTS", str(tmp_path / "vaults"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    keys.drop()
    recipients = (_owner(),) if request.param else ()
    folder = tmp_path / "held"
    words = f'sessions_folder = "{folder}"\n[vault]\nrecipients = {list(recipients)}\n'
    Path(os.environ["AFFETTI_SETTINGS"]).write_text(words)
    (tmp_path / "music").mkdir()
    track = tone(tmp_path / "music" / f"{TITLE}.wav", 4)
    film = face_film(tmp_path / "film.mp4", sample_session, 3, (320, 240), 10)
    room = tone(tmp_path / "room.wav", 3, pitch_hz=170)
    recording = _recorded(Settings(sessions_folder=str(folder)), film, room, track, recipients)
    _written_beside(recording, track, recipients)
    _written_elsewhere(folder, track)
    _commanded(recording, tmp_path, monkeypatch)
    film.unlink()
    room.unlink()
    track.rename(track.with_name("track.wav"))
    return recording


def _owner() -> str:
    owner = X25519PrivateKey.generate()
    public = owner.public_key().public_bytes_raw()
    keys.hold_private(public, owner.private_bytes_raw())
    return vault.recipient_text(public)


def _recorded(
    settings: Settings, film: Path, room: Path, track: Path, recipients: tuple[str, ...]
) -> Path:
    """Record as the screen has it recorded, by its engine."""
    engine = start_engine(settings)
    plan = Plan(
        person=CODE,
        consent=consent_to("video", "room", since=today()),
        camera=str(film),
        microphone=str(room),
        playlist=(str(track),),
        speaker=None,
        recipients=recipients,
    )
    try:
        _said(engine.pipe, messages.Record(plan), messages.Started)
        report = messages.ReportSelf(
            occasion="between", emotion=WORDS["word"], scales={WORDS["scale"]: 7.0}
        )
        for command in (messages.Note(WORDS["note"]), messages.Mark(WORDS["marker"]), report):
            messages.send(engine.pipe, command)
        sealed = _said(engine.pipe, None, messages.Sealed)
    finally:
        engine.close()
    assert engine.join(60)
    return Path(sealed.path)


def _said(
    pipe: Connection, command: messages.Command | None, kind: type[messages.AnyMessage]
) -> Any:
    if command is not None:
        messages.send(pipe, command)
    while pipe.poll(60):
        said = messages.receive_message(pipe)
        if isinstance(said, kind):
            return said
    raise AssertionError(f"no {kind.__name__} came")


def _written_beside(recording: Path, track: Path, recipients: tuple[str, ...]) -> None:
    """Write what the screen writes of a person after the recording, and while one types."""
    add_note(recording, 0, WORDS["noted afterwards"])
    walk = Walk.open(recording, new_id())
    walk.add("rating", 0, values={WORDS["rating"]: 6.0})
    walk.add("happy", 0, 10**9, blind=True)
    walk.close()
    with Session.open(recording) as session:
        kept(WORDS["draft"], recording, session.session_id, recipients)
    me = {"author_id": new_id(), "person": CODE}
    entries = [
        GoalSet(goal_id=new_id(), words=WORDS["goal"], **me),
        MarkersChosen(markers=(MarkerKey(WORDS["counted"], "h"),), **me),
        ScalesChosen(scales=(WORDS["scale"],), **me),
        ConsentFiled(consent=consent_to("video", since=today()), on=today(), **me),
        MusicLabelled(
            sha256=hashlib.sha256(track.read_bytes()).hexdigest(),
            title=TITLE,
            text=WORDS["label"],
            **me,
        ),
    ]
    person_log.add(entries, CODE, recording.parent, recipients)


def _written_elsewhere(folder: Path, track: Path) -> None:
    """Write what the screen keeps of the place: devices, music, colours, and its own log."""
    entries = [PlaylistEntry(path=str(track))]
    write_playlist(playlists_in(Settings(sessions_folder=str(folder))), "evening", entries)
    Draft(person=CODE, camera="0", playlist=[*entries]).remember()
    themes.remember("clinical")
    scanned(folder)
    logbook.begin("screen")
    logbook.note("not foreseen", ValueError(f"{CODE}: {WORDS['note']}"))
    logbook.end()


def _commanded(recording: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have written what commands write, and a stretch shown."""
    programs = place / "programs"
    programs.mkdir()
    for name in ("xdg-open", "open"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    for words in (
        ("report", recording),
        ("analyze", recording),
        ("export", recording, "--to", "elan", "--plain"),
        ("progress", CODE),
        ("music", "scan", place / "music"),
    ):
        said = affetti(*words)
        assert said.returncode == 0, (words, said.stderr)
    with monkeypatch.context() as changed:
        changed.setenv("PATH", str(programs))
        said = affetti("review", recording, "--open", "0-1", typed="y\n\n")
    assert said.returncode == 0, said.stderr
    scanned(recording.parent)


def files_with(words: str, place: Path) -> set[Path]:
    """Return the files below a folder that hold words, or are named by them."""
    sought = words.encode()
    return {
        path
        for path in place.rglob("*")
        if path.is_file() and (words in str(path.relative_to(place)) or sought in path.read_bytes())
    }


def is_encrypted(recording: Path) -> bool:
    return CODE not in recording.name


def left_of(secrets: Iterable[str], place: Path) -> dict[str, set[Path]]:
    return {each: found for each in secrets if (found := files_with(each, place))}


def test_every_kind_is_there_and_of_what_is_encrypted_nothing_can_be_read(
    made: Path, tmp_path: Path
) -> None:
    kinds = {each.artefact for each in beside(made)}
    assert kinds >= {ANALYSIS, ANNOTATIONS, COPY, REPORT, UNFINISHED_NOTE}
    names = {path.name for path in tmp_path.rglob("*")}
    assert names >= OF_THE_PLACE | {PLAYLISTS, "evening.csv", "screen.log", "theme"}
    there = left_of(SECRETS, tmp_path)
    if is_encrypted(made):
        assert EXPORTS in kinds
        assert INDEX + ENCRYPTED_SUFFIX in names
        copies = {each.path for each in beside(made) if each.artefact == COPY}
        assert {path for found in there.values() for path in found} <= copies  # asked for so
    else:
        assert INDEX in names
        assert set(there) == set(SECRETS)
    assert not left_of(SECRETS, tmp_path / "tmp")


def test_of_a_person_who_is_forgotten_no_word_is_left_anywhere(made: Path, tmp_path: Path) -> None:
    done = affetti("forget", CODE, "--yes")
    assert done.returncode == 0, done.stderr
    assert left_of(SECRETS, tmp_path) == {}
    where = {path.name for path in files_with(TITLE, tmp_path)}
    assert where <= OF_THE_PLACE | {"evening.csv"}


@pytest.mark.parametrize("scope", ["video", "room"])
def test_of_what_is_withdrawn_no_piece_is_left_anywhere(
    made: Path, tmp_path: Path, scope: str
) -> None:
    with Session.open(made) as session:
        pieces = of_scope(session, scope)
    assert pieces
    done = affetti("withdraw", made, scope, "--yes")
    assert done.returncode == 0, done.stderr
    there = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [piece for piece in pieces if any(piece in data for data in there)]
    kinds = {each.artefact for each in beside(made)}
    assert not kinds & {ANALYSIS, COPY, REPORT}
    assert kinds >= {ANNOTATIONS, UNFINISHED_NOTE}  # a person's own words stay


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_of_films_and_what_a_study_says_of_them_no_word_is_left_anywhere(
    tmp_path: Path, sample_session: Path, monkeypatch: pytest.MonkeyPatch, encrypted: bool
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    keys.drop()
    folder, desk = tmp_path / "held", tmp_path / "desk"
    recipients = [_owner()] if encrypted else []
    Path(os.environ["AFFETTI_SETTINGS"]).write_text(f"[vault]\nrecipients = {recipients}\n")
    for person in FILMS:
        _imported(person, tmp_path, sample_session, folder)
    asked = ["--plain"] if encrypted else []
    assert affetti("analyze", folder, "--name", "slow", "--parquet").returncode == 0
    group = "group", folder, "--parquet", "--figures", "--coverage", "0", *asked
    assert affetti(*group, "--output", desk / "group").returncode == 0
    assert affetti("study", "report", folder, *asked, "--output", desk / "study").returncode == 0
    assert affetti("export", folder, "--to", "parquet", *asked).returncode == 0
    tables = {desk / "group" / "group.json", desk / "study" / "study.json"}
    telling = files_with(CODE, folder)
    assert {path.suffix for path in telling} <= {".parquet"} if encrypted else telling
    assert all(files_with(CODE, path.parent) for path in tables)
    said = affetti("forget", CODE, folder, "--yes")
    assert said.returncode == 0, said.stderr
    assert all(str(path) in said.stdout for path in tables)
    words = CODE, FILMS[CODE]
    assert left_of(words, folder) == left_of(words, tmp_path / "cache") == {}
    assert left_of(words, tmp_path / "tmp") == {}
    assert files_with(OTHER, desk / "group")
    assert affetti(*group, "--output", desk / "group").returncode == 0
    assert affetti("study", "report", folder, *asked, "--output", desk / "study").returncode == 0
    assert left_of(words, desk) == {}


def _imported(person: str, place: Path, sample_session: Path, folder: Path) -> None:
    """Have a film of a person imported, with a track, and remove what it was made of."""
    film = face_film(place / f"{FILMS[person]}.mp4", sample_session, 3, (320, 240), 10)
    track = tone(place / f"{TITLE}.wav", 2, pitch_hz=300 if person == CODE else 500)
    agreed = [each for scope in ("both", "research") for each in ("--consent", scope)]
    words = "import", film, "--music", track, "--person", person, *agreed, "--output", folder
    said = affetti(*words)
    assert said.returncode == 0, said.stderr
    film.unlink()
    track.unlink()


def of_scope(session: Session, scope: str) -> list[bytes]:
    """Return pieces out of the middle of what a scope gave."""
    if scope == "video":
        return [frame.jpeg[len(frame.jpeg) // 2 :][:24] for frame in session.frames]
    heard = session.audio("room").read()
    return [heard[at : at + 64].tobytes() for at in range(1000, len(heard) - 64, 5000)]
