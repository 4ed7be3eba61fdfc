"""Plays tracks, and records exactly what it plays, sample by sample."""

import queue
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from affetti.core.clock import NS_PER_S, SessionClock
from affetti.core.devices import Device
from affetti.core.errors import UsageError
from affetti.core.events import (
    AudioFormat,
    GapCause,
    TrackEnded,
    TrackPaused,
    TrackResumed,
)
from affetti.core.people.playlist import PlaylistEntry
from affetti.core.settings import Settings
from affetti.core.streams import PLAYBACK, Stream, audio_stream
from affetti.recorder.sources import Sink
from affetti.recorder.sources.deck import Cue, Deck, Sound
from affetti.recorder.sources.pace import FILE_PATIENCE_S, wait_until
from affetti.recorder.sources.portaudio import (
    HOLE_NS,
    LAST_S,
    QUEUED_BLOCKS,
    SILENT_S,
    CardClock,
    CardStream,
)
from affetti.recorder.sources.stream import BLOCK, StreamLog
from affetti.recorder.sources.track import (
    Track,
    common_format,
    open_track,
    told_apart,
    track_started,
)

_SILENT_FIRST_S: Final = 0.2  # a card may swallow what it is given first
_PREFILL_S: Final = 5.0  # how long to wait for the first decoded sound


@dataclass(frozen=True)
class _Played:
    """What the sound card was given in one callback."""

    entries: list[Cue | Sound]
    t_ns: int  # when the first sample is heard
    underflow: bool  # the card had run dry before it
    lost: int = 0  # samples that were played but found no room on the way to the log


class Player:
    """A source that plays a playlist, as stream "playback".

    Tracks follow one another without a gap. While the music is paused or stopped, silence is
    played and recorded. The steering methods may be called from any thread, and do nothing
    once the playlist is over.

    Parameters
    ----------
    playlist
        The tracks, at least one: files, or what a playlist says of them.
    speaker
        The device; "" is the default one. None plays to the log alone, in real time.
    volume
        How loud it is heard, in percent. What is recorded is the music as it is.
    held
        Whether it is silent before each track until that is asked for by `play`.
    """

    finite = True
    scope = None

    def __init__(
        self,
        playlist: Sequence[Path | PlaylistEntry],
        speaker: str | None,
        volume: int = 100,
        *,
        held: bool = False,
    ) -> None:
        self._held = held
        self._playlist = playlist
        self._output: _Speaker | _Pacer = _Pacer() if speaker is None else _Speaker(speaker, volume)
        self._deck: Deck | None = None
        self.tracks: list[Track] = []
        self.format = AudioFormat(rate_hz=44100, channels=2)
        self.ended = self._output.ended

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles of the tracks; known once it is open."""
        return tuple(track.title for track in self.tracks)

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What is played."""
        return (audio_stream(PLAYBACK, self.format, device=self._output.device),)

    def open(self) -> None:
        """Check every track, and the speaker.

        Raises
        ------
        AffettiError
            A track is missing or cannot be decoded, or the speaker cannot be opened.
        """
        self.tracks = told_apart([open_track(path) for path in self._playlist])
        self.format = self._output.open(common_format(self.tracks))

    def start(self, sink: Sink) -> None:
        """Begin to play."""
        self._deck = Deck(self.tracks, self.format, held=self._held)
        self._deck.fill(_PREFILL_S)
        self._output.start(self._deck, _PlaybackLog(self.tracks, self.format, sink))

    def stop(self) -> None:
        """End playing; the end of a playing track is in the sink before this returns."""
        self._output.stop()

    def next(self) -> None:
        """Go to the next track; after the last one the playlist is over."""
        if self._deck is not None:
            self._deck.next()

    def play(self, track: int) -> None:
        """Play a track from its beginning."""
        if self._deck is not None:
            self._deck.play(track)

    def add(self, entry: PlaylistEntry) -> tuple[int, Track]:
        """Check a further track, and return its number; it is played when `play_next` says so.

        Raises
        ------
        AffettiError
            It is missing or cannot be decoded, the playlist is over, or a protocol says what
            is played.
        """
        if self._held:
            raise UsageError("player.protocol_leads")
        if self._deck is None or self._deck.over:
            raise UsageError("player.playlist_over")
        track = open_track(entry)
        self.tracks.append(track)
        return len(self.tracks) - 1, track

    def play_next(self, number: int) -> None:
        """Play a track after the one that plays, and then go on as before."""
        if self._deck is not None:
            self._deck.play_next(number)

    def previous(self) -> None:
        """Begin this track again, or within its first 3 s the one before it."""
        if self._deck is not None:
            self._deck.previous()

    def pause(self) -> None:
        """Be silent until `resume`."""
        if self._deck is not None:
            self._deck.pause()

    def resume(self) -> None:
        """Go on after a pause; after `stop_track`, play that track from its beginning."""
        if self._deck is not None:
            self._deck.resume()

    def stop_track(self) -> None:
        """End the track, and be silent until another one or `resume` is asked for."""
        if self._deck is not None:
            self._deck.stop_track()


