"""Labels of other programs beside a recording, and what people agree on."""

import json
from collections.abc import Callable
from pathlib import Path

import pympi
import pytest

from affetti.analyzer.exports import export
from affetti.analyzer.imports import Label, labels_in
from affetti.analyzer.labelling import add_labels
from affetti.core.custody.artefacts import ANNOTATIONS
from affetti.core.errors import ExitCode, UsageError
from affetti.core.people import annotations
from affetti.core.recording.sealing import seal
from tests.command_line import affetti

LABELS = [Label(0.5, 1.25, 'a "happy" face', "face"), Label(2.0, 3.5, "Ärger", "face")]

AGGREGATED = (
    "Observation id,Subject,Behavior,Behavior type,Start (s),Stop (s)\n"
    'o1,face,"a ""happy"" face",STATE,0.500,1.250\no1,face,Ärger,STATE,2.000,3.500\n'
)
TABULAR = (
    "Observation id\to1\n\nTime\tSubject\tBehavior\tStatus\n"
    '0.5\tface\t"a ""happy"" face"\tSTART\n1.25\tface\t"a ""happy"" face"\tSTOP\n'
    "2\tface\tÄrger\tSTART\n3.5\tface\tÄrger\tSTOP\n"
)


def elan(path: Path) -> None:
    eaf = pympi.Elan.Eaf()
    eaf.add_tier("face")
    for each in LABELS:
        eaf.add_annotation("face", int(each.start_s * 1000), int(each.stop_s * 1000), each.text)
    eaf.to_file(str(path))


def praat(path: Path, mode: str) -> None:
    grid = pympi.Praat.TextGrid(xmax=5)
    tier = grid.add_tier("face")
    for each in LABELS:
        tier.add_interval(each.start_s, each.stop_s, each.text)
    grid.to_file(str(path), mode=mode)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.eaf", elan),
        ("long.TextGrid", lambda path: praat(path, "normal")),
        ("short.TextGrid", lambda path: praat(path, "short")),
        ("aggregated.csv", lambda path: path.write_text(AGGREGATED, "utf-8")),
        ("tabular.tsv", lambda path: path.write_text(TABULAR, "utf-8")),
        (
            "ours.csv",
            lambda path: path.write_text(
                '\ufefftier;start_s;stop_s;label\nface;0,5;1,25;"a ""happy"" face"\n'
                "face;2;3,5;Ärger\n",
                "utf-8",
            ),
        ),
    ],
)
def test_labels_are_read_from_every_format(
    name: str, write: Callable[[Path], object], tmp_path: Path
) -> None:
    write(tmp_path / name)
    assert labels_in(tmp_path / name) == LABELS
    assert labels_in(tmp_path / name, "face") == LABELS
    with pytest.raises(UsageError, match="no row called hands"):
        labels_in(tmp_path / name, "hands")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.docx", b"x"),
        ("a.eaf", b"<!DOCTYPE a [<!ENTITY x 'y'>]><ANNOTATION_DOCUMENT>&x;</ANNOTATION_DOCUMENT>"),
        ("a.eaf", b"<not xml"),
        ("a.TextGrid", b'File type = "ooTextFile"\nObject class = "TextGrid"\n0 1 <exists> 3'),
        ("a.TextGrid", b"\xff\xff"),
        ("a.csv", b"when,what\n1,2\n"),
        ("a.csv", b"start_s,stop_s,label\nnan,2,happy\n"),
        ("a.csv", b"start_s,stop_s,label\n3,2,happy\n"),
        ("a.csv", b"start_s,stop_s,label\nearly,2,happy\n"),
        ("a.csv", b"Time,Behavior,Status\n1,happy,STOP\n"),
    ],
)
def test_what_is_no_list_of_labels_is_refused_in_words(
    name: str, data: bytes, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError) as caught:
        labels_in(tmp_path / name)
    assert caught.value.hint


def test_labels_are_added_once_and_never_outside_the_session(
    write_log: Callable[..., Path], tmp_path: Path
) -> None:
    session = seal(write_log()).path  # four seconds
    table = tmp_path / "labels.csv"
    table.write_text("start_s,stop_s,label\n0,1,Happiness\n1,2,bored\n", "utf-8")
    assert add_labels(table, session, "R2", offset_s=0.5, blind=True) == (2, 0)
    assert add_labels(table, session, "R2", offset_s=0.5, blind=True) == (0, 2)
    found = annotations.read(session.with_name(ANNOTATIONS.name(session)))
    assert [(e.start_ns, e.stop_ns, e.label, e.blind) for e in found] == [
        (500_000_000, 1_500_000_000, "happy", True),
        (1_500_000_000, 2_500_000_000, "bored", True),
    ]
    with pytest.raises(UsageError, match="the session ends after 4"):
        add_labels(table, session, "R2", offset_s=60)
    assert len(annotations.read(session.with_name(ANNOTATIONS.name(session)))) == 2


def test_what_was_exported_comes_back(write_log: Callable[..., Path], tmp_path: Path) -> None:
    session = seal(write_log()).path
    for name in ("elan", "textgrid"):
        (path,) = export(session, name, tmp_path)
        found = labels_in(path, "marker")
        assert [(each.start_s, each.text) for each in found] == [
            (second + 0.5, f"marker {second}") for second in range(4)
        ]


def test_raters_are_compared_with_each_other_and_with_the_estimates(
    recording: Path, tmp_path: Path
) -> None:
    session = tmp_path / "session.h5"
    session.write_bytes(recording.read_bytes())
    # The face cries for half of the session, and laughs then.
    texts = {
        "R1": "start_s,stop_s,label\n0,9,sad\n12,19,happy\n19,20,bored\n",
        "R2": "start_s,stop_s,label\n0,8,sadness\n8,10,neutral\n12,20,joy\n",
    }
    for rater, said in texts.items():
        (tmp_path / f"{rater}.csv").write_text(said, "utf-8")
        add_labels(tmp_path / f"{rater}.csv", session, rater, blind=rater == "R1")
    torn = tmp_path / "torn.h5"
    torn.write_bytes(recording.read_bytes()[:2000])
    (tmp_path / "torn.annotations.jsonl").write_bytes(
        session.with_name(ANNOTATIONS.name(session)).read_bytes()
    )
    ran = affetti("agreement", torn, session, "--json")
    assert ran.returncode == ExitCode.DAMAGED, ran.stderr  # a bad file costs itself alone
    assert "torn.h5" in ran.stderr
    result = json.loads(ran.stdout)
    assert (result["sessions"], result["people"], result["others"]) == (1, 1, 1)
    between, *with_estimates = result["pairs"]  # raters have random ids, and stand by them
    (first,) = (pair for pair in with_estimates if pair["blind"])
    assert [between["blind"], len(with_estimates)] == [False, 2]
    # Sixteen seconds of both: eight and seven alike, and one that is sad for one alone.
    assert (between["ticks"], between["of_ticks"]) == (16, 20)
    assert between["alike"] == pytest.approx(15 / 16)
    assert between["kappa"] == pytest.approx(1 - (1 / 16) / (1 - (9 * 8 + 7 * 7) / 256))
    assert result["alpha"] > 0.8
    assert first["second"] == "estimates"
    assert first["classes"]["happy"]["recall"] > 0.5
    assert between["kappa_interval"] == [None, None]  # of one person nothing can be said
    shown = affetti("agreement", session)
    assert "Krippendorff's alpha" in shown.stdout
    assert "with the estimates in sight" in shown.stdout
    assert "Do the estimates deserve trust for P07?" in shown.stdout
