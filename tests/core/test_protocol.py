"""The protocol of a study: how it is read, refused and handed on, and which order is whose."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from affetti.core.errors import AffettiError, ExitCode
from affetti.core.people.playlist import PlaylistEntry, read_playlist, share_playlist
from affetti.core.people.protocol import (
    MAX_TRACKS,
    order_of,
    read_protocol,
    started,
    williams,
)
from affetti.core.people.protocol_file import FILE_NAME, new_protocol, write_protocol
from tests.command_line import affetti

TRACKS = """
[[track]]
file = "a.ogg"
expected = "Happiness"
genre = "folk"
tempo = 96
play_s = 30

[[track]]
file = "b.ogg"
title = 'Air "on" a string'
"""
WHOLE = """
name = "moods"
version = "2"
order = "balanced"
light_s = 20
neutral_s = 10
consent = ["research"]
[silence]
before_s = 30
between_s = 15.5
[self_report]
when = ["before", "between", "after"]
scales = ["Calm"]
[report]
by = ["genre"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.ogg", "b.ogg"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def written(folder: Path, words: str) -> Path:
    path = folder / FILE_NAME
    path.write_text(words, encoding="utf-8")
    return path


def test_a_protocol_plans_its_steps_in_order(folder: Path) -> None:
    protocol = read_protocol(written(folder, WHOLE + TRACKS))
    first, second = protocol.tracks
    assert (first.expected, first.columns) == ("happiness", {"genre": "folk", "tempo": "96"})
    assert (second.title, second.expected) == ('Air "on" a string', None)
    planned = started(protocol, "P02", 7)
    assert (planned.t_ns, planned.name, planned.version, planned.row) == (7, "moods", "2", 1)
    assert planned.tracks == (1, 0)
    assert [(s.kind, s.seconds, s.track, s.occasion) for s in planned.steps] == [
        ("light", 20, None, ""),
        ("neutral", 10, None, ""),
        ("self_report", None, None, "before"),
        ("silence", 30, None, ""),
        ("track", None, 0, ""),
        ("self_report", None, None, "between"),
        ("silence", 15.5, None, ""),
        ("track", 30, 1, ""),
        ("self_report", None, None, "after"),
    ]


@pytest.mark.parametrize("count", range(1, 9))
def test_in_balanced_orders_each_track_follows_each_other_equally_often(count: int) -> None:
    orders = williams(count)
    assert all(sorted(order) == list(range(count)) for order in orders)
    follows = Counter(pair for order in orders for pair in pairwise(order))
    assert len(follows) == count * (count - 1)
    assert len(set(follows.values())) <= 1
    places = Counter(place for order in orders for place in enumerate(order))
    assert len(set(places.values())) == 1


def test_a_shuffled_order_follows_from_its_seed_and_the_person(folder: Path) -> None:
    head = 'name = "s"\norder = "shuffled"\nseed = '
    tracks = '[[track]]\nfile = "a.ogg"\n' * 6
    protocol = read_protocol(written(folder, f"{head}5\n{tracks}"))
    orders = [order_of(protocol, f"P{n:02d}") for n in range(1, 9)]
    assert all(sorted(order) == list(range(6)) for order in orders)
    assert len(set(orders)) > 4
    assert order_of(protocol, "P01") == orders[0] == (0, 1, 2, 4, 3, 5)
    other = read_protocol(written(folder, f"{head}6\n{tracks}"))
    assert order_of(other, "P01") != orders[0]


def test_balanced_orders_need_a_number_in_the_code(folder: Path) -> None:
    protocol = read_protocol(written(folder, WHOLE + TRACKS))
    with pytest.raises(AffettiError, match="ends in no number"):
        order_of(protocol, "anon")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (b"", "missing required field `name`"),
        (b"name = 5\n", "Expected `str`"),
        (b'name = ""\n[[track]]\nfile = "a.ogg"', "1 to 64 signs"),
        (b'name = "s"\n', f"1 to {MAX_TRACKS} tables"),
        (b'name = "s"\ntrack = 5\n', "Expected `array`"),
        (b'name = "s"\n' + b'[[track]]\nfile = "a.ogg"\n' * 201, f"1 to {MAX_TRACKS} tables"),
        (b'name = "s"\norder = "random"\n', "Invalid enum value"),
        (b'name = "s"\nmusic = 1\n', "unknown field `music`"),
        (b'name = "s"\nlight_s = nan\n', "light_s"),
        (b'name = "s"\nlight_s = -1\n', "light_s"),
        (b'name = "s"\nseed = 99999999999999999999999999\n', "seed"),
        (b'name = "s"\nneutral_s = 1\n[[track]]\nfile = "a.ogg"', "neutral_s is 0"),
        (b'name = "s"\nconsent = ["soul"]\n[[track]]\nfile = "a.ogg"', "called 'soul'"),
        (b'name = "s"\npipeline = "../x"\n[[track]]\nfile = "a.ogg"', "'../x'"),
        (b'name = "s"\n[silence]\nbetween_s = inf\n', "between_s"),
        (b'name = "s"\n[self_report]\nwhen = ["often"]\n', "Invalid enum value"),
        (b'name = "s"\n[self_report]\nscales = ["a", "a"]\n[[track]]\nfile = "a.ogg"', "scales"),
        (b'name = "s"\n[[track]]\nfile = "c.ogg"', "track 1: there is no file c.ogg"),
        (b'name = "s"\n[[track]]\nfile = "a.ogg"\nplay_s = 0', "track 1: play_s"),
        (b'name = "s"\n[[track]]\nfile = "a.ogg"\nplay_s = nan', "track 1: play_s"),
        (b'name = "s"\n[[track]]\nfile = "a.ogg"\nexpected = "joy"', "track 1: 'joy'"),
        (b'name = "s"\n[[track]]\nfile = "a.ogg"\nx = [1]', "something else than texts"),
        (b'name = "s"\n[[track]]\nfile = "a\\u0000.ogg"', "names no file"),
        (b'name = "s"\n[[track]]\ntitle = "Air"', "headed 'file'"),
        (b'name = "\xff"\n', "no text in UTF-8"),
        (b'name = "s"\nx = ' + b"[" * 20_000, "nested too deep"),
        (b"#" * (1 << 20) + b"#", "too long"),
        (b"name = \x1b[31m\n", "protocol.toml is no protocol"),
    ],
)
def test_a_protocol_that_is_none_is_refused_in_one_message(
    folder: Path, words: bytes, said: str
) -> None:
    path = folder / FILE_NAME
    path.write_bytes(words)
    with pytest.raises(AffettiError) as refused:
        read_protocol(path)
    assert refused.value.code in (ExitCode.USAGE, ExitCode.FILE_MISSING)
    assert said in refused.value.message
    assert refused.value.message.isprintable()