def player_source(name: str, settings: Settings) -> Player:
    """Return the source of `player:FILE`, which plays one track to the default speaker."""
    return Player([Path(name)], "")


class _PlaybackLog:
    """Turns what was played into events: where each track starts, pauses and ends."""

    def __init__(self, tracks: list[Track], form: AudioFormat, sink: Sink) -> None:
        self.form = form
        self.sink = sink
        self._tracks = tracks
        self._stream = StreamLog(PLAYBACK, form, sink, FILE_PATIENCE_S)
        self.heard_ns = 0  # when the next sample would be heard

    def keep(self, entries: Iterable[Cue | Sound], t_ns: int) -> None:
        """Record sound and cues, of which the first sample is heard at `t_ns`."""
        self.heard_ns = t_ns
        for entry in entries:
            if isinstance(entry, Cue):
                self._mark(entry)
            else:
                self._stream.keep(entry, self.heard_ns)
                self.heard_ns += self._stream.duration_ns(len(entry))

    def finish(self, cues: list[Cue]) -> None:
        """Record the last cues, right after the last sample."""
        self._stream.tell_losses(self.heard_ns)
        self.keep(cues, self.heard_ns)

    def lose(self, samples: int) -> None:
        """Count samples that were played and cannot be recorded."""
        self._stream.lose(samples)

    def disturb(self, cause: GapCause) -> None:
        """Record that the music was not heard as it should, without a sample missing here."""
        self._stream.gap(0, cause, self.heard_ns)

    def _mark(self, cue: Cue) -> None:
        place = {"t_ns": self.heard_ns, "track": cue.track, "sample": self._stream.sample}
        match cue.kind:
            case "start":
                self.sink.put(track_started(self._tracks[cue.track], **place))
            case "pause":
                self.sink.put(TrackPaused(**place))
            case "resume":
                self.sink.put(TrackResumed(**place))
            case "end":
                self.sink.put(TrackEnded(**place, reason=cue.reason, loss=cue.loss))
            case "starved":
                self.disturb("decoding_late")


class _Pacer:
    """Plays to the log alone: a block is recorded when its last sample would have been heard."""

    device = None

    def __init__(self) -> None:
        self.ended = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self, form: AudioFormat) -> AudioFormat:
        return form

    def start(self, deck: Deck, log: _PlaybackLog) -> None:
        self._thread = threading.Thread(
            target=self._run, args=(deck, log), name="play", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, deck: Deck, log: _PlaybackLog) -> None:
        start_ns = log.sink.clock.now_ns()
        played = 0
        while not deck.over:
            t_ns = start_ns + played * NS_PER_S // log.form.rate_hz
            entries = list(deck.pull(BLOCK, wait=True))
            played += _samples(entries)
            end_ns = start_ns + played * NS_PER_S // log.form.rate_hz
            going_on = wait_until(end_ns, log.sink, self._stopping)
            log.keep(entries, t_ns)
            if not going_on:
                break
        log.finish(deck.close())
        self.ended.set()


