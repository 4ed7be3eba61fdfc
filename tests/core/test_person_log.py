"""What is kept of a person is added to and never lost, is read from above, and can be encrypted."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import keys, vault
from affetti.core.custody.temporary import name_beside
from affetti.core.errors import Damaged, PersonCodeError
from affetti.core.events import MarkerKey, consent_to, fields_of, leaves
from affetti.core.events.entries import Retracted, new_id
from affetti.core.events.people import (
    ConsentFiled,
    GoalDropped,
    GoalReworded,
    GoalSet,
    GoalStateChanged,
    MarkersChosen,
    MusicLabelled,
    NeutralDescribed,
    PersonEntry,
    PlaylistsChosen,
    ScalesChosen,
)
from affetti.core.people import log
from affetti.core.people.history import (
    AnyPersonEntry,
    GoalEntry,
    PersonState,
    consent_now,
    has_expired,
    state_of,
)
from affetti.core.people.log import person_state
from tests.command_line import affetti
from tests.core.test_declarations import UNITS, example, named_classes

ROOT = Path(__file__).parents[2]
ME, GOAL, SESSION = new_id(), new_id(), new_id()
LABEL = "a" * 64


def entry(kind: type[PersonEntry], **fields: object) -> AnyPersonEntry:
    return kind(**{"author_id": ME, "person": "P07", **fields})  # type: ignore[arg-type,return-value]


class Clinic:
    """Somebody with a private key, who may come and go."""

    def __init__(self) -> None:
        self.private = X25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes_raw()
        self.recipient = vault.recipient_text(self.public)

    def comes(self) -> None:
        keys.drop()
        keys.hold_private(self.public, self.private.private_bytes_raw())


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    monkeypatch.setenv("AFFETTI_VAULTS", str(tmp_path / "vaults"))
    keys.drop()
    return Clinic()


def a_life() -> list[AnyPersonEntry]:
    return [
        entry(GoalSet, goal_id=GOAL, words="looks while we sing"),
        entry(GoalStateChanged, goal_id=GOAL, state="emerging", session_id=SESSION),
        entry(MarkersChosen, markers=(MarkerKey("sings", "g", "stretch"),), name="voice"),
        entry(ScalesChosen, scales=("pain",), after_tracks=True),
        entry(PlaylistsChosen, names=("mornings",)),
        entry(MusicLabelled, sha256=LABEL, title="Air", text="her mother's", emotion="sadness"),
        entry(ConsentFiled, consent=consent_to("video"), on="2026-11-01", expires="2027-11-01"),
    ]


@pytest.mark.parametrize("kind", leaves(PersonEntry))
def test_every_entry_says_what_it_is_and_is_folded(kind: type[PersonEntry]) -> None:
    for field in fields_of(kind):
        assert field.description, f"{kind.__name__}.{field.name}"
        assert all(field.unit for end in UNITS if field.name.endswith(end))
    assert kind in get_args(AnyPersonEntry)
    assert kind.__name__ in set(named_classes(ROOT / "core/people/history.py"))
    made = example(kind)
    assert msgspec.json.decode(msgspec.json.encode(made), type=kind) == made


def test_a_log_comes_to_what_was_said_last(tmp_path: Path) -> None:
    for each in a_life():
        log.add([each], "P07", tmp_path)
    state = person_state("P07", tmp_path)
    goal = state.goals[GOAL]
    assert (goal.words, goal.state, goal.dropped) == (
        "looks while we sing",
        "emerging",
        False,
    )
    assert state.markers == (MarkerKey("sings", "g", "stretch"),)
    assert (state.scales, state.after_tracks, state.playlists) == (("pain",), True, ("mornings",))
    assert state.labels[LABEL].text == "her mother's"
    log.add([entry(MusicLabelled, sha256=LABEL)], "P07", tmp_path)
    assert person_state("P07", tmp_path).labels == {}
    assert person_state("P08", tmp_path) == PersonState("P08")
    assert [path.name for path in tmp_path.glob("*person*")] == ["sub-P07.person.jsonl"]
    assert (tmp_path / "sub-P07.person.jsonl").stat().st_mode & 0o077 == 0


def test_a_goal_keeps_its_history_and_what_was_dropped_is_taken_up_again() -> None:
    dropped = entry(GoalDropped, goal_id=GOAL, reason="too early")
    entries = [*a_life(), entry(GoalReworded, goal_id=GOAL, words="looks at me"), dropped]
    state = state_of("P07", entries)
    assert state.current_goals == []
    goal = state.goals[GOAL]
    assert (goal.words, goal.state) == ("looks at me", "emerging")
    assert [type(each) for each in goal.history] == [
        *(GoalSet, GoalStateChanged, GoalReworded, GoalDropped)
    ]
    assert set(map(type, goal.history)) <= set(get_args(GoalEntry))
    again = Retracted(author_id=ME, of_entry_id=dropped.entry_id)
    assert [each.words for each in state_of("P07", [*entries, again]).current_goals] == [
        "looks at me"
    ]


def test_the_state_of_a_goal_is_known_for_every_moment() -> None:
    moments = [f"2026-11-0{day}T10:00:00.000+00:00" for day in range(1, 5)]
    said = [
        entry(GoalSet, goal_id=GOAL, words="w", written=moments[1]),
        entry(GoalStateChanged, goal_id=GOAL, state="achieved", written=moments[2]),
    ]
    goal = state_of("P07", said).goals[GOAL]
    assert [goal.state_on(moment) for moment in moments] == [
        *(None, "not_yet", "achieved", "achieved")
    ]


def test_consent_on_file_holds_until_the_day_it_expires() -> None:
    filed = state_of("P07", a_life()).consent
    assert filed is not None
    assert consent_now(filed, "2027-10-31") == consent_to("video")
    assert has_expired(filed, "2027-11-01")
    assert consent_now(filed, "2027-11-01") is None
    assert not has_expired(msgspec.structs.replace(filed, expires=""), "2099-01-01")


def test_a_log_above_a_recording_is_the_persons_and_is_gone_on_with(tmp_path: Path) -> None:
    log.add(a_life(), "P07", tmp_path)
    study = tmp_path / "study" / "week-1"
    study.mkdir(parents=True)
    assert person_state("P07", study).markers_name == "voice"
    place = log.add([entry(PlaylistsChosen, names=("nights",))], "P07", study)
    assert place == tmp_path / "sub-P07.person.jsonl"
    assert person_state("P07", tmp_path).playlists == ("nights",)


def test_a_torn_line_costs_nothing_else_and_damage_is_named(tmp_path: Path) -> None:
    place = log.add(a_life(), "P07", tmp_path)
    with place.open("ab") as file:
        file.write(b'{"kind":"GoalS')
    log.add([entry(PlaylistsChosen, names=("nights",))], "P07", tmp_path)
    assert person_state("P07", tmp_path).playlists == ("nights",)
    assert len(log.read("P07", tmp_path)) == len(a_life()) + 1
    place.write_bytes(b'{"kind":"GoalSet"}\n' + place.read_bytes())
    with pytest.raises(Damaged, match="Line 1 of sub-P07"):
        person_state("P07", tmp_path)
    with pytest.raises(PersonCodeError):
        person_state("../P07", tmp_path)


def test_an_encrypted_log_says_nothing_and_goes_on(tmp_path: Path, clinic: Clinic) -> None:
    plain = log.add(a_life()[:2], "P07", tmp_path)
    place = log.add(a_life()[2:], "P07", tmp_path, [clinic.recipient])
    assert not plain.exists()
    assert place.name.startswith("person-")
    assert place.name.endswith(".person.jsonl.vault")
    again = log.add([entry(PlaylistsChosen, names=("nights",))], "P07", tmp_path)
    assert again == place
    assert person_state("P07", tmp_path).playlists == ("nights",)
    assert log.persons_in(tmp_path) == ["P07"]
    data = place.read_bytes()
    assert not any(word in data for word in (b"P07", b"sings", b"nights", b"Goal"))
    keys.drop()
    assert person_state("P07", tmp_path) == PersonState("P07")
    assert [path for path, _ in log.logs_in(tmp_path)[1]] == [place]


def test_who_may_not_read_a_log_adds_to_another_and_both_are_one(
    tmp_path: Path, clinic: Clinic
) -> None:
    log.add(a_life()[:2], "P07", tmp_path, [clinic.recipient])
    keys.drop()
    log.add(a_life()[2:], "P07", tmp_path, [clinic.recipient])
    clinic.comes()
    assert len(log.read("P07", tmp_path)) == len(a_life())
    assert len(list(tmp_path.glob("*.vault"))) == 2


def test_what_is_forgotten_is_nowhere(tmp_path: Path, clinic: Clinic) -> None:
    (tmp_path / "study").mkdir()
    log.add(a_life(), "P07", tmp_path / "study")
    nights = entry(PlaylistsChosen, names=("nights",), person="P08")
    log.add([nights], "P08", tmp_path, [clinic.recipient])
    log.add(a_life(), "P07", tmp_path, [clinic.recipient])
    with pytest.raises(ValueError, match="another person"):
        log.add([nights], "P07", tmp_path)
    left = tmp_path / "study" / name_beside(tmp_path / "study" / "sub-P07.person.jsonl").name
    left.write_bytes(b"P07 looks at me")
    assert len(log.forget("P07", [tmp_path])) == 3
    assert log.persons_in(tmp_path) == ["P08"]
    assert list((tmp_path / "study").iterdir()) == []


def test_a_copy_outside_of_the_vault_is_named_and_its_note_goes_with_the_log(
    tmp_path: Path, clinic: Clinic
) -> None:
    folder = tmp_path / "sessions"
    place = log.add(a_life(), "P07", folder, [clinic.recipient])
    copy = tmp_path / "copy.jsonl"
    opened = affetti("vault", "open", place, "--output", copy)
    assert opened.returncode == 0, opened.stderr
    assert b"looks while we sing" in copy.read_bytes()
    shared = Clinic()
    assert affetti("vault", "share", place, "--add", shared.recipient).returncode == 0
    shared.comes()
    assert person_state("P07", folder).markers_name == "voice"
    forgotten = affetti("forget", "P07", folder, "--yes")
    assert str(copy) in forgotten.stdout
    assert list(folder.iterdir()) == []


def test_with_consent_to_pictures_goes_what_was_said_of_the_face(tmp_path: Path) -> None:
    said = [
        entry(NeutralDescribed, text="mouth ajar", session_id=SESSION),
        entry(NeutralDescribed, text="at rest", session_id=new_id()),
    ]
    place = log.add([*a_life(), *said], "P07", tmp_path)
    log.end_consent("P07", tmp_path, SESSION, {"room"})
    state = person_state("P07", tmp_path)
    assert b"mouth ajar" in place.read_bytes()
    log.end_consent("P07", tmp_path, SESSION, {"video"})
    assert b"mouth ajar" not in place.read_bytes()
    filed = person_state("P07", tmp_path).consent
    assert filed is not None
    assert (filed.session_id, filed.expires) == (SESSION, "2027-11-01")
    assert filed.consent.granted == ()
    assert state.goals == person_state("P07", tmp_path).goals


def test_a_link_or_a_file_beyond_all_measure_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "sub-P07.person.jsonl").symlink_to(tmp_path / "elsewhere")
    assert person_state("P07", tmp_path) == PersonState("P07")
    (tmp_path / "sub-P07.person.jsonl").unlink()
    with (tmp_path / "sub-P07.person.jsonl").open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(Damaged, match="too long"):
        person_state("P07", tmp_path)
