"""What two screens of a running recording share: one key pauses it, and goes on with it."""

from affetti.recorder.engine.messages import Command, PauseRecording, ResumeRecording
from affetti.recorder.tui.link import EngineLink
from affetti.recorder.tui.screens.base import EngineScreen
from affetti.recorder.tui.view import RecordingView


class RunningScreen(EngineScreen):
    """A running recording, which can be paused.

    Parameters
    ----------
    link
        To the engine.
    view
        The recording.
    """

    def __init__(self, link: EngineLink, view: RecordingView) -> None:
        super().__init__(link)
        self.view = view
        self._was_paused = False

    def action_pause_recording(self) -> None:
        """Pause the recording."""
        self._send(PauseRecording())

    def action_resume_recording(self) -> None:
        """Record again."""
        self._send(ResumeRecording())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to go on only while the recording is paused, and to pause it only otherwise."""
        match action:
            case "pause_recording":
                return not self.view.state.paused
            case "resume_recording":
                return self.view.state.paused
        return True

    def _send(self, command: Command) -> bool:
        """Send a command; False, and why, where no engine takes it."""
        raise NotImplementedError

    def _look_at_pause(self) -> None:
        """Offer the other of the two once the recording was paused, or goes on."""
        if self.view.state.paused != self._was_paused:
            self._was_paused = self.view.state.paused
            self.refresh_bindings()
