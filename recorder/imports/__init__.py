"""Recordings out of what Affetti did not record: films, sound beside them, signals.

They are written by the same log and sealed by the same code as a live recording, from the same
readers of films and sound, as fast as those can be read; session time is that of the film.
Nothing is perceived meanwhile: whoever analyzes such a recording computes its estimates, by the
same perception. That is why this lies with the recorder, which makes recordings, and not with the
analyzer, which reads them.
"""

from affetti.recorder.imports.films import Request, import_film, target_of

__all__ = ["Request", "import_film", "target_of"]
