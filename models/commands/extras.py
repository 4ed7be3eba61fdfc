"""What evaluation and training need beyond an installation, and what is said without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from affetti.core.errors import MissingPackage

_PACKAGES: Final = frozenset({"PIL", "onnx", "skl2onnx", "torch"})
_CHECKOUT: Final = "affetti.models.training"


@contextmanager
def training_extra() -> Iterator[None]:
    """Turn the lack of what only training needs into a message.

    Raises
    ------
    MissingPackage
        The code of training is not in the wheel, or a package of the extra is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = error.name or ""
        if name.startswith(_CHECKOUT):
            raise MissingPackage("extras.training_wants_checkout_affetti") from error
        package = name.partition(".")[0]
        if package not in _PACKAGES:
            raise
        raise MissingPackage("extras.package_not_installed", package=package) from error
