"""Markers of another program, by the Lab Streaming Layer: its stamps, in session time.

See `recorder.sources.lsl` for what is sent where, which is the same.
"""

from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from affetti.core.clock import NS_PER_S
from affetti.core.errors import UsageError
from affetti.core.events import MarkerAdded
from affetti.core.labels import label
from affetti.core.paths import shown
from affetti.core.streams import MARKERS, Stream
from affetti.recorder.sources import Sink
from affetti.recorder.sources.lsl import LslSource, OutletLog, declaration

PREFIX: Final = "lsl"
_MAX_LATE_NS: Final = 60 * NS_PER_S  # as long as samples wait for us
_MAX_EARLY_NS: Final = NS_PER_S // 10
_MAX_SIGNS: Final = 1_000  # of one marker


def marker_source(address: str) -> "LslMarkers":
    """Return the source of `lsl:NAME`; it is not open yet.

    Raises
    ------
    AffettiError
        It is no such address.
    """
    prefix, _, name = address.partition(":")
    if prefix != PREFIX or not name:
        raise UsageError("lsl.no_markers_address", address=shown(address))
    return LslMarkers(name)


class LslMarkers(LslSource):
    """A stream of markers: what each says becomes a marker of the recording.

    It is nobody's signal and needs no consent. Several channels become one line. A stamp that
    cannot be of now, by a clock that nobody can tell, gives way to the time of arrival; a marker
    from before the session is left out.
    """

    def _declaration(self, info: Any) -> Stream:
        if info.nominal_srate() > 0:
            raise UsageError("lsl.markers_at_a_rate", name=self._name)
        return replace(declaration(self._name, info), kind=MARKERS, scope=None)

    def _log(self, stream: Stream, sink: Sink) -> "MarkerLog":
        return MarkerLog(stream, sink)


class MarkerLog(OutletLog):
    """Puts the markers of one stream into a sink."""

    def keep(self, values: Any, stamps_s: Any) -> bool:
        """Put a marker for each sample; False where there are none."""
        if not len(stamps_s):
            return False
        self._heard_ns = self._sink.clock.now_ns()
        for value, stamp_s in zip(values, stamps_s, strict=True):
            t_ns = self._moment_ns(float(stamp_s))
            if t_ns >= 0:
                said = MarkerAdded(t_ns=t_ns, label=words_of(value), stream=self._stream.name)
                self._sink.put(said)
        return True

    def tell_losses(self) -> None:
        """Do nothing: a marker always finds room."""

    def _moment_ns(self, stamp_s: float) -> int:
        if self._ahead_s is None or not np.isfinite(stamp_s):
            return self._heard_ns
        t_ns = round((stamp_s + self._ahead_s) * NS_PER_S)
        late_ns = self._heard_ns - t_ns
        return t_ns if -_MAX_EARLY_NS <= late_ns <= _MAX_LATE_NS else self._heard_ns


def words_of(values: Any) -> str:
    """Return what the channels of a sample say, as one line."""
    said = (each if isinstance(each, str) else _number(each) for each in values)
    return label(" ".join(filter(None, said)))[:_MAX_SIGNS].strip()


def _number(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, float | np.floating) else str(value)
