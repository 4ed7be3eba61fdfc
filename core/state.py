"""The state of a session: a fold over its events, and nothing else.

What the screen shows while recording and what a report says afterwards of tracks, pauses and
gaps come from the same `SessionState.apply`.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

from affetti.core.clock import NS_PER_S, SampleClock
from affetti.core.consent import NO_CONSENT
from affetti.core.events import (
    AudioCaptured,
    AudioGap,
    ClockAnchored,
    Consent,
    ConsentChanged,
    DeviceLost,
    DeviceRestored,
    EmotionFused,
    Estimate,
    EstimateSkipped,
    Event,
    FaceEstimated,
    FrameCaptured,
    FramesDropped,
    MarkerAdded,
    Moment,
    MusicEstimated,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    NoteAdded,
    PersonChanged,
    RecordingPaused,
    RecordingResumed,
    SelfReported,
    SessionEnded,
    SessionRecovered,
    SessionStarted,
    TrackEnded,
    TrackEndReason,
    TrackPaused,
    TrackResumed,
    TrackStarted,
    UnknownEvent,
)
from affetti.core.interruptions import Interruptions

_Kind = TypeVar("_Kind", bound=Estimate)


@dataclass
class Span:
    """A stretch of session time; open while `end_ns` is None."""

    start_ns: int
    end_ns: int | None = None

    def duration_ns(self, now_ns: int) -> int:
        """Return how long it lasted, or has lasted by `now_ns`."""
        return (now_ns if self.end_ns is None else self.end_ns) - self.start_ns


@dataclass
class Track:
    """One playing of a track, in session time and in samples of the playback stream."""

    number: int  # position in the playlist, from 0
    title: str
    file_name: str
    sha256: str
    duration_s: float  # of the file
    start_ns: int
    start_sample: int
    end_ns: int | None = None
    end_sample: int | None = None
    reason: TrackEndReason | None = None
    pauses: list[Span] = field(default_factory=list)
    rate_hz: int = 0  # of the playback stream
    silent_samples: int = 0  # of pauses that are over
    paused_sample: int = 0  # where the latest pause began

    @property
    def start_s(self) -> float:
        """When it began, in seconds of session time."""
        return self.start_ns / NS_PER_S

    @property
    def end_s(self) -> float | None:
        """When it ended, in seconds of session time; None while it plays."""
        return None if self.end_ns is None else self.end_ns / NS_PER_S

    @property
    def paused(self) -> bool:
        """Whether it is paused now."""
        return bool(self.pauses) and self.pauses[-1].end_ns is None

    def resume(self, event: TrackResumed | TrackEnded) -> None:
        """Take in that the latest pause is over."""
        self.pauses[-1].end_ns = event.t_ns
        self.silent_samples += event.sample - self.paused_sample

    def played_s(self, now_ns: int) -> float:
        """Return how many seconds of it were heard, pauses taken out.

        By its samples once it has ended; while it plays, by the clock.
        """
        if self.end_sample is not None and self.rate_hz > 0:
            return max(0, self.end_sample - self.start_sample - self.silent_samples) / self.rate_hz
        until = now_ns if self.end_ns is None else self.end_ns
        silent = sum(pause.duration_ns(until) for pause in self.pauses)
        return max(0, until - self.start_ns - silent) / NS_PER_S


@dataclass
class Stream:
    """What is known of an audio stream so far."""

    clock: SampleClock
    samples: int = 0
    gaps: int = 0
    missing: int = 0


@dataclass
class SessionState:
    """Everything known of a session after the events applied so far."""

    started: SessionStarted | None = None
    consent: Consent = NO_CONSENT
    now_ns: int = 0  # the latest time any fact was about
    events: int = 0
    frames: int = 0
    first_frame_ns: int = 0
    last_frame_ns: int = 0
    frames_dropped: int = 0
    streams: dict[str, Stream] = field(default_factory=dict)
    tracks: list[Track] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)  # in the order they were noted
    pauses: list[Span] = field(default_factory=list)
    neutral_reference: Span | None = None  # the latest; open while it is recorded
    interruptions: Interruptions = field(default_factory=Interruptions)
    lost: dict[str, Span] = field(default_factory=dict)  # devices that are gone now
    outages: Counter[str] = field(default_factory=Counter)  # how often each was
    latest: dict[str, Estimate] = field(default_factory=dict)  # estimate of each modality
    estimates: Counter[str] = field(default_factory=Counter)  # by modality
    skipped: Counter[str] = field(default_factory=Counter)  # by modality
    ended: SessionEnded | None = None
    recovered: SessionRecovered | None = None
    unknown: Counter[str] = field(default_factory=Counter)  # kinds of a later version

    @property
    def duration_s(self) -> float:
        """Length of the session so far, in seconds."""
        return self.now_ns / NS_PER_S

    @property
    def frames_per_s(self) -> float:
        """Mean frame rate while the camera was there and recorded; 0 before the second frame."""
        span = self.last_frame_ns - self.first_frame_ns
        span -= self.interruptions.unfilmed_ns(self.first_frame_ns, self.last_frame_ns)
        return (self.frames - 1) * NS_PER_S / span if self.frames > 1 and span > 0 else 0.0

    @property
    def paused(self) -> bool:
        """Whether the recording is paused now."""
        return bool(self.pauses) and self.pauses[-1].end_ns is None

    @property
    def face(self) -> FaceEstimated | None:
        """The latest estimate of the face."""
        return self._latest_of("face", FaceEstimated)

    @property
    def music(self) -> MusicEstimated | None:
        """The latest estimate of the music."""
        return self._latest_of("music", MusicEstimated)

    @property
    def fused(self) -> EmotionFused | None:
        """The latest fused estimate."""
        return self._latest_of("fused", EmotionFused)

    def _latest_of(self, modality: str, kind: type[_Kind]) -> _Kind | None:
        found = self.latest.get(modality)
        return found if isinstance(found, kind) else None

    @property
    def markers(self) -> list[MarkerAdded]:
        """The therapist's markers."""
        return [moment for moment in self.moments if isinstance(moment, MarkerAdded)]

    @property
    def notes(self) -> list[NoteAdded]:
        """The therapist's notes."""
        return [moment for moment in self.moments if isinstance(moment, NoteAdded)]

    @property
    def self_reports(self) -> list[SelfReported]:
        """What the person reported of themselves."""
        return [moment for moment in self.moments if isinstance(moment, SelfReported)]

    @property
    def track(self) -> Track | None:
        """The track that plays now."""
        playing = self.tracks and self.tracks[-1].end_ns is None
        return self.tracks[-1] if playing else None

    def apply(self, event: Event | UnknownEvent) -> None:
        """Take in one event, in the order of `seq`."""
        self.events += 1
        self.interruptions.apply(event)
        match event:
            case UnknownEvent():
                self.unknown[event.kind] += 1
            case Estimate(modality=modality):
                self.latest[modality] = event
                self.estimates[modality] += 1
            case EstimateSkipped(modality=modality):
                self.skipped[modality] += 1
            case _:
                self.now_ns = max(self.now_ns, event.t_ns)
                self._fact(event)

    def _fact(self, event: Event) -> None:
        match event:
            case FrameCaptured():
                self.frames += 1
                self.first_frame_ns = event.t_ns if self.frames == 1 else self.first_frame_ns
                self.last_frame_ns = event.t_ns
            case AudioCaptured() | AudioGap() | ClockAnchored():
                self._sound(event)
            case FramesDropped(count=count):
                self.frames_dropped += count
            case TrackStarted() | TrackPaused() | TrackResumed() | TrackEnded():
                self._playback(event)
            case Moment():
                self.moments.append(event)
            case _:
                self._session(event)

    def _session(self, event: Event) -> None:
        match event:
            case SessionStarted():
                self.started = event
                self.consent = event.consent
                for name, form in event.streams.items():
                    self.streams[name] = Stream(SampleClock(form.rate_hz))
            case ConsentChanged(consent=consent):
                self.consent = consent
            case NeutralReferenceStarted():
                self.neutral_reference = Span(event.t_ns)
            case NeutralReferenceRecorded() if self.neutral_reference is not None:
                self.neutral_reference.end_ns = event.t_ns
            case PersonChanged():
                self.neutral_reference = None  # it was another's
            case RecordingPaused():
                self.pauses.append(Span(event.t_ns))
            case RecordingResumed() if self.paused:
                self.pauses[-1].end_ns = event.t_ns
            case DeviceLost(device=device):
                self.lost[device] = Span(event.t_ns)
                self.outages[device] += 1
            case DeviceRestored(device=device):
                self.lost.pop(device, None)
            case SessionEnded():
                self.ended = event
            case SessionRecovered():
                self.recovered = event

    def _sound(self, event: AudioCaptured | AudioGap | ClockAnchored) -> None:
        stream = self.streams.get(event.stream)
        if stream is None:
            return
        match event:
            case AudioCaptured():
                stream.samples += event.count
                end = event.t_ns + event.count * NS_PER_S // stream.clock.rate_hz
                self.now_ns = max(self.now_ns, end)
            case AudioGap():
                stream.gaps += 1
                stream.missing += event.missing
                # A lost stretch moves the clock: anchors from before it no longer hold.
                stream.clock = SampleClock(stream.clock.rate_hz)
            case ClockAnchored():
                stream.clock.add(event.sample, event.t_ns)

    def _playback(self, event: TrackStarted | TrackPaused | TrackResumed | TrackEnded) -> None:
        if isinstance(event, TrackStarted):
            playback = self.streams.get("playback")
            self.tracks.append(
                Track(
                    number=event.track,
                    title=event.title,
                    file_name=event.file_name,
                    sha256=event.sha256,
                    duration_s=event.duration_s,
                    start_ns=event.t_ns,
                    start_sample=event.sample,
                    rate_hz=playback.clock.rate_hz if playback else 0,
                )
            )
            return
        track = self.track
        if track is None:
            return
        match event:
            case TrackPaused():
                track.pauses.append(Span(event.t_ns))
                track.paused_sample = event.sample
            case TrackResumed() if track.paused:
                track.resume(event)
            case TrackEnded():
                if track.paused:
                    track.resume(event)
                track.end_ns, track.end_sample = event.t_ns, event.sample
                track.reason = event.reason
