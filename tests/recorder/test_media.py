"""A slice of the films and tracks of `make media`."""

import os

import pytest

from tests.media import SLICE, outcomes, tools_missing


@pytest.fixture(autouse=True)
def tools() -> None:
    """Skip without ffmpeg's programs; in CI, fail instead."""
    missing = tools_missing()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"needs the Debian package ffmpeg: {', '.join(missing)}")
    if missing:
        pytest.skip("needs ffmpeg and ffprobe")


def test_films_and_tracks_are_read_as_ffmpeg_reads_them() -> None:
    found = list(outcomes(SLICE))
    assert [each for each in found if not each.good] == []
    assert {each.name for each in found} == set(SLICE)


@pytest.mark.campaign
def test_so_are_all_others() -> None:
    assert [each for each in outcomes() if not each.good] == []
