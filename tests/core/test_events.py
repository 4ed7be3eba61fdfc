import json

import msgspec
import numpy as np
import pytest

from affetti.core import events
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import (
    KINDS,
    AudioFormat,
    EmotionFused,
    FaceEstimated,
    MarkerAdded,
    UnknownEvent,
    columns,
    decode,
    encode,
    major,
)
from affetti.core.streams import audio_stream
from tests.conftest import started


def test_every_kind_is_named_after_its_class_and_documented() -> None:
    for name, kind in KINDS.items():
        assert msgspec.inspect.type_info(kind).tag == name  # type: ignore[union-attr]
        assert kind.__doc__
        assert len(name) <= 24  # the width of the index's column


def test_an_event_survives_storage() -> None:
    event = started(streams=(audio_stream("room", AudioFormat(44_100, 2)),))
    assert decode(encode(event)) == event


def test_stored_events_are_plain_json() -> None:
    stored = json.loads(encode(MarkerAdded(t_ns=5, seq=1, label="laughs [red]")))
    assert stored == {"kind": "MarkerAdded", "t_ns": 5, "seq": 1, "label": "laughs [red]"}


def test_a_later_minor_version_may_add_a_field() -> None:
    data = b'{"kind":"MarkerAdded","t_ns":1,"seq":2,"label":"x","colour":"green"}'
    assert decode(data, "2.7") == MarkerAdded(t_ns=1, seq=2, label="x")


def test_an_unknown_kind_is_kept_as_it_is() -> None:
    data = b'{"kind":"HeartBeat","t_ns":1,"seq":2,"bpm":64}'
    assert decode(data, "2.7") == UnknownEvent("HeartBeat", 2, 1, data)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"kind":"MarkerAdded"}', b"\xff\xfe", b'{"t_ns":1}']
)
def test_what_is_no_event_is_damage(data: bytes) -> None:
    with pytest.raises(AffettiError) as caught:
        decode(data)
    assert caught.value.code == ExitCode.DAMAGED


def test_a_later_major_version_is_refused() -> None:
    with pytest.raises(AffettiError) as caught:
        decode(encode(started()), "3.0")
    assert caught.value.code == ExitCode.NEWER_FORMAT
    assert "Update" in caught.value.hint


def test_an_earlier_major_version_is_refused() -> None:
    with pytest.raises(AffettiError, match=r"schema 1\.0") as caught:
        decode(encode(started()), "1.0")
    assert caught.value.code == ExitCode.OLDER_FORMAT


def test_a_version_that_is_none_is_damage() -> None:
    with pytest.raises(AffettiError) as caught:
        major("latest")
    assert caught.value.code == ExitCode.DAMAGED


def test_older_events_are_upcast_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(fields: dict[str, object]) -> dict[str, object]:
        return {**fields, "label": fields["text"]}

    monkeypatch.setattr(events, "OLDEST_SCHEMA", 1)
    monkeypatch.setitem(events.UPCASTS, 1, rename)
    old = b'{"kind":"MarkerAdded","t_ns":1,"seq":2,"text":"x"}'
    assert decode(old, "1.9") == MarkerAdded(t_ns=1, seq=2, label="x")


def test_columns_spread_a_distribution_over_named_columns() -> None:
    rows = [
        EmotionFused(t_ns=1, seq=7, emotions=(0.1, 0.2, 0.3, 0.4), decided_by="both"),
        EmotionFused(t_ns=2, seq=8),
    ]
    table = columns(EmotionFused, rows)
    assert table["seq"].tolist() == [7, 8]
    assert table["anger"][0] == 0.3
    assert np.isnan(table["anger"][1])
    assert table["decided_by"].tolist() == ["both", "neither"]
    assert all(type(name) is str for name in table)


def test_columns_of_nothing_keep_their_names() -> None:
    table = columns(FaceEstimated, [])
    assert {"angry", "neutral", "happiness", "left_px", "score"} <= table.keys()
    assert all(len(values) == 0 for values in table.values())


def test_a_session_starts_with_this_schema() -> None:
    assert started().schema_version == events.SCHEMA_VERSION
