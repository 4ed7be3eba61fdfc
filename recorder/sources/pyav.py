"""PyAV, which reads film files; like FFmpeg below it, it talks unless told not to."""

from typing import Any


def pyav() -> Any:
    """Return the module `av`, silenced: what fails is told by our own errors and events."""
    import av  # noqa: PLC0415  heavy, and not needed without a film

    av.logging.restore_default_callback()
    av.logging.set_libav_level(av.logging.PANIC)
    return av
