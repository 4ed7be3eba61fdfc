"""Two figures of a study, as SVG and PNG: how each condition went, and face against music."""

import io
from collections.abc import Iterator
from textwrap import fill
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.study.group import Group
from affetti.analyzer.study.members import Member
from affetti.analyzer.study.statistics import by_person, interval
from affetti.core.emotions import EMOTIONS
from affetti.core.errors import MissingPackage
from affetti.core.language import text, word

_COLOURS: Final = ("#c77b00", "#3b6fb6", "#b4433f", "#3f8f5f")  # in the order of `EMOTIONS`
_FORMATS: Final = ("svg", "png")
_MIN_PERSONS: Final = 2  # for a band
_PER_INCH: Final = 10.5  # letters of a title
_NAME: Final = 32  # letters of a track in a line
_FAINT: Final = 0.18  # the line of one session among many


def matplotlib() -> tuple[Any, Any]:
    """Return what sets how it draws, and what makes a figure: imported only where one is asked for.

    Raises
    ------
    AffettiError
        matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise MissingPackage("group.no_matplotlib", error=error) from error
    return rc_context, Figure


def figures(group: Group) -> dict[str, bytes]:
    """Return the figures by the names of their files.

    Raises
    ------
    AffettiError
        matplotlib is not installed.
    """
    rc_context, make = matplotlib()
    with rc_context({"text.parse_math": False}):  # names of tracks may have a $ in them
        made = {
            "traces": _traces(group, make),
            "congruence": _congruence(group, make),
        }
        return {
            f"{name}.{kind}": _saved(figure, kind)
            for name, figure in made.items()
            for kind in _FORMATS
        }


def _saved(figure: Any, kind: str) -> bytes:
    written = io.BytesIO()
    figure.savefig(written, format=kind, dpi=150)
    return written.getvalue()


def _entitle(figure: Any, said: str) -> None:
    """Head a figure with a title of as many lines as it needs, about equally long."""
    widest = round(_PER_INCH * figure.get_figwidth())
    lines = fill(said, widest).count("\n")
    widths = range(len(said) // (lines + 1), widest + 1)
    folded = (fill(said, width) for width in widths)
    figure.suptitle(next(each for each in folded if each.count("\n") <= lines), fontsize=11)


def _traces(group: Group, make: Any) -> Any:
    """Draw what the face expressed in every session of each condition, and the mean of persons."""
    levels = group.levels or ["all"]
    size = 1.2 + 3.2 * len(levels), 1.0 + 1.5 * len(EMOTIONS)
    figure = make(figsize=size, layout="constrained")
    axes = figure.subplots(len(EMOTIONS), len(levels), sharex=True, sharey=True, squeeze=False)
    for column, level in enumerate(levels):
        members = [member for member in group.members if group.level_of(member) == level]
        for row, emotion in enumerate(EMOTIONS):
            ax = axes[row][column]
            _trace(ax, members, row)
            if column == 0:
                ax.set_ylabel(word("emotion", emotion).capitalize())
            if row == 0:
                title = text("group.all_sessions") if level == "all" else level
                seen = {m.person for m in members if not np.isnan(m.face.shares).all()}
                ax.set_title(f"{title} (n = {len(seen)})", fontsize=10)
            if row == len(EMOTIONS) - 1:
                ax.set_xlabel(text("group.axis_minutes"))
    _entitle(figure, text("group.traces"))
    return figure


def _trace(ax: Any, members: list[Member], i: int) -> None:
    colour = _COLOURS[i]
    alpha = max(_FAINT, 0.8 / max(len(members), 1))
    for member in members:
        face = member.face
        ax.plot(face.middle_s / 60, face.shares[:, i], color=colour, alpha=alpha, lw=0.7)
    at_s, mean, low, high = mean_trace(members, i)
    ax.fill_between(at_s / 60, low, high, color=colour, alpha=0.25, lw=0)
    ax.plot(at_s / 60, mean, color=colour, lw=1.8)
    ax.set_ylim(0, 1)
    ax.set_xlim(left=0)
    ax.spines[["top", "right"]].set_visible(False)


def mean_trace(members: list[Member], i: int) -> tuple[NDArray[np.float64], ...]:
    """Return the mean over persons of an emotion by the face, segment by segment.

    The last segment of a session is shorter than the others, and belongs to those of its number.

    Parameters
    ----------
    members
        The sessions.
    i
        Of the emotion, in the order of `EMOTIONS`.

    Returns
    -------
    Middles of segments in seconds, the mean, and its interval, float64 [n] each; NaN where too few
    persons were seen.
    """
    at: dict[int, list[tuple[str, float]]] = {}
    middles_s: dict[int, list[float]] = {}
    for member in members:
        face = member.face
        for number, middle_s, share in zip(
            face.number, face.middle_s, face.shares[:, i], strict=True
        ):
            at.setdefault(int(number), []).append((member.person, float(share)))
            middles_s.setdefault(int(number), []).append(float(middle_s))
    rows = []
    for number in sorted(at):
        middle_s = max(middles_s[number])
        values = np.array(list(by_person(at[number]).values()))
        if len(values) >= _MIN_PERSONS:
            rows.append((middle_s, values.mean(), *interval(values)))
        else:
            rows.append((middle_s, np.nan, np.nan, np.nan))
    return tuple(np.array(rows, np.float64).reshape(-1, 4).T)


def _congruence(group: Group, make: Any) -> Any:
    """Draw how much alike face and music were, by track: every session, and the mean of persons."""
    values = dict(_by_title(group))
    figure = make(figsize=(7, 1.4 + 0.5 * max(1, len(values))), layout="constrained")
    ax = figure.subplots()
    for i, told in enumerate(values.values()):
        shift = np.linspace(-0.12, 0.12, len(told)) if len(told) > 1 else np.zeros(1)
        ax.plot([v for _, v in told], i + shift, "o", color="#3b6fb6", alpha=0.35, ms=4)
        means = np.array(list(by_person(told).values()))
        low, high = interval(means)
        ax.plot([low, high], [i, i], color="#1c1c1c", lw=1.5)
        ax.plot(means.mean(), i, "D", color="#1c1c1c", ms=6)
    ax.set_yticks(range(len(values)), [fill(title, _NAME) for title in values])
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.set_xlabel(text("group.axis_congruence"))
    _entitle(figure, text("group.congruence"))
    ax.spines[["top", "right"]].set_visible(False)
    return figure


def _by_title(group: Group) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    found: dict[str, list[tuple[str, float]]] = {}
    for member in group.members:
        for track in member.rows_of(member.tracks):
            if track["congruence"] is not None:
                found.setdefault(track["title"], []).append((member.person, track["congruence"]))
    yield from found.items()
