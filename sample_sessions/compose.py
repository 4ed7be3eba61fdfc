"""Compose and render the four pieces of the sample session, one per emotion.

    python sample_sessions/compose.py OUTPUT_DIR

writes `happiness.ogg`, `sadness.ogg`, `anger.ogg` and `relaxation.ogg`: Ogg Vorbis, 44,100 Hz,
stereo, just under 20 s each. It needs `mido` (PyPI) and Debian's `fluidsynth` and
`fluid-soundfont-gm`. The same program with the same packages gives the same samples every time.

Each piece leans on the cues that listeners use to recognise an emotion in music (Gabrielsson and
Lindström 2010; Juslin and Laukka 2003; Eerola, Friberg and Bresin 2013):

==========  ================  ================  ================  ================
Cue         happiness         sadness           anger             relaxation
==========  ================  ================  ================  ================
Tempo       138 bpm           58 bpm, slowing   168 bpm           66 bpm, slowing
Mode        D major           D minor           E Phrygian        G major
Loudness    medium to loud    soft              loudest           soft, level
Touch       staccato, bouncy  legato            hammered, abrupt  legato, ringing
Register    high              low, falling      low, shrill top   middle
Timbre      bright, brassy    dark, one voice   distorted, rough  round, slow onset
Harmony     plain triads      lament bass,      tritones, minor   sevenths, ninths,
                              appoggiaturas     seconds           held common tones
==========  ================  ================  ================  ================

Units: time in beats (quarter notes) inside a piece and in seconds outside it, pitch as a MIDI
note number, velocity and controllers from 0 to 127, level in dBFS.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np
import soundfile

SAMPLE_RATE = 44_100  # Hz
SOUND_FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
VORBIS_COMPRESSION = 0.45  # 0 (largest file) to 1 (smallest)
FADE_IN_S = 0.005
FADE_OUT_S = 0.6
TICKS_PER_BEAT = 480
BEATS_PER_BAR = 4
DRUM_CHANNEL = 9

# General MIDI programs, counted from 0.
PIANO, GLOCKENSPIEL, NYLON_GUITAR, STEEL_GUITAR = 0, 9, 24, 25
OVERDRIVEN_GUITAR, DISTORTED_GUITAR, ACOUSTIC_BASS, PICKED_BASS = 29, 30, 32, 34
ACCORDION, FIDDLE, CELLO, HARP, TRUMPET, BRASS, FLUTE, WARM_PAD = 21, 110, 42, 46, 56, 61, 73, 89
ROOM_KIT, POWER_KIT = 8, 16

# General MIDI percussion keys.
KICK, SNARE, CLAP, LOW_TOM, CLOSED_HAT, MID_TOM = 36, 38, 39, 41, 42, 47
CRASH, HIGH_TOM, CHINA, TAMBOURINE, CRASH_2, SHAKER = 49, 50, 52, 54, 57, 70

VOLUME, PAN, EXPRESSION, SUSTAIN, REVERB, CHORUS = 7, 10, 11, 64, 91, 93  # controllers

Curve = list[tuple[float, float]]  # (beat, value) points, joined by straight lines


class Note(NamedTuple):
    """One sounding note: start and length in beats."""

    start: float
    length: float
    pitch: int
    velocity: int


class Control(NamedTuple):
    """One controller change at a beat."""

    beat: float
    number: int
    value: int


def value_at(curve: Curve, beat: float) -> float:
    """Value of `curve` at `beat`, held level before its first and after its last point."""
    beats, values = zip(*curve, strict=True)
    return float(np.interp(beat, beats, values))


def parse_pitch(name: str) -> int:
    """MIDI note number of a name such as `C4` (60), `F#5` or `Bb2`."""
    step = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[name[0]]
    return 12 * (int(name[-1]) + 1) + step + name.count("#") - name.count("b")


@dataclass
class Part:
    """One player on one MIDI channel; `pan` runs from 0 (left) over 64 to 127 (right)."""

    program: int
    volume: int = 100
    pan: int = 64
    reverb: int = 40
    chorus: int = 0
    is_drums: bool = False
    notes: list[Note] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)

    def play(
        self,
        bar: int,
        line: str,
        dynamics: Curve,
        *,
        touch: float = 0.95,
        stack: tuple[int, ...] = (0,),
        roll: float = 0.0,
    ) -> None:
        """Play a line of notation from the start of `bar` (counted from 1).

        A line reads `A4:.5 D5:.5 r:1 G3+B3+D4:2 |`: pitches and a length in beats, `r` for a
        rest. `touch` is the share of its written length a note sounds, `stack` doubles every
        note at these distances in semitones, `roll` delays each higher note of a chord by so
        many beats.
        """
        beat = float((bar - 1) * BEATS_PER_BAR)
        for word in line.replace("|", " | ").split():
            if word == "|":
                if beat % BEATS_PER_BAR:
                    raise ValueError(f"bar line at beat {beat}: {line}")
                continue
            names, length = word.split(":")
            chord = [] if names == "r" else [parse_pitch(name) for name in names.split("+")]
            pitches = sorted(pitch + above for pitch in chord for above in stack)
            velocity = accented(value_at(dynamics, beat), beat)
            for order, pitch in enumerate(pitches):
                start = beat + order * roll
                self.notes.append(Note(start, float(length) * touch, pitch, velocity))
            beat += float(length)

    def beat_drum(self, bar: int, key: int, pattern: str, dynamics: Curve) -> None:
        """Strike `key` on a grid of sixteenths: `o` soft, `x` normal, `X` accented, `.` none."""
        for step, mark in enumerate(pattern.replace(" ", "")):
            if mark != ".":
                beat = (bar - 1) * BEATS_PER_BAR + step / 4
                loudness = {"o": 0.6, "x": 0.85, "X": 1.0}[mark]
                velocity = round(value_at(dynamics, beat) * loudness)
                self.notes.append(Note(beat, 0.2, key, velocity))

    def swell(self, curve: Curve) -> None:
        """Shape sustained notes with the expression controller, eight steps a beat."""
        for beat in np.arange(curve[0][0], curve[-1][0], 1 / 8):
            self.controls.append(Control(float(beat), EXPRESSION, round(value_at(curve, beat))))

    def pedal(self, changes: list[float], release: float) -> None:
        """Change the sustain pedal at each beat of `changes` and lift it at `release`."""
        for beat in changes:
            # A pianist's foot goes up with the new chord and down just after it.
            self.controls += [Control(beat, SUSTAIN, 0), Control(beat + 0.08, SUSTAIN, 127)]
        self.controls.append(Control(release, SUSTAIN, 0))


@dataclass(frozen=True)
class Piece:
    """A finished score; `tempo` holds (beat, bpm) steps."""

    tempo: Curve
    parts: list[Part]
    duration_s: float
    peak_dbfs: float


def accented(velocity: float, beat: float) -> int:
    """Lean on the first beat of a bar, a little on the third, and lighten what is between."""
    lean = {0.0: 6, 2.0: 3, 1.0: 0, 3.0: 0}.get(beat % BEATS_PER_BAR, -4)
    return round(velocity + lean)


# --- The pieces -------------------------------------------------------------------------------


def happiness() -> Piece:
    """D major: a skipping trumpet tune over off-beat piano, walking bass and a brisk backbeat."""
    dynamics: Curve = [(0, 84), (16, 92), (32, 104), (39, 110), (40, 88)]
    # The last hit steps back: so many players at once are loud enough.
    trumpet = Part(TRUMPET, volume=100, pan=58, reverb=35)
    fiddle = Part(FIDDLE, volume=84, pan=72, reverb=35)
    bells = Part(GLOCKENSPIEL, volume=74, pan=84, reverb=45)
    brass = Part(BRASS, volume=74, pan=30, reverb=40)
    bass = Part(ACOUSTIC_BASS, volume=100, reverb=10)

    first = (
        "A4:.5 D5:.5 F#5:1 E5:.5 D5:.5 F#5:1 | G5:.5 F#5:.5 E5:.5 D5:.5 B4:1 D5:1 |"
        "F#5:.5 A5:1 F#5:.5 A5:1 F#5:1 | E5:.5 F#5:.5 E5:.5 C#5:.5 A4:1 r:.5 A4:.5 |"
    )
    second = (
        "D5:.5 E5:.5 F#5:.5 A5:1 F#5:.5 A5:1 | B5:1 A5:.5 G5:.5 B5:1 G5:1 |"
        "G5:.5 F#5:.5 E5:.5 G5:.5 B5:1 G5:.5 E5:.5 | A5:.5 G5:.5 E5:.5 C#5:.5 E5:1 A5:1 |"
    )
    tag = (
        "D6:.5 A5:.5 F#5:.5 A5:.5 B5:.5 G5:.5 D5:.5 G5:.5 |"
        "F#5:.5 A5:.5 D5:.5 F#5:.5 E5:.5 F#5:.5 G5:.5 C#6:.5 | D6:.6"
    )
    trumpet.play(1, first + second + tag, dynamics, touch=0.6)
    fiddle.play(1, first + second + tag, dynamics, touch=0.75, stack=(-12,))
    bells.play(5, second + tag, dynamics, touch=0.5)
    brass.play(
        4,
        "r:2 C#5+E5+A5:.5 C#5+E5+A5:.5 r:1 |"
        "F#4+A4+D5:1.5 F#4+A4+D5:.5 r:.5 F#4+A4+D5:1 r:.5 | G4+B4+D5:1.5 G4+B4+D5:.5 r:2 |"
        "G4+B4+E5:1.5 G4+B4+E5:.5 r:.5 B4+E5+G5:1 r:.5 | r:2 A4+C#5+E5:.5 r:.5 C#5+E5+A5:1",
        dynamics,
        touch=0.65,
    )
    brass.play(11, "D5+F#5+A5:.6", dynamics)
    bass.play(
        1,
        "D2:1 r:1 A2:1 r:.5 F#2:.5 | G2:1 r:1 D2:1 r:.5 E2:.5 | F#2:1 r:1 D2:1 r:.5 B2:.5 |"
        "A2:1 r:1 E2:1 A2:.5 C#2:.5 | D2:1 r:.5 D2:.5 A2:1 F#2:1 | G2:1 r:.5 G2:.5 B2:1 G2:1 |"
        "E2:1 r:.5 E2:.5 G2:1 B2:1 | A2:1 G2:1 E2:1 C#2:1 | D2:1 F#2:1 G2:1 B2:1 |"
        "A2:1 A2:1 A2:1 C#2:1 | D2:.8",
        dynamics,
        touch=0.8,
    )
    parts = [trumpet, fiddle, bells, brass, bass, *happiness_chords(dynamics), happiness_drums()]
    return Piece([(0, 138)], parts, duration_s=18.8, peak_dbfs=-1.5)


def happiness_chords(dynamics: Curve) -> list[Part]:
    """Piano on the off-beats, accordion in long-short pairs, guitar strummed in eighths."""
    piano = Part(PIANO, volume=83, pan=46, reverb=25)
    accordion = Part(ACCORDION, volume=56, pan=70, reverb=30)
    guitar = Part(STEEL_GUITAR, volume=51, pan=98, reverb=20)
    upper = {"D": "D4+F#4+A4", "G": "D4+G4+B4", "A": "C#4+E4+A4"}
    upper |= {"Em": "E4+G4+B4", "A7": "C#4+G4+A4"}
    lower = {"D": "D3+A3", "G": "G3+B3", "A": "E3+A3", "Em": "E3+B3", "A7": "A3"}
    harmony = "D D, G G, D D, A A, D D, G G, Em Em, A7 A7, D G, D A7"  # two half bars a bar
    for bar, names in enumerate(harmony.split(", "), start=1):
        for half, name in enumerate(names.split()):
            wait, chord = f"r:{2 * half}", upper[name]
            piano.play(bar, f"{wait} r:.5 {chord}:.5 r:.5 {chord}:.5", dynamics, touch=0.45)
            accordion.play(bar, f"{wait} {chord}:1.5 {chord}:.5", dynamics, touch=0.8)
            strum = f" {lower[name]}+{chord}:.5" * 4
            guitar.play(bar, wait + strum, dynamics, touch=0.9, roll=0.02)
    piano.play(11, "D3+A3+D4+F#4+A4:.6", dynamics)
    guitar.play(11, "D3+A3+D4+F#4+A4:3", dynamics, roll=0.03)
    return [piano, accordion, guitar]


def happiness_drums() -> Part:
    """Keep a backbeat under a light shaker; tambourine and claps join for the second half."""
    drums = Part(ROOM_KIT, volume=127, reverb=20, is_drums=True)
    build: Curve = [(0, 90), (40, 106)]
    for bar in range(1, 11):
        drums.beat_drum(bar, KICK, "X... ..x. X... ..x.", [(0, 104)])
        drums.beat_drum(bar, SHAKER, "xoxo xoxo xoxo xoxo", [(0, 78), (40, 96)])
        drums.beat_drum(bar, CLOSED_HAT, "x.o. x.o. x.o. x.o.", build)
        if bar != 8:
            drums.beat_drum(bar, SNARE, ".... X... .... X..o", build)
        if bar >= 5:
            drums.beat_drum(bar, TAMBOURINE, "x.o. x.o. x.o. x.o.", [(0, 80)])
            drums.beat_drum(bar, CLAP, ".... X... .... X...", [(0, 92)])
    drums.beat_drum(8, SNARE, ".... X... x.xx xxXX", [(28, 84), (32, 104)])
    drums.beat_drum(5, CRASH, "o", [(0, 90)])
    for key in (KICK, SNARE, CRASH):
        drums.beat_drum(11, key, "x", build)
    return drums


def sadness() -> Piece:
    """D minor: a falling cello line over a lament bass, cadencing low and alone."""
    cello = Part(CELLO, volume=112, pan=58, reverb=80)
    piano = Part(PIANO, volume=84, pan=70, reverb=70)
    cello.play(
        1,
        "A3:1.5 G3:.5 F3:1.5 E3:.5 | D4:1 C4:.5 Bb3:.5 A3:2 |"
        "F4:1 E4:.5 D4:.5 Bb3:1.5 A3:.5 | A3:1 F3:1 F3:.5 E3:1.5 | D3:2.4",
        [(0, 38), (4, 44), (8, 54), (12, 42), (16, 34)],
        touch=1.0,
    )
    # Every long note breathes in and dies away; the top F of the third bar is the climax.
    # fmt: off
    cello.swell(
        [
            (0, 60), (0.8, 92), (2, 78), (2.7, 88), (3.9, 70),
            (4.3, 100), (6, 84), (7.9, 60),
            (8.4, 120), (10, 98), (11.8, 74),
            (12.4, 90), (14, 72), (14.5, 82), (15.9, 60),
            (16.3, 72), (18.4, 16),
        ]
    )
    # fmt: on
    # Bass D C Bb A, then Bb G A D; the fourth over A resolves late, as the cello sighs.
    piano.play(
        1,
        "D2:1 A3+D4:.5 F4:.5 C2:1 A3+D4:.5 F4:.5 | Bb1:1 G3+D4:1 A1:1 A3+D4:.5 C#4:.5 |"
        "Bb1:1 A3+D4:.5 F4:.5 G1:1 Bb3+D4:.5 E4:.5 | A1:1 A3+D4:1 A1:1 G3+C#4:1 |"
        "D2+A2:.5 D3:.5 A3:.5 F4:1.5",
        [(0, 38), (4, 42), (8, 50), (12, 40), (16, 34)],
        touch=1.0,
    )
    piano.pedal([0, 2, 4, 6, 8, 10, 12, 14, 16], release=18.6)
    tempo: Curve = [(0, 58), (14, 54), (15, 48), (16, 52)]
    return Piece(tempo, [cello, piano], duration_s=19.9, peak_dbfs=-5.5)


def anger() -> Piece:
    """E Phrygian: a galloping riff that grinds on F and B flat, driven to a dead stop."""
    dynamics: Curve = [(0, 112), (16, 116), (32, 120)]
    # Two players of the same riff, hard left and right, as metal records double it.
    left = Part(DISTORTED_GUITAR, volume=104, pan=10, reverb=8)
    right = Part(DISTORTED_GUITAR, volume=120, pan=117, reverb=8)
    lead = Part(OVERDRIVEN_GUITAR, volume=88, pan=70, reverb=30)
    bass = Part(PICKED_BASS, volume=104, reverb=0)
    brass = Part(BRASS, volume=106, pan=50, reverb=30)

    gallop = "E2:.5 E2:.25 E2:.25 "
    tritone = gallop * 2 + "F2:.5 E2:.5 Bb2:1 | "
    climb = gallop * 2 + "G2:.5 F2:.5 E2:.5 F2:.5 | "
    fall = gallop * 2 + "Bb2:.5 A2:.5 G2:.5 F2:.5 | "
    stamp = "C3:1.5 B2:.5 C3:.5 B2:.5 F2:1 | " + gallop * 2 + "F2:1 E2:1 | "
    grind = "Bb2:.5 E2:.25 E2:.25 A2:.5 E2:.25 E2:.25 Ab2:.5 E2:.25 E2:.25 G2:.5 E2:.25 E2:.25 | "
    last = "F2:.5 E2:.5 F2:.5 E2:.5 F2:.25 F2:.25 F2:.25 F2:.25 F2:.5 F2:.5 | E2:.75"
    riff = tritone + climb + tritone + fall + stamp * 2 + tritone + fall + grind + last
    left.play(1, riff, dynamics, touch=0.8, stack=(0, 7, 12))
    # Bare fifths have no mode: the second player adds the tenths that make it minor.
    tenths = {"E2": "G3", "F2": "A3", "G2": "B3", "Ab2": "B3", "A2": "C4"}
    tenths |= {"Bb2": "D4", "B2": "D4", "C3": "E4"}
    voiced = riff
    for root, tenth in tenths.items():
        voiced = voiced.replace(root, f"{root}+{tenth}")
    right.play(1, voiced, dynamics, touch=0.8)
    bass.play(1, riff, dynamics, touch=0.85)

    shake = "E5:.25 F5:.25 " * 8
    scream = "G5:1.5 F5:.5 G5:1 Bb5:1 | G5:1.5 F5:.5 E5:2 |"
    lead.play(1, scream * 2, dynamics)
    lead.play(5, shake + "B5:.25 C6:.25 " * 8 + shake + "Bb5:.25 B5:.25 " * 8, dynamics)
    lead.play(9, "E5+F5:4 | Bb5+B5:4 | E6:1 Eb6:1 D6:1 C#6:1 | C6:1 B5:1 Bb5:1 F5:1", dynamics)
    for bar in (1, 3, 9):
        brass.play(bar, "E4+G4+Bb4:.5 r:2.5 F4+Bb4+B4:.75", dynamics)
    brass.play(11, "E4+Bb4:1 Eb4+A4:1 D4+Ab4:1 C#4+G4:1 | C4+F4+F#4:2 F4+B4+C5:2", dynamics)
    brass.play(13, "E4+F4+G4+B4:.75", dynamics)
    return Piece([(0, 168)], [left, right, lead, bass, brass, anger_drums()], 18.8, -1.2)


def anger_drums() -> Part:
    """Double kick under hard backbeats, then snare on the off-beats, then a roll into the stop."""
    drums = Part(POWER_KIT, volume=96, reverb=12, is_drums=True)
    loud: Curve = [(0, 120), (48, 127)]
    for bar in range(1, 13):
        drums.beat_drum(bar, KICK, "X.xx X.xx X.xx X.xx", loud)
        drums.beat_drum(bar, CRASH if bar % 2 else CRASH_2, "X", loud)
        if bar <= 4:
            drums.beat_drum(bar, SNARE, ".... X... .... X...", loud)
            drums.beat_drum(bar, CLOSED_HAT, "X.x. X.x. X.x. X.x.", loud)
        elif bar <= 8:
            drums.beat_drum(bar, SNARE, ".... X... .... X.xx", loud)
            drums.beat_drum(bar, CHINA, "x... x... x... x...", loud)
        elif bar <= 11:
            drums.beat_drum(bar, SNARE, "..X. ..X. ..X. ..X.", loud)
            drums.beat_drum(bar, CRASH_2, ".... x... x... x...", loud)
    for bar in (4, 8):
        drums.beat_drum(bar, HIGH_TOM, ".... .... xxxx ....", loud)
        drums.beat_drum(bar, LOW_TOM, ".... .... .... xxXX", loud)
    drums.beat_drum(12, SNARE, "X.x. X.x. xxxx XXXX", loud)
    drums.beat_drum(12, MID_TOM, "X.x. X.x. xxxx XXXX", loud)
    for key in (KICK, SNARE, CRASH, CHINA):
        drums.beat_drum(13, key, "X", loud)
    return drums


def relaxation() -> Piece:
    """G major: ringing guitar arpeggios under long flute notes, drops of harp and a warm pad."""
    guitar = Part(NYLON_GUITAR, volume=70, pan=54, reverb=70, chorus=60)
    pad = Part(WARM_PAD, volume=68, reverb=80, chorus=60)
    flute = Part(FLUTE, volume=98, pan=76, reverb=90, chorus=40)
    harp = Part(HARP, volume=92, pan=84, reverb=90)
    # Each chord keeps at least one note of the last, and the hand never jumps.
    guitar.play(
        1,
        "G2:.5 D3:.5 A3:.5 B3:.5 D4:.5 B3:.5 A3:.5 D3:.5 |"
        "C3:.5 G3:.5 B3:.5 D4:.5 E4:.5 D4:.5 B3:.5 G3:.5 |"
        "B2:.5 G3:.5 B3:.5 D4:.5 A2:.5 G3:.5 C4:.5 E4:.5 |"
        "D3:.5 A3:.5 C4:.5 G4:.5 D3:.5 A3:.5 C4:.5 F#4:.5 | G2:.5 D3:.5 G3:.5 B3:.5 D4:.5 A4:.5",
        [(0, 72), (6, 78), (10, 80), (16, 70), (20, 60)],
        touch=1.0,
    )
    guitar.pedal([0, 4, 8, 10, 12, 14, 16], release=20.4)
    pad.play(
        1,
        "G2+D3+B3+D4:4 | C3+G3+B3+E4:4 | B2+G3+B3+D4:2 A2+G3+C4+E4:2 |"
        "D3+A3+C4+G4:2 D3+A3+C4+F#4:2 | G2+D3+B3+D4:3.6",
        [(0, 56)],
        touch=1.0,
    )
    pad.swell([(0, 64), (4, 90), (10, 96), (16, 84), (19.6, 20)])
    flute.play(
        1,
        "r:1 B4:1 D5:2 | E5:3 D5:1 | D5:2 C5:2 | B4:1 A4:3 | G4:3",
        [(0, 66), (5, 76), (12, 68), (18, 56)],
        touch=1.0,
    )
    # fmt: off
    flute.swell(
        [
            (0, 60), (1.6, 84), (4.8, 98), (7, 84),
            (8.6, 90), (12, 72), (13.4, 82), (15.9, 64),
            (16.6, 76), (19, 20),
        ]
    )
    # fmt: on
    harp.play(
        1,
        "r:1.5 D5:.5 B5:1 A5:1 | r:1.5 G5:.5 E5:1 B5:1 | r:1 G5:1 r:1 E5:1 |"
        "r:1 A5:1 r:1 F#5:1 | r:1 G5:.5 B5:.5 D6:.5",
        [(0, 58), (10, 64), (18, 50)],
        touch=3.0,
    )
    tempo: Curve = [(0, 66), (14, 62), (15, 58)]
    return Piece(tempo, [guitar, pad, flute, harp], duration_s=19.9, peak_dbfs=-5.7)


PIECES: dict[str, Callable[[], Piece]] = {
    "happiness": happiness,
    "sadness": sadness,
    "anger": anger,
    "relaxation": relaxation,
}


# --- MIDI, sound and files --------------------------------------------------------------------


def tempo_track(tempo: Curve) -> mido.MidiTrack:
    """Turn (beat, bpm) steps into a track of tempo changes."""
    track = mido.MidiTrack()
    last = 0.0
    for beat, bpm in tempo:
        ticks = round((beat - last) * TICKS_PER_BEAT)
        track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm), time=ticks))
        last = beat
    return track


def part_track(part: Part, channel: int, rng: np.random.Generator) -> mido.MidiTrack:
    """Turn a part into a track, with the small unevenness of a human hand."""
    setup = [(VOLUME, part.volume), (PAN, part.pan), (REVERB, part.reverb), (CHORUS, part.chorus)]
    events = [(0, "program_change", {"program": part.program})]
    events += [(0, "control_change", {"control": c, "value": v}) for c, v in setup]
    for beat, number, value in part.controls:
        ticks = round(beat * TICKS_PER_BEAT)
        events.append((ticks, "control_change", {"control": number, "value": value}))
    for note in part.notes:
        start = max(0, round(note.start * TICKS_PER_BEAT) + int(rng.integers(-4, 5)))
        # Ending five ticks early spares the same pitch when it is repeated up to four early.
        stop = round((note.start + note.length) * TICKS_PER_BEAT) - 5
        velocity = int(np.clip(note.velocity + rng.normal(0, 2), 1, 127))
        events.append((start, "note_on", {"note": note.pitch, "velocity": velocity}))
        events.append((stop, "note_off", {"note": note.pitch}))
    # At equal ticks a note must end before the same pitch is struck again.
    events.sort(key=lambda event: (event[0], event[1] == "note_on"))
    track = mido.MidiTrack()
    last = 0
    for ticks, kind, values in events:
        track.append(mido.Message(kind, channel=channel, time=ticks - last, **values))
        last = ticks
    return track


def write_midi(piece: Piece, path: Path) -> None:
    """Write a piece as a Standard MIDI file of type 1."""
    rng = np.random.default_rng(2010)
    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    midi.tracks.append(tempo_track(piece.tempo))
    free_channels = iter(channel for channel in range(16) if channel != DRUM_CHANNEL)
    for part in piece.parts:
        channel = DRUM_CHANNEL if part.is_drums else next(free_channels)
        midi.tracks.append(part_track(part, channel, rng))
    midi.save(path)


def render(midi: Path, wav: Path) -> None:
    """Play a MIDI file into a WAV file of 32-bit floats, which cannot clip."""
    options = ["-ni", "-q", "-g", "0.4", "-r", str(SAMPLE_RATE), "-O", "float", "-T", "wav"]
    command = ["fluidsynth", *options, "-F", str(wav), str(SOUND_FONT), str(midi)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def master(sound: np.ndarray, duration_s: float, peak_dbfs: float) -> np.ndarray:
    """Cut or pad to `duration_s`, round off both ends and bring the peak to `peak_dbfs`."""
    frames = round(duration_s * SAMPLE_RATE)
    sound = np.pad(sound[:frames], ((0, max(0, frames - len(sound))), (0, 0)))
    times = np.arange(frames) / SAMPLE_RATE
    fade_in = np.clip(times / FADE_IN_S, 0, 1)
    fade_out = np.sin(np.pi / 2 * np.clip((duration_s - times) / FADE_OUT_S, 0, 1)) ** 2
    sound = sound * (fade_in * fade_out)[:, None]
    return sound * (10 ** (peak_dbfs / 20) / np.abs(sound).max())


def make(name: str, output: Path) -> None:
    """Compose, render and encode one piece to `output/name.ogg`."""
    piece = PIECES[name]()
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder, "piece.mid"), Path(folder, "piece.wav")
        write_midi(piece, midi)
        render(midi, wav)
        sound, _ = soundfile.read(wav)
    soundfile.write(
        output / f"{name}.ogg",
        master(sound, piece.duration_s, piece.peak_dbfs),
        SAMPLE_RATE,
        format="OGG",
        subtype="VORBIS",
        compression_level=VORBIS_COMPRESSION,
    )


def main() -> None:
    """Read the command line and make all four pieces."""
    parser = argparse.ArgumentParser(description="Compose and render the four sample pieces.")
    parser.add_argument("output", type=Path, metavar="OUTPUT_DIR")
    output = parser.parse_args().output
    if shutil.which("fluidsynth") is None:
        sys.exit("fluidsynth is not installed: install Debian's package `fluidsynth`.")
    if not SOUND_FONT.is_file():
        sys.exit(f"{SOUND_FONT} is missing: install Debian's package `fluid-soundfont-gm`.")
    output.mkdir(parents=True, exist_ok=True)
    for name in PIECES:
        make(name, output)


if __name__ == "__main__":
    main()
