"""The page of a session in its three forms: on paper, as text, and in HTML."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from session_builder import Plan, build, chord

from affetti.analyzer.analysis import analyze
from affetti.analyzer.replay import shown
from affetti.analyzer.report import write_report
from affetti.analyzer.report.accuracy import FIGURES
from affetti.analyzer.report.beside import beside, conclude
from affetti.analyzer.report.blocks import Block, Card, Moments, Page, plain, said_in
from affetti.analyzer.report.content import page_of
from affetti.analyzer.report.html import html, style
from affetti.analyzer.report.paper import Size, pdf, source
from affetti.analyzer.report.plain import WIDTH, plain_text
from affetti.analyzer.report.textures import _LINES, textures
from affetti.core.clock import NS_PER_S
from affetti.core.custody.withdrawal import withdraw
from affetti.core.emotions import EXPRESSIONS
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import (
    EmotionFused,
    FaceEstimated,
    MarkerAdded,
    MusicEstimated,
    NoteAdded,
    SelfReported,
    SessionEnded,
    TrackEnded,
    TrackStarted,
)
from affetti.core.events.entries import Retracted
from affetti.core.events.people import GoalDropped, GoalReworded, GoalSet, GoalStateChanged
from affetti.core.hues import DARK, HUES, LIGHT, contrast, ink_on
from affetti.core.language import clock_text, duration, percent, word
from affetti.core.people.log import add
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


def test_a_face_that_was_hardly_seen_without_music_has_no_figure_there(recording: Path) -> None:
    with Session.open(recording) as session:
        analysis = analyze(session, shown(session))
        without = {}
        for seen_s in (0.4, 5.0):
            quiet = replace(analysis.quiet, seen_s=seen_s)
            page = page_of(replace(analysis, quiet=quiet), beside(session, analysis))
            (face,) = (section for section in page.sections if section.id == "face")
            without[seen_s] = plain(face.blocks[0].rows[-1][1].words)
    assert "%" not in without[0.4]
    assert "%" in without[5.0]


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
    assert sheets(made) <= 3
    assert not re.findall(rb"/URI\s*\(", made)


def sheets(made: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", made))


@pytest.fixture(scope="module")
def two_minutes(tmp_path_factory: pytest.TempPathFactory, face_jpegs: list[bytes]) -> Page:
    """The page of two minutes with three goals, two tracks and eight moments."""
    labels = ("sings", "eye contact", "withdraws")
    moments = [MarkerAdded(t_ns=(5 + 20 * i) * NS_PER_S, label=labels[i % 3]) for i in range(6)]
    moments.append(NoteAdded(t_ns=50 * NS_PER_S, text="She hummed along with the second verse."))
    moments.append(
        SelfReported(t_ns=115 * NS_PER_S, valence=0.5, arousal=-0.5, occasion="after", track=1,
                     scales={"Pain": 3}, answered_s=6.5)
    )  # fmt: skip
    plan = Plan(
        duration_s=120,
        onset_s=35,
        tracks=[(f"Piece {i + 1}", chord(32, 220 + 42 * i, 262, 330)) for i in range(2)],
        moments=moments,
        jpegs=[jpeg for jpeg in face_jpegs for _ in range(30)],
        unfilmed=[(60, 66)],
    )
    place = tmp_path_factory.mktemp("two")
    words = ("Sings a line by herself", "Looks up when a song begins", "Chooses a song")
    her = {"author_id": "0" * 32, "person": "P07", "written": "2026-11-10T10:00:00.000+00:00"}
    add([GoalSet(**her, goal_id=f"{i:032x}", words=said) for i, said in enumerate(words)],
        "P07", place)  # fmt: skip
    return page_at(build(place / "sub-P07_ses-20261124T101500.h5", plan))


def as_long(page: Page, minutes: int) -> Page:
    """Return a page as long as one of so many minutes: a track every five, a moment every 20 s."""
    times = {"tracks": max(1, minutes // 10), "moments": max(1, minutes * 3 // 8)}

    def longer(block: Block, of: str) -> list[Block]:
        if isinstance(block, Card):
            return [block] * times[of]
        if isinstance(block, Moments):
            return [replace(block, moments=block.moments * times[of])]
        return [block]

    sections = tuple(
        replace(each, blocks=tuple(b for block in each.blocks for b in longer(block, each.id)))
        if each.id in times
        else each
        for each in page.sections
    )
    return replace(page, sections=sections)


@pytest.mark.campaign
@pytest.mark.parametrize(("minutes", "at_most"), [(2, 3), (30, 7), (60, 12)])
@pytest.mark.parametrize("size", ["a4", "us-letter"])
def test_sheets_are_few_and_no_title_ends_one(
    minutes: int, at_most: int, size: Size, two_minutes: Page
) -> None:
    import typst

    page = as_long(two_minutes, minutes)
    assert sheets(pdf(page, size)) <= at_most
    layout, inputs = source(page, size)
    where = """#context [#metadata(query(heading).map(it => (
        it.location().page(), (page.height - it.location().position().y).mm()))) <titles>]"""
    found = typst.query(layout + where.encode(), "<titles>", field="value", one=True,
                        sys_inputs=inputs)  # fmt: skip
    titles = json.loads(found)
    assert len(titles) > 10
    margin_mm, two_lines_mm = 13, 9
    assert min(above_mm for _, above_mm in titles) > margin_mm + two_lines_mm


def test_a_grey_copy_tells_expressions_apart() -> None:
    def grey(hue: str) -> float:
        return sum(w * int(hue[i : i + 2], 16) for w, i in ((0.299, 1), (0.587, 3), (0.114, 5)))

    looks = {name: (_LINES.get(name), grey(hue)) for name, hue in LIGHT.items()}
    for (first, (lines, dark)), (second, (others, light)) in combinations(looks.items(), 2):
        assert lines != others or abs(dark - light) > 40, (first, second)
        for texture in (first, second):
            assert f'id="texture-{texture}"' in textures()


def test_letters_are_shorter_and_wider_than_a4(page: Page) -> None:
    (box,) = set(re.findall(rb"/MediaBox\s*\[([^\]]*)\]", pdf(page, "us-letter")))
    assert box.split() == [b"0", b"0", b"612", b"792"]


def test_lines_of_the_text_are_bounded(page: Page) -> None:
    assert max(map(len, plain_text(page).splitlines())) <= WIDTH + 1


def test_that_a_page_cannot_be_written_is_said_before_anything_is_computed(
    quiet_recording: Path, tmp_path: Path
) -> None:
    (tmp_path / "a file").write_bytes(b"")
    (tmp_path / "mine.html").write_bytes(b"mine")
    begun: list[int] = []
    for output in (tmp_path / "a file" / "page.html", tmp_path / "mine.html"):
        with pytest.raises(AffettiError):
            write_report(quiet_recording, output, lambda done, total: begun.append(done))
    assert not begun
    assert (tmp_path / "mine.html").read_bytes() == b"mine"


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


def test_goals_stand_as_they_were_on_the_day_of_the_session(tmp_path: Path) -> None:
    path = build(tmp_path / "sub-P07_ses-20261124T101500.h5", Plan(duration_s=2))
    first, second, her = "ab" * 16, "cd" * 16, {"author_id": "0" * 32, "person": "P07"}
    with Session.open(path) as session:
        day = session.started.wall_clock[:10]
        of_this = session.session_id

    def on(after_days: int, clock: str) -> dict[str, str]:
        moment = datetime.fromisoformat(f"{day}T{clock}+00:00") + timedelta(days=after_days)
        return {**her, "written": moment.isoformat(timespec="milliseconds")}

    dropped = GoalDropped(**on(-1, "09:00"), goal_id=second)
    add(
        [
            GoalSet(**on(-3, "09:00"), goal_id=first, words="Sings a line"),
            GoalSet(**on(-2, "09:00"), goal_id=second, words="Chooses a song"),
            dropped,
            GoalStateChanged(**on(0, "18:00"), goal_id=first, state="emerging"),
        ],
        "P07",
        tmp_path,
    )
    assert "emerging" in goals_on(path)
    assert "progress" not in goals_on(path)
    later = [
        GoalStateChanged(**on(3, "09:00"), goal_id=first, state="achieved"),
        GoalReworded(**on(4, "09:00"), goal_id=first, words="Sings a verse"),
        Retracted(author_id="0" * 32, written=on(5, "09:00")["written"],
                  of_entry_id=dropped.entry_id),
    ]  # fmt: skip
    add(later, "P07", tmp_path)
    told = goals_on(path)
    assert "Sings a line" in told
    assert "emerging" in told
    assert "achieved" not in told
    assert "Chooses a song" not in told
    assert words("What changed since stands on the page of progress.") in words(told)
    seen = GoalStateChanged(**on(6, "09:00"), goal_id=first, state="not_yet", session_id=of_this)
    add([seen], "P07", tmp_path)  # written late, of this session
    assert "not yet" in goals_on(path)


def goals_on(path: Path) -> str:
    return plain_text(page_at(path)).split("CONCLUSION")[0]


@pytest.mark.campaign
@pytest.mark.parametrize("scope", ["forget", "withdraw"])
def test_a_page_goes_under_any_name_and_one_elsewhere_is_named(
    tmp_path: Path, face_jpegs: list[bytes], scope: str
) -> None:
    folder, elsewhere = tmp_path / "kept", tmp_path / "elsewhere"
    (folder / "below").mkdir(parents=True)
    elsewhere.mkdir()
    path = build(folder / "sub-P07_ses-1.h5", Plan(duration_s=1, jpegs=face_jpegs[:2]))
    with Session.open(path) as session:
        told = session.session_id.encode()
    names = ("my page.pdf", "of today.HTM", "page.txt", "below/page.pdf", "below/week 3.html")
    pages = [write_report(path, folder / name) for name in names]
    gone = write_report(path, elsewhere / "page.html")
    assert all(told in page.read_bytes() for page in (*pages, gone))
    (folder / "mine.txt").write_text("What I wrote of it by hand.", encoding="utf-8")
    what = ("P07", folder) if scope == "forget" else (path, "video")
    said = affetti(scope, *what, "--yes")
    assert said.returncode == 0
    assert [page.name for page in pages if page.exists()] == []
    assert f"{gone.resolve()}" in said.stdout  # which only its owner can remove
    assert (folder / "mine.txt").exists()
    if scope == "forget":
        left = [each for each in folder.rglob("*") if each.is_file()]
        assert left == [folder / "mine.txt"]


@pytest.mark.campaign
def test_a_page_that_is_being_written_does_not_outlive_a_withdrawal(
    tmp_path: Path, face_jpegs: list[bytes]
) -> None:
    path = build(
        tmp_path / "sub-P07_ses-1.h5",
        Plan(duration_s=1, jpegs=face_jpegs[:2], skip=lambda modality, event: modality == "face"),
    )
    done: list[object] = []

    def meanwhile(read: int, total: int) -> None:
        if not done:
            done.append(withdraw(path, ["video"]))

    with pytest.raises(AffettiError, match="was changed or removed"):
        write_report(path, progress=meanwhile)
    assert done
    assert list(tmp_path.glob("*.report.*")) == []


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
    assert facts["Face read"] == percent(len(faces) / max(due, len(faces)))

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


@pytest.mark.campaign
def test_no_figure_of_the_first_page_comes_from_anywhere_else(  # noqa: PLR0915  one a figure
    plan: Plan, tmp_path: Path
) -> None:
    """Each is computed again from the events, section by section; of changes, from their table."""
    import pandas as pd

    build(
        tmp_path / "sub-P07_ses-20261120T101500.h5",
        replace(plan, wall_clock="2026-11-20T10:15:00+01:00", moments=[]),
    )
    edges = (("start", 1.5), ("end", 4.25), ("start", 11.0), ("end", 12.5))
    sung = [
        MarkerAdded(t_ns=round(t * NS_PER_S), label="sings", number=i // 2 + 1, edge=edge)
        for i, (edge, t) in enumerate(edges)
    ]
    path = build(
        tmp_path / "sub-P07_ses-20261124T101500.h5", replace(plan, moments=[*plan.moments, *sung])
    )
    with Session.open(path) as session:
        events = list(session.events)
        analysis = analyze(session, shown(session))
    page = page_at(path)
    changes = pd.DataFrame(
        [(c.t_s, c.dwell_s) for c in analysis.face.changes], columns=["t_s", "dwell_s"]
    )
    settings = events[0].perception
    end_ns = max(e.t_ns for e in events if isinstance(e, SessionEnded))
    end_s = end_ns / NS_PER_S
    starts = [e for e in events if isinstance(e, TrackStarted)]
    ends = [e for e in events if isinstance(e, TrackEnded)]
    faces = pd.DataFrame(
        [(e.t_ns, *e.expressions) for e in events if isinstance(e, FaceEstimated) if e.expressions],
        columns=["t_ns", *EXPRESSIONS],
    )
    music = [e.t_ns for e in events if isinstance(e, MusicEstimated) if e.emotions is not None]
    alike = pd.Series(
        [1 - e.divergence_bits for e in events
         if isinstance(e, EmotionFused) if e.divergence_bits is not None]
    )  # fmt: skip

    def due(start_ns: int, stop_ns: int, period_ns: int) -> int:
        return len(range(-(-start_ns // period_ns) * period_ns, stop_ns, period_ns))

    def seen_in(start_ns: int, stop_ns: int) -> tuple[pd.DataFrame, str]:
        inside = faces[(faces.t_ns >= start_ns) & (faces.t_ns < stop_ns)]
        expected = max(due(start_ns, stop_ns, settings.face_period_ns), len(inside))
        return inside, percent(len(inside) / expected)

    def means(inside: pd.DataFrame) -> set[str]:
        return {percent(share) for share in inside[list(EXPRESSIONS)].mean()}

    whole = seen_in(0, end_ns)[1]
    looked = [e for e in events if isinstance(e, FaceEstimated) and e.faces]
    there = len(looked)
    unread = pd.Series(
        [e.nobody or (e.face.unread if e.face else None) for e in looked]
    ).value_counts()
    due_music = len(range(NS_PER_S, end_ns, settings.music_period_s * NS_PER_S))
    heard = percent(len(music) / max(due_music, len(music)))
    ticks = settings.fusion_period_ns
    both = len(range(ticks, end_ns - settings.fusion_lateness_ns, ticks))
    known: dict[str, set[str]] = {
        "facts": {"10:15", f"00:{end_ns // NS_PER_S:02d}", str(len(starts)), whole, heard,
                  f"{alike.mean():.2f}", percent(len(alike) / both)},
        "notes": {clock_text(e.t_ns / NS_PER_S) for e in events if isinstance(e, NoteAdded)},
        "person": {"01", "00:19.0", "0.5", "3"},
        "gaps": {whole, heard, *(clock_text(e.t_ns / NS_PER_S) for e in events),
                 *map(percent, unread / there)},
    }  # fmt: skip

    # The face: by track, without music, and last time, which was the same but for its markers.
    face: set[str] = {"20", "2026", f"00:{end_ns // NS_PER_S:02d}", whole}
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1):
        inside, coverage = seen_in(start.t_ns, end.t_ns)
        face |= {str(number), coverage, *means(inside)}
        face |= per_min(changes, analysis.face, start.t_ns / NS_PER_S, end.t_ns / NS_PER_S)
    # It is quiet once the last track is over, and the last window in which music was heard.
    quiet_ns = max(ends[-1].t_ns, *music)
    face |= means(faces[faces.t_ns >= quiet_ns])
    face |= per_min(changes, analysis.face, quiet_ns / NS_PER_S, end_s)
    known["face"] = face

    three: set[str] = set()
    for change in changes.itertuples():
        at_ns = round(change.t_s * NS_PER_S)
        about = at_ns - NS_PER_S * 5 // 2, at_ns + NS_PER_S * 5 // 2
        inside, coverage = seen_in(max(about[0], 0), min(about[1], end_ns))
        three |= {clock_text(change.t_s), duration(change.dwell_s)[:-2], coverage, *means(inside)}
    known["three"] = three

    lengths = pd.Series([4.25 - 1.5, 12.5 - 11.0])
    counted = {"1", "2", "0", f"{60 / end_s:.2f}", f"{120 / end_s:.2f}"}
    counted |= {f"{lengths.sum():.1f}", f"{lengths.max():.1f}", percent(lengths.sum() / end_s)}
    known["counted"] = counted

    told = {"facts": " ".join(f"{plain(pair.words)} {pair.small}" for pair in page.facts)}
    for section in page.sections:
        if section.part == "front":
            shown_here = replace(page, facts=(), notices=(), sections=(section,), footer=())
            told[section.id] = " ".join(list(said_in(shown_here))[2:])
    for rows in (s.blocks[0].rows for s in page.sections if s.id == "counted"):
        markers = [row for row in rows if plain(row[0].words) in ("sings", "<b>eye</b> contact")]
        assert len(markers) == 2
        told["counted"] = " ".join(plain(cell.words) for row in markers for cell in row)
    assert set(told) >= set(known) - {"three"}
    for name, said in told.items():
        figures = set(re.findall(r"\d+(?:[.:]\d+)*(?:\xa0%)?", said))
        assert figures <= known.get(name, set()), (name, said)


def per_min(changes: Any, face: Any, start_s: float, stop_s: float) -> set[str]:
    """Return how long the face was seen in a stretch, and its lasting changes a minute, as told."""
    tick_s = face.tick_ns / NS_PER_S
    ticks = [i * tick_s for i, state in enumerate(face.states.states) if state >= 0]
    seen_s = sum(start_s <= t_s < stop_s for t_s in ticks) * tick_s
    count = sum(start_s <= t_s < stop_s for t_s in changes.t_s)
    return {f"{seen_s:.1f}", f"{60 * count / seen_s:.1f}" if seen_s else ""}


def test_the_page_can_be_read_by_who_hears_it(page: Page) -> None:
    source = html(page)
    assert source.count("<h1>") == source.count("<main>") == 1
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", source)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all('scope="' in tag for tag in re.findall(r"<th\b[^>]*>", source))
    drawings = re.findall(r'<svg role="img"[^>]*aria-labelledby="([^"]+)"', source)
    assert len(drawings) > 3
    for named in drawings:
        assert all(f'id="{each}"' in source for each in named.split())
    ids = re.findall(r'\bid="([^"]+)"', source)
    repeated = {each for each in ids if ids.count(each) > 1}
    assert repeated <= {"legend-gap"}
