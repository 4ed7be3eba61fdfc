"""The engine's process, as its screen sees it: started without loading what it is made of."""

import multiprocessing
import os
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

    def tell_to_end(self) -> bool:
        """Have the engine seal what it records and go, as a signal does; False: by closing alone.

        To be called from anywhere, and often: from a handler of signals too.
        """
        pid = self.process.pid
        return pid is None or not self.process.is_alive() or system.tell_to_end(pid)

    def close(self) -> None:
        """Close the pipe; the engine then seals what it records, and goes."""
        self.wake()
        self.pipe.close()

    def wake(self) -> None:
        """Let it go on where somebody has halted it: it could neither read nor end."""
        if self.process.pid is not None and self.process.is_alive():
            system.wake(self.process.pid)

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
    # All is sealed and said. To take apart what was loaded takes seconds on a busy machine, for
    # which a screen would wait; and amid the native code of models that still load it would abort.
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
