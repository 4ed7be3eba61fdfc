"""A recording out of an XDF file of LabRecorder: its streams become signals.

Stamps are kept raw, and what was measured of the clock of each stream beside them, as they are of
a stream of the Lab Streaming Layer that is recorded live. Session time begins with the first
sample of any stream.

Source: the XDF 1.0 specification, <https://github.com/sccn/xdf/wiki/Specifications>; read by pyxdf.
"""

import heapq
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property, partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.errors import ConsentRefused, MediaError, MissingPackage, UsageError
from affetti.core.events import (
    SIGNALS,
    ClockMeasured,
    Imported,
    ImportedFile,
    SamplesCaptured,
    unstated,
)
from affetti.core.people.person import checked_code
from affetti.core.recording.signals import pack_samples
from affetti.core.streams import SAMPLES, TEXT, Channel, SourceClock, Stream, stream_name
from affetti.recorder.imports.films import Request, target_of
from affetti.recorder.imports.log import ImportLog, Progress, Status, make, sha256_of
from affetti.recorder.imports.steps import Step

SUFFIX: Final = ".xdf"
_ENCODINGS: Final = {
    **{name: name for name in ("int8", "int16", "int32", "int64", "float32")},
    "double64": "float64",
    "string": TEXT,
}
_MAX_SAMPLES: Final = 4096  # of one block
_BLOCK_S: Final = 1.0


def import_xdf(path: Path, request: Request, progress: Progress | None = None) -> Status:
    """Make a recording out of an XDF file; "current" where it was made before, and is whole.

    Raises
    ------
    AffettiError
        It cannot be read or has no samples, pyxdf is not installed, signals were not consented
        to, or another recording is there.
    """
    checked_code(request.person)
    if request.sound is not None or request.music:
        raise UsageError("imports.beside_a_film", path=path.name)
    if request.consent is not None and not request.consent.grants(SIGNALS):
        raise ConsentRefused("recording.no_consent", address=path.name, scope=SIGNALS)
    files = _Xdf(path, request)
    return make(target_of(path, request.output), files, request.settings, progress)


class _Measured:
    """One stream of the file: what it is, its samples, and what was measured of its clock."""

    def __init__(self, said: dict[str, Any], name: str, path: Path) -> None:
        self.stream = _declaration(said["info"], name, path)
        self.stamps_s = np.asarray(said["time_stamps"], np.float64)
        self.values = said["time_series"]
        times, offsets = (np.asarray(said.get(key, ()), float) for key in _CLOCK)
        self.measured = list(zip(times.tolist(), offsets.tolist(), strict=True))

    @cached_property
    def local_s(self) -> NDArray[np.float64]:
        """When each sample was taken by the clock of the machine that recorded, seconds [n]."""
        clock = SourceClock()
        for source_s, offset_s in self.measured:
            clock.add(source_s, round((source_s + offset_s) * NS_PER_S))
        return clock.times_s(self.stamps_s) if self.measured else self.stamps_s

    def steps(self, start_s: float, log: ImportLog) -> Iterator[Step]:
        """Yield a step for each measurement of the clock, and each block of samples."""
        return heapq.merge(
            self._clock_steps(start_s, log), self._sample_steps(start_s, log), key=itemgetter(0)
        )

    def _clock_steps(self, start_s: float, log: ImportLog) -> Iterator[Step]:
        for source_s, offset_s in self.measured:
            t_ns = round((source_s + offset_s - start_s) * NS_PER_S)
            event = ClockMeasured(
                t_ns=t_ns, stream=self.stream.name, source_s=source_s, offset_s=offset_s
            )
            yield t_ns, partial(log.put, event)

    def _sample_steps(self, start_s: float, log: ImportLog) -> Iterator[Step]:
        for first, last in _blocks(self.local_s):
            t_ns, end_ns = (
                round((self.local_s[i] - start_s) * NS_PER_S) for i in (first, last - 1)
            )
            event = SamplesCaptured(
                t_ns=t_ns, stream=self.stream.name, sample=first, count=last - first
            )
            stamps_s, values = self.stamps_s[first:last], self.values[first:last]
            yield end_ns, partial(log.put, event, pack_samples(self.stream, stamps_s, values))


