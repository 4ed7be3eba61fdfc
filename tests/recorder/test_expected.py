"""What a playlist says of a track is in the recording, in `info` and in every table of tracks."""

import csv
from pathlib import Path

import pytest

from affetti.analyzer.analysis import analyze
from affetti.analyzer.replay import completed
from affetti.analyzer.tables.csv_file import write_csv
from affetti.analyzer.tables.session_tables import tables_of
from affetti.core.recording.session import Session
from tests.command_line import affetti


@pytest.mark.campaign
def test_what_is_expected_goes_through_to_the_tables(tmp_path: Path, music_folder: Path) -> None:
    track = next(music_folder.glob("*.ogg"))
    playlist = tmp_path / "study.csv"
    playlist.write_text(
        f"file,title,expected,genre,share,=bad\n{track},Air,relaxation,baroque,a half,=1+1\n"
    )
    path = tmp_path / "out.h5"
    options = ["--headless", "--no-speaker", "--duration", 4, "--playlist", playlist]
    done = affetti("record", *options, "--output", path)
    assert done.returncode == 0, done.stderr
    with Session.open(path) as session:
        (played,) = session.tracks
        assert (played.title, played.expected) == ("Air", "relaxation")
        assert played.columns == {"genre": "baroque", "share": "a half", "=bad": "=1+1"}
        assert session.info.tracks[0].expected == "relaxation"
        tables = {t.name: t for t in tables_of(analyze(session, completed(session)))}
    row = dict(zip(tables["tracks"].columns, tables["tracks"].rows[0], strict=True))
    assert (row["expected_emotion"], row["genre"], row["playlist_share"]) == (
        "relaxation",
        "baroque",
        "a half",
    )
    assert "genre" in tables["transitions"].columns
    assert "genre" not in tables["transition_matrix"].columns
    write_csv(tables["tracks"], tmp_path / "tracks.csv", spreadsheet=True)
    with (tmp_path / "tracks.csv").open(encoding="utf-8", newline="") as file:
        headings, cells = list(csv.reader(file))
    assert "'=bad" in headings
    assert "'=1+1" in cells
    assert "Air (expected: relaxation)" in affetti("info", path).stdout
