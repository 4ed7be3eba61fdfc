"""Records for long through a virtual sound card: does memory stay, and is nothing dropped?

`python -m tests.campaign.soak MINUTES` records a film of a face at 640 by 480 and 30 pictures a
second, plays tracks into the card, listens to it, is told a marker every ten seconds, and encrypts.
It prints once a minute what the recorder holds, and at the end what the recording says.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import av
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import keys, vault
from affetti.core.recording.session import Session
from tests.conftest import SAMPLES
from tests.recorder.films import face_film
from tests.recorder.soundcard import VirtualSoundCard

_PIECE_S: Final = 60
_PER_S: Final = 30
_WARM_S: Final = 120  # until then models load and buffers grow
_MARKER_EACH_S: Final = 10


def long_film(folder: Path, seconds: float) -> Path:
    """Write a film of a face, as long as wanted: a minute of it, over and over."""
    piece = face_film(folder / "piece.mp4", SAMPLES / "sample.h5", _PIECE_S, (640, 480), _PER_S)
    path = folder / "film.mp4"
    with av.open(str(path), "w") as film:
        stream = None
        for turn in range(round(seconds / _PIECE_S) + 1):
            with av.open(str(piece)) as source:
                video = source.streams.video[0]
                stream = stream or film.add_stream_from_template(video)
                later = round(turn * _PIECE_S / video.time_base)
                for packet in source.demux(video):
                    if packet.dts is not None:
                        packet.pts, packet.dts = packet.pts + later, packet.dts + later
                        packet.stream = stream
                        film.mux(packet)
    piece.unlink()
    return path


def resident_mb(pid: int) -> float:
    """Return what a process and all that it started hold in memory."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6 + sum(map(resident_mb, map(int, children)))


def main(minutes: float) -> None:
    """Record, and print what came of it."""
    owner = X25519PrivateKey.generate()
    with tempfile.TemporaryDirectory(prefix="affetti-soak-") as name, VirtualSoundCard() as card:
        target = Path(name) / "soak.h5"
        begun = time.monotonic()
        recording = _started(card, Path(name), target, minutes, owner)
        held = _watched(recording, begun, minutes)
        recording.wait()
        said = target.with_suffix(".said").read_text()
        _say(f"ended with {recording.returncode} after {time.monotonic() - begun:.0f} s")
        _say(said[-1500:])
        _say(f"held: first {held[0]:.0f} MB, last {held[-1]:.0f} MB, most {max(held):.0f} MB")
        keys.hold_private(owner.public_key().public_bytes_raw(), owner.private_bytes_raw())
        with Session.open(target) as session:
            session.verify_digest()
            sounds = {name: sound.missing for name, sound in session.state.audio.items()}
            _say(f"{session.duration_s:.1f} s, {target.stat().st_size / 1e6:.0f} MB")
            _say(f"frames {len(session.frames)}, dropped {session.state.frames_dropped}")
            _say(f"missing samples {sounds}, markers {len(session.markers)}")
            _say(f"estimates {dict(session.state.estimates)}, skipped {session.state.skipped}")


def _started(
    card: VirtualSoundCard, folder: Path, target: Path, minutes: float, owner: X25519PrivateKey
) -> "subprocess.Popen[str]":
    film = long_film(folder, minutes * 60 + _PIECE_S)
    tracks = sorted((SAMPLES / "music").glob("*.ogg"))
    words = ["record", "--headless", "--markers-from-stdin", "--person", "soak", "--no-page"]
    words += ["--camera", str(film), "--microphone", card.microphone, "--speaker", card.speaker]
    words += [word for track in tracks * round(minutes) for word in ("--play", str(track))]
    words += ["--duration", str(minutes * 60), "--output", str(target)]
    words += ["--recipient", vault.recipient_text(owner.public_key().public_bytes_raw())]
    settings = folder / "settings.toml"
    settings.write_text(f'sessions_folder = "{folder}"\n')
    told = {"AFFETTI_SETTINGS": str(settings), "XDG_STATE_HOME": str(folder / "state")}
    with target.with_suffix(".said").open("w") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "affetti", *words],
            env=card.environment | told,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            text=True,
        )


def _watched(recording: "subprocess.Popen[str]", begun: float, minutes: float) -> list[float]:
    """Tell it markers until it ends; return what it held, once a minute, once it was warm."""
    assert recording.stdin is not None
    held: list[float] = []
    end, number = begun + minutes * 60 + _WARM_S, 0
    while recording.poll() is None and time.monotonic() < end:
        recording.stdin.write(f"marker {number}\n")
        recording.stdin.flush()
        if number % (60 // _MARKER_EACH_S) == 0:
            now_mb = resident_mb(recording.pid)
            _say(f"{time.monotonic() - begun:6.0f} s  {now_mb:7.1f} MB")
            held += [now_mb] * (time.monotonic() - begun > _WARM_S or not held)
        number += 1
        time.sleep(_MARKER_EACH_S)
    return held


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  the figures are what this is run for


if __name__ == "__main__":
    main(float(sys.argv[1]))
