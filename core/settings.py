"""Typed settings, read from a TOML file; none in the usual place means the defaults."""

import codecs
import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from affetti.core import locations
from affetti.core.choices import Chosen, bounded
from affetti.core.codes import Keep
from affetti.core.errors import AffettiError, SettingsError
from affetti.core.language import text
from affetti.core.paths import typed
from affetti.core.system import to_read
from affetti.core.toml import tables

MIB = 1 << 20
_MAX_BYTES = MIB  # of a file of settings


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


class Rule(Chosen, frozen=True, forbid_unknown_fields=True):
    """For how many days something of a recording is kept; 0: for ever.

    After that its estimates stay, and what was said and marked. `affetti retention` does it.
    """

    pictures_days: Annotated[int, bounded((0, 36_500))] = 0
    sound_days: Annotated[int, bounded((0, 36_500))] = 0  # of the room


class Retention(Rule, frozen=True, forbid_unknown_fields=True):
    """The rule for all, and those for single persons, by code, which replace it."""

    persons: dict[str, Rule] = msgspec.field(default_factory=dict)

    @property
    def says_something(self) -> bool:
        """Whether anything is ever due."""
        return any(rule.pictures_days or rule.sound_days for rule in (self, *self.persons.values()))

    def of(self, person: str) -> Rule:
        """Return the rule for a person's recordings."""
        return self.persons.get(person, self)


class ConsentSettings(Chosen, frozen=True, forbid_unknown_fields=True):
    """For how many days consent holds before it is asked for again; 0: until it is ended."""

    valid_days: Annotated[int, bounded((0, 36_500))] = 0


class SelfReportSettings(Chosen, frozen=True, forbid_unknown_fields=True):
    """What the person is asked on a screen of their own, and when by itself."""

    scales: tuple[str, ...] = ()  # rated from 0 to 10, in the therapist's words
    after_tracks: bool = False  # ask after each track; the music waits meanwhile


class ReportSettings(Chosen, frozen=True, forbid_unknown_fields=True):
    """The page of a session: whether it is written when one ends, as what, and on which paper."""

    at_end: bool = True
    form: Literal["html", "pdf", "txt"] = "pdf"
    paper: Literal["a4", "letter"] = "a4"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings. Names of devices are as `affetti devices` shows them."""

    sessions_folder: str = ""  # empty: the platform's documents folder
    language: str = ""  # of screens, reports and messages: "de", "en"; empty: the system's
    camera: str = "0"
    microphone: str = ""  # empty: the system's default
    speaker: str = ""
    video: VideoSettings = VideoSettings()
    log: LogSettings = LogSettings()
    vault: VaultSettings = VaultSettings()
    # Of what is recorded; "estimates": no picture and no sound of the room is ever on the disk.
    keep: Keep = "all"
    retention: Retention = Retention()
    self_report: SelfReportSettings = SelfReportSettings()
    report: ReportSettings = ReportSettings()
    consent: ConsentSettings = ConsentSettings()
    # Pipelines of one's own: models by role, and `zoo`, the folder that they lie in.
    pipelines: dict[str, dict[str, str]] = {}

    @property
    def folder(self) -> Path:
        """Where recordings go."""
        named = self.sessions_folder
        return typed(named) if named else locations.sessions_folder()


def _text(data: bytes) -> str:
    """Return what a file says that an editor saved as UTF-8, or as UTF-16 ("Unicode")."""
    utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if utf_16 else "utf-8-sig")


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
        with open(path, "rb", opener=to_read) as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise ValueError(text("toml.too_long"))
        settings = msgspec.convert(tables(_text(data)), Settings)
        named_folder = settings.sessions_folder
        if not settings.folder.is_absolute() and named_folder:  # another wherever a command runs
            raise SettingsError("settings.relative", folder=named_folder)
    except FileNotFoundError as error:
        if named:
            raise SettingsError("settings.named_missing", path=path) from error
        return Settings()
    except UnicodeDecodeError as error:
        raise SettingsError("settings.not_utf_8", path=path) from error
    except (OSError, ValueError, RecursionError, AffettiError) as error:
        why = str(error).rstrip(".")
        raise SettingsError("settings.settings_cannot_used", path=path, error=why) from error
    return settings
