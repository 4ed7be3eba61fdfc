from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from affetti.core.errors import AffettiError, Damaged, ExitCode, UsageError
from affetti.core.events import (
    EmotionFused,
    MarkerAdded,
    SamplesCaptured,
    SessionEnded,
    consent_to,
)
from affetti.core.recording.attributes import put_attributes
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.recording.signals import pack_samples
from tests.conftest import HEART, NS, RATE_HZ, SESSION_ID, small_session, started
from tests.hostile import resealed

WriteLog = Callable[..., Path]
VIDEO_BYTES = "video/camera/bytes"


@pytest.fixture
def sealed(write_log: WriteLog) -> Path:
    items = small_session()
    fused = EmotionFused(t_ns=NS, emotions=(0.7, 0.1, 0.1, 0.1), decided_by="face")
    target = write_log([*items[:-1], (fused, b""), items[-1]])
    return seal(target).path


def refusal(path: Path) -> AffettiError:
    """Open a file and read all of it; return the error this ends with."""
    with pytest.raises(AffettiError) as caught, Session.open(path) as session:
        session.verify_digest()
        _ = session.info, session.estimates.fused, session.audio("playback")
    return caught.value


def test_a_session_reads_like_a_notebook(sealed: Path) -> None:
    with Session.open(sealed) as session:
        assert session.info.session_id == SESSION_ID
        assert session.info.duration_s == 4
        assert len(session.frames) == 40
        assert session.frames[-1].image().shape == (32, 48, 3)
        assert session.frames.at(1.25).frame == 12
        assert [marker.label for marker in session.markers] == [f"marker {i}" for i in range(4)]
        assert session.estimates.fused["happiness"].tolist() == [0.7]
        assert session.estimates.fused["decided_by"].tolist() == ["face"]
        assert isinstance(session.events[-1], SessionEnded)
        assert "4.0 s" in repr(session)


def test_frames_are_a_sequence(sealed: Path) -> None:
    with Session.open(sealed) as session:
        assert [frame.frame for frame in session.frames[5:8]] == [5, 6, 7]
        assert session.frames.at(-1).frame == 0
        assert session.frames.at(99).frame == 39
        with pytest.raises(IndexError):
            session.frames[40]


