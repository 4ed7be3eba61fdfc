"""What a study's sessions say against what was expected, what people say, and what raters see."""

import csv
import json
import math
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from session_builder import Plan, build, chord
from sklearn import metrics

from affetti.analyzer.batch import Request
from affetti.analyzer.study.evaluation import Evaluation
from affetti.analyzer.study.evaluation_folder import figure, plain, write_evaluation
from affetti.analyzer.study.judged import EXPECTED, Judged, emotion_of
from affetti.analyzer.study.published import PUBLISHED
from affetti.analyzer.study.scores import CODES, scores_of
from affetti.core import language
from affetti.core.clock import NS_PER_S
from affetti.core.custody import exports
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import ProtocolStarted, SelfReported, Step, StepEnded, consent_to
from tests.command_line import affetti


def playings(people: int = 6, tracks: int = 10, seed: int = 3) -> list[Judged]:
    """Return playings in which the music is mostly right, the face is silent at times."""
    rng = np.random.default_rng(seed)
    found = []
    for person in range(people):
        for track in range(tracks):
            truth = CODES[int(rng.integers(4))]
            said = truth if rng.random() < 0.7 else CODES[int(rng.integers(3))]
            face = None if rng.random() < 0.3 else CODES[int(rng.integers(4))]
            found.append(
                Judged(
                    *(f"{person:032x}", f"s{person}", f"P{person:02d}", track, "t"),
                    columns={"genre": "folk" if track % 2 else "jazz"},
                    truths={"expected": truth, "self_report": None, "raters": None},
                    said={"face": face, "music": said, "fused": None},
                    coverages={"face": 1.0, "music": 1.0, "fused": math.nan},
                )
            )
    return found


def test_figures_are_those_of_scikit_learn() -> None:
    rows = playings()
    scores = {(s.modality, s.level): s for s in scores_of("affetti", rows, ["genre"])}
    assert {level for _, level in scores} == {"", "folk", "jazz"}
    for (modality, level), score in scores.items():
        told = [
            row
            for row in rows
            if row.said[modality] is not None and level in ("", row.columns["genre"])
        ]
        assert score.tracks == len(told)
        assert score.tracks + score.silent == len(rows) / (2 if level else 1)
        if not told:
            assert math.isnan(score.accuracy.value)
            continue
        truth, said = [r.truths[EXPECTED] for r in told], [r.said[modality] for r in told]
        assert score.accuracy.value == pytest.approx(metrics.accuracy_score(truth, said))
        assert score.kappa == pytest.approx(metrics.cohen_kappa_score(truth, said))
        precision, recall, f1, count = metrics.precision_recall_fscore_support(
            truth, said, labels=CODES, zero_division=np.nan
        )
        for i, each in enumerate(score.emotions.values()):
            figures = (each.precision.value, each.recall.value, each.f1.value)
            assert figures == pytest.approx((precision[i], recall[i], f1[i]), nan_ok=True)
            assert each.tracks == count[i]
        assert score.macro_f1.value == pytest.approx(np.nanmean(f1))
        np.testing.assert_array_equal(
            score.confusion, metrics.confusion_matrix(truth, said, labels=CODES)
        )


def test_intervals_draw_people_and_not_tracks() -> None:
    """People who are wholly right or wholly wrong make an interval as wide as that of people."""
    rows = [
        Judged(
            *(f"{p:032x}", f"s{p}", f"P{p}", track, "t", {}),
            {"expected": CODES[track % 4], "self_report": None, "raters": None},
            {
                "face": None,
                "music": CODES[(track + (p % 2)) % 4],
                "fused": CODES[track % 4],
            },
            {"face": math.nan, "music": 1.0, "fused": 1.0},
        )
        for p in range(4)
        for track in range(200)
    ]
    scores = {s.modality: s for s in scores_of("affetti", rows)}
    music, fused = scores["music"].accuracy, scores["fused"].accuracy
    assert music.value == 0.5
    assert (music.low, music.high) == (0.0, 1.0)  # of tracks it would be 0.46 to 0.54
    assert (fused.value, fused.low, fused.high) == (1.0, 1.0, 1.0)
    alone = {s.modality: s for s in scores_of("affetti", rows[:200])}["music"].accuracy
    assert alone.value == 1.0
    assert math.isnan(alone.low)
    again = {s.modality: s for s in scores_of("affetti", rows)}["music"].accuracy
    assert again == music


@pytest.mark.parametrize(
    ("emotion", "valence", "arousal", "named"),
    [
        ("Anger", 0.5, -0.5, "anger"),
        ("warm", 0.5, -0.5, "relaxation"),
        ("", -1.0, 1.0, "anger"),
        (None, -0.5, -0.5, "sadness"),
        (None, 1.0, 0.5, "happiness"),
        ("warm", 0.0, 0.5, None),
        (None, None, 0.5, None),
    ],
)
def test_a_self_report_names_an_emotion_by_its_word_or_its_quadrant(
    emotion: str | None, valence: float | None, arousal: float | None, named: str | None
) -> None:
    said = {"emotion": emotion, "valence": valence, "arousal": arousal}
    assert emotion_of(said) == named


def test_one_published_figure_of_each_modality_is_held_against() -> None:
    held = [each for each in PUBLISHED if each.held]
    assert {each.modality: each.accuracy for each in held} == {
        "face": 0.84,
        "music": 0.88,
        "fused": 0.884,
    }
    rows = playings()
    study = Evaluation(False, (), 0.5, rows={"affetti": rows}, scores=scores_of("affetti", rows))
    assert len(study.held()) == len(PUBLISHED)
    found = {each.published.place: each.found for each in study.held()}
    assert found["results"] is None  # nothing was said of both together


