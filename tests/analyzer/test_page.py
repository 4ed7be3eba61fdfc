"""The page of a session in its three forms: on paper, as text, and in HTML."""

import re
from pathlib import Path

import pytest
from session_builder import Plan, build

from affetti.analyzer.analysis import analyze
from affetti.analyzer.replay import shown
from affetti.analyzer.report import write_report
from affetti.analyzer.report.accuracy import FIGURES
from affetti.analyzer.report.beside import beside, conclude
from affetti.analyzer.report.blocks import Page, plain, said_in
from affetti.analyzer.report.content import page_of
from affetti.analyzer.report.html import html, style
from affetti.analyzer.report.paper import pdf
from affetti.analyzer.report.plain import WIDTH, plain_text
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EXPRESSIONS
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import (
    FaceEstimated,
    MarkerAdded,
    NoteAdded,
    SelfReported,
    SessionEnded,
    TrackEnded,
    TrackStarted,
)
from affetti.core.hues import DARK, HUES, LIGHT, contrast, ink_on
from affetti.core.language import percent, word
from affetti.core.recording.session import Session
from affetti.models.manifest import model
from tests.command_line import affetti


def page_at(path: Path) -> Page:
    with Session.open(path) as session:
        analysis = analyze(session, shown(session))
        return page_of(analysis, beside(session, analysis))


@pytest.fixture(scope="module")
def page(recording: Path) -> Page:
    return page_at(recording)


def words(said: str) -> str:
    """Return a text with nothing but its words: lines and blanks fall where a form puts them."""
    return "".join(said.split())


def without_tags(source: str) -> str:
    from html import unescape

    body = re.sub(r"(?s)<(style|title)\b.*?</\1>", " ", source)
    return unescape(re.sub(r"<[^>]*>", "", body))


def test_html_and_text_say_all_that_the_page_says(page: Page) -> None:
    for form in (without_tags(html(page)), plain_text(page)):
        told = words(form).casefold()
        assert [s for s in said_in(page) if words(s).casefold() not in told] == []


def test_what_goes_to_paper_is_what_the_page_says(page: Page) -> None:
    from affetti.analyzer.report.paper import _data

    def texts(data: object) -> str:
        if isinstance(data, dict):
            return "".join(texts(each) for each in data.values())
        if isinstance(data, tuple):  # a style, and what is said in it
            return str(data[1])
        if isinstance(data, list):
            return "".join(texts(each) for each in data)
        return data if isinstance(data, str) else ""

    told = words(texts(_data(page)))
    assert [s for s in said_in(page) if words(s) not in told] == []


def test_a_page_on_paper_is_short_and_knows_its_session(page: Page) -> None:
    made = pdf(page)
    assert made.startswith(b"%PDF")
    assert f"affetti-session {page.subject}".encode() in made
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", made)) <= 4
    assert not re.findall(rb"/URI\s*\(", made)


def test_letters_are_shorter_and_wider_than_a4(page: Page) -> None:
    (box,) = set(re.findall(rb"/MediaBox\s*\[([^\]]*)\]", pdf(page, "us-letter")))
    assert box.split() == [b"0", b"0", b"612", b"792"]


def test_lines_of_the_text_are_bounded(page: Page) -> None:
    assert max(map(len, plain_text(page).splitlines())) <= WIDTH + 1


def test_the_suffix_decides_what_is_written(quiet_recording: Path, tmp_path: Path) -> None:
    for suffix, begins in ((".pdf", b"%PDF"), (".txt", b"Affetti"), (".html", b"<!doctype")):
        path = write_report(quiet_recording, tmp_path / f"page{suffix}")
        again = write_report(quiet_recording, path)  # its own is replaced
        assert again.read_bytes().startswith(begins)
    with pytest.raises(AffettiError) as caught:
        write_report(quiet_recording, tmp_path / "page.docx")
    assert caught.value.code is ExitCode.USAGE


def test_nothing_seen_is_still_a_page_and_is_said_plainly(quiet_recording: Path) -> None:
    empty = page_at(quiet_recording)
    told = [plain(said) for said in empty.notices]
    assert any("Nothing could be seen of the face" in said for said in told)
    assert any("No music was heard" in said for said in told)
    assert pdf(empty).startswith(b"%PDF")
    assert "nan" not in plain_text(empty).lower()