def test_sound_is_read_by_time(sealed: Path) -> None:
    with Session.open(sealed) as session:
        room = session.audio("room")
        whole = room.read()
        assert whole.shape == (4 * RATE_HZ, 1)
        assert (room.read(1.5, 2.5) == whole[3 * RATE_HZ // 2 : 5 * RATE_HZ // 2]).all()
        assert len(room.read(3, 99)) == RATE_HZ
        assert len(room.read(-5, 0)) == 0
        assert len(room.read(2, 1)) == 0
        assert len(session.audio("playback").read()) == 0
        with pytest.raises(KeyError):
            session.audio("kitchen")


def test_sound_that_is_missing_is_not_made_up(write_log: WriteLog) -> None:
    items = [item for item in small_session() if getattr(item[0], "sample", None) != RATE_HZ]
    with Session.open(seal(write_log(items)).path) as session:
        assert len(session.audio("room").read(0.5, 2.5)) == RATE_HZ
        assert len(session.audio("room").read(1.2, 1.8)) == 0


def test_records_carry_the_bytes_that_were_written(sealed: Path) -> None:
    written = [blob for _, blob in small_session() if blob]
    with Session.open(sealed) as session:
        assert [record.blob for record in session.records() if record.blob] == written
        session.verify_digest()


def test_anything_that_reads_hdf5_can_read_it(sealed: Path) -> None:
    with h5py.File(sealed) as file:
        assert file.attrs["format"].decode() == "affetti-session"
        assert file["audio/room/samples"].attrs["rate_hz"] == RATE_HZ
        assert file["audio/room/samples"].dtype == np.int16
        assert file["video/camera/index"].shape == (40,)
        assert "nanoseconds" in file["events/index"].attrs["units"].decode()


def test_no_reader_needs_to_know_what_h5py_calls_a_bool_or_to_read_64_bit_times(
    sample_session: Path,
) -> None:
    times = 0

    def look(name: str, found: h5py.Group | h5py.Dataset) -> None:
        nonlocal times
        types = [found.attrs.get_id(each).dtype for each in found.attrs]
        if isinstance(found, h5py.Dataset):
            types += [found.dtype[each] for each in found.dtype.names or ()] or [found.dtype]
        assert not any(h5py.check_enum_dtype(each) for each in types), name
        assert all(each.kind in "iufSV" or h5py.check_string_dtype(each) for each in types), name
        beside = found if isinstance(found, h5py.Group) else found.dtype.names or ()
        if "t_ns" in beside:
            times += 1
            assert np.array_equal(found["t_s"][...], found["t_ns"][...] / 1e9), name

    with h5py.File(sample_session) as file:
        look("/", file)
        file.visititems(look)
    assert times > 5


def test_a_file_that_is_missing_or_a_folder_is_said(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.h5").code == ExitCode.FILE_MISSING
    assert refusal(tmp_path).code == ExitCode.NOT_A_SESSION


@pytest.mark.parametrize("content", [b"", b"hello", b"RIFF0000WAVE"])
def test_a_file_that_is_no_hdf5_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(content)
    assert refusal(path).code == ExitCode.NOT_A_SESSION


def test_a_file_of_another_program_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["data"] = np.arange(10)
    assert refusal(path).code == ExitCode.NOT_A_SESSION


def test_parts_send_one_to_recover(write_log: WriteLog) -> None:
    target = write_log()
    for path in (target, target.with_name("session.part001.h5")):
        error = refusal(path)
        assert error.code == ExitCode.UNSEALED
        assert f"affetti recover {target}" in error.hint


def test_a_later_format_is_refused(sealed: Path) -> None:
    with h5py.File(sealed, "r+") as file:
        put_attributes(file, {"format_version": "3.0"})
    assert refusal(sealed).code == ExitCode.NEWER_FORMAT


def test_an_earlier_format_is_refused_by_name(sealed: Path) -> None:
    with h5py.File(sealed, "r+") as file:
        put_attributes(file, {"format_version": "1.0", "software_version": "0.1.0"})
    error = refusal(sealed)
    assert error.code == ExitCode.OLDER_FORMAT
    assert error.message == (
        "session.h5 was recorded by Affetti 0.1.0, format 1; this version reads format 2."
    )


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_damage(sealed: Path, share: float) -> None:
    data = sealed.read_bytes()
    sealed.write_bytes(data[: int(len(data) * share)])
    error = refusal(sealed)
    assert error.code == ExitCode.DAMAGED
    assert "backup" in error.hint


@pytest.mark.parametrize("name", ["events/json", VIDEO_BYTES])
def test_one_changed_byte_is_found(sealed: Path, name: str) -> None:
    with h5py.File(sealed, "r+") as file:
        file[name][100] ^= 1
    assert refusal(sealed).code == ExitCode.DAMAGED


def test_one_changed_sample_is_found(sealed: Path) -> None:
    with h5py.File(sealed, "r+") as file:
        file["audio/room/samples"][77] += 1
    assert refusal(sealed).code == ExitCode.DAMAGED


def test_a_missing_record_is_found(sealed: Path) -> None:
    with h5py.File(sealed, "r+") as file:
        index = file["events/index"][:]
        del file["events/index"]
        file["events/index"] = np.delete(index, 30)
    assert refusal(sealed).code == ExitCode.DAMAGED


def test_no_text_lies_in_a_heap_and_a_text_that_does_is_not_read(sealed: Path) -> None:
    """One wrong byte in a heap of HDF5 keeps it reading for ever."""
    assert b"GCOL" not in sealed.read_bytes()
    with h5py.File(sealed, "r+") as file:
        file.attrs["format"] = "affetti-session"  # as 0.1.0 wrote it
    assert refusal(sealed).code == ExitCode.OLDER_FORMAT
    with h5py.File(sealed, "r+") as file:
        put_attributes(file, {"format": "affetti-session", "session_id": "käse"})
        file.attrs["log_sha256"] = "of a variable length"
    assert refusal(sealed).code == ExitCode.DAMAGED


@pytest.mark.campaign
def test_flipped_bytes_anywhere_never_escape_as_another_error(sealed: Path) -> None:
    """Metadata may be hit as well: whatever happens, it is one of our errors or no damage."""
    data = bytearray(sealed.read_bytes())
    rng = np.random.default_rng(3)
    codes = set()
    for at in [*range(8, 2048, 183), *rng.integers(8, len(data), 20)]:
        broken = bytearray(data)
        broken[at] ^= 0xFF
        sealed.write_bytes(broken)
        try:
            with Session.open(sealed) as session:
                session.verify_digest()
                _ = session.info, session.estimates.fused
        except AffettiError as error:
            codes.add(error.code)
    assert codes <= {ExitCode.DAMAGED, ExitCode.NOT_A_SESSION, ExitCode.NEWER_FORMAT}
    assert ExitCode.DAMAGED in codes


def replace(path: Path, name: str, make: Callable[[h5py.File], None]) -> None:
    with h5py.File(path, "r+") as file:
        del file[name]
        make(file)


def test_a_link_to_another_file_is_refused(sealed: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["jpeg"] = np.zeros(10, np.uint8)

    def link(file: h5py.File) -> None:
        file[VIDEO_BYTES] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "jpeg")

    replace(sealed, VIDEO_BYTES, link)
    assert refusal(sealed).code == ExitCode.DAMAGED


def test_a_soft_link_is_refused(sealed: Path) -> None:
    replace(
        sealed,
        VIDEO_BYTES,
        lambda file: file.__setitem__(VIDEO_BYTES, h5py.SoftLink("/x")),
    )
    assert refusal(sealed).code == ExitCode.DAMAGED


def test_data_that_lies_in_another_file_is_refused(sealed: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" * 1000)

    def external(file: h5py.File) -> None:
        file.create_dataset(VIDEO_BYTES, (1000,), np.uint8, external=[(str(secret), 0, 1000)])

    replace(sealed, VIDEO_BYTES, external)
    assert refusal(sealed).code == ExitCode.DAMAGED


def test_a_virtual_data_set_is_refused(sealed: Path, tmp_path: Path) -> None:
    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((10,), np.uint8)
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "d", (10,))
        file.create_virtual_dataset(VIDEO_BYTES, layout)

    replace(sealed, VIDEO_BYTES, virtual)
    assert refusal(sealed).code == ExitCode.DAMAGED


def test_a_filter_that_is_never_written_is_refused(sealed: Path) -> None:
    def lzf(file: h5py.File) -> None:
        file.create_dataset(VIDEO_BYTES, data=np.zeros(9999, np.uint8), compression="lzf")

    replace(sealed, VIDEO_BYTES, lzf)
    assert refusal(sealed).code == ExitCode.DAMAGED


def test_a_size_that_the_file_cannot_hold_is_refused_before_it_is_read(sealed: Path) -> None:
    def bomb(file: h5py.File) -> None:
        file.create_dataset(
            "events/index",
            (1 << 40,),
            file["video/camera/index"].dtype,
            chunks=(1 << 16,),
            compression="gzip",
        )

    replace(sealed, "events/index", bomb)
    assert refusal(sealed).code == ExitCode.DAMAGED


def test_an_index_that_points_outside_is_refused(sealed: Path) -> None:
    with h5py.File(sealed, "r+") as file:
        rows = file["video/camera/index"][:]
        rows["offset"][3] = 1 << 60
        file["video/camera/index"][:] = rows
    assert refusal(sealed).code == ExitCode.DAMAGED


def test_a_session_of_weeks_is_refused(sealed: Path) -> None:
    with h5py.File(sealed, "r+") as file:
        rows = file["events/index"][:]
        rows["t_ns"][5] = 1 << 61
        file["events/index"][:] = rows
    assert refusal(sealed).code == ExitCode.DAMAGED


def test_a_pickle_in_an_attribute_is_never_opened(sealed: Path) -> None:
    with h5py.File(sealed, "r+") as file:
        file.attrs["session_id"] = np.void(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    resealed(sealed)
    with Session.open(sealed) as session:
        assert session.info.session_id == SESSION_ID


def test_labels_come_back_letter_by_letter(write_log: WriteLog) -> None:
    label = "lacht [red]«ä»</script>\x00\n"
    items = small_session()
    items.insert(-1, (MarkerAdded(t_ns=NS, label=label), b""))
    with Session.open(seal(write_log(items)).path) as session:
        assert label in [marker.label for marker in session.markers]


def test_a_column_that_came_with_a_later_version_is_unknown_before_it(sealed: Path) -> None:
    with h5py.File(sealed, "r+") as file:
        del file["estimates/fused/entropy_bits"]
    resealed(sealed)
    with Session.open(sealed) as session:
        assert np.isnan(session.estimates.fused["entropy_bits"]).tolist() == [True]


def test_a_closed_recording_says_that_it_is_closed(write_log: Callable[..., Path]) -> None:
    with Session.open(seal(write_log()).path) as session:
        frames, room = session.frames, session.audio("room")
    for read in (
        lambda: frames[30],
        room.read,
        lambda: list(session.records()),
        session.verify_digest,
    ):
        with pytest.raises(UsageError, match="was closed"):
            read()


def test_no_repr_shows_pictures_or_words(write_log: Callable[..., Path]) -> None:
    with Session.open(seal(write_log()).path) as session:
        assert len(repr(session.frames[0])) < 100
        for record in session.records():
            assert len(repr(record)) < 150
            assert "marker" not in repr(record)


@pytest.mark.parametrize(
    "what", ["video/camera/bytes", "audio/room/samples", "signals/heart/samples"]
)
def test_what_was_altered_is_not_returned_though_the_file_opens(
    write_log: WriteLog, what: str
) -> None:
    streams, consent = (*started().streams, HEART), consent_to("video", "room", "signals")
    block = SamplesCaptured(t_ns=NS, stream="heart", sample=0, count=10)
    heart = block, pack_samples(HEART, np.arange(10.0), np.ones((10, 2)))
    begun = started(streams=streams, consent=consent), b""
    path = seal(write_log([begun, heart, *small_session()[1:]])).path
    readers: dict[str, Callable[[Session], object]] = {
        "video/camera/bytes": lambda session: [frame.jpeg for frame in session.frames],
        "audio/room/samples": lambda session: session.audio("room").read(1, 2).tolist(),
        "signals/heart/samples": lambda session: session.signals["heart"].values.tolist(),
    }
    with Session.open(path) as session:
        before = {name: read(session) for name, read in readers.items()}
    with h5py.File(path, "r+") as file:
        middle = len(file[what]) * 3 // 8  # of the sound, in its second that is read
        file[what][middle] = file[what][middle] ^ 1 if "heart" not in what else 2
    for name, read in readers.items():
        if name == what:
            with Session.open(path) as session, pytest.raises(Damaged):
                read(session)
        else:
            with Session.open(path) as session:
                assert read(session) == before[name]
        with Session.open(path, altered=True) as session:
            assert (read(session) == before[name]) == (name != what)
