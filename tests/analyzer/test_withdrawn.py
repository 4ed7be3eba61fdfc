"""What commands say and do of a recording from which something was withdrawn."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from session_builder import Plan, build, chord

from affetti.analyzer.commands.forget import forget
from affetti.analyzer.commands.withdraw import withdraw
from affetti.analyzer.library import report
from affetti.analyzer.verify import verify
from affetti.core.errors import FileMissing, UsageError
from affetti.core.recording.session import Session

pytestmark = pytest.mark.one_of_each


@pytest.fixture
def recording(tmp_path: Path, face_jpegs: list[bytes]) -> Path:
    plan = Plan(duration_s=8, jpegs=face_jpegs, tracks=[("A chord", chord(6, 262, 330, 392))])
    return build(tmp_path / "sub-P07_ses-1.h5", plan)


def run(command: object, *words: str | Path, answer: str | None = None) -> Result:
    call = list(map(str, words))
    return CliRunner().invoke(
        command, call, input=answer, standalone_mode=False, catch_exceptions=True
    )


@pytest.mark.parametrize("stretch", [(), ("--from", "2", "--to", "4")])
def test_what_stays_is_reproduced(recording: Path, stretch: tuple[str, ...]) -> None:
    done = run(withdraw, recording, "video", *stretch, "--yes")
    assert done.exit_code == 0, done.exception
    assert "Consent to video" in done.output
    with Session.open(recording) as session:
        found = verify(session)
    assert found.verdict == "identical"
    assert found.compared["music"] == 4


def test_the_report_says_what_was_withdrawn(recording: Path) -> None:
    run(withdraw, recording, "video", "--reason", "<b>wanted</b> it", "--yes")
    page = report(recording).read_text()
    assert "Removed." in page
    assert "Reason: &lt;b&gt;wanted&lt;/b&gt; it" in page
    assert "later withdrawn" in page


@pytest.mark.campaign
def test_nothing_is_removed_unasked(recording: Path) -> None:
    before = recording.read_bytes()
    assert run(withdraw, recording, "all", answer="n\n").exception is not None
    assert run(forget, "P07", recording.parent, answer="\n").exception is not None
    assert recording.read_bytes() == before


@pytest.mark.parametrize(
    "words", [("signals",), ("video", "--from", "4", "--to", "2"), ("video", "--from", "nan")]
)
def test_what_cannot_be_meant_is_refused(recording: Path, words: tuple[str, ...]) -> None:
    before = recording.read_bytes()
    assert run(withdraw, recording, *words, "--yes").exit_code != 0
    assert recording.read_bytes() == before
    refused = run(withdraw, recording, "signals", "--yes").exception
    assert isinstance(refused, UsageError)


def test_a_person_is_forgotten(recording: Path) -> None:
    report(recording)
    done = run(forget, "P07", recording.parent, answer="y\n")
    assert done.exit_code == 0, done.exception
    assert "Remove this recording of P07" in done.output
    assert list(recording.parent.glob("sub-P07*")) == []
    assert isinstance(run(forget, "P07", recording.parent, "--yes").exception, FileMissing)
