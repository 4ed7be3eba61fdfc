from pathlib import Path

import msgspec

from affetti.core import environment as module
from affetti.core.environment import LIBRARIES, contrast, environment
from affetti.core.events import Environment


def test_this_machine_is_described_without_a_path() -> None:
    here = environment()
    assert here.processor
    assert here.instruction_sets
    assert set(here.libraries) <= set(LIBRARIES)
    assert here.libraries["numpy"]
    assert str(Path.home()) not in msgspec.json.encode(here).decode()


def test_a_machine_that_tells_nothing_is_no_error(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_CPUINFO", tmp_path / "absent")
    monkeypatch.setattr(module, "_numpy_features", dict)
    described = environment.__wrapped__()
    assert described.instruction_sets == ()


def test_the_same_machine_has_no_contrast() -> None:
    assert contrast(environment(), environment()) == ""


def test_what_differs_is_named() -> None:
    old = Environment("A", ("SSE", "AVX512F"), "Linux", "3.11", {"numpy": "1.26"})
    new = Environment("B", ("SSE", "AVX2"), "Linux", "3.11", {"numpy": "2.1"})
    told = contrast(old, new)
    assert told.startswith("recorded on another processor: A with AVX512F, here B with AVX2")
    assert told.endswith("recorded with numpy 1.26 (here 2.1)")


def test_a_recording_that_does_not_say_is_said_not_to() -> None:
    assert "does not say" in contrast(Environment(), environment())
