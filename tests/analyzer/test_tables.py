import csv
import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from affetti.analyzer.analysis import Analysis, analyze
from affetti.analyzer.replay import completed
from affetti.analyzer.tables.columns import COLUMNS
from affetti.analyzer.tables.csv_file import (
    SCHEMA_NAME,
    cell,
    csv_of,
    read_csv,
    schema_of,
    write_csv,
)
from affetti.analyzer.tables.parquet_file import parquet_of
from affetti.analyzer.tables.session_tables import tables_of
from affetti.analyzer.tables.table import Rows, Table, type_of
from affetti.core.recording.session import Session


@pytest.fixture(scope="module")
def analysis(recording: Path) -> Analysis:
    with Session.open(recording) as session:
        return analyze(session, completed(session))


@pytest.fixture
def read(analysis: Analysis, tmp_path: Path) -> dict[str, list[dict[str, str]]]:
    """Every table, written and read again."""
    found = {}
    for table in tables_of(analysis):
        path = tmp_path / f"{table.name}.csv"
        write_csv(table, path)
        with path.open(newline="", encoding="utf-8") as file:
            found[table.name] = list(csv.DictReader(file))
    return found


def test_every_column_of_every_table_is_described(analysis: Analysis) -> None:
    for table in tables_of(analysis):
        assert set(table.columns) <= COLUMNS.keys()
        assert len(set(table.columns)) == len(table.columns)


def test_no_description_is_left_over(analysis: Analysis) -> None:
    used = {name for table in tables_of(analysis) for name in table.columns}
    assert used == COLUMNS.keys()


def test_rows_name_the_session_so_that_tables_can_be_stacked(
    read: dict[str, list[dict[str, str]]], analysis: Analysis
) -> None:
    for rows in read.values():
        assert {row["session_id"] for row in rows} <= {analysis.info.session_id}


def test_segments_come_back_as_they_were(
    read: dict[str, list[dict[str, str]]], analysis: Analysis
) -> None:
    rows = [row for row in read["segments"] if row["modality"] == "face"]
    assert [float(row["happiness"]) for row in rows] == pytest.approx(
        analysis.segments["face"].emotions[:, 0], abs=1e-6
    )
    # In a third of the pictures her hand is before her mouth, and nothing is said.
    assert [float(row["coverage"]) for row in rows] == pytest.approx([0.63] * 4, abs=0.2)


def test_segments_of_the_music_say_where_on_the_circumplex_they_lie(
    read: dict[str, list[dict[str, str]]], analysis: Analysis
) -> None:
    segments = analysis.segments["music"]
    spoken = [r for r in read["segments"] if r["modality"] == "music" and int(r["said"])]
    assert spoken
    for row, (valence, arousal) in zip(spoken, segments.circumplex[segments.said > 0], strict=True):
        assert float(row["valence"]) == pytest.approx(valence, abs=1e-5)
        assert float(row["arousal"]) == pytest.approx(arousal, abs=1e-5)


def test_a_face_has_no_valence_by_arithmetic_on_four_quadrants(
    read: dict[str, list[dict[str, str]]],
) -> None:
    rows = [row for row in read["segments"] if row["modality"] != "music"]
    assert {(row["valence"], row["arousal"]) for row in rows} == {("", "")}
    assert not {"face_valence", "fused_arousal"} & read["tracks"][0].keys()


def test_a_title_that_is_a_formula_is_only_text(
    read: dict[str, list[dict[str, str]]],
) -> None:
    assert [row["title"] for row in read["tracks"]] == ["Grey Sunday", "=SUM(A1)"]


def test_a_note_keeps_its_lines(read: dict[str, list[dict[str, str]]]) -> None:
    (note,) = [row for row in read["moments"] if row["kind"] == "note"]
    assert note["text"].splitlines()[0] == "She hummed along."


def test_what_the_person_said_stands_beside_what_was_expressed_in_the_track(
    read: dict[str, list[dict[str, str]]],
) -> None:
    (said,) = read["self_reports"]
    track = read["tracks"][1]
    assert (said["occasion"], said["track"], said["title"]) == ("after", "1", "=SUM(A1)")
    assert (said["valence"], said["emotion"], said["answered_s"]) == ("0.5", "relaxation", "6.5")
    assert said["face_strongest"] == track["face_strongest"]
    assert said["music_strongest"] == track["music_strongest"]
    (scale,) = read["self_report_scales"]
    assert (scale["scale"], scale["rating"]) == ("Pain", "3")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "- calm"])
