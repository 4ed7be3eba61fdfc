"""The page of a person's progress as a file, encrypted where the recordings are."""

from pathlib import Path

from affetti.analyzer.report.page import Form, form_of, save_report, written
from affetti.analyzer.report.paper import Size
from affetti.analyzer.report.progress import Progress, page_over
from affetti.core.custody import exports
from affetti.core.custody.artefacts import PROGRESS
from affetti.core.custody.standing import standing


def place_of(person: str, folder: Path, output: Path | None, form: Form | None) -> Path:
    """Return where the page of a person's progress goes, as `write_progress` takes all of it."""
    return output or folder / PROGRESS.named(f"sub-{person}", form or form_of(output))


def write_progress(
    progress: Progress,
    folder: Path,
    output: Path | None = None,
    *,
    form: Form | None = None,
    size: Size = "a4",
    plain: bool = False,
) -> Path:
    """Write the page of a person's progress; return where it is.

    Parameters
    ----------
    progress
        Of the person.
    folder
        Of the recordings: where it goes unless there is an output.
    output, form, size
        The file, as what, and on which paper.
    plain
        Whether it is written without encryption although recordings are encrypted.

    Where withdrawal and encryption do not reach it, that is noted beside each recording.

    Raises
    ------
    AffettiError
        Another file is there, or it cannot be written.
    """
    form = form or form_of(output)
    path = place_of(progress.person, folder, output, form)
    page = page_over(progress)
    keys = (each for each in progress.keys.values() if each is not None)
    key = None if plain else next(keys, None)
    data = written(page, form, size)
    with standing(progress.keys):
        place = save_report(data, path, page.subject, key)
        for source, held in progress.keys.items():
            exports.note_elsewhere(source.path, held, place, place)
    return place
