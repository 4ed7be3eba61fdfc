"""The screens' words. A face or a piece of music expresses something; nobody is said to feel it."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from affetti.analyzer.measures.estimates import ModalityName
from affetti.analyzer.measures.heard import PLAYBACK, ROOM
from affetti.analyzer.measures.together import neutral_counts
from affetti.analyzer.report.wording import alike, strongest
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, EXPRESSIONS, Label, ranked
from affetti.core.events import FaceEstimated
from affetti.core.language import counted, span, text, word
from affetti.recorder.engine.messages import SLOW_DISK_S, Health
from affetti.recorder.tui.view import SILENT_S, RecordingView

Severity = Literal["ok", "warning", "error"]

_STALE_FUSED_NS: Final = 3 * NS_PER_S
_STALE_HEARD_NS: Final = 3 * NS_PER_S
_LITTLE_DISK_S: Final = 15 * 60
_NO_DISK_S: Final = 3 * 60
_BEHIND_S: Final = 1.0
_STILL_S: Final = 2.0
_SOUNDLESS_S: Final = 5.0


@dataclass(frozen=True)
class Reading:
    """What is said of the face, of the music or of both."""

    title: str
    words: str
    shares: tuple[float, ...] | None = None
    labels: tuple[Label, ...] = EMOTIONS
    reasons: tuple[str, ...] = ()  # what spoke for the strongest


@dataclass(frozen=True)
class Remark:
    """Words with a severity, which colour only repeats."""

    words: str
    severity: Severity = "ok"


def face_reading(view: RecordingView) -> Reading:
    """Say what the face expresses, or why nothing is said."""
    shares = view.face_expressions()
    if shares is not None and not view.state.paused:
        words = strongest(shares, EXPRESSIONS)
        return Reading(
            text("express.the_face"), words, shares, EXPRESSIONS, reasons=view.face_signs()
        )
    return Reading(text("modality.face"), _why_no_face(view))


def _why_no_face(view: RecordingView) -> str:
    state, started = view.state, view.state.started
    if not state.consent.grants("video"):
        return text("live.no_consent")
    if started is None or started.camera is None:
        return text("live.no_camera")
    if state.paused:
        return text("live.recording_paused")
    if "camera" in state.lost:
        return text("live.camera_lost")
    face = state.face
    if face is not None and view.now_ns - face.t_ns < view.settings.face_max_age_ns:
        return _why_unread(face)
    return _why_nothing(view)


def _why_unread(estimate: FaceEstimated) -> str:
    code = estimate.face.unread if estimate.face is not None else None
    return text("live.unread", why=word("unread", code)) if code else text("live.no_face")


def music_reading(view: RecordingView) -> Reading:
    """Say what the music expresses, or why nothing is said."""
    state, music = view.state, view.state.music
    track = state.track
    sounding = track is None or not track.paused
    if music is not None and view.now_ns - music.t_ns < view.settings.music_max_age_ns:
        if music.emotions is not None and sounding:
            named = view.music_named()
            # Reasons are given for the strongest alone.
            reasons = music.reasons if ranked(music.emotions)[0] == named else ()
            words = strongest(music.emotions, named=named)
            said = text("express.the_music")
            return Reading(said, words, music.emotions, reasons=reasons)
        if music.emotions is None:
            return Reading(text("modality.music"), text("live.no_music"))
    return Reading(text("modality.music"), _why_no_music(view))


def _why_no_music(view: RecordingView) -> str:
    state = view.state
    track = state.track
    if track is not None:
        return text("live.paused") if track.paused else _listening(view)
    if "room" not in state.audio or not state.consent.grants("room"):
        return text("live.no_music")
    return text("live.recording_paused") if state.paused else _listening(view)


def fused_reading(view: RecordingView) -> Reading:
    """Say what face and music express together, or why nothing is said."""
    fused = view.state.fused
    recent = fused is not None and view.now_ns - fused.t_ns < _STALE_FUSED_NS
    if fused is None or not recent or fused.emotions is None:
        return Reading(text("modality.fused"), _why_nothing(view, recent))
    title = word("express", fused.decided_by)
    face = view.face_expressions()
    if fused.decided_by == "face" and face is not None:
        return Reading(title, strongest(face, EXPRESSIONS), face, EXPRESSIONS)
    words = strongest(fused.emotions)
    music = view.state.music.emotions if view.state.music else None
    first: dict[ModalityName, Label | None] = {
        "fused": ranked(fused.emotions)[0],
        "face": ranked(face, EXPRESSIONS)[0] if face else None,
        "music": ranked(music)[0] if music else None,
    }
    if fused.decided_by == "both" and neutral_counts(first):
        words = text("together.neutral", words=words)
    return Reading(title, words, fused.emotions)


def _why_nothing(view: RecordingView, heard: bool = False) -> str:
    """Say why there is no estimate; `heard` where there is one, that says nothing."""
    if heard:
        return text("live.nothing_to_say")
    return text("live.no_estimate" if view.models_ready else "live.loading")


def _listening(view: RecordingView) -> str:
    return text("live.listening" if view.models_ready else "live.loading")


def congruence(view: RecordingView) -> tuple[str, float | None]:
    """Say whether face and music express the same, with their congruence (1 alike, 0 not)."""
    fused = view.state.fused
    recent = fused is not None and view.now_ns - fused.t_ns < _STALE_FUSED_NS
    if fused is None or not recent or fused.divergence_bits is None:
        return text("live.alike", alike=alike(math.nan)), None
    value = 1 - fused.divergence_bits
    return text("live.alike", alike=alike(value)), value


def heard_remarks(view: RecordingView) -> list[Remark]:
    """Say what is heard now in the room, and in the playback; never whose it is."""
    remarks = []
    for stream in (ROOM, PLAYBACK):
        estimate = view.heard_in.get(stream)
        if estimate is None or view.now_ns - estimate.t_ns > _STALE_HEARD_NS:
            continue
        kinds = ", ".join(word("heard", kind) for kind in estimate.heard)
        remarks.append(Remark(text(f"live.heard.{stream}", kinds=kinds)))
    return remarks or [Remark(text("live.heard.nothing"))]


def response(view: RecordingView) -> str:
    """Say quietly whether the face has moved in this track; nothing where that is not known."""
    moved = view.moved()
    if moved is None:
        return ""
    return text("response.live.moved" if moved else "response.live.none")


def still(view: RecordingView) -> str:
    """Say that the picture is old, and how old; nothing while new ones come."""
    period_s = 1 / view.state.frames_per_s if view.state.frames_per_s else 0.0
    if view.still_s < max(_STILL_S, 3 * period_s):
        return ""
    return text("live.still", seconds=view.still_s)


def health_remarks(view: RecordingView) -> list[Remark]:
    """Say how the recording is doing, in remarks from left to right."""
    if view.silent_s > SILENT_S:
        return [Remark(text("health.silent", seconds=view.silent_s), "error")]
    health = view.health
    if health is None:
        return [Remark(text("health.starting"))]
    remarks = []
    if view.state.started is not None and view.state.started.camera is not None:
        # Against the camera's own rate: one that makes 24 frames a second is not slow.
        slow = health.frames_per_s < 0.8 * view.state.frames_per_s and not view.state.paused
        rate = Remark(_rate(health), "warning" if slow else "ok")
        remarks += [rate, _count("health.dropped", health.frames_dropped)]
    if view.state.audio:
        remarks.append(_count("health.gaps", health.audio_gaps))
    if view.soundless_s > _SOUNDLESS_S and not view.state.paused:
        remarks.append(Remark(text("health.soundless", seconds=view.soundless_s), "warning"))
    if health.drift_ppm is not None:
        remarks.append(Remark(text("health.sync", ppm=round(health.drift_ppm))))
    if health.disk_s is not None or not health.disk_readable:
        remarks.append(_disk(health))
    if health.unsafe_s > SLOW_DISK_S:
        remarks.append(Remark(text("health.unsafe", seconds=health.unsafe_s), "warning"))
    remarks.append(_keeping_up(health))
    # Where the line is too short, it is good news that is cut off.
    return sorted(remarks, key=lambda remark: remark.severity == "ok")


def _rate(health: Health) -> str:
    return text("health.rate", rate=health.frames_per_s)


def _count(message: str, count: int) -> Remark:
    return Remark(counted(message, count), "warning" if count else "ok")


def _disk(health: Health) -> Remark:
    if health.disk_s is None:
        return Remark(text("health.disk_unknown"), "warning")
    severity: Severity = "ok"
    if health.disk_s < _LITTLE_DISK_S:
        severity = "error" if health.disk_s < _NO_DISK_S else "warning"
    return Remark(text("health.disk", span=span(health.disk_s)), severity)


def _keeping_up(health: Health) -> Remark:
    if not health.models_ready:
        return Remark(text("health.loading"))
    if health.behind_s > _BEHIND_S:
        return Remark(text("health.behind", seconds=health.behind_s), "warning")
    return Remark(text("health.on_time"))
