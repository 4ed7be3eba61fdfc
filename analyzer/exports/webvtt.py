"""WebVTT (W3C): what was said, as cues beside a film of the session."""

from pathlib import Path
from typing import Final

from affetti.analyzer.exports import Source, new_file
from affetti.analyzer.exports.tiers import tiers_of

MOMENT_S: Final = 3.0  # long enough to be read


def write(source: Source, target: Path, name: str) -> list[Path]:
    """Write a session; see `analyzer.exports.Format.write`."""
    cues = sorted(
        (label.start_s, label.stop_s + MOMENT_S * tier.moments, tier.name, label.text)
        for tier in tiers_of(source.analysis)
        for label in tier.labels
    )
    lines = ["WEBVTT", ""]
    for start_s, stop_s, tier_name, text in cues:
        lines += [f"{_time(start_s)} --> {_time(stop_s)}", f"{tier_name}: {_escaped(text)}", ""]
    with new_file(target) as file:
        file.write("\n".join(lines).encode())
    return [target]


def _time(t_s: float) -> str:
    milliseconds = round(t_s * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _escaped(text: str) -> str:
    """Return a text on one line without what a cue would take for markup, or for its end."""
    one_line = " / ".join(line for line in text.splitlines() if line.strip())
    return one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
