"""The state of a session: a fold over its events, and nothing else.

What the screen shows while recording and what a report says afterwards of tracks, pauses and
gaps come from the same `SessionState.apply`.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

from affetti.core.clock import NS_PER_S, SampleClock
from affetti.core.consent import NO_CONSENT, declared
from affetti.core.events import (
    PATIENT,
    AudioCaptured,
    AudioGap,
    CaptureStalled,
    ClockAnchored,
    ClockMeasured,
    Consent,
    ConsentChanged,
    DeviceLost,
    DeviceRefused,
    DeviceRestored,
    EmotionFused,
    Estimate,
    EstimateSkipped,
    Event,
    FaceEstimated,
    FaceNamed,
    FrameCaptured,
    FramesDropped,
    MarkedStretch,
    MarkerAdded,
    Moment,
    MusicEstimated,
    MusicProposed,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    NoteAdded,
    PersonChanged,
    ProtocolStarted,
    RecordingPaused,
    RecordingResumed,
    SamplesCaptured,
    SamplesDropped,
    SelfReported,
    SessionEnded,
    SessionRecovered,
    SessionStarted,
    SoundLoss,
    StepBegun,
    StepEnded,
    StreamOpened,
    TrackEnded,
    TrackEndReason,
    TrackPaused,
    TrackResumed,
    TrackStarted,
    UnknownEvent,
    Withdrawn,
    marked_stretches,
)
from affetti.core.interruptions import Interruptions
from affetti.core.protocol_course import ProtocolCourse
from affetti.core.streams import AUDIO, VIDEO, SourceClock, Stream

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
    expected: str | None = None  # the emotion that the playlist expects of it
    columns: dict[str, str] = field(default_factory=dict)  # further ones of the playlist
    loss: SoundLoss | None = None  # what could not be played of the file

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
class Video:
    """What is known of a video stream so far."""

    frames: int = 0
    first_frame_ns: int = 0
    last_frame_ns: int = 0
    dropped: int = 0


@dataclass
class Sound:
    """What is known of an audio stream so far."""

    clock: SampleClock
    samples: int = 0
    gaps: int = 0
    missing: int = 0


@dataclass
class Signal:
    """What is known of a signal so far."""

    clocks: list[SourceClock] = field(default_factory=lambda: [SourceClock()])
    samples: int = 0
    dropped: int = 0
    losses: int = 0  # how often its source was gone
    _spanned: int = 0  # samples that came between the blocks of `_span_ns`
    _span_ns: int = 0
    _before: SamplesCaptured | None = None  # the block before, if nothing lies between

    def add(self, block: SamplesCaptured) -> None:
        """Take in the next block."""
        self.samples += block.count
        before = self._before
        if before is not None and before.sample + before.count == block.sample:
            self._spanned += before.count
            self._span_ns += block.t_ns - before.t_ns
        self._before = block

    def interrupt(self) -> None:
        """Take in that what comes next does not follow on what came before."""
        self._before = None

    @property
    def rate_hz(self) -> float | None:
        """How many samples came in a second, gaps left out; None until there are two blocks."""
        return self._spanned * NS_PER_S / self._span_ns if self._span_ns > 0 else None

    @property
    def measurements(self) -> int:
        """How often the clock of its source was measured."""
        return sum(len(clock.anchors) for clock in self.clocks)

    @property
    def drift_ppm(self) -> float | None:
        """By how much that clock goes slower than session time; that of the longest stretch."""
        longest = max(self.clocks, key=lambda clock: clock.span_s)
        return longest.drift_ppm


@dataclass
class SessionState:
    """Everything known of a session after the events applied so far."""

    started: SessionStarted | None = None
    consent: Consent = NO_CONSENT
    now_ns: int = 0  # the latest time any fact was about
    events: int = 0
    streams: dict[str, Stream] = field(default_factory=dict)  # as they were declared
    video: dict[str, Video] = field(default_factory=dict)
    audio: dict[str, Sound] = field(default_factory=dict)
    signals: dict[str, Signal] = field(default_factory=dict)
    tracks: list[Track] = field(default_factory=list)
    titles: dict[int, str] = field(default_factory=dict)  # of the playlist, by number
    order: list[int] = field(default_factory=list)  # in which those are played
    moments: list[Moment] = field(default_factory=list)  # in the order they were noted
    pauses: list[Span] = field(default_factory=list)
    neutral_reference: Span | None = None  # the latest; open while it is recorded
    interruptions: Interruptions = field(default_factory=Interruptions)
    lost: dict[str, Span] = field(default_factory=dict)  # devices that are gone now
    outages: Counter[str] = field(default_factory=Counter)  # how often each was
    latest: dict[str, Estimate] = field(default_factory=dict)  # estimate of each modality
    estimates: Counter[str] = field(default_factory=Counter)  # by modality
    changed: list[DeviceRefused | DeviceRestored] = field(default_factory=list)  # devices
    stalls: list[CaptureStalled] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)  # by modality
    ended: SessionEnded | None = None
    recovered: SessionRecovered | None = None
    withdrawals: list[Withdrawn] = field(default_factory=list)  # after the recording
    protocol: ProtocolCourse | None = None  # of a study, that led through it
    unknown: Counter[str] = field(default_factory=Counter)  # kinds of a later version

    @property
    def duration_s(self) -> float:
        """Length of the session so far, in seconds."""
        return self.now_ns / NS_PER_S

    @property
    def picture(self) -> Video:
        """The first video stream, which perception looks at; an empty one where there is none."""
        return next(iter(self.video.values()), Video())

    @property
    def frames(self) -> int:
        """How many frames the first video stream has."""
        return self.picture.frames

    @property
    def frames_dropped(self) -> int:
        """How many of its frames could not be kept."""
        return self.picture.dropped

    @property
    def first_frame_ns(self) -> int:
        """When its first frame was captured."""
        return self.picture.first_frame_ns

    @property
    def last_frame_ns(self) -> int:
        """When its latest frame was captured."""
        return self.picture.last_frame_ns

    @property
    def frames_per_s(self) -> float:
        """Its mean frame rate while it was there and recorded; 0 before the second frame."""
        name = next(iter(self.video), "")
        return self.frame_rate_hz(name) if name else 0.0

    def frame_rate_hz(self, name: str) -> float:
        """Return the mean frame rate of a video stream while it was there and recorded."""
        video, scope = self.video[name], self.streams[name].scope
        first_ns, last_ns = video.first_frame_ns, video.last_frame_ns
        span = last_ns - first_ns - self.interruptions.unfilmed_ns(first_ns, last_ns, name, scope)
        return (video.frames - 1) * NS_PER_S / span if video.frames > 1 and span > 0 else 0.0

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
    def keeps_estimates_only(self) -> bool:
        """Whether no picture and no sound of the room was kept, from the beginning."""
        return self.started is not None and self.started.keeps == "estimates"

    @property
    def unkept(self) -> frozenset[str]:
        """The scopes whose pictures or sounds are not in the file though estimates of them are."""
        gone = {s for each in self.withdrawals if each.estimates_stay for s in each.scopes}
        if self.keeps_estimates_only:
            kinds = {VIDEO, AUDIO}
            gone |= {s.scope for s in self.streams.values() if s.kind in kinds and s.scope}
        return frozenset(gone)

    @property
    def markers(self) -> list[MarkerAdded]:
        """The therapist's markers."""
        return [moment for moment in self.moments if isinstance(moment, MarkerAdded)]

    @property
    def stretches(self) -> list[MarkedStretch]:
        """The stretches that the therapist marked, in the order in which they ended."""
        return marked_stretches(self.moments)

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
                if self.keeps_estimates_only:  # which tell of time what pictures would
                    self.now_ns = max(self.now_ns, event.t_ns)
            case EstimateSkipped(modality=modality):
                self.skipped[modality] += 1
            case _:
                self.now_ns = max(self.now_ns, event.t_ns)
                self._fact(event)

    def _fact(self, event: Event) -> None:
        match event:
            case FrameCaptured() | FramesDropped():
                self._video(event)
            case AudioCaptured() | AudioGap() | ClockAnchored():
                self._sound(event)
            case SamplesCaptured() | SamplesDropped() | ClockMeasured():
                self._signal(event)
            case TrackStarted() | TrackPaused() | TrackResumed() | TrackEnded():
                self._playback(event)
            case Moment():
                self.moments.append(event)
                if isinstance(event, MusicProposed):
                    self._choose(event)
            case ProtocolStarted() | StepBegun() | StepEnded():
                self._lead(event)
            case _:
                self._session(event)

    def _session(self, event: Event) -> None:
        match event:
            case SessionStarted() | StreamOpened():
                self._open(event)
            case ConsentChanged(consent=consent):
                self.consent = consent
                self._interrupt_signals()
            case NeutralReferenceStarted() | NeutralReferenceRecorded():
                self._neutral(event)
            case PersonChanged() | FaceNamed():
                self._person(event)
            case RecordingPaused() | RecordingResumed():
                self._hold(event)
            case DeviceLost() | DeviceRestored() | DeviceRefused():
                self._device(event)
            case CaptureStalled():
                self.stalls.append(event)
            case SessionEnded():
                self.ended = event
            case SessionRecovered():
                self.recovered = event
            case Withdrawn():
                self.withdrawals.append(event)
                if (event.from_ns, event.to_ns) == (0, None) and not event.estimates_stay:
                    self.consent = self.consent.changed(ended=event.scopes, since=event.on)

    def _lead(self, event: ProtocolStarted | StepBegun | StepEnded) -> None:
        if isinstance(event, ProtocolStarted):
            self.protocol = ProtocolCourse(event)
        elif self.protocol is not None:
            self.protocol.apply(event)

    def _choose(self, event: MusicProposed) -> None:
        """Take in that a track comes after the one that plays, if it is a new one."""
        number = event.chosen_track
        if number is None or number in self.titles:
            return
        self.titles[number] = event.title
        latest = self.tracks[-1].number if self.tracks else next(iter(self.order), 0)
        at = self.order.index(latest) + 1 if latest in self.order else len(self.order)
        self.order.insert(at, number)

    @property
    def coming(self) -> str | None:
        """The title of the track that comes after the one that plays; None after the last."""
        at = self.order.index(self.tracks[-1].number) if self._is_ordered else -1
        return next((self.titles[number] for number in self.order[at + 1 : at + 2]), None)

    @property
    def _is_ordered(self) -> bool:
        return bool(self.tracks) and self.tracks[-1].number in self.order

    def _neutral(self, event: NeutralReferenceStarted | NeutralReferenceRecorded) -> None:
        if isinstance(event, NeutralReferenceStarted):
            self.neutral_reference = Span(event.t_ns)
        elif self.neutral_reference is not None:
            self.neutral_reference.end_ns = event.t_ns

    def _person(self, event: PersonChanged | FaceNamed) -> None:
        if isinstance(event, PersonChanged) or self._is_another(event):
            self.neutral_reference = None  # it was another's

    def _is_another(self, named: FaceNamed) -> bool:
        """Whether the patient is another from here on, as far as estimates have said."""
        faces = self.face.faces if self.face is not None else ()
        before = next((face.face_id for face in faces if face.role == PATIENT), None)
        return (named.role == PATIENT) != (named.face_id == before)

    def _hold(self, event: RecordingPaused | RecordingResumed) -> None:
        if isinstance(event, RecordingPaused):
            self.pauses.append(Span(event.t_ns))
            self._interrupt_signals()
        elif self.paused:
            self.pauses[-1].end_ns = event.t_ns

    def _interrupt_signals(self) -> None:
        for signal in self.signals.values():
            signal.interrupt()

    def _open(self, event: SessionStarted | StreamOpened) -> None:
        if isinstance(event, SessionStarted):
            self.started, self.consent = event, event.consent
            self.titles, self.order = dict(enumerate(event.playlist)), [*range(len(event.playlist))]
        for name, stream in declared(event).items():
            self.streams[name] = stream
            match stream.kind:
                case "video":
                    self.video[name] = Video()
                case "audio":
                    self.audio[name] = Sound(SampleClock(stream.form.rate_hz))
                case "samples":
                    self.signals[name] = Signal()

    def _device(self, event: DeviceLost | DeviceRestored | DeviceRefused) -> None:
        if isinstance(event, DeviceRefused):
            self.changed.append(event)
            return
        signal = self.signals.get(event.stream or "")
        if isinstance(event, DeviceRestored):
            self.lost.pop(event.device, None)
            if event.found is not None:
                self.changed.append(event)
            if signal is not None:
                signal.clocks.append(SourceClock())  # it may be another now
            return
        self.lost[event.device] = Span(event.t_ns)
        self.outages[event.device] += 1
        if signal is not None:
            signal.losses += 1
            signal.interrupt()

    def _video(self, event: FrameCaptured | FramesDropped) -> None:
        video = self.video.get(event.stream)
        if video is None:
            return
        if isinstance(event, FramesDropped):
            video.dropped += event.count
            return
        video.frames += 1
        video.first_frame_ns = event.t_ns if video.frames == 1 else video.first_frame_ns
        video.last_frame_ns = event.t_ns

    def _signal(self, event: SamplesCaptured | SamplesDropped | ClockMeasured) -> None:
        signal = self.signals.get(event.stream)
        if signal is None:
            return
        match event:
            case SamplesCaptured():
                signal.add(event)
            case SamplesDropped():
                signal.dropped += event.count
                signal.interrupt()
            case ClockMeasured():
                signal.clocks[-1].add(event.source_s, event.t_ns)

    def _sound(self, event: AudioCaptured | AudioGap | ClockAnchored) -> None:
        stream = self.audio.get(event.stream)
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
            playback = self.audio.get("playback")
            self.tracks.append(
                Track(
                    number=event.track,
                    title=event.title,
                    file_name=event.file_name,
                    sha256=event.sha256,
                    duration_s=event.duration_s,
                    start_ns=event.t_ns,
                    start_sample=event.sample,
                    expected=event.expected,
                    columns=event.columns,
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
                track.reason, track.loss = event.reason, event.loss
