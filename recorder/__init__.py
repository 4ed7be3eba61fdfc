"""The recorder: cameras, sound and tracks into an event log, with a screen beside it."""