def test_figures_without_an_interval_are_written_as_the_language_writes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AFFETTI_LANGUAGE", "de")
    language.forget()
    try:
        assert (plain(0.5), figure(None)) == ("0,50", "–")
    finally:
        monkeypatch.undo()
        language.forget()


def test_the_page_and_every_table_say_what_is_constructed(tmp_path: Path) -> None:
    rows = dict.fromkeys(("affetti", "paper"), playings())
    found = scores_of("affetti", rows["affetti"], ["genre"])
    scores = [replace(each, pipeline=name) for name in rows for each in found]
    study = Evaluation(True, ("genre",), 0.5, rows=rows, scores=scores)
    write_evaluation(study, tmp_path / "study", Request(command="affetti study report s"))
    page = (tmp_path / "study" / "study.html").read_text(encoding="utf-8")
    titles = re.findall(r"<(?:h1|h2|h3|caption)>(.*?)</", page)
    assert len(titles) > 10
    assert [each for each in titles if "(constructed)" not in each] == []
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "88.4 % in its results: held against this one" in page
    assert "87 % in its abstract: not held against" in page
    for table in study.tables():
        with (tmp_path / "study" / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
            assert len(list(csv.reader(file))) == len(table.rows) + 1
    package = json.loads((tmp_path / "study" / "datapackage.json").read_text())
    for resource in package["resources"]:
        assert all(each["description"] for each in resource["schema"]["fields"])
    with pytest.raises(AffettiError, match="something else than a study"):
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "theirs.txt").write_text("x")
        write_evaluation(study, tmp_path / "other", Request())


def session_of(target: Path, jpegs: list[bytes], person: str, *scopes: str) -> Path:
    """Record two tracks, of which the person said something after the second."""
    steps = (Step(kind="track", track=0), Step(kind="track", track=1))
    plan = Plan(
        duration_s=10,
        tracks=[("Grey", chord(4, 220, 262, 330)), ("Bright", chord(4, 262, 330, 392))],
        moments=[
            ProtocolStarted(
                t_ns=0,
                name="two chords",
                version="7",
                sha256="a" * 64,
                order="fixed",
                tracks=(0, 1),
                steps=steps,
            ),
            StepEnded(t_ns=5 * NS_PER_S, step=0, step_kind="track", outcome="done"),
            SelfReported(t_ns=int(9.5 * NS_PER_S), emotion="anger", occasion="after", track=1),
        ],
        jpegs=jpegs[:2],
        looks=False,
        expected="sadness",
        person=person,
        consent=consent_to("video", "room", *scopes),
    )
    return build(target, plan)


@pytest.mark.campaign
def test_a_study_is_reported_from_its_recordings(face_jpegs: list[bytes], tmp_path: Path) -> None:
    study = tmp_path / "moods"
    study.mkdir()
    one = session_of(study / "a.h5", face_jpegs, "P01", "research")
    session_of(study / "b.h5", face_jpegs, "P02")
    labels = tmp_path / "labels.csv"
    labels.write_text("start_s,stop_s,label\n1.2,4.5,happy\n4.5,5,sad\n")
    assert affetti("labels", "import", labels, "--session", one, "--rater", "R2").returncode == 0

    said = affetti("study", "report", study, "--jobs", "1", "--json")
    assert said.returncode == 0, said.stderr
    facts = json.loads(said.stdout)
    assert facts["sessions"] == facts["persons"] == 1
    assert facts["left_out"] == {"no_consent": 1}
    assert [row["session"] for row in facts["excluded"]] == ["b"]
    assert facts["protocols"][0]["name"] == "two chords"
    assert (facts["protocols"][0]["done"], facts["protocols"][0]["steps"]) == (1, 2)
    assert facts["constructed"] is False
    truths = [(row["expected"], row["self_report"], row["raters"]) for row in facts["tracks"]]
    assert truths == [("sadness", None, "happiness"), ("sadness", "anger", None)]
    references = {(row["reference"], row["modality"]) for row in facts["scores"]}
    assert references == {
        (r, m) for r in ("expected", "self_report", "raters") for m in ("face", "music", "fused")
    }

    folder = study / "study"
    with (folder / "tracks.csv").open(encoding="utf-8", newline="") as file:
        assert [row["session"] for row in csv.DictReader(file)] == ["a", "a"]
    page = (folder / "study.html").read_text(encoding="utf-8")
    assert "Protocol two chords, version 7" in page
    assert "constructed" not in page
    assert "88.4 % in its results: held against this one" in page
    assert "P02" not in page
    assert [each.target for each in exports.noted(one)] == [str(folder / "study.json")]
    assert not exports.noted(study / "b.h5")

    again = affetti("study", "report", study, "--jobs", "1", "--constructed")
    assert "1 session, 1 person (constructed)" in again.stdout
    assert "Pipeline affetti, against what the playlist expects (constructed)" in again.stdout
    assert "(constructed)" in (folder / "study.html").read_text(encoding="utf-8")
    unknown = affetti("study", "report", study, "--jobs", "1", "--by", "genre")
    assert unknown.returncode == ExitCode.USAGE
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "theirs.txt").write_text("x")
    assert affetti("study", "report", study, "--jobs", "1").returncode == ExitCode.FILE_EXISTS
