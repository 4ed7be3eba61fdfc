import pickle

import pytest

from affetti.core import errors
from affetti.core.errors import AffettiError, ExitCode, of_code

KINDS = [
    getattr(errors, name)
    for name in errors.__all__
    if name not in {"AffettiError", "ExitCode", "of_code"}
]
EXPECTED = [code for code in ExitCode if code not in {ExitCode.OK, ExitCode.WARNING}]


def test_every_exit_code_has_one_kind_of_error() -> None:
    assert sorted([AffettiError.code, *(kind.code for kind in KINDS)]) == sorted(EXPECTED)


def test_the_numbers_of_exit_codes_stay() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "WARNING": 1,
        "USAGE": 2,
        "NOT_A_SESSION": 3,
        "DAMAGED": 4,
        "NEWER_FORMAT": 5,
        "UNSEALED": 6,
        "FILE_EXISTS": 7,
        "FILE_MISSING": 8,
        "DISK_FULL": 9,
        "DEVICE": 10,
        "MEDIA": 11,
        "PERSON_CODE": 12,
        "CONSENT": 13,
        "MODEL": 14,
        "MISMATCH": 15,
        "SETTINGS": 16,
        "MISSING_PACKAGE": 17,
        "DATA": 18,
        "OLDER_FORMAT": 19,
        "VAULT_CLOSED": 20,
        "INTERNAL": 70,
    }


@pytest.mark.parametrize("kind", [*KINDS, AffettiError])
def test_an_error_crosses_a_process_border_whole(kind: type[AffettiError]) -> None:
    error = pickle.loads(pickle.dumps(kind.told("What went wrong.", "What to do.")))  # noqa: S301
    assert type(error) is kind
    assert (error.message, error.hint, str(error)) == (
        "What went wrong.",
        "What to do.",
        "What went wrong.",
    )


@pytest.mark.parametrize("kind", [*KINDS, AffettiError])
def test_a_code_that_came_through_the_pipe_is_its_kind_again(kind: type[AffettiError]) -> None:
    assert of_code(int(kind.code)) is kind


def test_a_code_that_is_not_known_is_a_defect() -> None:
    assert of_code(12345) is AffettiError
