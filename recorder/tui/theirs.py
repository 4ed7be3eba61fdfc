"""What a person's recordings tell for their page: tracks that were heard, the neutral reference."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from affetti.core.errors import AffettiError
from affetti.core.people.index import Listed

MOST: Final = 20  # recordings that are looked into, the newest first


@dataclass(frozen=True)
class Theirs:
    """What was found.

    Attributes
    ----------
    tracks
        Titles by the SHA-256 of their files.
    neutral
        What became of the latest neutral reference; "" without one.
    neutral_on, session_id
        When that recording began, and which it is; "" without one.
    """

    tracks: dict[str, str] = field(default_factory=dict)
    neutral: str = ""
    neutral_on: str = ""
    session_id: str = ""


def theirs(recordings: Iterable[Listed]) -> Theirs:
    """Return what the newest sealed recordings of a person tell; one that is closed tells nothing.

    Parameters
    ----------
    recordings
        Of the person, the newest first.
    """
    from affetti.analyzer.measures.neutral import neutral_outcome  # noqa: PLC0415  it takes time
    from affetti.core.events import NeutralReferenceRecorded, TrackStarted  # noqa: PLC0415
    from affetti.core.recording.session import Session  # noqa: PLC0415

    found = Theirs()
    for listed in [one for one in recordings if one.state == "sealed"][:MOST]:
        with suppress(AffettiError), Session.open(listed.path, altered=True) as session:
            tracks = {e.sha256: e.title for e in session.of_kinds(TrackStarted)}  # type: ignore[union-attr]
            found = Theirs(tracks | found.tracks, found.neutral, found.neutral_on, found.session_id)
            if found.neutral or not session.of_kinds(NeutralReferenceRecorded):
                continue
            outcome = neutral_outcome(session.state, session.estimates.get("face", {}))
            if outcome is not None:
                found = Theirs(found.tracks, outcome, listed.wall_clock, session.session_id)
    return found
