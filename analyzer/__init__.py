"""The analyzer: recordings replayed, measured, explained and checked."""
