"""What a recording or an analysis was made on: processor, system, Python, libraries.

Kernels of numerical libraries are chosen by the processor's instruction sets, and differ in the
last digits. Whoever compares figures of two machines needs to know both.
"""

import platform
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from affetti.core.events import Environment
from affetti.core.language import text

# Whose versions figures may depend on: the name people know, and the distributions that bring it.
LIBRARIES: Final[dict[str, tuple[str, ...]]] = {
    "numpy": ("numpy",),
    "onnxruntime": ("onnxruntime",),
    "OpenCV": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "librosa": ("librosa",),
    "soxr": ("soxr",),
    "PyAV": ("av",),
    "h5py": ("h5py",),
}
_CPUINFO: Final = Path("/proc/cpuinfo")
_MODEL_LINES: Final = ("model name", "cpu model", "Model", "Hardware")  # x86, MIPS, ARM


@cache
def environment() -> Environment:
    """Return what this process runs on; what cannot be found out is left empty."""
    return Environment(
        processor=_processor(),
        instruction_sets=_instruction_sets(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}".strip(),
        python=platform.python_version(),
        libraries={name: found for name, these in LIBRARIES.items() if (found := _version(these))},
    )


def contrast(recorded: Environment, here: Environment) -> str:
    """Return in words in what the machine of a recording differs from this one; "" if in nothing.

    What explains most comes first: the processor, then the libraries, then the system.
    """
    if not recorded.processor and not recorded.instruction_sets:
        return text("environment.unknown")
    told = [_processors(recorded, here), _libraries(recorded, here)]
    if found := "; ".join(filter(None, told)):
        return found
    others = (recorded.system, here.system), (recorded.python, here.python)
    return "; ".join(
        text("environment.other", was=was, now=now) for was, now in others if was != now
    )


def _processors(recorded: Environment, here: Environment) -> str:
    was, now = set(recorded.instruction_sets), set(here.instruction_sets)
    if recorded.processor == here.processor and was == now:
        return ""
    return text(
        "environment.processors",
        was=_named(recorded.processor, was - now),
        now=_named(here.processor, now - was),
    )


def _named(processor: str, sets: set[str]) -> str:
    """Return the name of a processor with the instruction sets that it has alone."""
    name = processor or text("environment.nameless")
    if not sets:
        return name
    return text("environment.with", name=name, sets=" ".join(sorted(sets)))


def _libraries(recorded: Environment, here: Environment) -> str:
    names = [name for name in LIBRARIES if recorded.libraries.get(name) != here.libraries.get(name)]
    none = text("environment.none")
    told = (
        text(
            "environment.library",
            name=name,
            was=recorded.libraries.get(name, none),
            now=here.libraries.get(name, none),
        )
        for name in names
    )
    return text("environment.libraries", libraries=", ".join(told)) if names else ""


def _processor() -> str:
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    pairs = [line.partition(":") for line in lines]
    told = {name.strip(): said.strip() for name, _, said in pairs}
    named = next((told[name] for name in _MODEL_LINES if told.get(name)), "")
    return " ".join((named or platform.processor() or platform.machine()).split())


def _instruction_sets() -> tuple[str, ...]:
    """Return those that numpy found the processor to have, in its order."""
    features = _numpy_features()
    return tuple(name for name, there in features.items() if there)


def _numpy_features() -> dict[str, bool]:
    for package in ("numpy._core", "numpy.core"):  # the latter before numpy 2
        try:
            module = import_module(f"{package}._multiarray_umath")
        except ImportError:
            continue
        found = getattr(module, "__cpu_features__", None)
        return dict(found) if isinstance(found, dict) else {}
    return {}


def _version(distributions: tuple[str, ...]) -> str:
    for name in distributions:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return ""
