"""Labels of other programs, as annotations beside a recording."""

from pathlib import Path

from affetti.analyzer.imports import Label, labels_in
from affetti.core.clock import NS_PER_S
from affetti.core.custody import boxes
from affetti.core.custody.artefacts import ANNOTATIONS
from affetti.core.errors import UsageError
from affetti.core.people import annotations
from affetti.core.people.annotations import Annotation
from affetti.core.people.authors import author_id
from affetti.core.recording.session import Session
from affetti.models.evaluation.face.data import WORDS


def add_labels(
    file: Path,
    recording: Path,
    rater: str,
    *,
    tier: str | None = None,
    offset_s: float = 0.0,
    blind: bool = False,
) -> tuple[int, int]:
    """Add the labels in a file to the annotations of a recording.

    Parameters
    ----------
    file
        See `analyzer.imports.labels_in`.
    recording
        A sealed recording.
    rater
        The code of who labelled.
    tier
        Of which row of the file alone.
    offset_s
        When what was labelled begins, in session time.
    blind
        Whether the rater saw no estimate.

    Returns
    -------
    How many were added, and how many the recording had already.

    Raises
    ------
    AffettiError
        File or recording cannot be read, or a label lies outside of the session.
    """
    found, author = labels_in(file, tier), author_id(rater)
    with Session.open(recording) as session:
        entries = [_entry(each, session, author, offset_s, blind) for each in found]
        log = recording.with_name(ANNOTATIONS.name(recording))
        before = annotations.standing(annotations.read(log)) if boxes.found_at(log) else []
        known = {_said(each) for each in before}
        new = [entry for entry in entries if _said(entry) not in known]
        annotations.append_all(log, new, session.key)
    return len(new), len(entries) - len(new)


def _entry(label: Label, session: Session, author: str, offset_s: float, blind: bool) -> Annotation:
    start_s, stop_s = label.start_s + offset_s, label.stop_s + offset_s
    end_s = session.duration_s
    if not (0 <= start_s <= end_s + 1 and stop_s <= end_s + 1):
        raise UsageError("labels.outside", start=start_s, stop=stop_s, end=end_s)
    expression = WORDS.get(label.text.strip().lower())
    return Annotation(
        author_id=author,
        session_id=session.session_id,
        start_ns=round(start_s * NS_PER_S),
        stop_ns=round(stop_s * NS_PER_S),
        label=expression.value if expression is not None else label.text,
        text=label.tier,
        blind=blind,
    )


def _said(entry: Annotation) -> tuple[object, ...]:
    return entry.author_id, entry.start_ns, entry.stop_ns, entry.label, entry.text
