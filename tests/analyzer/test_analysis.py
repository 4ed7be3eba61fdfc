from pathlib import Path

import numpy as np
import pytest

from affetti.analyzer.analysis import Parameters, analyze
from affetti.analyzer.replay import completed
from affetti.analyzer.tables.session_tables import tables_of
from affetti.core.recording.session import Session


def test_every_result_of_a_session_stands_beside_its_coverage(recording: Path) -> None:
    with Session.open(recording) as session:
        analysis = analyze(session, completed(session))
    assert analysis.summaries["face"].coverage > 0.5  # a hand is before the mouth for a third of it
    assert 0.3 < analysis.summaries["music"].coverage < 1
    assert [track.title for track in analysis.tracks] == ["Grey Sunday", "=SUM(A1)"]
    for track in analysis.tracks:
        assert track.played_s == pytest.approx(8, abs=0.01)
        assert all(track.summaries[name].coverage > 0.8 for name in ("music", "fused"))
        assert track.summaries["face"].coverage > 0.4
        assert 0 <= track.congruence.value <= 1


def test_music_is_not_covered_where_none_was_played(recording: Path) -> None:
    with Session.open(recording) as session:
        segments = analyze(session, completed(session), Parameters(segment_s=1)).segments["music"]
    assert segments.said[:3].sum() == 0
    assert segments.said[18:].sum() == 0
    assert np.isnan(segments.emotions[0]).all()


def test_a_session_without_face_and_music_is_analyzed_all_the_same(quiet_recording: Path) -> None:
    with Session.open(quiet_recording) as session:
        analysis = analyze(session, completed(session))
    assert analysis.tracks == []
    assert analysis.summaries["face"].coverage == 0
    assert all(not changes for changes in analysis.changes.values())
    assert all(table.rows is not None for table in tables_of(analysis))


def test_the_bundled_recording_shows_crying_before_laughing(sample_session: Path) -> None:
    with Session.open(sample_session) as session:
        analysis = analyze(session, completed(session))
    first = analysis.tracks[0]
    segments = analysis.segments["face"].emotions
    assert segments[0, 1] > segments[0, 0]
    assert segments[2, 0] > segments[2, 1]
    assert first.summaries["face"].coverage > 0.5  # a hand is before her mouth at first
    assert len(analysis.changes["face"]) >= 3
