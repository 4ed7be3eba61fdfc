"""The set-up: three steps, and what each says and asks, under the hands of a person."""

import threading
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Button, ContentSwitcher, DirectoryTree, Input, Select

from affetti.core.errors import AffettiError
from affetti.core.people.last_time import LastTime
from affetti.core.people.playlist import PlaylistEntry, read_playlist, write_playlist
from affetti.core.settings import Settings
from affetti.recorder.engine import messages
from affetti.recorder.sources.track import Track
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.screens import setup as set_up
from affetti.recorder.tui.screens.pick import PickScreen
from affetti.recorder.tui.screens.setup import SetupScreen
from affetti.recorder.tui.usual import remember_named, usual
from affetti.recorder.tui.widgets.consent import YesNo
from affetti.recorder.tui.widgets.playlist import Playlist, tracks_at
from affetti.recorder.tui.widgets.source import SourceChoice
from tests.recorder.films import tone
from tests.recorder.scripted_engine import devices, level, picture
from tests.recorder.test_tui_screens import Session, opened, press_at_once

pytestmark = pytest.mark.one_of_each

WHO, DEVICES, MUSIC = range(3)


async def step(setup: Session, number: int) -> None:
    screen = setup.app.screen
    assert isinstance(screen, SetupScreen)
    screen.go(number)
    await setup.pilot.pause()


@pytest.mark.campaign
async def test_a_new_person_is_set_up_in_three_steps(tmp_path: Path) -> None:
    track = tone(tmp_path / "a.wav", 1)
    async with opened(tmp_path) as setup:
        await setup.hears(devices())
        press, screen = setup.pilot.press, setup.app.screen
        await press("ctrl+r", *"Anna!")
        assert "letters and digits" in setup.words("#person-hint")
        await press("backspace")
        assert "○ yes or no to video" in setup.words("#who-checks")
        await press("enter", "n", "enter", "n")
        assert "✓ face on video: no" in setup.words("#who-checks")
        screen.query_one("#next").focus()
        await press("enter")
        assert screen.query_one(ContentSwitcher).current == "devices"
        assert setup.words("#face-check") == "– Face: not recorded"
        await press("enter")
        assert screen.query_one("#start", Button).disabled
        assert setup.words("#status") == "Next: a camera, a microphone or music."
        await press("ctrl+r")
        assert not setup.sent(messages.Record)
        add = screen.query_one("#add", Input)
        add.focus()
        await setup.until(lambda: add.has_focus)
        add.value = str(track)
        await press("enter")
        await setup.until(lambda: setup.words("#status") == "Ready.")
        await press("ctrl+r")
        await setup.until(lambda: bool(setup.sent(messages.Record)))
        plan = setup.sent(messages.Record)[0].plan
        assert plan.person == "Anna"
        assert plan.consent.granted == ()
        assert plan.camera is None
        assert [entry.path for entry in plan.playlist] == [str(track)]
        chosen = usual()
        assert chosen is not None
        assert [entry.path for entry in chosen.playlist] == [str(track)]


async def test_a_known_person_confirms_what_was_agreed_to_and_recorded_with(tmp_path: Path) -> None:
    titles = ("a", "b")
    tracks = [PlaylistEntry(path=str(tone(tmp_path / f"{name}.wav", 1))) for name in titles]
    settings = Settings(sessions_folder=str(tmp_path))
    write_playlist(tmp_path / "playlists", "calm", tracks)
    agreed = {"video": True, "room": False, "identity": True, "research": False}
    last = LastTime("2026-11-24T10:15:00+01:00", agreed, titles, neutral=True)
    async with opened(tmp_path, Draft.of_person(settings, "P07", last)) as setup:
        await setup.hears(devices())
        assert "24 November 2026" in setup.words("#consent-hint")
        await setup.pilot.pause(0.7)
        assert not setup.sent(messages.Watch)  # nothing is opened before it was confirmed
        await setup.pilot.press("enter")
        await setup.until(lambda: setup.sent(messages.Watch) == [messages.Watch("0", None)])
        await setup.pilot.press("enter")
        await setup.until(lambda: len(setup.app.draft.playlist) == 2)
        assert "a neutral face first" in setup.words("#checks")
        await setup.pilot.press("enter")
        await setup.until(lambda: bool(setup.sent(messages.Record)))
        plan = setup.sent(messages.Record)[0].plan
        assert plan.consent.granted == ("video", "identity")
        assert plan.neutral_s == 10.0
        following = setup.app.draft.next_session()
        assert following.neutral_s is None  # of one person, and not of the next
        assert following.last is None


