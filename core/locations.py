"""Every path the program uses outside the files that a person names."""

import os
from pathlib import Path

import platformdirs


def settings_file() -> Path:
    """Return where the settings are: `AFFETTI_SETTINGS`, or the platform's place for them."""
    named = os.environ.get("AFFETTI_SETTINGS")
    return Path(named) if named else platformdirs.user_config_path("affetti") / "settings.toml"


def sessions_folder() -> Path:
    """Return where recordings go unless the settings say otherwise."""
    return platformdirs.user_documents_path() / "Affetti"


def log_folder() -> Path:
    """Return where the program's own logs lie (`core.logbook`)."""
    return platformdirs.user_log_path("affetti")


def training_folder() -> Path:
    """Return where training keeps features and checkpoints."""
    return platformdirs.user_cache_path("affetti") / "training"
