"""What the screens know and keep of a person beside their recordings."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from affetti.core.consent import today
from affetti.core.custody import vault
from affetti.core.errors import AffettiError
from affetti.core.events import Consent
from affetti.core.events.people import ConsentFiled, MarkersChosen, MusicLabelled
from affetti.core.people import log
from affetti.core.people.authors import author_id
from affetti.core.people.history import AnyPersonEntry, PersonState
from affetti.core.people.marker_sets import read_set
from affetti.core.place import told
from affetti.core.settings import SelfReportSettings, Settings
from affetti.recorder.tui.marker_keys import usable


def known_of(person: str, settings: Settings) -> PersonState | None:
    """Return what is known of a person; None where nothing is, or it cannot be read."""
    try:
        known = log.person_state(person, settings.folder)
    except (AffettiError, OSError):
        return None
    return None if known == PersonState(person) else known


def keep(
    entries: Sequence[AnyPersonEntry],
    person: str,
    settings: Settings,
    recipients: tuple[str, ...] | None = None,
) -> None:
    """Add entries to the log of a person.

    Parameters
    ----------
    entries
        In order.
    person
        The code.
    settings
        Where it lies, and for whom it is encrypted.
    recipients
        For whom it is encrypted, as public keys in letters; None: as the settings say.

    Raises
    ------
    AffettiError
        It cannot be read or written.
    """
    with told(settings.folder):
        whom = vault.recipients(settings) if recipients is None else recipients
        names = settings.vault.coded_names
        log.add(entries, person, settings.folder, whom, coded_name=names)


def asked_of(known: PersonState | None, settings: Settings) -> SelfReportSettings:
    """Return what a person is asked, and when: what was chosen for them, or the settings."""
    if known is None or known.scales is None:
        return settings.self_report
    return SelfReportSettings(known.scales, known.after_tracks)


def labels_of(known: PersonState | None) -> Mapping[str, MusicLabelled]:
    """Return what tracks are for a person, in the therapist's words, by digest."""
    return {} if known is None else known.labels


def consent_ended(
    filed: ConsentFiled,
    consent: Consent,
    session_id: str,
    settings: Settings,
    recipients: tuple[str, ...] | None,
) -> ConsentFiled:
    """Put on file that a person ended their consent to something in a session.

    Parameters
    ----------
    filed
        What is on file.
    consent
        What holds from now on.
    session_id
        Of the session.
    settings, recipients
        As of `keep`.

    Returns
    -------
    What is on file then; as it was, where nothing of it ended or it cannot be written.
    """
    ended = [scope for scope in filed.consent.granted if not consent.grants(scope)]
    if not ended:
        return filed
    said = ConsentFiled(
        author_id=author_id(),
        person=filed.person,
        consent=filed.consent.changed(ended=ended, since=today()),
        on=today(),
        expires=filed.expires,
        session_id=session_id,
    )
    with suppress(AffettiError):  # the recording says it all the same, and set-up asks again
        keep([said], filed.person, settings, recipients)
        return said
    return filed


def import_markers(person: str, file: Path, settings: Settings) -> MarkersChosen:
    """Take the marker keys of a file for a person; return what was kept.

    Raises
    ------
    AffettiError
        It is no set of marker keys, the live screen has a use for one of the keys itself, or the
        log of the person cannot be written.
    """
    found = read_set(file)
    chosen = MarkersChosen(
        author_id=author_id(), person=person, markers=usable(found.markers), name=found.name
    )
    keep([chosen], person, settings)
    return chosen
