"""A layer or table as compact columns, without building rows (列式读取)."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from qianmo.schema.errors import MissingDataError

__all__ = ["file_stamp", "read_columns"]


def file_stamp(path: Path) -> tuple[int, int, int]:
    """What changes when a file is replaced (文件标记): its number, time and size. States that share a file share the stamp.

    Raises
    ------
    MissingDataError
        The file is not there.
    """
    try:
        found = path.stat()
    except OSError:
        raise MissingDataError(f"no table {path.stem} in the project", cure="run the job that makes it first") from None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_columns(path: Path) -> pa.Table:
    """All columns of a Parquet file, text by code and dictionary, geometry as WKB (列表).

    Raises
    ------
    MissingDataError
        The file is not there.
    """
    file_stamp(path)
    schema = pq.read_schema(path)
    text = [f.name for f in schema if pa.types.is_large_string(f.type) or pa.types.is_string(f.type)]
    return pq.read_table(path, read_dictionary=text).unify_dictionaries().combine_chunks()
