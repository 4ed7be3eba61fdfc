"""A person over sessions: goals, what was counted, and only what the sessions carry."""

import math
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from session_builder import Plan, build, chord

from affetti.analyzer.analysis import analyze
from affetti.analyzer.measures.progress import MIN_SESSIONS, series_of
from affetti.analyzer.replay import shown
from affetti.analyzer.report import progress, write_report
from affetti.analyzer.report.beside import beside
from affetti.core.clock import NS_PER_S
from affetti.core.custody.artefacts import INDEX
from affetti.core.custody.withdrawal import forget
from affetti.core.errors import ExitCode
from affetti.core.events import MarkerAdded, SelfReported
from affetti.core.events.people import GoalSet, GoalStateChanged
from affetti.core.people.index import scanned
from affetti.core.people.log import add
from affetti.core.recording.session import Session
from tests.command_line import affetti

GOAL, HER = "ab" * 16, "0" * 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sessions of a person, a goal, and a session of somebody else."""
    place = tmp_path_factory.mktemp("progress")
    for day in (10, 12, 17):
        moments = [MarkerAdded(t_ns=i * NS_PER_S, label="sings") for i in range(1, day - 8)]
        moments.append(SelfReported(t_ns=5 * NS_PER_S, valence=day / 20, occasion="after"))
        plan = Plan(
            duration_s=6,
            tracks=[("Morning Song", chord(4, 220, 262))],
            moments=moments,
            wall_clock=f"2026-11-{day}T10:15:00+01:00",
        )
        build(place / f"sub-P07_ses-202611{day}T101500.h5", plan)
    build(place / "sub-P08_ses-20261110T101500.h5", Plan(duration_s=2, person="P08"))
    set_ = GoalSet(author_id=HER, person="P07", goal_id=GOAL, words="Sings a line by herself")
    went = GoalStateChanged(author_id=HER, person="P07", goal_id=GOAL, state="emerging")
    add([set_, went], "P07", place)
    return place


@pytest.mark.campaign
def test_it_is_shown_on_the_terminal_and_written_as_the_same_page(
    folder: Path, tmp_path: Path
) -> None:
    shown = affetti("progress", "P07", folder)
    assert shown.returncode == 0
    for words in ("Sings a line by herself", "emerging", "10 November 2026", "sings", "too few"):
        assert words in shown.stdout
    assert "10.00" in shown.stdout  # one marker in six seconds
    assert affetti("progress", "P07", folder, "--output", tmp_path / "p.txt").returncode == 0
    written = (tmp_path / "p.txt").read_text(encoding="utf-8")
    assert written.split() == shown.stdout.split()
    assert affetti("progress", "P07", folder, "--output", tmp_path / "p.pdf").returncode == 0
    assert (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("output", ["a file/P01.html", "P01.docx"])
def test_that_its_page_cannot_be_written_is_said_before_anything_is_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    def read(*what: object) -> None:
        raise AssertionError("it was read")

    (tmp_path / "a file").write_bytes(b"")
    monkeypatch.setattr(progress, "progress_of", read)
    done = affetti("progress", "P01", folder, "--output", tmp_path / output)
    assert done.returncode in (ExitCode.FILE_MISSING, ExitCode.USAGE), done.stderr


def test_nobody_known_is_said_with_what_to_do(folder: Path) -> None:
    said = affetti("progress", "P99", folder)
    assert said.returncode == ExitCode.FILE_MISSING
    assert "P99" in said.stderr


@pytest.mark.campaign
def test_annotations_that_cannot_be_read_cost_no_other_session(
    folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    before = affetti("progress", "P07", tmp_path / "copy").stdout
    (tmp_path / "copy" / "sub-P07_ses-20261112T101500.annotations.jsonl").mkdir()
    said = affetti("progress", "P07", tmp_path / "copy")
    assert said.returncode == 0
    assert "17 November 2026" in before
    assert "17 November 2026" in said.stdout


def test_nothing_is_compared_with_a_session_that_was_altered_or_is_of_somebody_else(
    folder: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    middle, last = sorted(copy.glob("sub-P07*.h5"))[1:]
    assert compared_with(last) == middle
    data = middle.read_bytes()
    assert data.count(b"sings")
    middle.write_bytes(data.replace(b"sings", b"sinks"))
    assert compared_with(last) is None
    said = affetti("progress", "P07", copy).stdout
    assert "sinks" not in said
    assert "12 November 2026" not in said
    assert "altered" in said
    middle.write_bytes(data)
    scanned(copy)
    with closing(sqlite3.connect(copy / INDEX)) as base:
        base.execute("UPDATE recordings SET person = 'P07' WHERE person = 'P08'")
        base.execute("DELETE FROM recordings WHERE path LIKE 'sub-P07%' AND path <> ?", [last.name])
        base.commit()
    for path in sorted(copy.glob("sub-P07*.h5"))[:-1]:
        path.unlink()
    assert compared_with(last) is None


def compared_with(recording: Path) -> Path | None:
    with Session.open(recording) as session:
        before = beside(session, analyze(session, shown(session))).before
    return None if before is None else before.path


def test_a_page_goes_with_any_session_that_it_rests_on(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    paths = [
        build(place / f"sub-P07_ses-2026111{i}T101500.h5", Plan(duration_s=2))
        for i, place in enumerate((tmp_path / "below", tmp_path))
    ]
    pages = []  # of what lies in a folder below, too
    for form in ("html", "pdf", "txt"):
        assert affetti("progress", "P07", tmp_path, "--form", form).returncode == 0
        pages.append(tmp_path / f"sub-P07.progress.{form}")
    assert all(page.exists() for page in pages)
    forget(paths[0])
    assert not any(page.exists() for page in pages)


def test_few_sessions_carry_no_interval_and_no_course() -> None:
    few = series_of([0.1, 0.2, 0.9])
    assert few.direction == "too_few"
    assert math.isnan(few.low)
    assert few.mean == pytest.approx(0.4)
    assert not math.isnan(series_of([0.1] * (MIN_SESSIONS - 1) + [0.3]).low)


def test_a_course_is_said_only_where_shuffled_sessions_would_hardly_show_it() -> None:
    rising = series_of([1.0, 2.0, 1.5, 2.5, 6.0, 7.0, 6.5, 7.5])
    assert rising.direction == "more"
    assert rising.difference == pytest.approx(5)
    assert series_of([-v for v in rising.values]).direction == "less"
    assert series_of([1.0, 7.0, 2.0, 6.0, 1.5, 6.5, 2.5, 7.5]).direction == "neither"
    assert series_of([3.0] * 9).direction == "neither"
    assert series_of([*range(10), math.nan, *range(10, 20)]).direction == "more"


def test_the_interval_is_that_of_student() -> None:
    # Of 1, 2, 3, 4, 5: 3 plus and minus 2.776 * 1.5811 / sqrt(5).
    found = series_of([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.low, found.high) == (
        pytest.approx(1.0368, abs=1e-3),
        pytest.approx(4.9632, abs=1e-3),
    )


@pytest.mark.campaign
def test_of_a_session_it_says_what_the_page_of_the_session_says(
    tmp_path: Path, face_jpegs: list[bytes]
) -> None:
    """Also where the live side was late, and what it skipped is computed afterwards."""
    plan = Plan(
        duration_s=6,
        jpegs=face_jpegs,
        skip=lambda modality, event: modality == "face" and event.t_ns > 2 * NS_PER_S,
    )
    path = build(tmp_path / "sub-P07_ses-20261110T101500.h5", plan)
    page = write_report(path, form="txt").read_text(encoding="utf-8")
    (seen,) = re.findall(r"Face read: (\d+\W%)", page)
    assert int(seen[:-2]) > 33
    over = affetti("progress", "P07", tmp_path).stdout
    assert f"Face read: {seen} to {seen}" in over
