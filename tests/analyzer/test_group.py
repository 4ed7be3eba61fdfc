"""What the sessions of a study show together."""

import json
import math
import shutil
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from session_builder import Plan, build

from affetti.analyzer.analysis import Parameters
from affetti.analyzer.batch import Request, analyze_file
from affetti.analyzer.study.design import Design, read_design
from affetti.analyzer.study.drawings import figures, mean_trace
from affetti.analyzer.study.folder import methods, write_group
from affetti.analyzer.study.group import Group, Rules, refuse_taken
from affetti.analyzer.study.members import Member, around, read_member
from affetti.analyzer.study.statistics import SEED, contrast, described, interval
from affetti.analyzer.study.written import write_study
from affetti.core.clock import NS_PER_S
from affetti.core.custody import exports
from affetti.core.emotions import EMOTIONS
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import consent_to
from affetti.core.language import text
from affetti.sample_sessions.pieces import piece
from tests.command_line import affetti

REQUEST = Request(Parameters(segment_s=1), command="affetti group study")


@pytest.fixture(scope="module")
def session(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Member:
    """A real session of two tracks, read back from its analysis."""
    tmp = tmp_path_factory.mktemp("a")
    request = Request(Parameters(segment_s=1), tmp, stored=True)
    folder = analyze_file(recording, request).folder
    assert folder is not None
    told = {
        "path": tmp / "s.h5",
        "session_id": "0" * 32,
        "person": "P07",
        "duration_s": 20.0,
        "imported": False,
    }
    return read_member(folder, "s", {"condition": "a"}, **told)


@pytest.fixture(scope="module")
def study(session: Member) -> Group:
    """Eight sessions like that one, of four persons, in two conditions."""
    rng, members = np.random.default_rng(1), []
    for i in range(8):
        tracks, segments = dict(session.tracks), dict(session.segments)
        estimates = dict(session.estimates)
        for cells in (tracks, segments, estimates):
            for column, values in cells.items():
                if column.endswith(tuple(EMOTIONS)) or column == "congruence":
                    cells[column] = [v if v is None else v * rng.uniform(0.5, 1.0) for v in values]
        members.append(
            replace(
                session,
                name=f"s{i}",
                path=session.path.with_name(f"s{i}.h5"),
                session_id=f"{i:032x}",
                person=f"P{i % 4}",
                labels={"condition": "ab"[i // 4]},
                tracks=tracks,
                segments=segments,
                estimates=estimates,
            )
        )
    return Group(Rules("condition", 3.0, 0.1), ("condition",), members)


def rows_of(group: Group, name: str) -> list[dict[str, object]]:
    (table,) = (each for each in group.tables() if each.name == name)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


@pytest.mark.campaign
def test_long_tables_have_a_row_for_each_emotion_and_carry_the_design_and_playlist(
    study: Group,
) -> None:
    rows = rows_of(study, "track_emotions")
    keys = [(r["session"], r["track"], r["modality"], r["emotion"]) for r in rows]
    assert len(set(keys)) == len(keys) > 0
    assert {r["condition"] for r in rows} == {"a", "b"}
    assert all(0 <= r["probability"] <= 1 for r in rows)
    for table in study.tables():
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert len(set(table.columns)) == len(table.columns)


def test_a_change_is_against_the_quiet_stretches_of_the_same_session(study: Group) -> None:
    member = study.members[0]
    rows = [r for r in rows_of(study, "track_changes") if r["session"] == "s0"]
    estimates = [r for r in member.rows_of(member.estimates) if r["happiness"] is not None]
    inside = [(t["start_s"], t["stop_s"]) for t in member.rows_of(member.tracks)]

    def mean(emotion: str, chosen: object) -> float:
        some = [each[emotion] for each in estimates if chosen(each["t_ns"] / NS_PER_S)]
        return sum(some) / len(some)

    for row in rows:
        start_s, stop_s = inside[int(row["track"])]
        during = mean(row["emotion"], lambda m, a=start_s, b=stop_s: a <= m < b)
        assert row["during"] == pytest.approx(during)
        if row["quiet_s"] >= 5:
            quiet = mean(row["emotion"], lambda m: not any(a <= m < b for a, b in inside))
            assert row["change"] == pytest.approx(during - quiet)
        else:
            assert np.isnan(row["quiet"])
    assert rows


def test_during_a_track_is_what_its_own_table_says_of_the_face(session: Member) -> None:
    for track in session.rows_of(session.tracks):
        found = around(session, track, 3.0)
        said = [track[f"face_{emotion}"] for emotion in EMOTIONS]
        assert found.during == pytest.approx(said, abs=2e-6)
        assert found.during_s == pytest.approx(0.1 * track["face_said"], rel=0.02)


def test_a_person_counts_once_and_conditions_of_the_same_persons_are_paired() -> None:
    values = np.array([0.1, 0.4, 0.3, 0.6])
    found = described(values)
    assert (found.persons, found.mean) == (4, pytest.approx(0.35))
    assert found.standardized == pytest.approx(0.35 / values.std(ddof=1))
    drawn = np.random.default_rng((SEED, 0)).integers(0, 4, (2000, 4))
    assert interval(values) == pytest.approx(
        np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    )
    paired = contrast({"A": 0.1, "B": 0.2}, {"A": 0.3, "B": 0.5, "C": 0.9})
    assert (paired.kind, paired.persons, paired.difference) == ("paired", 2, pytest.approx(0.25))
    apart = contrast({"A": 0.1, "B": 0.2}, {"C": 0.3, "D": 0.6})
    pooled = np.sqrt((0.005 + 0.045) / 2)
    assert (apart.kind, apart.persons) == ("independent", 4)
    assert apart.effect == pytest.approx(0.3 / pooled * (1 - 3 / 7))
    assert contrast({"A": 1, "B": 2}, {"B": 1, "C": 2}).kind == "overlapping"
    assert np.isnan(contrast({"A": 1}, {"B": 2}).low)
    assert contrast({}, {"B": 2}).kind == "none"


@pytest.mark.campaign
def test_figures_equal_an_independent_computation_in_pandas(
    study: Group, recording: Path, tmp_path: Path
) -> None:
    import pandas as pd

    for member in study.members:
        shutil.copy(recording, member.path)
    write_group(study, tmp_path / "g", REQUEST, parquet=True, drawn=True)
    long = pd.read_csv(tmp_path / "g" / "track_emotions.csv")
    stored = pd.read_parquet(tmp_path / "g" / "track_emotions.parquet")
    assert list(stored.columns) == list(long.columns)
    assert np.allclose(stored["probability"], long["probability"], atol=1e-6)
    summary = pd.read_csv(tmp_path / "g" / "summary.csv").set_index(
        ["condition", "title", "measure", "emotion"]
    )
    persons = long.groupby(["condition", "modality", "emotion", "person"])["probability"].mean()
    told = persons.groupby(["condition", "modality", "emotion"]).agg(["mean", "std", "size"])
    for (condition, modality, emotion), row in told.iterrows():
        ours = summary.loc[(condition, "all", f"probability_{modality}", emotion)]
        assert ours["mean"] == pytest.approx(row["mean"], abs=1e-5)
        assert ours["sd"] == pytest.approx(row["std"], abs=1e-5)
        assert ours["persons"] == row["size"] == 4
        assert ours["low"] < ours["mean"] < ours["high"]
    changes = pd.read_csv(tmp_path / "g" / "track_changes.csv")
    by_person = changes.groupby(["condition", "emotion", "person"])["during"].mean()
    paired = by_person["b"] - by_person["a"]
    contrasts = pd.read_csv(tmp_path / "g" / "contrasts.csv").set_index(
        ["title", "measure", "emotion"]
    )
    for emotion, differences in paired.groupby("emotion"):
        ours = contrasts.loc[("all", "during", emotion)]
        assert ours["kind"] == "paired"
        assert ours["difference"] == pytest.approx(differences.mean(), abs=1e-5)
        expected = differences.mean() / differences.std()  # of numbers with six digits
        assert ours["effect"] == pytest.approx(expected, rel=1e-3, abs=1e-3)
    package = json.loads((tmp_path / "g" / "datapackage.json").read_text())
    for resource in package["resources"]:
        for column in resource["schema"]["fields"]:
            assert column["description"]
    for name in ("traces", "congruence"):
        assert (tmp_path / "g" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in (tmp_path / "g" / f"{name}.svg").read_bytes()


@pytest.mark.campaign
def test_of_different_persons_the_effect_is_hedges_g_as_pandas_and_the_gamma_function_have_it(
    study: Group,
) -> None:
    import pandas as pd

    members = [replace(each, person=f"Q{i}") for i, each in enumerate(study.members)]
    apart = Group(study.rules, study.labels, members)
    long = pd.DataFrame(rows_of(apart, "track_emotions"))
    persons = long.groupby(["modality", "emotion", "condition", "person"])["probability"].mean()
    contrasts = [row for row in rows_of(apart, "contrasts") if row["title"] == "all"]
    contrasts = [row for row in contrasts if str(row["measure"]).startswith("probability")]
    assert len(contrasts) >= 2 * len(EMOTIONS)
    for ours in contrasts:
        of_both = persons[str(ours["measure"]).removeprefix("probability_"), ours["emotion"]]
        a, b = of_both["a"], of_both["b"]
        assert (ours["kind"], ours["persons"]) == ("independent", len(a) + len(b))
        assert ours["difference"] == pytest.approx(b.mean() - a.mean())
        assert ours["low"] <= ours["difference"] <= ours["high"]
        m = len(a) + len(b) - 2
        d = (b.mean() - a.mean()) / math.sqrt(((len(a) - 1) * a.var() + (len(b) - 1) * b.var()) / m)
        exactly = math.gamma(m / 2) / (math.sqrt(m / 2) * math.gamma((m - 1) / 2))
        assert ours["effect"] == pytest.approx(d * exactly, rel=5e-3)  # it has the approximation


def test_figures_have_the_names_of_tracks_as_they_are_and_their_title_in_lines(
    study: Group,
) -> None:
    members = []
    for member in study.members:
        titles = [f"A$AP \\frac{{ $x$ {title}" for title in member.tracks["title"]]
        members.append(replace(member, tracks={**member.tracks, "title": titles}))
    drawn = figures(replace(study, members=members))["congruence.svg"]
    assert b"A$AP \\frac{ $x$" in drawn
    assert f"<!-- {text('group.congruence')} -->".encode() not in drawn


def test_a_mean_over_persons_goes_on_where_sessions_end(session: Member) -> None:
    whole = [row for row in session.rows_of(session.segments) if row["modality"] == "face"][:4]
    shorter = [dict(row) for row in whole[:3]]
    shorter[-1]["stop_s"] -= 0.6  # it ends in the middle of a segment
    members = [
        replace(
            session, person=person, segments={name: [r[name] for r in rows] for name in rows[0]}
        )
        for person, rows in (("P01", whole), ("P02", whole), ("P03", shorter))
    ]
    at_s, mean, *_ = mean_trace(members, 0)
    assert at_s == pytest.approx([(row["start_s"] + row["stop_s"]) / 2 for row in whole])
    seen = [np.nan if row["happiness"] is None else row["happiness"] for row in whole]
    assert mean == pytest.approx(seen, nan_ok=True)
    assert np.isfinite(mean).sum() > 1


def test_methods_name_every_parameter(study: Group) -> None:
    said = methods(study, REQUEST)
    for word in ("8 sessions of 4 persons", "segments of 1 s", "3 s before", "10 %", "2,000"):
        assert word in said
    assert "group.methods" not in said


def test_a_design_is_read_and_what_it_lacks_is_said(tmp_path: Path) -> None:
    path = tmp_path / "design.csv"
    path.write_text("session;condition;person\na.h5;calm;X1\n", encoding="utf-8")
    design = read_design(path)
    assert design.columns == ("condition", "person")
    assert design.labels_of("0" * 32, "a") == {"condition": "calm", "person": "X1"}
    assert design.labels_of("0" * 32, "b") is None
    path.write_text("name,condition\n")
    with pytest.raises(AffettiError, match="no column `session`"):
        read_design(path)
    path.write_text("session,condition\na,calm, very\n")
    with pytest.raises(AffettiError, match="more cells than there are headings"):
        read_design(path)


def test_a_design_may_name_its_separator_and_begin_its_headings_with_capitals(
    tmp_path: Path,
) -> None:
    path = tmp_path / "design.csv"
    path.write_text("sep=;\r\nSession;Condition;Person\r\nP01;a, b, c;X1\r\n")
    design = read_design(path)
    assert design.columns == ("Condition", "person")
    assert design.labels_of("0" * 32, "P01") == {"Condition": "a, b, c", "person": "X1"}


def test_a_line_of_a_design_that_names_no_session_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "design.csv"
    path.write_text("session,condition\nP01,calm\n,lively\n")
    with pytest.raises(AffettiError, match="names no session: ,lively"):
        read_design(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_design_is_read_as_spreadsheets_write_it(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "design.csv"
    path.write_bytes("session;condition;\r\nGrüße.H5;früh;\r\n007;spät\r\n;;\r\n".encode(encoding))
    design = read_design(path)
    assert design.columns == ("condition",)
    as_on_a_mac = unicodedata.normalize("NFD", "Grüße")
    assert design.labels_of("0" * 32, as_on_a_mac) == {"condition": "früh"}
    assert design.labels_of("0" * 32, "007") == {"condition": "spät"}
    assert design.labels_of("0" * 32, "7") is None
    path.write_bytes(f"session\n{'1' * 32}\n".encode(encoding))
    assert read_design(path).labels_of("1" * 32, "a") == {}


def test_a_column_that_the_tables_have_already_is_refused_before_anything_is_done() -> None:
    refuse_taken(Design(("condition", "person", "age")))
    for name in ("session_id", "title", "duration_s", "label"):
        with pytest.raises(AffettiError, match=f"a column {name}"):
            refuse_taken(Design((name,)))


@pytest.mark.campaign
def test_who_did_not_consent_to_research_is_left_out_and_listed(tmp_path: Path) -> None:
    study = tmp_path / "study"
    study.mkdir()
    agreed = consent_to("video", "room", "research")
    less = consent_to("video", "room")
    for name, consent in (("a", agreed), ("b", agreed), ("c", less), ("e", agreed)):
        build(study / f"{name}.h5", Plan(duration_s=2, person=f"P{name}", consent=consent))
    (study / "d.h5").write_bytes((study / "a.h5").read_bytes()[:3000])
    design = tmp_path / "design.csv"
    design.write_text("session,condition\na,x\nb,y\nc,y\nd,x\nmissing,x\ne,\n")
    said = affetti("group", study, "--design", design, "--by", "condition", "--jobs", "2")
    assert said.returncode == ExitCode.WARNING, said.stderr
    assert "2 sessions of 2 persons" in said.stdout
    assert "One session is left out: no consent to use in research." in said.stdout
    assert "One session is left out: the design says nothing in the column" in said.stdout
    assert text("study.how_to_take_part") not in said.stderr
    excluded = (study / "group" / "excluded.csv").read_text()
    assert '"c",,,,"no_consent"' in excluded
    assert '"d",,,,"failed"' in excluded
    assert '"missing",,,,"no_recording"' in excluded
    assert '"e",,,,"no_condition"' in excluded
    assert "(1): missing" in said.stderr
    assert "Pc" not in (study / "group" / "sessions.csv").read_text()
    (noted,) = exports.noted(study / "a.h5")
    assert noted.target == str(study / "group" / "group.json")
    assert not exports.noted(study / "c.h5")
    shutil.rmtree(study / "a.analysis")
    affetti("analyze", study / "a.h5", "--segment", "1")  # by other parameters: it stays
    again = affetti("group", study, "--design", design, "--by", "condition", "--jobs", "2")
    assert "2 sessions of 2 persons" in again.stdout
    assert (study / "a.group.analysis").is_dir()
    assert again.returncode == ExitCode.WARNING
    assert len(exports.noted(study / "a.h5")) == 1
    forgotten = affetti("forget", "Pa", study, "--yes")
    assert "group.json" in forgotten.stdout


def test_a_folder_of_something_else_is_never_written_into(tmp_path: Path) -> None:
    path = build(tmp_path / "a.h5", Plan(duration_s=1))
    (tmp_path / "group").mkdir()
    (tmp_path / "group" / "theirs.txt").write_text("x")
    said = affetti("group", path)
    assert said.returncode == ExitCode.FILE_EXISTS
    said = affetti("group", path, "--by", "condition")
    assert said.returncode == ExitCode.USAGE


def test_what_an_earlier_run_wrote_is_removed_and_nothing_else(tmp_path: Path) -> None:
    folder, session = tmp_path / "g", build(tmp_path / "a.h5", Plan(duration_s=1))
    (tmp_path / "theirs.csv").write_text("x")
    said = b'{"files": {"old.png": null, "new.csv": 1, "../theirs.csv": null, "..": null}}'
    write_study(folder, {"old.png": b"1", "new.csv": b"2", "g.json": said}, "g.json", [session])
    (folder / "mine.ipynb").write_text("x")
    write_study(folder, {"new.csv": b"3", "g.json": b"{}"}, "g.json", [session])
    assert sorted(each.name for each in folder.iterdir()) == ["g.json", "mine.ipynb", "new.csv"]
    assert (folder / "new.csv").read_bytes() == b"3"
    assert (tmp_path / "theirs.csv").exists()
    (noted,) = exports.noted(session)
    assert noted.target == str(folder / "g.json")


@pytest.mark.campaign
def test_whose_consent_to_research_ended_is_left_out(tmp_path: Path) -> None:
    one = build(tmp_path / "a.h5", Plan(duration_s=2, consent=consent_to("video", "research")))
    assert "1 session of 1 person" in affetti("group", tmp_path).stdout
    assert affetti("withdraw", one, "research", "--yes").returncode == ExitCode.OK
    said = affetti("group", tmp_path)
    assert "One session is left out: no consent to use in research." in said.stdout
    assert '"no_consent"' in (tmp_path / "group" / "excluded.csv").read_text()


@pytest.mark.campaign
def test_where_nobody_consented_to_research_it_is_said_what_to_do(tmp_path: Path) -> None:
    build(tmp_path / "a.h5", Plan(duration_s=2, consent=consent_to("video", "room")))
    for command in (("group",), ("study", "report")):
        said = affetti(*command, tmp_path, "--output", tmp_path / command[-1])
        assert said.returncode == ExitCode.WARNING, said.stderr
        assert "One session is left out: no consent to use in research." in said.stdout
        assert text("study.how_to_take_part") in said.stderr
        assert text("study.nothing") not in said.stdout


@pytest.mark.campaign
def test_after_a_withdrawal_the_named_analysis_is_gone_and_the_tables_are_named_and_made_anew(
    tmp_path: Path,
) -> None:
    study = tmp_path / "study"
    study.mkdir()
    for name in ("P01", "P02"):
        piece(study / f"of-{name}.h5", name, stop_s=3.0)
        analyze_file(study / f"of-{name}.h5", replace(REQUEST, name="slow", parquet=True))
    assert affetti("group", study, "--parquet", "--figures", "--jobs", "1").returncode == 0
    said = affetti("withdraw", study / "of-P01.h5", "video", "--yes")
    assert said.returncode == 0, said.stderr
    assert str(study / "group" / "group.json") in said.stdout
    assert not list(study.glob("of-P01*.analysis"))
    assert affetti("group", study, "--jobs", "1", "--coverage", "0").returncode == 0
    for table in ("track_emotions", "track_changes"):
        rows = (study / "group" / f"{table}.csv").read_text().splitlines()
        told = [row for row in rows if '"P01"' in row]
        assert all('"face"' not in row for row in told)
        assert any('"P02"' in row for row in rows)
    own = {study / f"of-P01{suffix}" for suffix in (".h5", ".exports.jsonl")}
    left = {path for path in study.rglob("*") if path.is_file() and path not in own}
    telling = {path for path in left if b"of-P01" in path.read_bytes()}
    assert {path.parent.name for path in telling} <= {"group", "of-P01.analysis"}
    assert not list(study.glob("group/*.png")) + list(study.glob("group/*.parquet"))


@pytest.mark.campaign
def test_nothing_that_an_analysis_wrote_outlives_a_person_and_the_tables_are_named(
    tmp_path: Path,
) -> None:
    for person in ("P01", "P02"):
        plan = Plan(duration_s=1, person=person, consent=consent_to("video", "room", "research"))
        build(tmp_path / f"of-{person}.h5", plan)
        analyze_file(tmp_path / f"of-{person}.h5", replace(REQUEST, name="slow", parquet=True))
    said = affetti("group", tmp_path, "--parquet", "--jobs", "1")
    assert said.returncode == 0, said.stderr
    told = affetti("forget", "P01", tmp_path, "--yes").stdout
    assert str(tmp_path / "group" / "group.json") in told
    assert not list(tmp_path.rglob("of-P01*"))
    files = [path for path in tmp_path.rglob("of-P02*/*") if path.is_file()]
    assert files
    assert not any(b"of-P01" in path.read_bytes() for path in files)


def test_a_folder_that_cannot_be_made_is_told_as_that_of_tables(
    study: Group, tmp_path: Path
) -> None:
    (tmp_path / "a file").write_bytes(b"")
    with pytest.raises(AffettiError, match="tables of the study"):
        write_group(study, tmp_path / "a file" / "group", REQUEST)


@pytest.mark.parametrize("command", ["group", "study report"])
def test_that_tables_cannot_be_written_is_said_before_anything_is_analyzed(
    tmp_path: Path, command: str
) -> None:
    piece(tmp_path / "s.h5", "P01", stop_s=3)
    (tmp_path / "a file").write_bytes(b"")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone" / "and gone")
    for output in ("a file/group", "nowhere"):
        done = affetti(*command.split(), tmp_path, "--output", tmp_path / output)
        assert done.returncode == ExitCode.FILE_MISSING, done.stderr
        assert "cannot be written" in done.stderr
        assert "--output" in done.stderr
        assert not list(tmp_path.glob("*.analysis"))


@pytest.mark.parametrize(
    ("command", "package"),
    [
        (("group", "--parquet"), "pyarrow"),
        (("group", "--figures"), "matplotlib"),
        (("analyze", "--parquet"), "pyarrow"),
        (("export", "--to", "parquet"), "pyarrow"),
    ],
)
def test_that_a_package_is_missing_is_said_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], package: str
) -> None:
    recording = piece(tmp_path / "s.h5", "P01", stop_s=3)
    monkeypatch.setitem(sys.modules, package, None)
    name, *options = command

    def computed(*_: object, **__: object) -> None:
        raise AssertionError("something was computed")

    for module, function in (
        ("batch", "stored"),
        ("batch", "replayed"),
        ("batch", "attempted"),
        ("exports", "reported"),
    ):
        monkeypatch.setattr(f"affetti.analyzer.{module}.{function}", computed)
    done = affetti(name, recording, *options)
    assert "pip install" in done.stderr
    assert package in done.stderr
    assert "something was computed" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} <= {"s.h5", "settings.toml"}
