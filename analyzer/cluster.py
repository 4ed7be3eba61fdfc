"""The same work through Dask: processes of this computer, or a cluster that is there already.

Nothing goes over a wire that is not encrypted. What works on this computer listens to it alone,
with certificates that live no longer than the work. On a cluster at an address each process needs
this version of Affetti and sees the recordings by the same paths; keys of encrypted recordings are
not sent there.
"""

import logging
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Generic, TypeVar
from uuid import uuid4

from affetti.analyzer.pool import Attempt, processes_for, unlock_all
from affetti.core import system
from affetti.core.custody import keys
from affetti.core.errors import (
    AffettiError,
    ExitCode,
    FileMissing,
    MissingPackage,
    UsageError,
)
from affetti.core.recording.box import is_box

T = TypeVar("T")

LOOPBACK: Final = "127.0.0.1"
RETRIES: Final = 2  # of a file that failed as a share or a network may fail
DEATHS: Final = 1  # of a process that a file is tried again after
_REACHED_S: Final = 30
# What a moment later may be otherwise: a file that was not there, what nobody foresaw.
_PASSING: Final = frozenset({ExitCode.FILE_MISSING, ExitCode.INTERNAL})
_ONE_AT_A_TIME: Final = threading.Lock()  # in a process, however many threads it was given
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_CONFIGURED: Final = {
    "distributed.scheduler.allowed-failures": DEATHS,
    "distributed.worker.profile.enabled": False,
    # Without the MALLOC_TRIM_THRESHOLD_ that Dask sets: with it a hundred times as many pages are
    # given back and asked for again, which costs the more the busier the computer is.
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(_ONE_THREAD, 1),
    # Each process looks fifty times a second whether it stands still, and twice a second at what it
    # takes: a twelfth of a processor, of no use here, for as long as the work goes on.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "1h",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.comm.timeouts.connect": _REACHED_S,
    # Nothing is told to whoever else is on this computer.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


@dataclass(frozen=True)
class Certificates:
    """Files in PEM form by which a client and a cluster know each other.

    Attributes
    ----------
    ca
        Of who signed the certificates.
    certificate, key
        The client's own.
    """

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class Cluster:
    """Carries out work through Dask, as `pool.Executor`.

    Parameters
    ----------
    address
        Of a scheduler, `tls://HOST:PORT`; "" starts processes on this computer.
    certificates
        For an address.
    jobs
        How many processes are started; by default one a processor.

    Raises
    ------
    AffettiError
        The address is none, or it lacks certificates.
    """

    address: str = ""
    certificates: Certificates | None = None
    jobs: int | None = None

    def __post_init__(self) -> None:
        if self.address and not self.address.startswith("tls://"):
            raise UsageError("cluster.no_address", address=self.address)
        if bool(self.address) != bool(self.certificates):
            raise UsageError("cluster.certificates")

    def carried_out(
        self, work: Attempt[T], paths: Sequence[Path]
    ) -> Iterator[tuple[Path, tuple[T | AffettiError] | None]]:
        """Yield each file with what work found of it, as it is done; None where its process died.

        Raises
        ------
        AffettiError
            Dask is not installed, the cluster cannot be reached, or a recording is encrypted and
            would be read elsewhere.
        """
        distributed = _distributed()
        dask = import_module("dask")
        if self.address:
            _refuse_encrypted(paths)
        unlock_all(paths)
        there = _There(
            work, b"" if self.address else keys.to_hand_over(), version("affetti"), Path.cwd()
        )
        with dask.config.set(_CONFIGURED), self._client(distributed, paths) as client:
            killed = []
            for path, found in _found(distributed, client, there, paths):
                if found is None:
                    killed.append(path)
                else:
                    yield path, found
            # One that was beside a file that kills its process is not suspected of it alone.
            for path in killed:
                yield from _found(distributed, client, there, [path])

    def _client(self, distributed: Any, paths: Sequence[Path]) -> AbstractContextManager[Any]:
        if self.certificates is None:
            return _client_here(distributed, processes_for(self.jobs, paths))
        return _client_at(distributed, self.address, _security(distributed, self.certificates))


def _distributed() -> Any:
    try:
        distributed = import_module("distributed")
    except ImportError as error:
        raise MissingPackage("cluster.no_dask", error=error) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what fails is told by us
    return distributed


def _security(distributed: Any, files: Certificates) -> Any:
    for path in (files.ca, files.certificate, files.key):
        if not path.is_file():
            raise FileMissing("cluster.no_certificate", path=path)
    return distributed.Security(
        tls_ca_file=str(files.ca),
        tls_client_cert=str(files.certificate),
        tls_client_key=str(files.key),
        require_encryption=True,
    )


def _refuse_encrypted(paths: Sequence[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            if is_box(path):
                raise UsageError("cluster.encrypted", path=path.name)


@contextmanager
def _client_at(distributed: Any, address: str, security: Any) -> Iterator[Any]:
    try:
        client = distributed.Client(address, security=security, set_as_default=False)
    except (OSError, ValueError) as error:  # a certificate that is none is an `OSError` as well
        raise FileMissing("cluster.unreachable", address=address, error=error) from error
    with client:
        yield client


@contextmanager
def _client_here(distributed: Any, jobs: int) -> Iterator[Any]:
    """Start processes that listen to this computer alone; they end with the work, or at once."""
    with (
        tempfile.TemporaryDirectory(prefix="affetti-") as folder,
        distributed.LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            host=LOOPBACK,
            security=distributed.Security.temporary(),
            dashboard_address=f"{LOOPBACK}:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,
            local_directory=folder,
            preload=[__name__],
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        try:
            yield client
        except BaseException:
            for worker in list(cluster.workers.values()):
                with suppress(OSError, TypeError):  # one that starts anew has no number
                    os.kill(worker.pid, system.KILL)
            raise


def dask_setup(worker: object) -> None:
    """Let a process that Dask has started here leave its end to who started it; Dask calls this."""
    system.forbid_core_dumps()
    system.leave_ending_to_parent()


def _found(
    distributed: Any, client: Any, work: "_There[T]", paths: Sequence[Path]
) -> Iterator[tuple[Path, tuple[T | AffettiError] | None]]:
    """Yield what was found as it comes; None where a process died once more than it may."""
    asked = f"affetti-{uuid4().hex}"
    futures = {
        client.submit(
            work, path, key=(asked, i), retries=RETRIES, pure=False, allow_other_workers=False
        ): path
        for i, path in enumerate(paths)
    }
    try:
        for future in distributed.as_completed(list(futures), loop=client.loop):
            yield futures[future], _result(distributed, future)
            future.release()
    finally:
        client.cancel(list(futures), force=True)


def _result(distributed: Any, future: Any) -> Any:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, distributed.KilledWorker):
        return None
    if isinstance(error, _Failed):
        return (error.args[0],)
    return (AffettiError("cluster.failed", name=type(error).__name__, error=error),)


class _Failed(Exception):  # noqa: N818  Dask tries again what raises, and hands on the last one
    """Holds the error of a file that is worth another try."""


@dataclass(frozen=True)
class _There(Generic[T]):
    """Work in a process of a cluster, one file at a time."""

    work: Attempt[T]
    handed: bytes = field(repr=False)  # keys
    version: str
    folder: Path  # that relative paths begin in

    def __call__(self, path: Path) -> tuple[T | AffettiError]:
        if (here := version("affetti")) != self.version:
            return (UsageError("cluster.other_version", here=self.version, there=here),)
        if self.handed:
            keys.take_over(self.handed)
        with _ONE_AT_A_TIME, chdir(self.folder):
            (found,) = self.work(path)
        if isinstance(found, AffettiError) and found.code in _PASSING:
            raise _Failed(found)
        return (found,)
