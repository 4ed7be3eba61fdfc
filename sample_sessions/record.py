"""Record the bundled session: `python -m affetti.sample_sessions.record VIDEO`.

It is made with the product itself. VIDEO is the clip that README.md names, shown three times,
once under each piece of music, so that the same face meets three kinds of it. Every second frame,
cut to the person and made smaller, keeps the recording small enough to be bundled.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2

HERE = Path(__file__).parent
TARGET = HERE / "sample.h5"
TRACKS = ("sadness", "happiness", "relaxation")
# When the person cries and laughs, in seconds of the clip.
MARKERS = ((3.0, "hides her face"), (12.0, "begins to laugh"))
CROP = slice(160, 640)  # columns of the 640 x 360 picture
SIZE = (360, 270)
SETTINGS = "[video]\njpeg_quality = 75\n"


def film(video: Path, out: Path) -> float:
    """Write the film that the recorder will be shown; return the length of the clip in s."""
    source = cv2.VideoCapture(str(video))
    per_s = source.get(cv2.CAP_PROP_FPS) / 2
    pictures = []
    while True:
        there, picture = source.read()
        if not there:
            break
        pictures.append(picture)
    if not pictures:
        sys.exit(f"{video} shows no pictures. Name the clip that README.md speaks of.")
    writer = cv2.VideoWriter(str(out), cv2.VideoWriter.fourcc(*"MJPG"), per_s, SIZE)
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 98)
    for picture in pictures[::2] * len(TRACKS):
        writer.write(cv2.resize(picture[:, CROP], SIZE, interpolation=cv2.INTER_AREA))
    writer.release()
    return len(pictures[::2]) / per_s


def main() -> None:
    """Make the film, record it, and mark what can be seen."""
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m affetti.sample_sessions.record VIDEO")
    if TARGET.exists():
        sys.exit(f"{TARGET} exists already; remove it first.")
    with tempfile.TemporaryDirectory() as folder:
        settings, show = Path(folder) / "settings.toml", Path(folder) / "clip.avi"
        settings.write_text(SETTINGS)
        clip_s = film(Path(sys.argv[1]), show)
        record(show, settings, clip_s)
    sys.stdout.write(f"{TARGET}: {TARGET.stat().st_size / 1e6:.1f} MB\n")


def record(show: Path, settings: Path, clip_s: float) -> None:
    """Run `affetti record` on the film and the music, and type the markers at their time."""
    command = [sys.executable, "-P", "-m", "affetti", "record"]
    command += ["--headless", "--no-page", "--no-speaker"]
    command += ["--markers-from-stdin", "--person", "sample", "--consent", "video"]
    command += ["--camera", str(show), "--output", str(TARGET)]
    for name in TRACKS:
        command += ["--play", str(HERE / "music" / f"{name}.ogg")]
    environment = {**os.environ, "AFFETTI_SETTINGS": str(settings)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=environment)
    while not TARGET.with_name("sample.part001.h5").exists():
        time.sleep(0.01)
    began = time.monotonic()
    for i in range(len(TRACKS)):
        for at_s, label in MARKERS:
            time.sleep(max(0.0, began + i * clip_s + at_s - time.monotonic()))
            print(label, file=process.stdin, flush=True)
    if process.wait():
        sys.exit("The recording failed.")


if __name__ == "__main__":
    main()
