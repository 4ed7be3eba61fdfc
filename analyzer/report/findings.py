"""What a session showed, in sentences, with the coverage that each one rests on."""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from markupsafe import Markup, escape

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.measures.estimates import ModalityName
from affetti.analyzer.measures.summary import Summary
from affetti.analyzer.measures.tracks import TrackResult
from affetti.analyzer.measures.unseen import crowded_share
from affetti.analyzer.report.wording import (
    UNKNOWN,
    alike,
    expressed,
    index,
    number,
    percent,
    seconds,
    signed,
    times,
)
from affetti.core.emotions import EMOTIONS
from affetti.core.language import clock_text, listed, text, word
from affetti.models.face.reference import TAKEN, Outcome

LOW_COVERAGE: Final = 0.5  # under this a finding is to be read with care

SUBJECTS: Final[dict[ModalityName, str]] = {
    "face": "The face",
    "music": "The music",
    "fused": "Face and music together",
}
NAMES: Final[dict[ModalityName, str]] = {"face": "Face", "music": "Music", "fused": "Together"}
_SPOKE: Final[dict[ModalityName, str]] = {"face": "seen", "music": "heard", "fused": "readable"}


def coverage_text(modality: ModalityName, coverage: float) -> str:
    """Return how much of a stretch a modality covers: `seen 82 % of the time`."""
    if math.isnan(coverage):
        return text("coverage.never")
    return f"{_SPOKE[modality]} {percent(coverage)} of the time"


def findings_of(analysis: Analysis) -> list[Markup]:
    """Return the findings of a session, the most general first."""
    found = [_expressed("face", analysis), _expressed("music", analysis)]
    if analysis.neutral not in (None, "accepted"):
        found.append(
            escape(text("neutral.line", outcome=text(f"neutral.{analysis.neutral}")) + ".")
        )
    found += _changes(analysis)
    found += _congruence(analysis)
    found += _mixed(analysis)
    return found


def _expressed(modality: ModalityName, analysis: Analysis) -> Markup:
    summary = analysis.summaries[modality]
    if not summary.said:
        return escape(_nothing(modality, analysis))
    text = Markup("{subject} expressed <b>{words}</b> on average{rest}. It was {coverage}.").format(
        subject=SUBJECTS[modality],
        words=expressed(modality, summary),
        rest=_most_often(summary),
        coverage=coverage_text(modality, summary.coverage),
    )
    if summary.coverage < LOW_COVERAGE:
        text += " That is little: read this with care."
    return text


def _nothing(modality: ModalityName, analysis: Analysis) -> str:
    if modality == "music":
        return "No music was heard, so nothing is said of it."
    if not analysis.state.frames:
        return "No video was recorded, so nothing is said of the face."
    return "No face was seen in the video, so nothing is said of it."


def _most_often(summary: Summary) -> str:
    """Return what was the strongest most often: `; moment by moment, sadness led (63 %), …`."""
    shares = sorted(
        zip(summary.strongest_shares, EMOTIONS, strict=True), key=lambda pair: -float(pair[0])
    )
    named = [f"{emotion} ({percent(float(share))})" for share, emotion in shares[:2] if share > 0]
    return f"; moment by moment, the strongest was {', then '.join(named)}"


def _changes(analysis: Analysis) -> Iterator[Markup]:
    changes = analysis.changes["face"]
    if not analysis.summaries["face"].said:
        return
    if not changes:
        yield Markup("The face kept one expression throughout, as far as it was seen.")
        return
    first = changes[0]
    longest = max(changes, key=lambda change: change.dwell_s)
    text = Markup(
        "The face’s expression <b>changed {times}</b>, first from {before} to {after} at {t}"
    ).format(
        times=times(len(changes)),
        before=first.before,
        after=first.after,
        t=clock_text(first.t_s),
    )
    if longest is not first:
        text += f"; what lasted longest was {longest.after}, for {seconds(longest.dwell_s)}"
    yield text + "."


def _congruence(analysis: Analysis) -> Iterator[Markup]:
    whole = analysis.congruence
    if not whole.compared:
        return
    text = Markup(
        "What face and music expressed was <b>{alike}</b>: congruence {value}, where 1 is the "
        "same and 0 has nothing in common. Both could be compared {coverage} of the time."
    ).format(alike=alike(whole.value), value=index(whole.value), coverage=percent(whole.coverage))
    compared = [track for track in analysis.tracks if track.congruence.compared]
    if len(compared) > 1:
        nearest = max(compared, key=_value)
        farthest = min(compared, key=_value)
        text += Markup(" Closest in <i>{}</i>, furthest apart in <i>{}</i>.").format(
            nearest.title, farthest.title
        )
    yield text


