"""Prints the report of a recording, in the language of a folder: FOLDER RECORDING."""

import sys
from pathlib import Path

from tests.brackets import read_from

read_from(Path(sys.argv[1]))

from affetti.analyzer.analysis import analyze  # noqa: E402
from affetti.analyzer.replay import completed  # noqa: E402
from affetti.analyzer.report import html_of  # noqa: E402
from affetti.core.recording.session import Session  # noqa: E402

with Session.open(Path(sys.argv[2])) as session:
    sys.stdout.write(html_of(analyze(session, completed(session))))
