"""The other end of the pipe: says what a real engine says, but at the moment a test wants it."""

from collections.abc import Iterable
from multiprocessing import Pipe
from typing import Any

import cv2
import numpy as np

from affetti.core.emotions import emotions_of_expressions
from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    Event,
    Face,
    FaceEstimated,
    FrameCaptured,
    MarkerAdded,
    MusicEstimated,
    NoteAdded,
    SessionEnded,
    SessionStarted,
    TrackEnded,
    TrackStarted,
    consent_to,
)
from affetti.core.fusion import fuse, rounded
from affetti.core.streams import audio_stream, video_stream
from affetti.recorder.engine import messages

NS = 1_000_000_000
SAD = np.array((0.05, 0.01, 0.02, 0.07, 0.7, 0.02, 0.13))
HAPPY = np.array((0.02, 0.01, 0.02, 0.78, 0.04, 0.02, 0.11))
MUSIC = (0.34, 0.12, 0.10, 0.44)


class ScriptedEngine:
    """Speaks the engine's side of the protocol over a real pipe."""

    def __init__(self) -> None:
        self.pipe, self._own = Pipe()
        self.heard: list[Any] = []

    def say(self, *items: messages.Message) -> None:
        for item in items:
            messages.send(self._own, item)

    def commands(self) -> list[Any]:
        """Everything the screen has sent so far."""
        while self._own.poll(0.05):
            self.heard.append(messages.receive_command(self._own))
        return self.heard

    def die(self) -> None:
        self._own.close()


def devices() -> messages.Devices:
    return messages.Devices(
        cameras=("0", "1"),
        microphones=("USB microphone", "HDA Intel PCH: ALC257"),
        speakers=("HDA Intel PCH: ALC257",),
    )


def picture() -> messages.Picture:
    """A drawn face on a plain ground."""
    canvas = np.full((120, 160, 3), (92, 84, 70), np.uint8)
    cv2.ellipse(canvas, (80, 62), (26, 34), 0, 0, 360, (140, 170, 220), -1)
    cv2.ellipse(canvas, (80, 40), (29, 24), 0, 180, 360, (40, 50, 70), -1)
    for x in (70, 90):
        cv2.circle(canvas, (x, 58), 3, (30, 30, 30), -1)
    cv2.ellipse(canvas, (80, 76), (10, 6), 0, 0, 180, (60, 60, 160), 2)
    cv2.rectangle(canvas, (45, 100), (115, 120), (120, 70, 50), -1)
    jpeg = bytes(cv2.imencode(".jpg", canvas)[1])
    return messages.Picture(jpeg, width_px=640, height_px=480)


def health(**changes: Any) -> messages.Health:
    fields: dict[str, Any] = {
        "frames_per_s": 30.0,
        "frames_dropped": 0,
        "audio_gaps": 0,
        "drift_ppm": 2.4,
        "disk_s": 4 * 3600.0 + 720,
        "models_ready": True,
        "behind_s": 0.0,
        "skipped": 0,
        "face_latency_p50_ms": 21.0,
        "face_latency_p95_ms": 38.0,
    }
    return messages.Health(**{**fields, **changes})


def level(stream: Any = "room", rms_dbfs: float = -31.0) -> messages.Level:
    return messages.Level(stream, rms_dbfs, rms_dbfs + 12)


def session_started(**changes: Any) -> SessionStarted:
    fields: dict[str, Any] = {
        "t_ns": 0,
        "session_id": "0123456789abcdef" * 2,
        "person": "P07",
        "consent": consent_to("video", "room"),
        "software_version": "0.1.0",
        "wall_clock": "2026-11-24T10:15:00.000000+00:00",
        "camera": "0",
        "microphone": "",
        "speaker": "default",
        "streams": (
            video_stream(),
            audio_stream("room", AudioFormat(44_100, 1)),
            audio_stream("playback", AudioFormat(44_100, 2)),
        ),
        "playlist": ("Song of Farewell", "Morning [red]Dance[/red]", "Lullaby"),
    }
    return SessionStarted(**{**fields, **changes})


def track_started(track: int, t_s: float, duration_s: float = 90.0) -> TrackStarted:
    return TrackStarted(
        t_ns=round(t_s * NS),
        track=track,
        title=("Song of Farewell", "Morning [red]Dance[/red]", "Lullaby")[track],
        file_name=f"{track}.ogg",
        sha256="0" * 64,
        sample=round(t_s * 44_100),
        duration_s=duration_s,
    )


def track_ended(track: int, t_s: float) -> TrackEnded:
    return TrackEnded(
        t_ns=round(t_s * NS), track=track, sample=round(t_s * 44_100), reason="finished"
    )


def estimates(until_s: float) -> list[Event]:
    """A face that is sad at first and then happy, before music that changes slowly."""
    events: list[Event] = []
    for tick in range(1, round(until_s * 2) + 1):
        t_s = tick / 2
        weight = float(np.clip((t_s - 80) / 60 + 0.1 * np.sin(t_s / 3), 0, 1))
        shown = weight * HAPPY + (1 - weight) * SAD
        face = rounded(emotions_of_expressions(shown))
        gone = 40 < t_s < 52
        music = MUSIC if t_s > 8 else None
        t_ns = tick * NS // 2
        if not gone:
            events.append(
                FaceEstimated(
                    t_ns=t_ns,
                    frame=tick * 15,
                    faces=(
                        Face(
                            face_id=0,
                            read=True,
                            expressions=tuple(shown.round(6).tolist()),  # type: ignore[arg-type]
                            emotions=face,
                            box_px=(208, 96, 224, 288),
                        ),
                    ),
                )
            )
        events.append(fuse(t_ns, {"face": None if gone else face, "music": music}))  # type: ignore[dict-item]
    events.append(
        MusicEstimated(
            t_ns=round(until_s * NS),
            stream="playback",
            start_sample=0,
            end_sample=441_000,
            emotions=MUSIC,
            loudness_dbfs=-19.0,
            reasons=("sparse", "soft_attacks", "dark"),
        )
    )
    return events


def session(until_s: float = 200.0) -> list[Event]:
    """A session of three tracks, of which the third still plays; markers and a note."""
    return [
        session_started(),
        track_started(0, 5.0),
        MarkerAdded(t_ns=31 * NS, label="Marker 1"),
        track_ended(0, 95.0),
        track_started(1, 95.0, 60.0),
        NoteAdded(t_ns=102 * NS, text="smiles at [b]the refrain[/b]"),
        MarkerAdded(t_ns=130 * NS, label="Marker 2"),
        track_ended(1, 155.0),
        track_started(2, 155.0),
        *estimates(until_s),
        FrameCaptured(t_ns=round(until_s * NS), frame=6000, width_px=640, height_px=480),
        AudioCaptured(t_ns=round((until_s - 1) * NS), stream="room", sample=0, count=44_100),
    ]


def ended(t_s: float = 200.0) -> list[Event]:
    return [track_ended(2, t_s), SessionEnded(t_ns=round(t_s * NS), reason="stopped")]


def recorded(events: Iterable[Event]) -> messages.Recorded:
    return messages.Recorded(tuple(events))  # type: ignore[arg-type]