def _value(track: TrackResult) -> float:
    return track.congruence.value


def _mixed(analysis: Analysis) -> Iterator[Markup]:
    face = analysis.summaries["face"]
    if face.said and face.mixed_share >= 0.05:
        yield Markup(
            "In <b>{}</b> of the moments it was seen, the face expressed two emotions about "
            "equally: mixed expressions are a finding, not noise."
        ).format(percent(face.mixed_share))


def reasons_text(track: TrackResult) -> str:
    """Return what of the sound spoke for what the music of a track expressed."""
    if not track.summaries["music"].said:
        return "No music was heard."
    words = [f"{word('sign', reason.code)} ({percent(reason.share)})" for reason in track.reasons]
    return f"{', '.join(words)} of its moments." if words else "No quality that has a name."


def circumplex_text(summary: Summary) -> str:
    """Return mean valence and arousal: `valence +0.42, arousal +0.31, each from -1 to 1`."""
    if not summary.said:
        return UNKNOWN
    where = f"valence {signed(summary.valence)}, arousal {signed(summary.arousal)}"
    return f"{where}, each from \N{MINUS SIGN}1 to 1."


def basis_of(analysis: Analysis) -> list[tuple[str, str]]:
    """Return what the report rests on, as labels and texts."""
    state, info = analysis.state, analysis.info
    rows = [("Consent", _consent(analysis))]
    rows += [_modality(name, summary) for name, summary in analysis.summaries.items()]
    if state.frames:
        rate = f"{info.frames_per_s:.1f} a second while the camera was recorded"
        rows.append(("Video", f"{state.frames:,} frames, {rate}, {state.frames_dropped} lost"))
    for name, audio in info.audio.items():
        length = clock_text(audio.samples / audio.rate_hz)
        gaps = f"{number(audio.gaps, 'gap')}, {audio.missing / audio.rate_hz:.1f} s lost"
        rows.append((f"{name.capitalize()} sound", f"{length}, {gaps if audio.gaps else 'no gap'}"))
    for name, signal in info.signals.items():
        gone = f", lost {times(signal.losses)}" if signal.losses else ""
        rows.append((f"Signal {name}", f"{number(signal.samples, 'sample')}{gone}"))
    crowded = crowded_share(analysis.tables.face)
    if crowded > 0:
        seen = percent(crowded)
        rows.append(("Several faces", f"in {seen} of the pictures with a face; one is read"))
    rows.append(("Without music", _quiet(analysis)))
    if analysis.neutral is not None:
        rows.append(("Neutral reference", _neutral_reference(analysis, analysis.neutral)))
    if info.recovery:
        rows.append(("Not whole" if info.end_reason else "Broke off", info.recovery))
    rows.append(("Estimates", _source(analysis)))
    return rows


def _modality(name: ModalityName, summary: Summary) -> tuple[str, str]:
    made = f", {number(summary.said, 'estimate')}" if summary.expected else ""
    return NAMES[name], coverage_text(name, summary.coverage) + made


def _consent(analysis: Analysis) -> str:
    """Return what was consented to at first, and whether that changed."""
    started = analysis.state.started
    agreed = started.consent.granted if started else ()
    words = listed([word("consent", scope) for scope in agreed]) or text("consent.nothing")
    begun = {each.start_ns for each in analysis.state.interruptions if each.cause == "no_consent"}
    changed = bool(begun - {started.t_ns if started else 0})
    return f"{words}; later withdrawn, see below" if changed else words


def _quiet(analysis: Analysis) -> str:
    quiet = analysis.quiet
    if not quiet.enough:
        return (
            f"the face was seen for {seconds(quiet.seen_s)} without music, too little to tell a "
            "response by; that takes 30 s"
        )
    return (
        f"the face was seen for {seconds(quiet.seen_s)} and changed lastingly "
        f"{times(quiet.changes)}, {quiet.per_min:.1f} a minute"
    )


def _neutral_reference(analysis: Analysis, outcome: Outcome) -> str:
    if outcome not in TAKEN:
        return text(f"neutral.{outcome}")
    used = np.asarray(analysis.tables.face.get("neutral_reference", np.empty(0)), bool)
    share = used.sum() / max(analysis.summaries["face"].said, 1)
    said = "neutral.corrected" if outcome == "accepted" else "neutral.corrected_in_doubt"
    return text(said, share=percent(float(share)))


def _source(analysis: Analysis) -> str:
    skipped = sum(analysis.info.skipped.values())
    if analysis.tables.source == "replayed":
        return f"computed again from the recording; live, {skipped:,} had been skipped"
    return f"as made live; {skipped:,} were skipped then and computed afterwards"
