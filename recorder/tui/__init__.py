"""The recorder's screen, in a terminal: what a therapist sees and steers during a session."""
