"""What a person agreed to last time, as the recording of that time has it."""

from dataclasses import dataclass, field
from pathlib import Path

from affetti.core.events import (
    ConsentChanged,
    NeutralReferenceStarted,
    SessionStarted,
    Withdrawn,
)
from affetti.core.recording.session import Session


@dataclass(frozen=True)
class LastTime:
    """Of a person's latest recording, what the next one begins with once it was confirmed.

    Attributes
    ----------
    wall_clock
        When it began, ISO 8601.
    answers
        Whether there was consent at its end, by scope. What was withdrawn later is not among it:
        that has to be asked again.
    titles
        Of the tracks that were to be played.
    neutral
        Whether a neutral face was shown.
    """

    wall_clock: str
    answers: dict[str, bool] = field(default_factory=dict)
    titles: tuple[str, ...] = ()
    neutral: bool = False


def last_time(path: Path) -> LastTime:
    """Return what a recording says of consent and set-up.

    Raises
    ------
    AffettiError
        It cannot be read.
    """
    kinds = (SessionStarted, ConsentChanged, NeutralReferenceStarted, Withdrawn)
    wall_clock, neutral = "", False
    titles: tuple[str, ...] = ()
    answers: dict[str, bool] = {}
    with Session.open(path, altered=True) as session:
        for event in session.of_kinds(*kinds):
            match event:
                case SessionStarted():
                    wall_clock, titles = event.wall_clock, event.playlist
                    answers |= _answers(event)
                case ConsentChanged():
                    answers |= _answers(event)
                case NeutralReferenceStarted():
                    neutral = True
                case Withdrawn(scopes=scopes):
                    answers = {s: yes for s, yes in answers.items() if s not in scopes}
    return LastTime(wall_clock, answers, titles, neutral)


def _answers(event: SessionStarted | ConsentChanged) -> dict[str, bool]:
    return {scope: grant.granted for scope, grant in event.consent.scopes.items()}
