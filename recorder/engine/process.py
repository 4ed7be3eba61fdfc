"""The engine's process, as its screen sees it: started without loading what it is made of."""

import multiprocessing
import os
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from affetti.core import logbook, system
from affetti.core.settings import Settings


@dataclass
class EngineProcess:
    """The engine in its own process, as its screen sees it."""

    pipe: Connection
    process: BaseProcess

    def close(self) -> None:
        """Close the pipe; the engine then seals what it records, and goes."""
        self.pipe.close()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the engine to go; False when it has not in time."""
        self.process.join(timeout_s)
        return not self.process.is_alive()


def start_engine(settings: Settings) -> EngineProcess:
    """Start the engine in a new process.

    The process is spawned, not forked: it shares nothing with the screen but the pipe.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, settings), name="affetti engine")
    process.start()
    theirs.close()
    return EngineProcess(ours, process)


def _serve(pipe: Connection, settings: Settings) -> None:
    """Be an engine at the end of a pipe."""
    _detach()
    from affetti.recorder.engine.engine import serve  # noqa: PLC0415  in its process alone

    serve(pipe, settings)
    if any(
        not each.daemon for each in threading.enumerate() if each is not threading.main_thread()
    ):
        # All is sealed and said; models that still load are waited for by nobody, and to end in
        # the usual way amid their native code would be an abort.
        os._exit(0)


def _detach() -> None:
    """Leave the terminal to the screen: its signals, and its picture."""
    system.forbid_core_dumps()
    system.leave_terminal()
    # Libraries print to standard error, which would tear the screen.
    if logbook.begin("engine", (logbook.STDOUT, logbook.STDERR)) is None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, logbook.STDOUT)
        os.dup2(nowhere, logbook.STDERR)
        os.close(nowhere)
