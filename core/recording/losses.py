"""What a recording has lost, and how that is said."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.language import clock_text
from affetti.core.state import SessionState

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

    def __str__(self) -> str:
        begun = clock_text(self.from_ns / NS_PER_S)
        if self.to_ns is None:
            return f"{span(self.first, self.last)}, after {begun}"
        end = clock_text(max(self.to_ns, self.from_ns) / NS_PER_S)
        return f"{span(self.first, self.last)}, between {begun} and {end}"


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
        Numbers of segments that are not there, and of those that could not be read whole.
    end_s
        Upper estimate of what is missing at the end, in seconds; None where it ended cleanly.
    """

    gaps: tuple[Gap, ...]
    missing_parts: tuple[int, ...]
    unreadable_parts: tuple[int, ...]
    end_s: float | None

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

    def statement(self, state: SessionState) -> str:
        """Return in words what was kept of a recording, and what was lost."""
        at = clock_text(state.duration_s)
        ended = f"The recording ended at {at}, but not all of it could be read."
        begun = ended if self.end_s is None else f"The recording broke off at {at}."
        said = [begun, f"Kept: {_kept(state)}.", f"Lost: {self._lost()}."]
        said += [f"{_parts(self.missing_parts)} missing."] if self.missing_parts else []
        said += [f"{_parts(self.unreadable_parts)} not whole."] if self.unreadable_parts else []
        return " ".join(said)

    def _lost(self) -> str:
        lost = []
        if self.end_s is not None:
            lost.append(
                f"less than {self.end_s:.1f} s at the end, or up to a second where the power "
                "failed, or more if a later part is missing"
            )
        if self.gaps:
            shown = "; ".join(str(gap) for gap in self.gaps[:_SPANS])
            more = len(self.gaps) - _SPANS
            shown += f"; and {_count(more, 'gap')} more" if more > 0 else ""
            lost.append(f"{_count(self.records, 'record')} inside could not be read ({shown})")
        return "; ".join(lost) or "no record that is known of"


def _kept(state: SessionState) -> str:
    last_frame = clock_text(state.last_frame_ns / NS_PER_S)
    kept = [f"{_count(state.frames, 'frame')} to {last_frame}"] if state.frames else []
    for name, sound in state.audio.items():
        seconds = sound.samples / sound.clock.rate_hz
        kept.append(f"{seconds:.1f} s of {name} sound")
    kept += [f"{_count(s.samples, 'sample')} of {name}" for name, s in state.signals.items()]
    kept.append(f"{_count(len(state.markers), 'marker')} and {_count(len(state.notes), 'note')}")
    return ", ".join(kept)


def _parts(numbers: Iterable[int]) -> str:
    named = [str(number) for number in numbers]
    listed = ", ".join(named)
    return f"Part {listed} is" if len(named) == 1 else f"Parts {listed} are"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
