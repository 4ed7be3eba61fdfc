"""Record how music moves a person: face, music and both fused, live and replayed.

The dozen names below are the library's face; `affetti.analyzer`, `affetti.recorder`,
`affetti.models` and `affetti.errors` give the rest of what the commands do. Nothing is imported
before it is asked for.
"""

from typing import TYPE_CHECKING

from affetti.lazy import names

if TYPE_CHECKING:
    from affetti.analyzer.analysis import Analysis
    from affetti.analyzer.library import analyze, check, recover, replay, report, verify
    from affetti.core.custody.vault import unlock
    from affetti.core.emotions import Emotion, Expression
    from affetti.core.errors import AffettiError
    from affetti.core.recording.session import Session

    open = Session.open

__all__ = [
    "AffettiError",
    "Analysis",
    "Emotion",
    "Expression",
    "Session",
    "analyze",
    "check",
    "open",
    "recover",
    "replay",
    "report",
    "unlock",
    "verify",
]

__getattr__ = names(
    __name__,
    {
        "AffettiError": "affetti.core.errors:AffettiError",
        "Analysis": "affetti.analyzer.analysis:Analysis",
        "Emotion": "affetti.core.emotions:Emotion",
        "Expression": "affetti.core.emotions:Expression",
        "Session": "affetti.core.recording.session:Session",
        "analyze": "affetti.analyzer.library:analyze",
        "check": "affetti.analyzer.library:check",
        "open": "affetti.core.recording.session:Session.open",
        "recover": "affetti.analyzer.library:recover",
        "replay": "affetti.analyzer.library:replay",
        "report": "affetti.analyzer.library:report",
        "unlock": "affetti.core.custody.vault:unlock",
        "verify": "affetti.analyzer.library:verify",
        # The rooms, so that `affetti.errors.DiskFull` needs one import.
        "analyzer": "affetti.analyzer",
        "errors": "affetti.errors",
        "models": "affetti.models",
        "recorder": "affetti.recorder",
    },
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
