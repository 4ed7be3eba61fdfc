"""What nobody asked for is not done: no network is spoken to, and no library leaves files."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.recorder.films import moving_film, tone

STRACE = shutil.which("strace")
READ_MUSIC = "from affetti.models.sound.music import MusicReader; MusicReader()"
NETWORK = re.compile(r"AF_INET|/nscd/")  # the internet, or a question after somebody's address

# Python tells a hook what it does with sockets; libraries underneath are for the tracer to see.
HOOK = """
import sys

def tell(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        print("PYTHON SPOKE", event, arguments, file=sys.stderr)

sys.addaudithook(tell)
"""


@dataclass
class Traced:
    """What a session that was recorded, analyzed and reported did beside that."""

    home: Path
    said: str  # on standard error
    calls: list[str]  # of the system; none where there is no tracer


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a user whose home is new, and who asked for nothing."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "ORT_"))}
    return {**kept, "HOME": str(home), **more}


def left_by_onnxruntime(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if re.search("onnxruntime|Microsoft", str(path))]


def trace(folder: Path, *commands: list[object]) -> Traced:
    """Run commands one after the other, each under the tracer, for a user who is new here."""
    home, hook, log = folder / "home", folder / "hook", folder / "trace"
    home.mkdir()
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK)
    path = os.pathsep.join(filter(None, [str(hook), os.environ.get("PYTHONPATH", "")]))
    settings = folder / "settings.toml"
    settings.write_text(f'sessions_folder = "{folder}"\n[report]\nat_end = false\n')
    user = environment(home, PYTHONPATH=path, AFFETTI_SETTINGS=str(settings))
    tracer = [STRACE, "-f", "-qq", "-A", "-o", log, "-e", "trace=socket,connect,sendto"]
    said = ""
    for command in commands:
        line = [*(tracer if STRACE else []), sys.executable, "-m", "affetti", *command]
        done = subprocess.run(line, env=user, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said += done.stderr
    return Traced(home, said, log.read_text().splitlines() if STRACE else [])


WHOLE = pytest.param("record, analyze, report", marks=pytest.mark.campaign)


@pytest.fixture(scope="module", params=["record", WHOLE])
def traced(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Traced:
    folder = tmp_path_factory.mktemp("traced")
    target = folder / "out.h5"
    record = ["record", "--headless", "--output", target]
    if request.param == "record":
        return trace(folder, [*record, "--camera", moving_film(folder / "film.avi", seconds=1)])
    film, sound = moving_film(folder / "film.avi", 3.5), tone(folder / "sound.wav", 3.5)
    sources = ["--camera", film, "--microphone", sound, "--play", sound, "--no-speaker"]
    return trace(folder, [*record, *sources], ["analyze", target], ["report", target])


@pytest.mark.campaign
def test_python_speaks_to_no_network_in_a_session(traced: Traced) -> None:
    assert "PYTHON SPOKE" not in traced.said


@pytest.mark.campaign
@pytest.mark.skipif(STRACE is None, reason="needs the Debian package strace")
def test_no_library_opens_a_socket_to_a_network(traced: Traced) -> None:
    assert [call for call in traced.calls if NETWORK.search(call)] == []


@pytest.mark.campaign
def test_a_session_leaves_nothing_of_the_runtime(traced: Traced) -> None:
    assert left_by_onnxruntime(traced.home) == []


BESIDE = ("import affetti.core.recording.session; ", "import affetti.models, skl2onnx; ")


@pytest.mark.campaign
@pytest.mark.parametrize(
    "before", ["", *(pytest.param(each, marks=pytest.mark.campaign) for each in BESIDE)]
)
def test_a_notebook_leaves_nothing_of_the_runtime(tmp_path: Path, before: str) -> None:
    subprocess.run(
        [sys.executable, "-c", before + READ_MUSIC], env=environment(tmp_path), check=True
    )
    assert left_by_onnxruntime(tmp_path) == []


@pytest.mark.campaign
def test_an_environment_that_asks_for_telemetry_is_overruled(tmp_path: Path) -> None:
    asked = environment(tmp_path, ORT_DISABLE_TELEMETRY="0")
    subprocess.run([sys.executable, "-c", READ_MUSIC], env=asked, check=True)
    assert left_by_onnxruntime(tmp_path) == []
