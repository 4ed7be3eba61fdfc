"""Apache Parquet: every table of a session as a file, for pandas, Arrow, R, DuckDB and others.

A folder a session, the tables of `affetti analyze` in it: segments, tracks, moments, every estimate
of every modality and every sample of every signal, their columns with a type and a description.
"""

import shutil
from pathlib import Path

from affetti.analyzer.exports import Source, new_file
from affetti.analyzer.tables.parquet_file import parquet_of
from affetti.analyzer.tables.session_tables import tables_of


def write(source: Source, target: Path, name: str) -> list[Path]:
    """Write a session into a folder that is not there yet; see `analyzer.exports.Format.write`.

    Raises
    ------
    AffettiError
        pyarrow is not installed.
    """
    tables = tables_of(source.analysis)
    target.mkdir(mode=0o700)
    try:
        written = []
        for table in tables:
            written.append(_written(target / f"{table.name}.parquet", parquet_of(table)))
            source.progress(len(written), len(tables))
        return written
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _written(path: Path, data: bytes) -> Path:
    with new_file(path) as file:
        file.write(data)
    return path
