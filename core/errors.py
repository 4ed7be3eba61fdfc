"""The one family of errors a person meets: a message, what to do about it, an exit code.

A caller catches the kind that it can do something about (`DiskFull`, `Damaged`, …) or all of
them (`AffettiError`). The name of a class says what went wrong; its code is what a command that
ends with it exits with.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import ClassVar, Self

from affetti.core.language import known, text

__all__ = [
    "AffettiError",
    "ConsentRefused",
    "Damaged",
    "DataError",
    "DeviceError",
    "DiskFull",
    "ExitCode",
    "FileExists",
    "FileMissing",
    "MediaError",
    "Mismatch",
    "MissingPackage",
    "ModelError",
    "NewerFormat",
    "NotARecording",
    "OlderFormat",
    "PersonCodeError",
    "SettingsError",
    "Unsealed",
    "UsageError",
    "VaultClosed",
]


class ExitCode(IntEnum):
    """Exit codes of every `affetti` command; their numbers never change."""

    OK = 0
    WARNING = 1  # the command finished, but found something to look at
    USAGE = 2  # wrong options or arguments (click's own code)
    NOT_A_SESSION = 3  # not an HDF5 file, or a file of another program
    DAMAGED = 4  # an Affetti file that is truncated or altered
    NEWER_FORMAT = 5  # written by a later major version
    UNSEALED = 6  # parts that still wait to be recovered, or are being recorded
    FILE_EXISTS = 7  # writing would overwrite something
    FILE_MISSING = 8  # an input file does not exist or cannot be read
    DISK_FULL = 9
    DEVICE = 10  # a camera, microphone or speaker cannot be opened
    MEDIA = 11  # a track or video that cannot be decoded
    PERSON_CODE = 12
    CONSENT = 13  # what was asked for is not consented to
    MODEL = 14  # a model file is missing or is not the one in the manifest
    MISMATCH = 15  # a replay does not reproduce the live estimates
    SETTINGS = 16
    MISSING_PACKAGE = 17  # a system library or an optional extra is not installed
    DATA = 18  # training or evaluation data that cannot be read
    OLDER_FORMAT = 19  # written by an earlier major version
    VAULT_CLOSED = 20  # encrypted, and no vault that may read it is open
    INTERNAL = 70  # a defect of ours (EX_SOFTWARE)


class AffettiError(Exception):
    """An expected failure, told to a person in one message.

    Raised as itself only for what is a defect of ours.

    Parameters
    ----------
    id
        Of its sentences in the catalogue: `error.ID` says what went wrong, in one sentence that
        names the file or device; `error.ID.hint`, if there is one, what to do about it.
    values
        What the sentences name.

    Attributes
    ----------
    message, hint
        What went wrong, and what to do about it, in the language of the person.
    """

    code: ClassVar[ExitCode] = ExitCode.INTERNAL

    def __init__(self, id: str, /, **values: object) -> None:
        self.message = text(f"error.{id}", **values)
        hint = f"error.{id}.hint"
        self.hint = text(hint, **values) if known(hint) else ""
        super().__init__(self.message)

    @classmethod
    def told(cls, message: str, hint: str = "") -> Self:
        """Return an error whose words are known already, such as those of another process."""
        error = cls.__new__(cls, message)
        Exception.__init__(error, message)
        error.message, error.hint = message, hint
        return error

    def __reduce__(self) -> tuple[Callable[..., "AffettiError"], tuple[str, str]]:
        # Errors cross process borders; the default would rebuild from `args`.
        return type(self).told, (self.message, self.hint)


class UsageError(AffettiError):
    """Options, arguments or commands that make no sense, or not now."""

    code = ExitCode.USAGE


class NotARecording(AffettiError):
    """A file that is not HDF5, or is one of another program."""

    code = ExitCode.NOT_A_SESSION


class Damaged(AffettiError):
    """A file of ours that is truncated or altered."""

    code = ExitCode.DAMAGED


class NewerFormat(AffettiError):
    """A recording in a later major version of the format."""

    code = ExitCode.NEWER_FORMAT


class OlderFormat(AffettiError):
    """A recording in an earlier major version of the format."""

    code = ExitCode.OLDER_FORMAT


class Unsealed(AffettiError):
    """A recording whose parts wait to be recovered, or are being written."""

    code = ExitCode.UNSEALED


class FileExists(AffettiError):
    """Writing would overwrite something."""

    code = ExitCode.FILE_EXISTS


class FileMissing(AffettiError):
    """A file or folder that does not exist, or cannot be read or written."""

    code = ExitCode.FILE_MISSING


class DiskFull(AffettiError):
    """No space is left."""

    code = ExitCode.DISK_FULL


class DeviceError(AffettiError):
    """A camera, a microphone or a speaker that cannot be opened."""

    code = ExitCode.DEVICE


class MediaError(AffettiError):
    """A film, a track or a picture that cannot be decoded."""

    code = ExitCode.MEDIA


class PersonCodeError(AffettiError):
    """A person's code that is none, or that may be a name."""

    code = ExitCode.PERSON_CODE


class ConsentRefused(AffettiError):
    """What was asked for is not consented to."""

    code = ExitCode.CONSENT


class ModelError(AffettiError):
    """A model that is missing, or is not the one in the manifest."""

    code = ExitCode.MODEL


class Mismatch(AffettiError):
    """A replay that does not reproduce the live estimates."""

    code = ExitCode.MISMATCH


class SettingsError(AffettiError):
    """Settings that cannot be read."""

    code = ExitCode.SETTINGS


class MissingPackage(AffettiError):
    """A system library or an optional extra that is not installed."""

    code = ExitCode.MISSING_PACKAGE


class DataError(AffettiError):
    """Data for training or evaluation that cannot be read."""

    code = ExitCode.DATA


class VaultClosed(AffettiError):
    """Something encrypted that no vault which is open here may read."""

    code = ExitCode.VAULT_CLOSED


_KINDS: dict[int, type[AffettiError]] = {
    kind.code: kind
    for kind in (
        *(UsageError, NotARecording, Damaged, NewerFormat, OlderFormat, Unsealed),
        *(FileExists, FileMissing, DiskFull, DeviceError, MediaError, PersonCodeError),
        *(
            ConsentRefused,
            ModelError,
            Mismatch,
            SettingsError,
            MissingPackage,
            DataError,
            VaultClosed,
        ),
    )
}


def of_code(code: int) -> type[AffettiError]:
    """Return the kind of error with this exit code; AffettiError itself for any other code."""
    return _KINDS.get(code, AffettiError)
