"""The screens' words. A face or a piece of music expresses something; nobody is said to feel it."""

from dataclasses import dataclass
from typing import Final, Literal

from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, ranked
from affetti.core.events import Emotions, PerceptionSettings
from affetti.core.language import percent, span
from affetti.recorder.engine.messages import Health
from affetti.recorder.tui.view import SILENT_S, RecordingView

Severity = Literal["ok", "warning", "error"]

MIXED_MARGIN: Final = 0.10  # an emotion this close to the first counts with it
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


def strongest(emotions: Emotions) -> str:
    """Name the strongest emotion, and the second with it when it is close; more are "a mix".

    Parameters
    ----------
    emotions
        A distribution in the order of `EMOTIONS`.
    """
    order = ranked(emotions)
    strength = emotions[EMOTIONS.index(order[0])]
    close = [e for e in order if strength - emotions[EMOTIONS.index(e)] < MIXED_MARGIN]
    match close:
        case [only]:
            return f"{only}, {percent(strength)}"
        case [first, second]:
            return f"{first} and {second}"
        case _:
            return f"a mix, most {order[0]}"


def face_reading(view: RecordingView) -> Reading:
    """Say what the face expresses, or why nothing is said."""
    emotions = view.face_emotions()
    if emotions is not None and not view.state.paused:
        return Reading("The face expresses", strongest(emotions), emotions)
    return Reading("Face", _why_no_face(view))


def _why_no_face(view: RecordingView) -> str:
    state, started = view.state, view.state.started
    if not state.consent.video:
        return "not recorded: no consent"
    if started is None or started.camera is None:
        return "no camera"
    if state.paused:
        return "recording is paused"
    if "camera" in state.lost:
        return "the camera is lost"
    face = state.face
    if face is not None and view.now_ns - face.t_ns < _settings(view).face_max_age_ns:
        return "no face in view"
    return _why_nothing(view)


def music_reading(view: RecordingView) -> Reading:
    """Say what the music expresses, or why nothing is said."""
    state, music = view.state, view.state.music
    track = state.track
    sounding = track is None or not track.paused
    if music is not None and view.now_ns - music.t_ns < _settings(view).music_max_age_ns:
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
    if "room" not in state.streams or not state.consent.audio:
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


def _settings(view: RecordingView) -> PerceptionSettings:
    return view.state.started.perception if view.state.started else PerceptionSettings()


def congruence(view: RecordingView) -> tuple[str, float | None]:
    """Say whether face and music express the same, with their congruence (1 alike, 0 not)."""
    fused = view.state.fused
    if fused is None or fused.divergence_bits is None:
        return "Face and music: not both there to compare", None
    if view.now_ns - fused.t_ns >= _STALE_FUSED_NS:
        return "Face and music: not both there to compare", None
    alike = 1 - fused.divergence_bits
    if alike >= 0.8:
        return "Face and music express much the same", alike
    if alike >= 0.5:
        return "Face and music express partly the same", alike
    return "Face and music express different things", alike


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
    if view.state.streams:
        remarks.append(_count(health.audio_gaps, "gaps"))
    if health.drift_ppm is not None:
        remarks.append(Remark(f"sync {round(health.drift_ppm):+d} ppm"))
    remarks += [_disk(health), _keeping_up(health)]
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
