"""What is said of a study that was evaluated, in the terminal and on its page."""

from collections import Counter
from collections.abc import Iterable, Iterator

from affetti.analyzer.study import statistics
from affetti.analyzer.study.evaluation import Evaluation, Held
from affetti.analyzer.study.group import Excluded
from affetti.core.language import counted, localised, percent, text, word


def title(study: Evaluation) -> str:
    """Return the title of every table: whose tracks, and whether they are constructed."""
    said = text(
        "study.title",
        sessions=counted("group.count.session", len(study.members)),
        persons=counted("group.count.person", study.persons),
    )
    return text("study.title_constructed", title=said) if study.constructed else said


def table_title(study: Evaluation, title: str) -> str:
    """Return the title of one table, which says that it is constructed where it is."""
    return text("study.title_constructed", title=title) if study.constructed else title


def basis(study: Evaluation) -> list[str]:
    """Return what the figures rest on, a sentence each."""
    return list(_basis(study))


def _basis(study: Evaluation) -> Iterator[str]:
    if study.constructed:
        yield text("study.constructed")
    for led in study.protocols:
        sessions = counted("group.count.session", led.sessions)
        yield text(
            "study.led",
            name=led.name,
            version=led.version,
            sha256=led.sha256,
            sessions=sessions,
            done=led.done,
            steps=led.steps,
        )
    yield from left_out(study.excluded)
    yield text("study.unit", coverage=percent(study.coverage))
    yield text("study.neutral")
    yield text("study.figures", resamples=statistics.RESAMPLES, level=round(100 * statistics.LEVEL))
    if study.persons < 2:
        yield text("study.one_person")
    yield text("study.expression")


def left_out(excluded: Iterable[Excluded]) -> list[str]:
    """Return how many sessions are left out for which reason, a sentence each.

    What a design names and is no recording is no session, and is passed over.
    """
    reasons = Counter(each.reason for each in excluded if each.reason != "no_recording")
    return [
        counted("study.excluded", count, why=word("study_excluded", reason))
        for reason, count in sorted(reasons.items())
    ]


def how_to_take_part(excluded: Iterable[Excluded]) -> list[str]:
    """Return what to do, where sessions are left out as their use in research was not agreed to."""
    unasked = any(each.reason in ("no_consent", "consent_not_stated") for each in excluded)
    return [text("study.how_to_take_part")] if unasked else []


def held_words(held: Held) -> str:
    """Return which published figure it is, where it stands, and whether one is held against it."""
    accuracy = localised(f"{100 * held.published.accuracy:g}")
    message = "study.published" if held.published.held else "study.published_other"
    place = word("published", held.published.place)
    return text(message, accuracy=accuracy, place=place)
