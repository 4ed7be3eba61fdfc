"""Analyses through Dask."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psutil
import pytest
from session_builder import Plan, build

from affetti.analyzer.batch import Outcome, Request, analyze_files
from affetti.analyzer.cluster import Certificates, Cluster
from affetti.analyzer.pool import attempted
from affetti.analyzer.recordings import recordings_in
from affetti.core.errors import AffettiError, ExitCode
from tests.command_line import affetti

TABLES = ("segments.csv", "tracks.csv", "fused.csv", "session.csv")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    for name in "abc":
        build(tmp_path / "study" / f"{name}.h5", Plan(duration_s=1))
    (tmp_path / "study" / "broken.h5").write_bytes(b"\x89HDF")
    return tmp_path / "study"


@pytest.mark.campaign
def test_dask_makes_the_same_tables_and_talks_to_this_computer_alone(
    study: Path, tmp_path: Path
) -> None:
    heard = []

    def listen(outcome: Outcome) -> None:
        ours = [psutil.Process(), *psutil.Process().children(recursive=True)]
        heard.extend(each.laddr.ip for one in ours for each in one.net_connections("inet"))

    paths = recordings_in([study])
    here = analyze_files(paths, Request(output=tmp_path / "here"), 2)
    there = analyze_files(
        paths, Request(output=tmp_path / "there"), done=listen, executor=Cluster(jobs=2)
    )
    assert [each.status for each in there] == [each.status for each in here]
    assert [each.status for each in there] == ["written", "written", "failed", "written"]
    assert set(heard) == {"127.0.0.1"}
    made = sorted(path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("*.*"))
    tables = [path for path in made if path.suffix == ".csv"]
    assert len(tables) > 3 * len(TABLES)
    for table in tables:
        assert (tmp_path / "here" / table).read_bytes() == (tmp_path / "there" / table).read_bytes()


def _environment(path: Path) -> dict[str, str]:
    return dict(os.environ)


@pytest.mark.campaign
def test_a_process_of_dask_keeps_memory_and_computes_in_one_thread_as_one_of_ours_does(
    tmp_path: Path,
) -> None:
    ((_, found),) = attempted(_environment, [tmp_path / "a"], executor=Cluster(jobs=1))
    assert isinstance(found, dict)
    assert found.get("MALLOC_TRIM_THRESHOLD_") == os.environ.get("MALLOC_TRIM_THRESHOLD_")
    assert found["OMP_NUM_THREADS"] == found["OPENBLAS_NUM_THREADS"] == "1"


def _dies(path: Path, where: Path) -> str:
    with (where / path.name).open("a") as tried:
        tried.write("x")
    if path.name == "b":
        os._exit(3)
    if path.name == "c" and (where / "c").stat().st_size == 1:
        raise ValueError("a moment that passes")
    return path.name


@pytest.mark.campaign
def test_a_file_that_kills_its_process_costs_itself_and_what_passes_is_tried_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "tried").mkdir()
    paths = [tmp_path / name for name in "abcd"]
    work = partial(_dies, where=tmp_path / "tried")
    found = dict(attempted(work, paths, executor=Cluster(jobs=1)))
    assert [found[path] for path in paths if path.name != "b"] == ["a", "c", "d"]
    died = found[tmp_path / "b"]
    assert isinstance(died, AffettiError)
    assert "died" in died.message
    # What the process of another had found and not handed over yet is found once more.
    assert len((tmp_path / "tried" / "c").read_text()) >= 2


@pytest.mark.campaign
def test_an_interrupt_stops_the_workers_of_dask_and_a_second_run_goes_on(
    tmp_path: Path, blank_jpeg: bytes
) -> None:
    for name in "abcd":  # to look for faces takes them seconds
        build(tmp_path / f"{name}.h5", Plan(duration_s=10, jpegs=[blank_jpeg], live=False))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell may have taken away
    words = ["analyze", str(tmp_path), "--cluster", "--jobs", "2"]
    command = [sys.executable, "-P", "-m", "affetti", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, process_group=0) as running:
        while not list(tmp_path.glob("*.analysis/provenance.json")):
            assert running.poll() is None
            time.sleep(0.02)
        workers = psutil.Process(running.pid).children(recursive=True)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does
        _, told = running.communicate()
    assert "Stopped." in told
    assert "Traceback" not in told
    psutil.wait_procs(workers)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.analysis/provenance.json")}
    outcomes = analyze_files(recordings_in([tmp_path]), Request(), 1)
    assert {each.status for each in outcomes} <= {"written", "current"}
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, Certificates]]:
    """A scheduler with one worker, as a batch system starts them."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 7 -subj /CN=study"
    made = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *words.split(), *made], check=True, capture_output=True)
    tls = ["--tls-ca-file", certificate, "--tls-cert", certificate, "--tls-key", key]
    told = tmp_path / "scheduler.json"
    begin = ["--host", "127.0.0.1", "--protocol", "tls", "--scheduler-file", told, "--no-dashboard"]
    serve = ["--scheduler-file", told, "--nthreads", "2", "--no-nanny", "--no-dashboard"]
    with ExitStack() as stack:
        for program, words in (("scheduler", begin), ("worker", serve)):
            module = f"distributed.cli.dask_{program}"
            command = [sys.executable, "-P", "-m", module, *map(str, [*words, *tls])]
            running = stack.enter_context(
                subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
            )
            stack.callback(running.terminate)
            while program == "scheduler" and not told.exists():
                assert running.poll() is None
                time.sleep(0.05)
        yield _address(told), Certificates(certificate, certificate, key)


def _address(told: Path) -> str:
    import json

    while True:
        try:
            return str(json.loads(told.read_text())["address"])
        except ValueError:  # half of it is written
            time.sleep(0.05)


@pytest.mark.campaign
def test_a_cluster_at_an_address_does_the_same_work(
    study: Path, tmp_path: Path, scheduler: tuple[str, Certificates]
) -> None:
    address, files = scheduler
    tls = ("--tls-ca-file", files.ca, "--tls-cert", files.certificate, "--tls-key", files.key)
    said = affetti("analyze", study, "--cluster", address, *tls, "--output", tmp_path / "there")
    assert said.returncode == ExitCode.WARNING, said.stderr
    assert "3 analyzed, 1 failed" in said.stdout
    analyze_files(recordings_in([study / "a.h5"]), Request(output=tmp_path / "here"), 1)
    name = Path("a.analysis") / "segments.csv"
    assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def test_what_is_no_address_with_certificates_is_refused(tmp_path: Path) -> None:
    for address in ("study/", "tcp://10.0.0.1:8786", "10.0.0.1:8786"):
        with pytest.raises(AffettiError, match="no address of a cluster"):
            Cluster(address)
    with pytest.raises(AffettiError, match="--tls-ca-file"):
        Cluster("tls://10.0.0.1:8786")
    with pytest.raises(AffettiError, match="--tls-ca-file"):
        Cluster("", Certificates(tmp_path, tmp_path, tmp_path))
