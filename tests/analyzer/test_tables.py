import csv
from pathlib import Path

import numpy as np
import pytest

from affetti.analyzer.analysis import Analysis, analyze
from affetti.analyzer.replay import completed
from affetti.analyzer.tables import COLUMNS, cell, tables_of, write_csv
from affetti.core.emotions import EMOTIONS
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
    read: dict[str, list[dict[str, str]]],
) -> None:
    spoken = [r for r in read["segments"] if r["modality"] == "music" and int(r["said"])]
    assert spoken
    for row in spoken:
        happiness, sadness, anger, relaxation = (float(row[emotion]) for emotion in EMOTIONS)
        pleasant, activated = happiness + relaxation, happiness + anger
        assert float(row["valence"]) == pytest.approx(pleasant - sadness - anger, abs=1e-5)
        assert float(row["arousal"]) == pytest.approx(activated - sadness - relaxation, abs=1e-5)


def test_a_face_has_no_valence_by_arithmetic_on_four_quadrants(
    read: dict[str, list[dict[str, str]]],
) -> None:
    rows = [row for row in read["segments"] if row["modality"] != "music"]
    assert {(row["valence"], row["arousal"]) for row in rows} == {("", "")}
    assert not {"face_valence", "fused_arousal"} & read["tracks"][0].keys()


def test_a_title_that_is_a_formula_is_only_text(
    read: dict[str, list[dict[str, str]]],
) -> None:
    assert [row["title"] for row in read["tracks"]] == ["Grey Sunday", "'=SUM(A1)"]


def test_a_note_keeps_its_lines(read: dict[str, list[dict[str, str]]]) -> None:
    (note,) = [row for row in read["moments"] if row["kind"] == "note"]
    assert note["text"].splitlines()[0] == "She hummed along."


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_is_never_a_formula(text: str) -> None:
    assert cell(text) == "'" + text


def test_negative_numbers_stay_numbers() -> None:
    assert cell(-23.5) == "-23.5"
    assert cell(np.float64(-0.0000001)) == "0"


def test_a_value_without_a_form_is_refused() -> None:
    with pytest.raises(TypeError, match="ndarray"):
        cell(np.array(0.4))


def test_missing_values_are_empty() -> None:
    assert (cell(None), cell(np.nan), cell(0), cell(np.bool_(True))) == ("", "", "0", "1")
