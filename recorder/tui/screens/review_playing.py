"""What two screens share that play a recording: where they are, its picture and its sound."""

import time
from typing import ClassVar, Final

from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from affetti.core.clock import NS_PER_S
from affetti.core.language import text
from affetti.recorder.engine.messages import Picture
from affetti.recorder.tui.listening import Listening
from affetti.recorder.tui.walk import Clockwork, Walk

_LOOK_EVERY_S: Final = 0.25


class PlayingScreen(Screen[None], inherit_bindings=False):
    """Plays a recording.

    Parameters
    ----------
    walk
        The opened recording.
    at_ns
        Where to begin, session time.
    """

    BLIND: ClassVar[bool] = False  # whether it shows no estimate

    def __init__(self, walk: Walk, at_ns: int = 0) -> None:
        super().__init__()
        self.walk = walk
        self.at_ns = at_ns
        self._clock = Clockwork(time.monotonic_ns)
        self._listening: Listening | None = None
        self._ticking: Timer | None = None
        self._sound = next(iter(walk.sounds), "")

    def on_mount(self) -> None:
        """Show the first moment."""
        self.call_after_refresh(self.show_moment)

    def on_unmount(self) -> None:
        """Be silent."""
        self.stop()

    @property
    def playing(self) -> bool:
        """Whether it plays now."""
        return self._ticking is not None

    @property
    def picture(self) -> Picture | None:
        """The picture of this moment."""
        return self.walk.picture(self.at_ns)

    @property
    def no_picture(self) -> str:
        """Why there is no picture."""
        if self.walk.refused:
            return self.walk.refused
        return text("walk.no_picture" if self.walk.session.video else "live.no_camera")

    def show_moment(self) -> None:
        """Show the moment `at_ns`."""

    def moved(self) -> None:
        """Take in that another moment was gone to."""

    def ended(self) -> None:
        """Take in that the end was reached."""

    def action_play(self) -> None:
        """Play from here, or stop."""
        if self.playing:
            self.stop()
            self.show_moment()
        else:
            self.play()

    def play(self) -> None:
        """Play from here on: pictures, and the sound where there is a card for it."""
        if self.at_ns >= self.walk.duration_ns:
            self.at_ns = 0
        self._clock.begin(self.at_ns)
        audio = self.walk.sounds.get(self._sound)
        if audio is not None:
            listening = Listening(audio, self.at_ns)
            if listening.start():
                self._listening = listening
            else:
                self.say(text("walk.no_sound"))
        self._ticking = self.set_interval(_LOOK_EVERY_S, self._tick)
        self.refresh_bindings()

    def stop(self) -> None:
        """Stop playing."""
        if self._ticking is not None:
            self._ticking.stop()
            self._ticking = None
        if self._listening is not None:
            self._listening.stop()
            self._listening = None
        if self.is_mounted:
            self.refresh_bindings()

    def go_to(self, t_ns: int) -> None:
        """Go to a moment; what plays goes on from there."""
        played = self.playing
        self.stop()
        self.moved()
        self.at_ns = min(max(t_ns, 0), self.walk.duration_ns)
        if played:
            self.play()
        self.show_moment()

    def action_seek(self, seconds: float) -> None:
        """Go on, or back."""
        self.go_to(self.at_ns + round(seconds * NS_PER_S))

    def write(
        self,
        label: str,
        start_ns: int,
        stop_ns: int | None = None,
        words: str = "",
        values: dict[str, float] | None = None,
    ) -> bool:
        """Write an annotation; False, and why, where it cannot be."""
        try:
            self.walk.add(label, start_ns, stop_ns, words=words, values=values, blind=self.BLIND)
        except OSError as error:
            self.say(text("walk.not_written", error=error.strerror or str(error)))
            return False
        return True

    def say(self, words: str) -> None:
        """Say something in the line for it."""
        for line in self.query("#message").results(Static):
            line.update(words)

    def _tick(self) -> None:
        if self._listening is not None and self._listening.refused:
            self.say(self._listening.refused)
        heard = self._listening is not None and self._listening.playing
        at = self._listening.t_ns if heard and self._listening is not None else self._clock.t_ns()
        self.at_ns = min(max(at, self.at_ns), self.walk.duration_ns)
        if self.at_ns >= self.walk.duration_ns:
            self.stop()
            self.ended()
        self.show_moment()
