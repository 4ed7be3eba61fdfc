"""What a recording has lost, and how that is said."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.devices import Device
from affetti.core.events import (
    DeviceRefused,
    DeviceRestored,
    FilmLoss,
    LostSpan,
    SessionRecovered,
    SoundLoss,
    Withdrawn,
)
from affetti.core.language import clock_text, counted, listed, text, word
from affetti.core.language import span as span_of_time
from affetti.core.state import SessionState
from affetti.core.streams import MIN_DRIFT_SPAN_S, ROOM
from affetti.core.synchrony import milliseconds

_PLACES: Final = 3  # of a film, that are named in a sentence
_SPANS: Final = 12  # named one by one; more are counted


@dataclass(frozen=True)
class Gap:
    """Numbers that are missing, and the times of what stands before and behind them."""

    first: int
    last: int
    from_ns: int
    to_ns: int | None  # None where nothing stands behind

    @property
    def count(self) -> int:
        """How many are missing."""
        return self.last - self.first + 1

    @property
    def span_s(self) -> float:
        """How long a time they lie in; 0 at the end, where that is not known."""
        return 0.0 if self.to_ns is None else max(self.to_ns - self.from_ns, 0) / NS_PER_S


def span(first: int, last: int) -> str:
    """Return numbers that follow one another for people: "7", or "7 to 9"."""
    return str(first) if first == last else f"{first} to {last}"


def gaps_in(rows: NDArray[Any], top: int) -> tuple[Gap, ...]:
    """Return the numbers from 0 to `top`, exclusive, that rows with `seq` and `t_ns` lack.

    The rows stand in rising order of `seq`.
    """
    seqs = np.concatenate([[-1], rows["seq"], [max(top, int(rows["seq"][-1]) + 1, 0)]])
    t_ns = [0, *rows["t_ns"].tolist(), None]
    return tuple(
        Gap(int(seqs[i]) + 1, int(seqs[i + 1]) - 1, t_ns[i] or 0, t_ns[i + 1])
        for i in np.flatnonzero(np.diff(seqs) > 1)
    )


@dataclass(frozen=True)
class Losses:
    """What is missing from a recording, as far as that can be known.

    Attributes
    ----------
    gaps
        Events that were written and are not there.
    missing_parts, unreadable_parts
        Numbers of parts that are not there, and of those that could not be read whole.
    end_s
        What is missing at the end at most, in seconds; None where it ended cleanly, or that is
        not known.
    end_unknown
        Whether it broke off, and nothing says how much is missing at the end.
    """

    gaps: tuple[Gap, ...]
    missing_parts: tuple[int, ...]
    unreadable_parts: tuple[int, ...]
    end_s: float | None
    end_unknown: bool = False

    @property
    def broke_off(self) -> bool:
        """Whether it did not end cleanly."""
        return self.end_unknown or self.end_s is not None

    @property
    def inside(self) -> bool:
        """Whether anything but the end is missing, or may be."""
        return bool(self.gaps or self.missing_parts or self.unreadable_parts)

    @property
    def records(self) -> int:
        """How many events are missing."""
        return sum(gap.count for gap in self.gaps)

    @property
    def lost_s(self) -> float:
        """Upper estimate of how much is missing, inside and at the end, in seconds."""
        return sum(gap.span_s for gap in self.gaps) + (self.end_s or 0.0)

    def event(self, t_ns: int, seq: int) -> SessionRecovered:
        """Return the last event of the recording, which says so in numbers."""
        return SessionRecovered(
            t_ns=t_ns,
            seq=seq,
            lost_s=round(self.lost_s, 3),
            damaged_records=self.records,
            end_s=None if self.end_s is None else round(self.end_s, 3),
            end_unknown=self.end_unknown,
            gaps=len(self.gaps),
            spans=tuple(
                LostSpan(gap.first, gap.last, gap.from_ns, gap.to_ns) for gap in self.gaps[:_SPANS]
            ),
            missing_parts=self.missing_parts,
            unreadable_parts=self.unreadable_parts,
        )


def statement(lost: SessionRecovered, state: SessionState) -> str:
    """Return in words what was kept of a recording, and what was lost."""
    ended = lost.end_s is None and not lost.end_unknown
    begun = "recovery.damaged" if ended else "recovery.broke_off"
    said = [
        text(begun, at=clock_text(state.duration_s)),
        text("recovery.kept", what=_kept(state)),
        text("recovery.lost", what=_lost(lost)),
    ]
    for message, numbers in (
        ("recovery.missing_parts", lost.missing_parts),
        ("recovery.unreadable_parts", lost.unreadable_parts),
    ):
        if numbers:
            said.append(counted(message, len(numbers), parts=", ".join(map(str, numbers))))
    return " ".join(said)


def withdrawn_words(event: Withdrawn) -> str:
    """Return in words what was removed from a recording after it was made, and when."""
    scopes = listed([word("consent", scope) for scope in event.scopes])
    said = text("withdrawn.all", scopes=scopes, on=event.on)
    if event.estimates_stay:
        gone = listed([word("raw", scope) for scope in event.scopes])
        said = text("withdrawn.rule", what=gone, on=event.on)
        return f"{said} {counted('withdrawn.went', sum(event.removed.values()))}"
    if event.to_ns is not None or event.from_ns:
        start = clock_text(event.from_ns / NS_PER_S)
        stop = clock_text((event.t_ns if event.to_ns is None else event.to_ns) / NS_PER_S)
        said = text("withdrawn.stretch", scopes=scopes, on=event.on, start=start, stop=stop)
    if removed := sum(event.removed.values()):
        said = f"{said} {counted('withdrawn.removed', removed)}"
    return f"{said} {text('withdrawn.reason', reason=event.reason)}" if event.reason else said


def unkept_words(scopes: Iterable[str]) -> str:
    """Return in words that pictures or sounds of some scopes were not kept; "" of none."""
    named = sorted(scopes, reverse=True)  # pictures first
    what = listed([word("raw", scope) for scope in named])
    return text("unkept", what=what) if named else ""


def source_losses(state: SessionState) -> list[str]:
    """Return in words what could not be read of files, and which devices changed on the way."""
    films = state.ended.film_losses if state.ended is not None else ()
    tracks = [track_statement(t.file_name, t.loss) for t in state.tracks if t.loss is not None]
    devices = [device_statement(each) for each in state.changed]
    return [*map(film_statement, films), *tracks, *devices]


def device_statement(changed: DeviceRefused | DeviceRestored) -> str:
    """Return in words that another device took the place of one, or that it came back changed."""
    message, found = "device_changed.back", changed.found or Device()
    if isinstance(changed, DeviceRefused):
        message = f"device_changed.{changed.cause}"
    device, at = word("device", changed.device), clock_text(changed.t_ns / NS_PER_S)
    return text(message, device=device, at=at, name=found.name, form=device_form(found))


def device_words(device: Device) -> str:
    """Return in words which device it is: its name, its form, its place and serial number."""
    said = [device.name or text("unknown"), device_form(device)]
    if device.bus:
        said.append(text("device.at", bus=device.bus))
    if device.serial:
        said.append(text("device.serial", serial=device.serial))
    return ", ".join(said)


def synchrony_words(late_ns: int, spread_ns: int) -> str:
    """Return in words how late pictures are against sound."""
    late_ms, spread_ms = milliseconds(late_ns), milliseconds(spread_ns)
    message = "synchrony.late" if late_ns >= 0 else "synchrony.early"
    return text(message, late=abs(late_ms), spread=max(spread_ms, 0.1))


def synchrony_told(state: SessionState) -> str | None:
    """Return in words what is known of pictures against sound; None where one is not there."""
    if not (state.video and ROOM in state.audio) or state.started is None:
        return None
    found = state.started.synchrony
    if found is None:
        return text("synchrony.not_measured")
    words = synchrony_words(found.late_ns, found.spread_ns)
    return text("synchrony.measured", words=words, age=span_of_time(found.age_s))


def drift_told(state: SessionState) -> list[str]:
    """Return in words how far the clock of each sound went apart from the session's."""
    found = []
    for name, sound in state.audio.items():
        if sound.clock.span_s >= MIN_DRIFT_SPAN_S:
            apart_ms = sound.clock.drift_ppm * sound.clock.span_s / 1000
            stream, ppm = word("stream", name), sound.clock.drift_ppm
            found.append(text("synchrony.drift", stream=stream, ppm=ppm, apart=apart_ms))
    return found


