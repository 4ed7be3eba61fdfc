"""onnxruntime, which runs the models, and which reports on its use unless told not to."""

from typing import Any


def onnxruntime() -> Any:
    """Return the module `onnxruntime`, with its telemetry off; nothing else imports it.

    The package `models` has set the environment by now. Whoever imported onnxruntime before
    has let it write its files already; no more than its later reports can then be stopped.
    """
    import onnxruntime  # noqa: PLC0415  heavy, and not every command runs a model

    if hasattr(onnxruntime, "disable_telemetry_events"):
        onnxruntime.disable_telemetry_events()
    return onnxruntime
