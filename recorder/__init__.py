"""The recorder: cameras, sound and tracks into an event log, with a screen beside it."""

from typing import TYPE_CHECKING

from affetti.lazy import names

if TYPE_CHECKING:
    from affetti.core.events import Consent
    from affetti.core.settings import Settings
    from affetti.recorder.doctor import Check, examine
    from affetti.recorder.engine.headless import Headless, record
    from affetti.recorder.engine.messages import Plan
    from affetti.recorder.sources.devices import cameras, microphones, speakers

__all__ = [
    "Check",
    "Consent",
    "Headless",
    "Plan",
    "Settings",
    "cameras",
    "examine",
    "microphones",
    "record",
    "speakers",
]

_HOMES = {
    "core.events": ("Consent",),
    "core.settings": ("Settings",),
    "recorder.doctor": ("Check", "examine"),
    "recorder.engine.headless": ("Headless", "record"),
    "recorder.engine.messages": ("Plan",),
    "recorder.sources.devices": ("cameras", "microphones", "speakers"),
}

__getattr__ = names(
    __name__,
    {name: f"affetti.{home}:{name}" for home, offers in _HOMES.items() for name in offers},
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