@pytest.mark.campaign
async def test_what_is_wrong_with_picture_and_sound_is_said(tmp_path: Path) -> None:
    draft = Draft(person="P1", video=True, audio=True, camera="0", microphone="")
    async with opened(tmp_path, draft) as setup:
        await setup.hears(devices())
        await step(setup, DEVICES)
        await setup.until(lambda: bool(setup.sent(messages.Watch)))
        dark = messages.Seen(((200, 90, 100, 120),), "dark", read=False)
        await setup.hears(picture(), dark, *[level(rms_dbfs=-52.0)] * 20)
        assert setup.words("#face-check") == "! the face is too dark: more light"
        assert setup.words("#sound-check").startswith("! too quiet")
        well = messages.Seen(((200, 90, 100, 120),), "good", read=True)
        await setup.hears(picture(), well, level(rms_dbfs=-30.0))
        assert setup.words("#face-check") == "✓ the face is seen well"
        assert setup.words("#sound-check") == "✓ the room was heard well"
        setup.app.screen.query_one("#volume").focus()
        await setup.pilot.press("left", "left", "f7")
        assert setup.sent(messages.PlayTone) == [messages.PlayTone("", 90)]


@pytest.mark.campaign
async def test_a_playlist_is_saved_and_read_again(tmp_path: Path) -> None:
    entry = PlaylistEntry(path=str(tone(tmp_path / "a.wav", 1)), title="=A", columns={"key": "d"})
    draft = Draft(person="P1", video=False, audio=False, playlist=[entry])
    async with opened(tmp_path, draft) as setup:
        await step(setup, MUSIC)
        await setup.until(lambda: bool(setup.app.screen.query_one(Playlist).tracks))
        await setup.pilot.press("f8", *"calm", "enter")
        saved = tmp_path / "playlists" / "calm.csv"
        await setup.until(saved.exists)
        assert read_playlist(saved) == (entry,)
        await setup.pilot.press("f8", *"calm", "enter")
        await setup.until(lambda: "exists already" in setup.words("#status"))
        await setup.pilot.press("f8", *"../x", "enter")
        await setup.until(lambda: "cannot be called" in setup.words("#status"))


