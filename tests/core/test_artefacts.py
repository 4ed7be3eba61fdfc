"""What belongs to a recording is found by one register, and annotations are never lost."""

from pathlib import Path

import pytest

from affetti.analyzer.provenance import folder_of
from affetti.analyzer.report.page import FORMS, report_path
from affetti.core.custody.artefacts import ARTEFACTS, beside
from affetti.core.errors import Damaged
from affetti.core.events.entries import Retracted, new_id
from affetti.core.people import annotations
from affetti.core.people.annotations import Annotation
from affetti.core.recording.names import part_path

SESSION_ID, AUTHOR = "0123456789abcdef" * 2, new_id()


def test_whatever_is_written_beside_a_recording_is_found(tmp_path: Path) -> None:
    recording = tmp_path / "sub-P07.h5"
    paths = [
        recording,
        part_path(recording, 1),
        part_path(recording, 1000),
        folder_of(recording),
        folder_of(recording, name="paper"),
        *(report_path(recording, tmp_path, form) for form in FORMS),
        tmp_path / "sub-P07.unreadable",
        tmp_path / "sub-P07.unreadable-2",
        tmp_path / "sub-P07.annotations.jsonl",
        tmp_path / "sub-P07.note.txt",
        tmp_path / "sub-P07.export.eaf",
        tmp_path / "sub-P07.export.faceless.mp4",
        tmp_path / "sub-P07.export.parquet",
        tmp_path / "sub-P07.exports.jsonl.vault",
    ]
    strangers = [tmp_path / "sub-P071.h5", tmp_path / "sub-P07x.report.html", tmp_path / "a.txt"]
    for path in [*paths, *strangers]:
        path.touch()
    found = beside(recording)
    assert sorted(each.path for each in found) == sorted(paths)
    assert {each.artefact for each in found} == set(ARTEFACTS)


def annotation(**changes: object) -> Annotation:
    fields: dict[str, object] = {"author_id": AUTHOR, "session_id": SESSION_ID, "seq": 3}
    return Annotation(**{**fields, **changes})  # type: ignore[arg-type]


def test_annotations_are_added_taken_back_and_merged(tmp_path: Path) -> None:
    path = tmp_path / "a.annotations.jsonl"
    first, second = annotation(label="smile"), annotation(seq=None, start_ns=5, stop_ns=9)
    taken_back = Retracted(author_id=AUTHOR, of_entry_id=first.entry_id)
    for entry in (first, second, taken_back):
        annotations.append(path, entry)
    there = annotations.read(path)
    assert there == [first, second, taken_back]
    other = annotation(text="from another machine")
    together = annotations.merged(there, [other, first])
    assert len(together) == 4
    assert annotations.standing(together) == [e for e in together if e in (second, other)]


def test_a_torn_last_line_costs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.annotations.jsonl"
    annotations.append(path, annotation())
    with path.open("ab") as file:
        file.write(b'{"kind":"Anno')
    assert len(annotations.read(path)) == 1
    annotations.append(path, annotation())
    assert len(annotations.read(path)) == 2
    path.write_bytes(b"{}\n" + path.read_bytes())
    with pytest.raises(Damaged, match="Line 1"):
        annotations.read(path)


@pytest.mark.parametrize(
    "where",
    [{"seq": None}, {"start_ns": 1, "stop_ns": 2}, {"seq": None, "start_ns": 2, "stop_ns": 1}],
)
def test_an_annotation_points_to_an_event_or_a_stretch(where: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="one event, or of a stretch"):
        annotation(**where)
