"""Pieces in MIDI played by General MIDI instruments: soft solo music with known labels.

    python -m affetti.models.training.sound.midi emopia.zip SOUNDFONT OUT

Writes a folder of clips with the `labels.csv` of `clips`. The name of a MIDI file begins with its
quadrant, Q1 to Q4; what is between the underscores is the song. FluidSynth plays
(Debian: fluidsynth and a sound font such as timgm6mb-soundfont).
"""

import csv
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
import soundfile

from affetti.core.emotions import Emotion
from affetti.core.errors import MissingPackage

QUADRANTS: Final = {
    "Q1": Emotion.HAPPINESS,
    "Q2": Emotion.ANGER,
    "Q3": Emotion.SADNESS,
    "Q4": Emotion.RELAXATION,
}
# Programs of General MIDI, from 0. The piano plays every fourth piece, the others as many in all.
PIANO: Final = 0
OTHERS: Final = {"guitar": 24, "harp": 46, "flute": 73, "kalimba": 108, "choir": 52}
RATE_HZ: Final = 44_100
LONGEST_S: Final = 12
GAIN: Final = "0.6"


@dataclass(frozen=True)
class Piece:
    """One MIDI file."""

    name: str
    midi: bytes

    @property
    def song(self) -> str:
        """What all pieces of a song have in common."""
        return self.name.split("_", 1)[1].rsplit("_", 1)[0]

    @property
    def label(self) -> Emotion:
        """The quadrant it was rated to lie in."""
        return QUADRANTS[self.name[:2]]


def pieces(archive: Path) -> Iterator[Piece]:
    """Yield the pieces of a zip archive, in order of their names."""
    with zipfile.ZipFile(archive) as files:
        for name in sorted(files.namelist()):
            path = PurePosixPath(name)
            if path.suffix == ".mid" and path.name[:2] in QUADRANTS:
                yield Piece(path.stem, files.read(name))


def played_by(midi: bytes, program: int) -> bytes:
    """Return a MIDI file in which every track first chooses a program on channel 1."""
    parts, at = [midi[:14]], 14
    while at + 8 <= len(midi):
        length = int.from_bytes(midi[at + 4 : at + 8], "big")
        body = bytes([0, 0xC0, program]) + midi[at + 8 : at + 8 + length]
        parts.append(midi[at : at + 4] + len(body).to_bytes(4, "big") + body)
        at += 8 + length
    return b"".join(parts)


def render(piece: Piece, program: int, font: Path, out: Path) -> None:
    """Play the first seconds of a piece into an Ogg file.

    Raises
    ------
    AffettiError
        FluidSynth is not installed.
    """
    with tempfile.NamedTemporaryFile(suffix=".mid") as source:
        source.write(played_by(piece.midi, program))
        source.flush()
        pcm = _played(["-T", "raw", "-O", "s16", "-F", "-", str(font), source.name])
    samples = np.frombuffer(pcm[: len(pcm) // 4 * 4], "<i2").reshape(-1, 2) / 32_768
    soundfile.write(out, samples.mean(axis=1), RATE_HZ)


def _played(arguments: list[str]) -> bytes:
    """Return 16-bit stereo from the beginning of a piece; what follows is not rendered."""
    command = ["fluidsynth", "-niq", "-g", GAIN, "-r", str(RATE_HZ), *arguments]
    try:
        player = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise MissingPackage("sounds.not_installed_training_needs", command=command[0]) from error
    with player:
        pcm = player.stdout.read(LONGEST_S * RATE_HZ * 4) if player.stdout else b""
        player.kill()
    return pcm


def main(archive: Path, font: Path, out: Path) -> None:
    """Render an archive by all instruments; clips that are there already stay."""
    out.mkdir(parents=True, exist_ok=True)
    every = list(pieces(archive))
    played = [("piano", PIANO, piece) for piece in every[::4]]
    for i, (instrument, program) in enumerate(OTHERS.items()):
        some = every[2 * i + 1 :: 4 * len(OTHERS)]
        played += [(instrument, program, piece) for piece in some]
    rows = []
    for done, (instrument, program, piece) in enumerate(played):
        sys.stderr.write(f"\r{done} of {len(played)}    ")
        file = f"{instrument}_{piece.name}.ogg"
        if not (out / file).exists():
            render(piece, program, font, out / file)
        rows.append((file, piece.label.value, piece.song))
    with (out / "labels.csv").open("w", newline="", encoding="utf-8") as table:
        csv.writer(table).writerows([("file", "label", "group"), *rows])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
