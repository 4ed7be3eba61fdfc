"""Whether a recording is what it should be: one small function a rule, a module a subject.

A rule looks at a recording and yields a sentence for each thing that is wrong. Its importance
says what that means: CRITICAL, do not trust the file; WARNING, something is missing from it;
NOTE, good to know. Inspecting, organizing and printing know nothing of one another.
"""

from collections.abc import Iterator
from pathlib import Path

from affetti.analyzer.checks import capture, estimates, log, person, playback
from affetti.analyzer.checks.register import RULES, Finding, Importance, Rule
from affetti.analyzer.checks.subject import Subject
from affetti.analyzer.replay import Progress
from affetti.core import logbook
from affetti.core.errors import AffettiError, FileMissing, VaultClosed
from affetti.core.language import text
from affetti.core.recording.session import Session

__all__ = ["RULES", "SUBJECTS", "Finding", "Importance", "Rule", "inspect", "inspected"]

SUBJECTS = (log, person, capture, playback, estimates)


def inspect(path: Path, progress: Progress | None = None) -> list[Finding]:
    """Apply every rule to a recording; return what they found, the most important first.

    A file that is damaged or no recording at all gives one critical finding.

    Raises
    ------
    AffettiError
        The file is not there or may not be read, or its disk fails, or it is encrypted and no
        vault that may read it is open: nothing is known of it.
    """
    try:
        with Session.open(path, altered=True) as session:
            return inspected(session, progress)
    except (FileMissing, VaultClosed):
        raise
    except AffettiError as error:
        return [Finding("opens", Importance.CRITICAL, error.message)]
    except Exception as error:  # one bad file costs no other its result
        return [_unforeseen("opens", error)]


def inspected(session: Session, progress: Progress | None = None) -> list[Finding]:
    """Apply every rule to a recording that is open; return what they found, as `inspect`."""
    subject = Subject(session, progress)
    found = [finding for each in RULES for finding in _findings(each, subject)]
    # Damage that stops several rules is one finding.
    unique = {(finding.importance, finding.message): finding for finding in reversed(found)}
    order = [each.name for each in RULES]
    return sorted(unique.values(), key=lambda one: (one.importance, order.index(one.rule)))


def _findings(each: Rule, subject: Subject) -> Iterator[Finding]:
    try:
        for message in each.apply(subject):
            yield Finding(each.name, each.importance, message)
    except FileMissing:
        raise
    except AffettiError as error:
        yield Finding(each.name, Importance.CRITICAL, error.message)
    except Exception as error:
        yield _unforeseen(each.name, error)


def _unforeseen(rule: str, error: Exception) -> Finding:
    logbook.note("not foreseen in a check", error)
    message = text("found.unforeseen", kind=type(error).__name__)
    return Finding(rule, Importance.CRITICAL, message)
