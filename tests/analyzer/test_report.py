import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from session_builder import Plan, build, chord

from affetti.analyzer.analysis import Analysis, analyze
from affetti.analyzer.replay import completed, replayed
from affetti.analyzer.report import html_of, save_report, write_report
from affetti.analyzer.report.wording import clock, percent, seconds, signed, times
from affetti.core.clock import NS_PER_S
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import RecordingPaused, RecordingResumed
from affetti.core.language import word
from affetti.core.recording.session import Session


class Reader(HTMLParser):
    """Collects a page's elements, their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._silent += tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += data


@pytest.fixture(scope="module")
def analysis(recording: Path) -> Analysis:
    with Session.open(recording) as session:
        return analyze(session, completed(session))


@pytest.fixture(scope="module")
def page(analysis: Analysis) -> Reader:
    return Reader(html_of(analysis))


def test_what_people_typed_is_text_and_never_markup(page: Reader) -> None:
    assert "<b>eye</b> contact" in page.text
    assert "<script>document.title = 'run'</script>" in page.text
    assert not [tag for tag, _ in page.elements if tag in ("script", "iframe", "object", "img")]


def test_the_page_can_reach_nothing_outside_itself(page: Reader) -> None:
    policies = [a["content"] for t, a in page.elements if a.get("http-equiv")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    for _, attributes in page.elements:
        for name, value in attributes.items():
            assert name not in ("src", "srcset", "action", "onclick", "onload")
            if name == "href":
                assert value == "data:,"
            assert not re.match(r"(?i)\s*(https?:|//|file:|javascript:)", value or "")


def test_every_figure_is_told_to_who_cannot_see_it(page: Reader) -> None:
    figures = [a for t, a in page.elements if t == "svg" and a.get("role") == "img"]
    ids = {a.get("id") for _, a in page.elements}
    # The timeline, three bars a track, three diagrams, the coverage.
    assert len(figures) == 1 + 3 * 2 + 3 + 1
    for figure in figures:
        assert set((figure["aria-labelledby"] or "").split()) <= ids
    assert len(ids - {None}) == sum(a.get("id") is not None for _, a in page.elements)


def test_the_report_never_says_that_a_person_feels_something(page: Reader) -> None:
    text = page.text.lower()
    assert "express" in text
    assert re.findall(r"\bfe(?:els|lt|eling)\b[^.]*\.", text) == [
        "feels, only that person can say.",
        "feeling.",
        "feels.",
    ]
    assert "no diagnosis" in text


def test_coverage_stands_beside_every_bar(page: Reader) -> None:
    assert page.text.count("coverage ") >= 6


def test_tracks_notes_and_markers_are_there(page: Reader) -> None:
    for text in ("Grey Sunday", "=SUM(A1)", "She hummed along.", "relaxation, valence +0.5"):
        assert text in page.text


def test_a_track_says_where_its_music_lies_and_what_spoke_for_it(
    analysis: Analysis, page: Reader
) -> None:
    track = analysis.tracks[0]
    assert track.reasons
    for reason in track.reasons:
        assert f"{word('sign', reason.code)} ({percent(reason.share)})" in page.text.lower()
    music = track.summaries["music"]
    assert f"Valence {signed(music.valence)}, arousal {signed(music.arousal)}" in page.text


@pytest.mark.parametrize("duration_s", [0.02, 2])
def test_a_session_of_nothing_has_a_report_that_says_so(tmp_path: Path, duration_s: float) -> None:
    path = build(tmp_path / "nothing.h5", Plan(duration_s=duration_s))
    page = Reader(write_report(path).read_text(encoding="utf-8"))
    assert "No video was recorded, so nothing is said of the face." in page.text
    assert "No music was heard, so nothing is said of it." in page.text
    assert "nan" not in page.text.lower().replace("resonan", "")


def test_a_face_that_is_never_seen_is_not_guessed_at(tmp_path: Path, blank_jpeg: bytes) -> None:
    plan = Plan(duration_s=8, tracks=[("A", chord(6, 220, 330))], jpegs=[blank_jpeg])
    page = Reader(write_report(build(tmp_path / "blank.h5", plan)).read_text(encoding="utf-8"))
    assert "No face was seen in the video" in page.text
    assert "no face seen" in page.text
    assert "The face was not read." in page.text


def test_a_face_that_was_there_and_not_read_is_never_called_not_seen(
    tmp_path: Path, sample_session: Path
) -> None:
    with Session.open(sample_session) as session:
        image = cv2.imdecode(np.frombuffer(session.frames.at(3).jpeg, np.uint8), cv2.IMREAD_COLOR)
    two = bytes(cv2.imencode(".jpg", np.hstack([image, image]))[1])
    plan = Plan(duration_s=8, tracks=[("A", chord(6, 220, 330))], jpegs=[two])
    path = build(tmp_path / "two.h5", plan)
    page = Reader(write_report(path).read_text(encoding="utf-8"))
    assert "A face was in the video and could not be read (several faces" in page.text
    assert "A face was in view in this session, and was never read (several faces" in page.text
    assert "a face, not read: several faces" in page.text
    assert "no face" not in page.text.lower()


def test_a_pause_is_shown_and_nothing_is_missed_in_it(tmp_path: Path) -> None:
    moments = [RecordingPaused(t_ns=2 * NS_PER_S), RecordingResumed(t_ns=5 * NS_PER_S)]
    path = build(tmp_path / "pause.h5", Plan(duration_s=8, moments=moments))
    html = write_report(path).read_text(encoding="utf-8")
    assert "Paused, 00:02.0–00:05.0" in html
    assert "the recording was paused" in html


def test_a_recording_that_broke_off_says_so_at_the_top(tmp_path: Path, blank_jpeg: bytes) -> None:
    plan = Plan(duration_s=3, jpegs=[blank_jpeg], ended=False)
    page = Reader(write_report(build(tmp_path / "cut.h5", plan)).read_text(encoding="utf-8"))
    assert "This recording broke off." in page.text


@pytest.mark.campaign
def test_completed_and_replayed_estimates_give_the_same_findings(
    recording: Path, analysis: Analysis
) -> None:
    with Session.open(recording) as session:
        again = analyze(session, replayed(session))
    same = r"(?s)<section aria-labelledby=\"(?:glance|course|tracks|changes|moments)\".*?</section>"
    assert re.findall(same, html_of(analysis)) == re.findall(same, html_of(again))


def test_a_report_replaces_its_predecessor_but_no_other_file(
    quiet_recording: Path, recording: Path, tmp_path: Path
) -> None:
    path = tmp_path / "r.html"
    write_report(quiet_recording, path)
    write_report(quiet_recording, path)
    path.write_text("a letter")
    with pytest.raises(AffettiError) as caught:
        write_report(quiet_recording, path)
    assert caught.value.code is ExitCode.FILE_EXISTS
    assert path.read_text() == "a letter"


def test_a_report_is_small_enough_to_send(analysis: Analysis) -> None:
    assert len(html_of(analysis).encode()) < 400_000


def test_numbers_read_as_people_write_them() -> None:
    assert [percent(x) for x in (0, 0.004, 0.5, 0.996, 1, float("nan"))] == [
        "0\u00a0%",
        "under 1\u00a0%",
        "50\u00a0%",
        "over 99\u00a0%",
        "100\u00a0%",
        "–",
    ]
    assert [seconds(x) for x in (7, 123.4, float("nan"))] == ["7.0\u00a0s", "02:03.4", "–"]
    assert [clock(x) for x in (0, 59.6, 3723)] == ["00:00", "00:59", "1:02:03"]
    assert [times(n) for n in (0, 1, 2, 5)] == ["never", "once", "twice", "5 times"]


def test_a_link_beside_a_report_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / ".a.html.writing").symlink_to(precious)
    html = f'<meta name="affetti-session" content="{"0" * 32}">'
    save_report(html.encode(), tmp_path / "a.html", "0" * 32)
    assert precious.read_text() == "precious"
    assert (tmp_path / "a.html").read_text() == html
