"""The screens' words. A face or a piece of music expresses something; nobody is said to feel it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rich.cells import cell_len
from rich.text import Text

from affetti.analyzer.measures.estimates import ModalityName
from affetti.analyzer.measures.heard import PLAYBACK, ROOM
from affetti.analyzer.measures.summary import MIXED_MARGIN
from affetti.analyzer.measures.together import neutral_counts
from affetti.analyzer.report.wording import alike, close_to_strongest, strongest
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, EXPRESSIONS, Label, ranked
from affetti.core.events import FaceEstimated
from affetti.core.language import clock, counted, percent, span, text, word
from affetti.core.people.counting import Counting
from affetti.core.state import SessionState, Span
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
    figures: str = ""  # of a mix, which its words lack


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
        if sum(max(shares) - share < MIXED_MARGIN for share in shares) == 2:
            words = text("live.mixed", words=words)
        seen, signs = _rounded(shares), view.face_signs()
        return Reading(_whose_face(view), words, seen, EXPRESSIONS, reasons=signs)
    return Reading(text("modality.face"), _why_no_face(view), labels=EXPRESSIONS)


def _whose_face(view: RecordingView) -> str:
    person = view.state.started.person if view.state.started is not None else ""
    return text("express.the_face_of", person=person)


def _why_no_face(view: RecordingView) -> str:
    state = view.state
    if unseen := _why_no_picture(state):
        return unseen
    if state.paused:
        return text("live.recording_paused")
    if "camera" in state.lost:
        return text("live.camera_lost")
    face = state.face
    if face is not None and view.now_ns - face.t_ns < view.settings.face_max_age_ns:
        return _why_unread(face)
    return _why_nothing(view)


def _why_no_picture(state: SessionState) -> str:
    """Say why there can be none; "" where there can."""
    if state.started is None:
        return text("live.loading")
    if not state.consent.grants("video"):
        return text("live.no_consent")
    return text("live.no_camera") if state.started.camera is None else ""


def _why_unread(estimate: FaceEstimated) -> str:
    code = estimate.face.unread if estimate.face is not None else None
    if code:
        return text("live.unread", why=word("unread", code))
    # There may be faces of which none is read.
    return text(f"nobody.{estimate.nobody}" if estimate.nobody else "live.no_face")


def music_reading(view: RecordingView) -> Reading:
    """Say what the music expresses, or why nothing is said."""
    state, music = view.state, view.state.music
    track = state.track
    sounding = track is None or not track.paused
    if _is_of_another(view):
        return Reading(text("modality.music"), _why_no_music(view))
    if music is not None and view.now_ns - music.t_ns < view.settings.music_max_age_ns:
        if music.emotions is not None and sounding:
            named = view.music_named()
            # Reasons are given for the strongest alone.
            reasons = music.reasons if ranked(music.emotions)[0] == named else ()
            words = strongest(music.emotions, named=named)
            said = text("express.the_music")
            figures = _figures_of_mix(music.emotions, named)
            return Reading(said, words, music.emotions, reasons=reasons, figures=figures)
        if music.emotions is None:
            return Reading(text("modality.music"), text("live.no_music"))
    return Reading(text("modality.music"), _why_no_music(view))


def _figures_of_mix(shares: Sequence[float], named: Label | None) -> str:
    """Return the shares of the one or two that the words for a mix name; "" of no mix."""
    close = close_to_strongest(shares, named=named)
    if len(close) < 2:  # whose share is in its words
        return ""
    told = close if len(close) == 2 else close[:1]
    return ", ".join(percent(shares[EMOTIONS.index(label)]) for label in told)


def _is_of_another(view: RecordingView) -> bool:
    """Whether what was said of music last is of what was heard before the present track."""
    music, track = view.state.music, view.state.track
    return music is not None and track is not None and music.t_ns < track.start_ns


def _why_no_music(view: RecordingView) -> str:
    state = view.state
    track = state.track
    if track is not None:
        return text("live.paused") if track.paused else _listening(view)
    if "room" not in state.audio or not state.consent.grants("room"):
        return text("live.no_music")
    return text("live.recording_paused") if state.paused else _listening(view)


@dataclass(frozen=True)
class Together:
    """What face and music express together, in short.

    Attributes
    ----------
    title
        What decided.
    words
        What is expressed, or why nothing is said.
    shares
        Of the four emotions; None where nothing is said.
    alike
        Whether face and music agree; "" where only one of them speaks.
    """

    title: str
    words: str
    shares: tuple[float, ...] | None
    alike: str


def together(view: RecordingView) -> Together:
    """Say in short what face and music express together, what decided, and whether they agree."""
    reading = fused_reading(view)
    fused = view.state.fused
    if reading.shares is None or fused is None or fused.emotions is None:
        return Together(text("modality.fused"), reading.words, None, "")
    bits = fused.divergence_bits
    agree = "" if bits is None else alike(1 - bits)
    shares = _rounded(fused.emotions)
    return Together(word("decided", fused.decided_by), reading.words, shares, agree)


def _rounded(shares: Sequence[float]) -> tuple[float, ...]:
    """Return shares as fine as they are drawn: what looks the same is not drawn again."""
    return tuple(round(share, 2) for share in shares)


def fused_reading(view: RecordingView) -> Reading:
    """Say what face and music express together, or why nothing is said."""
    fused = view.state.fused
    recent = fused is not None and view.now_ns - fused.t_ns < _STALE_FUSED_NS
    if fused is None or not recent or fused.emotions is None:
        return Reading(text("modality.fused"), _why_nothing(view, recent))
    title = word("express", fused.decided_by)
    if fused.decided_by == "music" and _is_of_another(view):
        return Reading(text("modality.fused"), _listening(view))
    face = view.face_expressions()
    if fused.decided_by == "face" and face is not None:
        return Reading(title, strongest(face, EXPRESSIONS), face, EXPRESSIONS)
    alone = music_reading(view) if fused.decided_by == "music" else None
    if alone is not None and alone.shares is not None:
        return Reading(title, alone.words, fused.emotions)
    words = strongest(fused.emotions)
    music = view.state.music.emotions if view.state.music else None
    first: dict[ModalityName, Label | None] = {
        "fused": ranked(fused.emotions)[0],
        "face": ranked(face, EXPRESSIONS)[0] if face else None,
        "music": ranked(music)[0] if music else None,
    }
    if fused.decided_by == "both" and neutral_counts(first):
        words = text("live.from_neutral", words=words)
    return Reading(title, words, fused.emotions)


def _why_nothing(view: RecordingView, heard: bool = False) -> str:
    """Say why there is no estimate; `heard` where there is one, that says nothing."""
    if heard:
        return text("live.nothing_to_say")
    return text("live.no_estimate" if view.models_ready else "live.loading")


def _listening(view: RecordingView) -> str:
    return text("live.listening" if view.models_ready else "live.loading")


def counting_remarks(counting: Counting) -> list[Remark]:
    """Say with which key what is counted, and how often it was so far."""
    return [
        Remark(
            text(
                "live.counted_open" if marker.label in counting.open else "live.counted",
                key=word("key_name", marker.key),
                label=marker.label,
                times=counting.times[marker.label],
            )
        )
        for marker in counting.markers
    ]


def heard_lines(view: RecordingView) -> tuple[str, ...]:
    """Say what is heard now in the room, and in the playback, a line each; never whose it is."""
    lines = []
    for stream in (ROOM, PLAYBACK):
        estimate = view.heard_in.get(stream)
        recent = estimate is not None and view.now_ns - estimate.t_ns <= _STALE_HEARD_NS
        if estimate is not None and recent:
            kinds = ", ".join(word("heard", kind) for kind in estimate.heard)
            lines.append(text(f"live.heard.{stream}", kinds=kinds or text("live.heard.none")))
    return tuple(lines) or (text("live.heard.room", kinds=_why_unheard(view)),)


def _why_unheard(view: RecordingView) -> str:
    state = view.state
    if "room" not in state.audio or not state.consent.grants("room"):
        return text("live.heard.not_recorded")
    return text("live.heard.paused" if state.paused else "live.heard.listening")


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


def alarms(view: RecordingView) -> list[Remark]:
    """Say what cannot wait: what is lost or stands still, and that nothing is recorded."""
    if view.gone:
        return [Remark(text("alarm.gone"), "error")]
    if view.silent_s > SILENT_S:
        return [Remark(text("alarm.engine", seconds=view.silent_s), "error")]
    state = view.state
    found = [
        Remark(text("alarm.lost", device=name.upper(), seconds=_gone_s(view, lost)), "error")
        for name, lost in ((word("device", each), gone) for each, gone in state.lost.items())
    ]
    if state.paused:
        return [*found, Remark(text("alarm.paused"), "warning")]
    if "camera" not in state.lost and view.picture is not None and still(view):
        found.append(Remark(text("alarm.still", seconds=view.still_s), "error"))
    if view.soundless_s > _SOUNDLESS_S and "microphone" not in state.lost:
        found.append(Remark(text("alarm.soundless", seconds=view.soundless_s), "warning"))
    return found


def headline(view: RecordingView) -> Remark:
    """Say whether it records, whom, and how long by now."""
    state = view.state
    said: str = "live.recording"
    severity: Severity = "ok"
    if view.gone:
        said, severity = "live.is_stopped", "error"
    elif state.paused:
        said, severity = "live.is_paused", "warning"
    person = state.started.person if state.started else ""
    return Remark(text(said, person=person, time=clock(view.recorded_ns / NS_PER_S)), severity)


def _gone_s(view: RecordingView, lost: Span) -> float:
    return lost.duration_ns(view.now_ns) / NS_PER_S


LAMPS: Final = ("camera", "sound", "disk")


def lamps(details: dict[str, list[Remark]]) -> dict[str, Remark | None]:
    """Say how camera, sound and disk are, each by what is worst; None for one that is not there.

    Parameters
    ----------
    details
        As `health_details` gives them.
    """
    found: dict[str, Remark | None] = {}
    for lamp in LAMPS:
        worst = sorted(details.get(lamp, []), key=lambda each: _SEVERITIES.index(each.severity))
        found[lamp] = worst[-1] if worst else None
    return found


_SEVERITIES: Final = ("ok", "warning", "error")


def told(message: str, hint: str, width: int, rows: int) -> str:
    """Return what is the matter and what to do; what to do is cut last.

    Parameters
    ----------
    message, hint
        In sentences.
    width, rows
        In cells, how much room there is for both; one row is left for what comes before them.
    """
    cells = width * (rows - 1) * 9 // 10  # lines end at blanks
    said = _cut(message, max(cells - cell_len(hint) - 1, cells // 3))
    return f"{said} {_cut(hint, cells - cell_len(said) - 1)}".strip()


def _cut(words: str, cells: int) -> str:
    line = Text(words)
    line.truncate(max(cells, 1), overflow="ellipsis")
    return line.plain


def health_details(view: RecordingView) -> dict[str, list[Remark]]:
    """Say what was measured of camera, sound, disk and estimates; nothing that was not."""
    health = view.health
    if health is None or view.gone:
        return {}
    found = {
        "camera": _camera(view, health),
        "sound": _sound(view, health),
        "disk": _disk(health),
        "estimates": _estimates(health),
    }
    return {lamp: remarks for lamp, remarks in found.items() if remarks}


def _camera(view: RecordingView, health: Health) -> list[Remark]:
    state = view.state
    if state.started is None or state.started.camera is None:
        return []
    if "camera" in state.lost:
        return [_lost(view, "camera")]
    # Against the camera's own rate: one that makes 24 frames a second is not slow.
    slow = health.frames_per_s < 0.8 * state.frames_per_s and not state.paused
    rate = Remark(_rate(health), "warning" if slow else "ok")
    found = [rate, _count("health.dropped", health.frames_dropped)]
    words = "" if state.paused or view.picture is None else still(view)
    return [*found, Remark(words, "error")] if words else found


def _sound(view: RecordingView, health: Health) -> list[Remark]:
    if not view.state.audio:
        return []
    if "microphone" in view.state.lost:
        return [_lost(view, "microphone")]
    found = [_count("health.gaps", health.audio_gaps)]
    if "room" in view.levels:
        found.append(Remark(text("playing.room", dbfs=view.levels["room"].rms_dbfs)))
    if view.soundless_s > _SOUNDLESS_S and not view.state.paused:
        found.append(Remark(text("health.soundless", seconds=view.soundless_s), "warning"))
    if health.drift_ppm is not None:
        found.append(Remark(text("health.sync", ppm=round(health.drift_ppm))))
    return found


def _lost(view: RecordingView, device: str) -> Remark:
    seconds = _gone_s(view, view.state.lost[device])
    return Remark(text("live.lost", device=word("device", device), seconds=seconds), "error")


def _disk(health: Health) -> list[Remark]:
    found = []
    if health.disk_s is not None or not health.disk_readable:
        found.append(_room_left(health))
    slow = health.unsafe_s > SLOW_DISK_S
    unsafe = text("health.unsafe", seconds=health.unsafe_s)
    return [*found, Remark(unsafe, "warning" if slow else "ok")]


def _estimates(health: Health) -> list[Remark]:
    found = [_keeping_up(health)]
    if health.skipped:
        found.append(Remark(counted("health.skipped", health.skipped)))
    if health.face_latency_p50_ms is not None and health.face_latency_p95_ms is not None:
        latency = text(
            "health.latency", p50=health.face_latency_p50_ms, p95=health.face_latency_p95_ms
        )
        found.append(Remark(latency))
    return found


def _rate(health: Health) -> str:
    return text("health.rate", rate=health.frames_per_s)


def _count(message: str, count: int) -> Remark:
    return Remark(counted(message, count), "warning" if count else "ok")


def _room_left(health: Health) -> Remark:
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