def test_text_is_guarded_from_being_a_formula_for_a_spreadsheet_alone(text: str) -> None:
    assert cell(text, spreadsheet=True) == f'"\'{text}"'
    assert cell(text) == f'"{text}"'


def test_a_spreadsheet_is_told_that_it_is_utf_8(analysis: Analysis, tmp_path: Path) -> None:
    for table in tables_of(analysis):
        write_csv(table, tmp_path / "a.csv", spreadsheet=True)
        assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")


HOSTILE = (
    "a\rb",
    "calm;=6*7;x",
    "007",
    "1E5",
    "NA",
    '"',
    "a,b",
    "\ufeffx",
    "\x1b[2J",
    "é – 曲",
    "x\0y",
)


def test_texts_of_any_signs_end_no_row_and_stay_texts(tmp_path: Path) -> None:
    table = Table("words", ("title", "track"), [[text, i] for i, text in enumerate(HOSTILE)])
    write_csv(table, tmp_path / "words.csv")
    (tmp_path / SCHEMA_NAME).write_bytes(schema_of([table]))
    read = read_csv(tmp_path / "words.csv")
    assert read["track"] == list(range(len(HOSTILE)))
    assert read["title"][1:7] == list(HOSTILE[1:7])
    assert read["title"][0] == "a\nb"  # as every reader of CSV has it
    assert not any(set(text) & set("\r\0\x1b\ufeff") for text in read["title"])


def test_every_text_stands_in_quotes_and_no_number_does(analysis: Analysis, tmp_path: Path) -> None:
    for table in tables_of(analysis):
        write_csv(table, tmp_path / "a.csv")
        with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
            _, *rows = csv.reader(file, quoting=csv.QUOTE_NONNUMERIC)  # a text without is no number
        assert len(rows) == len(table.rows)


def test_types_follow_from_the_declaration_and_hold_for_what_is_there(analysis: Analysis) -> None:
    kinds = {"string": str, "integer": (int, np.integer, np.bool_), "number": (float, np.floating)}
    for table in tables_of(analysis):
        for i, name in enumerate(table.columns):
            for value in {
                type(row[i]): row[i] for row in table.rows if row[i] is not None
            }.values():
                allowed = kinds[type_of(table, name)]
                whole = type_of(table, name) == "number" and isinstance(value, int)
                assert isinstance(value, allowed) or whole, (table.name, name, value)


def test_what_was_written_is_read_back_with_its_types(analysis: Analysis, tmp_path: Path) -> None:
    tables = tables_of(analysis)
    (tmp_path / SCHEMA_NAME).write_bytes(schema_of(tables))
    for table in tables:
        write_csv(table, tmp_path / f"{table.name}.csv")
        read = read_csv(tmp_path / f"{table.name}.csv")
        assert list(read) == list(table.columns)
        assert all(len(values) == len(table.rows) for values in read.values())


def test_negative_numbers_stay_numbers() -> None:
    assert cell(-23.5) == "-23.5"
    assert cell(np.float64(-0.0000001)) == "0"


def test_a_value_without_a_form_is_refused() -> None:
    with pytest.raises(TypeError, match="ndarray"):
        cell(np.array(0.4))


def test_missing_values_are_empty() -> None:
    assert (cell(None), cell(np.nan), cell(""), cell(0), cell(np.bool_(True))) == (
        "",
        "",
        "",
        "0",
        "1",
    )


def test_a_long_table_is_never_held_as_lists() -> None:
    count = 200_000
    at_s = np.arange(count) / 250
    table = Table(
        "signals_heart", ("person", "t_s", "ecg"), Rows(["P07"], [at_s, at_s]), {"ecg": "number"}
    )
    tracemalloc.start()
    try:
        data = csv_of(table)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 3 * len(data)  # as a list of lists it took nine times as much
    assert data.splitlines()[-1] == b'"P07",799.996,799.996'
    assert len(table.rows) == count
    assert table.rows[1] == table.rows[0:2][1] == ["P07", 0.004, 0.004]


def test_a_long_table_is_written_as_parquet_in_groups() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    values = np.arange(70_000)
    table = Table("long", ("person", "frame"), Rows(["P07"], [values]), {"frame": "integer"})
    file = parquet.ParquetFile(io.BytesIO(parquet_of(table)))
    assert file.num_row_groups == 2
    read = file.read().to_pydict()
    assert read["frame"] == values.tolist()
    assert set(read["person"]) == {"P07"}
