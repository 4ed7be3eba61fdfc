"""Any key can mark: by a press, or by one for start and one for end, at the moment of the key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.events import Key

from affetti.core.errors import AffettiError, UsageError
from affetti.core.events import MarkerAdded, MarkerKey, marked_stretches
from affetti.core.people.counting import Counting, Press, fresh_number
from affetti.core.people.marker_sets import MarkerSet, as_toml, checked, read_set, write_set
from affetti.recorder.engine import messages
from affetti.recorder.engine.engine import _event_of
from affetti.recorder.tui.marker_keys import PEDALS, key_of, taken, usable
from affetti.recorder.tui.screens.live import LiveScreen
from affetti.recorder.tui.screens.note import NoteScreen
from tests.recorder.scripted_engine import recorded, session_started
from tests.recorder.test_tui_screens import Session, recording

MARKERS = (
    MarkerKey("sings", "g", "stretch"),
    MarkerKey("smiles", "1"),
    MarkerKey("withdraws", "ä"),
    MarkerKey("looks", "pagedown", "stretch"),
)


@asynccontextmanager
async def counted(tmp_path: Path) -> AsyncIterator[Session]:
    async with recording(tmp_path) as live:
        assert live.app.view is not None
        live.app.view.state.started = session_started(markers=MARKERS)
        yield live


async def test_a_key_marks_by_a_press_or_by_one_for_start_and_one_for_end(tmp_path: Path) -> None:
    async with counted(tmp_path) as live:
        screen = live.app.screen
        assert isinstance(screen, LiveScreen)
        screen._say("")
        assert live.words("#message") == "g sings 0  1 smiles 0  ä withdraws 0  PgDn looks 0"
        await live.pilot.press("g")
        screen.look()
        assert "sings ▶" in live.words("#header")
        await live.pilot.press("1", "1", "ä", "g")
        marks = live.sent(messages.Mark)
        assert [(mark.label, mark.number, mark.edge) for mark in marks] == [
            ("sings", 3, "start"),
            ("smiles", None, None),
            ("smiles", None, None),
            ("withdraws", None, None),
            ("sings", 3, "end"),
        ]
        assert all(0 <= mark.ago_s < 60 for mark in marks)
        t_ns = live.app.view.now_ns  # type: ignore[union-attr]
        await live.hears(recorded([MarkerAdded(t_ns=t_ns, label="sings", number=3, edge="end")]))
        assert live.words("#message") == "▲ sings, ends at 03:20 is in the log"


@pytest.mark.campaign
async def test_a_pedal_marks_what_it_stands_for_even_while_a_note_is_written(
    tmp_path: Path,
) -> None:
    async with counted(tmp_path) as live:
        await live.pilot.press("t", "h", "pagedown", "g", "pageup")
        assert isinstance(live.app.screen, NoteScreen)
        marks = [(mark.label, mark.edge) for mark in live.sent(messages.Mark)]
        assert marks == [("looks", "start")]
        assert live.app.screen.text == "hg"


def test_the_keys_of_the_live_screen_itself_are_refused_with_what_they_do() -> None:
    used = taken()
    assert {"m", "M", "t", "n", " ", "q", "P", "f2"} <= used.keys()
    assert PEDALS.isdisjoint(used)
    for key in "mntq":
        with pytest.raises(UsageError, match="live screen"):
            usable([MarkerKey("nods", key)])
    assert usable(MARKERS) == MARKERS


@pytest.mark.parametrize(
    "markers",
    [
        [MarkerKey("", "g")],
        [MarkerKey("x" * 61, "g")],
        [MarkerKey("sings", "g"), MarkerKey("smiles", "g")],
        [MarkerKey("sings", "g"), MarkerKey("sings", "h")],
        [MarkerKey("sings", " ")],
        [MarkerKey("sings", "ctrl+x")],
        [MarkerKey("sings", "\x1b")],
        [MarkerKey(f"m{i}", chr(0x4E00 + i)) for i in range(41)],
    ],
)
def test_marker_keys_that_cannot_be_told_apart_are_refused(markers: list[MarkerKey]) -> None:
    with pytest.raises(UsageError):
        checked(markers)


def test_a_key_is_called_by_the_sign_that_it_types() -> None:
    assert key_of(Key("plus", "+")) == "+"
    assert key_of(Key("pageup", None)) == "pageup"
    assert key_of(Key("G", "G")) == "G"


def test_a_set_of_marker_keys_is_shared_as_a_file(tmp_path: Path) -> None:
    said = 'looks "away" \\ 🙂'
    shared = MarkerSet((*MARKERS, MarkerKey(said, "+")), name="voice & face")
    write_set(tmp_path / "voice.toml", shared)
    assert read_set(tmp_path / "voice.toml") == shared
    with pytest.raises(AffettiError, match="exists already"):
        write_set(tmp_path / "voice.toml", shared)
    assert as_toml(MarkerSet((MarkerKey("nods", "x"),))).startswith("[[marker]]\n")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\xff\xfe",
        b"marker = 3",
        b"marker = []",
        b"marker = [[[" + b"[" * 5000,
        b'[[marker]]\nlabel = "sings"\n',
        b'[[marker]]\nlabel = "sings"\nkey = "g"\nform = "often"\n',
        b'[[marker]]\nlabel = "sings"\nkey = "g"\nrun = "rm"\n',
        b'[[marker]]\nlabel = "\\u001b[2J"\nkey = "ctrl+g"\n',
        b"#" * (65 << 10),
        b"a." * 3000 + b"a = 1",
    ],
)
def test_a_file_that_is_no_set_is_refused_in_one_sentence(tmp_path: Path, said: bytes) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(said)
    with pytest.raises(UsageError) as refused:
        read_set(path)
    assert len(refused.value.message) < 400
    assert refused.value.message.isprintable()
    assert refused.value.hint


def test_presses_become_stretches_that_can_be_told_apart() -> None:
    counting, log = Counting(MARKERS), [MarkerAdded(t_ns=0, number=1)]
    for t, key in enumerate(["g", "pagedown", "1", "g", "pagedown", "g"], start=1):
        marker = counting.of_key(key)
        assert marker is not None
        press = counting.press(marker, fresh_number(log))
        log.append(
            MarkerAdded(t_ns=t, label=press.label, number=press.number, edge=press.edge)  # type: ignore[arg-type]
        )
    assert counting.times == {"sings": 2, "smiles": 1, "withdraws": 0, "looks": 1}
    assert list(counting.open) == ["sings"]
    found = [(each.label, each.start_ns, each.end_ns) for each in marked_stretches(log)]
    assert sorted(found) == [("looks", 2, 5), ("sings", 1, 4), ("sings", 6, None)]
    assert counting.of_line("sings") == counting.of_line("g") == MARKERS[0]
    assert counting.press(MARKERS[1], 9) == Press("smiles")


def test_a_marker_carries_the_moment_of_its_key_however_late_it_arrives() -> None:
    late = messages.Mark("sings", 3, "start", ago_s=1.5)
    marker = _event_of(late, 10_000_000_000)
    assert marker == MarkerAdded(t_ns=8_500_000_000, label="sings", number=3, edge="start")
    first = _event_of(messages.Mark(ago_s=99.0), 10_000_000_000)
    assert first is not None
    assert first.t_ns == 0
