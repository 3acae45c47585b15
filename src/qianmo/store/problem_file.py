"""A planning problem as one file: a plain zip of ``problem.toml`` and Parquet tables (规划问题文件)."""

from __future__ import annotations

import os
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qianmo.schema.errors import MissingDataError, SchemaError, UnsafeInputError
from qianmo.store.guard_limits import default_limits
from qianmo.store.guard_zip import extract_zip
from qianmo.store.scratch import read_toml, scratch_folder

__all__ = ["read_problem_file", "toml_text", "write_problem_file"]


def write_problem_file(path: Path, record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> None:
    """Write ``<name>.qproblem``: TOML record and one Parquet file a table, in one step (写出规划问题文件)."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo("problem.toml"), toml_text(record).encode("utf-8"))
            for name, frame in tables.items():
                sink = pa.BufferOutputStream()
                pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink, compression="zstd")
                with archive.open(zipfile.ZipInfo(f"{name}.parquet"), "w", force_zip64=True) as member:
                    member.write(memoryview(sink.getvalue()))
        with open(fresh, "rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def read_problem_file(path: Path) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Record and tables of a problem file (读取规划问题文件).

    Raises
    ------
    MissingDataError
        The file, or ``problem.toml`` in it, is not there.
    UnsafeInputError
        It is no plain zip, or a table in it is no Parquet file.
    SchemaError
        ``problem.toml`` is no TOML.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingDataError(f"no problem file {path}", cure="check the path (规划问题文件不存在)")
    with scratch_folder() as folder:
        members = {p.relative_to(folder).as_posix(): p for p in extract_zip(path, folder, limits=default_limits())}
        if "problem.toml" not in members:
            raise MissingDataError(
                f"{path.name} holds no problem.toml", expected="problem.toml and Parquet tables at the top of the zip"
            )
        record = read_toml(members.pop("problem.toml"))
        strange = sorted(n for n in members if "/" in n or not n.endswith(".parquet"))
        if strange:
            raise UnsafeInputError(
                f"{path.name} holds {', '.join(strange[:3])}",
                expected="problem.toml and <table>.parquet only",
                cure="drop the other members",
            )
        return record, {p.stem: _table(p) for p in members.values()}


def toml_text(record: Mapping[str, Any]) -> str:
    """A record as TOML: plain keys first, then tables, then lists of tables (TOML 文本).

    Raises
    ------
    SchemaError
        A value that TOML cannot hold.
    """
    plain = {k: v for k, v in record.items() if not isinstance(v, Mapping) and not _is_tables(v)}
    lines = [f"{_key(k)} = {_value(v)}" for k, v in plain.items()]
    for k, v in record.items():
        if isinstance(v, Mapping):
            lines += ["", f"[{_key(k)}]", *(f"{_key(a)} = {_value(b)}" for a, b in v.items())]
    for k, v in record.items():
        if _is_tables(v):
            for entry in v:
                lines += ["", f"[[{_key(k)}]]", *(f"{_key(a)} = {_value(b)}" for a, b in entry.items())]
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)
    return text


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def _key(name: str) -> str:
    return name if name and name.isascii() and name.replace("_", "").replace("-", "").isalnum() else _value(str(name))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        marks = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
        return '"' + "".join(marks.get(c, c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}") for c in value) + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    raise SchemaError(f"{value!r} cannot be written as TOML", expected="text, numbers, true or false, and lists of them")


def _table(path: Path) -> pd.DataFrame:
    try:
        return pq.read_table(path).to_pandas()
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise UnsafeInputError(
            f"{path.name} is no readable Parquet table: {error}", expected="a Parquet file", cure="write the table again"
        ) from None
