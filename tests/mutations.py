"""Mutated recordings through whatever reads them: `python -m tests.mutations [COUNT [SEED]]`.

A sealed file or a log, plain or encrypted, is altered by chance, in its bytes or in what its events
say, and goes through open, info, check and recover, on demand through analysis and report; so do
settings through what reads them. Each has to come to an answer of ours: no other exception,
no crash, no hang, no more memory than `MOST_BYTES`, nothing lost unsaid, and nothing altered that
a check passes. Every trial is known by its seed.
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
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from affetti.analyzer.checks import Importance, inspect
from affetti.core.custody import keys
from affetti.core.errors import AffettiError
from affetti.core.events import (
    Estimated,
    Event,
    FaceEstimated,
    SamplesCaptured,
    SessionEnded,
    consent_to,
)
from affetti.core.fusion import fuse
from affetti.core.recording.box import is_box
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.recording.signals import pack_samples
from affetti.core.settings import LogSettings, load
from tests.campaign.session import held_key, lasting_folder, lean
from tests.conftest import HEART, NS, SESSION_ID, WORDS, small_session, started
from tests.hostile import Fields, altered_and_resealed

MOST_BYTES: Final = 1 << 30  # beyond what the process has before
HANGS_AFTER_S: Final = 120
BATCH: Final = 200  # trials in one process
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
    streams = (*first[0].streams, HEART, WORDS)  # type: ignore[attr-defined]
    opened = started(streams=streams, consent=consent_to("video", "room", "signals"))
    yield opened, b""
    yield from rest
    for stream, values in ((HEART, np.zeros((10, 2))), (WORDS, [["so"]] * 10)):
        block = SamplesCaptured(t_ns=NS, stream=stream.name, sample=0, count=10)
        yield block, pack_samples(stream, np.arange(10.0), values)
    mood = (0.5, 0.2, 0.2, 0.1)
    for i in range(5):
        yield FaceEstimated(t_ns=i * NS // 10, frame=i), b""
        yield fuse(i * NS // 2, {"face": mood}), b""
        yield Estimated(t_ns=i * NS, modality="pose", stream="camera", emotions=mood), b""
    yield SessionEnded(t_ns=4 * NS, reason="stopped"), b""


def log(folder: Path, key: keys.DataKey | None = None) -> Path:
    """Write that session into parts; return the sealed path to be."""
    target = folder / "session.h5"
    parts = PartLog(target, SESSION_ID, LogSettings(part_mib=8, part_s=5), key)
    for event, blob in events():
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
    for _ in range(chance.choice([1, 50])):
        nested = [nested]
    return chance.choice([*_NUMBERS, *_TEXTS, None, True, [], {}, nested])


def misset(chance: random.Random) -> bytes:
    """Return settings as people and disks leave them."""
    if chance.random() < 0.4:
        return mutated(SETTINGS, chance)
    lines = SETTINGS.decode().splitlines()
    i = chance.choice([i for i, line in enumerate(lines) if "=" in line])
    key = chance.choice([lines[i].partition(" =")[0], "keep", "nonsense", "pictures_days"])
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
    got = hashlib.sha256()
    with Session.open(path, altered=True) as session:
        for record in session.records():
            got.update(repr((record.seq, record.t_ns, record.stream, record.scopes)).encode())
            got.update(record.json + record.blob)
        for modality in sorted(session.estimates):
            for name, values in sorted(session.estimates[modality].items()):
                got.update(repr((modality, name, values.tolist())).encode())
        for name, signal in sorted(session.signals.items()):
            got.update(repr((name, signal.stored_t_s.tolist())).encode())
    return got.hexdigest()


@cache
def pristine_outputs(path: Path) -> str:
    """Return the same of one that is never altered."""
    return outputs(path)


def read_all(path: Path) -> None:
    """Open a recording, say what `affetti info` says, and take everything that a reader takes."""
    from affetti.analyzer.commands.info import _course_lines, _info_lines

    with Session.open(path, altered=True) as session:
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
    findings = inspect(path)
    for finding in findings:
        if "does not foresee" in finding.message:
            raise RuntimeError(finding.message)
        assert finding.importance in Importance
    passes = all(finding.importance > Importance.CRITICAL for finding in findings)
    if passes and pristine is not None and outputs(path) != pristine_outputs(pristine):
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
    folder: Path, plain: Path, seed: int, reports: bool = False
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what is tried of one mutation, by its name; each third is of an encrypted recording."""
    chance = random.Random(seed)
    pristine = plain / "encrypted" if seed % 3 == 2 else plain
    settings = folder / "settings.toml"
    settings.write_bytes(misset(chance))
    yield "settings", lambda: settled(settings)
    if seed % 4 == 0 and not reports:
        for path in pristine.glob("*.part*.h5"):
            (folder / path.name).write_bytes(mutated(path.read_bytes(), chance))
        yield "recover", lambda: recovered(folder / "session.h5", pristine / "sealed.h5")
        sealed = folder / "session.h5"
        if not sealed.exists():
            return
        before = None
    else:
        sealed = folder / "sealed.h5"
        shutil.copy(pristine / "sealed.h5", sealed)
        before = None if alter(sealed, chance) else pristine / "sealed.h5"
    if reports:
        yield "report", lambda: reported(sealed)
        return
    yield "open", lambda: read_all(sealed)
    yield "check", lambda: checked(sealed, before)


@cache
def prepared() -> Path:
    """Return a folder with a log and the file that is sealed from it, plain and encrypted."""
    pristine = lasting_folder() / "pristine"
    _prepare(pristine, None)
    _prepare(pristine / "encrypted", held_key())
    for each in (pristine, pristine / "encrypted"):
        pristine_outputs(each / "sealed.h5")
    return pristine


def _prepare(pristine: Path, key: keys.DataKey | None) -> None:
    pristine.mkdir()
    target = log(pristine, key)
    sealing = pristine / "sealing"
    shutil.copytree(pristine, sealing)
    shutil.move(seal(sealing / target.name).path, pristine / "sealed.h5")
    sealing.rmdir()


def run(first: int, count: int, reports: bool = False) -> tuple[Counter[str], list[str]]:
    """Try mutations in this process; return how they ended, and what should not have been."""
    ends: Counter[str] = Counter()
    wrong = []
    with lean(), tempfile.TemporaryDirectory() as name:
        pristine, folder = prepared(), Path(name) / "trial"
        import resource

        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for seed in range(first, first + count):
            folder.mkdir()
            for what, attempt in try_one(folder, pristine, seed, reports):
                faulthandler.dump_traceback_later(HANGS_AFTER_S, exit=True)
                try:
                    attempt()
                    ends[f"{what}: answered"] += 1
                except AffettiError as error:
                    ends[f"{what}: {type(error).__name__}"] += 1
                except Exception as error:
                    wrong.append(f"seed {seed}, {what}: {error!r}")
            faulthandler.cancel_dump_traceback_later()
            shutil.rmtree(folder)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    if grown > MOST_BYTES:
        wrong.append(f"seeds {first} to {first + count - 1}: {grown >> 20} MiB")
    return ends, wrong


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
    with lean():
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
