"""Which packages a wheel holds: every room of the house, found, never listed by hand.

The rooms stay folders of their own at the top level and are imported as `affetti.ROOM`.
`package-dir` in `pyproject.toml` says so to setuptools, whose own `find` sees only `affetti`.
"""

from pathlib import Path

from setuptools import find_packages, setup

ROOMS = ("core", "models", "recorder", "analyzer")
CHECKOUT_ONLY = ("training", "training.*")  # what only `affetti models train` needs

HERE = Path(__file__).parent


def packages() -> list[str]:
    """Return the import names of all packages of the wheel."""
    found = ["affetti", "affetti.sample_sessions"]
    for room in ROOMS:
        found.append(f"affetti.{room}")
        inside = find_packages(str(HERE / room), exclude=CHECKOUT_ONLY)
        found += [f"affetti.{room}.{name}" for name in inside]
    return found


setup(packages=packages())
