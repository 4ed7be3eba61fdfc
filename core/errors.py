"""The one family of errors a person meets: a message, what to do about it, an exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every `affetti` command; their numbers never change."""

    OK = 0
    WARNING = 1  # the command finished, but found something to look at
    USAGE = 2  # wrong options or arguments (click's own code)
    NOT_A_SESSION = 3  # not an HDF5 file, or a file of another program
    DAMAGED = 4  # an Affetti file that is truncated or altered
    NEWER_FORMAT = 5  # written by a later major version
    UNSEALED = 6  # segments that still wait to be recovered, or are being recorded
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
    INTERNAL = 70  # a defect of ours (EX_SOFTWARE)


class AffettiError(Exception):
    """An expected failure, told to a person in one message.

    Parameters
    ----------
    message
        What went wrong, one sentence, naming the file or device.
    hint
        What to do about it.
    code
        The exit code of a command that ends with this error.
    """

    def __init__(self, message: str, hint: str = "", code: ExitCode = ExitCode.INTERNAL) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code

    def __reduce__(self) -> tuple[type, tuple[str, str, ExitCode]]:
        # Errors cross process borders; the default would rebuild from `args` and lose the hint.
        return type(self), (self.message, self.hint, self.code)
