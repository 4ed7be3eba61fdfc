from pathlib import Path

import pytest

from affetti.core.errors import AffettiError
from affetti.core.people.playlist import PlaylistEntry, read_playlist

TABLE = """file;title;Expected;notes;genre
a.ogg;Air;Happiness;"two; lines
of it";baroque

sub\\b.ogg;;;;
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name in ("a.ogg", "sub/b.ogg", "süß.ogg"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_read_whatever_wrote_it(folder: Path, encoding: str, separator: str) -> None:
    path = folder / "list.csv"
    lines = [["file", "expected", "Länge"], ["süß.ogg", "anger", "kurz"], ["a.ogg", "", ""]]
    text = "\r\n".join(separator.join(line) for line in lines)
    path.write_bytes(text.encode(encoding))
    assert read_playlist(path) == (
        PlaylistEntry(path=str(folder / "süß.ogg"), expected="anger", columns={"Länge": "kurz"}),
        PlaylistEntry(path=str(folder / "a.ogg"), columns={"Länge": ""}),
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_line_by_which_a_spreadsheet_names_the_separator_is_no_heading(
    folder: Path, separator: str
) -> None:
    path = folder / "list.csv"
    lines = [f"sep={separator}", f"file{separator}a,b;c", f"a.ogg{separator}", "c.ogg"]
    path.write_text("\r\n".join(lines[:3]), "utf-8-sig")
    if separator == "\t":
        assert read_playlist(path)[0].columns == {"a,b;c": ""}
    path.write_text("\r\n".join([lines[0], "file", *lines[3:]]), "utf-8-sig")
    with pytest.raises(AffettiError, match="line 3"):
        read_playlist(path)


def test_every_further_column_goes_with_its_track(folder: Path) -> None:
    path = folder / "list.csv"
    path.write_text(TABLE)
    first, second = read_playlist(path)
    assert (first.title, first.expected) == ("Air", "happiness")
    assert first.columns == {"notes": "two; lines\nof it", "genre": "baroque"}
    assert second.path == str(folder / "sub/b.ogg")
    assert second.expected is None


def test_an_m3u_names_files_alone(folder: Path) -> None:
    path = folder / "list.m3u8"
    path.write_text("#EXTM3U\n#EXTINF:1,x\na.ogg\n\nsub/b.ogg\n")
    assert [Path(entry.path).name for entry in read_playlist(path)] == ["a.ogg", "b.ogg"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "list.csv: it names no track"),
        ("file\n", "list.csv: it names no track"),
        ("title\nAir\n", "list.csv, line 1: no column is headed 'file'"),
        ("file,genre,genre\na.ogg,,\n", "list.csv, line 1: two columns are headed 'genre'"),
        ("file\na.ogg\nc.ogg\n", "list.csv, line 3: there is no file c.ogg"),
        ("file,expected\na.ogg,joy\n", "list.csv, line 2: 'joy' is none of the emotions"),
        ("file,expected\na.ogg,anger,x\n", "list.csv, line 2: it has 3 cells for 2 columns"),
        ("file,title\n,Air\n", "list.csv, line 2: it names no file"),
        ('file,title\n"a.ogg,Air\n', "list.csv, line 2: unexpected end of data"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(folder: Path, text: str, said: str) -> None:
    path = folder / "list.csv"
    path.write_text(text)
    with pytest.raises(AffettiError) as caught:
        read_playlist(path)
    assert caught.value.message.startswith(said)


def test_a_playlist_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AffettiError, match="cannot be read"):
        read_playlist(tmp_path / "none.csv")
