"""One audio stream on its way into the log: samples counted, clock anchored, gaps owned up to."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    AudioGap,
    ClockAnchored,
    GapCause,
    StreamName,
)
from affetti.recorder.sources import Sink
from affetti.recorder.sources.pace import put_patiently

BLOCK: Final = 1024  # samples of one block: 23 ms at 44.1 kHz


class StreamLog:
    """Puts the blocks of one stream into a sink, in order.

    The sample index counts what was kept; what found no room is told as an `AudioGap` before
    the next block.

    Parameters
    ----------
    stream, form
        Which stream, and the form of its samples.
    sink
        Where the events go.
    patience_s
        How long to wait for room before a block counts as lost.
    """

    def __init__(
        self, stream: StreamName, form: AudioFormat, sink: Sink, patience_s: float = 0.0
    ) -> None:
        self._stream = stream
        self._form = form
        self._sink = sink
        self._patience_s = patience_s
        self._next_anchor = 0
        self._unkept = 0
        self.sample = 0  # index of the next sample

    def keep(self, samples: NDArray[np.int16], t_ns: int) -> None:
        """Put a block of shape (samples, channels) whose first sample was heard at `t_ns`."""
        self.tell_losses(t_ns)
        if self.sample >= self._next_anchor:
            anchor = ClockAnchored(t_ns=t_ns, stream=self._stream, sample=self.sample)
            self._sink.put(anchor)
            self._next_anchor = self.sample + self._form.rate_hz
        event = AudioCaptured(
            t_ns=t_ns, stream=self._stream, sample=self.sample, count=len(samples)
        )
        blob = samples.astype("<i2", copy=False).tobytes()
        if put_patiently(self._sink, event, blob, self._patience_s):
            self.sample += len(samples)
        else:
            self.lose(len(samples))

    def lose(self, count: int) -> None:
        """Count samples that could not be kept."""
        self._unkept += count

    def tell_losses(self, t_ns: int) -> None:
        """Record what was lost and has not been told yet."""
        if self._unkept:
            self.gap(self._unkept, "log_late", t_ns)
            self._unkept = 0

    def gap(self, missing: int, cause: GapCause, t_ns: int) -> None:
        """Record that `missing` samples before the next one are not in the stream."""
        self._sink.put(
            AudioGap(
                t_ns=t_ns, stream=self._stream, sample=self.sample, missing=missing, cause=cause
            )
        )
        self._next_anchor = self.sample  # the clock is known anew only after an anchor

    def duration_ns(self, count: int) -> int:
        """Return how long `count` samples last."""
        return count * NS_PER_S // self._form.rate_hz
