"""Bytes and events: the live log, the sealed file, and what lies between them."""
