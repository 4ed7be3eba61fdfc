"""What lies beside a recording, and whose it is: the one register of it.

Whatever is written beside a recording or about a person is declared here with its kind, how its
name follows from the recording's, and what it tells of the person. Encryption, withdrawal and
retention find it by this, and whoever writes a file takes its name from here.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from affetti.core.custody.temporary import leftovers


@dataclass(frozen=True)
class Artefact:
    """A kind of file or folder that belongs to a recording.

    Attributes
    ----------
    kind
        What it is called here.
    suffix
        What stands in its name behind the recording's, without its `.h5`; `{}` is a part that
        varies.
    varies
        A regular expression for that part.
    derived
        Whether it can be made again from the recording.
    session_id_in
        What in it names its session, in words; a name alone proves nothing.
    """

    kind: str
    suffix: str
    varies: str = ""
    derived: bool = False
    session_id_in: str = ""

    def name(self, recording: Path, variant: str = "") -> str:
        """Return the name of the one that belongs to a recording."""
        return self.named(recording.stem, variant)

    def named(self, stem: str, variant: str = "") -> str:
        """Return the name of the one that belongs to what begins so."""
        return stem + self.suffix.format(variant)

    def matches(self, name: str, recording: Path) -> bool:
        """Whether a name is that of one that belongs to a recording, encrypted or not."""
        before, _, after = self.suffix.partition("{}")
        varies = self.varies if "{}" in self.suffix else ""
        pattern = re.escape(recording.stem + before) + varies + re.escape(after)
        return re.fullmatch(pattern, name.removesuffix(ENCRYPTED_SUFFIX)) is not None


RECORDING: Final = Artefact("recording", ".h5", session_id_in="the attribute session_id")
PART: Final = Artefact(
    "part", ".part{}.h5", r"(?:[0-9]{3}|[1-9][0-9]{3,})", session_id_in="the header of each record"
)
UNREADABLE: Final = Artefact(
    "unreadable parts", ".unreadable{}", r"(?:-[0-9]+)?", session_id_in="its parts"
)
ANALYSIS: Final = Artefact(
    "analysis",
    "{}.analysis",
    r"(?:\.[a-z][a-z0-9_-]*)?",
    derived=True,
    session_id_in="session_id in provenance.json",
)
REPORT: Final = Artefact(
    "report", ".report.html", derived=True, session_id_in="the element meta of its head"
)
# The same page on paper, and as text.
PAPER: Final = Artefact(
    "report on paper", ".report.pdf", derived=True, session_id_in="the keywords of the document"
)
PLAIN_REPORT: Final = Artefact(
    "report as text", ".report.txt", derived=True, session_id_in="its last lines"
)
ANNOTATIONS: Final = Artefact(
    "annotations", ".annotations.jsonl", session_id_in="session_id of each entry"
)
# What was being typed when the engine's process died.
UNFINISHED_NOTE: Final = Artefact("unfinished note", ".note.txt", session_id_in="its last line")
# For another program: `NAME.export.eaf`, and so on; see `analyzer.exports`.
COPY: Final = Artefact(
    "copy",
    ".export{}",
    r"(?:\.[A-Za-z0-9-]+){1,2}",
    derived=True,
    session_id_in="its name alone; it is made again",
)
# Of copies that were made for other programs, or outside of a vault.
EXPORTS: Final = Artefact(
    "exports", ".exports.jsonl", session_id_in="its name alone; it is encrypted for the same"
)
ARTEFACTS: Final = (
    *(RECORDING, PART, UNREADABLE, ANALYSIS, REPORT, PAPER, PLAIN_REPORT),
    *(ANNOTATIONS, UNFINISHED_NOTE, COPY, EXPORTS),
)
RECORDED: Final = frozenset({".h5", ".hdf5"})  # suffixes of what may be a recording, in any case
ENCRYPTED_SUFFIX: Final = ".vault"  # behind the name of what is encrypted, recordings aside

# Of a person, in a folder of recordings; `sub-P07` stands for the recording, or, where names say
# nothing, a random `person-…`.
PERSON_LOG: Final = Artefact(
    "person's log", ".person.jsonl", session_id_in="person of each entry, and no session"
)
# Of copies of it that were made outside of a vault.
PERSON_EXPORTS: Final = Artefact(
    "exports of a person's log",
    ".person.jsonl.exports.jsonl",
    session_id_in="its name alone; it is encrypted for the same",
)
# What says in words what a session showed.
PAGES: Final = (REPORT, PAPER, PLAIN_REPORT)
# A person's page over sessions: `sub-P07.progress.pdf`.
PROGRESS: Final = Artefact(
    "progress",
    ".progress.{}",
    "(?:html|pdf|txt)",
    derived=True,
    session_id_in="all that it rests on, as a report has its own",
)
OF_PERSONS: Final = (PERSON_LOG, PERSON_EXPORTS, PROGRESS)
# Whatever a page is called, its name ends so.
PAGE_FORMS: Final = (".html", ".htm", ".pdf", ".txt")
_PAGE_SUFFIXES: Final = (
    *(artefact.suffix for artefact in PAGES),
    *(PROGRESS.suffix.format(form) for form in ("html", "pdf", "txt")),
)

# Of a folder of recordings: whose they are, and from when. A cache (`core.people.index`).
INDEX: Final = ".affetti-index.sqlite3"

# In the folders of whoever uses the computer, and of that user or the place: nothing of a person
# who is recorded is ever in them, so that nothing needs to be forgotten there.
SYNCHRONY: Final = "synchrony.json"  # of devices (`core.synchrony`)
MUSIC: Final = "music.json"  # what tracks of the collection express (`recorder.music`): a cache
SET_UP: Final = "set_up.json"  # devices and music that were chosen last (`recorder.tui.usual`)
THEME: Final = "theme"
LETTERS: Final = "letters"
AUTHORS: Final = "authors.json"  # ids of those who annotate (`core.people.authors`)
OF_THE_USER: Final = (SYNCHRONY, MUSIC, SET_UP, THEME, LETTERS, AUTHORS)
# Beside the recordings: a folder of saved playlists, which belong to no person.
PLAYLISTS: Final = "playlists"


@dataclass(frozen=True)
class Found:
    """Something that lies beside a recording, by its name."""

    artefact: Artefact
    path: Path


def beside(recording: Path, folder: Path | None = None) -> list[Found]:
    """Return what lies beside a recording, or in another folder, and is named like its own.

    The recording and unfinished files of its sealing are among it. Another recording is not,
    however it is called.

    Raises
    ------
    OSError
        The folder cannot be looked through.
    """
    place = folder or recording.parent
    found = [
        Found(artefact, place / name)
        for name in sorted(os.listdir(place))
        for artefact in ARTEFACTS
        if artefact.matches(name, recording) and _may_be(artefact, place / name, recording)
    ]
    unfinished = Artefact("unfinished", "")
    return found + [Found(unfinished, path) for path in leftovers(place / recording.name)]


def _may_be(artefact: Artefact, path: Path, recording: Path) -> bool:
    """Whether a file that is named like one of a recording's is not a recording of its own."""
    if artefact is RECORDING or path.suffix.lower() not in RECORDED or path.is_symlink():
        return True
    from affetti.core.recording import names  # noqa: PLC0415  which needs HDF5: few are so called

    return names.is_part(path) if artefact is PART else names.are_of_one_session(path, recording)


