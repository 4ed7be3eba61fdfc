"""A PortAudio whose devices stand in a file: it looks at them when it begins, and then no more.

Imported as `sounddevice`, in a test's own process and in those that it starts. A device is its
name, its rate and its channels; a microphone hears a tone of its `pitch_hz`.
"""

import json
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np


class PortAudioError(Exception):
    pass


class default:  # noqa: N801  as it is called there
    device: Any = (-1, -1)


def _now() -> list[dict[str, Any]]:
    return json.loads(Path(os.environ["CARDS"]).read_text())


_known: list[dict[str, Any]] = []
streams: list[Any] = []  # that are open


def _initialize() -> None:
    _known[:] = _now()
    default.device = tuple(
        next((i for i, d in enumerate(_known) if d[kind] > 0), -1)
        for kind in ("max_input_channels", "max_output_channels")
    )


def _terminate() -> None:
    assert not streams, "a stream was open"
    _known.clear()


def query_hostapis() -> list[dict[str, Any]]:
    return [{"name": "ALSA"}]


def query_devices(kind: str | None = None) -> Any:
    described = [{**d, "index": i, "hostapi": 0} for i, d in enumerate(_known)]
    if kind is None:
        return described
    index = default.device[0 if kind == "input" else 1]
    if index < 0:
        raise PortAudioError("no device", -9996)
    return described[index]


class InputStream:
    kind = "max_input_channels"

    def __init__(
        self, *, device: int, samplerate: float, channels: int, blocksize: int, callback: Any,
        dtype: str, latency: float,
    ) -> None:  # fmt: skip
        self._device = _known[device]
        if self._device not in _now():
            raise PortAudioError("unplugged", -9996)
        if samplerate != self._device["default_samplerate"]:
            raise PortAudioError("Invalid sample rate", -9997)
        if channels > self._device[self.kind]:
            raise PortAudioError("Invalid number of channels", -9998)
        self._rate, self._channels, self._block = samplerate, channels, blocksize
        self._callback = callback
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        streams.append(self)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def close(self) -> None:
        streams.remove(self)

    def _run(self) -> None:
        done, begin = 0, time.monotonic()
        while not self._stopping.wait(max(0.0, begin + done / self._rate - time.monotonic())):
            if self._device not in _now():
                return  # a device that is pulled out says nothing
            self._pass(done)
            done += self._block

    def _pass(self, done: int) -> None:
        at = (done + np.arange(self._block)) / self._rate
        tone = 8000 * np.sin(2 * np.pi * self._device["pitch_hz"] * at)
        block = np.repeat(tone.astype(np.int16)[:, None], self._channels, axis=1)
        now = time.monotonic()
        times = SimpleNamespace(
            currentTime=now, inputBufferAdcTime=now - self._block / self._rate,
            outputBufferDacTime=now,
        )  # fmt: skip
        status = SimpleNamespace(input_overflow=False, output_underflow=False)
        self._callback(block, self._block, times, status)


class OutputStream(InputStream):
    kind = "max_output_channels"


_initialize()
