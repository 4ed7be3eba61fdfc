"""The plan of a recording while it is being filled in, and what it still lacks."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from affetti.core.consent import today
from affetti.core.errors import AffettiError
from affetti.core.events import IDENTITY, SIGNALS, Keep, consent_to
from affetti.core.language import text
from affetti.core.paths import typed
from affetti.core.people.person import checked_code
from affetti.core.people.playlist import PlaylistEntry
from affetti.core.settings import Settings
from affetti.core.streams import ROOM, VIDEO
from affetti.recorder.engine.messages import Plan


@dataclass
class Draft:
    """What the set-up has been told so far; an answer of None was not given yet."""

    person: str = ""
    video: bool | None = None  # consent
    audio: bool | None = None  # to the sound of the room
    further: dict[str, bool] = field(default_factory=dict)  # answers to further scopes of consent
    camera: str | None = None  # None: no camera
    microphone: str | None = None  # None: no microphone, "": the system's default
    playlist: list[Path | PlaylistEntry] = field(default_factory=list)
    sources: tuple[str, ...] = ()  # further ones, by address
    speaker: str | None = ""  # None: to the log alone
    output: str | None = None
    duration_s: float | None = None
    neutral_s: float | None = None
    pipeline: str = "affetti"
    recipients: tuple[str, ...] | None = None  # it is encrypted for; None: as the settings say
    keep: Keep | None = None  # of pictures and of the room's sound; None: as the settings say

    @classmethod
    def of_settings(cls, settings: Settings, person: str = "") -> Self:
        """Begin with the devices that the settings name."""
        return cls(
            person=person,
            camera=settings.camera,
            microphone=settings.microphone,
            speaker=settings.speaker,
            keep=settings.keep,
        )

    @classmethod
    def of_plan(
        cls, plan: Plan, settings: Settings, *, person_known: bool, consent_known: bool
    ) -> Self:
        """Begin with what was named on the command line, and the settings for the rest.

        Parameters
        ----------
        plan
            From the command line.
        settings
            For devices that it does not name.
        person_known, consent_known
            Whether the plan's person and consent were named, or are a default that a person
            at the screen has to replace.
        """
        speaker = settings.speaker if plan.speaker == "" else plan.speaker
        return cls(
            person=plan.person if person_known else "",
            video=plan.consent.grants(VIDEO) if consent_known else None,
            audio=plan.consent.grants(ROOM) if consent_known else None,
            further={scope: True for scope in plan.consent.granted if scope not in (VIDEO, ROOM)},
            sources=plan.sources,
            camera=plan.camera if plan.camera is not None else settings.camera,
            microphone=plan.microphone if plan.microphone is not None else settings.microphone,
            playlist=[typed(each) if isinstance(each, str) else each for each in plan.playlist],
            speaker=speaker,
            output=plan.output,
            duration_s=plan.duration_s,
            neutral_s=plan.neutral_s,
            pipeline=plan.pipeline,
            recipients=plan.recipients,
            keep=plan.keep or settings.keep,
        )

    def next_session(self) -> Self:
        """Return a draft with the same devices and music; person and consent are asked again."""
        return type(self)(
            camera=self.camera,
            microphone=self.microphone,
            playlist=list(self.playlist),
            speaker=self.speaker,
            neutral_s=self.neutral_s,
            pipeline=self.pipeline,
            recipients=self.recipients,
            keep=self.keep,
        )

    @property
    def used_camera(self) -> str | None:
        """The camera, where video is consented to."""
        return (self.camera or None) if self.video else None

    @property
    def used_microphone(self) -> str | None:
        """The microphone, where audio is consented to."""
        return self.microphone if self.audio else None

    def code_problem(self) -> str | None:
        """Say why the person's code cannot be used, or None when it can."""
        try:
            checked_code(self.person)
        except AffettiError as error:
            return error.hint
        return None

    def lacks(self) -> list[str]:
        """Say in words what is missing before a recording can start; empty when nothing is."""
        lacks = []
        if self.code_problem():
            lacks.append(text("lacks.other_code" if self.person else "lacks.code"))
        if self.video is None:
            lacks.append(text("lacks.video"))
        if self.audio is None:
            lacks.append(text("lacks.audio"))
        if self.sources and SIGNALS not in self.further:
            lacks.append(text("lacks.signals"))
        devices = self.used_camera, self.used_microphone
        nothing = devices == (None, None) and not (self.playlist or self._signals)
        if nothing and self.video is not None and self.audio is not None:
            lacks.append(text("lacks.source"))
        return lacks

    def plan(self) -> Plan:
        """Return the finished plan; only when nothing is lacking."""
        return Plan(
            person=self.person,
            consent=consent_to(*self._granted(), since=today()),
            output=self.output,
            camera=self.used_camera,
            microphone=self.used_microphone,
            playlist=tuple(
                each if isinstance(each, PlaylistEntry) else str(each) for each in self.playlist
            ),
            sources=self.sources,
            speaker=self.speaker,
            duration_s=self.duration_s,
            neutral_s=self.neutral_s,
            pipeline=self.pipeline,
            recipients=self.recipients,
            keep=self.keep,
        )

    @property
    def _signals(self) -> bool:
        return bool(self.sources) and self.further.get(SIGNALS, False)

    def _granted(self) -> tuple[str, ...]:
        further = {**self.further, IDENTITY: self.further.get(IDENTITY) and self.video}
        asked = ((VIDEO, self.video), (ROOM, self.audio))
        return tuple(scope for scope, answer in (*asked, *further.items()) if answer)
