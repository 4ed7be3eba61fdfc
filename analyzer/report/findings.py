"""What a session showed, in sentences, with the coverage that each one rests on."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from markupsafe import Markup, escape

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.measures.estimates import ModalityName
from affetti.analyzer.measures.looks import Looks
from affetti.analyzer.measures.summary import Summary
from affetti.analyzer.measures.tracks import TrackResult
from affetti.analyzer.measures.unseen import crowded_share, unread_shares
from affetti.analyzer.report import heard
from affetti.analyzer.report.wording import (
    UNKNOWN,
    alike,
    emotion_word,
    expressed,
    index,
    marked,
    modality_name,
    number,
    percent,
    seconds,
    signed,
    stream_word,
    times,
    unread_of,
)
from affetti.analyzer.report.wording import coverage as coverage_of
from affetti.analyzer.report.wording import unread as why_unread
from affetti.core.consent import NO_CONSENT
from affetti.core.journal import consent_words
from affetti.core.language import clock_text, counted, date, text, word
from affetti.core.recording.info import AudioInfo, SessionInfo, SignalInfo
from affetti.core.recording.losses import device_words, unkept_words
from affetti.core.streams import VIDEO
from affetti.models.face.reference import TAKEN, Outcome

LOW_COVERAGE: Final = 0.5  # under this a finding is to be read with care


def coverage_text(modality: ModalityName, coverage: float) -> str:
    """Return how much of a stretch a modality covers: `read 82 % of the time`."""
    return coverage_of(modality, coverage)


def findings_of(analysis: Analysis) -> list[Markup]:
    """Return the findings of a session, the most general first."""
    found = [_expressed("face", analysis), _expressed("music", analysis)]
    if analysis.neutral not in (None, "accepted"):
        outcome = text(f"neutral.{analysis.neutral}")
        found.append(marked("finding.neutral", outcome=outcome))
    found += _changes(analysis)
    found += heard.findings_of(analysis)
    found += _congruence(analysis)
    found += _mixed(analysis)
    return found


def _expressed(modality: ModalityName, analysis: Analysis) -> Markup:
    summary = analysis.summaries[modality]
    if not summary.said:
        return escape(_nothing(modality, analysis))
    said = marked(
        f"finding.expressed.{modality}",
        words=expressed(modality, summary),
        strongest=_most_often(summary),
        coverage=coverage_text(modality, summary.coverage),
    )
    if summary.coverage < LOW_COVERAGE:
        said += " " + marked("finding.little")
    return said


def _nothing(modality: ModalityName, analysis: Analysis) -> str:
    if modality == "music":
        return text("finding.no_music")
    if not analysis.state.frames and VIDEO not in analysis.state.unkept:
        return text("finding.no_video")
    unread = analysis.summaries["face"].unread
    if unread:
        return text("finding.face_unread", why=why_unread(unread))
    return text("finding.no_face")


def _most_often(summary: Summary) -> str:
    """Return what was the strongest most often: `sadness (63 %), then anger (20 %)`."""
    shares = sorted(
        zip(summary.strongest_shares, summary.labels, strict=True),
        key=lambda pair: -float(pair[0]),
    )
    named = [
        text("finding.share", what=emotion_word(emotion), share=percent(float(share)))
        for share, emotion in shares[:2]
        if share > 0
    ]
    return named[0] if len(named) == 1 else text("finding.then", first=named[0], second=named[1])


def _changes(analysis: Analysis) -> Iterator[Markup]:
    changes = analysis.changes["face"]
    if not analysis.summaries["face"].said:
        return
    if not changes:
        yield marked("finding.one_expression")
        return
    first = changes[0]
    longest = max(changes, key=lambda change: change.dwell_s)
    yield marked(
        "finding.changed" if longest is first else "finding.changed_and_lasted",
        times=times(len(changes)),
        before=emotion_word(first.before),
        after=emotion_word(first.after),
        at=clock_text(first.t_s),
        longest=emotion_word(longest.after),
        lasted=seconds(longest.dwell_s),
    )


def _congruence(analysis: Analysis) -> Iterator[Markup]:
    whole = analysis.congruence
    if not whole.compared:
        return
    said = marked(
        "finding.congruence",
        alike=alike(whole.value),
        value=index(whole.value),
        coverage=percent(whole.coverage),
    )
    compared = [track for track in analysis.tracks if track.congruence.compared]
    if len(compared) > 1:
        nearest = max(compared, key=_value)
        farthest = min(compared, key=_value)
        said += " " + marked("finding.closest", nearest=nearest.title, farthest=farthest.title)
    yield said


def _value(track: TrackResult) -> float:
    return track.congruence.value


def _mixed(analysis: Analysis) -> Iterator[Markup]:
    face = analysis.summaries["face"]
    if face.said and face.mixed_share >= 0.05:
        yield marked("finding.mixed", share=percent(face.mixed_share))


def reasons_text(track: TrackResult) -> str:
    """Return what of the sound spoke for what the music of a track expressed."""
    if not track.summaries["music"].said:
        return text("report.no_music_heard")
    said = [
        text("finding.share", what=word("sign", reason.code), share=percent(reason.share))
        for reason in track.reasons
    ]
    return text("report.reasons", reasons=", ".join(said)) if said else text("report.no_reasons")


def signs_text(track: TrackResult) -> str:
    """Return what the face showed in a track, in signs that have a name."""
    if not track.looks.made:
        return text("report.no_looks")
    said = [
        text("finding.share", what=word("sign", code), share=percent(share))
        for code, share in track.looks.signs
    ]
    return text("report.signs", signs=", ".join(said)) if said else text("report.no_signs")


def looks_text(looks: Looks) -> str:
    """Return how often the eyes were closed, and where they looked."""
    return text(
        "basis.looks",
        closed=percent(looks.eyes_closed),
        **{gaze: percent(share) for gaze, share in looks.gazes.items()},
        looks=counted("count.look", looks.made),
    )


def circumplex_text(summary: Summary) -> str:
    """Return mean valence and arousal: `valence +0.42, arousal +0.31, each from -1 to 1`."""
    if np.isnan(summary.valence):
        return UNKNOWN
    return text(
        "report.circumplex", valence=signed(summary.valence), arousal=signed(summary.arousal)
    )


def basis_of(analysis: Analysis) -> list[tuple[str, str]]:
    """Return what the report rests on, as labels and texts."""
    state, info = analysis.state, analysis.info
    rows = [(text("basis.consent"), _consent(analysis))]
    if info.imported is not None:
        files = ", ".join(file.file_name for file in info.imported.files)
        said = text("basis.imported_of", files=files, date=date(info.imported.on))
        rows.append((text("basis.imported"), said))
    rows += [(text("basis.protocol"), said) for said in _led(info)]
    if said := unkept_words(state.unkept):
        rows.append((text("basis.unkept"), said))
    rows += [_modality(name, summary) for name, summary in analysis.summaries.items()]
    if state.frames:
        frames, rate = number(state.frames, "frame"), info.frames_per_s
        said = text("basis.frames", frames=frames, rate=rate, lost=state.frames_dropped)
        rows.append((text("basis.video"), said))
    for name, audio in info.audio.items():
        if not audio.samples and state.streams[name].scope in state.unkept:
            continue
        rows.append((text("basis.sound", stream=stream_word(name)), _sound(audio)))
    for name, device in info.devices.items():
        rows.append((text("basis.device", stream=stream_word(name)), device_words(device)))
    rows += [(text("basis.synchrony"), said) for said in info.synchronous]
    for name, signal in info.signals.items():
        rows.append((text("basis.signal", stream=name), _signal(signal)))
    crowded = crowded_share(analysis.tables.face)
    if crowded > 0:
        said = text("basis.crowded", share=percent(crowded))
        rows.append((text("basis.several_faces"), said))
    if unread := unread_shares(analysis.tables.face):
        rows.append((text("basis.nobody"), unread_of(unread)))
    if analysis.looks.made:
        rows.append((text("basis.eyes"), looks_text(analysis.looks)))
    rows.append((text("basis.without_music"), _quiet(analysis)))
    if analysis.neutral is not None:
        said = _neutral_reference(analysis, analysis.neutral)
        rows.append((text("basis.neutral_reference"), said))
    if info.recovery:
        label = "basis.not_whole" if info.end_reason else "basis.broke_off"
        rows.append((text(label), info.recovery))
    rows.append((text("basis.estimates"), _source(analysis)))
    return rows


def _sound(audio: AudioInfo) -> str:
    length = clock_text(audio.samples / audio.rate_hz)
    if not audio.gaps:
        return text("basis.no_gap", length=length)
    lost_s = audio.missing / audio.rate_hz
    return text("basis.gaps", length=length, gaps=number(audio.gaps, "gap"), lost=lost_s)


def _signal(signal: SignalInfo) -> str:
    samples = number(signal.samples, "sample")
    if not signal.losses:
        return samples
    return text("basis.signal_lost", samples=samples, times=times(signal.losses))


def _modality(name: ModalityName, summary: Summary) -> tuple[str, str]:
    said = coverage_text(name, summary.coverage)
    if summary.expected:
        estimates = number(summary.said, "estimate")
        said = text("basis.modality", coverage=said, estimates=estimates)
    return modality_name(name), said


def _consent(analysis: Analysis) -> str:
    """Return what was consented to at first, and whether that changed."""
    started = analysis.state.started
    words = consent_words(started.consent if started else NO_CONSENT)
    begun = {each.start_ns for each in analysis.state.interruptions if each.cause == "no_consent"}
    later = any(not each.estimates_stay for each in analysis.state.withdrawals)
    changed = later or bool(begun - {started.t_ns if started else 0})
    return text("basis.withdrawn", consent=words) if changed else words


def _led(info: SessionInfo) -> Iterator[str]:
    """Yield by what protocol of a study it was led, and what of that was not done."""
    if info.protocol is not None:
        yield "; ".join((info.protocol.words, *info.protocol.undone))


def _quiet(analysis: Analysis) -> str:
    quiet = analysis.quiet
    seen = seconds(quiet.seen_s)
    if not quiet.enough:
        return text("basis.too_quiet", seen=seen)
    changed = times(quiet.changes)
    return text("basis.quiet", seen=seen, times=changed, per_min=quiet.per_min)


def _neutral_reference(analysis: Analysis, outcome: Outcome) -> str:
    if outcome not in TAKEN:
        return text(f"neutral.{outcome}")
    used = np.asarray(analysis.tables.face.get("neutral_reference", np.empty(0)), bool)
    share = used.sum() / max(analysis.summaries["face"].said, 1)
    said = "neutral.corrected" if outcome == "accepted" else "neutral.corrected_in_doubt"
    return text(said, share=percent(float(share)))


def _source(analysis: Analysis) -> str:
    skipped = sum(analysis.info.skipped.values())
    source = analysis.tables.source
    if analysis.state.unkept:
        return text("basis.unkept_live", skipped=skipped)
    return text("basis.replayed" if source == "replayed" else "basis.live", skipped=skipped)
