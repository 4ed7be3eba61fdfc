"""A capture that stood still: told for how long and why, and what waited meanwhile is not dated.

A machine that sleeps, a process that is stopped or a camera that is slow leaves a hole. Pictures
that waited in a buffer then come all at once; when each was taken nobody knows, so they are
counted as dropped instead of carrying the time of their arrival.
"""

import threading
import time
from typing import Final

from affetti.core import system
from affetti.core.clock import NS_PER_S
from affetti.core.events import CaptureStalled, FramesDropped, StallCause
from affetti.recorder.sources import Sink

STALL_NS: Final = NS_PER_S  # longer without a picture is a stall
_TURN_S: Final = 0.05
_AT_ONCE: Final = 0.5  # of the nominal period: what comes faster had waited


class Standstill:
    """Knows for how long no thread of this process ran; asked, it begins anew."""

    def __init__(self) -> None:
        self._closing = threading.Event()
        self._longest_ns = 0
        self._thread = threading.Thread(target=self._run, name="standstill", daemon=True)
        self._thread.start()

    def take_ns(self) -> int:
        """Return the longest since the last time that was asked."""
        longest, self._longest_ns = self._longest_ns, 0
        return longest

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        before = time.monotonic_ns()
        while not self._closing.wait(_TURN_S):
            now = time.monotonic_ns()
            self._longest_ns = max(self._longest_ns, now - before)
            before = now


class Stalls:
    """Watches the arrival of pictures from one live camera.

    Parameters
    ----------
    sink
        Where what is told goes.
    stream
        Which video.
    frames_per_s
        The nominal rate.
    """

    def __init__(self, sink: Sink, stream: str, frames_per_s: float) -> None:
        self._sink = sink
        self._stream = stream
        self._period_ns = NS_PER_S / max(frames_per_s, 1.0)
        self._standstill = Standstill()
        self._asleep_ns = system.asleep_ns()
        self._before_ns = sink.clock.now_ns()
        self._since_ns: int | None = None  # of the stall that is not over
        self._cause: StallCause = "slow"
        self._slept_ns = 0
        self._waited = 0

    def close(self) -> None:
        """Watch no more."""
        self._standstill.close()

    def forget(self) -> None:
        """Begin anew: the camera was lost and is back, which is told elsewhere."""
        self._before_ns = self._sink.clock.now_ns()
        self._since_ns, self._waited = None, 0
        self._asleep_ns = system.asleep_ns()
        self._standstill.take_ns()

    def is_of_now(self, now_ns: int) -> bool:
        """Return whether a picture that arrives now was taken now; tell of a stall that ended."""
        before_ns, self._before_ns = self._before_ns, now_ns
        gap_ns = now_ns - before_ns
        if self._since_ns is None and not self._begins(before_ns, gap_ns):
            return True
        at_once = not self._waited or gap_ns < _AT_ONCE * self._period_ns
        if self._cause != "slow" and at_once:
            self._waited += 1
            return False
        self._tell(now_ns)
        return True

    def _begins(self, before_ns: int, gap_ns: int) -> bool:
        asleep_ns, was_ns = system.asleep_ns(), self._asleep_ns
        slept_ns, self._asleep_ns = asleep_ns - was_ns, asleep_ns
        still_ns = self._standstill.take_ns()
        if gap_ns + slept_ns < STALL_NS:
            return False
        stopped = still_ns > gap_ns / 2
        self._cause = "asleep" if slept_ns > gap_ns else "stopped" if stopped else "slow"
        self._slept_ns = slept_ns
        self._since_ns, self._waited = before_ns, 0
        return True

    def _tell(self, now_ns: int) -> None:
        since_ns = self._since_ns if self._since_ns is not None else now_ns
        gap_ns = now_ns - since_ns + self._slept_ns
        stalled = CaptureStalled(t_ns=now_ns, stream=self._stream, gap_ns=gap_ns, cause=self._cause)
        self._sink.put(stalled)
        if self._waited:
            dropped = FramesDropped(t_ns=now_ns, stream=self._stream, count=self._waited)
            self._sink.put(dropped)
        self._since_ns, self._waited = None, 0
