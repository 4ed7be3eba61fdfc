"""Recordings of signals that are made out of XDF files."""

import struct
from pathlib import Path

import numpy as np
import pytest

from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import consent_to
from affetti.core.recording.session import Session
from affetti.core.settings import LogSettings, Settings
from affetti.recorder.imports.films import Request
from affetti.recorder.imports.xdf import import_xdf
from tests.command_line import affetti

SMALL = Settings(log=LogSettings(part_mib=8))
HEADER = (
    "<?xml version='1.0'?><info><version>1.0</version>"
    "<datetime>2024-03-05T11:15:00+01:00</datetime></info>"
)


def chunk(tag: int, content: bytes) -> bytes:
    return struct.pack("<BIH", 4, len(content) + 2, tag) + content


def described(name: str, form: str, rate_hz: float, channels: str = "", count: int = 1) -> bytes:
    return (
        f"<?xml version='1.0'?><info><name>{name}</name><type>Heart</type>"
        f"<channel_count>{count}</channel_count><nominal_srate>{rate_hz}</nominal_srate>"
        f"<channel_format>{form}</channel_format><desc><channels>{channels}</channels></desc></info>"
    ).encode()


def written(path: Path) -> Path:
    """Write an XDF file of a signal whose clock is 100 s behind, and of two words."""
    id_1, id_2 = struct.pack("<I", 1), struct.pack("<I", 2)
    channel = "<channel><label>{}</label><unit>{}</unit></channel>"
    channels = channel.format("ecg", "microvolts") + channel.format("quality", "")
    data = b"XDF:" + chunk(1, HEADER.encode())
    data += chunk(2, id_1 + described("heart rate", "float32", 10, channels, 2))
    data += chunk(2, id_2 + described("words", "string", 0))
    rows = [b"\x08" + struct.pack("<dff", 50 + i / 10, i, -i) for i in range(50)]
    data += chunk(3, id_1 + struct.pack("<BI", 4, len(rows)) + b"".join(rows))
    for source_s in (50.0, 54.0):
        data += chunk(4, id_1 + struct.pack("<dd", source_s, 100.0))
    words = [(151.0, "begin"), (153.5, "Ende ä")]
    texts = b"".join(
        b"\x08" + struct.pack("<dBB", t_s, 1, len(said.encode())) + said.encode()
        for t_s, said in words
    )
    data += chunk(3, id_2 + struct.pack("<BI", 4, len(words)) + texts)
    for number in (id_1, id_2):
        data += chunk(6, number + b"<?xml version='1.0'?><info></info>")
    path.write_bytes(data)
    return path


def test_streams_become_signals_with_their_raw_stamps_and_clocks(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xdf")
    request = Request(consent=consent_to("signals"), settings=SMALL)
    assert import_xdf(path, request) == "written"
    assert import_xdf(path, request) == "current"
    with Session.open(tmp_path / "a.h5") as session:
        heart, words = session.signals["heart_rate"], session.signals["words"]
        assert [(each.name, each.unit) for each in heart.stream.channels] == [
            ("ecg", "microvolts"),
            ("quality", ""),
        ]
        assert np.array_equal(heart.values[:, 0], np.arange(50, dtype=np.float32))
        assert heart.stamps_s == pytest.approx(50 + np.arange(50) / 10)
        assert heart.t_s == pytest.approx(np.arange(50) / 10, abs=1e-6)
        assert words.t_s == pytest.approx([1.0, 3.5], abs=1e-6)
        assert words.values.tolist() == [["begin"], ["Ende ä"]]
        assert session.duration_s == pytest.approx(4.9)
        assert session.info.wall_clock == session.started.imported.made
        assert session.info.dated


def test_what_is_no_xdf_file_is_refused_and_signals_need_consent(tmp_path: Path) -> None:
    (tmp_path / "b.xdf").write_bytes(b"nothing of the kind")
    said = affetti("import", tmp_path / "b.xdf")
    assert said.returncode == ExitCode.MEDIA
    assert "no XDF file" in said.stderr
    with pytest.raises(AffettiError) as refused:
        import_xdf(written(tmp_path / "a.xdf"), Request(consent=consent_to("video")))
    assert refused.value.code is ExitCode.CONSENT
    assert not list(tmp_path.glob("*.h5"))
