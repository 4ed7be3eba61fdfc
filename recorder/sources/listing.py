"""Prints the sound devices that a PortAudio sees which has just begun: run by `soundcards`."""

import json
import sys
from typing import Final

MARK: Final = "devices:"  # of the line; libraries may print others


def main() -> None:
    """Print the devices, the names of PortAudio's interfaces and which devices are the default."""
    import sounddevice  # noqa: PLC0415  whoever only reads the line has begun it already

    found = {
        "devices": list(sounddevice.query_devices()),
        "apis": [api["name"] for api in sounddevice.query_hostapis()],
        "default": list(sounddevice.default.device),
    }
    sys.stdout.write(f"{MARK}{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