class _Speaker:
    """Plays to a sound card; a thread of its own records what the callback handed over."""

    def __init__(self, name: str, volume: int) -> None:
        self.ended = threading.Event()
        self._stopping = threading.Event()
        self._volume = min(max(volume, 0), 100)
        self._card = CardStream("output", name, self._callback, self._stopping)
        self._played: queue.SimpleQueue[_Played | None] = queue.SimpleQueue()
        self._silent_first = 0  # samples until the music begins
        self._deck: Deck | None = None
        self._clock = CardClock(SessionClock())
        self._next_ns: int | None = None  # when the next callback's first sample should be heard
        self._thread: threading.Thread | None = None

    @property
    def device(self) -> Device | None:
        return self._card.device

    def open(self, form: AudioFormat) -> AudioFormat:
        opened = self._card.open(form.rate_hz, form.channels)
        self._silent_first = round(_SILENT_FIRST_S * opened.rate_hz)
        return opened

    def start(self, deck: Deck, log: _PlaybackLog) -> None:
        self._deck, self._clock = deck, CardClock(log.sink.clock)
        self._thread = threading.Thread(
            target=self._record, args=(deck, log), name="playback", daemon=True
        )
        self._thread.start()
        self._card.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(LAST_S)
            self._played.put(None)  # a card that is gone calls no more
            self._thread.join()
        self._card.close()

    def _callback(self, out: Sound, count: int, times: Any, status: Any) -> None:
        heard_ns = self._clock.stamp_ns(times.currentTime, times.outputBufferDacTime, 0)
        ran_dry = status.output_underflow or self._follows_hole(heard_ns, count)
        out.fill(0)
        deck = self._deck
        self._silent_first -= count
        if deck is None or self._silent_first > 0:
            return
        entries = list(deck.pull(count, wait=False))
        filled = 0
        for entry in entries:
            if not isinstance(entry, Cue):
                out[filled : filled + len(entry)] = self._heard(entry)
                filled += len(entry)
        lost = 0
        if self._played.qsize() >= QUEUED_BLOCKS:
            entries, lost = [entry for entry in entries if isinstance(entry, Cue)], filled
        self._played.put(_Played(entries, heard_ns, ran_dry, lost))
        if deck.over or self._stopping.is_set():
            self._played.put(None)
            self._deck = None  # silence from here on; a stream that ends drops what it still holds

    def _follows_hole(self, heard_ns: int, count: int) -> bool:
        """Return whether a block is heard long after the last one ended; it is the last one now."""
        next_ns = self._next_ns
        self._next_ns = heard_ns + count * NS_PER_S // self._card.form_now.rate_hz
        return next_ns is not None and heard_ns - next_ns > HOLE_NS

    def _heard(self, sound: Sound) -> Sound:
        """Return a sound as loud as it is to be heard."""
        if self._volume == 100:
            return sound
        return np.asarray(sound.astype(np.int32) * self._volume // 100, np.int16)

    def _record(self, deck: Deck, log: _PlaybackLog) -> None:
        heard_ns = log.sink.clock.now_ns()
        while True:
            try:
                played = self._played.get(timeout=SILENT_S)
            except queue.Empty:
                if not self._card.reopen(log.sink, heard_ns):
                    break
                log.disturb("device_lost")
                continue
            if played is None:
                break
            if self._card.take_interrupted():
                log.disturb("device_lost")
            elif played.underflow:
                log.disturb("underflow")
            log.lose(played.lost)
            log.keep(played.entries, played.t_ns)
            heard_ns = log.sink.clock.now_ns()
        log.finish(deck.close())
        wait_until(log.heard_ns, log.sink, threading.Event())
        self._card.close()
        self.ended.set()


def _samples(entries: Iterable[Cue | Sound]) -> int:
    return sum(len(entry) for entry in entries if not isinstance(entry, Cue))
