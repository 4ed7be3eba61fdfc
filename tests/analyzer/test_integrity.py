"""Whatever a reader uses of a sealed file cannot be altered unsaid."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from affetti.analyzer.checks import Importance, inspect
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import NoteAdded, SessionEnded
from affetti.core.recording.attributes import put_attributes
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from tests.command_line import affetti
from tests.conftest import NS, started
from tests.hostile import resealed
from tests.mutations import log

pytestmark = pytest.mark.one_of_each

Alter = Callable[[h5py.File], Any]


def shifted(name: str, field: str, by: float) -> Alter:
    def alter(file: h5py.File) -> None:
        rows = file[name][:]
        rows[field] += np.asarray(by).astype(rows[field].dtype)
        file[name][:] = rows

    return alter


def attribute(name: str, key: str, value: Any) -> Alter:
    return lambda file: put_attributes(file[name], {key: value})


def column(name: str, value: float) -> Alter:
    return lambda file: file[name].__setitem__(..., value)


ALTERATIONS: dict[str, Alter] = {
    "frames five seconds later": shifted("video/camera/index", "t_ns", 5 * NS),
    "frames later in seconds": shifted("video/camera/index", "t_s", 5.0),
    "frames reversed": lambda f: f["video/camera/index"].__setitem__(
        ..., f["video/camera/index"][:][::-1]
    ),
    "sound three seconds later": shifted("audio/room/blocks", "t_ns", 3 * NS),
    "events later": shifted("events/index", "t_ns", NS),
    "events later in seconds": shifted("events/index", "t_s", 1.0),
    "another scope": lambda f: f["events/index"].__setitem__(
        ..., zeroed(f["events/index"][:], "scopes")
    ),
    "another rate": attribute("audio/room/samples", "rate_hz", 44_100),
    "another session": attribute("/", "session_id", "f" * 32),
    "recovered or not": attribute("/", "recovered", 1),
    "another software": attribute("/", "software_version", "9.9"),
    "another unit": attribute("estimates/fused/t_s", "units", "minutes"),
    "a column of NaN": column("estimates/fused/happiness", np.nan),
    "a column of another modality": column("estimates/pose/sadness", 0.9),
    "times of a signal": column("signals/heart/t_s", 7.0),
    "stamps of a signal": column("signals/heart/stamps_s", 7.0),
    "values of a signal": column("signals/heart/samples", 7.0),
    "a sample of sound": lambda f: f["audio/room/samples"].__setitem__(77, 5),
    "a byte of a picture": lambda f: f["video/camera/bytes"].__setitem__(333, 5),
    "a letter of a marker": lambda f: f["events/json"].__setitem__(
        slice(None), letter(f["events/json"][:].tobytes())
    ),
    "a data set more": lambda f: f.create_dataset("estimates/fused/wisdom", data=np.ones(3)),
    "a group more": lambda f: f.create_group("estimates/aura"),
    "a link more": lambda f: f.__setitem__("estimates/aura", h5py.SoftLink("/estimates/fused")),
    "an attribute more": attribute("events", "comment", "as told"),
    "an attribute less": lambda f: f["audio/room/samples"].attrs.__delitem__("units"),
    "other digests": lambda f: f["events/digests"].__setitem__((3, 3), 7),
}


def zeroed(rows: Any, field: str) -> Any:
    rows[field] = b""
    return rows


def letter(text: bytes) -> Any:
    return np.frombuffer(text.replace(b"marker 2", b"barker 2"), np.uint8)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return seal(log(tmp_path_factory.mktemp("pristine"))).path


@pytest.fixture
def sealed(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(pristine, tmp_path))


def gravest(path: Path) -> list[str]:
    return [each.message for each in inspect(path) if each.importance == Importance.CRITICAL]


@pytest.mark.parametrize("what", ALTERATIONS)
def test_no_alteration_passes_check(sealed: Path, what: str) -> None:
    assert not gravest(sealed)
    with h5py.File(sealed, "r+") as file:
        ALTERATIONS[what](file)
    assert gravest(sealed)


REPEATED = {
    **{
        f"{field} of {name}": shifted(name, field, 1)
        for name, fields in {
            "events/index": ("t_s", "blob_length", "crc32"),
            "video/camera/index": ("t_ns", "t_s", "frame"),
            "audio/room/blocks": ("t_ns", "t_s", "sample"),
            "signals/heart/blocks": ("t_ns", "t_s", "sample"),
        }.items()
        for field in fields
    },
    "times of estimates": column("estimates/pose/t_s", 7.0),
    "another session": ALTERATIONS["another session"],
}


@pytest.mark.parametrize("what", REPEATED)
def test_what_contradicts_the_events_is_found_though_the_file_was_sealed_anew(
    sealed: Path, what: str
) -> None:
    with h5py.File(sealed, "r+") as file:
        REPEATED[what](file)
    assert gravest(resealed(sealed))


SLOW = ("a byte of a picture", "frames five seconds later", "a letter of a marker")


@pytest.mark.parametrize("what", SLOW)
@pytest.mark.parametrize("command", ["report", "analyze"])
def test_what_was_altered_is_not_used_unless_that_is_asked_for(
    sealed: Path, what: str, command: str
) -> None:
    with h5py.File(sealed, "r+") as file:
        ALTERATIONS[what](file)
    done = affetti(command, sealed)
    assert done.returncode == ExitCode.DAMAGED
    assert "altered" in done.stderr
    assert [path.name for path in sealed.parent.iterdir() if "session" in path.name] == [
        sealed.name
    ]


def test_what_is_made_of_an_altered_recording_says_so(sealed: Path) -> None:
    with h5py.File(sealed, "r+") as file:
        ALTERATIONS["a letter of a marker"](file)
    assert affetti("report", sealed, "--altered").returncode == ExitCode.OK
    page = sealed.with_name("session.report.html").read_text()
    assert page.index("altered after it was sealed") < page.index("<header>")
    assert affetti("analyze", sealed, "--altered").returncode == ExitCode.OK
    provenance = json.loads((sealed.parent / "session.analysis/provenance.json").read_text())
    assert provenance["altered"] is True
    assert provenance["command"] == "affetti analyze session.h5 --altered"
    assert str(sealed.parent) not in json.dumps(provenance)
    assert {each["of_altered_recording"] for each in provenance["tables"].values()} == {True}


def test_an_unaltered_recording_says_nothing_of_it(sealed: Path) -> None:
    assert affetti("report", sealed, "--altered").returncode == ExitCode.OK
    assert "altered after" not in sealed.with_name("session.report.html").read_text()


def test_info_says_first_that_a_recording_was_altered(sealed: Path) -> None:
    assert affetti("info", sealed).returncode == ExitCode.OK
    with h5py.File(sealed, "r+") as file:
        ALTERATIONS["a letter of a marker"](file)
    done = affetti("info", sealed)
    assert done.returncode == ExitCode.DAMAGED
    assert done.stdout.startswith("Altered")
    assert "barker 2" in done.stdout
    assert json.loads(affetti("info", sealed, "--json").stdout)["altered"] is True


def test_a_notebook_opens_no_altered_recording_unasked(sealed: Path) -> None:
    with h5py.File(sealed, "r+") as file:
        ALTERATIONS["frames reversed"](file)
    with pytest.raises(AffettiError, match="was altered after it was sealed"):
        Session.open(sealed)
    with Session.open(sealed, altered=True) as session:
        assert session.altered


def test_nobody_guesses_a_short_note_from_its_digest(write_log: Callable[..., Path]) -> None:
    """Two recordings of the same events have no digest in common."""
    items = [(started(), b""), (NoteAdded(t_ns=1, text="no"), b"")]
    items += [(SessionEnded(t_ns=2, reason="stopped"), b"")]
    found = []
    for name in ("one.h5", "two.h5"):
        with Session.open(seal(write_log(items, name)).path) as session:
            found += [row[16:].tobytes() for row in session.digests]
            note = next(r for r in session.records() if r.kind == "NoteAdded")
            assert hashlib.sha256(note.json).digest() not in found
    assert len(set(found)) == len(found) == 6
