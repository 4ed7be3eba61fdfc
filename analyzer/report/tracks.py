"""What is said of a track: the same on the review screen and in the report."""

import math
from dataclasses import dataclass

from affetti.analyzer.measures.estimates import ModalityName
from affetti.analyzer.measures.responses import Quiet, Response
from affetti.analyzer.measures.self_reports import track_of
from affetti.analyzer.measures.tracks import TrackResult
from affetti.analyzer.report import wording
from affetti.core.clock import NS_PER_S
from affetti.core.events import PerceptionSettings
from affetti.core.journal import sentence
from affetti.core.language import clock_text, decimal, known, percent, text
from affetti.core.state import SessionState


@dataclass(frozen=True)
class ModalityLine:
    """What one modality expressed in a track."""

    name: str
    words: str
    coverage: str


@dataclass(frozen=True)
class TrackWords:
    """A track in words.

    Attributes
    ----------
    title, times
        Its title, and from when to when it played.
    played
        For how long it was heard, of how long a file, and how it ended.
    lines
        Face, music and both together.
    congruence, congruence_coverage
        Whether face and music expressed the same.
    response
        Whether the face responded, in sentences.
    expected
        What the playlist expects of it, beside what music and face expressed; "" without that.
    """

    title: str
    times: str
    played: str
    lines: tuple[ModalityLine, ...]
    congruence: str
    congruence_coverage: str
    response: str
    expected: str


def track_words(track: TrackResult, quiet: Quiet) -> TrackWords:
    """Return a track in words.

    Parameters
    ----------
    track
        Its measures.
    quiet
        The face without music, which a response is compared with.
    """
    return TrackWords(
        title=wording.titled(track.title),
        times=text(
            "unseen.stretch", start=clock_text(track.start_s), stop=clock_text(track.stop_s)
        ),
        played=_played(track),
        lines=tuple(
            ModalityLine(
                wording.modality_name(name),
                _said(name, track),
                wording.coverage(name, summary.coverage),
            )
            for name, summary in track.summaries.items()
        ),
        congruence=wording.congruence(track.congruence.value),
        congruence_coverage=wording.coverage("face_and_music", track.congruence.coverage),
        response=response_words(track, quiet),
        expected=_expected(track),
    )


def coverage_means(state: SessionState) -> str:
    """Return what is counted as covered, and why a track's shares are not the session's.

    Music counts in a track once it can have been heard; both can be at hand longer than the face.
    """
    settings = state.started.perception if state.started else PerceptionSettings()
    return text(
        "coverage.at_hand",
        seconds=wording.seconds(settings.face_max_age_ns / NS_PER_S),
        settled=wording.seconds(settings.music_minimum_s),
    )


def self_reports_of(track: TrackResult, state: SessionState) -> list[str]:
    """Return what the person said of themselves after a track, in words."""
    found = []
    for report in sorted(state.self_reports, key=lambda report: report.t_ns):
        playing = track_of(report, state)
        if playing is not None and playing.start_s == track.start_s:
            at = clock_text(report.t_ns / NS_PER_S)
            found.append(text("self_report.said", at=at, words=sentence(report)))
    return found


def _said(name: ModalityName, track: TrackResult) -> str:
    if name == "fused":
        return wording.together(track.summaries, track.together)
    return wording.expressed(name, track.summaries[name])


def _expected(track: TrackResult) -> str:
    if not track.expected:
        return ""
    said: dict[str, str] = {}
    for name in ("music", "face"):
        words = wording.expressed(name, track.summaries[name])
        spoke = track.summaries[name].said > 0
        said[name] = text(f"expectation.{name}", words=words) if spoke else words
    return text("expectation", expected=wording.emotion_word(track.expected), **said)


def _played(track: TrackResult) -> str:
    whole = track.end_reason == "finished" or track.played_s >= track.duration_s
    played = text(
        "track.played" if whole else "track.played_of",
        played=wording.seconds(track.played_s),
        duration=wording.seconds(track.duration_s),
    )
    ended = f"track.ended.{track.end_reason}"
    return f"{played}, {text(ended)}" if known(ended) else played


def response_words(track: TrackResult, quiet: Quiet) -> str:
    """Return whether the face responded to a track, beside what it does without music."""
    response = track.face
    if not track.summaries["face"].said:
        return text("response.unseen")
    if response.change is None:
        return text(
            f"response.{response.absence}",
            seen=wording.seconds(quiet.seen_s),
            rates=_rates(response, quiet),
        )
    return text(
        "response.found",
        after=wording.seconds(track.response_s),
        before=wording.emotion_word(response.change.before),
        then=wording.emotion_word(response.change.after),
        moved=percent(response.step),
        least=percent(quiet.step),
        rates=_rates(response, quiet),
    )


def _rates(response: Response, quiet: Quiet) -> str:
    return text(
        "response.rates",
        track=_per_min(response.per_min),
        quiet=_per_min(quiet.per_min),
        seen=wording.seconds(quiet.seen_s),
    )


def _per_min(rate: float) -> str:
    return wording.UNKNOWN if math.isnan(rate) else decimal(rate, 1)
