"""Mutated recordings through whatever reads them: `python -m tests.mutations [COUNT [SEED]]`.

A sealed file or a log, plain or encrypted, is altered by chance, in its bytes or in what its events
say, and goes through open, info, check and recover, on demand through analysis and report; so do
settings, and what lies beside recordings, through what reads them. Each has to come to an answer of
ours: no other exception, no crash, no hang, no more memory than `MOST_BYTES`, nothing lost unsaid,
and nothing altered that a check passes and is read otherwise. Every trial is known by its seed.

A trial is to cost little, so that there can be many: the recording is of half a second, has every
kind of stream and table once, and is made once. Each `FULL_EVERY`th is of one of four seconds with
all the columns of a face, which take ten times as long to be read.
"""

import faulthandler
import hashlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from msgspec.structs import force_setattr

from affetti.analyzer.checks import Finding, Importance, inspect, inspected
from affetti.core.custody import exports, keys, vault
from affetti.core.errors import AffettiError
from affetti.core.events import (
    AudioCaptured,
    Estimated,
    Event,
    FaceEstimated,
    FrameCaptured,
    MarkerAdded,
    NoteAdded,
    SamplesCaptured,
    SessionEnded,
    consent_to,
)
from affetti.core.events.entries import new_id
from affetti.core.events.people import GoalSet
from affetti.core.fusion import fuse
from affetti.core.people import annotations, index, playlist
from affetti.core.people import log as log_of_person
from affetti.core.people.annotations import Annotation
from affetti.core.recording.box import is_box
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.recording.signals import pack_samples
from affetti.core.settings import LogSettings, load
from affetti.core.streams import Stream
from tests.campaign.session import held_key, lasting_folder, lean
from tests.conftest import HEART, NS, RATE_HZ, SESSION_ID, WORDS, jpeg, small_session, started
from tests.hostile import Fields, altered_and_resealed

try:
    import resource
except ImportError:  # Windows has none: memory is neither bounded nor measured there
    resource = None  # type: ignore[assignment]

MOST_BYTES: Final = 1 << 30  # beyond what the process has before
HANGS_AFTER_S: Final = 120
BATCH: Final = 500  # trials in one process
FULL_EVERY: Final = 20
_FULL_PARTS: Final = LogSettings(part_mib=8, part_s=5)
# Smaller than settings allow: what is tried is not how long zeros are.
_SMALL_PARTS: Final = LogSettings(part_mib=8, part_s=5)
force_setattr(_SMALL_PARTS, "part_mib", 1 / 4)
_SHORT_S: Final = 0.5
SETTINGS: Final = b"""camera = "0"
keep = "all"
[video]
frames_per_s = 30
[log]
part_s = 300
[retention]
pictures_days = 30
[retention.persons.P07]
sound_days = 7
[pipelines.own]
face_detector = "face_yunet"
"""
_MOOD: Final = (0.5, 0.2, 0.2, 0.1)
_TRACK: Final = "one.wav"
_PASSPHRASE: Final = "a passphrase for trials"  # noqa: S105
_NUMBERS: Final = (
    0,
    1,
    -1,
    2**31,
    -(2**31),
    2**53 + 1,
    2**62,
    -(2**63),
    10**30,
    1e308,
    -1e308,
    0.5,
)
_TEXTS: Final = ("", "\x1b[2J", "../../x", "é" * 40, "\0", "nan", "x" * 5000, "9" * 400)


