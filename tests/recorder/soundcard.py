"""A sound card without a sound card: a PulseAudio daemon of our own with a null sink."""

import os
import shutil
import subprocess
import tempfile
import time
from ctypes.util import find_library
from pathlib import Path
from typing import Self

import pytest

RATE_HZ = 44100
_SETTLING_S = 2.5  # a null sink begins with two seconds in one piece


class VirtualSoundCard:
    """A context in which a speaker exists, and a microphone that hears what it plays.

    PortAudio and ALSA read the environment when they are loaded, so that programs which are to
    see the card are run as processes of their own with `environment`.
    """

    speaker = "affetti_speaker"  # as PortAudio lists them
    microphone = "affetti_microphone"

    def __init__(self) -> None:
        # The path of a socket has to be short, which pytest's folders are not.
        self._folder = Path(tempfile.mkdtemp(prefix="affetti-card-"))
        self._socket = self._folder / "native"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,
            "HOME": str(self._folder),
            "XDG_RUNTIME_DIR": str(self._folder),
            "PULSE_RUNTIME_PATH": str(self._folder),
            "PULSE_SERVER": f"unix:{self._socket}",
            "ALSA_CONFIG_PATH": str(self._folder / "alsa.conf"),
        }

    def __enter__(self) -> Self:
        # PortAudio aborts where ALSA has devices but no default one.
        self.write_devices()
        self.plug_in()
        return self

    def __exit__(self, *error: object) -> None:
        self.pull_out()
        shutil.rmtree(self._folder, ignore_errors=True)

    def write_devices(self, *before: str) -> None:
        """Say which devices there are: some that are not ours first, which number ours anew."""
        devices = [*((name, "room") for name in before), (self.speaker, "room")]
        devices += [(self.microphone, "room.monitor")]
        listed = [self._pcm(name, device) for name, device in [("default", "room"), *devices]]
        (self._folder / "alsa.conf").write_text("".join(listed))

    def plug_in(self, rate_hz: int = RATE_HZ, channels: int = 2) -> None:
        """Start the daemon, and the silence without which a null sink's monitor is mute."""
        native = f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}"
        sink = f"module-null-sink sink_name=room rate={rate_hz} channels={channels} format=s16le"
        daemon = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1"]
        daemon += ["--use-pid-file=no", "--disable-shm=yes"]
        self._run([*daemon, f"--load={native}", f"--load={sink}"])
        deadline = time.monotonic() + 20
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError("the PulseAudio daemon did not start")
            time.sleep(0.05)
        form = [f"--rate={RATE_HZ}", "--channels=2", "--format=s16le", "--latency-msec=20"]
        self._run(["pacat", "--playback", "--device=room", *form, "/dev/zero"])
        time.sleep(_SETTLING_S)

    def pull_out(self) -> None:
        """End the daemon, as when a card is unplugged."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        self._processes.clear()
        self._socket.unlink(missing_ok=True)

    def _run(self, command: list[str]) -> None:
        quiet = subprocess.DEVNULL
        self._processes.append(
            subprocess.Popen(command, env=self.environment, stdout=quiet, stderr=quiet)
        )

    def _answers(self) -> bool:
        asked = subprocess.run(
            ["pactl", "info"], env=self.environment, capture_output=True, check=False
        )
        return asked.returncode == 0

    def _pcm(self, name: str, device: str) -> str:
        return f'pcm.{name} {{ type pulse server "unix:{self._socket}" device "{device}" }}\n'


def missing_packages() -> list[str]:
    """Return the Debian packages that the virtual sound card needs and this machine lacks."""
    missing = []
    if not all(map(shutil.which, ("pulseaudio", "pactl", "pacat"))):
        missing.append("pulseaudio")
    if not any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
        missing.append("libasound2-plugins")
    if find_library("portaudio") is None:
        missing.append("libportaudio2")
    return missing


def require_packages() -> None:
    """Skip the test and name what to install; in CI, fail instead."""
    missing = missing_packages()
    message = f"needs the Debian packages: {', '.join(missing)}"
    if missing and os.environ.get("CI") == "true":
        pytest.fail(message)
    if missing:
        pytest.skip(message)
