"""Programs out of one that has everything loaded: each costs what it does, and no loading.

`python -m tests.campaign.warmed FD` waits on a socket, and for each message, the words of a command
and the environment that is added, becomes a process in a terminal of its own that runs them, or,
where the message brings what it reads and where it writes, one without a terminal. The
screen and its engine are two processes joined by a pipe, as ever; both are forked before either has
a thread. Models never become ready: as in the first seconds of any recording, nothing is estimated
yet, and nothing that is typed waits for them.
"""

import json
import multiprocessing
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import cache, partial
from typing import Any

from affetti.core.cli import main
from affetti.recorder.commands import record
from affetti.recorder.engine import engine as whole_engine
from affetti.recorder.engine import headless, live, process, recording
from affetti.recorder.tui import app, draft, link, session, view
from affetti.recorder.tui.screens import live as live_screen
from affetti.recorder.tui.screens import note, setup

LOADED = (whole_engine, headless, record, app, draft, link, session, view, live_screen, note, setup)
_MOST = 1 << 20
_ONE_AT_A_TIME = threading.Lock()


@cache
def _warmed() -> socket.socket:
    """Return the way to the one process that has everything loaded."""
    ours, theirs = socket.socketpair()
    subprocess.Popen(
        [sys.executable, "-m", "tests.campaign.warmed", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    return ours


def started(words: list[str], environment: dict[str, str]) -> tuple[int, int]:
    """Start `affetti` with some words in a terminal; return its process and its terminal."""
    way = _warmed()
    with _ONE_AT_A_TIME:
        way.sendall(json.dumps([words, environment]).encode())
        said, (master,), _, _ = socket.recv_fds(way, 64, 1)
    return int(said), master


class Process:
    """A process that another one started."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._watched = os.pidfd_open(pid)

    def ended(self, within_s: float = 0.0) -> bool:
        """Return whether it has ended, or does in time."""
        return bool(select.select([self._watched], [], [], within_s)[0])

    def tell_to_end(self) -> None:
        """Tell it to end as whoever closes a terminal does."""
        signal.pidfd_send_signal(self._watched, signal.SIGTERM)

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        signal.pidfd_send_signal(self._watched, signal.SIGKILL)
        assert self.ended(60)


def started_headless(
    words: list[str], environment: dict[str, str], reads: int, writes: int
) -> Process:
    """Start `affetti` with some words, a file to read from and one for what it says."""
    way = _warmed()
    with _ONE_AT_A_TIME:
        socket.send_fds(way, [json.dumps([words, environment]).encode()], [reads, writes])
        said, (watched,), _, _ = socket.recv_fds(way, 64, 1)
        os.close(watched)
    return Process(int(said))


def _start_headless(words: list[str], environment: dict[str, str], fds: list[int]) -> int:
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.update(environment)
        for fd, number in zip((*fds, fds[1]), (0, 2, 1), strict=True):
            os.dup2(fd, number)
        live.Readers.load = lambda self, modalities=(): None  # type: ignore[method-assign]
        if "slow_disk" in environment:
            _slow_down(float(environment["slow_disk"]))
        if "seal_ahead" in environment:
            recording.Ahead = partial(  # type: ignore[misc, assignment]
                recording.Ahead, begin_s=float(environment["seal_ahead"])
            )
        _be_affetti(words)
    return pid


def _slow_down(seconds: float) -> None:
    sync = os.fsync

    def slow(fd: int) -> None:
        time.sleep(seconds)
        sync(fd)

    os.fsync = slow  # type: ignore[assignment]


def _start(words: list[str], environment: dict[str, str]) -> tuple[int, int]:
    pid, master = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.update(environment)
        _run(words)
    return pid, master


def _run(words: list[str]) -> None:
    """Be `affetti` with a screen, and end."""
    begun = _engine(session_settings())
    process.start_engine = lambda settings: begun
    _be_affetti(words)


def _be_affetti(words: list[str]) -> None:
    sys.stdin = sys.__stdin__ = open(0)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w")  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w")  # type: ignore[misc]  # noqa: SIM115
    sys.argv = ["affetti", *words]
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        os._exit(code)


def session_settings() -> Any:
    """Return what the environment's settings say."""
    from affetti.core import settings

    return settings.load()


def _engine(settings: Any) -> process.EngineProcess:
    live.Readers.load = lambda self, modalities=(): None  # type: ignore[method-assign]
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()

    def serve() -> None:
        ours.close()
        process._serve(theirs, settings)

    made = context.Process(target=serve, name="affetti engine")
    made.start()
    theirs.close()
    return process.EngineProcess(ours, made)


def serve(way: socket.socket) -> None:
    """Start what is asked for, until nobody asks any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    while True:
        asked, fds, _, _ = socket.recv_fds(way, _MOST, 2)
        if not asked:
            return
        if fds:
            pid, given = _start_headless(*json.loads(asked), fds), fds
        else:
            pid, master = _start(*json.loads(asked))
            given = [master]
        socket.send_fds(way, [str(pid).encode()], given[:1])
        for fd in given:
            os.close(fd)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