def indexes_over(recording: Path) -> list[Path]:
    """Return the indexes that may tell of a recording: those of its folder and of all above it."""
    names = (INDEX, INDEX + ENCRYPTED_SUFFIX)
    places = [folder / name for folder in recording.absolute().parents for name in names]
    found = [path for path in places if os.path.lexists(path)]
    return found + [left for path in places if _is_listable(path) for left in leftovers(path)]


def pages_in(folder: Path, *, any_name: bool = False) -> list[Path]:
    """Return the pages of sessions and of persons that lie in a folder, encrypted or not.

    Parameters
    ----------
    folder
        Not what is below it.
    any_name
        Whether every file that could be one is meant, as pages are written under any name: what is
        in it says whether it is one (`core.custody.pages`).
    """
    suffixes = PAGE_FORMS if any_name else _PAGE_SUFFIXES
    endings = tuple(suffix + end for suffix in suffixes for end in ("", ENCRYPTED_SUFFIX))
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [folder / name for name in names if name.lower().endswith(endings)]


def is_found(path: Path, recording: Path) -> bool:
    """Return whether whoever forgets a recording finds a file or folder by its name alone.

    Of a link, they find the link.
    """
    if path.is_symlink():
        return False
    folder, own = path.absolute().parent, recording.absolute().parent
    beside_it = folder == own and any(each.matches(path.name, recording) for each in ARTEFACTS)
    is_page = path.name.removesuffix(ENCRYPTED_SUFFIX).endswith(_PAGE_SUFFIXES)
    return beside_it or (is_page and (folder == own or folder in own.parents))


def _is_listable(path: Path) -> bool:
    return os.access(path.parent, os.R_OK | os.X_OK)
