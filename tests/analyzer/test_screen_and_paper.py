"""The review screen and the report say the same of the same recording."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from session_builder import RATE_HZ, Plan, build, chord
from textual.widgets import Static

from affetti.analyzer.analysis import analyze
from affetti.analyzer.measures.estimates import LABELS, MODALITIES
from affetti.analyzer.replay import completed
from affetti.analyzer.report import write_report
from affetti.analyzer.tables.session_tables import tables_of
from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    ConsentChanged,
    DeviceLost,
    DeviceRestored,
    Event,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    PersonChanged,
    RecordingPaused,
    RecordingResumed,
    SelfReported,
    TrackPaused,
    TrackResumed,
    consent_to,
)
from affetti.core.language import text
from affetti.core.recording.session import Session
from affetti.models.face.detection import Detection
from affetti.models.face.reading import FaceReading
from affetti.models.sound.music import MusicReading
from affetti.recorder.engine import messages
from affetti.recorder.tui.screens.review import ReviewScreen
from affetti.recorder.tui.view import RecordingView
from tests.recorder.test_tui_screens import opened

pytestmark = pytest.mark.one_of_each

CRYING = (0.02, 0.01, 0.05, 0.02, 0.78, 0.02, 0.10)
TORN = (0.08, 0.01, 0.02, 0.36, 0.34, 0.02, 0.17)
SMILING = (0.01, 0.0, 0.02, 0.81, 0.05, 0.03, 0.08)
BOTH = consent_to("video", "room")
NEITHER = consent_to()
A, B = ("Grey Sunday", chord(9, 220, 262, 330)), ("Morning <b>Dance</b>", chord(8, 262, 330, 392))


class Faces:
    """Readers of faces that each express something for so many seconds, over and over."""

    def __init__(self, *turns: tuple[float, tuple[float, ...] | None], count: int = 1) -> None:
        self._shown = [face for seconds, face in turns for _ in range(round(10 * seconds))]
        self._count = count

    def reader(self) -> Callable[[object, object], FaceReading]:
        shown = cycle(self._shown)

        def read(image: object, choose: object, where: object = None) -> FaceReading:
            face = next(shown)
            if face is None:
                return FaceReading()
            others = tuple(Detection((110, 20, 40, 40), 0.9) for _ in range(self._count - 1))
            return FaceReading(  # type: ignore[arg-type]
                expressions=face, box_px=(40, 20, 60, 60), faces=self._count, others=others
            )

        return read


def music(samples: Any, rate_hz: int) -> MusicReading:
    """Hear music wherever there is sound."""
    if not samples.any():
        return MusicReading(None, -120.0)
    return MusicReading((0.3, 0.11, 0.09, 0.5), -20.0, 90.0, ("minor", "sparse"))


def at(kind: type[Any], t_s: float, **fields: Any) -> Event:
    event: Event = kind(t_ns=round(t_s * NS_PER_S), **fields)
    return event


def of_track(kind: type[Any], t_s: float) -> Event:
    return at(kind, t_s, track=0, sample=round(t_s * RATE_HZ))


def half_the_faces(modality: str, event: Event) -> str | None:
    return "late" if modality == "face" and event.t_ns // NS_PER_S % 2 else None


TURNING = Faces((2.3, CRYING), (1.6, TORN), (3.1, SMILING), (0.7, None))
KINDS: dict[str, dict[str, Any]] = {
    "two tracks": {"tracks": [A, B], "read_face": TURNING},
    "what was expected": {"tracks": [A], "read_face": TURNING, "expected": "relaxation"},
    "no face": {"tracks": [A], "read_face": Faces((1, None))},
    "no camera": {"tracks": [A, B], "jpegs": []},
    "no music": {"read_face": TURNING, "tracks": []},
    "a pause": {
        "tracks": [A, B],
        "read_face": TURNING,
        "moments": [at(RecordingPaused, 4.2), at(RecordingResumed, 7.9)],
        "unfilmed": [(4.2, 7.9)],
    },
    "consent withdrawn": {
        "tracks": [A, B],
        "read_face": TURNING,
        "moments": [at(ConsentChanged, 5, consent=NEITHER), at(ConsentChanged, 12, consent=BOTH)],
        "unfilmed": [(5, 12)],
    },
    "the track paused, and skipped": {
        "tracks": [A],
        "read_face": TURNING,
        "end_reason": "skipped",
        "moments": [of_track(TrackPaused, 4.4), of_track(TrackResumed, 6.1)],
    },
    "two faces": {
        "tracks": [A],
        "read_face": Faces((4, CRYING), (2, SMILING), count=2),
        "moments": [at(PersonChanged, 8.3)],
    },
    "the camera lost": {
        "tracks": [A, B],
        "read_face": TURNING,
        "moments": [
            at(DeviceLost, 6, device="camera"),
            at(DeviceRestored, 10.5, device="camera", gap_ns=5 * NS_PER_S),
        ],
        "unfilmed": [(5.5, 10.5)],
    },
    "a response": {
        "duration_s": 62.0,
        "onset_s": 45.0,
        "tracks": [A],
        "read_face": Faces((49.5, CRYING), (99, SMILING)),
    },
    "no response": {
        "duration_s": 60.0,
        "onset_s": 45.0,
        "tracks": [A],
        "read_face": Faces((6, CRYING), (6, SMILING)),
    },
    "a reference refused": {
        "tracks": [A],
        "read_face": Faces((9, CRYING)),
        "moments": [at(NeutralReferenceStarted, 0.5), at(NeutralReferenceRecorded, 3.5)],
    },
    "broken off": {"tracks": [A], "read_face": TURNING, "ended": False},
    "what could not be made live": {"tracks": [A], "read_face": TURNING, "skip": half_the_faces},
    "what the person said": {
        "tracks": [A, B],
        "read_face": TURNING,
        "moments": [at(SelfReported, 11, track=0, valence=0.5, occasion="between")],
    },
}


@dataclass(frozen=True)
class Told:
    """A recording of a kind, and its report."""

    fields: dict[str, Any]
    path: Path
    page: "Page"


@pytest.fixture(scope="module")
def told_of(tmp_path_factory: pytest.TempPathFactory, blank_jpeg: bytes) -> Callable[[str], Told]:
    """Record a kind, and report it, once for all tests that ask for it."""

    @cache
    def tell(kind: str) -> Told:
        fields = {"duration_s": 20.0, "jpegs": [blank_jpeg], "read_music": music, "looks": False,
                  **KINDS[kind]}  # fmt: skip
        read_face = fields.get("read_face", Faces((1, None))).reader()
        path = tmp_path_factory.mktemp("kind") / f"{list(KINDS).index(kind)}.h5"
        build(path, Plan(**{**fields, "read_face": read_face}))
        return Told(fields, path, Page(write_report(path).read_text(encoding="utf-8")))

    return tell


class Page(HTMLParser):
    """Collects the texts of a report by the class, or the tag, of what they stand in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "br"):
            self._open.append(dict(attrs).get("class") or tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and self._open:
            self.texts.append((self._open[-1], " ".join(data.split())))

    def under(self, kind: str) -> list[str]:
        return [text for found, text in self.texts if found == kind]

    def section(self, first: str, last: str) -> list[str]:
        """Return the texts between two texts."""
        texts = [text for _, text in self.texts]
        if first not in texts:
            return []
        begin = texts.index(first) + 1
        return texts[begin : texts.index(last, begin)]


async def on_screen(path: Path, folder: Path) -> str:
    """Return what the review screen says of a recording's tracks and gaps, in one line."""
    view = RecordingView(lambda: 0)
    with Session.open(path) as session:
        view.hear(messages.Recorded(tuple(session.events)))
    async with opened(folder) as app:
        screen = ReviewScreen(app.app.screen.link, view)
        await app.app.push_screen(screen)
        if sum(view.state.skipped.values()):
            screen.hear(messages.Sealed(str(path), "stopped"))
            await app.until(lambda: screen._course is not None)
        console = Console(width=400, color_system=None)
        with console.capture() as shown:
            console.print(screen.query_one("#tracks", Static).content)
    return " ".join(shown.get().split())


@pytest.mark.parametrize("kind", KINDS)
async def test_the_screen_says_what_the_report_says(
    tmp_path: Path, told_of: Callable[[str], Told], kind: str
) -> None:
    fields, page = told_of(kind).fields, told_of(kind).page
    screen = await on_screen(told_of(kind).path, tmp_path)
    rows = list(
        zip(page.under("bar-name"), page.under("bar-words"), page.under("bar-coverage"),
            strict=True)
    )  # fmt: skip
    assert len(rows) == 3 * len(fields["tracks"])
    alone = text("together.face"), text("together.music")
    with Session.open(told_of(kind).path) as session:
        whose = {text("modality.face"): text("review.face_of", person=session.info.person)}
    for name, words, coverage in rows:
        # Of whom it is, the screen says as well: P07's face, and that a mix is nobody's.
        own = name != text("modality.fused") or words in alone
        said = words if own else f"{words} · {text('live.nobodys')}"
        assert f"{whose.get(name, name)} {said} {coverage}" in screen
    told = page.under("expected")
    assert len(told) == (len(fields["tracks"]) if "expected" in fields else 0)
    assert all(text in screen for text in told)
    told = page.under("self-report")
    assert len(told) == sum(isinstance(m, SelfReported) for m in fields.get("moments", ()))
    assert all(" ".join(text.split()) in screen for text in told)
    for label in ("played", "congruence", "congruence-coverage", "response"):
        told = page.under(label)
        assert len(told) == len(fields["tracks"])
        assert all(" ".join(text.split()) in screen for text in told)
    unseen = page.under("when"), page.under("why")
    for when, why in zip(*unseen, strict=True):
        assert f"{when} {why}" in screen
    assert ("could not be seen" in screen) == bool(unseen[0])


@pytest.mark.parametrize("kind", ["two tracks", "a pause"])
def test_segments_are_the_same_in_the_table_and_in_the_report(
    told_of: Callable[[str], Told], kind: str
) -> None:
    page = told_of(kind).page
    with Session.open(told_of(kind).path) as session:
        (table,) = [t for t in tables_of(analyze(session, completed(session)))
                    if t.name == "segments"]  # fmt: skip
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    spoken = sorted((r for r in rows if r["said"]),
                    key=lambda r: (r["segment"], MODALITIES.index(r["modality"])))  # fmt: skip
    shares = [" ".join(f"{row[e]:.2f}" for e in LABELS[row["modality"]]) for row in spoken]
    assert len(shares) > 8
    assert page.under("figure segment-shares") == shares
    for row in spoken:
        assert row["strongest"] == max(LABELS[row["modality"]], key=lambda label: row[label])


@pytest.mark.campaign
def test_what_happened_is_in_what_is_said(told_of: Callable[[str], Told]) -> None:
    """The comparison is of something: each kind of recording leaves its words."""
    told = {}
    for kind in ("a response", "no response", "consent withdrawn", "the camera lost", "two faces",
                 "what was expected", "a reference refused",
                 "the track paused, and skipped"):  # fmt: skip
        texts = told_of(kind).page.texts
        told[kind] = " ".join(text for _, text in texts).replace("\u00a0", " ")
    assert (
        "expected relaxation; the music expresses relaxation, 50 %; the face "
        in (told["what was expected"])
    )
    assert "After 4.5 s, from sadness to happiness." in told["a response"]
    assert (
        "No response: the face changed no more than it does without music." in (told["no response"])
    )
    assert "00:05.0–00:12.0 7.0 s no consent to video" in told["consent withdrawn"]
    assert "later withdrawn" in told["consent withdrawn"]
    assert "00:05.5–00:10.5 5.0 s the camera was lost" in told["the camera lost"]
    assert "several faces in view" in told["two faces"]
    assert "100 % of the pictures with a face" in told["two faces"]
    assert "00:08.3 another of the faces was chosen" in told["two faces"]
    assert "refused: the face in it was not neutral" in told["a reference refused"]
    assert "heard for 7.3 s of 9.0 s, skipped" in told["the track paused, and skipped"]
