"""Labelled faces, and how well a network of the zoo names what they express."""
