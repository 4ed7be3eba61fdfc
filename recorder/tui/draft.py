"""The plan of a recording while it is being filled in, and what it still lacks."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from affetti.core.consent import days_from_today, today
from affetti.core.errors import AffettiError
from affetti.core.events import (
    IDENTITY,
    PICTURES_IN_REPORTS,
    SCOPES,
    SIGNALS,
    Keep,
    MarkerKey,
    consent_to,
)
from affetti.core.events.people import ConsentFiled
from affetti.core.language import text, word
from affetti.core.paths import typed
from affetti.core.people.authors import author_id
from affetti.core.people.history import PersonState, answers, consent_now, has_expired
from affetti.core.people.last_time import LastTime
from affetti.core.people.person import checked_code
from affetti.core.people.playlist import PlaylistEntry
from affetti.core.people.protocol import Protocol, order_of
from affetti.core.settings import Settings
from affetti.core.streams import ROOM, VIDEO
from affetti.recorder.engine.messages import Plan, Proposal
from affetti.recorder.tui.person import known_of
from affetti.recorder.tui.usual import Usual, remember, usual

USUAL_NEUTRAL_S: Final = 10.0
FURTHER: Final = tuple(s for s in SCOPES if s not in (VIDEO, ROOM))  # further scopes of consent
NEED_VIDEO: Final = (IDENTITY, PICTURES_IN_REPORTS)  # what means nothing without it


@dataclass
class Draft:
    """What the set-up has been told so far; an answer of None was not given yet."""

    person: str = ""
    video: bool | None = None  # consent
    audio: bool | None = None  # to the sound of the room
    further: dict[str, bool] = field(default_factory=dict)  # answers to further scopes of consent
    camera: str | None = None  # None: no camera
    camera_name: str = ""  # of one with a number, as the system calls it
    microphone: str | None = None  # None: no microphone, "": the system's default
    playlist: list[Path | PlaylistEntry] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)  # of music, in this set-up
    sources: tuple[str, ...] = ()  # further ones, by address
    speaker: str | None = ""  # None: to the log alone
    volume: int = 100  # in percent, of what is heard
    output: str | None = None
    duration_s: float | None = None
    neutral_s: float | None = None
    pipeline: str = "affetti"
    cameras: tuple[str, ...] = ()  # further ones; these three are named on the command line alone
    markers: tuple[str, ...] = ()
    lsl_out: bool = False
    recipients: tuple[str, ...] | None = None  # it is encrypted for; None: as the settings say
    keep: Keep | None = None  # of pictures and of the room's sound; None: as the settings say
    last: LastTime | None = None  # the person's latest recording
    protocol: Protocol | None = None  # of a study, which says what is played and asked
    known: PersonState | None = None  # of the person, beside their recordings

    @classmethod
    def of_settings(cls, settings: Settings) -> Self:
        """Begin with the devices that the settings name."""
        return cls(
            camera=settings.camera,
            microphone=settings.microphone,
            speaker=settings.speaker,
            keep=settings.keep,
        )

    @classmethod
    def of_person(
        cls,
        settings: Settings,
        person: str,
        last: LastTime | None,
        known: PersonState | None = None,
    ) -> Self:
        """Begin with the devices that were chosen last, and what the person agreed to last.

        The settings name devices where none were chosen yet. All of it is shown, and confirmed.
        """
        draft = cls.of_settings(settings)
        draft.person, draft.last, draft.known = person, last, known
        if (chosen := usual()) is not None:
            draft.camera, draft.camera_name = chosen.camera, chosen.camera_name
            draft.microphone = chosen.microphone
            draft.speaker, draft.volume = chosen.speaker, chosen.volume
        agreed = answers(last, known)
        draft.video, draft.audio = agreed.get(VIDEO), agreed.get(ROOM)
        draft.further = {s: True for s in FURTHER if agreed.get(s)}
        if last is not None:
            draft.neutral_s = USUAL_NEUTRAL_S if last.neutral else None
        return draft

    def learn(self, settings: Settings) -> None:
        """Look for what is known of the person whose code was typed."""
        if self.known is None or self.known.person != self.person:
            self.known = known_of(self.person, settings) if not self.code_problem() else None

    @property
    def expired(self) -> ConsentFiled | None:
        """The consent on file, where it has expired."""
        filed = None if self.known is None else self.known.consent
        return filed if filed is not None and has_expired(filed) else None

    @property
    def counted(self) -> tuple[MarkerKey, ...]:
        """What is counted of the person, each with its key."""
        return () if self.known is None else self.known.markers

    def to_file(self, valid_days: int) -> ConsentFiled | None:
        """Return what is to be filed of the answers; None where it is on file already, or unasked.

        Consent is filed where some was before, or where it is to expire.

        Parameters
        ----------
        valid_days
            For how long consent holds; 0: for as long as the person does not end it.
        """
        filed = None if self.known is None else self.known.consent
        given = consent_to(*self.granted(), since=today())
        holds = None if filed is None else consent_now(filed)
        same = holds is not None and holds.granted == given.granted
        if same or (filed is None and not valid_days):
            return None
        return ConsentFiled(
            author_id=author_id(),
            person=self.person,
            consent=given,
            on=today(),
            expires=days_from_today(valid_days) if valid_days else "",
        )

    def remember(self) -> None:
        """Keep the devices and the music for the next time."""
        entries = [e for e in self.playlist if isinstance(e, PlaylistEntry)]
        remember(
            Usual(
                camera=self.camera,
                camera_name=self.camera_name,
                microphone=self.microphone,
                speaker=self.speaker,
                volume=self.volume,
                playlist=tuple(entries),
            )
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
            cameras=plan.cameras,
            markers=plan.markers,
            lsl_out=plan.lsl_out,
            camera=plan.camera if plan.camera is not None else settings.camera,
            microphone=plan.microphone if plan.microphone is not None else settings.microphone,
            playlist=_played(plan),
            speaker=speaker,
            output=plan.output,
            duration_s=plan.duration_s,
            neutral_s=plan.neutral_s,
            pipeline=plan.pipeline,
            recipients=plan.recipients,
            keep=plan.keep or settings.keep,
            protocol=plan.protocol,
        )

    def next_session(self) -> Self:
        """Return a draft with the same devices and music.

        Person, consent and neutral reference are asked again.
        """
        return type(self)(
            camera=self.camera,
            cameras=self.cameras,
            markers=self.markers,
            microphone=self.microphone,
            playlist=list(self.playlist),
            speaker=self.speaker,
            volume=self.volume,
            pipeline=self.pipeline,
            recipients=self.recipients,
            keep=self.keep,
            protocol=self.protocol,
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

    @property
    def asked(self) -> tuple[str, ...]:
        """The scopes of consent, beside video and room, that are asked about."""
        return tuple(scope for scope in FURTHER if self.sources or scope != SIGNALS)

    def lacks(self) -> list[str]:
        """Say in words what is missing before a recording can start; empty when nothing is."""
        return [*self.lacks_of_person(), *self.lacks_of_devices()]

    def lacks_of_person(self) -> list[str]:
        """Say in words what is missing of who is recorded, and of what they agree to."""
        lacks = []
        if self.code_problem():
            lacks.append(text("lacks.other_code" if self.person else "lacks.code"))
        if self.video is None:
            lacks.append(text("lacks.video"))
        if self.audio is None:
            lacks.append(text("lacks.audio"))
        if self.sources and SIGNALS not in self.further:
            lacks.append(text("lacks.signals"))
        if self.protocol is not None:
            if not self.code_problem() and (problem := self.order_problem()):
                lacks.append(problem)
            lacks += [text("lacks.scope", what=word("consent", s)) for s in self.unanswered()]
        return lacks

    def unanswered(self) -> list[str]:
        """Return the further scopes that a study asks for, and that were not answered yet."""
        asked = () if self.protocol is None else self.protocol.consent
        moot = NEED_VIDEO if self.video is False else ()  # nobody can answer
        return [s for s in asked if s in self.asked and s not in self.further and s not in moot]

    def order_problem(self) -> str:
        """Say why a study has no order of tracks for this person; "" where it has one."""
        try:
            if self.protocol is not None:
                order_of(self.protocol, self.person)
        except AffettiError as error:
            return f"{error.message} {error.hint}"
        return ""

    def lacks_of_devices(self) -> list[str]:
        """Say in words whether there is nothing that could be recorded."""
        devices = self.used_camera, self.used_microphone
        nothing = devices == (None, None) and not (self.playlist or self._signals)
        asked = self.video is not None and self.audio is not None
        return [text("lacks.source")] if nothing and asked else []

    def plan(self) -> Plan:
        """Return the finished plan; only when nothing is lacking."""
        return Plan(
            person=self.person,
            consent=consent_to(*self.granted(), since=today()),
            output=self.output,
            camera=self.used_camera,
            cameras=self.cameras if self.used_camera is not None else (),
            microphone=self.used_microphone,
            playlist=()
            if self.protocol is not None
            else tuple(
                each if isinstance(each, PlaylistEntry) else str(each) for each in self.playlist
            ),
            proposals=tuple(self.proposals),
            sources=self.sources,
            markers=self.markers,
            lsl_out=self.lsl_out,
            speaker=self.speaker,
            volume=self.volume,
            duration_s=self.duration_s,
            neutral_s=self.plan_of_neutral(),
            pipeline=self.pipeline,
            recipients=self.recipients,
            keep=self.keep,
            protocol=self.protocol,
            counted=self.counted,
        )

    @property
    def _signals(self) -> bool:
        return bool(self.sources) and self.further.get(SIGNALS, False)

    def plan_of_neutral(self) -> float | None:
        """Return how long a neutral face is shown at the beginning; None where none is."""
        led = self.protocol is not None  # which says itself when a neutral face is shown
        return self.neutral_s if self.used_camera is not None and not led else None

    def granted(self) -> tuple[str, ...]:
        """Return the scopes that are agreed to."""
        seen = {s: self.further.get(s) and self.video for s in NEED_VIDEO}
        further = {**self.further, **seen}
        asked = ((VIDEO, self.video), (ROOM, self.audio))
        return tuple(scope for scope, answer in (*asked, *further.items()) if answer)


def _played(plan: Plan) -> list[Path | PlaylistEntry]:
    """Return what a plan plays: of a study all tracks, in the order that its protocol lists."""
    if plan.protocol is not None:
        return [*plan.protocol.tracks]
    return [typed(each) if isinstance(each, str) else each for each in plan.playlist]
