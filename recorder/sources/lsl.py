"""A stream of the Lab Streaming Layer: what a sensor's own program publishes as an outlet.

Nothing happens unless such a source is asked for. Then the stream is looked for by its name: a
question goes to the local network by multicast and broadcast (UDP port 16571 and those around
it), and whoever publishes it answers. Samples come from there over TCP; nothing is sent but the
questions, and those that measure how far the clocks are apart.

Stamps are kept raw, as the outlet gave them, and what was measured of its clock is kept beside
them. An outlet that is gone is told as `DeviceLost`, and looked for until it is back.
"""

import ctypes
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from affetti.core.clock import NS_PER_S
from affetti.core.errors import AffettiError, DeviceError, MissingPackage
from affetti.core.events import (
    SIGNALS,
    ClockMeasured,
    DeviceLost,
    DeviceRestored,
    LossCause,
    SamplesCaptured,
    SamplesDropped,
)
from affetti.core.recording.signals import pack_samples
from affetti.core.settings import Settings
from affetti.core.streams import SAMPLES, TEXT, Channel, Stream, stream_name
from affetti.recorder.sources import Sink

_FIND_S: Final = 5.0
_FIND_AGAIN_S: Final = 1.0
_OPEN_S: Final = 5.0
_PULL_S: Final = 0.2  # samples are kept in blocks of so long
_MEASURE_EVERY_S: Final = 2.0  # as often as the library measures
_MEASURE_S: Final = 1.0  # how long to wait for the first measurement
_BUFFER_S: Final = 60
_SILENT_S: Final = 3.0  # a stream with a rate that is silent for so long is lost
_MAX_SAMPLES: Final = 4096  # of one block
_MAX_BLOCK_BYTES: Final = 1 << 20


def pylsl() -> Any:
    """Return the module, imported only where a signal is asked for.

    Raises
    ------
    AffettiError
        It is not installed.
    """
    try:
        import pylsl as module  # noqa: PLC0415
        import pylsl.util  # noqa: PLC0415
    except (ImportError, RuntimeError, OSError) as error:
        raise MissingPackage("lsl.signals_lab_streaming_layer", error=error) from error
    return module


def lsl_source(name: str, settings: Settings) -> "LslSignal":
    """Return the source of `lsl:NAME`."""
    return LslSignal(name)


@dataclass(frozen=True)
class Offset:
    """What the library measured of the clock of an outlet."""

    offset_s: float  # to be added to a stamp
    source_s: float  # when, by that clock
    uncertainty_s: float


