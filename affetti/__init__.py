"""Record how music moves a person: face, music and both fused, live and replayed."""