def test_a_conclusion_stands_first_and_a_second_one_replaces_it(tmp_path: Path) -> None:
    path = build(tmp_path / "sub-P07_ses-20261124T101500.h5", Plan(duration_s=2))
    assert "Nothing was concluded yet." in plain_text(page_at(path))
    conclude(path, "She sang <b>by herself</b>.", "own")
    assert affetti("report", path, "--conclusion", "She sang.").returncode == 0
    told = plain_text(page_at(path))
    assert "She sang." in told
    assert "by herself" not in told
    assert "Nothing was concluded" not in told


@pytest.mark.campaign
def test_the_last_session_is_named_and_its_withdrawal_takes_the_page(tmp_path: Path) -> None:
    from affetti.core.custody.withdrawal import forget

    first = build(tmp_path / "sub-P07_ses-20261120T101500.h5", Plan(duration_s=2))
    second = build(
        tmp_path / "sub-P07_ses-20261124T101500.h5",
        Plan(duration_s=2, wall_clock="2026-11-27T10:15:00+01:00"),
    )
    with Session.open(first) as session:
        told_of = session.session_id
    pages = [write_report(second, second.with_suffix(f".report.{f}")) for f in ("pdf", "txt")]
    assert all(told_of.encode() in page.read_bytes() for page in pages)
    forget(first)
    assert not any(page.exists() for page in pages)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(told_of.encode() in path.read_bytes() for path in left)


@pytest.mark.parametrize("name", FIGURES)
def test_the_accuracy_that_is_told_stands_in_the_card(name: str) -> None:
    found = model(name)
    card = (found.path.parent / found.card).read_text(encoding="utf-8")
    assert all(f"{figure:.1f} %" in card for figure in FIGURES[name].values())


def test_screen_and_page_have_one_palette() -> None:
    for hues in (LIGHT, DARK):
        assert hues in HUES.values()
        for hue in hues.values():
            assert hue in style()
            assert contrast(ink_on(hue), hue) >= 4.5


def test_every_number_of_the_first_page_comes_from_the_log(recording: Path, page: Page) -> None:
    """Computed again from the events alone, with pandas, and looked for where the page says it."""
    import pandas as pd

    with Session.open(recording) as session:
        events = list(session.events)
    faces = pd.DataFrame(
        [
            (e.t_ns, *e.expressions)
            for e in events
            if isinstance(e, FaceEstimated) and e.expressions
        ],
        columns=["t_ns", *EXPRESSIONS],
    )
    starts = [e for e in events if isinstance(e, TrackStarted)]
    ends = [e for e in events if isinstance(e, TrackEnded)]
    end_ns = max(e.t_ns for e in events if isinstance(e, SessionEnded))
    front = {section.id: section for section in page.sections if section.part == "front"}

    facts = {pair.name: plain(pair.words) for pair in page.facts}
    assert facts["Length"] == f"00:{end_ns // NS_PER_S:02d}"
    assert facts["Tracks"] == str(len(starts))
    due = len(range(0, end_ns, events[0].perception.face_period_ns))
    assert facts["Face seen"] == percent(len(faces) / max(due, len(faces)))

    rows = front["face"].blocks[0].rows
    assert len(rows) == len(starts) + 1
    for row, start, end in zip(rows, starts, ends, strict=False):
        inside = faces[(faces.t_ns >= start.t_ns) & (faces.t_ns < end.t_ns)]
        means = inside[list(EXPRESSIONS)].mean()
        first, second = means.nlargest(2).index
        said = plain(row[1].words)
        assert word("emotion", first) in said
        close = means[first] - means[second] < 0.1
        assert (percent(means[first]) in said) is not close
        expected = len(range(-(-start.t_ns // 10**8) * 10**8, end.t_ns, 10**8))
        assert percent(min(1, len(inside) / expected)) in row[1].small

    markers = pd.Series([e.label for e in events if isinstance(e, MarkerAdded)]).value_counts()
    counted = {plain(row[0].words): row for row in front["counted"].blocks[0].rows}
    for label, times in markers.items():
        assert plain(counted[label][1].words) == str(times)
        assert plain(counted[label][2].words) == f"{60 * times / (end_ns / NS_PER_S):.2f}"
        by_track = [
            sum(isinstance(e, MarkerAdded) and e.label == label and a.t_ns <= e.t_ns < b.t_ns
                for e in events)
            for a, b in zip(starts, ends, strict=True)
        ]  # fmt: skip
        assert plain(counted[label][4].words) == ", ".join(
            f"{i}: {n}" for i, n in enumerate(by_track, start=1)
        )
    assert len(front["notes"].blocks[0].items) == sum(isinstance(e, NoteAdded) for e in events)
    assert len(front["person"].blocks[0].items) == sum(isinstance(e, SelfReported) for e in events)
