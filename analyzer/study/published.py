"""The figures that the published experiment gives, and which of them a study is held against.

They disagree with each other. Of face and of music one figure each is given, in its conclusion: of
the modules alone, on the sets that they were trained on, and not of the thirty people. Of both
together the section of results gives one and the abstract another; a study is held against that
of the results, where the combined system is evaluated.
"""

from dataclasses import dataclass
from typing import Final

from affetti.analyzer.measures.estimates import ModalityName


@dataclass(frozen=True)
class Published:
    """An accuracy that the publication gives.

    Attributes
    ----------
    modality
        Of what.
    accuracy
        0 to 1.
    place
        Where it stands, as a code.
    held
        Whether a study is held against it.
    """

    modality: ModalityName
    accuracy: float
    place: str
    held: bool


PUBLISHED: Final = (
    Published("face", 0.84, "conclusion", True),
    Published("music", 0.88, "conclusion", True),
    Published("fused", 0.884, "results", True),
    Published("fused", 0.87, "abstract", False),
)
