"""What is kept of a person, from the command line: shown, and marker keys shared."""

import json
from pathlib import Path

from affetti.core.errors import ExitCode
from affetti.core.events import MarkerKey, consent_to
from affetti.core.events.entries import new_id
from affetti.core.events.people import ConsentFiled, GoalSet, MarkersChosen
from affetti.core.people import log
from tests.command_line import affetti

ME = new_id()


def a_person(folder: Path) -> None:
    markers = (MarkerKey("sings", "g", "stretch"), MarkerKey("looks", "pagedown"))
    log.add(
        [
            GoalSet(author_id=ME, person="P07", goal_id=new_id(), words="sings a verse"),
            MarkersChosen(author_id=ME, person="P07", markers=markers, name="voice"),
            ConsentFiled(
                author_id=ME,
                person="P07",
                consent=consent_to("video"),
                on="2025-01-01",
                expires="2026-01-01",
            ),
        ],
        "P07",
        folder,
    )


def test_marker_keys_are_shared_between_people_as_a_file(tmp_path: Path) -> None:
    a_person(tmp_path)
    file = tmp_path / "voice.toml"
    exported = affetti("person", "markers", "export", "P07", file)
    assert exported.returncode == ExitCode.OK, exported.stderr
    assert "P07" not in file.read_text()
    assert affetti("person", "markers", "export", "P07", file).returncode == ExitCode.FILE_EXISTS
    assert affetti("person", "markers", "import", "P08", file).returncode == ExitCode.OK
    assert log.person_state("P08", tmp_path).markers == log.person_state("P07", tmp_path).markers
    assert log.person_state("P08", tmp_path).markers_name == "voice"
    file.write_text('[[marker]]\nlabel = "nods"\nkey = "n"\n')
    refused = affetti("person", "markers", "import", "P08", file)
    assert refused.returncode == ExitCode.USAGE
    assert "live screen" in refused.stderr
    none = affetti("person", "markers", "export", "P09", tmp_path / "x.toml")
    assert none.returncode == ExitCode.USAGE


def test_what_is_kept_of_a_person_is_shown(tmp_path: Path) -> None:
    a_person(tmp_path)
    shown = affetti("person", "show", "P07").stdout
    assert "○ not yet: sings a verse" in shown
    assert "PgDn  looks  (each press)" in shown
    assert "! expired on 1 January 2026" in shown
    told = json.loads(affetti("person", "show", "P07", "--json").stdout)
    assert told["markers"][0] == {"label": "sings", "key": "g", "form": "stretch"}
    assert told["goals"][0]["state"] == "not_yet"
    assert affetti("person", "show", "../P07").returncode == ExitCode.PERSON_CODE
