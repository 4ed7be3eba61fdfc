"""The screens: set-up, live, review, and what opens over them."""