def device_form(device: Device) -> str:
    """Return in words what a device delivers; a dash where that is not known."""
    if device.rate_hz is not None and device.channels is not None:
        channels = counted("count.channel", device.channels)
        return text("device_form.sound", rate=f"{device.rate_hz:g}", channels=channels)
    if device.width_px is not None and device.height_px is not None:
        return text("device_form.pictures", width=device.width_px, height=device.height_px)
    return text("unknown")


def track_statement(file_name: str, lost: SoundLoss) -> str:
    """Return in words what could not be played of a sound file."""
    stated_s = lost.stated_s or lost.decoded_s
    lengths = {
        "decoded": text("seconds", seconds=lost.decoded_s),
        "stated": text("seconds", seconds=stated_s),
    }
    if not lost.cut_off:
        return text("track.damaged", file=file_name, **lengths)
    message = "track.cut_off" if lost.stated_s is None else "track.cut_off_of"
    return text(message, file=file_name, **lengths)


def film_statement(lost: FilmLoss) -> str:
    """Return in words what could not be recorded of a film."""
    said = [_undecodable(lost)] if lost.holes else []
    if lost.cut_off_ns is not None:
        message = "film.cut_off" if lost.stated_ns is None else "film.cut_off_of"
        at, stated = _in_s(lost.cut_off_ns), _in_s(lost.stated_ns or 0)
        said.append(text(message, film=lost.file_name, at=at, stated=stated))
    if lost.late_ns:
        said.append(text("film.late", film=lost.file_name, late=_in_s(lost.late_ns)))
    return " ".join(said)


