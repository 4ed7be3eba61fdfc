"""A session in brief: what `affetti info` says of it."""

from collections.abc import Iterable

import msgspec

from affetti.core.clock import NS_PER_S
from affetti.core.devices import Device
from affetti.core.events import ESTIMATE_TABLES, Environment, Imported, Moment
from affetti.core.journal import sentence
from affetti.core.protocol_words import led_words, undone_words
from affetti.core.recording.losses import (
    drift_told,
    source_losses,
    statement,
    synchrony_told,
    withdrawn_words,
)
from affetti.core.state import SessionState, Signal, Track
from affetti.core.streams import Channel, Stream
from affetti.core.synchrony import Synchrony


class VideoInfo(msgspec.Struct, frozen=True):
    """What was recorded of one video stream."""

    frames: int
    frames_dropped: int
    frames_per_s: float


class SignalInfo(msgspec.Struct, frozen=True):
    """What was recorded of one signal."""

    samples: int
    dropped: int
    losses: int  # how often its source was gone
    encoding: str
    channels: list[Channel]
    rate_hz: float | None  # nominal; None: irregular
    measured_rate_hz: float | None
    clock_measurements: int
    drift_ppm: float | None  # of its source's clock against the session's
    source: str


class AudioInfo(msgspec.Struct, frozen=True):
    """What was recorded of one stream."""

    samples: int
    rate_hz: int
    channels: int
    gaps: int
    missing: int


class TrackInfo(msgspec.Struct, frozen=True):
    """One playing of a track."""

    track: int
    title: str
    file_name: str
    sha256: str
    duration_s: float
    start_s: float
    end_s: float | None
    start_sample: int
    end_sample: int | None
    reason: str | None
    expected: str | None  # the emotion that the playlist expects of it
    columns: dict[str, str]  # further ones of the playlist


class MomentInfo(msgspec.Struct, frozen=True):
    """A marker, a note, a self-report or whatever else was noted."""

    t_s: float
    text: str
    kind: str


class ProtocolInfo(msgspec.Struct, frozen=True):
    """A study's protocol that led through a session, and how much of it was done."""

    name: str
    version: str
    sha256: str
    order: str
    tracks: list[int]  # of the protocol, from 0, in the order of this session
    steps: int
    done: int
    words: str  # the same, in words
    undone: list[str]  # what was planned and not done, and why, in words


class SessionInfo(msgspec.Struct, frozen=True):
    """A recording in brief, as `affetti info --json` prints it."""

    altered: bool  # after it was sealed
    session_id: str
    person: str
    wall_clock: str
    duration_s: float
    frames: int
    frames_dropped: int
    frames_per_s: float
    video: dict[str, VideoInfo]
    audio: dict[str, AudioInfo]
    signals: dict[str, SignalInfo]
    tracks: list[TrackInfo]
    markers: list[MomentInfo]
    notes: list[MomentInfo]
    moments: list[MomentInfo]  # all of them, in order of time
    sealed: bool
    recovered: bool
    lost_s: float
    end_reason: str | None
    failure: str | None  # what failed, as a code
    recovery: str | None  # in words, what was lost
    source_losses: list[str]  # what could not be read of films and tracks, in words
    keeps: str  # "all", or "estimates": no picture and no sound of the room was ever kept
    unkept: list[str]  # scopes whose pictures or sounds are not in the file, for whatever reason
    withdrawals: list[str]  # what was removed after the recording, in words
    consent: dict[str, bool | None]  # by scope; None where nobody said
    consent_since: dict[str, str]  # the date of each
    camera: str | None
    microphone: str | None
    speaker: str | None
    offered: tuple[str, ...]  # to whom live estimates were: "lsl", programs in the network
    devices: dict[str, Device]  # by stream, as far as it is known which they were
    synchrony: Synchrony | None  # how late pictures are against sound; None: not measured
    synchronous: list[str]  # what is known of that and of the clocks, in words
    outages: dict[str, int]
    estimates: dict[str, int]
    skipped: dict[str, int]
    models: dict[str, str]
    pipeline: str | None  # what perceived and fused, by name
    perception_version: int
    environment: Environment
    software_version: str
    schema_version: str
    log_sha256: str
    imported: Imported | None  # of what files, where it was not recorded live
    protocol: ProtocolInfo | None  # of a study, that led through it

    @property
    def dated(self) -> bool:
        """Whether `wall_clock` is when it was recorded: not every film says when it was made."""
        return self.imported is None or self.imported.made is not None


