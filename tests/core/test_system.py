"""What an operating system has, where it has it."""

import subprocess
import sys

import pytest

from affetti.core import system

ASK = """
import ctypes, resource
from affetti.core.system import forbid_core_dumps
forbid_core_dumps()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_a_crash_leaves_no_memory_on_the_disk() -> None:
    pytest.importorskip("resource", reason="asks how large a core file may be")
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(0, 0) 0"


def test_a_program_is_not_waited_for_once_nobody_wants_its_answer() -> None:
    never = [sys.executable, "-c", "import time; time.sleep(600)"]
    assert system.answer(never, 600, given_up=lambda: True) is None
    assert system.answer(never, 0.2) is None
    long = [sys.executable, "-c", "print('x' * 1_000_000)"]
    assert len(system.answer(long, 60, given_up=lambda: False) or "") == 1_000_001
    assert system.answer([sys.executable, "-c", "print(7); raise SystemExit(3)"], 60) is None
    assert system.answer(["no-such-program"], 60) is None
