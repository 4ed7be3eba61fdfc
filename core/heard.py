"""The vocabulary of what is heard: kinds of sound, several at a time, and never whose.

One vocabulary for the whole product: perception stores these codes, screens and papers put them
into words (`core.language.word`, group `heard`), tables name columns by them. That somebody
laughs, cries or coughs is not told apart, for want of a network that knows those sounds and may be
shipped: a voice of which it is not sure that it speaks or sings is an *other voice*.
"""

from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["music", "singing", "speech", "other_voice", "noise", "quiet"]

# In the order in which they are shown. Noise and quiet stand alone.
KINDS: Final[tuple[Kind, ...]] = (
    "music", "singing", "speech", "other_voice", "noise", "quiet",
)  # fmt: skip
