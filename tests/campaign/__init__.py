"""Trials by the thousand of what may happen to a recording: `make campaign-long`.

Each kind of trial is a function of a folder and a seed, and raises where something is not as it is
promised; each failure is reproduced by its kind and its seed.
"""
