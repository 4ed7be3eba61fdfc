"""Files that a person wrote are read as they were written, or refused; never as other letters."""

from pathlib import Path

import pytest

from affetti.core import language
from affetti.core.errors import UsageError
from affetti.core.letters import decoded
from affetti.core.people.marker_sets import read_set
from affetti.core.people.playlist import read_playlist

WESTERN = "file;title\na.ogg;Blüte für Élise – “¿Qué?” d’été, Straße 3 €, señor Ångström\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_what_windows_and_spreadsheets_write_is_read(encoding: str) -> None:
    assert decoded(WESTERN.encode(encoding)) == WESTERN


@pytest.mark.parametrize(
    ("encoding", "title"),
    [("mac_roman", "Blüte"), ("mac_roman", "Größe"), ("cp850", "Größe"), ("cp1250", "Zażółć"),
     ("cp1251", "Привет"), ("cp1253", "Καλημέρα"), ("cp1254", "Şimdi"), ("cp1257", "Šaltas"),
     ("shift_jis", "春の海"), ("gb18030", "春天"), ("big5", "春天"), ("euc-kr", "봄")],
)  # fmt: skip
def test_letters_of_another_code_page_are_refused_and_never_guessed(
    tmp_path: Path, encoding: str, title: str
) -> None:
    (tmp_path / "a.ogg").touch()
    playlist = tmp_path / "list.csv"
    playlist.write_bytes(f"file;title\na.ogg;{title}\n".encode(encoding))
    with pytest.raises(UsageError, match="UTF-8"):
        read_playlist(playlist)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_set_of_marker_keys_from_windows_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "set.toml"
    path.write_bytes('name = "Gerät"\n[[marker]]\nlabel = "hört"\nkey = "g"\n'.encode(encoding))
    found = read_set(path)
    assert (found.name, found.markers[0].label) == ("Gerät", "hört")


def test_the_language_is_heeded_in_settings_of_any_encoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes('language = "de"\n'.encode("utf-16"))
    monkeypatch.setenv("AFFETTI_SETTINGS", str(path))
    assert language.named_in_settings() == "de"
