"""Looking and listening without recording, for the set-up screen."""

from collections.abc import Callable

from affetti.core.clock import SessionClock
from affetti.core.errors import AffettiError
from affetti.core.events import Event
from affetti.core.settings import Settings
from affetti.recorder.engine.threads import ThreadWatch, unexpected
from affetti.recorder.sources import Source, stop_all
from affetti.recorder.sources.camera import open_camera
from affetti.recorder.sources.microphone import open_microphone


class Preview:
    """Runs a camera and a microphone into a function, and keeps nothing.

    Parameters
    ----------
    camera, microphone
        What to open; None leaves one out. One that cannot be opened is left out as well, and
        `problem` says why.
    settings
        How to read the camera.
    see
        Takes every event and blob, from the sources' threads.
    """

    def __init__(
        self,
        camera: str | None,
        microphone: str | None,
        settings: Settings,
        see: Callable[[Event, bytes], None],
    ) -> None:
        self.clock = SessionClock()
        self.problem: AffettiError | None = None
        self._see = see
        self._sources: list[Source] = []
        self._watch = ThreadWatch(self._note)
        if camera is not None:
            self._open(lambda: open_camera(camera, settings.video))
        if microphone is not None:
            self._open(lambda: open_microphone(microphone))

    def put(self, event: Event, blob: bytes = b"") -> bool:
        """Take in an event of a source, as a sink does."""
        self._see(event, blob)
        return True

    def close(self) -> None:
        """Close the devices."""
        self._watch.close()
        stop_all(self._sources)

    def _open(self, make: Callable[[], Source]) -> None:
        try:
            source = make()
            self._sources.append(source)  # at once, so that it is closed whatever comes
            source.open()
            source.start(self)
        except Exception as error:
            self._note(unexpected("source", error))

    def _note(self, error: AffettiError) -> None:
        self.problem = self.problem or error
