"""The sound of a recording through the sound card, from any moment on."""

import threading
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.errors import Damaged
from affetti.core.recording.stored import Audio

_BLOCK_S: Final = 0.1


class Listening:
    """Plays one stream of a recording in a thread of its own, until it is over or stopped.

    Parameters
    ----------
    audio
        The stream.
    start_ns
        Session time to begin at.

    Attributes
    ----------
    refused
        Why no more is played, where it was altered; else empty.
    """

    def __init__(self, audio: Audio, start_ns: int) -> None:
        self.refused = ""
        self._audio = audio
        self._start_ns = start_ns
        self._played_s = 0.0
        self._stopped = threading.Event()
        self._stream: Any = None
        self._thread = threading.Thread(target=self._play, name="play recording", daemon=True)

    def start(self) -> bool:
        """Begin; False where no sound card plays it."""
        try:
            import sounddevice  # noqa: PLC0415  it looks for PortAudio

            self._stream = sounddevice.OutputStream(
                samplerate=self._audio.rate_hz,
                channels=self._audio.channels,
                dtype="int16",
                latency="high",  # a screen is drawn meanwhile
            )
            self._stream.start()
        except Exception:  # no card, no library, no such rate: pictures are shown without
            self._stream = None
            return False
        self._thread.start()
        return True

    @property
    def t_ns(self) -> int:
        """Session time of what is heard now."""
        return self._start_ns + round(self._played_s * NS_PER_S)

    @property
    def playing(self) -> bool:
        """Whether it still plays."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop at once."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _play(self) -> None:
        begin_s, end_s = self._start_ns / NS_PER_S, _end_s(self._audio)
        latency_s = float(self._stream.latency)
        written_s = 0.0
        try:
            while not self._stopped.is_set() and begin_s + written_s < end_s:
                self._stream.write(self._block(begin_s + written_s))
                written_s += _BLOCK_S
                self._played_s = max(0.0, written_s - latency_s)
        except Damaged as error:
            self.refused = error.message
        except Exception:  # the card is gone
            self._stopped.set()
        finally:
            self._stream.close()

    def _block(self, at_s: float) -> NDArray[np.int16]:
        """Return a block, silent where nothing was recorded."""
        wanted = round(_BLOCK_S * self._audio.rate_hz)
        block = np.zeros((wanted, self._audio.channels), np.int16)
        found = self._audio.read(at_s, at_s + _BLOCK_S)[:wanted]
        block[: len(found)] = found
        return block


def _end_s(audio: Audio) -> float:
    if not len(audio.blocks):
        return 0.0
    last = audio.blocks[-1]
    behind = audio.samples - int(last["sample"])
    return float(last["t_ns"]) / NS_PER_S + behind / audio.rate_hz
