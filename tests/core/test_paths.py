"""Paths as people give them: typed, pasted, dragged into a terminal, copied from a desktop."""

import unicodedata
from contextlib import suppress
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetti.core import settings
from affetti.core.cli import affetti as commands
from affetti.core.errors import AffettiError, ExitCode, SettingsError, UsageError
from affetti.core.paths import TypedPath, is_address, shown, typed, typed_all, without_secrets
from affetti.core.people.playlist import PlaylistEntry, read_playlist
from affetti.recorder.sources.track import open_track
from tests.command_line import affetti
from tests.recorder.films import tone

NAME = "Ana's waltz (5) ü.wav"
ESCAPED = r"Ana\'s\ waltz\ \(5\)\ ü.wav"


@pytest.fixture
def track(tmp_path: Path) -> Path:
    return tone(tmp_path / NAME, 1)


def spellings(path: Path) -> list[str]:
    quoted = str(path).replace("'", "'\\''")
    folder = path.parent
    return [
        str(path),
        f"  {path}\n",
        f'"{path}"',
        f"'{quoted}' ",
        f"{folder}/{ESCAPED}",
        path.as_uri(),
        f"file://localhost{path.as_uri().removeprefix('file://')}",
    ]


@pytest.mark.parametrize("spelling", range(7))
def test_a_file_is_found_however_it_is_written_down(track: Path, spelling: int) -> None:
    assert typed(spellings(track)[spelling]) == track
    assert open_track(PlaylistEntry(path=spellings(track)[spelling])).duration_s == 1


def test_a_name_that_is_there_as_it_was_typed_is_meant(tmp_path: Path) -> None:
    for name in ("'quoted'", "~me", r"back\ slash", " blank ", "file:x"):
        (tmp_path / name).write_text("")
        assert typed(str(tmp_path / name)) == tmp_path / name
        assert typed(name, tmp_path) == tmp_path / name


def test_several_files_dragged_at_once_are_all_meant(tmp_path: Path) -> None:
    first, second = tmp_path / "a b.wav", tmp_path / "c.wav"
    for path in (first, second):
        path.write_text("")
    assert typed_all(f"'{first}' '{second}'") == [first, second]
    assert typed_all(f"'{first}'") == [first]
    assert typed_all(f"{first} not there") == [Path(f"{first} not there")]


@pytest.mark.parametrize("text", ["~nosuch/x", "~nosuch/", "~nosuch"])
def test_the_home_of_nobody_is_said_by_name(text: str) -> None:
    with pytest.raises(UsageError, match="~nosuch"):
        typed(text)


@given(st.text(max_size=40) | st.sampled_from(["x" * 6000, "file://[", "'", '"', "\\", "~\0"]))
def test_whatever_is_typed_is_a_path_or_a_message(text: str) -> None:
    with suppress(AffettiError):
        assert isinstance(typed(text), Path)


@pytest.mark.parametrize("command", ["info", "analyze", "report", "import", "recover"])
def test_an_empty_path_does_not_mean_the_folder_where_the_command_runs(
    tmp_path: Path, command: str
) -> None:
    said = affetti(command, "", cwd=tmp_path)
    assert said.returncode == ExitCode.USAGE
    assert "empty" in said.stderr


@pytest.mark.parametrize("address", ["http://a/b", "rtsp://u:p@h/", " https://x"])
def test_an_address_is_told_from_a_file(address: str) -> None:
    assert is_address(address)
    assert not is_address("file:///tmp/x.mp4")
    assert not is_address("/music/odd://name")


def test_a_playlist_of_a_player_names_files_by_their_addresses(track: Path) -> None:
    playlist = track.parent / "list.m3u"
    playlist.write_text(f"#EXTM3U\n{track.as_uri()}\n{NAME}\n", encoding="utf-8")
    assert [entry.path for entry in read_playlist(playlist)] == [str(track), str(track)]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_is_found_however_its_letters_are_composed(tmp_path: Path, form: str) -> None:
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    track = tmp_path / unicodedata.normalize(form, "Blüte é.ogg")
    track.touch()
    asked = unicodedata.normalize(other, track.name)
    assert typed(asked, tmp_path) == track
    assert typed(f"'{tmp_path}/{asked}'") == track
    assert typed("ünknown", tmp_path) == tmp_path / "ünknown"
    playlist = tmp_path / "list.csv"
    playlist.write_text(f"file\n{asked}\n", encoding="utf-8")
    assert [entry.path for entry in read_playlist(playlist)] == [str(track)]
    (tmp_path / asked).touch()  # what is there as it was typed is meant
    assert typed(asked, tmp_path) == tmp_path / asked


