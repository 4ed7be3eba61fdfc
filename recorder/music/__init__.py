"""A collection of music, read once: what each track expresses, and which of them fits."""
