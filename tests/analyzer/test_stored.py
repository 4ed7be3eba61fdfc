"""Analyses of the estimates that were recorded."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from session_builder import Plan, build

from affetti.analyzer.analysis import Parameters
from affetti.analyzer.batch import Request, analyze_file
from affetti.analyzer.replay import replayed
from affetti.analyzer.stored import stored
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import ESTIMATE_TABLES
from affetti.core.recording.session import Session
from tests.command_line import affetti

SHORT = Parameters(segment_s=1)


def test_recorded_estimates_are_taken_and_the_provenance_says_so(
    recording: Path, tmp_path: Path
) -> None:
    request = Request(SHORT, tmp_path, stored=True)
    folder = analyze_file(recording, request).folder
    assert folder is not None
    told = json.loads((folder / "provenance.json").read_text())
    assert (told["estimates"], told["not_stored_because"]) == ("stored", None)
    assert not any(told["spot_check"]["departed"].values())
    assert all(count >= 3 for count in told["spot_check"]["compared"].values())
    assert analyze_file(recording, request).status == "current"
    with pytest.raises(AffettiError, match="recorded estimates"):
        analyze_file(recording, Request(SHORT, tmp_path))


@pytest.mark.campaign
def test_recorded_estimates_are_those_of_a_replay(recording: Path) -> None:
    with Session.open(recording) as session:
        again, found = replayed(session), stored(session, verified=True)
    assert found.tables.source == "stored"
    for name in ESTIMATE_TABLES:
        for column, values in getattr(again, name).items():
            if column != "seq":
                np.testing.assert_array_equal(getattr(found.tables, name)[column], values)


@pytest.mark.campaign
def test_what_departs_is_replayed(tmp_path: Path, plan: Plan) -> None:
    def misread(samples: np.ndarray, rate_hz: int) -> object:
        return replace(read(samples, rate_hz), loudness_dbfs=-3.0)

    from affetti.models.pipelines import AFFETTI, Offer

    read = Offer(AFFETTI).open().read_music
    path = build(tmp_path / "s.h5", replace(plan, duration_s=5, read_music=misread, looks=False))
    with Session.open(path) as session:
        found = stored(session)
    assert found.check is not None
    assert found.check.departed["music"] == found.check.compared["music"] > 0
    assert (found.tables.source, found.why) == ("replayed", "spot_check")
    assert not (found.tables.music["loudness_dbfs"] == -3.0).any()


@pytest.mark.one_of_each
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"live": False}, "none"),
        ({"perception_version": 1}, "perception"),
        ({"models": {"face_expression": "0" * 64}}, "models"),
    ],
)
def test_estimates_of_other_models_or_none_are_replayed(
    tmp_path: Path, changes: dict[str, object], why: str
) -> None:
    path = build(tmp_path / "s.h5", replace(Plan(duration_s=1), **changes))
    with Session.open(path) as session:
        found = stored(session)
    assert (found.tables.source, found.why) == ("replayed", why)


def test_parquet_has_the_types_and_the_words_of_the_tables(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    path = build(tmp_path / "s.h5", Plan(duration_s=1))
    folder = analyze_file(path, Request(SHORT, parquet=True)).folder
    assert folder is not None
    table = pq.read_table(folder / "segments.parquet")
    assert table.schema.field("segment").type == "int64"
    assert b"seconds of session time" in table.schema.field("start_s").metadata[b"description"]
    (row,) = pq.read_table(folder / "session.parquet").to_pylist()
    assert (row["consent"], row["imported"]) == ("video, room", None)
    assert analyze_file(path, Request(SHORT)).status == "current"


def test_pandas_and_pyarrow_read_the_values_that_are_in_the_csv(tmp_path: Path) -> None:
    import pandas as pd
    import pyarrow.parquet as pq

    path = build(tmp_path / "s.h5", Plan(duration_s=2))
    folder = analyze_file(path, Request(SHORT, parquet=True)).folder
    assert folder is not None
    written = sorted(folder.glob("*.parquet"))
    assert {file.stem for file in written} == {file.stem for file in folder.glob("*.csv")}
    for file in written:
        csv = pd.read_csv(file.with_suffix(".csv"), dtype=str, keep_default_na=False)
        arrow, frame = pq.read_table(file), pd.read_parquet(file, dtype_backend="numpy_nullable")
        assert arrow.column_names == list(frame.columns) == list(csv.columns)
        for name, kind in zip(arrow.column_names, map(str, arrow.schema.types), strict=True):
            read = {"string": str, "int64": int, "double": float}[kind]
            right = [None if text == "" else read(text) for text in csv[name]]
            held = arrow[name].to_pylist()
            assert [None if each is pd.NA else each for each in frame[name]] == held
            if kind == "double":  # which the CSV file has to six decimals
                right = [
                    pytest.approx(each, abs=1e-6) if each is not None else each for each in right
                ]
            assert held == right, (file.name, name)


def test_analyses_with_names_stand_beside_each_other(tmp_path: Path) -> None:
    path = build(tmp_path / "s.h5", Plan(duration_s=1))
    first = analyze_file(path, Request(SHORT, name="short"))
    second = analyze_file(path, Request(Parameters(segment_s=0.5), name="shorter"))
    assert {first.folder, second.folder} == {
        tmp_path / "s.short.analysis",
        tmp_path / "s.shorter.analysis",
    }
    said = affetti("analyze", path, "--name", "No name")
    assert said.returncode == ExitCode.USAGE
