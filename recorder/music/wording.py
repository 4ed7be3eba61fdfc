"""What is said of a collection of music."""

from affetti.analyzer.report.wording import strongest
from affetti.core.language import clock, decimal, text
from affetti.recorder.music.fit import Known, known
from affetti.recorder.music.piece import Piece


def piece_words(piece: Piece) -> str:
    """Return what a track expresses, in one line."""
    reading = piece.reading
    if reading.emotions is None:
        return text("music.nothing", title=piece.title, length=clock(piece.duration_s))
    return text(
        "music.piece",
        title=piece.title,
        length=clock(piece.duration_s),
        words=strongest(reading.emotions),
        valence=signed(reading.valence),
        arousal=signed(reading.arousal),
        tempo=text("unknown") if reading.tempo_bpm is None else f"{reading.tempo_bpm:.0f}",
        loudness=text("unknown")
        if reading.loudness_dbfs is None
        else decimal(reading.loudness_dbfs, 0),
    )


def signed(value: float | None) -> str:
    """Return valence or arousal with its sign: "+0.3"; an unknown one is a dash."""
    return text("unknown") if value is None else text("signed", value=value)


def known_words(how: Known | None = None) -> str:
    """Return how well the map is known."""
    how = known() if how is None else how
    return text("music.known", valence=how.valence_r, arousal=how.arousal_r)


def brief_words(how: Known) -> str:
    """Return how well the map is known, in short: arousal first."""
    return text("music.brief", valence=how.valence_r, arousal=how.arousal_r)
