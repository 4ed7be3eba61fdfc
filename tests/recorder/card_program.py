"""Plays tracks to a sound card and listens to a microphone; run as a process of its own.

Usage: card_program.py FOLDER SPEAKER MICROPHONE TRACK...

Writes FOLDER/events.jsonl, playback.npy and room.npy. A line on standard output says when the
music plays; a file FOLDER/enough ends the program before the playlist is over.
"""

import sys
from pathlib import Path

import numpy as np

from affetti.core.events import AudioCaptured, encode
from affetti.recorder.sources import AudioSource
from affetti.recorder.sources.microphone import open_microphone
from affetti.recorder.sources.player import Player
from tests.recorder.recording_sink import RecordingSink, wait_for


def main(folder: Path, speaker: str, microphone: str, *tracks: str) -> None:
    sink = RecordingSink()
    player = Player([Path(track) for track in tracks], speaker)
    room = open_microphone(microphone)
    try:
        play_and_listen(sink, player, room, folder / "enough")
    finally:
        player.stop()
        room.stop()
    (folder / "events.jsonl").write_bytes(b"\n".join(encode(event) for event in sink.events))
    np.save(folder / "playback.npy", sink.samples("playback", player.format.channels))
    np.save(folder / "room.npy", sink.samples("room", room.format.channels))


def play_and_listen(sink: RecordingSink, player: Player, room: AudioSource, enough: Path) -> None:
    player.open()
    room.open()
    room.start(sink)
    wait_for(lambda: sink.of(AudioCaptured))
    player.start(sink)
    wait_for(lambda: any(e.stream == "playback" for e in sink.of(AudioCaptured)))
    print("playing", flush=True)  # noqa: T201
    wait_for(lambda: player.ended.is_set() or enough.exists(), 60.0)
    player.stop()
    ended_ns = sink.clock.now_ns()
    wait_for(lambda: sink.of(AudioCaptured)[-1].t_ns > ended_ns)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