def describe(
    state: SessionState, *, sealed: bool, log_sha256: str = "", altered: bool = False
) -> SessionInfo:
    """Return a session in brief from its state.

    Raises
    ------
    ValueError
        The state has seen no `SessionStarted`.
    """
    started = state.started
    if started is None:
        raise ValueError("the session never started")
    return SessionInfo(
        altered=altered,
        session_id=started.session_id,
        person=started.person,
        wall_clock=started.wall_clock,
        duration_s=round(state.duration_s, 6),
        frames=state.frames,
        frames_dropped=state.frames_dropped,
        frames_per_s=round(state.frames_per_s, 3),
        video={
            name: VideoInfo(video.frames, video.dropped, round(state.frame_rate_hz(name), 3))
            for name, video in state.video.items()
        },
        audio={
            name: AudioInfo(
                sound.samples,
                state.streams[name].form.rate_hz,
                state.streams[name].form.channels,
                sound.gaps,
                sound.missing,
            )
            for name, sound in state.audio.items()
        },
        signals={
            name: _signal_info(state.streams[name], signal)
            for name, signal in state.signals.items()
        },
        tracks=[_track_info(track) for track in state.tracks],
        markers=_moments(state.markers),
        notes=_moments(state.notes),
        moments=_moments(sorted(state.moments, key=lambda moment: moment.t_ns)),
        sealed=sealed,
        recovered=state.recovered is not None,
        lost_s=state.recovered.lost_s if state.recovered else 0.0,
        end_reason=state.ended.reason if state.ended else None,
        failure=state.ended.failure if state.ended else None,
        recovery=statement(state.recovered, state) if state.recovered else None,
        source_losses=source_losses(state),
        keeps=started.keeps,
        offered=started.offered,
        unkept=sorted(state.unkept),
        withdrawals=[withdrawn_words(each) for each in state.withdrawals],
        consent={
            scope: grant.granted if grant.stated else None
            for scope, grant in state.consent.scopes.items()
        },
        consent_since={scope: grant.since for scope, grant in state.consent.scopes.items()},
        camera=started.camera,
        microphone=started.microphone,
        speaker=started.speaker,
        devices={n: s.device for n, s in state.streams.items() if s.device is not None},
        synchrony=started.synchrony,
        synchronous=[*filter(None, [synchrony_told(state)]), *drift_told(state)],
        outages=dict(state.outages),
        estimates=dict.fromkeys(ESTIMATE_TABLES, 0) | dict(state.estimates),
        skipped=dict(state.skipped),
        models=started.models,
        pipeline=None if started.pipeline is None else started.pipeline.name,
        perception_version=started.perception_version,
        environment=started.environment,
        software_version=started.software_version,
        schema_version=started.schema_version,
        log_sha256=log_sha256,
        imported=started.imported,
        protocol=_protocol_info(state),
    )


def _protocol_info(state: SessionState) -> ProtocolInfo | None:
    if state.protocol is None:
        return None
    planned = state.protocol.started
    return ProtocolInfo(
        name=planned.name,
        version=planned.version,
        sha256=planned.sha256,
        order=planned.order,
        tracks=list(planned.tracks),
        steps=len(planned.steps),
        done=state.protocol.done,
        words=led_words(state.protocol),
        undone=undone_words(state),
    )


def _moments(moments: Iterable[Moment]) -> list[MomentInfo]:
    return [MomentInfo(m.t_ns / NS_PER_S, m.words or sentence(m), m.noun) for m in moments]


def _signal_info(stream: Stream, signal: Signal) -> SignalInfo:
    rate_hz, drift_ppm = signal.rate_hz, signal.drift_ppm
    return SignalInfo(
        samples=signal.samples,
        dropped=signal.dropped,
        losses=signal.losses,
        encoding=stream.encoding,
        channels=list(stream.channels),
        rate_hz=stream.rate_hz,
        measured_rate_hz=None if rate_hz is None else round(rate_hz, 3),
        clock_measurements=signal.measurements,
        drift_ppm=None if drift_ppm is None else round(drift_ppm, 2),
        source=stream.source,
    )


def _track_info(track: Track) -> TrackInfo:
    return TrackInfo(
        track=track.number,
        title=track.title,
        file_name=track.file_name,
        sha256=track.sha256,
        duration_s=track.duration_s,
        start_s=track.start_s,
        end_s=track.end_s,
        start_sample=track.start_sample,
        end_sample=track.end_sample,
        reason=track.reason,
        expected=track.expected,
        columns=track.columns,
    )