def test_settings_that_name_the_home_of_nobody_are_refused_as_settings(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('sessions_folder = "~nosuch/recordings"\n')
    with pytest.raises(SettingsError, match="~nosuch"):
        settings.load(path)


def test_every_path_of_every_command_passes_the_same_door() -> None:
    def check(group: click.Group) -> None:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            for parameter in command.params:
                if isinstance(parameter.type, click.Path):
                    assert isinstance(parameter.type, TypedPath), f"{name} {parameter.name}"
            if isinstance(command, click.Group):
                check(command)

    check(commands)


def test_a_recording_dragged_into_the_terminal_is_read(sample_session: Path) -> None:
    assert affetti("info", sample_session.as_uri()).returncode == 0
    assert affetti("info", f"'{sample_session}'").returncode == 0


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (
            "rtsp://u:p@cam:554/Streaming/Channels/101?key=x",
            "rtsp://cam:554/Streaming/Channels/101",
        ),
        ("rtsp://cam/h264Preview_01_main", "rtsp://cam/h264Preview_01_main"),
        ("HTTP://cam/axis-cgi/mjpg/video.cgi#x", "http://cam/axis-cgi/mjpg/video.cgi"),
        ("rtsp://cam/user=admin_password=s3cret_channel=1.sdp", "rtsp://cam/…"),
        ("rtsp://cam/kG7v2Qx91LmPz04T/ch1", "rtsp://cam/…/ch1"),
        ("https://cam/3f2504e0-4f89-11d3-9a0c-0305e82c3301/a.m3u8", "https://cam/…/a.m3u8"),
        ("http://cam/token/secret/video", "http://cam/token/…/video"),
        ("http://cam/AbCdEfGhIjKlMnOpQr", "http://cam/…"),
        ("http://anna:se/cret@cam/x", "http://…"),
        ("http://anna:12#cret@cam/x", "http://…"),
        ("http://anna:12?cret@cam/x", "http://…"),
        ("rtsp://[cam/x", "rtsp://…"),
        ("rtsp://[::1]:554/x", "rtsp://[::1]:554/x"),
    ],
)
def test_of_an_address_is_shown_what_can_be_no_secret(address: str, told: str) -> None:
    assert without_secrets(address) == told


@pytest.mark.parametrize("source", ["rtsp://u:s3cret@h/x?s3cret", "camera:http://u:s3cret@h/x"])
def test_a_source_that_is_named_by_an_address_is_shown_without_its_secret(source: str) -> None:
    assert "s3cret" not in shown(source)
    assert shown(source).endswith("://h/x")
    assert shown("lsl:heart") == "lsl:heart"


@pytest.mark.parametrize(
    ("command", "address"),
    [
        (("record", "--headless", "--play"), "http://user:s3cret@127.0.0.1:9/a.mp3?key=s3cret"),
        (("import",), " HTTPS://user:s3cret@127.0.0.1:9/a.mp4"),
        (("info",), "smb://user:s3cret@[nas/a.h5"),
        (("record", "--headless", "--output"), "http://user:s3cret@h/x.h5"),
        (("record", "--headless", "--camera"), "rtsp://user:s3cret@[h/x?s3cret"),
        (("record", "--headless", "--signal"), "rtsp://user:s3cret@h/x?s3cret"),
        (("record", "--headless", "--markers"), "rtsp://user:s3cret@h/x?s3cret"),
        (("record", "--headless", "--microphone"), "http://user:s3cret@h/x?s3cret"),
    ],
)
@pytest.mark.one_of_each
def test_an_address_where_a_path_is_asked_for_is_refused_without_its_password(
    tmp_path: Path, command: tuple[str, ...], address: str
) -> None:
    said = affetti(*command, address, cwd=tmp_path)
    assert said.returncode in {ExitCode.USAGE, ExitCode.DEVICE}
    assert "s3cret" not in said.stderr + said.stdout
    assert f"{address.strip().partition(':')[0].lower()}://" in said.stderr
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]  # logs, if any
    assert not any(b"s3cret" in path.read_bytes() for path in kept)
