"""Completes paths while they are typed."""

from pathlib import Path

from textual.suggester import Suggester

from affetti.core.paths import is_address


class PathSuggester(Suggester):
    """Suggests the first file or folder whose path begins as typed."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return a longer path, or None when nothing begins like that."""
        if not value or is_address(value):
            return None
        folder, _, begun = value.rpartition("/")
        try:
            names = sorted(
                entry.name + "/" * entry.is_dir()
                for entry in Path(f"{folder}/" if "/" in value else ".").expanduser().iterdir()
                if entry.name.startswith(begun) and (begun or not entry.name.startswith("."))
            )
        except (OSError, ValueError, RuntimeError):  # no folder, no path, nobody's home
            return None
        return f"{value.removesuffix(begun) if begun else value}{names[0]}" if names else None
