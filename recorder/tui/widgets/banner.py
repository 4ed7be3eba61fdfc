"""What cannot be overlooked, across the whole width."""

from collections.abc import Sequence

from textual.widgets import Static

from affetti.recorder.tui.wording import Remark


class Banner(Static):
    """Shown while a device is lost, a picture stands still or nothing is recorded."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self.words = ""
        self.display = False

    def show(self, alarms: Sequence[Remark]) -> None:
        """Show alarms, or nothing."""
        words = "   ".join(alarm.words for alarm in alarms)
        if words != self.words:
            self.words = words
            self.display = bool(words)
            self.set_class(any(alarm.severity == "error" for alarm in alarms), "-error")
            self.update(words)
