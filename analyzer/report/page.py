"""The page of one session, in plain language: as HTML, on paper as PDF, or as text."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Literal, TypeAlias

from affetti.analyzer.analysis import Analysis, analyze
from affetti.analyzer.replay import Progress, shown
from affetti.analyzer.report.beside import NOTHING, Beside, beside
from affetti.analyzer.report.blocks import Page
from affetti.analyzer.report.content import page_of
from affetti.analyzer.report.html import html
from affetti.analyzer.report.paper import Size, pdf
from affetti.analyzer.report.plain import plain_text
from affetti.analyzer.report.resolution import resolution_s
from affetti.core.custody import boxes, exports
from affetti.core.custody.artefacts import PAPER, PLAIN_REPORT, REPORT, Artefact
from affetti.core.custody.keys import DataKey
from affetti.core.custody.standing import standing
from affetti.core.custody.temporary import try_writing
from affetti.core.errors import FileExists, UsageError
from affetti.core.place import told_as
from affetti.core.recording.session import Session

__all__ = ["FORMS", "Form", "form_of", "html_of", "refuse_unwritable", "report_path",
           "resolution_s", "save_report", "write_report", "written"]  # fmt: skip

Form: TypeAlias = Literal["html", "pdf", "txt"]
FORMS: Final[Mapping[Form, Artefact]] = {"html": REPORT, "pdf": PAPER, "txt": PLAIN_REPORT}
# What names a page's session in it, in any form.
_NAMED: Final = re.compile(
    rb'affetti-session(?:" content="| )([0-9a-f]{32}|progress-[A-Za-z0-9]{1,32})(?![A-Za-z0-9])'
)


def write_report(
    recording: Path,
    output: Path | None = None,
    progress: Progress | None = None,
    *,
    altered: bool = False,
    plain: bool = False,
    form: Form | None = None,
    size: Size = "a4",
) -> Path:
    """Write the page of a recording; return where it is.

    That of an encrypted recording is encrypted as well, and has `.vault` behind its name.

    The live estimates are used; what was skipped is computed, while the models are those of the
    recording: a replay would give the same. Otherwise the recording is replayed.

    Parameters
    ----------
    recording
        A sealed recording.
    output
        The file to write; by default `NAME.report.html`, or `.pdf` or `.txt`, beside the recording.
        A page of the same session is replaced, anything else is not.
    progress
        Called with the events replayed and the events in all.
    altered
        Whether a recording that was altered after it was sealed is reported all the same; every
        page says so.
    plain
        Whether the page of an encrypted recording is written without encryption. That is noted
        beside the recording, as is a page that lies elsewhere or by another name.
    form
        As what; by default what the suffix of `output` says, HTML where it says nothing.
    size
        Of the paper of a PDF.

    Raises
    ------
    AffettiError
        The recording cannot be read, was altered, or changed meanwhile, or the page cannot be
        written.
    """
    form = form or form_of(output)
    with Session.open(recording, altered=altered) as session:
        if altered:
            session.notice_alterations()
        else:
            session.verify_digest()
        key = session.key
        path = output or report_path(recording, recording.parent, form)
        target = None if plain else key
        _refuse_another(path, session.session_id, target)
        refuse_unwritable(path)
        analysis = analyze(session, shown(session, progress))
        known = beside(session, analysis)
        page = page_of(analysis, known)
    data = written(page, form, size)
    with standing([session.source]):
        place = save_report(data, path, page.subject, target)
        exports.note_elsewhere(recording, key, place, place)
        if known.before is not None:
            exports.note_elsewhere(known.before.path, known.before.key, place, place)
    return place


def form_of(output: Path | None) -> Form:
    """Return what a suffix says that a page is written as.

    Raises
    ------
    AffettiError
        It is none of `.html`, `.htm`, `.pdf` and `.txt`.
    """
    if output is None or not output.suffix:
        return "html"
    suffix = output.suffix.lower()
    forms: dict[str, Form] = {".html": "html", ".htm": "html", ".pdf": "pdf", ".txt": "txt"}
    if suffix not in forms:
        raise UsageError("page.no_form", suffix=suffix)
    return forms[suffix]


def report_path(recording: Path, folder: Path, form: Form = "html") -> Path:
    """Return the name of a recording's page in a folder."""
    return folder / FORMS[form].name(recording)


def written(page: Page, form: Form, size: Size = "a4") -> bytes:
    """Return a page in a form."""
    match form:
        case "pdf":
            return pdf(page, size)
        case "txt":
            return plain_text(page).encode()
    return html(page).encode()


def save_report(data: bytes, path: Path, subject: str, key: DataKey | None = None) -> Path:
    """Write a page, in place of an earlier one of the same session but of nothing else.

    Parameters
    ----------
    data, path, subject
        What, where, and of which session or person.
    key
        What it is encrypted with, as its recording is; None: it is not.

    Returns
    -------
    Where it is: an encrypted one has `.vault` behind its name.

    Raises
    ------
    AffettiError
        Another file is there, or the folder cannot be written.
    """
    _refuse_another(path, subject, key)
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return boxes.replace(path, data, key)


def refuse_unwritable(path: Path) -> None:
    """Raise an error where a page cannot be written: before recordings are read for it."""
    with _told(path):
        try_writing(path.parent)


def _refuse_another(path: Path, subject: str, key: DataKey | None) -> None:
    with _told(path):
        place = boxes.stored_at(path, key)
        if place.exists() and subject not in _subjects_in(place):
            raise FileExists("page.exists_no_report_session", path=place)


def _told(path: Path) -> AbstractContextManager[None]:
    """Say which page cannot be written, and what to do."""
    return told_as("page.cannot_be_written", path=path)


def _subjects_in(path: Path) -> set[str]:
    return {found[1].decode() for found in _NAMED.finditer(boxes.read(path))}


def html_of(analysis: Analysis, known: Beside = NOTHING) -> str:
    """Return the page of an analysis as one HTML document without scripts or addresses."""
    return html(page_of(analysis, known))
