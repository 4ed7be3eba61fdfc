"""The screen's terminal: what is drawn reaches it, what libraries print does not."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

from affetti.recorder.tui.widgets.playlist import tracks_at

PROGRAM = """
import os, sys
from pathlib import Path
from affetti.recorder.tui.tty import terminal_of_its_own
from affetti.recorder.tui.widgets.playlist import tracks_at
with terminal_of_its_own():
    sys.__stderr__.write("drawn")
    os.write(2, b"printed by a library")
    for path in sys.argv[1:]:
        tracks_at(Path(path))
    assert sys.__stderr__.isatty()
os.write(2, b"told afterwards")
"""


def folder_with_a_broken_track(folder: Path) -> Path:
    folder.mkdir()
    tone = np.sin(np.arange(88_200) / 10) / 4
    soundfile.write(folder / "a.wav", tone, 44_100)
    soundfile.write(folder / "b.mp3", tone, 44_100)
    whole = (folder / "b.mp3").read_bytes()
    (folder / "broken.mp3").write_bytes(whole[:700] + bytes(range(256)) * 40)
    (folder / "empty.mp3").write_bytes(b"")
    return folder


def test_what_libraries_print_goes_to_the_log_and_not_over_the_screen(tmp_path: Path) -> None:
    music = folder_with_a_broken_track(tmp_path / "music")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-P", "-c", PROGRAM, str(music)]
    subprocess.run(command, stderr=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    assert shown == "drawntold afterwards"
    (log,) = (tmp_path / "state").rglob("screen.log")
    assert "printed by a library" in log.read_text()


def test_a_broken_track_is_named_and_the_others_are_added(tmp_path: Path) -> None:
    music = folder_with_a_broken_track(tmp_path / "music")
    tracks, left_out = tracks_at(music)
    assert {"a.wav", "b.mp3"} <= {track.path.name for track in tracks}
    assert any("empty.mp3" in error.message for error in left_out)
    assert len(tracks) + len(left_out) == 4