def events() -> Iterator[tuple[Event, bytes]]:
    """Yield a session of every kind of stream, with estimates."""
    first, *rest = small_session(ended=False)
    yield _opened(first[0]), b""
    yield from rest
    for stream, values in ((HEART, np.zeros((10, 2))), (WORDS, [["so"]] * 10)):
        yield _samples(stream, values)
    for i in range(5):
        yield FaceEstimated(t_ns=i * NS // 10, frame=i), b""
        yield fuse(i * NS // 2, {"face": _MOOD}), b""
        yield Estimated(t_ns=i * NS, modality="pose", stream="camera", emotions=_MOOD), b""
    yield SessionEnded(t_ns=4 * NS, reason="stopped"), b""


def short_events() -> Iterator[tuple[Event, bytes]]:
    """Yield a session of half a second, with every kind of stream and of table once."""
    yield _opened(started()), b""
    count = int(RATE_HZ * _SHORT_S)
    heard = AudioCaptured(t_ns=0, stream="room", sample=0, count=count)
    yield heard, (np.arange(count) * 7 % 4001 - 2000).astype("<i2").tobytes()
    for i in range(3):
        t_ns = i * NS // 6
        yield FrameCaptured(t_ns=t_ns, frame=i, width_px=48, height_px=32), jpeg(60 * i)
        yield MarkerAdded(t_ns=t_ns, label=f"marker {i}"), b""
        yield Estimated(t_ns=t_ns, modality="pose", stream="camera", emotions=_MOOD), b""
    for stream, values in ((HEART, np.zeros((10, 2))), (WORDS, [["so"]] * 10)):
        yield _samples(stream, values)
    yield NoteAdded(t_ns=NS // 2, text="what was seen"), b""
    yield SessionEnded(t_ns=NS // 2, reason="stopped"), b""


def _opened(begun: Event) -> Event:
    streams = (*begun.streams, HEART, WORDS)  # type: ignore[attr-defined]
    return started(streams=streams, consent=consent_to("video", "room", "signals"))


def _samples(stream: Stream, values: Any) -> tuple[Event, bytes]:
    block = SamplesCaptured(t_ns=NS // 4, stream=stream.name, sample=0, count=10)
    return block, pack_samples(stream, np.arange(10.0), values)


def log(
    folder: Path,
    key: keys.DataKey | None = None,
    said: Iterable[tuple[Event, bytes]] | None = None,
    size: LogSettings = _FULL_PARTS,
) -> Path:
    """Write a session into parts, by default that of `events`; return the sealed path to be."""
    target = folder / "session.h5"
    parts = PartLog(target, SESSION_ID, size, key)
    for event, blob in said or events():
        parts.append(event, blob)
    parts.close()
    return target


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return bytes as disks, copies and people leave them."""
    altered, size = bytearray(data), len(data)
    for _ in range(chance.choice([1, 1, 1, 3, 20])):
        near = chance.choice([size, size, 4096, 65_536])
        at = chance.randrange(min(near, size))
        length = min(chance.choice([1, 1, 4, 8, 512, 4096]), size - at)
        match chance.choice(["flip", "noise", "zero", "ones", "number", "copy"]):
            case "flip":
                altered[at] ^= 1 << chance.randrange(8)
            case "noise":
                altered[at : at + length] = chance.randbytes(length)
            case "zero":
                altered[at : at + length] = bytes(length)
            case "ones":
                altered[at : at + length] = b"\xff" * length
            case "number":
                number = chance.choice([1, 2**31, 2**40, 2**63]).to_bytes(8, "little")
                altered[at : at + 8] = number[: size - at]
            case "copy":
                start = chance.randrange(size - length + 1)
                altered[at : at + length] = altered[start : start + length]
    match chance.choice(["whole"] * 8 + ["cut", "tail"]):
        case "cut":
            del altered[chance.randrange(size) :]
        case "tail":
            at = chance.randrange(size)
            altered[at:] = bytes(size - at)
    return bytes(altered)


def misstated(value: Any, chance: random.Random) -> Any:
    """Return a part of an event with one thing in it that is another."""
    match value:
        case dict() if value:
            key = chance.choice(list(value))
            return {**value, key: misstated(value[key], chance)}
        case list() if value and chance.random() < 0.8:
            i = chance.randrange(len(value))
            return [*value[:i], misstated(value[i], chance), *value[i + 1 :]]
    nested: Any = []
    for _ in range(chance.choice([1, 50, 400])):
        nested = [nested]
    return chance.choice([*_NUMBERS, *_TEXTS, None, True, [], {}, nested])


def misset(chance: random.Random) -> bytes:
    """Return settings as people and disks leave them."""
    if chance.random() < 0.4:
        return mutated(SETTINGS, chance)
    lines = SETTINGS.decode().splitlines()
    i = chance.choice([i for i, line in enumerate(lines) if "=" in line])
    key = chance.choice([lines[i].partition(" =")[0], "keep", "nonsense", "pictures_days"])
    if chance.random() < 0.05:
        key = ".".join([chance.choice("ab")] * chance.choice([5, 400, 20_000]))
    lines[i] = f"{key} = {json.dumps(chance.choice([*_NUMBERS, *_TEXTS, True, [], {}]))}"
    return "\n".join(lines).encode()


def alter(path: Path, chance: random.Random) -> bool:
    """Alter one sealed file: its bytes, or what its events say.

    Returns
    -------
    Whether all sums were made to fit.
    """
    if chance.random() < 0.6 or is_box(path):
        path.write_bytes(mutated(path.read_bytes(), chance))
        return False
    every = chance.choice([1, 5, 40])

    def change(fields: Fields) -> Fields | bytes | None:
        if chance.randrange(every):
            return None
        other = misstated(fields, chance)
        if not isinstance(other, dict):
            return json.dumps(other).encode()
        fits = isinstance(other.get("t_ns"), int) and abs(other["t_ns"]) < 2**63
        return other if fits and isinstance(other.get("kind"), str) else json.dumps(other).encode()

    altered_and_resealed(path, change)
    return True


def outputs(path: Path) -> str:
    """Return a digest of what readers get of a recording."""
    with Session.open(path, altered=True) as session:
        return outputs_of(session)


def outputs_of(session: Session) -> str:
    """Return the same of one that is open."""
    got = hashlib.sha256()
    for record in session.records():
        got.update(repr((record.seq, record.t_ns, record.stream, record.scopes)).encode())
        got.update(record.json + record.blob)
    for modality in sorted(session.estimates):
        for name, values in sorted(session.estimates[modality].items()):
            got.update(repr((modality, name, values.tolist())).encode())
    for name, frames in sorted(session.video.items()):
        got.update(repr((name, [(each.frame, each.t_ns) for each in frames])).encode())
    for name in sorted(session.state.audio):
        got.update(repr((name, session.audio(name).blocks.tolist())).encode())
    for name, signal in sorted(session.signals.items()):
        got.update(repr((name, signal.stored_t_s.tolist(), signal.t_s.tolist())).encode())
        got.update(repr(signal.values.tolist()).encode())
    return got.hexdigest()


@cache
def pristine_outputs(path: Path) -> str:
    """Return the same of one that is never altered."""
    return outputs(path)


def read_all(path: Path) -> None:
    """Open a recording, say what `affetti info` says, and take everything that a reader takes."""
    with Session.open(path, altered=True) as session:
        _read(session)


def read_and_checked(path: Path, pristine: Path | None) -> None:
    """Read and check it by one opening, which is what costs most in a small file."""
    with Session.open(path, altered=True) as session:
        findings = inspected(session)
        with suppress(AffettiError):
            _read(session)
        _judge(findings, pristine, partial(outputs_of, session))


def _read(session: Session) -> None:
    from affetti.analyzer.commands.info import _course_lines, _info_lines

    with suppress(AffettiError):
        _ = [*_info_lines(session.info), *_course_lines(session)]
    _ = session.info, session.streams, session.tracks, session.markers, session.notes
    for modality in session.estimates:
        _ = session.estimates[modality]
    for signal in session.signals.values():
        _ = signal.values, signal.t_s, signal.offsets, signal.stored_t_s
    for frames in session.video.values():
        _ = [frame.jpeg for frame in frames]
        with suppress(ValueError):  # as `image` says where there is no picture
            _ = frames.at(1.0).image() if len(frames) else None
    for name in session.state.audio:
        _ = session.audio(name).read()
    session.verify_digest()


def checked(path: Path, pristine: Path | None) -> None:
    """Check it; a surprise is a finding for its owner, and a defect for us.

    So is one that passes though it was altered and is read otherwise than before.
    """
    _judge(inspect(path), pristine, partial(outputs, path))


def _judge(findings: list[Finding], pristine: Path | None, read: Callable[[], str]) -> None:
    for finding in findings:
        if "does not foresee" in finding.message:
            raise RuntimeError(finding.message)
        assert finding.importance in Importance
    passes = all(finding.importance > Importance.CRITICAL for finding in findings)
    if passes and pristine is not None and read() != pristine_outputs(pristine):
        raise RuntimeError("it passes, and is read otherwise")


def recovered(path: Path, pristine: Path) -> None:
    """Seal it; whatever is lost has to be said."""
    report = seal(path)
    if not report.recovered and outputs(path) != pristine_outputs(pristine):
        raise RuntimeError(f"something is lost and nobody says so: {report.statement}")


def reported(path: Path) -> None:
    """Analyze it, as with --altered, and write its report."""
    from affetti.analyzer.library import report

    report(path, altered=True)


def settled(path: Path) -> None:
    """Read it as settings."""
    load(path)


def try_one(
    folder: Path, made: Path, seed: int, reports: bool = False
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what is tried of one mutation, by its name; each third is of an encrypted recording."""
    chance = random.Random(seed)
    settings = folder / "settings.toml"
    settings.write_bytes(misset(chance))
    yield "settings", lambda: settled(settings)
    if reports:
        yield "report", partial(reported, _altered(folder, made / "full", chance)[0])
        return
    yield from lying_beside(folder, made, chance)
    full = seed % FULL_EVERY == 0
    pristine = made / ("full" if full else "encrypted" if seed % 3 == 2 else "plain")
    if seed % 4 == 1:
        for path in pristine.glob("*.part*.h5"):
            (folder / path.name).write_bytes(mutated(path.read_bytes(), chance))
        yield "recover", lambda: recovered(folder / "session.h5", pristine / "sealed.h5")
        sealed, before = folder / "session.h5", None
        if not sealed.exists():
            return
    else:
        sealed, before = _altered(folder, pristine, chance)
    if seed % 8 < 6:
        yield "open and check", lambda: read_and_checked(sealed, before)
        return
    yield "open", lambda: read_all(sealed)
    yield "check", lambda: checked(sealed, before)


def _altered(folder: Path, pristine: Path, chance: random.Random) -> tuple[Path, Path | None]:
    """Return an altered copy of a sealed file, and what it was, unless all sums fit again."""
    sealed = folder / "sealed.h5"
    shutil.copy(pristine / "sealed.h5", sealed)
    return sealed, None if alter(sealed, chance) else pristine / "sealed.h5"


def lying_beside(
    folder: Path, made: Path, chance: random.Random
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield one of the files that are no recordings, altered, with what reads it."""
    name, read = chance.choice(list(BESIDE.items()))
    data = (made / "beside" / name).read_bytes()
    path = folder / "beside" / name
    path.parent.mkdir()
    (path.parent / _TRACK).touch()
    path.write_bytes(
        mutated_words(data, chance) if chance.random() < 0.7 else mutated(data, chance)
    )
    yield name, lambda: read(path)


def mutated_words(data: bytes, chance: random.Random) -> bytes:
    """Return a text with one of its values another; bytes that are no text as disks leave them."""
    try:
        lines = data.decode().splitlines()
    except UnicodeDecodeError:
        return mutated(data, chance)
    i = chance.randrange(len(lines))
    with suppress(ValueError):
        fields = json.loads(data if data.startswith(b"{\n") else lines[i])
        said = json.dumps(misstated(fields, chance))
        return said.encode() if data.startswith(b"{\n") else _joined(lines, i, said)
    cells = lines[i].split(",")
    cells[chance.randrange(len(cells))] = str(chance.choice([*_NUMBERS, *_TEXTS]))
    return _joined(lines, i, ",".join(cells))


def _joined(lines: list[str], i: int, line: str) -> bytes:
    return "\n".join([*lines[:i], line, *lines[i + 1 :], ""]).encode()


def _vault_read(path: Path) -> None:
    os.environ["AFFETTI_VAULTS"] = str(path.parent)
    try:
        _ = [(each.recipient, each.public) for each in vault.legible_vaults()[0]]
        vault.unlock("own", _PASSPHRASE)
    finally:
        keys.drop()
        keys.hold(_key())


def _index_read(path: Path) -> None:
    _ = [(one.person, one.wall_clock, one.path) for one in index.indexed(path.parent)]
    index.scanned(path.parent)


def _person_read(path: Path) -> None:
    log_of_person.person_state("P07", path.parent)
    log_of_person.persons_in(path.parent)


# By their names: what is no recording, with what reads it.
BESIDE: Final[dict[str, Callable[[Path], object]]] = {
    "own.vault.json": _vault_read,
    ".affetti-index.sqlite3": _index_read,
    "sub-P07.person.jsonl": _person_read,
    "session.annotations.jsonl": lambda path: annotations.standing(annotations.read(path)),
    "session.exports.jsonl": lambda path: exports.noted(path.with_name("session.h5")),
    "list.csv": playlist.read_playlist,
    "list.toml": playlist.read_playlist,
    "list.m3u8": playlist.read_playlist,
}


@cache
def _key() -> keys.DataKey:
    return held_key()


@cache
def prepared() -> Path:
    """Return a folder with a log and the file that is sealed from it, of each kind, made once."""
    made = lasting_folder()
    _prepare(made / "plain", None, short_events(), _SMALL_PARTS)
    _prepare(made / "encrypted", _key(), short_events(), _SMALL_PARTS)
    _prepare(made / "full", None, events(), _FULL_PARTS)
    _prepare_beside(made / "beside", made / "plain" / "sealed.h5")
    return made


def _prepare(
    pristine: Path,
    key: keys.DataKey | None,
    said: Iterable[tuple[Event, bytes]],
    size: LogSettings,
) -> None:
    pristine.mkdir()
    with nullcontext() if pristine.name == "full" else lean():
        target = log(pristine, key, said, size)
        sealing = pristine / "sealing"
        shutil.copytree(pristine, sealing)
        shutil.move(seal(sealing / target.name).path, pristine / "sealed.h5")
    sealing.rmdir()
    pristine_outputs(pristine / "sealed.h5")


def _prepare_beside(folder: Path, sealed: Path) -> None:
    """Write each file that is no recording, as the product does."""
    folder.mkdir()
    os.environ["AFFETTI_VAULTS"] = str(folder)
    vault.new("own", vault.Lock("passphrase", _PASSPHRASE), n=64)
    recording = Path(shutil.copy(sealed, folder / "session.h5"))
    index.scanned(folder)
    who = new_id()
    note = Annotation(author_id=who, session_id=SESSION_ID, seq=1, label="note", text="seen")
    annotations.append(folder / "session.annotations.jsonl", note)
    exports.note(recording, None, "a copy", sealed)
    goal = GoalSet(author_id=who, person="P07", goal_id=new_id(), words="to look up")
    log_of_person.add([goal], "P07", folder)
    (folder / _TRACK).touch()
    track = playlist.PlaylistEntry(path=str(folder / _TRACK), title="one", expected="happiness")
    for name in ("list.csv", "list.toml", "list.m3u8"):
        playlist.share_playlist(folder / name, [track, track])
    recording.unlink()


def run(first: int, count: int, reports: bool = False) -> tuple[Counter[str], list[str]]:
    """Try mutations in this process; return how they ended, and what should not have been."""
    ends: Counter[str] = Counter()
    wrong = []
    with tempfile.TemporaryDirectory(dir=_quick_folder()) as name:
        made, folder = prepared(), Path(name) / "trial"
        before = _peak_kib()
        for seed in range(first, first + count):
            folder.mkdir()
            faulthandler.dump_traceback_later(HANGS_AFTER_S, exit=True)
            with nullcontext() if seed % FULL_EVERY == 0 or reports else lean():
                for what, attempt in try_one(folder, made, seed, reports):
                    try:
                        attempt()
                        ends[f"{what}: answered"] += 1
                    except AffettiError as error:
                        ends[f"{what}: {type(error).__name__}"] += 1
                    except Exception as error:
                        wrong.append(f"seed {seed}, {what}: {error!r}")
            faulthandler.cancel_dump_traceback_later()
            shutil.rmtree(folder)
        grown = (_peak_kib() - before) << 10
    if grown > MOST_BYTES:
        wrong.append(f"seeds {first} to {first + count - 1}: {grown >> 20} MiB")
    return ends, wrong


def _peak_kib() -> int:
    if resource is None:
        return 0
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _quick_folder() -> str | None:
    """Return where files cost no disk; None where there is no such place."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  random names


def _bounded() -> None:
    """Let this process have no more memory than it may: what asks for more is told so at once."""
    used = Path("/proc/self/status")
    if resource is not None and used.exists():
        lines = used.read_text().splitlines()
        kib = next(int(line.split()[1]) for line in lines if line.startswith("VmData"))
        resource.setrlimit(resource.RLIMIT_DATA, ((kib << 10) + MOST_BYTES,) * 2)


def _apart(first: int, count: int, reports: bool) -> tuple[Counter[str], list[str]]:
    """Try mutations in a child of this process, whose end, whatever it is, is not ours."""
    with tempfile.TemporaryDirectory() as name:
        said, cried = Path(name) / "said", Path(name) / "cried"
        child = os.fork()
        if not child:
            _be_tried(said, cried, first, count, reports)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code or not said.exists():
            cry = cried.read_text(errors="replace")[-1500:]
            return Counter(), [f"seeds from {first}: exit {code}: {cry}"]
        ends, wrong = json.loads(said.read_text())
    return Counter(ends), wrong


def _be_tried(said: Path, cried: Path, first: int, count: int, reports: bool) -> None:
    code = 1
    try:
        os.dup2(os.open(cried, os.O_WRONLY | os.O_CREAT, 0o600), 2)
        faulthandler.enable()
        if not reports:  # models are larger, and their file does not decide on that
            _bounded()
        said.write_text(json.dumps(run(first, count, reports)))
        code = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(code)


def main(count: int = 1000, first: int = 0, *, reports: bool = False) -> int:
    """Try mutations in processes of `BATCH` each, and print a table of what became of them."""
    ends: Counter[str] = Counter()
    wrong: list[str] = []
    began = time.monotonic()
    prepared()
    for batch in range(first, first + count, BATCH):
        found, more = _apart(batch, min(BATCH, first + count - batch), reports)
        ends += found
        wrong += more
    lines = [f"{number:8} {end}" for end, number in sorted(ends.items())]
    took_s = time.monotonic() - began
    print(f"{count} mutations in {took_s:.0f} s", *lines, *wrong, sep="\n")  # noqa: T201
    return len(wrong)


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
