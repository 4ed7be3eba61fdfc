"""What Affetti raises: `AffettiError` and its kinds, each with the exit code of a command."""

from affetti.core.errors import *  # noqa: F403
from affetti.core.errors import __all__  # noqa: F401