_CLOCK: Final = ("clock_times", "clock_values")


class _Xdf:
    """An XDF file, read."""

    def __init__(self, path: Path, request: Request) -> None:
        self._path = path
        self._digest = sha256_of(path)
        read, header = _load(path)
        taken: list[str] = []
        self._streams = []
        for said in read:
            if len(said["time_stamps"]):
                name = _free(stream_name(_first(said["info"], "name") or "signal"), taken)
                self._streams.append(_Measured(said, name, path))
        if not self._streams:
            raise MediaError("imports.no_samples", path=path.name)
        self.person = request.person
        self.consent = unstated(SIGNALS) if request.consent is None else request.consent
        self.made = _moment(_first(header.get("info", {}), "datetime"))
        self.end_ns = 0

    def listed(self) -> Iterator[ImportedFile]:
        """Yield the file."""
        yield ImportedFile(file_name=self._path.name, sha256=self._digest, role="signals")

    def write(self, log: ImportLog, imported: Imported, progress: Progress | None) -> None:
        """Write its streams, merged by their times."""
        log.begin(imported, self, streams=tuple(each.stream for each in self._streams))
        start_s = min(float(each.local_s.min()) for each in self._streams)
        steps = [each.steps(start_s, log) for each in self._streams]
        for _, write in heapq.merge(*steps, key=itemgetter(0)):
            write()
        end_s = max(float(each.local_s.max()) for each in self._streams)
        self.end_ns = round((end_s - start_s) * NS_PER_S)


def _load(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    try:
        import pyxdf  # noqa: PLC0415
    except ImportError as error:
        raise MissingPackage("imports.no_pyxdf", error=error) from error
    try:
        read, header = pyxdf.load_xdf(
            str(path),
            synchronize_clocks=False,
            dejitter_timestamps=False,
            handle_clock_resets=False,
        )
    except Exception as error:  # whatever its reader makes of damage
        raise MediaError("imports.no_xdf", path=path.name) from error
    return read, header


def _declaration(info: dict[str, Any], name: str, path: Path) -> Stream:
    form = _first(info, "channel_format") or ""
    count, rate_hz = (
        int(_first(info, "channel_count") or 0),
        float(_first(info, "nominal_srate") or 0),
    )
    stream = Stream(
        name=name,
        kind=SAMPLES,
        encoding=_ENCODINGS.get(form, form),
        rate_hz=rate_hz if rate_hz > 0 else None,
        channels=_channels(info, count),
        scope=SIGNALS,
        source=f"xdf:{_first(info, 'name')} ({_first(info, 'type') or '-'})",
    )
    if not stream.possible:
        raise MediaError("imports.impossible_stream", path=path.name, name=name)
    return stream


def _channels(info: dict[str, Any], count: int) -> tuple[Channel, ...]:
    """Return the channels as the description has them; by number where it does not."""
    try:
        said = info["desc"][0]["channels"][0]["channel"]
    except (KeyError, IndexError, TypeError):
        said = []
    told = said if len(said) == count else [{}] * count
    return tuple(
        Channel(_first(each, "label") or str(i + 1), _first(each, "unit") or "")
        for i, each in enumerate(told)
    )


def _first(said: dict[str, Any], key: str) -> str | None:
    """Return the one text of an element, which a file has in a list; None where there is none."""
    found = said.get(key) if isinstance(said, dict) else None
    text = found[0] if found else None
    return text if isinstance(text, str) else None


def _free(name: str, taken: list[str]) -> str:
    """Return a name that no other stream has, and remember it."""
    number, free = 2, name
    while free in taken:
        free, number = f"{name[:28]}_{number}", number + 1
    taken.append(free)
    return free


def _moment(said: str | None) -> str | None:
    try:
        moment = datetime.fromisoformat((said or "").strip())
    except ValueError:
        return None
    return moment.astimezone().isoformat() if moment.tzinfo else None


def _blocks(local_s: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """Yield where blocks begin and end: samples in a row, of a second at most."""
    first = 0
    for i in range(1, len(local_s) + 1):
        over = i == len(local_s) or abs(local_s[i] - local_s[first]) >= _BLOCK_S
        if over or i - first >= _MAX_SAMPLES:
            yield first, i
            first = i
