"""The screens' words. A face or a piece of music expresses something; nobody is said to feel it."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from affetti.analyzer.report.wording import alike, strongest
from affetti.core.clock import NS_PER_S
from affetti.core.events import Emotions
from affetti.core.language import span, text
from affetti.recorder.engine.messages import Health
from affetti.recorder.tui.view import SILENT_S, RecordingView

Severity = Literal["ok", "warning", "error"]

_STALE_FUSED_NS: Final = 3 * NS_PER_S
_LITTLE_DISK_S: Final = 15 * 60
_NO_DISK_S: Final = 3 * 60
_BEHIND_S: Final = 1.0


@dataclass(frozen=True)
class Reading:
    """What is said of the face, of the music or of both."""

    title: str
    words: str
    emotions: Emotions | None = None
    reasons: tuple[str, ...] = ()  # what spoke for the strongest


@dataclass(frozen=True)
class Remark:
    """Words with a severity, which colour only repeats."""

    words: str
    severity: Severity = "ok"


def face_reading(view: RecordingView) -> Reading:
    """Say what the face expresses, or why nothing is said."""
    emotions = view.face_emotions()
    if emotions is not None and not view.state.paused:
        return Reading("The face expresses", strongest(emotions), emotions)
    return Reading("Face", _why_no_face(view))


def _why_no_face(view: RecordingView) -> str:
    state, started = view.state, view.state.started
    if not state.consent.grants("video"):
        return "not recorded: no consent"
    if started is None or started.camera is None:
        return "no camera"
    if state.paused:
        return "recording is paused"
    if "camera" in state.lost:
        return "the camera is lost"
    face = state.face
    if face is not None and view.now_ns - face.t_ns < view.settings.face_max_age_ns:
        return "no face in view"
    return _why_nothing(view)


def music_reading(view: RecordingView) -> Reading:
    """Say what the music expresses, or why nothing is said."""
    state, music = view.state, view.state.music
    track = state.track
    sounding = track is None or not track.paused
    if music is not None and view.now_ns - music.t_ns < view.settings.music_max_age_ns:
        if music.emotions is not None and sounding:
            words = strongest(music.emotions)
            return Reading("The music expresses", words, music.emotions, music.reasons)
        if music.emotions is None:
            return Reading("Music", "no music")
    return Reading("Music", _why_no_music(view))


def _why_no_music(view: RecordingView) -> str:
    state = view.state
    track = state.track
    if track is not None:
        return "paused" if track.paused else _why_nothing(view, "listening…")
    if "room" not in state.audio or not state.consent.grants("room"):
        return "no music"
    return "recording is paused" if state.paused else _why_nothing(view, "listening…")


def fused_reading(view: RecordingView) -> Reading:
    """Say what face and music express together, or why nothing is said."""
    fused = view.state.fused
    recent = fused is not None and view.now_ns - fused.t_ns < _STALE_FUSED_NS
    if fused is None or not recent or fused.emotions is None:
        return Reading("Together", "nothing to say" if recent else _why_nothing(view))
    titles = {"both": "Together they express", "face": "The face alone expresses"}
    title = titles.get(fused.decided_by, "The music alone expresses")
    return Reading(title, strongest(fused.emotions), fused.emotions)


def _why_nothing(view: RecordingView, otherwise: str = "no estimate now") -> str:
    if not view.models_ready:
        return "models are loading…"
    return otherwise


def congruence(view: RecordingView) -> tuple[str, float | None]:
    """Say whether face and music express the same, with their congruence (1 alike, 0 not)."""
    fused = view.state.fused
    recent = fused is not None and view.now_ns - fused.t_ns < _STALE_FUSED_NS
    if fused is None or not recent or fused.divergence_bits is None:
        return f"Face and music: {alike(math.nan)}", None
    value = 1 - fused.divergence_bits
    return f"Face and music: {alike(value)}", value


def response(view: RecordingView) -> str:
    """Say quietly whether the face has moved in this track; nothing where that is not known."""
    moved = view.moved()
    if moved is None:
        return ""
    return text("response.live.moved" if moved else "response.live.none")


def health_remarks(view: RecordingView) -> list[Remark]:
    """Say how the recording is doing, in remarks from left to right."""
    if view.silent_s > SILENT_S:
        return [Remark(f"the engine has said nothing for {view.silent_s:.0f} s", "error")]
    health = view.health
    if health is None:
        return [Remark("starting…")]
    remarks = []
    if view.state.started is not None and view.state.started.camera is not None:
        # Against the camera's own rate: one that makes 24 frames a second is not slow.
        slow = health.frames_per_s < 0.8 * view.state.frames_per_s and not view.state.paused
        rate = Remark(f"{health.frames_per_s:.0f} frames/s", "warning" if slow else "ok")
        remarks += [rate, _count(health.frames_dropped, "dropped")]
    if view.state.audio:
        remarks.append(_count(health.audio_gaps, "gaps"))
    if health.drift_ppm is not None:
        remarks.append(Remark(f"sync {round(health.drift_ppm):+d} ppm"))
    if health.disk_s is not None or not health.disk_readable:
        remarks.append(_disk(health))
    remarks.append(_keeping_up(health))
    # Where the line is too short, it is good news that is cut off.
    return sorted(remarks, key=lambda remark: remark.severity == "ok")


def _count(count: int, what: str) -> Remark:
    return Remark(f"{count} {what}", "warning" if count else "ok")


def _disk(health: Health) -> Remark:
    if health.disk_s is None:
        return Remark("disk unknown", "warning")
    severity: Severity = "ok"
    if health.disk_s < _LITTLE_DISK_S:
        severity = "error" if health.disk_s < _NO_DISK_S else "warning"
    return Remark(f"disk {span(health.disk_s)}", severity)


def _keeping_up(health: Health) -> Remark:
    if not health.models_ready:
        return Remark("models loading")
    if health.behind_s > _BEHIND_S:
        return Remark(f"estimates {health.behind_s:.1f} s behind", "warning")
    return Remark("estimates on time")
