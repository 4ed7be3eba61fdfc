"""Whether the tracks make sense."""

from affetti.analyzer.checks.register import Importance, Messages, rule
from affetti.analyzer.checks.subject import Subject


@rule(Importance.WARNING)
def tracks_closed(subject: Subject) -> Messages:
    """Find tracks without an end, or that overlap."""
    tracks = subject.session.tracks
    for i, track in enumerate(tracks):
        if track.end_ns is None:
            yield f"Track {track.number + 1}, {track.title!r}, has no end."
        elif track.end_ns < track.start_ns:
            yield f"Track {track.number + 1}, {track.title!r}, ends before it begins."
        elif i + 1 < len(tracks) and tracks[i + 1].start_sample < (track.end_sample or 0):
            yield f"Track {tracks[i + 1].number + 1} begins before the one before it ended."
