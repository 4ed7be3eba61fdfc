"""Whether this machine is ready to record: one function a check, none of which changes anything."""

import math
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from affetti.core import locations
from affetti.core.custody import vault
from affetti.core.errors import AffettiError
from affetti.core.language import text
from affetti.core.recording.names import unsealed_in
from affetti.core.settings import Settings, VideoSettings
from affetti.core.system import free_bytes
from affetti.core.terminal import is_terminal
from affetti.models.manifest import manifest, verified_bytes
from affetti.recorder.sources import devices
from affetti.recorder.sources.soundcards import portaudio

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
        return Check(text("doctor.portaudio"), "warning", error.message, error.hint)
    return Check(text("doctor.portaudio"), "ok", text("doctor.portaudio_installed"))


def cameras(settings: Settings) -> Check:
    """Whether a camera is connected, and the one of the settings among them."""
    found = devices.cameras()
    if not found:
        hint = text("doctor.connect_a_camera")
        return Check(text("doctor.cameras"), "warning", text("doctor.no_camera"), hint)
    message = text("doctor.connected", found=", ".join(found))
    if settings.camera.isdecimal() and settings.camera not in found:
        hint = text("doctor.settings_name_camera", camera=settings.camera)
        return Check(text("doctor.cameras"), "warning", message, hint)
    return Check(text("doctor.cameras"), "ok", message)


def microphones(settings: Settings) -> Check:
    """Whether a microphone is connected, and the one of the settings among them."""
    return _sound_devices(text("doctor.microphones"), devices.microphones(), settings.microphone)


def speakers(settings: Settings) -> Check:
    """Whether a speaker is connected, and the one of the settings among them."""
    return _sound_devices(text("doctor.speakers"), devices.speakers(), settings.speaker)


def terminal(settings: Settings) -> Check:
    """Whether the screen has room and colours."""
    if not is_terminal(sys.stderr):
        hint = text("doctor.needs_terminal")
        return Check(text("doctor.terminal"), "warning", text("doctor.no_terminal"), hint)
    columns, lines = os.get_terminal_size(sys.stderr.fileno())
    size = f"{columns} x {lines}"
    if columns < _MIN_TERMINAL[0] or lines < _MIN_TERMINAL[1]:
        return Check(
            text("doctor.terminal"),
            "warning",
            text("doctor.small_terminal", size=size),
            text("doctor.enlarge"),
        )
    if "NO_COLOR" in os.environ or os.environ.get("TERM", "dumb") == "dumb":
        hint = text("doctor.readable_without")
        return Check(text("doctor.terminal"), "ok", text("doctor.no_colours", size=size), hint)
    return Check(text("doctor.terminal"), "ok", text("doctor.in_colour", size=size))


def sessions_folder(settings: Settings) -> Check:
    """Whether recordings can be written, and how much of them."""
    folder = settings.folder
    existing = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    if not _can_be_written(folder):
        return Check(
            text("doctor.folder"),
            "error",
            text("doctor.unwritable", folder=folder),
            text("doctor.change_permissions"),
        )
    hours = recording_time_s(existing, settings.video) / 3600
    if math.isinf(hours):
        return Check(text("doctor.folder"), "ok", text("doctor.room_unknown", folder=folder))
    message = text("doctor.room", folder=folder, hours=hours)
    if hours < _SHORT_H:
        return Check(text("doctor.folder"), "warning", message, text("doctor.free_space"))
    return Check(text("doctor.folder"), "ok", message)


def unsealed_recordings(settings: Settings) -> Check:
    """Whether recordings that ended in a crash wait to be recovered."""
    waiting = unsealed_in(settings.folder) if os.path.isdir(settings.folder) else []
    if waiting:
        names = ", ".join(path.name for path in waiting)
        return Check(
            text("doctor.unsealed"),
            "warning",
            text("doctor.in_parts", names=names),
            text("doctor.recover", folder=settings.folder),
        )
    return Check(text("doctor.unsealed"), "ok", text("doctor.none_unsealed"))


def encryption(settings: Settings) -> Check:
    """Whether recordings are encrypted, and those for whom they are can be found."""
    try:
        recipients = vault.recipients(settings)
    except AffettiError as error:
        return Check(text("doctor.encryption"), "error", error.message, error.hint)
    told = text("doctor.encryption_told", words=vault.words(recipients))
    return Check(text("doctor.encryption"), "ok", told)


def models(settings: Settings) -> Check:
    """Whether every model is the one that this version came with."""
    try:
        for name in manifest():
            verified_bytes(name)
    except AffettiError as error:
        return Check(text("doctor.models"), "error", error.message, error.hint)
    return Check(text("doctor.models"), "ok", text("doctor.models_whole", files=len(manifest())))


def log_files(settings: Settings) -> Check:
    """Where the program's own logs lie, if anywhere."""
    folder = locations.log_folder()
    if folder is None or not _can_be_written(folder):
        return Check(text("doctor.log"), "warning", text("doctor.no_log"), text("doctor.log_home"))
    return Check(text("doctor.log"), "ok", text("doctor.log_folder", log_folder=folder))


def _can_be_written(folder: Path) -> bool:
    """Whether a folder can be written, or made."""
    existing = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


CHECKS: Final[tuple[Callable[[Settings], Check], ...]] = (
    portaudio_library,
    cameras,
    microphones,
    speakers,
    terminal,
    sessions_folder,
    unsealed_recordings,
    encryption,
    models,
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
    free = free_bytes(folder)
    return math.inf if free is None else free / (2 * (picture + _AUDIO_BYTES_PER_S))


def _sound_devices(name: str, found: tuple[str, ...], chosen: str) -> Check:
    if not found:
        hint = text("doctor.connect_sound")
        return Check(name, "warning", text("doctor.none_connected"), hint)
    message = text("doctor.connected", found=", ".join(found))
    if chosen and not any(chosen.casefold() in other.casefold() for other in found):
        hint = text("doctor.settings_name", chosen=chosen)
        return Check(name, "warning", message, hint)
    return Check(name, "ok", message)
