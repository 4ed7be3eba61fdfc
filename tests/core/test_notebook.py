"""What a notebook asks of a recording."""

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from affetti.core.errors import AffettiError
from affetti.core.events import FaceEstimated, columns
from affetti.core.recording.session import Session


@pytest.fixture
def session(sample_session: Path) -> Iterator[Session]:
    with Session.open(sample_session) as opened:
        yield opened


def test_columns_come_as_they_are_declared_and_say_what_they_are(session: Session) -> None:
    face = session.estimates.face
    declared = list(columns(FaceEstimated, []))
    assert [name for name in face if name in declared[2:]] == declared[2:]
    assert list(face)[:3] == ["t_s", "t_ns", "seq"]
    assert face.units["yaw_deg"] == "degrees"
    assert repr(face).startswith(f"<Estimates of face: {len(face['t_s'])} rows of t_s, ")


@pytest.mark.campaign
def test_estimates_are_tables_of_pandas_and_of_arrow(session: Session) -> None:
    music = session.estimates.music
    frame, table = music.to_pandas(), music.to_arrow()
    assert list(frame.columns) == table.column_names == list(music)
    assert np.array_equal(frame["loudness_dbfs"], music["loudness_dbfs"])
    assert frame.attrs["units"]["loudness_dbfs"] == "dB relative to full scale"
    assert table.schema.field("t_s").metadata[b"unit"] == b"seconds of session time"
    assert table["stream"].to_pylist() == list(music["stream"])


def test_frames_and_sound_are_taken_by_number_and_by_time(session: Session) -> None:
    some = session.frames[[2, 1]]
    assert [frame.frame for frame in some] == [2, 1]
    assert len(session.frames[[]]) == 0
    within = session.frames.between(1.0, 2.0)
    assert all(1.0 <= frame.t_s < 2.0 for frame in within)
    assert len(within) == ((session.frames.t_ns >= 1e9) & (session.frames.t_ns < 2e9)).sum()
    assert session.audio("playback").between(1.0, 1.5).shape == (22_050, 2)
    assert repr(within).startswith(f"<Frames: {len(within)}, from 1.0")


def test_a_session_goes_to_another_process_by_its_path(session: Session) -> None:
    again = pickle.loads(pickle.dumps(session))  # noqa: S301  our own
    assert again.session_id == session.session_id
    again.close()


@pytest.mark.parametrize(
    "ask",
    [
        lambda session: session.frames[0],
        lambda session: session.estimates.face,
        lambda session: session.audio("playback"),
        lambda session: session.events,
    ],
)
def test_what_is_asked_of_a_closed_session_says_that_it_is_closed(
    sample_session: Path, ask: Callable[[Session], object]
) -> None:
    session = Session.open(sample_session)
    session.close()
    with pytest.raises(AffettiError, match="was closed"):
        ask(session)
