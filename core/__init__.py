"""The language everything in Affetti speaks: emotions, events, recordings."""
