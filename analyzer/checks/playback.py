"""Whether the tracks make sense."""

from affetti.analyzer.checks.register import Importance, Messages, rule
from affetti.analyzer.checks.subject import Subject
from affetti.core.language import text


@rule(Importance.WARNING)
def tracks_closed(subject: Subject) -> Messages:
    """Find tracks without an end, or that overlap."""
    tracks = subject.session.tracks
    for i, track in enumerate(tracks):
        if track.end_ns is None:
            yield text("found.open_track", number=track.number + 1, title=track.title)
        elif track.end_ns < track.start_ns:
            yield text("found.early_end", number=track.number + 1, title=track.title)
        elif i + 1 < len(tracks) and tracks[i + 1].start_sample < (track.end_sample or 0):
            yield text("found.overlap", number=tracks[i + 1].number + 1)
