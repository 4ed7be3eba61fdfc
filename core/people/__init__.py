"""People, by code and never by name."""
