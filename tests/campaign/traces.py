"""Real recordings that something is removed from: no run of eight bytes of it is left anywhere.

`python -m tests.campaign.traces [SECONDS]` records a film of a face, the sound of a room and a
track, plain and encrypted, analyses, reports and exports each, and withdraws consent or carries
out a rule of retention. Then every file beside it is searched, encrypted ones decrypted and
pictures in pages decoded, for every run of eight bytes that the removed frames or sounds had at
any place, those aside that a recording of other things has as well.
"""

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import h5py
import numpy as np
import soundfile
from numpy.typing import NDArray

from affetti.core.custody import boxes, keys, retention, vault
from affetti.core.recording import hdf5
from affetti.core.recording.box import BoxReader, is_box
from affetti.core.recording.session import Session
from affetti.core.settings import Retention
from tests.command_line import affetti
from tests.conftest import SAMPLES
from tests.recorder.films import face_film, moving_film

_RUN: Final = 8
_SPREAD: Final = 0x9E3779B97F4A7C15  # any odd number: where a run is looked up depends on all of it
_SHIFT: Final = 37
_RATE_HZ: Final = 44_100
_EMBEDDED: Final = re.compile(rb"data:[a-z]+/[a-z0-9+.-]+;base64,([A-Za-z0-9+/=]+)")
_REMOVALS: Final = ("video", "room", "all", "retention")
_WORDS: Final = "otter lamp violet nine"


