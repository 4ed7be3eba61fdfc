"""Whether this machine is ready to record: one function a check, none of which changes anything."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from affetti.core import locations
from affetti.core.errors import AffettiError
from affetti.core.recording.names import unsealed_in
from affetti.core.settings import Settings, VideoSettings
from affetti.models.manifest import manifest, verified_bytes
from affetti.recorder.sources import devices
from affetti.recorder.sources.portaudio import portaudio

Status: TypeAlias = Literal["ok", "warning", "error"]

_MIN_TERMINAL: Final = (80, 24)
_SHORT_H: Final = 2.0  # less recording time than this deserves a word
_JPEG_BYTES_PER_PX: Final = 0.2  # quality 90, on the large side
_AUDIO_BYTES_PER_S: Final = 2 * 44_100 * 2 * 2  # room and playback in stereo


class Check(msgspec.Struct, frozen=True):
    """What a check found."""

    name: str
    status: Status
    message: str
    hint: str = ""


def portaudio_library(settings: Settings) -> Check:
    """Whether sound cards can be used at all."""
    try:
        portaudio()
    except AffettiError as error:
        return Check("PortAudio", "warning", error.message, error.hint)
    return Check("PortAudio", "ok", "The library for sound cards is installed.")


def cameras(settings: Settings) -> Check:
    """Whether a camera is connected, and the one of the settings among them."""
    found = devices.cameras()
    if not found:
        hint = "Connect one, or record from a video file or a network camera."
        return Check("Cameras", "warning", "No camera is connected.", hint)
    message = f"Connected: {', '.join(found)}."
    if settings.camera.isdecimal() and settings.camera not in found:
        hint = f"The settings name camera {settings.camera}; choose another or connect it."
        return Check("Cameras", "warning", message, hint)
    return Check("Cameras", "ok", message)


def microphones(settings: Settings) -> Check:
    """Whether a microphone is connected, and the one of the settings among them."""
    return _sound_devices("Microphones", devices.microphones(), settings.microphone)


def speakers(settings: Settings) -> Check:
    """Whether a speaker is connected, and the one of the settings among them."""
    return _sound_devices("Speakers", devices.speakers(), settings.speaker)


def terminal(settings: Settings) -> Check:
    """Whether the screen has room and colours."""
    if not sys.stderr.isatty():
        hint = "`affetti record` without --headless needs one."
        return Check("Terminal", "warning", "This is not a terminal.", hint)
    columns, lines = os.get_terminal_size(sys.stderr.fileno())
    size = f"{columns} x {lines}"
    if columns < _MIN_TERMINAL[0] or lines < _MIN_TERMINAL[1]:
        return Check(
            "Terminal", "warning", f"It has {size} characters.", "Enlarge it to 80 x 24 or more."
        )
    if "NO_COLOR" in os.environ or os.environ.get("TERM", "dumb") == "dumb":
        hint = "Everything is readable without; set TERM and unset NO_COLOR to have them."
        return Check("Terminal", "ok", f"{size} characters, no colours.", hint)
    return Check("Terminal", "ok", f"{size} characters, in colour.")


def sessions_folder(settings: Settings) -> Check:
    """Whether recordings can be written, and how much of them."""
    folder = settings.folder
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Check(
            "Sessions folder",
            "error",
            f"Nothing can be written to {folder}.",
            "Change its permissions, or name another as `sessions_folder` in the settings.",
        )
    hours = recording_time_s(existing, settings.video) / 3600
    message = f"{folder} has room for about {hours:.1f} hours of recording."
    if hours < _SHORT_H:
        return Check("Sessions folder", "warning", message, "Free some space first.")
    return Check("Sessions folder", "ok", message)


def unsealed_recordings(settings: Settings) -> Check:
    """Whether recordings that ended in a crash wait to be recovered."""
    waiting = unsealed_in(settings.folder) if settings.folder.is_dir() else []
    if waiting:
        names = ", ".join(path.name for path in waiting)
        return Check(
            "Unsealed recordings",
            "warning",
            f"Still in parts: {names}.",
            f"Unless one is being recorded now, run `affetti recover {settings.folder}`.",
        )
    return Check("Unsealed recordings", "ok", "None.")


def models(settings: Settings) -> Check:
    """Whether every model is the one that this version came with."""
    try:
        for name in manifest():
            verified_bytes(name)
    except AffettiError as error:
        return Check("Models", "error", error.message, error.hint)
    return Check("Models", "ok", f"All {len(manifest())} files are what the manifest says.")


def compiled_features(settings: Settings) -> Check:
    """Whether the music features are compiled already, which takes half a minute once."""
    if any(any(folder.rglob("*.nbi")) for folder in _numba_caches()):
        return Check("Music features", "ok", "They are compiled.")
    return Check(
        "Music features",
        "warning",
        "They are not compiled yet; the first music estimate will take half a minute.",
        "Run `affetti demo` once.",
    )


def log_files(settings: Settings) -> Check:
    """Where the program's own logs lie."""
    return Check(
        "Log",
        "ok",
        f"What goes wrong inside is noted in {locations.log_folder()}, without any words of or "
        "about a person.",
    )


CHECKS: Final[tuple[Callable[[Settings], Check], ...]] = (
    portaudio_library,
    cameras,
    microphones,
    speakers,
    terminal,
    sessions_folder,
    unsealed_recordings,
    models,
    compiled_features,
    log_files,
)


def examine(settings: Settings) -> Iterator[Check]:
    """Yield what every check finds, one after another."""
    for check in CHECKS:
        yield check(settings)


def recording_time_s(folder: Path, video: VideoSettings) -> float:
    """Return for how many seconds of recording a folder's disk has room, by a careful estimate.

    Sealing needs as much room again as the recording.
    """
    picture = video.width_px * video.height_px * video.frames_per_s * _JPEG_BYTES_PER_PX
    return shutil.disk_usage(folder).free / (2 * (picture + _AUDIO_BYTES_PER_S))


def _sound_devices(name: str, found: tuple[str, ...], chosen: str) -> Check:
    if not found:
        hint = "Connect one, or use audio files and `--no-speaker`."
        return Check(name, "warning", "None is connected.", hint)
    message = f"Connected: {', '.join(found)}."
    if chosen and not any(chosen.casefold() in other.casefold() for other in found):
        hint = f"The settings name {chosen!r}; choose another or connect it."
        return Check(name, "warning", message, hint)
    return Check(name, "ok", message)


def _numba_caches() -> list[Path]:
    """Return where numba keeps what it compiled for librosa."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    librosa = importlib.util.find_spec("librosa")
    folders = [Path(named)] if named else []
    if librosa is not None and librosa.origin is not None:
        folders.append(Path(librosa.origin).parent)
    return folders