def test_a_protocol_is_handed_on_and_begun_with_another(folder: Path) -> None:
    first = written(folder, WHOLE + TRACKS)
    with pytest.raises(AffettiError, match="exists already"):
        write_protocol(new_protocol(folder, like=first), folder)
    other = folder / "other"
    write_protocol(new_protocol(other, "again", like=first), other)
    was, now = read_protocol(first), read_protocol(other / FILE_NAME)
    assert now.name == "again"
    assert [Path(track.path).resolve() for track in now.tracks] == [
        Path(track.path).resolve() for track in was.tracks
    ]
    for name in ("order", "light_s", "neutral_s", "silence", "self_report", "consent", "report"):
        assert getattr(now, name) == getattr(was, name)
    assert [track.columns for track in now.tracks] == [track.columns for track in was.tracks]
    assert now.play_s == was.play_s == (30, None)


def test_a_new_study_has_the_music_of_its_folder(folder: Path) -> None:
    done = affetti("study", "new", folder)
    assert done.returncode == 0, done.stderr
    assert "2 tracks" in done.stdout
    assert [Path(t.path).name for t in read_protocol(folder / FILE_NAME).tracks] == [
        "a.ogg",
        "b.ogg",
    ]
    empty = affetti("study", "new", folder / "empty")
    assert empty.returncode == 0
    with pytest.raises(AffettiError, match=r"\[\[track\]\]"):
        read_protocol(folder / "empty" / FILE_NAME)


@pytest.mark.parametrize("suffix", [".toml", ".csv", ".m3u8"])
def test_a_playlist_is_handed_on_in_every_format(folder: Path, suffix: str) -> None:
    entries = (
        PlaylistEntry(
            path=str(folder / "a.ogg"),
            title='Quote " and \\ and é',
            expected="anger",
            columns={"genre of it": "two\nlines", "x": "1"},
        ),
        PlaylistEntry(path=str(folder / "b.ogg"), columns={"genre of it": "", "x": "="}),
    )
    path = folder / "sub" / f"list{suffix}"
    share_playlist(path, entries)
    assert str(folder) not in path.read_text(encoding="utf-8")
    again = read_playlist(path)
    assert [Path(e.path).resolve() for e in again] == [Path(e.path) for e in entries]
    if suffix != ".m3u8":
        assert [(e.title, e.expected, e.columns) for e in again] == [
            (e.title, e.expected, e.columns) for e in entries
        ]
    with pytest.raises(AffettiError, match="exists already"):
        share_playlist(path, entries)


def test_a_playlist_is_written_in_another_format_by_command(folder: Path) -> None:
    (folder / "list.csv").write_text("file,expected,genre\na.ogg,anger,folk\n")
    assert affetti("study", "playlist", folder / "list.csv", folder / "l.toml").returncode == 0
    assert read_playlist(folder / "l.toml") == read_playlist(folder / "list.csv")
    refused = affetti("study", "playlist", folder / "list.csv", folder / "l.xls")
    assert refused.returncode == ExitCode.USAGE
