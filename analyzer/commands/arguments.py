"""What several commands are given."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from affetti.core import numbers
from affetti.core.errors import UsageError
from affetti.core.numbers import Number
from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.analyzer.pool import Executor

T = TypeVar("T")

SESSION: Final = click.argument("session", type=TypedPath(path_type=Path))
SESSIONS: Final = click.argument(
    "sessions", metavar="SESSION...", nargs=-1, required=True, type=TypedPath(path_type=Path)
)
ALTERED: Final = click.option(
    "--altered",
    is_flag=True,
    help="Use a recording that was altered after it was sealed, and say so in all that is made.",
)
PLAIN: Final = click.option(
    "--plain",
    is_flag=True,
    help="Of an encrypted recording: write without encryption, and note that beside it.",
)
JOBS: Final = click.option(
    "--jobs",
    type=Number(numbers.JOBS, whole=True),
    metavar="N",
    help="Recordings at a time. [default: one a processor]",
)
JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print for a machine to read.")
TICK: Final = click.option(
    "--tick",
    "tick_s",
    type=Number(numbers.SEGMENT_S),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the pieces are that are compared.",
)

_HERE: Final = "here"


def _address(context: click.Context, option: click.Parameter, given: str | None) -> str | None:
    if given not in (None, _HERE) and not str(given).startswith("tls://"):
        raise UsageError("cluster.no_address", address=given)
    return given


_CERTIFICATES: Final = ("tls_ca_file", "tls_cert", "tls_key")
_CLUSTER: Final = (
    click.option(
        "--cluster",
        is_flag=False,
        flag_value=_HERE,
        metavar="[ADDRESS]",
        callback=_address,
        help="Work through Dask: in processes here, or on the cluster of a scheduler at "
        "tls://HOST:PORT. Needs affetti[cluster].",
    ),
    click.option(
        "--tls-ca-file",
        type=TypedPath(path_type=Path),
        metavar="FILE",
        help="Of a cluster: who signed its certificates.",
    ),
    click.option(
        "--tls-cert",
        type=TypedPath(path_type=Path),
        metavar="FILE",
        help="Of a cluster: the certificate to show it.",
    ),
    click.option(
        "--tls-key",
        type=TypedPath(path_type=Path),
        metavar="FILE",
        help="Of a cluster: the key of that certificate.",
    ),
)


def executed(command: Callable[..., T]) -> Callable[..., T]:
    """Let a command be given `--jobs` and `--cluster`; it gets `jobs`, and the `executor`."""

    @wraps(command)
    def given(*words: Any, cluster: str | None, jobs: int | None, **named: Any) -> T:
        files = [named.pop(name) for name in _CERTIFICATES]
        return command(*words, jobs=jobs, executor=_executor(cluster, files, jobs), **named)

    for option in (*reversed(_CLUSTER), JOBS):
        given = option(given)
    return given


def _executor(cluster: str | None, files: list[Path | None], jobs: int | None) -> "Executor | None":
    if cluster is None:
        if any(files):
            raise UsageError("cluster.certificates")
        return None
    from affetti.analyzer.cluster import Certificates, Cluster

    whole = [path for path in files if path is not None]
    if whole and len(whole) < len(files):
        raise UsageError("cluster.certificates")
    address = "" if cluster == _HERE else cluster
    return Cluster(address, Certificates(*whole) if whole else None, jobs)