class Inlet:
    """One connection to one outlet; never repaired, so that a loss is seen.

    Raises
    ------
    Exception
        Whatever the library raises where the outlet is gone.
    """

    def __init__(self, info: Any) -> None:
        module = pylsl()
        self._lost = module.util.LostError
        self._inlet = module.StreamInlet(info, max_buflen=_BUFFER_S, recover=False)
        self.info = self._inlet.info(_OPEN_S)
        self._inlet.open_stream(_OPEN_S)
        row_bytes = 8 * max(1, self.info.channel_count())
        self._rows = max(1, min(_MAX_SAMPLES, _MAX_BLOCK_BYTES // row_bytes))
        self._is_text = self.info.channel_format() == module.cf_string

    def pull(self, timeout_s: float) -> tuple[Any, Any]:
        """Return values [n, channels] and stamps, seconds [n]; none where none came in time."""
        values, stamps = self._inlet.pull_chunk(timeout_s, self._rows, as_numpy=not self._is_text)
        return values, np.asarray(stamps, np.float64)

    def offset(self) -> Offset | None:
        """Return the latest measurement of its clock; None where there is none yet."""
        lib = pylsl().lib.lib
        source_s, uncertainty_s = ctypes.c_double(), ctypes.c_double()
        error = ctypes.c_int()
        measure = lib.lsl_time_correction_ex
        measure.restype = ctypes.c_double
        offset_s = measure(
            self._inlet.obj,
            ctypes.byref(source_s),
            ctypes.byref(uncertainty_s),
            ctypes.c_double(_MEASURE_S),
            ctypes.byref(error),
        )
        if error.value:
            return None
        return Offset(offset_s, source_s.value, uncertainty_s.value)

    def close(self) -> None:
        """Disconnect."""
        self._inlet.close_stream()


class LslSource(ABC):
    """A stream of the Lab Streaming Layer, found by its name, and found again.

    Parameters
    ----------
    name
        As the outlet calls it.
    """

    finite = False
    scope: str | None = None

    def __init__(self, name: str) -> None:
        self._name = name
        self._inlet: Inlet | None = None
        self._declared: Stream | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.ended = threading.Event()

    @abstractmethod
    def _declaration(self, info: Any) -> Stream:
        """Return the stream that an outlet is; AffettiError where it cannot be recorded."""

    @abstractmethod
    def _log(self, stream: Stream, sink: Sink) -> "OutletLog":
        """Return what puts its samples into a sink."""

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The stream, as its outlet describes it."""
        return () if self._declared is None else (self._declared,)

    def open(self) -> None:
        """Find the outlet and connect to it.

        Raises
        ------
        AffettiError
            There is none of that name, or several, or one of another kind; or pylsl is missing.
        """
        found = pylsl().resolve_byprop("name", self._name, 1, _FIND_S)
        if not found:
            raise DeviceError("lsl.no_lab_streaming_layer", name=self._name)
        if len({info.uid() for info in found}) > 1:
            hosts = ", ".join(sorted(info.hostname() for info in found))
            raise DeviceError("lsl.several_lab_streaming_layer", name=self._name, hosts=hosts)
        try:
            self._inlet = Inlet(found[0])
        except Exception as error:
            raise DeviceError(
                "lsl.stream_answers_but_cannot", name=self._name, error=error
            ) from error
        self._declared = self._declaration(self._inlet.info)

    def start(self, sink: Sink) -> None:
        """Begin to record."""
        self._thread = threading.Thread(target=self._run, args=(sink,), name="lsl", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take what has come, end the thread and disconnect."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._inlet is not None:
            self._inlet.close()
            self._inlet = None

    def _run(self, sink: Sink) -> None:
        assert self._declared is not None  # noqa: S101  it was opened
        log = self._log(self._declared, sink)
        while self._inlet is not None:
            cause = self._listen(self._inlet, log)
            if cause is None or not self._find_again(cause, log):
                break
        log.tell_losses()

    def _listen(self, inlet: Inlet, log: "OutletLog") -> "Loss | None":
        """Keep what comes; return why nothing comes any more, or None when stopping."""
        try:
            while not self._stopping.is_set():
                log.measure(inlet)
                log.keep(*inlet.pull(_PULL_S))
                if log.silent:
                    return Loss("silent")
            while log.keep(*inlet.pull(0.0)):
                pass
        except Exception as error:
            return None if self._stopping.is_set() else Loss("failed", f"{error}")
        return None

    def _find_again(self, loss: "Loss", log: "OutletLog") -> bool:
        """Record that the outlet is gone, and look for it until it is back; False when stopping."""
        log.lost(loss)
        if self._inlet is not None:
            self._inlet.close()
            self._inlet = None
        while not self._stopping.is_set():
            for info in pylsl().resolve_byprop("name", self._name, 1, _FIND_AGAIN_S):
                if self._connected(info):
                    log.restored()
                    return True
        return False

    def _connected(self, info: Any) -> bool:
        """Whether an outlet is the same stream again, and answers."""
        try:
            inlet = Inlet(info)
        except Exception:  # it is only just coming, or has gone again
            return False
        try:
            same = _form(self._declaration(inlet.info)) == _form(self._declared)
        except AffettiError:
            same = False
        if not same:
            inlet.close()
            return False
        self._inlet = inlet
        return True


@dataclass(frozen=True)
class Loss:
    """Why nothing comes any more."""

    cause: LossCause
    error: str = ""  # what the library said


class LslSignal(LslSource):
    """A signal: every sample is kept, with its stamp as it came."""

    scope = SIGNALS

    def _declaration(self, info: Any) -> Stream:
        return declaration(self._name, info)

    def _log(self, stream: Stream, sink: Sink) -> "SignalLog":
        return SignalLog(stream, sink)


class OutletLog(ABC):
    """Puts what one outlet sends into a sink, in order, and what was measured of its clock."""

    def __init__(self, stream: Stream, sink: Sink) -> None:
        self._stream = stream
        self._sink = sink
        self._heard_ns = sink.clock.now_ns()
        self._measured_ns: int | None = None
        self._latest: Offset | None = None
        self._ahead_s: float | None = None  # of session time against the clock of the source

    @abstractmethod
    def keep(self, values: Any, stamps_s: Any) -> bool:
        """Put samples; False where there are none."""

    @abstractmethod
    def tell_losses(self) -> None:
        """Record what found no room and has not been told yet."""

    @property
    def silent(self) -> bool:
        """Whether a stream with a rate has not been heard of for too long."""
        patience_s = _SILENT_S + 2 / (self._stream.rate_hz or 1.0)
        silent_ns = self._sink.clock.now_ns() - self._heard_ns
        return self._stream.rate_hz is not None and silent_ns > patience_s * NS_PER_S

    def measure(self, inlet: Inlet) -> None:
        """Record what is known of its clock, when that is due and there is something new."""
        now_ns = self._sink.clock.now_ns()
        if self._measured_ns is not None and now_ns < self._measured_ns:
            return
        self._measured_ns = now_ns + round(_MEASURE_EVERY_S * NS_PER_S)
        offset = inlet.offset()
        if offset is None or offset == self._latest:
            return
        self._latest = offset
        local_s = pylsl().local_clock()
        session_ns = self._sink.clock.now_ns()
        t_ns = session_ns - round((local_s - offset.source_s - offset.offset_s) * NS_PER_S)
        self._ahead_s = t_ns / NS_PER_S - offset.source_s
        self._sink.put(
            ClockMeasured(
                t_ns=t_ns,
                stream=self._stream.name,
                source_s=offset.source_s,
                offset_s=offset.offset_s,
                uncertainty_s=offset.uncertainty_s,
            )
        )

    def lost(self, loss: "Loss") -> None:
        """Record that the outlet is gone."""
        name, t_ns = self._stream.name, self._sink.clock.now_ns()
        lost = DeviceLost(t_ns=t_ns, device=name, stream=name, cause=loss.cause, error=loss.error)
        self._sink.put(lost)

    def restored(self) -> None:
        """Record that it is back; its clock may be another."""
        name, now_ns = self._stream.name, self._sink.clock.now_ns()
        gap_ns = now_ns - self._heard_ns
        self._sink.put(DeviceRestored(t_ns=now_ns, device=name, stream=name, gap_ns=gap_ns))
        self._heard_ns = now_ns
        self._measured_ns = self._latest = self._ahead_s = None


class SignalLog(OutletLog):
    """Puts the samples of one signal into a sink, in order; losses are owned up to."""

    def __init__(self, stream: Stream, sink: Sink) -> None:
        super().__init__(stream, sink)
        self._sample = 0
        self._dropped = 0

    def keep(self, values: Any, stamps_s: Any) -> bool:
        """Put samples; False where there are none."""
        count = len(stamps_s)
        if not count:
            return False
        self._heard_ns = self._sink.clock.now_ns()
        self.tell_losses()
        event = SamplesCaptured(
            t_ns=self._first_ns(stamps_s),
            stream=self._stream.name,
            sample=self._sample,
            count=count,
        )
        if self._sink.put(event, pack_samples(self._stream, stamps_s, values)):
            self._sample += count
        else:
            self._dropped += count
        return True

    def tell_losses(self) -> None:
        """Record what found no room and has not been told yet."""
        if self._dropped:
            count, self._dropped = self._dropped, 0
            name, t_ns = self._stream.name, self._sink.clock.now_ns()
            self._sink.put(SamplesDropped(t_ns=t_ns, stream=name, sample=self._sample, count=count))

    def _first_ns(self, stamps_s: Any) -> int:
        if self._ahead_s is not None:
            return round((float(stamps_s[0]) + self._ahead_s) * NS_PER_S)
        return self._heard_ns - round(float(stamps_s[-1] - stamps_s[0]) * NS_PER_S)


def declaration(name: str, info: Any) -> Stream:
    """Return what an outlet says of its stream."""
    count = info.channel_count()
    labels, units = (
        _texts(get, count) for get in (info.get_channel_labels, info.get_channel_units)
    )
    rate_hz = float(info.nominal_srate())
    return Stream(
        name=stream_name(name),
        kind=SAMPLES,
        encoding=_encodings()[info.channel_format()],
        rate_hz=rate_hz if rate_hz > 0 else None,
        channels=tuple(
            Channel(label or str(i + 1), unit or "")
            for i, (label, unit) in enumerate(zip(labels, units, strict=True))
        ),
        scope=SIGNALS,
        source=f"lsl:{info.name()} ({info.type()}, {info.source_id() or '-'}, {info.hostname()})",
    )


def _texts(get: Any, count: int) -> list[str | None]:
    """Return what is said of each channel; None of each where it is not said of all."""
    try:
        said = get()
    except Exception:  # the description is another program's
        said = None
    return list(said) if said is not None and len(said) == count else [None] * count


def _encodings() -> dict[int, str]:
    module = pylsl()
    return {
        module.cf_int8: "int8",
        module.cf_int16: "int16",
        module.cf_int32: "int32",
        module.cf_int64: "int64",
        module.cf_float32: "float32",
        module.cf_double64: "float64",
        module.cf_string: TEXT,
    }


def _form(stream: Stream | None) -> tuple[Any, ...]:
    if stream is None:
        return ()
    return stream.encoding, stream.rate_hz, len(stream.channels)
