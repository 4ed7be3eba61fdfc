"""What the person agreed to, as it is named on a command line."""

from typing import Any, Final

# Scopes of consent beside those to video and audio; `core.events` has them all.
_FURTHER: Final = ("room", "signals", "identity", "pictures_in_reports", "research")
_MEANS: Final = {"both": ("video", "room"), "audio": ("room",), "none": ()}
NAMES: Final = ("both", "video", "audio", "none", *_FURTHER)


def consent_named(names: tuple[str, ...], since: str) -> Any:
    """Return the consent to what was named, given on a date; "" where that is not known."""
    from affetti.core.events import consent_to

    return consent_to(*(s for name in names for s in _MEANS.get(name, (name,))), since=since)
