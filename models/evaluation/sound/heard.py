"""How well what is heard tells music from other sounds, on clips that people labelled.

A folder has a `labels.csv` with the columns `file`, `kind` (music, not_music; rows of another kind
are listed, not counted) and `group`. Each clip is heard as the room would be.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from affetti.core.clock import NS_PER_S
from affetti.core.errors import DataError
from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    HeardEstimated,
    PerceptionSettings,
    StreamOpened,
)
from affetti.core.heard import KINDS
from affetti.core.language import text
from affetti.core.streams import audio_stream
from affetti.models.evaluation.sound.clips import Samples, decoded, labels
from affetti.models.evaluation.sound.table import Progress
from affetti.models.perception.heard import HeardPerception
from affetti.models.sound.heard import MUSIC_FROM, HeardReader

Kind: TypeAlias = Literal["music", "not_music"]
COUNTED: Final[tuple[Kind, ...]] = ("music", "not_music")
_STREAM: Final = "room"


@dataclass
class Group:
    """What was made of the clips of one group.

    Attributes
    ----------
    kind
        What they are, "music" or "not_music".
    clips, windows
        How many; of a clip shorter than three seconds there is no window.
    music
        Windows of which a music estimate would say what they express.
    heard
        Seconds in which each kind of sound was heard, and how many seconds there were.
    """

    kind: Kind
    clips: int = 0
    windows: int = 0
    music: int = 0
    seconds: int = 0
    heard: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """Return it for a machine to read."""
        heard = {kind: self.heard[kind] for kind in KINDS}
        counts = {"clips": self.clips, "windows": self.windows, "music": self.music}
        return {"kind": self.kind, **counts, "seconds": self.seconds, "heard": heard}


@dataclass(frozen=True)
class HeardEvaluation:
    """What was made of a folder.

    Attributes
    ----------
    groups
        By name; a group that has clips of both kinds counts as two, the second as `NAME not_music`.
    not_counted
        Files and kinds of the rows whose kind is neither.
    """

    groups: dict[str, Group]
    not_counted: list[tuple[str, str]]

    def as_json(self) -> dict[str, Any]:
        """Return what `affetti models evaluate heard --json` prints."""
        groups = {name: group.as_json() for name, group in self.groups.items()}
        rows = [{"file": file, "kind": kind} for file, kind in self.not_counted]
        return {"groups": groups, "not_counted": rows}

    def as_text(self) -> str:
        """Return it for a person to read."""
        lines = [text("evaluate_heard.head")]
        for name, group in self.groups.items():
            lines.append(_line(name, group))
        for kind in COUNTED:
            lines.append(_line(kind, total(self.groups.values(), kind)))
        if self.not_counted:
            rows = ", ".join(f"{file} ({kind})" for file, kind in self.not_counted)
            lines.append(text("evaluate_heard.not_counted", rows=rows))
        return "\n".join(lines)


def total(groups: Iterable[Group], kind: Kind) -> Group:
    """Return the sum of all groups of a kind."""
    found = Group(kind)
    for group in groups:
        if group.kind == kind:
            found.clips += group.clips
            found.windows += group.windows
            found.music += group.music
            found.seconds += group.seconds
            found.heard += group.heard
    return found


def evaluate_heard(data: Path, progress: Progress, model: str = "heard_events") -> HeardEvaluation:
    """Hear every clip of a folder as the room is heard, and count what was taken for music.

    Windows are those of music estimates: one each whole second from the third on, of at most the
    last ten.

    Parameters
    ----------
    data
        The folder.
    progress
        Told how far it is.
    model
        The network's name.

    Raises
    ------
    AffettiError
        The folder or one of its files cannot be read.
    """
    rows = labels(data, {"file", "kind", "group"})
    counted = [row for row in rows if row["kind"] in COUNTED]
    if not counted:
        raise DataError("clips.unreadable", what=text("evaluate_heard.no_rows", data=data))
    reader = HeardReader(model)
    groups: dict[str, Group] = {}
    for done, row in enumerate(counted):
        progress(done, len(counted), text("evaluate_heard.progress"))
        group = _group(groups, row)
        _hear(group, reader, *decoded(data / row["file"]))
    progress(len(counted), len(counted), text("evaluate_heard.progress"))
    others = [(row["file"], row["kind"]) for row in rows if row["kind"] not in COUNTED]
    return HeardEvaluation(groups, others)


def _group(groups: dict[str, Group], row: dict[str, str]) -> Group:
    name, kind = row["group"] or row["kind"], row["kind"]
    if name in groups and groups[name].kind != kind:
        name = f"{name} {kind}"
    return groups.setdefault(name, Group("music" if kind == "music" else "not_music"))


def _hear(group: Group, reader: HeardReader, samples: Samples, rate_hz: int) -> None:
    perception, settings = HeardPerception(reader.listen), PerceptionSettings()
    form = AudioFormat(rate_hz, samples.shape[1])
    perception.push(StreamOpened(t_ns=0, declaration=audio_stream(_STREAM, form)))
    group.clips += 1
    for start in range(0, len(samples), rate_hz):  # as live: later seconds depend on earlier ones
        block = samples[start : start + rate_hz]
        captured = AudioCaptured(
            t_ns=start * NS_PER_S // rate_hz, stream=_STREAM, sample=start, count=len(block)
        )
        for estimate in perception.push(captured, np.ascontiguousarray(block, "<i2").tobytes()):
            if isinstance(estimate, HeardEstimated):
                group.seconds += 1
                group.heard.update(estimate.heard)
    first, step = settings.music_minimum_s * rate_hz, settings.music_period_s * rate_hz
    for end in range(first, len(samples) + 1, step):
        start = max(0, end - settings.music_window_s * rate_hz)
        presence = perception.presence(_STREAM, start, end)
        group.windows += 1
        group.music += presence is not None and presence >= MUSIC_FROM


def _line(name: str, group: Group) -> str:
    share = 100 * group.music / group.windows if group.windows else 0.0
    heard = ", ".join(f"{kind} {group.heard[kind]}" for kind in KINDS if group.heard[kind])
    return text(
        "evaluate_heard.group",
        name=name, kind=group.kind, clips=group.clips, windows=group.windows,
        music=group.music, share=share, heard=heard,
    )  # fmt: skip
