"""What recordings in tests are made of: films, and the models, once for each process of tests."""

import time
from pathlib import Path

import pytest

from affetti.recorder.engine.live import Readers
from tests.recorder.films import moving_film


@pytest.fixture(scope="session")
def readers() -> Readers:
    """The models of live perception, loaded."""
    return loaded(Readers())


def loaded(readers: Readers) -> Readers:
    """Wait for the models; whoever cannot load them says why."""
    readers.load()
    while not readers.all_ready:
        assert readers.problem is None, readers.problem
        time.sleep(0.05)
    return readers


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that is not over before its recording is ended: 60 s of a square that wanders."""
    return moving_film(tmp_path_factory.mktemp("film") / "long.avi", seconds=60)
