"""Session time, and the sample clock of an audio device against it.

Session time is integer nanoseconds since the session began, from the machine's monotonic clock.
A sound card counts samples with a crystal of its own, which is some parts per million off.
"""

import time
from dataclasses import dataclass, field

NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class SessionClock:
    """The clock of one recording.

    Parameters
    ----------
    start_ns
        `time.monotonic_ns()` at the beginning of the session.
    """

    start_ns: int = field(default_factory=time.monotonic_ns)

    def now_ns(self) -> int:
        """Return the session time."""
        return time.monotonic_ns() - self.start_ns

    def at_ns(self, monotonic_s: float) -> int:
        """Return the session time of a monotonic time stamp in seconds, such as PortAudio's."""
        return round(monotonic_s * NS_PER_S) - self.start_ns


@dataclass
class SampleClock:
    """Fits the samples of one stream to session time by least squares, one anchor at a time.

    The fit is `t = offset + sample / rate * (1 + drift)`. Sums are kept relative to the first
    anchor, so that days of nanoseconds do not exhaust a float.

    Parameters
    ----------
    rate_hz
        The nominal sample rate.
    """

    rate_hz: int
    _first: tuple[int, int] | None = None
    _n: int = 0
    _span_s: float = 0.0
    _x: float = 0.0
    _y: float = 0.0
    _xx: float = 0.0
    _xy: float = 0.0

    def add(self, sample: int, t_ns: int) -> None:
        """Take in that `sample` was heard at `t_ns`."""
        if self._first is None:
            self._first = (sample, t_ns)
        x = (sample - self._first[0]) / self.rate_hz  # nominal seconds since the first anchor
        y = (t_ns - self._first[1]) / NS_PER_S - x  # how far the device lags behind by then
        self._n += 1
        self._span_s = max(self._span_s, x)
        self._x += x
        self._y += y
        self._xx += x * x
        self._xy += x * y

    @property
    def anchors(self) -> int:
        """How many anchors were taken in."""
        return self._n

    @property
    def span_s(self) -> float:
        """How long a stretch the anchors span, in nominal seconds."""
        return self._span_s

    @property
    def drift_ppm(self) -> float:
        """How much slower than nominal the device counts, in parts per million.

        0 until the anchors span a second: before that, jitter is all there is.
        """
        variance = self._xx - self._x * self._x / self._n if self._n else 0.0
        if self._n < 2 or variance < 0.5:
            return 0.0
        return 1e6 * (self._xy - self._x * self._y / self._n) / variance

    @property
    def offset_ns(self) -> int:
        """Session time of sample 0, by the fit."""
        return self.time_ns(0)

    def time_ns(self, sample: int) -> int:
        """Return the session time of a sample, by the fit; nominal time before any anchor."""
        if self._first is None:
            return round(sample / self.rate_hz * NS_PER_S)
        drift = self.drift_ppm / 1e6
        lag = (self._y - drift * self._x) / self._n
        x = (sample - self._first[0]) / self.rate_hz
        return self._first[1] + round((x * (1 + drift) + lag) * NS_PER_S)
