"""Typed settings, read from a TOML file; none in the usual place means the defaults."""

import codecs
import os
from pathlib import Path
from typing import Annotated

import msgspec

from affetti.core import locations
from affetti.core.choices import Chosen, bounded
from affetti.core.errors import AffettiError, SettingsError
from affetti.core.paths import typed

MIB = 1 << 20


class VideoSettings(Chosen, frozen=True, forbid_unknown_fields=True):
    """How the camera is read and its frames are kept."""

    width_px: Annotated[int, bounded((160, 7680))] = 640
    height_px: Annotated[int, bounded((120, 4320))] = 480
    frames_per_s: Annotated[int, bounded((1, 240))] = 30
    jpeg_quality: Annotated[int, bounded((50, 100))] = 90


class LogSettings(Chosen, frozen=True, forbid_unknown_fields=True):
    """How the live log is kept."""

    part_s: Annotated[int, bounded((5, 3600))] = 300
    part_mib: Annotated[int, bounded((8, 4096))] = 512
    sync_s: Annotated[float, bounded((0.05, 1.0))] = 0.5


class VaultSettings(Chosen, frozen=True, forbid_unknown_fields=True):
    """Whether recordings are encrypted, for whom, and what their files are called."""

    name: str = ""  # of a vault of this computer; empty: they are not, if nobody is named either
    recipients: tuple[str, ...] = ()  # public keys, as `affetti vault list` shows them
    coded_names: bool = True  # names of encrypted recordings that say nothing


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings. Names of devices are as `affetti devices` shows them."""

    sessions_folder: str = ""  # empty: the platform's documents folder
    camera: str = "0"
    microphone: str = ""  # empty: the system's default
    speaker: str = ""
    video: VideoSettings = VideoSettings()
    log: LogSettings = LogSettings()
    vault: VaultSettings = VaultSettings()
    # Pipelines of one's own: models by role, and `zoo`, the folder that they lie in.
    pipelines: dict[str, dict[str, str]] = {}

    @property
    def folder(self) -> Path:
        """Where recordings go."""
        named = self.sessions_folder
        return typed(named) if named else locations.sessions_folder()


def load(path: Path | None = None) -> Settings:
    """Read the settings.

    Parameters
    ----------
    path
        The file; without it, the one that `core.locations` names.

    Raises
    ------
    AffettiError
        The file cannot be read, or names a setting or a value that does not exist.
    """
    named = path is None and bool(os.environ.get("AFFETTI_SETTINGS"))
    path = path or locations.settings_file()
    if path is None:
        return Settings()
    try:
        said = path.read_bytes().removeprefix(codecs.BOM_UTF8)
        settings = msgspec.toml.decode(said, type=Settings)
        _ = settings.folder  # which may be nobody's
    except FileNotFoundError as error:
        if named:
            raise SettingsError("settings.named_missing", path=path) from error
        return Settings()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, AffettiError) as error:
        why = str(error).rstrip(".")
        raise SettingsError("settings.settings_cannot_used", path=path, error=why) from error
    return settings
