"""Every path the program uses outside the files that a person names.

A service or a container may have no home, or one that cannot be written: then there are no
settings and no logs, recordings go where the program runs unless they are named, and caches go
to a folder for temporary files that nobody else may write.
"""

import os
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import platformdirs

_NO_HOME: Final = (RuntimeError, KeyError, OSError)


def settings_file() -> Path | None:
    """Return where the settings are: `AFFETTI_SETTINGS`, or the platform's place for them."""
    named = os.environ.get("AFFETTI_SETTINGS")
    if named:
        return Path(named)
    folder = _at_home(platformdirs.user_config_path)
    return folder and folder / "settings.toml"


def sessions_folder() -> Path:
    """Return where recordings go unless the settings say otherwise."""
    try:
        return platformdirs.user_documents_path().absolute() / "Affetti"
    except _NO_HOME:
        return Path.cwd() / "Affetti"


def log_folder() -> Path | None:
    """Return where the program's own logs lie (`core.logbook`)."""
    return _at_home(platformdirs.user_log_path)


def remembered_folder() -> Path | None:
    """Return where the screen keeps what it remembers of whoever uses it."""
    return _at_home(platformdirs.user_state_path)


def vaults_folder() -> Path | None:
    """Return where keys lie (`core.custody.vault`): `AFFETTI_VAULTS`, or the platform's place."""
    named = os.environ.get("AFFETTI_VAULTS")
    if named:
        return Path(named)
    folder = _at_home(platformdirs.user_data_path)
    return folder and folder / "vaults"


def data_folder() -> Path | None:
    """Return where what was measured of the user's devices lies."""
    return _at_home(platformdirs.user_data_path)


def training_folder() -> Path:
    """Return where training keeps features and checkpoints."""
    return cache_folder() / "training"


def cache_folder() -> Path:
    """Return a folder for what can be made again, which is there and can be written."""
    folder = _at_home(platformdirs.user_cache_path)
    if folder is not None and _is_ours(folder):
        return folder
    ours = Path(tempfile.gettempdir()) / f"affetti-{_user()}"
    # What lies there may be code: it must be a folder of our own, closed to everybody else.
    return ours if _is_ours(ours, closed=True) else Path(tempfile.mkdtemp(prefix="affetti-"))


def give_caches() -> None:
    """Name places for what libraries keep, numba's code say, where they would find none."""
    if _at_home(platformdirs.user_cache_path) is None:
        os.environ["XDG_CACHE_HOME"] = str(cache_folder())
    librosa = find_spec("librosa")
    beside = librosa is not None and os.access(os.path.dirname(librosa.origin or ""), os.W_OK)
    if beside or "NUMBA_CACHE_DIR" in os.environ:
        return
    folder = _at_home(platformdirs.user_cache_path, "numba")
    if folder is None or not _is_ours(folder):
        os.environ["NUMBA_CACHE_DIR"] = str(cache_folder() / "numba")


def _at_home(place: Callable[[str], Path], name: str = "affetti") -> Path | None:
    try:
        return place(name).absolute()
    except _NO_HOME:
        return None


def _is_ours(folder: Path, *, closed: bool = False) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    private = not closed or (found.st_mode & 0o077 == 0 and found.st_uid == _user())
    return private and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0
