"""Each rule: a recording that passes it, and one that fails it with these very words."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from session_builder import Plan, build, chord

from affetti.analyzer.checks import RULES, Finding, Importance, inspect
from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    AudioGap,
    ConsentChanged,
    DeviceLost,
    Event,
    FrameCaptured,
    FramesDropped,
    MarkerAdded,
    RecordingPaused,
    TrackStarted,
    consent_to,
)
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.recording.survey import survey
from affetti.core.settings import LogSettings
from tests.hostile import altered_and_resealed

Make = Callable[..., Path]


def six_seconds(blank_jpeg: bytes, *moments: Event) -> Plan:
    """Plan a recording without a face."""
    return Plan(
        duration_s=6,
        tracks=[("A", chord(5, 220, 330))],
        jpegs=[blank_jpeg],
        moments=list(moments),
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, blank_jpeg: bytes) -> Path:
    """Build the recording that most rules are broken in."""
    return build(tmp_path_factory.mktemp("plain") / "s.h5", six_seconds(blank_jpeg))


@pytest.fixture
def make(tmp_path: Path, blank_jpeg: bytes, plain: Path) -> Make:
    """Build a recording of six seconds without a face."""

    def build_one(*moments: Event, **changes: object) -> Path:
        if not (moments or changes):
            return Path(shutil.copy(plain, tmp_path / "s.h5"))
        return build(tmp_path / "s.h5", replace(six_seconds(blank_jpeg, *moments), **changes))

    return build_one


def messages(path: Path, rule: str) -> list[str]:
    return [finding.message for finding in inspect(path) if finding.rule == rule]


def test_a_good_recording_has_no_findings(recording: Path) -> None:
    assert inspect(recording) == []


def test_the_bundled_recording_has_no_serious_findings(sample_session: Path) -> None:
    assert [f for f in inspect(sample_session) if f.importance < Importance.NOTE] == []


def test_every_rule_says_what_it_does() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.summary.endswith(".") for rule in RULES)


def test_what_is_no_recording_is_one_critical_finding(tmp_path: Path) -> None:
    path = tmp_path / "notes.h5"
    path.write_text("Dear diary")
    (finding,) = inspect(path)
    assert (finding.rule, finding.importance) == ("opens", Importance.CRITICAL)


def test_one_flipped_bit_of_a_picture_is_found(make: Make) -> None:
    path = make()
    with h5py.File(path, "r+") as file:
        file["video/camera/bytes"][100] ^= 1
    rules = {finding.rule for finding in inspect(path)}
    assert "records-unaltered" in rules


def test_altered_columns_are_found(make: Make) -> None:
    path = make()
    with h5py.File(path, "r+") as file:
        file["estimates/fused/happiness"][3] = 0.9
    assert messages(path, "columns-true") == [
        "The columns of fused estimates contradict the events."
    ]


def test_an_altered_index_is_found(make: Make) -> None:
    path = make()
    with h5py.File(path, "r+") as file:
        rows = file["events/index"][:]
        rows["t_ns"][7] += 1
        file["events/index"][:] = rows
    assert messages(path, "index-true") == ["The index contradicts the events: 7."]


def test_a_gap_in_the_sequence_is_found(tmp_path: Path, quiet_recording: Path) -> None:
    target = tmp_path / "gap.h5"
    with Session.open(quiet_recording) as session:
        started, *rest = session.events
    log = PartLog(target, started.session_id, LogSettings(part_mib=8))
    for event in (started, MarkerAdded(t_ns=1, label="lost"), *rest):
        log.append(event)
    log.close()
    found = survey(target)
    with found.parts[0].open("r+b") as part:
        part.seek(found.log_offsets[0] + int(found.rows["offset"][1]) + 5)
        part.write(b"?")
    seal(target)
    assert messages(target, "sequence-gapless") == []
    assert messages(target, "losses-told") == ["1 event is missing from the sequence: 1."]
    (told,) = messages(target, "ended-cleanly")
    assert "1 record inside could not be read (1, between " in told


def test_a_gap_that_nobody_told_of_is_found(make: Make) -> None:
    path = make()
    with h5py.File(path, "r+") as file:
        rows = file["events/index"][:]
        rows["seq"][-3:] += 2
        file["events/index"][:] = rows
        last = int(rows["seq"][-3])
    assert messages(path, "sequence-gapless") == [
        f"2 events are missing from the sequence: {last - 2} to {last - 1}."
    ]


def test_sound_out_of_order_is_found(make: Make) -> None:
    path = make()
    with h5py.File(path, "r+") as file:
        blocks = file["audio/playback/blocks"][:]
        blocks["sample"][3:] += 10
        file["audio/playback/blocks"][:] = blocks
    (message,) = messages(path, "sound-in-order")
    assert message == "The playback sound is out of order at sample 3082."


def test_a_picture_that_is_no_jpeg_is_found(make: Make) -> None:
    path = make(jpegs=[b"\xff\xd8 half a picture"])
    (message,) = messages(path, "pictures-readable")
    assert message == "Unreadable frames: 0, 1, 2 and 87 more."


def test_frames_out_of_number_are_found(make: Make, blank_jpeg: bytes) -> None:
    stray = FrameCaptured(t_ns=NS_PER_S, frame=77, width_px=120, height_px=90)
    path = make(blobs={stray: blank_jpeg}, moments=[stray])
    assert messages(path, "frames-in-order") == ["Frames are not numbered from 0 without a gap."]


def test_video_after_consent_was_withdrawn_is_found(make: Make) -> None:
    path = make(ConsentChanged(t_ns=5 * NS_PER_S, consent=consent_to("room")))
    (message,) = messages(path, "consent-respected")
    assert message.startswith("There is video without consent to it: events ")


@pytest.mark.campaign
def test_consent_to_no_sound_of_the_room_does_not_forbid_the_music(make: Make) -> None:
    assert messages(make(consent=consent_to("video")), "consent-respected") == []


@pytest.mark.campaign
def test_frames_in_a_pause_are_found(make: Make) -> None:
    (message,) = messages(make(RecordingPaused(t_ns=5 * NS_PER_S)), "pauses-respected")
    assert message.startswith("Recorded in a pause: events ")


def test_a_name_for_a_person_is_found(make: Make) -> None:
    (message,) = messages(make(person="Clara Schumann"), "person-is-code")
    assert message == "The person's code 'Clara Schumann' cannot be used."


def test_a_recording_that_broke_off_is_told(make: Make) -> None:
    (message,) = messages(make(ended=False), "ended-cleanly")
    assert message.startswith("The recording broke off at 00:0")


def test_a_track_without_an_end_is_found(make: Make) -> None:
    stray = TrackStarted(
        t_ns=round(5.9 * NS_PER_S),
        track=1,
        title="B",
        file_name="b.ogg",
        sha256="0" * 64,
        sample=131_000,
        duration_s=9.0,
    )
    path = make(stray, tracks=[("A", chord(4, 220, 330))])
    assert messages(path, "tracks-closed") == ["Track 2, 'B', has no end."]


def test_losses_are_told(make: Make) -> None:
    path = make(
        FramesDropped(t_ns=NS_PER_S, count=10),
        AudioGap(t_ns=2 * NS_PER_S, stream="playback", sample=44_032, missing=2_205),
        DeviceLost(t_ns=3 * NS_PER_S, device="camera"),
    )
    assert messages(path, "frames-kept") == ["10 frames (10.0%) could not be kept."]
    assert messages(path, "sound-complete") == ["The playback sound has 1 gap, 0.10 s in all."]
    assert messages(path, "devices-stayed") == ["The camera was lost from 00:03.0 to 00:06.0."]


def test_other_models_and_an_unseen_face_are_notes(make: Make) -> None:
    found = inspect(make(models={"face_haar": "0" * 64}))
    assert {finding.importance for finding in found} == {Importance.NOTE}
    assert [finding.rule for finding in found] == ["models-present", "face-in-view"]
    assert found[1].message == "A face was seen live in 0% of 00:06.0."


def test_skipped_estimates_are_a_note(make: Make) -> None:
    path = make(skip=lambda modality, event: modality == "music")
    (message,) = messages(path, "inference-kept-up")
    assert message.endswith("live music estimates were skipped; `affetti analyze` makes them.")


@pytest.mark.campaign
def test_the_most_important_comes_first(make: Make) -> None:
    path = make(FramesDropped(t_ns=NS_PER_S, count=1), person="no code!")
    order = [finding.importance for finding in inspect(path)]
    assert order == sorted(order)
    assert isinstance(inspect(path)[0], Finding)


@pytest.mark.campaign
def test_events_of_a_later_version_are_told(make: Make) -> None:
    path = make()
    with h5py.File(path, "r+") as file:
        json, rows = file["events/json"][:], file["events/index"][:]
        at = next(i for i, row in enumerate(rows) if row["kind"] == b"EmotionFused")
        start, length = int(rows["offset"][at]), int(rows["length"][at])
        text = json[start : start + length].tobytes().replace(b"EmotionFused", b"EmotionFuzed")
        json[start : start + length] = np.frombuffer(text, np.uint8)
        file["events/json"][:] = json
    assert messages(path, "kinds-known") == [
        "1 event of kind 'EmotionFuzed' is of a later version and is skipped."
    ]


def test_a_file_that_no_rule_foresees_costs_no_other_its_result(
    tmp_path: Path, quiet_recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a stranger's file makes a rule raise."""

    def surprised(subject: object) -> Iterator[str]:
        raise ZeroDivisionError
        yield ""

    monkeypatch.setattr("affetti.analyzer.checks.RULES", [replace(RULES[0], apply=surprised)])
    found = inspect(quiet_recording)
    assert [(each.importance, each.message) for each in found] == [
        (
            Importance.CRITICAL,
            "The recording holds something that this rule does not foresee (ZeroDivisionError).",
        )
    ]


@pytest.mark.campaign
def test_a_picture_of_another_size_than_its_event_says_is_found(
    make: Make, blank_jpeg: bytes
) -> None:
    path = make()
    altered_and_resealed(
        path, lambda e: {**e, "width_px": 320} if e["kind"] == "FrameCaptured" else None
    )
    assert messages(path, "pictures-readable") == ["Unreadable frames: 0, 1, 2 and 87 more."]


def test_a_check_loads_nothing_that_estimates(plain: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from affetti.analyzer.checks import inspect; "
        f"inspect(Path({str(plain)!r})); "
        "sys.exit(bool({'onnxruntime', 'scipy', 'librosa', 'sklearn'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-P", "-c", program], check=True)
