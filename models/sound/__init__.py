"""What a stretch of sound expresses."""