def runs(data: bytes) -> NDArray[np.uint64]:
    """Return every run of eight bytes, wherever it begins."""
    starts = [data[at : at + (len(data) - at) // _RUN * _RUN] for at in range(_RUN)]
    return np.concatenate([np.frombuffer(each, np.uint64) for each in starts])


class Sought:
    """Runs that must be nowhere.

    Parameters
    ----------
    wanted
        All of them, in order.
    """

    def __init__(self, wanted: NDArray[np.uint64]) -> None:
        self._wanted = wanted
        self._may_be = np.zeros(1 << (64 - _SHIFT), bool)
        self._may_be[self._places(wanted)] = True

    def __len__(self) -> int:
        return len(self._wanted)

    def _places(self, found: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return (found * np.uint64(_SPREAD)) >> np.uint64(_SHIFT)

    def in_(self, data: bytes) -> int:
        """Return how often one of them is in some bytes."""
        found = runs(data)
        found = found[self._may_be[self._places(found)]]
        at = np.minimum(np.searchsorted(self._wanted, found), len(self._wanted) - 1)
        return int((self._wanted[at] == found).sum())


def varied(found: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the runs of at least four different bytes: anything has those of fewer."""
    ordered = np.sort(found.view(np.uint8).reshape(-1, _RUN), axis=1)
    return found[(np.diff(ordered, axis=1) != 0).sum(axis=1) >= 3]


def data_sets(file: h5py.File) -> list[h5py.Dataset]:
    """Return all data sets of a file."""
    found: list[h5py.Dataset] = []
    file.visititems(lambda name, item: found.append(item) if hasattr(item, "shape") else None)
    return found


def contents(path: Path) -> bytes:
    """Return what is in a file, as whoever may read it would, and pictures of a page decoded."""
    data = path.read_bytes()
    if is_box(path):
        with BoxReader(path) as box:
            data += box.read()
    if path.suffix == ".h5":  # what is compressed there, too
        with hdf5.to_read(path) as file:
            data += b"".join(each[()].tobytes() for each in data_sets(file))
    return data + b"".join(map(base64.b64decode, _EMBEDDED.findall(data)))


def record(folder: Path, name: str, film: Path, seed: int, seconds: float, *options: str) -> Path:
    """Record a film, a room and a track; return the recording."""
    room = folder.parent / f"room-{seed}.wav"
    noise = np.random.default_rng(seed).normal(0, 900, (round(seconds * _RATE_HZ), 1))
    soundfile.write(room, noise.astype(np.int16), _RATE_HZ)
    track = SAMPLES / "music" / "sadness.ogg"
    target = folder / name
    words = ["record", "--headless", "--no-page", "--person", "QZ41X", "--camera", str(film)]
    words += ["--microphone", str(room), "--play", str(track), "--no-speaker"]
    words += ["--consent", "both", "--consent", "pictures_in_reports"]
    words += ["--duration", str(seconds), "--output", str(target), *options]
    subprocess.run([sys.executable, "-m", "affetti", *words], check=True, capture_output=True)
    return target


def said(*words: object) -> str:
    """Run a command that has to succeed; return what it says."""
    done = affetti(*words)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def removed(recording: Path, how: str) -> bytes:
    """Remove something; return all bytes of it."""
    with Session.open(recording) as session:
        records = list(session.records())
    streams = {"video": {"camera"}, "room": {"room"}}.get(how, {"camera", "room"})
    gone = b"".join(r.blob for r in records if r.stream in streams)
    assert len(gone) > 100_000
    if how == "retention":
        rule, later = Retention(pictures_days=1, sound_days=1), date.today() + timedelta(days=3)
        for each in retention.outlook([recording], rule, later).due:
            retention.carry_out(each)
    else:
        said("withdraw", recording, how, "--yes")
    return gone


def trial(folder: Path, pristine: Path, how: str, common: NDArray[np.uint64]) -> str:
    """Remove of a copy of a recording and of what lies beside it; return what was seen."""
    work = folder / f"{pristine.parent.name}-{how}"
    shutil.copytree(pristine.parent, work)
    recording = work / pristine.name
    gone = removed(recording, how)
    wanted = Sought(np.setdiff1d(varied(runs(gone)), common))
    before = sum(traces(pristine.parent, wanted).values())
    assert before >= len(wanted), "the search does not find what is there"
    beside = sorted(path.name for path in work.iterdir())
    found = traces(work, wanted)
    for words in (("analyze",), ("report",), ("export", "--to", "elan")):
        affetti(words[0], recording, *words[1:])  # what can be made anew of what remains
    found |= traces(work, wanted)
    checked, verified = affetti("check", recording), affetti("verify", recording)
    assert not found, found
    assert checked.returncode == 0, checked.stdout
    last = (verified.stdout.strip() or verified.stderr.strip()).splitlines()[-1]
    return (
        f"{work.name}: {len(wanted)} runs, none left in {len(list(work.rglob('*')))} files; "
        f"check {checked.returncode}, verify {verified.returncode}: {last}; kept {beside}"
    )


def traces(folder: Path, wanted: Sought) -> dict[str, int]:
    """Return the files in which something of the wanted is, and how much."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            count = wanted.in_(contents(path))
            found |= {str(path): count} if count else {}
    return found


def main(seconds: float = 30.0) -> None:
    """Make all trials, and print a line for each."""
    with tempfile.TemporaryDirectory(prefix="affetti-traces-") as name:
        folder = Path(name)
        _prepare(folder)
        film = face_film(folder / "film.avi", SAMPLES / "sample.h5", seconds + 5, (640, 480), 15)
        moving_film(folder / "other.avi", seconds + 5)
        for place in ("plain", "encrypted", "other"):
            (folder / place).mkdir()
        other = record(folder / "other", "o.h5", folder / "other.avi", 2, seconds)
        _make_beside(other)
        common = np.unique(
            np.concatenate([runs(contents(p)) for p in other.parent.rglob("*") if p.is_file()])
        )
        for place, options in (("plain", ()), ("encrypted", ("--vault", "clinic"))):
            pristine = record(folder / place, "r.h5", film, 1, seconds, *options)
            _make_beside(pristine)
            for how in _REMOVALS:
                print(trial(folder, pristine, how, common), flush=True)  # noqa: T201


def _prepare(folder: Path) -> None:
    settings = folder / "settings.toml"
    settings.write_text(f'sessions_folder = "{folder}"\n[report]\nat_end = false\n')
    (folder / "secret").write_text(_WORDS)
    os.environ |= {
        "AFFETTI_LANGUAGE": "en",
        "AFFETTI_SETTINGS": str(settings),
        "AFFETTI_VAULTS": str(folder / "vaults"),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_DATA_HOME": str(folder / "data"),
        vault.PASSPHRASE_FILE: str(folder / "secret"),
    }
    keys.drop()
    vault.new("clinic", vault.Lock("passphrase", _WORDS))


def _make_beside(recording: Path) -> None:
    """Make what is made of a recording, and see that its pictures can be found by this search."""
    said("analyze", recording)
    said("report", recording)
    plain = ["--plain"] if boxes.found_at(recording) and is_box(recording) else []
    said("export", recording, "--to", "elan", *plain)


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