def _undecodable(lost: FilmLoss) -> str:
    places = [
        text("film.place", start=_in_s(hole.start_ns), end=_in_s(hole.end_ns))
        for hole in lost.holes[:_PLACES]
    ]
    if (more := len(lost.holes) - _PLACES) > 0:
        places.append(counted("film.more_places", more))
    count = sum(hole.count for hole in lost.holes)
    return counted("film.undecodable", count, film=lost.file_name, places=", ".join(places))


def _in_s(t_ns: int) -> str:
    return text("seconds", seconds=t_ns / NS_PER_S)


def _lost(lost: SessionRecovered) -> str:
    said = []
    if lost.end_unknown:
        said.append(text("recovery.end_unknown"))
    elif lost.end_s is not None:
        # Up to the next tenth: a bound that is said is never exceeded.
        said.append(text("recovery.end", seconds=math.ceil(lost.end_s * 10) / 10))
    if lost.gaps:
        shown = [_span(each) for each in lost.spans]
        if (more := lost.gaps - len(shown)) > 0:
            shown.append(text("recovery.more", gaps=counted("count.gap", more)))
        records = counted("count.record", lost.damaged_records)
        said.append(text("recovery.inside", records=records, spans="; ".join(shown)))
    return "; ".join(said) or text("recovery.nothing_known")


def _span(lost: LostSpan) -> str:
    numbers, begun = span(lost.first, lost.last), clock_text(lost.from_ns / NS_PER_S)
    if lost.to_ns is None:
        return text("recovery.after", numbers=numbers, begin=begun)
    end = clock_text(max(lost.to_ns, lost.from_ns) / NS_PER_S)
    return text("recovery.between", numbers=numbers, begin=begun, end=end)


def _kept(state: SessionState) -> str:
    last_frame = clock_text(state.last_frame_ns / NS_PER_S)
    frames = counted("count.frame", state.frames)
    kept = [text("recovery.frames", frames=frames, last=last_frame)] if state.frames else []
    for name, sound in state.audio.items():
        seconds = sound.samples / sound.clock.rate_hz
        kept.append(text("recovery.sound", seconds=seconds, stream=name))
    for name, signal in state.signals.items():
        samples = counted("count.sample", signal.samples)
        kept.append(text("recovery.signal", samples=samples, stream=name))
    markers = counted("count.marker", len(state.markers))
    kept.append(
        text("recovery.moments", markers=markers, notes=counted("count.note", len(state.notes)))
    )
    return ", ".join(kept)