@pytest.mark.campaign
async def test_music_is_picked_from_a_tree(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    tone(folder / "a.wav", 1)
    (folder / "notes.md").write_text("no music")
    async with opened(tmp_path, Draft(person="P1", video=False, audio=False)) as setup:
        await step(setup, MUSIC)
        setup.app.push_screen(
            PickScreen("music", folder),
            setup.app.screen._picked_music,  # type: ignore[attr-defined]
        )
        tree = None
        await setup.until(lambda: bool(setup.app.screen.query(DirectoryTree)))
        tree = setup.app.screen.query_one(DirectoryTree)
        await setup.until(lambda: len(tree.root.children) > 0)
        assert "notes.md" not in [str(node.label) for node in tree.root.children]
        await setup.pilot.press("end", "enter")
        await setup.until(lambda: len(setup.app.draft.playlist) == 1)


@pytest.mark.campaign
async def test_no_consent_means_no_preview_and_no_device(tmp_path: Path) -> None:
    async with opened(tmp_path, Draft(camera="0", microphone="")) as setup:
        await setup.hears(devices())
        await setup.pilot.pause(0.7)
        assert not setup.sent(messages.Watch)
        await setup.pilot.press("tab", "y", "tab", "n")
        await setup.until(lambda: bool(setup.sent(messages.Watch)))
        assert setup.sent(messages.Watch)[-1] == messages.Watch("0", None)
        assert not setup.app.screen.query_one("#camera").disabled
        assert setup.app.screen.query_one("#microphone").disabled
        await setup.hears(level())
        assert "not recorded" in setup.words("#level")
        await setup.pilot.press("shift+tab", "n")
        await setup.until(lambda: setup.sent(messages.Watch)[-1] == messages.Watch(None, None))


@pytest.mark.campaign
async def test_consent_is_not_chosen_for_anyone(tmp_path: Path) -> None:
    async with opened(tmp_path) as setup:
        asked = setup.app.screen.query("#who YesNo").results(YesNo)
        assert {question.value for question in asked} == {None}


@pytest.mark.campaign
async def test_telling_faces_apart_is_asked_and_needs_video(tmp_path: Path) -> None:
    draft = Draft(person="P1", microphone="")
    async with opened(tmp_path, draft) as setup:
        await setup.hears(devices())
        setup.app.screen.query_one("#video").focus()
        await setup.pilot.press("y", "tab", "y", "tab", "y")
        await setup.until(lambda: draft.further == {"identity": True})
        assert draft.plan().consent.granted == ("video", "room", "identity")
        await setup.pilot.press("shift+tab", "shift+tab", "n")
        await setup.until(lambda: draft.video is False)
        assert setup.app.screen.query_one("#identity").disabled
        assert draft.plan().consent.granted == ("room",)


@pytest.mark.campaign
async def test_what_is_not_as_usual_is_said_before_the_start(tmp_path: Path) -> None:
    draft = Draft(person="P1", video=True, audio=False, camera="0", pipeline="paper", neutral_s=8)
    async with opened(tmp_path, draft) as setup:
        await setup.hears(devices())
        await step(setup, MUSIC)
        assert "pipeline paper" in setup.words("#checks")
        assert "a neutral face first" in setup.words("#checks")


@pytest.mark.campaign
async def test_signals_are_asked_about_where_there_are_some(tmp_path: Path) -> None:
    draft = Draft(person="P1", video=False, audio=True, sources=("lsl:pulse",))
    async with opened(tmp_path, draft) as setup:
        await setup.hears(devices())
        await setup.until(lambda: "body signals" in setup.words("#status"))
        setup.app.screen.query_one("#signals").focus()
        await setup.pilot.press("y")
        await setup.until(lambda: setup.words("#status") == "Ready.")
        assert draft.plan().consent.granted == ("room", "signals")


@pytest.mark.campaign
async def test_a_file_named_as_camera_is_watched(tmp_path: Path) -> None:
    draft = Draft(person="P1", video=True, audio=False, camera="/films/face.mp4")
    async with opened(tmp_path, draft) as setup:
        await setup.hears(devices())
        await setup.until(lambda: bool(setup.sent(messages.Watch)))
        assert setup.sent(messages.Watch)[-1].camera == "/films/face.mp4"
        await step(setup, DEVICES)
        assert setup.app.screen.query_one("#camera Input", Input).display


@pytest.mark.campaign
async def test_a_camera_that_is_gone_is_not_chosen(tmp_path: Path) -> None:
    async with opened(tmp_path, Draft(camera="7", microphone="", speaker="")) as setup:
        await setup.hears(messages.Devices((), (), ()))
        assert setup.app.draft.camera is None
        assert setup.app.draft.microphone is None
        assert setup.app.draft.speaker is None
        assert setup.app.screen.query_one("#camera Select", Select).selection != "7"


@pytest.mark.campaign
async def test_playlist_takes_folders_and_is_reordered(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    for name in ("c.wav", "a.wav", "b.flac"):
        tone(folder / name, 1)
    (folder / "cover.jpg").write_bytes(b"no sound")
    async with opened(tmp_path) as setup:
        await step(setup, MUSIC)
        add = setup.app.screen.query_one("#add", Input)
        add.focus()
        add.value = str(folder)
        await setup.pilot.press("enter")
        await setup.until(lambda: len(setup.app.draft.playlist) == 3)
        playlist = setup.app.screen.query_one(Playlist)
        playlist.focus()
        playlist.highlighted = 2
        await setup.pilot.press("[")
        assert [Path(entry.path).name for entry in setup.app.draft.playlist] == [
            "a.wav",
            "c.wav",
            "b.flac",
        ]
        await setup.pilot.press("delete")
        assert names_in(setup.app.draft) == ["a.wav", "b.flac"]


async def test_paths_that_are_handed_over_in_one_go_are_all_added_in_their_order(
    tmp_path: Path,
) -> None:
    for name, seconds in (("c.wav", 30), ("a.flac", 1), ("b.wav", 1)):
        tone(tmp_path / name, seconds)
    async with opened(tmp_path) as setup:
        await step(setup, MUSIC)
        setup.app.screen.query_one("#add", Input).focus()
        for name in ("c.wav", "a.flac", "none.wav", "b.wav"):
            press_at_once(setup, *str(tmp_path / name), "enter")
        await setup.until(lambda: names_in(setup.app.draft) == ["c.wav", "a.flac", "b.wav"])
        add = setup.app.screen.query_one("#add", Input)
        await setup.until(lambda: add.value == str(tmp_path / "none.wav"))  # to be put right


def names_in(draft: Draft) -> list[str]:
    return [Path(entry.path).name for entry in draft.playlist]


@pytest.mark.campaign
async def test_a_missing_track_is_told_with_what_to_do(tmp_path: Path) -> None:
    async with opened(tmp_path) as setup:
        await step(setup, MUSIC)
        add = setup.app.screen.query_one("#add", Input)
        add.focus()
        add.value = str(tmp_path / "none.ogg")
        await setup.pilot.press("enter")
        await setup.until(lambda: "cannot be read" in setup.words("#status"))
        assert "Check the path" in setup.words("#status")


@pytest.mark.campaign
async def test_a_recording_that_cannot_begin_leaves_the_set_up_open(tmp_path: Path) -> None:
    draft = Draft(person="P1", video=True, audio=False, camera="0")
    async with opened(tmp_path, draft) as setup:
        await setup.hears(devices())
        await setup.pilot.press("ctrl+r")
        assert setup.words("#status") == "Starting…"
        await setup.hears(messages.Problem("Camera [0] cannot be opened.", "Plug it in.", 10, True))
        assert setup.words("#status") == "! Camera [0] cannot be opened. Plug it in."
        assert not setup.app.screen.query_one("#start", Button).disabled
        started = len(setup.sent(messages.Watch))
        await setup.until(lambda: len(setup.sent(messages.Watch)) > started)


@pytest.mark.campaign
async def test_a_device_name_is_never_markup(tmp_path: Path) -> None:
    async with opened(tmp_path, Draft(camera=None, microphone="", speaker="")) as setup:
        await setup.hears(messages.Devices((), ("Mic [red]hw:1,0[/red] [/b]",), ()))
        choice = setup.app.screen.query_one("#microphone", SourceChoice)
        choice.query_one(Select).value = "Mic [red]hw:1,0[/red] [/b]"
        await setup.pilot.pause()
        assert setup.app.draft.microphone == "Mic [red]hw:1,0[/red] [/b]"


HOSTILE = (
    "~nosuch/",
    "~nosuch",
    "x" * 5000,
    "a\0b",
    "/proc/1/",
    "/etc/hostname",
    "'",
    "\\",
    "file://",
)


@pytest.mark.campaign
async def test_whatever_is_typed_as_a_path_gives_a_message_and_ends_nothing(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, Draft(person="P07", video=True, audio=False)) as setup:
        await step(setup, MUSIC)
        await setup.hears(devices())
        add = setup.app.screen.query_one("#add", Input)
        for text in HOSTILE:
            add.focus()
            add.value = text
            await setup.pilot.press("end", "enter")
            await setup.until(lambda: setup.words("#status").startswith("!"))
            setup.app.screen._problem = None  # type: ignore[attr-defined]
        choice = setup.app.screen.query_one("#camera", SourceChoice)
        for text in HOSTILE:
            choice.query_one(Input).value = text
            await setup.pilot.pause()
        assert isinstance(setup.app.screen, SetupScreen)


@pytest.mark.campaign
async def test_a_track_dragged_into_the_terminal_is_added(tmp_path: Path) -> None:
    track = tone(tmp_path / "it's a b.wav", 1)
    quoted = str(track).replace("'", "'\\''")
    async with opened(tmp_path) as setup:
        await step(setup, MUSIC)
        await setup.hears(devices())
        setup.app.screen.query_one("#add", Input).focus()
        await setup.pilot.pause()
        setup.app.post_message(events.Paste(f"'{quoted}' "))
        await setup.pilot.press("enter")
        playlist = setup.app.screen.query_one(Playlist)
        await setup.until(lambda: [track.path for track in playlist.tracks] == [track])


@pytest.mark.campaign
async def test_files_dropped_into_the_terminal_are_added_and_dragged_into_order(
    tmp_path: Path,
) -> None:
    first, second = tone(tmp_path / "a b.wav", 1), tone(tmp_path / "c.wav", 1)
    async with opened(tmp_path, Draft(person="P1", video=False, audio=False)) as setup:
        await setup.hears(devices())
        await step(setup, MUSIC)
        app, pilot = setup.app, setup.pilot
        app.screen.query_one("#add").focus()
        await pilot.pause()
        app.post_message(events.Paste(f"'{first}' {second}"))
        playlist = app.screen.query_one(Playlist)
        await setup.until(lambda: [t.title for t in playlist.tracks] == ["a b", "c"])
        assert app.screen.query_one("#add", Input).value == ""
        playlist.focus()
        await pilot.pause()
        app.post_message(events.Paste(f"{first}\n{second}\n"))  # a line each, quoted or not
        await setup.until(lambda: len(playlist.tracks) == 4)
        app.post_message(events.Paste("only words"))
        await pilot.mouse_down(playlist, offset=(6, 1))
        await pilot._post_mouse_events([events.MouseMove], playlist, offset=(6, 2), button=1)
        await pilot.mouse_up(playlist, offset=(6, 2))
        assert [t.title for t in playlist.tracks] == ["c", "a b", "a b", "c"]
        assert [e.path for e in app.draft.playlist[:2]] == [str(second), str(first)]


@pytest.mark.campaign
async def test_the_camera_of_last_time_is_followed_to_its_number_or_asked_about(
    tmp_path: Path,
) -> None:
    for names, chosen in (
        ({"0": "Door", "2": "HD Webcam"}, "2"),
        ({"0": "Door"}, "0"),
        ({"4": "Door"}, "4"),
    ):
        draft = Draft(person="P07", video=True, audio=False, camera="0", camera_name="HD Webcam")
        async with opened(tmp_path, draft) as live:
            await live.hears(messages.Devices(tuple(names), (), (), names))
            await live.until(lambda d=draft, c=chosen: d.camera == c)  # type: ignore[misc]
            seen = messages.Seen(((1, 1, 2, 2),), "good", read=True)
            live.app.screen.go(1)  # type: ignore[attr-defined]
            await live.until(lambda: bool(live.sent(messages.Watch)))
            await live.hears(seen)
            warned = "not the camera of last time, HD Webcam" in live.words("#face-check")
            assert warned == (len(names) == 1)


async def test_a_recording_that_is_started_while_music_is_read_begins_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()

    def slowly(path: Path | PlaylistEntry) -> tuple[list[Track], list[AffettiError]]:
        assert may_go_on.wait(60)
        return tracks_at(path)

    monkeypatch.setattr(set_up, "tracks_at", slowly)
    entry = PlaylistEntry(path=str(tone(tmp_path / "a.wav", 1)))
    draft = Draft(person="P1", video=False, audio=False, playlist=[entry])
    async with opened(tmp_path, draft) as setup:
        await setup.until(lambda: isinstance(setup.app.screen, SetupScreen))
        await setup.pilot.press("ctrl+r")
        await setup.pilot.pause(0.3)
        assert not setup.sent(messages.Record)
        may_go_on.set()
        await setup.until(lambda: bool(setup.sent(messages.Record)))
        (begun,) = setup.sent(messages.Record)
        assert [Path(each.path).name for each in begun.plan.playlist] == ["a.wav"]


def test_devices_that_were_named_without_a_screen_are_offered_at_the_next(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.touch()
    settings = Settings(camera="1", microphone="built in")
    remember_named(settings, str(film), None, "")
    assert usual() is None  # a film is no device
    remember_named(settings, "http://camera.example/", "headset", None)
    draft = Draft.of_person(settings, "P07", None)
    assert (draft.camera, draft.microphone) == ("http://camera.example/", "headset")
    remember_named(settings, None, "room", "box")
    draft = Draft.of_person(settings, "P07", None)
    assert (draft.camera, draft.microphone, draft.speaker) == (
        "http://camera.example/", "room", "box",
    )  # fmt: skip
